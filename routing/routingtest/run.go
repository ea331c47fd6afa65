package routingtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// runner plays one case.
type runner struct {
	*Case
	tape
	engine  *routing.Engine
	out     []string
	now     time.Time
	setup   bool                             // before +0s: nothing is shown
	offers  map[routing.CallID]routing.Offer // the latest of each call
	silent  map[routing.CallID]bool          // calls that are not part of the case
	made    map[routing.Offer]agents.ID      // to whom each attempt of a call was made
	talks   map[agents.ID]routing.Offer
	callers map[routing.CallID]*rule.Env // what the rim knows of them
	queues  map[routing.CallID]string
	greeted map[routing.CallID]bool // callers who were answered
	acks    []routing.Offer
	picks   []routing.Offer // agents reserved for a callback, whose customer is there
	tries   map[routing.CallID]int
	awaited map[routing.CallID]bool // calls whose routing waits for the record
	kept    map[routing.CallID]*routing.Kept
	reached map[routing.CallID]bool
	hashes  map[routing.CallID]string // of callers' numbers
	records []routing.Record          // of the actions that are about to be shown
	version int

	menuAsks map[routing.CallID]int
	messages []routing.CallID // calls that were just sent to a mailbox
	over     map[routing.Offer]bool
	plays    []routing.CallID // callers who just heard that we are closed
	// quickPlay: the case does not say when announcements are over.
	quickPlay bool
}

// Run plays the case and gives the lines below the line.
func (c *Case) Run() ([]string, error) {
	r, err := c.run()
	if err != nil {
		return nil, err
	}
	return r.out, nil
}

// run plays the case.
func (c *Case) run() (*runner, error) {
	r := &runner{
		Case: c, setup: true, version: c.policy.Version,
		offers: map[routing.CallID]routing.Offer{}, made: map[routing.Offer]agents.ID{}, silent: map[routing.CallID]bool{}, talks: map[agents.ID]routing.Offer{}, callers: map[routing.CallID]*rule.Env{}, queues: map[routing.CallID]string{},
		greeted: map[routing.CallID]bool{}, tries: map[routing.CallID]int{}, awaited: map[routing.CallID]bool{}, kept: map[routing.CallID]*routing.Kept{},
		reached: map[routing.CallID]bool{}, hashes: map[routing.CallID]string{}, menuAsks: map[routing.CallID]int{},
		over: map[routing.Offer]bool{}, quickPlay: c.playedUnsaid(),
	}
	r.begin(c.policy)
	if err := r.prepare(); err != nil {
		return nil, err
	}
	r.setup = false
	if c.explained {
		r.engine.Watch(0, func(rec routing.Record) { r.records = append(r.records, rec) })
	}
	r.decide(true)
	for _, l := range c.events {
		if l.remark != remarkBetween || !l.at.Equal(r.now) {
			if err := r.pass(l.at); err != nil {
				return nil, err
			}
		}
		if err := r.play(l); err != nil {
			return nil, fmt.Errorf("%q: %w", l.text, err)
		}
	}
	last := r.now
	if r.until.After(last) {
		last = r.until
	}
	return r, r.pass(last)
}

// prepare signs the agents in, the longest idle first, and gives those who
// talk a call.
func (r *runner) prepare() error {
	staff := slices.Clone(r.staff)
	slices.SortStableFunc(staff, func(a, b person) int {
		if (a.talking != "") != (b.talking != "") {
			if a.talking != "" {
				return -1
			}
			return 1
		}
		return int(b.idle - a.idle)
	})
	for _, p := range staff {
		r.now = r.t0.Add(-p.idle)
		if p.talking != "" {
			r.now = r.t0.Add(-24 * time.Hour)
		}
		if p.out {
			continue
		}
		if a := r.policy.Agents[p.id]; !a.Desk && a.Phone.URI != "" && !a.Phone.Registered {
			if err := r.step(routing.PhoneProbed{Agent: p.id, Code: 200}); err != nil {
				return err
			}
		}
		if r.policy.Agents[p.id].Phone.Registered {
			if err := r.step(routing.PhoneChanged{Agent: p.id, Up: true}); err != nil {
				return err
			}
		}
		if !p.nodsk {
			if err := r.step(routing.DeskChanged{Agent: p.id, Up: true}); err != nil {
				return err
			}
		}
		state := agents.Available
		if p.away != "" {
			state = agents.NotReady
		}
		if err := r.step(routing.AgentSignedIn{Agent: p.id, State: state, Reason: p.away}); err != nil {
			return err
		}
		if p.talking != "" {
			if err := r.occupy(p); err != nil {
				return err
			}
		}
	}
	r.now = r.t0
	return nil
}

// occupy gives an agent a call that is going on when the case begins.
func (r *runner) occupy(p person) error {
	trunk, id := "elsewhere", routing.CallID(900_000+len(r.silent))
	if p.wrap > 0 {
		trunk = wrapQueue(p.wrap)
	}
	if p.talking == "-" {
		r.silent[id] = true
	} else {
		trunk, id = p.queue+"/", r.number(p.talking)
	}
	if err := r.step(routing.CallArrived{Call: id, Attrs: rule.Call{Trunk: trunk}}); err != nil {
		return err
	}
	if _, ok := r.offers[id]; !ok { // the queue prefers somebody whom the record names
		if err := r.step(routing.CustomerResolved{Call: id}); err != nil {
			return err
		}
	}
	o, ok := r.offers[id]
	if !ok {
		return fmt.Errorf("agents: %s does not get the call", p.id)
	}
	r.talks[p.id] = o
	if err := r.step(routing.PhoneAnswered{Offer: o}); err != nil || p.wrap == 0 {
		return err
	}
	r.now = r.t0
	return r.step(routing.CallerGone{Call: id})
}

// pass lets the engine's deadlines come, one by one.
func (r *runner) pass(until time.Time) error {
	if until.Before(r.now) { // an offer was let ring out
		until = r.now
	}
	for n := 0; ; n++ {
		due, ok := r.engine.Deadline()
		if !ok || due.After(until) {
			break
		}
		if due.Before(r.now) || n > 100_000 {
			return fmt.Errorf("the engine's deadline stands still at %s", r.since(due))
		}
		r.now = due
		if err := r.step(routing.Tick{}); err != nil {
			return err
		}
	}
	r.now = until
	return nil
}

func (r *runner) step(ev routing.Event) error {
	acts, err := r.engine.Step(r.now, ev)
	acts = slices.Clone(acts)
	r.keep(r.now, ev, acts)
	r.show(acts)
	for err == nil && len(r.acks) > 0 {
		o := r.acks[0]
		r.acks = r.acks[1:]
		r.decide(false) // what goes without saying shall not bring on what is pending
		err = r.step(routing.PopAcked{Offer: o, Mode: routing.Painted})
		r.decide(true)
	}
	for err == nil && len(r.picks) > 0 {
		o := r.picks[0]
		r.picks = r.picks[1:]
		err = r.step(routing.PhoneAnswered{Offer: o})
	}
	return r.playedOut(r.leaveNothing(err))
}

// decide lets the engine decide what is pending in a Step, or nothing: only a
// case in slices sees a difference.
func (r *runner) decide(on bool) {
	switch {
	case !on && r.sliced:
		r.slices(1, 0)
	case r.sliced && !r.setup:
		r.slices(0, 1)
	default:
		r.slices(0, 0)
	}
}

// play makes an event of a line.
func (r *runner) play(l line) error {
	word := func(i int) string {
		if i < len(l.words) {
			return l.words[i]
		}
		return ""
	}
	switch l.words[0] {
	case "advance":
		return nil
	case "arrive":
		return r.arrive(l)
	case "record":
		return r.record(l)
	case "enters":
		return r.enters(l)
	case "hangup":
		return r.step(routing.CallerGone{Call: r.names[word(1)]})
	case "cancel":
		return r.step(routing.CallerGone{Call: r.names[word(1)], Unanswered: true})
	case "fail":
		return r.step(routing.CallFailed{Call: r.names[word(1)], Reason: "media_lost"})
	case "played":
		return r.step(routing.TreatmentPlayed{Call: r.names[word(1)]})
	case "key":
		return r.keyed(r.names[word(1)], strings.TrimSuffix(word(2), "-"), word(3))
	case "message":
		return r.message(r.names[word(1)], word(2), word(3))
	case "number":
		return r.numberDoes(r.names[word(1)], word(2))
	case "start":
		return r.step(routing.Started{Version: r.policy.Version})
	case "signin":
		return r.signIn(agents.ID(word(1)), l.opts["away"])
	case "signout":
		return r.step(routing.AgentSignedOut{Agent: agents.ID(word(1))})
	case "away":
		return r.step(routing.AgentStateAsked{Agent: agents.ID(word(1)), State: agents.NotReady, Reason: word(2)})
	case "back":
		return r.step(routing.AgentStateAsked{Agent: agents.ID(word(1)), State: agents.Available})
	case "free":
		return r.freeAll(l.words[1:])
	case "pickup":
		return r.pickup(l.words[1:])
	case "desk":
		return r.step(routing.DeskChanged{Agent: agents.ID(word(1)), Up: word(2) == "back"})
	case "register":
		return r.step(routing.PhoneChanged{Agent: agents.ID(word(1)), Up: word(2) != "lost"})
	case "options":
		code, _ := strconv.Atoi(word(2))
		return r.step(routing.PhoneProbed{Agent: agents.ID(word(1)), Code: code})
	case "wrapup":
		return r.step(routing.WrapUpEnded{Offer: r.talks[agents.ID(word(1))], Disposition: word(2)})
	case "customer":
		return r.customer(word)
	case "decline":
		return r.step(routing.CallbackDeclined{Call: r.names[word(2)]})
	case "restart":
		return r.restart()
	case "reload":
		return r.reload(l)
	case "erase":
		return r.erase(word(1))
	case "replay":
		return r.replay()
	case "figures":
		return r.figures(word(1))
	}
	return r.playOffer(l, word)
}

func (r *runner) signIn(id agents.ID, away string) error {
	if err := r.step(routing.DeskChanged{Agent: id, Up: true}); err != nil {
		return err
	}
	if away != "" {
		return r.step(routing.AgentSignedIn{Agent: id, State: agents.NotReady, Reason: away})
	}
	return r.step(routing.AgentSignedIn{Agent: id, State: agents.Available})
}

// playOffer plays the events that name a call and an attempt: "answer c1 #1".
func (r *runner) playOffer(l line, word func(int) string) error {
	if l.words[0] == "accept" && word(1) == "callback" {
		return r.step(routing.CallbackAccepted{Call: r.names[word(2)], Caller: l.opts["number"]})
	}
	if l.words[0] == "request" && word(1) == "callback" {
		return r.request(l, word(2))
	}
	id, ok := r.names[word(1)]
	if !ok {
		return fmt.Errorf("unknown call or event")
	}
	o := r.offers[id]
	rest := word(2)
	if n, isAttempt := strings.CutPrefix(rest, "#"); isAttempt {
		attempt, err := strconv.Atoi(n)
		if err != nil {
			return err
		}
		if routing.Attempt(attempt) != o.Attempt {
			o.Attempt = routing.Attempt(attempt)
			if to := r.made[routing.Offer{Call: id, Attempt: o.Attempt}]; to != "" {
				o.Agent = to
			}
			if by := l.opts["by"]; by != "" {
				o.Agent = agents.ID(by)
			}
		}
		rest = word(3)
	}
	switch l.words[0] {
	case "ack":
		return r.step(routing.PopAcked{Offer: o, Mode: first(rest, routing.Painted)})
	case "noanswer":
		return r.noAnswer(o)
	case "accept":
		return r.step(routing.OfferAccepted{Offer: o})
	case "refuse":
		return r.step(routing.OfferRefused{Offer: o})
	case "answer":
		return r.step(routing.PhoneAnswered{Offer: o})
	case "joined":
		return r.step(routing.Joined{Offer: o, Media: "direct"})
	case "failjoin":
		return r.step(routing.JoinFailed{Offer: o})
	case "hold":
		return r.step(routing.HoldRequested{Offer: o, On: rest == "on"})
	case "end":
		return r.step(routing.HangupRequested{Offer: o})
	case "phone":
		if rest == "unconfirmed" {
			return r.step(routing.PhoneFailed{Offer: o, Unconfirmed: true})
		}
		code, err := strconv.Atoi(rest)
		if err != nil {
			return err
		}
		if 0 < code && code < 200 {
			return r.step(routing.PhoneRinging{Offer: o})
		}
		return r.step(routing.PhoneFailed{Offer: o, Code: code})
	case "gone":
		return r.step(routing.AgentGone{Offer: o})
	case "consult":
		return r.consult(l, o, rest)
	case "transfer":
		return r.step(routing.TransferRequested{
			Offer: o, Topic: l.opts["topic"], Queue: l.opts["queue"], ToAgent: agents.ID(l.opts["agent"]), Outside: routing.Outside{Country: l.opts["number"]},
		})
	}
	return fmt.Errorf("unknown event")
}

// numberDoes is what a number does that a call was sent to.
func (r *runner) numberDoes(call routing.CallID, what string) error {
	switch what {
	case "answers":
		return r.step(routing.NumberAnswered{Call: call})
	case "gone":
		return r.step(routing.NumberGone{Call: call})
	}
	code, err := strconv.Atoi(what)
	if err != nil {
		return fmt.Errorf("a number answers, is gone, or fails with a code")
	}
	return r.step(routing.NumberFailed{Call: call, Code: code})
}

func (r *runner) arrive(l line) error {
	for _, name := range l.words[1:] {
		who, err := r.caller(l.opts, "customer.")
		if err != nil {
			return err
		}
		known := slices.ContainsFunc(slices.Collect(mapKeys(l.opts)), func(k string) bool { return strings.HasPrefix(k, "customer.") })
		if l.opts["queue"] != "" || l.opts["priority"] != "" {
			who.Call.Trunk = l.opts["queue"] + "/" + l.opts["priority"]
		}
		alone := &rule.Env{Call: who.Call, ANI: who.ANI}
		r.hashes[r.number(name)] = who.ANI
		if err := r.step(routing.CallArrived{Call: r.number(name), Attrs: who.Call, Caller: who.ANI, Rim: r.rim(alone)}); err != nil {
			return err
		}
		r.callers[r.number(name)] = alone
		if known || r.lookedUp(name) {
			if err := r.resolve(name, who); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookedUp says that the look-up of a caller of whom the case tells nothing ends at
// once: in a case that is replayed there is a record of every call that awaits one.
func (r *runner) lookedUp(call string) bool {
	replays := false
	for _, l := range r.events {
		if l.is("record") && slices.Contains(l.words, call) {
			return false
		}
		replays = replays || l.is("replay")
	}
	return replays && r.awaited[r.number(call)]
}

// record is the end of a look-up.
func (r *runner) record(l line) error {
	who, err := r.caller(l.opts, "")
	if err != nil {
		return err
	}
	if at := r.callers[r.names[l.words[1]]]; at != nil {
		who.Call, who.ANI = at.Call, at.ANI
	}
	return r.resolve(l.words[1], who)
}

func (r *runner) resolve(name string, who *rule.Env) error {
	r.callers[r.number(name)] = who
	return r.step(routing.CustomerResolved{Call: r.number(name), Customer: who.Customer, Key: who.CustomerID, Rim: r.rim(who)})
}

// freeAll frees agents at one instant: before any of them takes a call, all are.
func (r *runner) freeAll(ids []string) error {
	if len(ids) > 1 {
		r.slices(1, 0)
	}
	for _, id := range ids {
		if err := r.free(agents.ID(id)); err != nil {
			return err
		}
	}
	if len(ids) == 1 {
		return nil
	}
	r.decide(true)
	return r.step(routing.Tick{})
}

// free ends what an agent is doing: the call, and wrap-up after it.
func (r *runner) free(id agents.ID) error {
	for _, a := range r.engine.Snapshot(r.now).Agents {
		if a.Agent != id {
			continue
		}
		if a.State == agents.Talking || a.State == agents.OnHold {
			if err := r.step(routing.HangupRequested{Offer: r.talks[id]}); err != nil {
				return err
			}
		}
	}
	for _, a := range r.engine.Snapshot(r.now).Agents {
		if a.Agent == id && a.State == agents.WrapUp {
			return r.step(routing.WrapUpEnded{Offer: r.talks[id]})
		}
	}
	return nil
}

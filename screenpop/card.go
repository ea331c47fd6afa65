package screenpop

import (
	"cmp"
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
)

// card is one live call as desks are shown it. Only the hub's loop touches it.
type card struct {
	new NewCall

	match      string
	own        *customer.Record // as our own store has it; never changed: the cache may share it
	rec        *customer.Record // with what outside systems say: what desks are shown
	beside     []customer.Told  // what those have said of besideOf
	besideOf   customer.Subject
	recAt      time.Time
	stale      bool
	candidates []customer.Record
	asked      bool // the look-up has been started, or needs none
	told       bool // Resolved has been called
	expiry     *time.Timer
	asking     int          // the question whose number is being looked up; 0: none is
	entering   *time.Timer  // until that is given up
	keyed      *enteredView // nil: nothing was keyed in
	renewing   bool         // its customer waits to be read again
	linking    bool         // its number is being linked
	shared     int          // so many have its number

	queue, topic string
	waitFrom     time.Time     // the present wait began
	waitedBefore time.Duration // in waits that ended in a talk
	path         []pathStep
	entered      time.Time  // the last queue step of path
	notes        []noteView // one a person
	passed       []noteView // sentences of earlier handovers
	used         []usedView
	handover     *handover
	back         string      // why the call is back with who passed it on to a number
	about        *questioned // of the card of a question; nil: of a call

	legs    map[routing.Attempt]*leg
	endedAt time.Time
}

// handover is the last passing on of the call.
type handover struct {
	from    fromView
	attempt routing.Attempt // the sender's
	known   Known
}

// leg is one offer of the call to one agent, until that agent is done with it.
type leg struct {
	routing.Offer
	queue, topic, set string
	mode              string
	lead              time.Duration
	painted           bool // the queue asks for a painted page
	why               routing.Reason
	waited            time.Duration // at the offer, in this wait
	waitedBefore      time.Duration // in earlier waits
	waitedAll         time.Duration // what Connect added to the card's sum

	callback *callbackView // the caller is called back

	phase        string
	since, until time.Time
	ringWhy      string
	disposition  string // off, optional, required
	asked        string // what the agent answered to what the disposition asks
	acked        bool
	accepted     bool
	popDue       *time.Timer // the pop is kept back for the record until then; nil: it is not
	popAt        time.Time
	answered     time.Time // the agent's talk began; zero: never
	talkEnd      time.Time

	note    string // the agent's own draft
	passing *transferFrame
	asking  *transferFrame // what is being asked of somebody
	consult *consultView   // as routing has it; nil: nothing is asked
	asks    map[string]*ask
	handed  bool // passed the call on
	away    bool // a PBX has the call back
}

func newCard(n NewCall) *card {
	return &card{
		new: n, match: matchPending, waitFrom: n.At, legs: map[routing.Attempt]*leg{},
		path: []pathStep{{At: micro(n.At), Kind: "dialled", Name: n.Dialled}},
	}
}

// live says whether the leg still means something to its agent.
func (l *leg) live() bool { return l.phase != phaseDone }

// talked is how long the agent has talked by now.
func (l *leg) talked(now time.Time) time.Duration {
	if l.answered.IsZero() {
		return 0
	}
	if !l.talkEnd.IsZero() {
		now = l.talkEnd
	}
	return max(0, now.Sub(l.answered))
}

// enqueue notes the queue a call has entered.
func (c *card) enqueue(a routing.Enqueued) {
	at := a.Entered
	if a.Rule != "" && c.queue == "" {
		c.path = append(c.path, pathStep{At: micro(at), Kind: "route", Name: a.Rule})
	}
	if c.queue == "" && !a.Since.IsZero() {
		c.waitFrom = a.Since
	}
	if a.Topic != "" {
		c.topic = a.Topic
	}
	last := len(c.path) - 1
	if c.path[last].Kind != "queue" || c.path[last].Name != a.Queue {
		c.leaveQueue(at)
		c.path = append(c.path, pathStep{At: micro(at), Kind: "queue", Name: a.Queue})
		c.entered = at
	}
	c.queue = a.Queue
}

// chose notes what the caller has chosen in a menu.
func (c *card) chose(at time.Time, a routing.MenuAnswered) {
	if name := cmp.Or(a.Title, a.Key); (a.Got == routing.GotKey || a.Got == routing.GotCustomer) && name != "" {
		c.path = append(c.path, pathStep{At: micro(at), Kind: "menu", Name: name})
	}
}

// leaveQueue fills in how long the call was in its last queue.
func (c *card) leaveQueue(at time.Time) {
	if i := len(c.path) - 1; c.path[i].Kind == "queue" && !c.entered.IsZero() {
		c.path[i].Seconds = seconds(at.Sub(c.entered))
	}
}

func seconds(d time.Duration) int { return int(max(0, d) / time.Second) }

// found puts the outcome of a look-up on the card.
func (c *card) found(m customer.Match, err error, at time.Time) {
	c.recAt = at
	if c.new.Caller.Restricted {
		m = withoutNumber(m, c.new.Lookup)
	}
	switch {
	case err != nil:
		c.match, c.recAt = matchFailed, time.Time{}
	case m.Record != nil:
		c.match, c.stale = matchExact, m.Stale
		c.know(m.Record)
		if m.Stale && m.Record.Billing != nil {
			c.recAt = m.Record.Billing.At
		}
	case len(m.Candidates) > 0:
		c.shared = len(m.Candidates)
		c.match, c.candidates = matchSeveral, m.Candidates[:min(len(m.Candidates), maxCandidates)]
	default:
		c.match, c.recAt = matchNone, time.Time{}
	}
}

// maxCandidates of one number are shown.
const maxCandidates = 10

// choose makes one of the candidates the customer.
func (c *card) choose(id string) bool {
	i := slices.IndexFunc(c.candidates, func(r customer.Record) bool { return r.ID == id })
	if i < 0 {
		return false
	}
	r := c.candidates[i]
	c.match = matchExact
	c.know(&r)
	return true
}

func (c *card) candidate(id string) bool {
	return slices.ContainsFunc(c.candidates, func(r customer.Record) bool { return r.ID == id })
}

func (c *card) customerID() string {
	if c.rec == nil {
		return ""
	}
	return c.rec.ID
}

// version is what an ack of the card's record must name.
func (c *card) version() int64 {
	if c.rec == nil {
		return 0
	}
	return c.rec.Version
}

// from is who passed the call on to this leg, if anybody else did.
func (c *card) from(l *leg) *fromView {
	if c.handover == nil || l.Attempt <= c.handover.attempt || l.Agent == c.handover.from.Agent {
		return nil
	}
	return &c.handover.from
}

// notesFor are the earlier agents' notes, without the agent's own.
func (c *card) notesFor(l *leg) []noteView {
	out := append([]noteView{}, c.passed...)
	for _, n := range c.notes {
		if n.Agent != l.Agent && n.Text != "" {
			out = append(out, n)
		}
	}
	return out
}

// draftOf is what an agent has written about this call in an earlier leg.
func (c *card) draftOf(agent agents.ID) string {
	for _, n := range c.notes {
		if n.Agent == agent {
			return n.Text
		}
	}
	return ""
}

// keepNote puts an agent's note among those later agents see: one a person.
func (c *card) keepNote(n noteView) (changed bool) {
	i := slices.IndexFunc(c.notes, func(o noteView) bool { return o.Agent == n.Agent })
	switch {
	case i < 0 && n.Text == "":
		return false
	case i < 0:
		c.notes = append(c.notes, n)
		return true
	case c.notes[i].Text == n.Text:
		return false
	}
	c.notes[i] = n
	return true
}

// view is the card as the leg's agent is shown it.
func (c *card) view(l *leg, now time.Time, within int, answers []Answer) *cardView {
	if answers == nil {
		answers = []Answer{}
	}
	v := &cardView{
		Call: l.Call, Attempt: l.Attempt, Agent: l.Agent,
		Phase: l.phase, Since: micro(l.since), Until: micro(l.until), RingWhy: l.ringWhy,
		Disposition: l.disposition, TalkSince: micro(l.answered), TalkS: seconds(l.talked(now)),
		Mode: l.mode, Queue: l.queue, Topic: l.topic, Set: l.set,
		Caller:  callerView(c.new.Caller),
		Dialled: c.new.Dialled, Trunk: c.new.Trunk, Arrived: micro(c.new.At),
		AnswerWithin: within, Callback: l.callback, Waited: seconds(l.waited), WaitedBefore: seconds(l.waitedBefore),
		Match: c.match, Record: c.rec, RecordAt: micro(c.recAt), Stale: c.stale, Shared: c.shared, Entered: c.keyed, Sources: c.sources(),
		Why: whyView{
			Rule: l.why.Rule, Step: l.why.Step, Policy: l.why.Policy, Trigger: l.why.Trigger,
			Prefer: l.why.Prefer, CameBack: l.why.CameBack,
			LeftOut: append([]routing.LeftOut{}, l.why.LeftOut[:min(len(l.why.LeftOut), 20)]...),
		},
		From: c.from(l), Notes: c.notesFor(l), Note: l.note,
		Used: append([]usedView{}, c.used...), Answers: answers,
	}
	v.Question, v.Consult, v.PBX = c.about != nil, l.consult, c.new.PBX || l.away
	if c.handover != nil && l.Agent == c.handover.from.Agent {
		v.Back = c.back
	}
	v.Path = append([]pathStep{}, c.path...)
	if n := len(v.Path) - 1; v.Path[n].Kind == "queue" && v.Path[n].Seconds == 0 {
		v.Path[n].Seconds = seconds(now.Sub(c.entered))
	}
	if c.match == matchSeveral {
		v.Candidates = c.candidates
	}
	v.Story = Story(c.rec, l.topic, v.From, now)
	if v.Question && v.From != nil {
		v.Story[0].Code = "asks"
	}
	v.Facts = c.known(l).Facts
	return v
}

// known is what the leg's agent has on screen and the next must not ask again.
func (c *card) known(l *leg) Known {
	k := Known{Version: c.version(), Facts: recordFacts(c.rec)}
	if c.new.Caller.Number != "" {
		k.Facts = append(k.Facts, "number")
	}
	if c.from(l) != nil {
		k.Facts = append(k.Facts, "from")
	}
	if len(c.notesFor(l)) > 0 {
		k.Facts = append(k.Facts, "notes")
	}
	if len(c.used) > 0 {
		k.Facts = append(k.Facts, "answers_used")
	}
	k.Facts = append(k.Facts, "path")
	slices.Sort(k.Facts)
	return k
}

// likelyTopic is what the call is about as far as anybody knows: its own
// topic, else that of an open ticket, else that of the last contact.
func (c *card) likelyTopic(l *leg) string {
	if l.topic != "" || c.rec == nil {
		return l.topic
	}
	for _, t := range c.rec.Tickets {
		if t.Status == "open" && t.Topic != "" {
			return t.Topic
		}
	}
	if n := c.rec.Interactions; len(n) > 0 {
		return n[0].Topic
	}
	return ""
}

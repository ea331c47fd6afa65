package routing

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

var tapeStart = time.Date(2026, 4, 15, 20, 40, 0, 0, time.UTC)

// tape plays random events and checks the world after each.
type tape struct {
	t       *testing.T
	e       *Engine
	now     time.Time
	data    []byte
	next    CallID
	offers  map[CallID]Offer   // the offer or talk each call has, from the actions alone
	beside  map[CallID][]Offer // others of its ring group
	holder  map[agents.ID]CallID
	past    []Offer
	ended   map[CallID]bool
	arrived map[CallID]bool
	greeted map[CallID]bool
	told    tapeTold
	rung    map[Offer]bool
	talks   map[CallID][]Offer // connected, and not taken back
	folds   map[CallID]*tapeFold
	version int
	// Of callbacks.
	tries, calling map[CallID]int
	lineless       map[CallID]bool
	boxes          map[CallID]string // calls in a mailbox
	phones         bool              // agents who are signed in by their phones
}

func (p *tape) byte() int {
	if len(p.data) == 0 {
		return 0
	}
	b := p.data[0]
	p.data = p.data[1:]
	return int(b)
}

func (p *tape) call() CallID {
	if p.next == 0 {
		return 1
	}
	return max(1, p.next-CallID(p.byte()%6))
}

func (p *tape) agent() agents.ID { return agents.ID(fmt.Sprintf("a%d", p.byte()%5)) }

func (p *tape) event() Event {
	what := p.byte()
	op := what % 31
	o := p.offer(p.call())
	if op >= 28 {
		return p.callbackEvent()
	}
	switch op {
	case 0, 1, 2, 3:
		p.next++
		p.arrived[p.next] = true
		return CallArrived{Call: p.next, Attrs: rule.Call{Trunk: []string{"a", "u", "t", "no", "f", "c", "v", "box"}[p.byte()%8], DNIS: tapeLine(p.next), Region: tapeRegion(p.next), ANIKnown: p.next%7 > 0}, Caller: tapeCaller(p.next)}
	case 4, 5:
		c := rule.Customer{Known: true, Language: "ru", LastAgent: string(p.agent()), DoNotCall: p.byte()%16 == 0}
		if p.byte()%2 == 0 {
			c.Segment = "gold"
		}
		return CustomerResolved{Call: p.call(), Customer: c, Key: []string{"k1", "k2", ""}[p.byte()%3]}
	case 6:
		return CallerGone{p.call(), p.byte()%3 == 0}
	case 7:
		return CallFailed{p.call(), "test", p.byte()%3 == 0}
	case 8, 9, 10:
		return PopAcked{Offer: o, Mode: []string{Painted, Hidden}[p.byte()%2]}
	case 11:
		return OfferAccepted{o}
	case 12:
		return OfferRefused{Offer: o}
	case 13:
		return PhoneRinging{o}
	case 14, 15, 16:
		return PhoneAnswered{o}
	case 17:
		return PhoneFailed{Offer: o, Code: []int{486, 603, 480, 600, 503}[p.byte()%5]}
	case 18:
		return []Event{AgentGone{o}, JoinFailed{o, "x"}, Joined{o, "direct"}, HangupRequested{o}}[p.byte()%4]
	case 19:
		return []Event{HoldRequested{o, true}, HoldRequested{o, false}, PhoneHeld{o, true}}[p.byte()%3]
	case 20:
		if what/31%2 == 1 {
			return p.consultEvent(o)
		}
		return []Event{TransferRequested{Offer: o, Topic: "hard"}, TransferRequested{Offer: o, Queue: "b"}, TransferRequested{Offer: o, ToAgent: p.agent()}, TransferRequested{Offer: o, Outside: Outside{Ref: 1, Country: "GB"}}}[p.byte()%4]
	case 21:
		a := p.e.agents[p.agent()]
		if a != nil && a.wrap != nil {
			return WrapUpEnded{a.wrap.offer, "done"}
		}
		return WrapUpEnded{Offer: o}
	case 22, 23:
		return AgentSignedIn{p.agent(), []agents.State{agents.Available, agents.Available, agents.NotReady}[p.byte()%3], "break"}
	case 24:
		return AgentSignedOut{p.agent()}
	case 25:
		return AgentStateAsked{p.agent(), []agents.State{agents.Available, agents.NotReady}[p.byte()%2], "lunch"}
	case 26:
		return DeskChanged{p.agent(), p.byte()%3 > 0}
	}
	switch p.byte() % 6 {
	case 4, 5:
		return PhoneChanged{p.agent(), p.byte()%4 > 0}
	case 0:
		return p.reload()
	case 2:
		return p.relist()
	case 1:
		return PhoneProbed{p.agent(), 200}
	}
	return p.heardOut()
}

// step applies an event and checks the actions and the world.
func (p *tape) step(ev Event) {
	ev = p.phoned(ev)
	if _, reloads := ev.(PolicyChanged); reloads {
		// What is due is done by the old version, and all of this Step by one.
		for due := true; due; due = p.e.due() {
			p.step(Tick{})
		}
	}
	acts, _ := p.e.Step(p.now, ev)
	for _, a := range acts {
		p.action(ev, a)
		p.fold(a)
	}
	if due, ok := p.e.Deadline(); p.e.mayDecide() && ok && !due.After(p.now) {
		p.t.Fatalf("%s: deadline %s is not after %s", ev.Kind(), due, p.now)
	}
	checkWorld(p.t, p.e)
	p.checkPhones()
	for id, o := range p.offers {
		c := p.e.calls[id]
		if c == nil || c.agent == nil || !p.all(c, o) {
			p.t.Fatalf("%s: actions say %+v, the engine does not", ev.Kind(), o)
		}
	}
}

// queueOf is the queue that a call entered, which need not be where the Step has
// left it; nil when its version is forgotten already.
func (p *tape) queueOf(a Enqueued) *Queue {
	for _, of := range append([]*plan{p.e.plan}, p.e.plans...) {
		if of.Version == a.Version {
			return of.Queues[a.Queue]
		}
	}
	return nil
}

// action checks one action against what the actions before it said.
func (p *tape) action(ev Event, a Action) {
	fail := func(why string) { p.t.Helper(); p.t.Fatalf("%s: %s: %+v", ev.Kind(), why, a) }
	drop := func(o Offer) {
		if !p.ends(o) {
			fail("ends an offer that is not out")
		}
		delete(p.holder, o.Agent)
		p.past = append(p.past, o)
	}
	p.callbackAction(a, fail)
	p.consultAction(a, fail)
	p.tells(a, fail)
	switch a := a.(type) {
	case AnswerCaller:
		if p.greeted[a.Call] {
			fail("answered twice")
		}
		p.greeted[a.Call] = true
	case Enqueued:
		if q := p.queueOf(a); p.ended[a.Call] || !p.heard(a.Call) && q != nil && !q.AnswerWithAgent {
			fail("queued after its end, or before it was answered")
		}
		if a.Queue == "b" && a.Within != tapePromise {
			fail("another promise than the queue's")
		}
	case TurnedAway:
		if a.Queue == "b" && a.Within != tapePromise {
			fail("another promise than the queue's")
		}
	case OfferCall:
		if _, out := p.offers[a.Call]; out != (a.Reason.Trigger == Grouped) || p.ended[a.Call] {
			fail("a second offer of one call, or after its end")
		}
		if _, has := p.holder[a.Agent]; has {
			fail("a second call for one agent")
		}
		if c, to := p.e.calls[a.Call], p.e.agents[a.Agent]; c != nil && a.Reason.Prefer == "" && c.queue.Name == a.Queue && p.e.standsBy(c.queue, to.profile.team) {
			fail("to an agent who stands by")
		}
		if first, out := p.offers[a.Call]; out {
			p.beside[a.Call] = append(p.beside[a.Call], first)
		}
		p.offers[a.Call], p.holder[a.Agent] = a.Offer, a.Call
	case Ring:
		if !p.out(a.Offer) || p.rung[a.Offer] || a.Group != (len(p.beside[a.Call]) > 0) {
			fail("rings without an offer, or twice")
		}
		p.rung[a.Offer] = true
	case Connect:
		if !p.out(a.Offer) || !p.rung[a.Offer] {
			fail("connects a phone that was not rung")
		}
		p.greeted[a.Call] = true
		p.talks[a.Call] = append(p.talks[a.Call], a.Offer)
	case PassOut:
		if !p.greeted[a.Call] || a.Ref != 1 {
			fail("passes out a call that nobody talked to, or elsewhere")
		}
	case Wait:
		if !p.greeted[a.Call] {
			fail("music for a caller who was not answered")
		}
	case Treat:
		if (a.Play != "") && !p.heard(a.Call) || a.Reject != 0 && p.greeted[a.Call] {
			fail("plays before the answer, or refuses after it")
		}
		p.mailbox(a, fail)
	case MessageTaken:
		p.takes(a, fail)
	case AskMenu:
		p.asksInMenu(a, fail)
	case Withdraw:
		drop(a.Offer)
		p.talks[a.Call] = slices.DeleteFunc(p.talks[a.Call], func(o Offer) bool { return o == a.Offer })
	case Release:
		if a.Why == "transferred" {
			drop(a.Offer)
		}
	case EndCall:
		if p.ended[a.Call] || !p.arrived[a.Call] {
			fail("ends twice, or never came")
		}
		p.ended[a.Call] = true
		if a.Outcome != Consulted && (a.Outcome == Answered) != (len(p.talks[a.Call]) > 0) {
			fail("answered without a talk, or a talk and not answered")
		}
		if o, out := p.offers[a.Call]; out {
			drop(o)
		}
	}
}

// stale sends an event of an offer that is over: nothing may change.
func (p *tape) stale() {
	if len(p.past) == 0 {
		return
	}
	o := p.past[p.byte()%len(p.past)]
	p.drain()
	before := p.e.Snapshot(p.now)
	for _, c := range before.Calls { // whom it is held for, whom it is offered to, who talks
		if (c.Agent == "") != slices.Contains([]string{"resolving", "menu", "waiting", "treated", "callback", "voicemail", "number"}, c.Phase) && c.Phase != "dialling" {
			p.t.Fatalf("call %d: %s, agent %q", c.Call, c.Phase, c.Agent)
		}
	}
	for _, ev := range []Event{
		PopAcked{Offer: o, Mode: Painted}, OfferAccepted{o}, OfferRefused{Offer: o}, PhoneRinging{o}, PhoneAnswered{o}, PhoneFailed{Offer: o, Code: 486},
		AgentGone{o}, JoinFailed{o, ""}, Joined{o, ""}, HoldRequested{o, true}, PhoneHeld{o, true}, HangupRequested{o}, TransferRequested{Offer: o, Queue: "b"},
		ConsultRequested{Offer: o, Consult: p.next + 1, Queue: "b"}, ConsultStopped{o}, ConsultCompleted{o},
	} {
		acts, err := p.e.Step(p.now, ev)
		if err != nil {
			p.t.Fatalf("stale %s: %v", ev.Kind(), err)
		}
		for _, a := range acts {
			switch a.(type) {
			case Release, Refused:
			default:
				p.t.Fatalf("stale %s does %+v", ev.Kind(), a)
			}
		}
	}
	if after := p.e.Snapshot(p.now); !reflect.DeepEqual(before, after) {
		p.t.Fatalf("stale events of %+v changed the world: %s", o, difference(before, after))
	}
}

// difference names the first state that differs.
func difference(a, b Snapshot) string {
	for i := range min(len(a.Agents), len(b.Agents)) {
		if !reflect.DeepEqual(a.Agents[i], b.Agents[i]) {
			return fmt.Sprintf("%+v became %+v", a.Agents[i], b.Agents[i])
		}
	}
	for i := range min(len(a.Calls), len(b.Calls)) {
		if !reflect.DeepEqual(a.Calls[i], b.Calls[i]) {
			return fmt.Sprintf("%+v became %+v", a.Calls[i], b.Calls[i])
		}
	}
	return fmt.Sprintf("%+v became %+v", a.Queues, b.Queues)
}

// drain has the engine do what is pending.
func (p *tape) drain() {
	for n := 0; ; n++ {
		due, ok := p.e.Deadline()
		if !ok || due.After(p.now) {
			return
		}
		if n > 10_000 {
			p.t.Fatalf("pending without an end: %d agents, %d calls", p.e.freed.len(), p.e.seekers.len())
		}
		p.step(Tick{})
	}
}

// finish ends everything and checks that nothing is left.
func (p *tape) finish() {
	checkApplied(p)
	for len(p.calling) > 0 { // whose customers are being called
		p.now = p.now.Add(time.Minute)
		p.step(Tick{})
		p.drain()
	}
	for id := CallID(1); id <= p.next; id++ {
		p.step(CallerGone{Call: id})
	}
	for i := range 5 {
		p.step(AgentSignedOut{agents.ID(fmt.Sprintf("a%d", i))})
	}
	for len(p.lineless) > 0 { // callbacks wait until they expire
		due, ok := p.e.Deadline()
		if !ok {
			p.t.Fatalf("%d callbacks wait for ever", len(p.lineless))
		}
		p.now = due
		p.step(Tick{})
	}
	for id := range p.arrived {
		if !p.ended[id] {
			p.t.Fatalf("call %d has no end", id)
		}
	}
	p.drain()
	e := p.e
	later := slices.DeleteFunc(slices.Clone(e.timers), func(t *timer) bool { return t.kind == reserveDue || t.kind == watchDue }) // a reserve leaves after its time, a phone is asked again
	if len(e.calls)+len(later)+len(e.roster)+e.free+e.front.Len()+e.passed+len(p.offers) != 0 {
		p.t.Fatalf("left: %d calls, %d deadlines, %d signed in, %d free, %d in front, %d passed", len(e.calls), len(later), len(e.roster), e.free, e.front.Len(), e.passed)
	}
	for name, f := range e.figures {
		if f.occupied != 0 || f.cap != nil && f.cap.holding.Len() != 0 || f.waiting != 0 || f.talking != 0 || f.age.Len() != 0 {
			p.t.Fatalf("queue %s still counts %+v", name, f)
		}
	}
	p.recount()
	for _, a := range e.agents {
		if a.own.Len()+len(a.deskBars) != 0 || a.call != nil || a.wrap != nil {
			p.t.Fatalf("agent %s keeps something", a.id)
		}
	}
}

func FuzzEngine(f *testing.F) {
	f.Add([]byte{22, 0, 0, 26, 0, 1, 0, 0, 8, 0, 0, 14, 0, 0})
	for seed := range 40 {
		f.Add(noise(uint64(seed), 1500))
	}
	for _, seed := range []uint64{46, 176, 348} { // a call is given up in a queue that is gone
		f.Add(noise(seed, 1500))
	}
	f.Add(noise(1821*7919+13, 1500)) // a call has moved on within the Step that queued it
	for seed := range 8 {
		tape := noise(uint64(1000+seed), 1500)
		tape[0], tape[1] = byte(seed*32), 5 // phones, in slices and not
		f.Add(tape)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &tape{
			t: t, e: New(tapePolicy(1)), now: tapeStart, data: data, offers: map[CallID]Offer{}, beside: map[CallID][]Offer{}, holder: map[agents.ID]CallID{},
			ended: map[CallID]bool{}, arrived: map[CallID]bool{}, greeted: map[CallID]bool{}, rung: map[Offer]bool{}, talks: map[CallID][]Offer{}, folds: map[CallID]*tapeFold{}, version: 1,
		}
		first, second := p.byte(), p.byte()
		if p.phones = second%8 == 5; p.phones {
			p.e = New(tapePhones(tapePolicy(1)))
		}
		switch {
		case first < 64: // one decision a Step
			p.e.Slices(0, 1)
		case first < 96: // as little as can be
			p.e.Slices(2, 0)
		}
		if second%4 == 0 {
			p.e.index.room = 1 // nothing is remembered for long
		}
		if p.phones {
			p.step(Started{})
		}
		for i := 0; len(p.data) > 0 && i < 3000; i++ {
			switch b := p.byte(); {
			case b < 60:
				p.now = p.now.Add(time.Duration(b) * 50 * time.Millisecond)
			case b < 120:
				if due, ok := p.e.Deadline(); ok && due.After(p.now) {
					p.now = due
				}
			case b < 124:
				p.now = p.now.Add(30 * time.Second)
			case b < 140:
				p.stale()
			}
			p.step(p.phoneEvent(p.event()))
		}
		p.finish()
	})
}

// noise is the same bytes for the same seed.
func noise(seed uint64, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		seed += 0x9e3779b97f4a7c15
		x := seed
		x ^= x >> 30
		x *= 0xbf58476d1ce4e5b9
		x ^= x >> 27
		x *= 0x94d049bb133111eb
		out[i] = byte(x >> 33)
	}
	return out
}

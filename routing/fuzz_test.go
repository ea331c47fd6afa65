package routing

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

var tapeStart = time.Date(2026, 4, 15, 20, 40, 0, 0, time.UTC)

// tapePolicy has a bit of everything: steps, holds, overflow, closing time,
// topics, every pop policy and every selector.
func tapePolicy(version int) *Policy {
	skill := func(name agents.Skill, level agents.Level) rule.Need {
		return rule.Need{All: []agents.Range{{Skill: name, Min: level}}}
	}
	when := func(src string) *rule.Condition {
		c, err := rule.Compile(src, rule.CompileOptions{Segments: []string{"gold"}, Queues: []string{"a", "b", "c"}, Topics: []string{"hard"}})
		if err != nil {
			panic(err)
		}
		return c
	}
	q := func(name string, need rule.Need) *Queue {
		return &Queue{
			Name: name, Need: need, SpeakLevel: 5, AnswerWithin: 20 * time.Second, Choose: "longest_idle", ChooseWindow: 30 * time.Minute,
			RingTimeout: 20 * time.Second, RONA: RONA{NotReady: true, After: 1}, Pop: PopPolicy{Deadline: 1500 * time.Millisecond, Late: LateRingAnyway},
			WrapUp: WrapUpPolicy{Disposition: "optional"}, Closed: rule.Treatment{Hangup: true}, Music: "default",
		}
	}
	a, b, c := q("a", skill("x", 5)), q("b", skill("y", 1)), q("c", rule.Need{Speak: []string{"caller"}})
	wide := skill("x", 1)
	a.Steps = []Step{{After: 0, PriorityAdd: 5}, {After: 20 * time.Second, Need: &wide}}
	a.Need.Any = [][]agents.Range{{{Skill: "lang_en", Min: 1}}, {{Skill: "lang_ru", Min: 1}}}
	a.Prefer = []rule.Prefer{{Who: "last_agent", Wait: 15 * time.Second, Within: 24 * time.Hour}, {Who: "a3", Wait: 5 * time.Second, Waived: true, Hold: true}}
	a.Late = &AfterPolicy{90 * time.Second, rule.Treatment{Queue: "b", PriorityAdd: 10}}
	a.WrapUp = WrapUpPolicy{Time: 10 * time.Second, Disposition: "required", Hold: true}
	b.Pop.Late, b.Choose, b.RONA = LateNextAgent, "most_skilled", RONA{After: 1}
	b.Nobody = &AfterPolicy{30 * time.Second, rule.Treatment{Queue: "c"}}
	b.Late = &AfterPolicy{60 * time.Second, rule.Treatment{Queue: "a"}}
	b.WrapUp.Time = 5 * time.Second
	b.Full = &FullPolicy{4, rule.Treatment{Play: "sorry", Queue: "c"}}
	c.Pop.Late, c.Pop.OnAccept, c.Pop.Lead, c.Choose = LateHold, true, time.Second, "least_occupied"
	c.Hours, c.AtClose.Grace, c.Closed = "day", time.Minute, rule.Treatment{Play: "closed", Hangup: true}
	c.Nobody = &AfterPolicy{0, rule.Treatment{Hangup: true}}
	if version > 1 {
		a.Steps, c.Choose = nil, "longest_idle"
	}
	sixty := 60
	p := &Policy{
		Version: version, Zone: time.UTC, MilliPoints: 1000, Languages: []string{"en", "ru"}, DefaultLanguage: "en",
		Record:    RecordPolicy{Deadline: 800 * time.Millisecond, Reconsider: true, LateFor: 30 * time.Second},
		Calendars: map[string]*Calendar{"day": {Name: "day", Zone: time.UTC}},
		Topics:    map[string]*Topic{"hard": {Name: "hard", Queue: "a", Need: skill("x", 6), Specialists: []agents.ID{"a0", "a1"}, Wait: 20 * time.Second, PriorityAdd: 20}},
		Queues:    map[string]*Queue{"a": a, "b": b, "c": c},
		Transfers: TransferPolicy{CreditWaited: true, PriorityAdd: 30, UnansweredAfter: 25 * time.Second, UnansweredReturn: true},
		Route: &rule.Node{Queue: "a", Children: []*rule.Node{
			{Name: "gold", When: when(`customer.segment == "gold"`), Queue: "b", Priority: &sixty},
			{Name: "open", When: when(`call.trunk == "c" and queues.b.waiting < 3`), Queue: "c"},
			{Name: "hard", When: when(`call.trunk == "t"`), SetTopic: "hard"},
			{Name: "firm", When: when(`call.trunk == "f"`), Need: &rule.Need{Any: [][]agents.Range{{{Skill: "y", Min: 1}}, {{Skill: "x", Min: 9}}}, None: []agents.Skill{"z"}}, Prefer: []rule.Prefer{}},
			{Name: "no", When: when(`call.trunk == "no"`), Then: &rule.Treatment{Reject: 603}},
		}},
		Agents: map[agents.ID]agents.Agent{},
	}
	for d := range 7 {
		p.Calendars["day"].Week[d] = []Interval{{8 * 60, 21 * 60}}
	}
	for i := range 5 {
		id := agents.ID(fmt.Sprintf("a%d", i))
		levels := map[agents.Skill]agents.Level{"x": agents.Level(9 - 2*i), "y": agents.Level(i), "lang_en": 8, "lang_ru": agents.Level(2 * i)}
		if version > 1 && i == 4 {
			continue // left the company
		}
		if version > 1 && i == 3 {
			levels["x"] = 9 // has learned
		}
		p.Agents[id] = agents.Agent{ID: id, Skills: agents.NewSkills(levels), Desk: i != 2, Phone: agents.Phone{URI: "sip:x@192.0.2.1", AutoAnswer: i%2 == 0}}
	}
	return p
}

// tape plays random events and checks the world after each.
type tape struct {
	t       *testing.T
	e       *Engine
	now     time.Time
	data    []byte
	next    CallID
	offers  map[CallID]Offer // the offer or talk each call has, from the actions alone
	holder  map[agents.ID]CallID
	past    []Offer
	ended   map[CallID]bool
	arrived map[CallID]bool
	greeted map[CallID]bool
	rung    map[Offer]bool
	version int
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
	op := p.byte() % 28
	o := p.offers[p.call()]
	switch op {
	case 0, 1, 2, 3:
		p.next++
		p.arrived[p.next] = true
		return CallArrived{Call: p.next, Attrs: rule.Call{Trunk: []string{"a", "c", "t", "no", "f", "a"}[p.byte()%6]}}
	case 4, 5:
		c := rule.Customer{Known: true, Language: "ru", LastAgent: string(p.agent())}
		if p.byte()%2 == 0 {
			c.Segment = "gold"
		}
		return CustomerResolved{p.call(), c}
	case 6:
		return CallerGone{p.call()}
	case 7:
		return CallFailed{p.call(), "test"}
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
		return PhoneFailed{o, []int{486, 603, 480, 600, 503}[p.byte()%5]}
	case 18:
		return []Event{AgentGone{o}, JoinFailed{o, "x"}, Joined{o, "direct"}, HangupRequested{o}}[p.byte()%4]
	case 19:
		return []Event{HoldRequested{o, true}, HoldRequested{o, false}, PhoneHeld{o, true}}[p.byte()%3]
	case 20:
		return []Event{TransferRequested{Offer: o, Topic: "hard"}, TransferRequested{Offer: o, Queue: "b"}, TransferRequested{Offer: o, ToAgent: p.agent()}}[p.byte()%3]
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
	switch p.byte() % 4 {
	case 0:
		p.version++
		return PolicyChanged{Version: p.version, Policy: tapePolicy(1 + p.version%2)}
	case 1:
		return PhoneProbed{p.agent(), 200}
	}
	return TreatmentPlayed{p.call()}
}

// step applies an event and checks the actions and the world.
func (p *tape) step(ev Event) {
	acts, _ := p.e.Step(p.now, ev)
	for _, a := range acts {
		p.action(ev, a)
	}
	if due, ok := p.e.Deadline(); ok && !due.After(p.now) {
		p.t.Fatalf("%s: deadline %s is not after %s", ev.Kind(), due, p.now)
	}
	checkWorld(p.t, p.e)
	for id, o := range p.offers {
		c := p.e.calls[id]
		if c == nil || c.agent == nil || c.offer() != o {
			p.t.Fatalf("%s: actions say %+v, the engine does not", ev.Kind(), o)
		}
	}
}

// action checks one action against what the actions before it said.
func (p *tape) action(ev Event, a Action) {
	fail := func(why string) { p.t.Helper(); p.t.Fatalf("%s: %s: %+v", ev.Kind(), why, a) }
	drop := func(o Offer) {
		if p.offers[o.Call] != o {
			fail("ends an offer that is not out")
		}
		delete(p.offers, o.Call)
		delete(p.holder, o.Agent)
		p.past = append(p.past, o)
	}
	switch a := a.(type) {
	case AnswerCaller:
		if p.greeted[a.Call] {
			fail("answered twice")
		}
		p.greeted[a.Call] = true
	case Enqueued:
		if p.ended[a.Call] || !p.greeted[a.Call] {
			fail("queued after its end, or before it was answered")
		}
	case OfferCall:
		if _, out := p.offers[a.Call]; out || p.ended[a.Call] {
			fail("a second offer of one call, or after its end")
		}
		if _, has := p.holder[a.Agent]; has {
			fail("a second call for one agent")
		}
		p.offers[a.Call], p.holder[a.Agent] = a.Offer, a.Call
	case Ring:
		if p.offers[a.Call] != a.Offer || p.rung[a.Offer] {
			fail("rings without an offer, or twice")
		}
		p.rung[a.Offer] = true
	case Connect:
		if p.offers[a.Call] != a.Offer || !p.rung[a.Offer] {
			fail("connects a phone that was not rung")
		}
	case Withdraw:
		drop(a.Offer)
	case Release:
		if a.Why == "transferred" {
			drop(a.Offer)
		}
	case EndCall:
		if p.ended[a.Call] || !p.arrived[a.Call] {
			fail("ends twice, or never came")
		}
		p.ended[a.Call] = true
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
	before := p.e.Snapshot(p.now)
	for _, ev := range []Event{
		PopAcked{Offer: o, Mode: Painted}, OfferAccepted{o}, OfferRefused{Offer: o}, PhoneRinging{o}, PhoneAnswered{o}, PhoneFailed{o, 486},
		AgentGone{o}, JoinFailed{o, ""}, Joined{o, ""}, HoldRequested{o, true}, PhoneHeld{o, true}, HangupRequested{o}, TransferRequested{Offer: o, Queue: "b"},
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

// finish ends everything and checks that nothing is left.
func (p *tape) finish() {
	for id := CallID(1); id <= p.next; id++ {
		p.step(CallerGone{id})
	}
	for i := range 5 {
		p.step(AgentSignedOut{agents.ID(fmt.Sprintf("a%d", i))})
	}
	for id := range p.arrived {
		if !p.ended[id] {
			p.t.Fatalf("call %d has no end", id)
		}
	}
	e := p.e
	if len(e.calls)+len(e.timers)+len(e.roster)+e.free+e.front.Len()+e.passed.Len()+len(p.offers) != 0 {
		p.t.Fatalf("left: %d calls, %d deadlines, %d signed in, %d free, %d in front, %d passed", len(e.calls), len(e.timers), len(e.roster), e.free, e.front.Len(), e.passed.Len())
	}
	for name, f := range e.figures {
		if f.waiting != 0 || f.talking != 0 || f.age.Len() != 0 {
			p.t.Fatalf("queue %s still counts %+v", name, f)
		}
	}
	for _, a := range e.agents {
		if a.own.Len()+len(a.deskBars) != 0 || a.call != nil || a.wrap != nil {
			p.t.Fatalf("agent %s keeps something", a.id)
		}
	}
}

// checkWorld holds the engine's indexes against a plain count, and the settle
// rule against every pair of call and agent.
func checkWorld(t *testing.T, e *Engine) {
	t.Helper()
	free, waitingBy, signed := 0, map[string]int{}, map[*profile]int{}
	var front, passed, indexed, held int
	for _, a := range e.agents {
		if a.state == agents.Available {
			free++
		}
		if a.state.SignedIn() {
			signed[a.profile]++
		}
		if a.call != nil && (a.call.agent != a || e.calls[a.call.id] != a.call) {
			t.Fatalf("agent %s has a call that is not theirs", a.id)
		}
		working := a.state == agents.Offered || a.state == agents.Ringing || a.state == agents.Talking || a.state == agents.OnHold
		if working != (a.call != nil) || (a.state == agents.WrapUp) != (a.wrap != nil) {
			t.Fatalf("agent %s is %s with call %v, wrap-up %v", a.id, a.state, a.call != nil, a.wrap != nil)
		}
	}
	if free != e.free {
		t.Fatalf("%d free, counted %d", free, e.free)
	}
	for _, p := range e.profiles {
		if p.signed != signed[p] {
			t.Fatalf("profile: %d signed in, counted %d", p.signed, signed[p])
		}
	}
	for _, d := range e.demands {
		for step := range d.reqs {
			n := 0
			for p, k := range signed {
				if d.fits(p) == step {
					n += k
				}
			}
			if d.staff[step] != n {
				t.Fatalf("demand %s step %d: %d staff, counted %d", d.queue.Name, step, d.staff[step], n)
			}
		}
	}
	for _, c := range e.calls {
		if (c.agent != nil) != (c.phase.offered() || c.phase == talking) || c.agent != nil && c.agent.call != c {
			t.Fatalf("call %d in phase %d with agent %v", c.id, c.phase, c.agent != nil)
		}
		if c.phase == waiting || c.phase.offered() {
			waitingBy[c.queue.Name]++
		}
		if (c.phase == waiting) != (c.spot != nowhere) {
			t.Fatalf("call %d in phase %d stands at %d", c.id, c.phase, c.spot)
		}
		if c.phase == waiting && c.passedBy != nil {
			passed++
		}
		switch c.spot {
		case inHold:
			held += len(c.wanted)
		case inFront:
			front++
		case inClass:
			indexed++
		}
		if c.phase != waiting || c.spot == inHold {
			continue
		}
		for _, a := range e.agents {
			if a.state == agents.Available && e.fitsNow(c, a) && e.mayTake(c, a) {
				t.Fatalf("call %d waits although %s is free", c.id, a.id)
			}
		}
	}
	for _, d := range e.demands {
		indexed -= d.indexed
	}
	for _, a := range e.agents {
		held -= a.own.Len()
	}
	if front != e.front.Len() || passed != e.passed.Len() || indexed != 0 || held != 0 {
		t.Fatalf("indexes differ by front %d, passed %d, classes %d, holds %d", front-e.front.Len(), passed-e.passed.Len(), indexed, held)
	}
	for name, f := range e.figures {
		if f.waiting != waitingBy[name] {
			t.Fatalf("queue %s: %d waiting, counted %d", name, f.waiting, waitingBy[name])
		}
	}
}

func FuzzEngine(f *testing.F) {
	f.Add([]byte{22, 0, 0, 26, 0, 1, 0, 0, 8, 0, 0, 14, 0, 0})
	for seed := range 40 {
		f.Add(noise(uint64(seed), 1500))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &tape{
			t: t, e: New(tapePolicy(1)), now: tapeStart, data: data, offers: map[CallID]Offer{}, holder: map[agents.ID]CallID{},
			ended: map[CallID]bool{}, arrived: map[CallID]bool{}, greeted: map[CallID]bool{}, rung: map[Offer]bool{}, version: 1,
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
			p.step(p.event())
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

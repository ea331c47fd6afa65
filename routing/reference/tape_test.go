package reference

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

var (
	events = flag.Int("events", 25_000, "how many random events the engine and the reference decide")
	from   = flag.Uint64("from", 0, "the first seed")
)

// calm is a quiet hour, in which groups ring.
var calm = seeded{47, grouped}

// seeded is one run: its seed, and the kind of its centre.
type seeded struct{ seed, kind uint64 }

// found are runs of soaks that found the engine or the reference in the wrong.
var found = []seeded{{44, atMost}, {55, plain}, {179, atMost}, {359, atMost}, {453, ceilinged}, {564, atMost}, {1124, atMost}, {1152, byDue}, {2294, atMost}, {3669, atMost}}

const (
	people = 8
	window = 10 * time.Minute
	gold   = 90 // points, the highest of the tape's routes, steps and topics in sum
)

// tape plays random events.
type tape struct {
	t      *testing.T
	kind   uint64
	rng    *rand.Rand
	e      *routing.Engine
	m      *matcher
	now    time.Time
	live   *routing.Policy
	next   routing.CallID
	most   int // calls at once: a quiet hour has few, a busy one more than agents
	calls  []routing.CallID
	offers map[routing.CallID]routing.Offer
	wraps  map[agents.ID]routing.Offer
	tries  map[routing.CallID]int // calls to customers who are to be called back
}

func newTape(t *testing.T, of seeded) *tape {
	seed := of.seed
	rng := rand.New(rand.NewPCG(seed, 42))
	p := policy(1, of.kind)
	tp := &tape{
		t: t, kind: of.kind, rng: rng, e: routing.New(p), live: p, now: time.Date(2026, 4, 15, 9, 0, 0, 0, time.UTC),
		offers: map[routing.CallID]routing.Offer{}, wraps: map[agents.ID]routing.Offer{}, tries: map[routing.CallID]int{},
	}
	tp.most = []int{4, 9, 24}[seed/3%3]
	tp.m = &matcher{sliced: seed%3 == 0, bound: boundOf(of.kind), offers: map[string]int{}, joined: map[string]time.Time{}}
	tp.m.staff(p)
	if tp.m.sliced {
		tp.e.Slices(0, 1)
	}
	return tp
}

// policy has queues with each kind of step, every part of a need, each policy
// that the reference knows, preferred agents, topics, and overflow.
func policy(version int, kind uint64) *routing.Policy {
	need := func(skill agents.Skill, low, high agents.Level) rule.Need {
		return rule.Need{All: []agents.Range{{Skill: skill, Min: low, Max: high}}}
	}
	queue := func(name string, n rule.Need, choose string) *routing.Queue {
		return &routing.Queue{
			Name: name, Need: n, SpeakLevel: 5, Choose: choose, ChooseWindow: window, AnswerWithin: 20 * time.Second, RingTimeout: 15 * time.Second,
			RONA: routing.RONA{NotReady: true, After: 2, BackAfter: 20 * time.Second}, Pop: routing.PopPolicy{Deadline: 1507 * time.Millisecond, Late: routing.LateNextAgent},
			WrapUp: routing.WrapUpPolicy{Time: 7 * time.Second, Disposition: "optional"}, Closed: rule.Treatment{Hangup: true},
		}
	}
	a, b, c := queue("a", need("x", 5, 0), "longest_idle"), queue("b", need("y", 3, 8), "most_skilled"), queue("c", rule.Need{Speak: []string{"caller"}, None: []agents.Skill{"z"}}, "least_occupied")
	wide, any, speak := need("x", 1, 0), rule.Need{Any: [][]agents.Range{{{Skill: "x", Min: 3}, {Skill: "y", Min: 2}}, {{Skill: "y", Min: 6}}}}, rule.Need{Speak: []string{"caller", "en"}}
	a.Steps = []routing.Step{{After: 0, PriorityAdd: 5}, {After: 11 * time.Second, Need: &wide}, {After: 31 * time.Second, PriorityAdd: 15}}
	a.Prefer = []rule.Prefer{{Who: "last_agent", Wait: 9 * time.Second, Within: 24 * time.Hour}, {Who: "a3", Wait: 4 * time.Second, Waived: true, Hold: true}}
	a.RONA = routing.RONA{}
	b.Steps = []routing.Step{{After: 8 * time.Second, Need: &any}, {After: 19 * time.Second, Need: &speak, Only: true}}
	b.Late = &routing.AfterPolicy{After: 50 * time.Second, Then: rule.Treatment{Queue: "c", PriorityAdd: 10}}
	b.Pop.Late = routing.LateRingAnyway
	c.Steps = []routing.Step{{After: 23 * time.Second, Need: &rule.Need{Speak: []string{"any"}, Team: []string{"t1"}}}}
	c.Pop.Late, c.WrapUp.Time = routing.LateHold, 0
	c.Nobody = &routing.AfterPolicy{After: 13 * time.Second, Then: rule.Treatment{Queue: "a"}}
	sixty := 60
	p := &routing.Policy{
		Version: version, Zone: time.UTC, MilliPoints: 1000, Languages: []string{"en", "ru"}, DefaultLanguage: "en",
		Record: routing.RecordPolicy{Deadline: 807 * time.Millisecond, Reconsider: true, LateFor: 20 * time.Second},
		Queues: map[string]*routing.Queue{"a": a, "b": b, "c": c},
		Topics: map[string]*routing.Topic{"hard": {Name: "hard", Queue: "a", Need: need("y", 4, 0), Specialists: []agents.ID{"a0", "a1"}, Wait: 12 * time.Second}},
		Route: &rule.Node{Queue: "a", Children: []*rule.Node{
			{Name: "gold", When: when(`customer.segment == "gold"`), Queue: "b", Priority: &sixty},
			{Name: "c", When: when(`call.trunk == "c"`), Queue: "c"},
			{Name: "b", When: when(`call.trunk == "b"`), Queue: "b", PriorityAdd: 20},
			{Name: "hard", When: when(`call.trunk == "t"`), SetTopic: "hard"},
			{Name: "firm", When: when(`call.trunk == "f"`), Need: &rule.Need{All: []agents.Range{{Skill: "x", Min: 2}}, None: []agents.Skill{"z"}}},
		}},
		Transfers: routing.TransferPolicy{CreditWaited: true, ConsultAdd: asked, UnansweredAfter: 40 * time.Second, Numbers: routing.NumberPolicy{To: []string{"GB"}}},
		Agents:    map[agents.ID]agents.Agent{},
	}
	withCallbacks(p)
	vary(p, kind)
	for i := range people {
		levels := map[agents.Skill]agents.Level{"x": agents.Level(9 - i), "y": agents.Level(i), "lang_en": agents.Level(3 + i), "lang_ru": agents.Level(9 - i)}
		if i%4 == 2 {
			levels["z"] = 1
		}
		if version%2 == 0 && i > 3 {
			levels["x"], levels["y"] = levels["y"], levels["x"]
		}
		id := agents.ID(fmt.Sprint("a", i))
		p.Agents[id] = agents.Agent{ID: id, Skills: agents.NewSkills(levels), Team: fmt.Sprint("t", i%2), Desk: true, Phone: agents.Phone{URI: "sip:x@192.0.2.1"}}
	}
	if kind == placed {
		sited(p)
	}
	return p
}

func when(src string) *rule.Condition {
	c, err := rule.Compile(src, rule.CompileOptions{Segments: []string{"gold"}})
	if err != nil {
		panic(err)
	}
	return c
}

func (p *tape) agent() agents.ID { return agents.ID(fmt.Sprint("a", p.rng.IntN(people))) }

// event is something that may happen now.
func (p *tape) event() routing.Event {
	if len(p.calls) == 0 || len(p.calls) < p.most && p.rng.IntN(4) == 0 {
		p.next++
		p.calls = append(p.calls, p.next)
		if p.rng.IntN(8) == 0 {
			return p.request(p.next)
		}
		return routing.CallArrived{Call: p.next, Attrs: rule.Call{Trunk: []string{"a", "b", "c", "t", "f"}[p.rng.IntN(5)], Language: []string{"en", "ru"}[p.rng.IntN(2)], Region: p.region(), ANIKnown: true}, Caller: fmt.Sprint("n", p.rng.IntN(30))}
	}
	call := p.calls[p.rng.IntN(len(p.calls))]
	o := p.offers[call]
	switch p.rng.IntN(30) {
	case 28, 29:
		return p.consultEvent(o)
	case 24, 25, 26, 27:
		return p.callbackEvent(call)
	case 0, 1, 2:
		c := rule.Customer{Known: true, LastAgent: string(p.agent())}
		if p.rng.IntN(3) == 0 {
			c.Segment = "gold"
		}
		return routing.CustomerResolved{Call: call, Customer: c}
	case 3:
		return routing.CallerGone{Call: call}
	case 4, 5, 6, 7:
		return routing.PopAcked{Offer: o, Mode: routing.Painted}
	case 8, 9, 10, 11:
		return routing.PhoneAnswered{Offer: o}
	case 12:
		return routing.OfferRefused{Offer: o}
	case 13:
		return routing.PhoneFailed{Offer: o, Code: []int{486, 603}[p.rng.IntN(2)]}
	case 14, 15, 16:
		return routing.HangupRequested{Offer: o}
	case 17:
		return []routing.Event{
			routing.TransferRequested{Offer: o, Topic: "hard"}, routing.TransferRequested{Offer: o, Queue: "b"},
			routing.TransferRequested{Offer: o, Outside: routing.Outside{Ref: 1, Country: "GB"}},
			routing.NumberAnswered{Call: call}, routing.NumberGone{Call: call}, routing.NumberFailed{Call: call, Code: 486},
		}[p.rng.IntN(6)]
	case 18:
		return routing.WrapUpEnded{Offer: p.wraps[p.agent()]}
	case 19, 20:
		return routing.AgentSignedIn{Agent: p.agent(), State: []agents.State{agents.Available, agents.Available, agents.NotReady}[p.rng.IntN(3)], Reason: "break"}
	case 21:
		return routing.AgentSignedOut{Agent: p.agent()}
	case 22:
		return routing.AgentStateAsked{Agent: p.agent(), State: []agents.State{agents.Available, agents.Available, agents.NotReady}[p.rng.IntN(3)], Reason: "lunch"}
	case 23:
		if p.rng.IntN(40) == 0 {
			p.live = policy(p.live.Version+1, p.kind)
			return routing.PolicyChanged{Version: p.live.Version, Policy: p.live}
		}
		return routing.DeskChanged{Agent: p.agent(), Up: p.rng.IntN(4) > 0}
	}
	return routing.Tick{}
}

// step applies an event to both and compares.
func (p *tape) step(ev routing.Event) error {
	p.m.now = p.now
	p.m.event(ev)
	acts, err := p.e.Step(p.now, ev)
	if err != nil {
		return fmt.Errorf("%s: %w", ev.Kind(), err)
	}
	for _, a := range acts {
		if err := p.m.action(a, p.live); err != nil {
			return fmt.Errorf("%+v: %w", ev, err)
		}
		p.consulted(a)
		switch a := a.(type) {
		case routing.OfferCall:
			if a.Reason.Trigger != routing.Grouped || p.rng.IntN(2) == 0 {
				p.offers[a.Call] = a.Offer
			}
		case routing.EndCall:
			delete(p.offers, a.Call)
			for i, c := range p.calls {
				if c == a.Call {
					p.calls = append(p.calls[:i], p.calls[i+1:]...)
					break
				}
			}
		case routing.CallCustomer:
			p.tries[a.Call] = a.Try
		case routing.WrapUpStarted:
			p.wraps[a.Agent] = a.Offer
		case routing.WrapUpFinished:
			delete(p.wraps, a.Agent)
		}
	}
	if due, ok := p.e.Deadline(); ok && !due.After(p.now) {
		return nil // pending
	}
	if err := p.m.settled(); err != nil {
		return fmt.Errorf("%+v: %w", ev, err)
	}
	return nil
}

// pass lets time go by: to the next deadline, or a little.
func (p *tape) pass() error {
	due, ok := p.e.Deadline()
	switch n := p.rng.IntN(10); {
	case ok && !due.After(p.now) && (!p.m.sliced || n < 5):
		return p.step(routing.Tick{})
	case n < 4 && ok && due.After(p.now):
		p.now = due
		return p.step(routing.Tick{})
	case n < 7 && (!ok || due.After(p.now)):
		// An odd time, which no deadline falls on.
		to := p.now.Add(time.Duration(p.rng.IntN(900))*time.Millisecond + 13*time.Microsecond)
		for ok && due.Before(to) {
			p.now = later(p.now, due)
			if err := p.step(routing.Tick{}); err != nil {
				return err
			}
			due, ok = p.e.Deadline()
		}
		p.now = to
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// play signs the desks in and plays so many events.
func (p *tape) play(run int) error {
	for i := range people {
		if err := p.step(routing.DeskChanged{Agent: agents.ID(fmt.Sprint("a", i)), Up: true}); err != nil {
			return err
		}
	}
	for n := range run {
		err := p.pass()
		if err == nil {
			err = p.step(p.event())
		}
		if err != nil {
			return fmt.Errorf("event %d, at %s: %w", n, p.now.Format("15:04:05.000000"), err)
		}
	}
	return nil
}

// mostWrong is after how many seeds that went wrong a soak gives up.
const mostWrong = 20

// TestDecidesTheSame: the engine decides as the reference does.
func TestDecidesTheSame(t *testing.T) {
	const run = 2500
	kinds := map[string]int{}
	seeds := append(slices.Clone(found), calm)
	for seed := *from; seed < *from+uint64(max(*events/run, 1)); seed++ {
		seeds = append(seeds, seeded{seed, seed % variations})
	}
	wrong := 0
	for _, of := range seeds {
		p := newTape(t, of)
		if err := p.play(run); err != nil {
			t.Errorf("seed %d, kind %d, %v", of.seed, of.kind, err)
			if wrong++; wrong == mostWrong {
				t.FailNow()
			}
		}
		for k, n := range p.m.offers {
			kinds[k] += n
		}
	}
	for _, k := range []string{"agent_free", "arrived", "came_back", "step", "hold_ended", "late_record", "late", "transferred", "returned", "consult", "callback", "requested", "called", "reached", "missed", "taken over", "joined", "left", "elsewhere", "group"} {
		if kinds[k] == 0 {
			t.Errorf("no offer was caused by %s: %v", k, kinds)
		}
	}
	t.Logf("offers by what led to them: %v", kinds)
}

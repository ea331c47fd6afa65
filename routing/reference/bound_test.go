package reference

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// flood is a centre in which callers with a head start come as fast as they can be
// served, for hours, and others now and then.
type flood struct {
	name   string
	change func(*routing.Policy)
	bound  time.Duration // H of the document (7)
}

// floods are documents with what the bound is made of.
var floods = []flood{
	{"priority", func(*routing.Policy) {}, 300 * time.Second},
	{"fast ageing", func(p *routing.Policy) { p.MilliPoints = 4000 }, 75 * time.Second},
	{"ceiling", func(p *routing.Policy) { p.Ceiling = 200 }, 200 * time.Second},
	{"by due", func(p *routing.Policy) {
		p.ByDue = true
		p.Queues["gold"].AnswerWithin, p.Queues["plain"].AnswerWithin = 10*time.Second, 100*time.Second
	}, 390 * time.Second},
	{"steps", func(p *routing.Policy) {
		p.Queues["gold"].Steps = []routing.Step{{After: 5 * time.Second, PriorityAdd: 40}, {After: 9 * time.Second, PriorityAdd: 60}}
	}, 400 * time.Second},
	{"overflow", func(p *routing.Policy) {
		p.Queues["gold"].Late = &routing.AfterPolicy{After: 30 * time.Second, Then: rule.Treatment{Queue: "more", PriorityAdd: 100}}
	}, 400 * time.Second},
}

func flooded(f flood) *routing.Policy {
	queue := func(name string) *routing.Queue {
		return &routing.Queue{
			Name: name, Choose: "longest_idle", ChooseWindow: window, AnswerWithin: 20 * time.Second, RingTimeout: 15 * time.Second, SpeakLevel: 5,
			Pop: routing.PopPolicy{Deadline: time.Second, Late: routing.LateRingAnyway}, WrapUp: routing.WrapUpPolicy{Disposition: "off"}, Closed: rule.Treatment{Hangup: true},
		}
	}
	most := 300
	p := &routing.Policy{
		Version: 1, Zone: time.UTC, MilliPoints: 1000, Queues: map[string]*routing.Queue{"plain": queue("plain"), "gold": queue("gold"), "more": queue("more")},
		Route:  &rule.Node{Queue: "plain", Children: []*rule.Node{{Name: "gold", When: when(`call.trunk == "g"`), Queue: "gold", Priority: &most}}},
		Agents: map[agents.ID]agents.Agent{},
	}
	for i := range floodAgents {
		id := agents.ID(fmt.Sprint("a", i))
		p.Agents[id] = agents.Agent{ID: id, Desk: true, Phone: agents.Phone{URI: "sip:x@192.0.2.1"}}
	}
	f.change(p)
	return p
}

const (
	floodAgents = 3
	floodTalk   = 6 * time.Second // each: so one call is served every two seconds, and a little more come
	floodCalls  = 1500
)

// TestBoundInAFlood: nobody is passed by who came more than the bound later, and
// nobody starves: each caller is served once those are who waited before him, or
// came within the bound, however many with a head start go on coming.
func TestBoundInAFlood(t *testing.T) {
	for _, f := range floods {
		t.Run(f.name, func(t *testing.T) {
			w := &floodedCentre{t: t, f: f, e: routing.New(flooded(f)), now: time.Date(2026, 4, 15, 9, 0, 0, 0, time.UTC), waits: map[routing.CallID]arrival{}, talks: map[routing.Offer]time.Time{}}
			w.play(rand.New(rand.NewPCG(7, 42)))
			if w.longest <= f.bound/2 || w.passed <= f.bound/2 {
				t.Errorf("the longest wait was %s, the farthest who passed came %s later: it was no flood", w.longest, w.passed)
			}
		})
	}
}

// arrival is a caller who waits: since when, and behind how many.
type arrival struct {
	at    time.Time
	ahead int
}

type floodedCentre struct {
	t               *testing.T
	f               flood
	e               *routing.Engine
	now             time.Time
	next            routing.CallID
	waits           map[routing.CallID]arrival
	talks           map[routing.Offer]time.Time // until when
	came            []time.Time
	longest, passed time.Duration
}

func (w *floodedCentre) play(rng *rand.Rand) {
	for i := range floodAgents {
		id := agents.ID(fmt.Sprint("a", i))
		w.step(routing.DeskChanged{Agent: id, Up: true})
		w.step(routing.AgentSignedIn{Agent: id, State: agents.Available})
	}
	for range floodCalls {
		trunk := "g"
		if rng.IntN(25) == 0 {
			trunk = "p"
		}
		w.next++
		w.waits[w.next] = arrival{w.now, len(w.waits)}
		w.step(routing.CallArrived{Call: w.next, Attrs: rule.Call{Trunk: trunk, ANIKnown: true}})
		w.came = append(w.came, w.now)
		w.until(w.now.Add(floodTalk / floodAgents * 19 / 20))
	}
	w.until(w.now.Add(time.Duration(len(w.waits)+1) * floodTalk))
	if len(w.waits) > 0 {
		w.t.Fatalf("%d callers were never served", len(w.waits))
	}
}

// until lets time go by, with the talks that end meanwhile.
func (w *floodedCentre) until(to time.Time) {
	for {
		at, ev := to, routing.Event(nil)
		for o, ends := range w.talks {
			if ends.Before(at) || ends.Equal(at) && ev != nil && o.Agent < ev.(routing.HangupRequested).Agent {
				at, ev = ends, routing.HangupRequested{Offer: o}
			}
		}
		if due, ok := w.e.Deadline(); ok && due.Before(at) {
			at, ev = due, routing.Tick{}
		}
		if w.now = later(w.now, at); ev == nil {
			return
		}
		if h, ends := ev.(routing.HangupRequested); ends {
			delete(w.talks, h.Offer)
		}
		w.step(ev)
	}
}

func (w *floodedCentre) step(ev routing.Event) {
	acts, err := w.e.Step(w.now, ev)
	if err != nil {
		w.t.Fatalf("%s: %v", ev.Kind(), err)
	}
	var offers []routing.Offer
	for _, a := range acts {
		if o, ok := a.(routing.OfferCall); ok {
			w.served(o.Call)
			offers = append(offers, o.Offer)
		}
	}
	for _, o := range offers {
		w.talks[o] = w.now.Add(floodTalk)
		for _, ev := range []routing.Event{routing.PopAcked{Offer: o, Mode: routing.Painted}, routing.PhoneRinging{Offer: o}, routing.PhoneAnswered{Offer: o}} {
			w.step(ev)
		}
	}
}

// served holds one offer against all who wait.
func (w *floodedCentre) served(call routing.CallID) {
	mine := w.waits[call]
	delete(w.waits, call)
	for id, o := range w.waits {
		later := mine.at.Sub(o.at)
		if w.passed = max(w.passed, later); later > w.f.bound {
			w.t.Fatalf("call %d passes %d, which came %s before it; the bound is %s", call, id, later, w.f.bound)
		}
	}
	waited := w.now.Sub(mine.at)
	w.longest = max(w.longest, waited)
	before := mine.ahead
	for _, at := range w.came {
		if at.After(mine.at) && at.Sub(mine.at) <= w.f.bound {
			before++
		}
	}
	if most := time.Duration(before+floodAgents+1) * floodTalk / floodAgents; waited > most {
		w.t.Fatalf("call %d has waited %s, behind %d: %s is the most", call, waited, before, most)
	}
}

package routing

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

// A thousand calls reach the ceiling in one instant, while the engine is not
// asked: no Step moves more than its share of them, none decides before all
// have moved, and the call that has waited longest is then served first.
func TestCeilingInSlices(t *testing.T) {
	const calls = 1000
	q := tapeQueue("q", tapeNeed("x", 1))
	points := 90
	p := &Policy{
		Version: 1, Zone: time.UTC, MilliPoints: 1000, Ceiling: 100, Queues: map[string]*Queue{"q": q},
		Route: &rule.Node{Queue: "q", Children: []*rule.Node{{Name: "gold", When: tapeWhen(`call.trunk == "gold"`), Priority: &points}}},
		Agents: map[agents.ID]agents.Agent{
			"ann": {ID: "ann", Desk: true, Skills: agents.NewSkills(map[agents.Skill]agents.Level{"x": 1})},
		},
	}
	e, start := New(p), tapeStart
	step := func(at time.Time, ev Event) []Action {
		t.Helper()
		acts, err := e.Step(at, ev)
		if err != nil {
			t.Fatal(err)
		}
		return acts
	}
	// The first has waited longest and reaches the ceiling last.
	step(start, CallArrived{Call: 1})
	for i := range calls {
		step(start.Add(60*time.Second+time.Duration(i)*time.Millisecond), CallArrived{Call: CallID(i + 2), Attrs: rule.Call{Trunk: "gold"}})
	}
	at := start.Add(105 * time.Second)
	acts := step(at, AgentSignedIn{Agent: "ann", State: agents.Available})
	steps := 0
	for ; len(offers(acts)) == 0; steps++ {
		if due, ok := e.Deadline(); !ok || due.After(at) || steps > calls {
			t.Fatalf("after %d Steps nobody has an offer, and the next is wanted at %s (%v)", steps, due, ok)
		}
		before := e.rising.Len()
		acts = step(at, Tick{})
		if moved := before - e.rising.Len(); moved > maxRises {
			t.Fatalf("%d calls moved in one Step", moved)
		}
	}
	o := offers(acts)[0]
	if o.Call != 1 || !o.Reason.Ceiling.Equal(start.Add(100*time.Second)) || steps < calls/maxRises {
		t.Fatalf("after %d Steps call %d is offered, at the ceiling since %s", steps, o.Call, o.Reason.Ceiling)
	}
	if e.rising.Len() != 0 {
		t.Fatalf("%d calls are still to reach the ceiling", e.rising.Len())
	}
}

func offers(acts []Action) (out []OfferCall) {
	for _, a := range acts {
		if o, ok := a.(OfferCall); ok {
			out = append(out, o)
		}
	}
	return out
}

package routing

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

// centreOf is an engine with people signed in and free, all alike but the last,
// who lacks what the one queue asks.
func centreOf(t *testing.T, people int) *Engine {
	t.Helper()
	p := &Policy{
		Version: 1, Zone: time.UTC, MilliPoints: 1000, Route: &rule.Node{Queue: "q"}, Agents: map[agents.ID]agents.Agent{},
		Queues: map[string]*Queue{"q": {
			Name: "q", Need: rule.Need{All: []agents.Range{{Skill: "x", Min: 1}}}, Choose: "longest_idle",
			RingTimeout: time.Hour, Pop: PopPolicy{Deadline: time.Hour},
		}},
	}
	for i := range people {
		id := agents.ID(fmt.Sprintf("a%05d", i))
		skills := map[agents.Skill]agents.Level{"x": 5}
		if i == people-1 {
			skills = map[agents.Skill]agents.Level{"y": 5}
		}
		p.Agents[id] = agents.Agent{ID: id, Skills: agents.NewSkills(skills)}
	}
	e := New(p)
	for _, id := range slices.Sorted(func(yield func(agents.ID) bool) {
		for id := range p.Agents {
			if !yield(id) {
				return
			}
		}
	}) {
		step(t, e, DeskChanged{id, true})
		step(t, e, AgentSignedIn{id, agents.Available, ""})
	}
	return e
}

func step(t *testing.T, e *Engine, ev Event) []Action {
	t.Helper()
	acts, err := e.Step(tapeStart, ev)
	if err != nil {
		t.Fatal(err)
	}
	return acts
}

// An explanation looks at a bounded number of agents, also where nearly all of
// them are free: what it costs to take a call must not grow with the centre.
func TestExplanationIsBounded(t *testing.T) {
	for _, k := range []struct {
		people int
		told   bool // of the last one
	}{{maxLooked, true}, {maxLooked + 1, false}} {
		var told bool
		for _, a := range step(t, centreOf(t, k.people), CallArrived{Call: 1}) {
			if q, ok := a.(Enqueued); ok {
				told = slices.ContainsFunc(q.Reason.LeftOut, func(l LeftOut) bool { return l.Code == "lacks:x>=1" })
			}
		}
		if told != k.told {
			t.Errorf("of %d agents the last was told of: %v", k.people, told)
		}
	}
}

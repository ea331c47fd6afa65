package routing

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

// TestHeldAndMovedInSlices: a call that holds and moves up between two slices of a
// reload that is applied, past where the first ended, is routed again as well.
func TestHeldAndMovedInSlices(t *testing.T) {
	const calls = 2000
	holds := func(q *Queue) {
		q.Prefer = []rule.Prefer{{Who: string(massAgent(0)), Wait: 2 * time.Minute, Hold: true}}
		q.Steps = []Step{{After: time.Minute, PriorityAdd: 500}}
	}
	e, now := New(massPolicy(2, holds)), tapeStart
	step := func(ev Event) {
		t.Helper()
		if _, err := e.Step(now, ev); err != nil {
			t.Fatal(err)
		}
	}
	step(DeskChanged{massAgent(0), true})
	step(AgentSignedIn{massAgent(0), agents.NotReady, "lunch"})
	for id := range CallID(calls) {
		step(CallArrived{Call: id + 1})
	}
	if e.held.Len() != calls {
		t.Fatalf("%d calls hold", e.held.Len())
	}
	now = now.Add(time.Minute - time.Millisecond)
	next := massPolicy(2, holds)
	next.Version = 2
	step(PolicyChanged{Version: 2, Policy: next, Waiting: ApplyWaiting})
	if !e.gathers() {
		t.Fatal("all were listed in one Step")
	}
	now = now.Add(time.Millisecond) // the step of all is due
	settled(t, e, now)
	old := 0
	for _, c := range e.calls {
		if c.plan != e.plan {
			old++
		}
	}
	if old > 0 {
		t.Errorf("%d calls of %d are of the former version still", old, calls)
	}
	checkReloads(t, e)
	checkWorld(t, e)
}

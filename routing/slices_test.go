package routing

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

// massPolicy has one queue and so many agents who fit it.
func massPolicy(people int, change func(*Queue)) *Policy {
	q := tapeQueue("q", rule.Need{})
	q.Pop.Deadline, q.WrapUp.Time = time.Hour, 10*time.Second
	if change != nil {
		change(q)
	}
	p := &Policy{
		Version: 1, Zone: time.UTC, MilliPoints: 1000, Queues: map[string]*Queue{"q": q},
		Agents: map[agents.ID]agents.Agent{}, Route: &rule.Node{Queue: "q"},
	}
	for i := range people {
		id := massAgent(i)
		p.Agents[id] = agents.Agent{ID: id, Desk: true}
	}
	return p
}

func massAgent(i int) agents.ID { return agents.ID(fmt.Sprintf("a%06d", i)) }

// meetingEnds signs everybody in at one instant, away, and lets all of them
// back at another: so many are freed by one Step that it ends before all have
// taken.
func meetingEnds(t *testing.T, e *Engine, people, calls int) (offers []Offer, steps int) {
	t.Helper()
	now := tapeStart
	do := func(ev Event) []Action {
		acts, err := e.Step(now, ev)
		if err != nil {
			t.Fatal(err)
		}
		return acts
	}
	for i := range people {
		do(DeskChanged{massAgent(i), true})
		do(AgentSignedIn{massAgent(i), agents.NotReady, "meeting"})
	}
	for i := range calls {
		do(CallArrived{Call: CallID(i + 1)})
	}
	now = now.Add(time.Minute)
	e.Slices(1, 0)
	for i := range people {
		do(AgentStateAsked{massAgent(people - 1 - i), agents.Available, ""})
	}
	e.Slices(0, 0)
	for due, ok := e.Deadline(); ok && !due.After(now); due, ok = e.Deadline() {
		steps++
		for _, a := range do(Tick{}) {
			if o, is := a.(OfferCall); is {
				offers = append(offers, o.Offer)
			}
		}
		if e.slice.units > sliceUnits+70_000 {
			t.Fatalf("a Step of %d units", e.slice.units)
		}
	}
	return offers, steps
}

// TestEverybodyFreeAtOnce: agents choose in order of id and calls are served in
// order of turn, over many Steps as in one; a replay is cut at the same places.
func TestEverybodyFreeAtOnce(t *testing.T) {
	const people, calls = 3000, 3500
	first, steps := meetingEnds(t, New(massPolicy(people, nil)), people, calls)
	if len(first) != people || steps < 3 {
		t.Fatalf("%d offers in %d Steps", len(first), steps)
	}
	for i, o := range first {
		if o.Call != CallID(i+1) || o.Agent != massAgent(i) {
			t.Fatalf("offer %d is call %d to %s", i, o.Call, o.Agent)
		}
	}
	again, sliced := meetingEnds(t, New(massPolicy(people, nil)), people, calls)
	if sliced != steps || !reflect.DeepEqual(first, again) {
		t.Fatalf("the second run took %d Steps, not %d", sliced, steps)
	}
}

// TestEventBetweenSlices: however many deadlines are due, an event finds those
// of its own call and agent done.
func TestEventBetweenSlices(t *testing.T) {
	const calls = 3000
	e := New(massPolicy(1, func(q *Queue) { q.Late = &AfterPolicy{time.Minute, rule.Treatment{Hangup: true}} }))
	for i := range calls {
		if _, err := e.Step(tapeStart, CallArrived{Call: CallID(i + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	acts, err := e.Step(tapeStart.Add(time.Minute), CallerGone{Call: calls})
	if err != nil || !e.due() {
		t.Fatalf("all deadlines in one Step: %v", err)
	}
	last, _ := acts[len(acts)-1].(EndCall)
	if last.Call != calls || last.Outcome != Treated {
		t.Fatalf("the caller's own time was over before he left: %+v", last)
	}
	ended := 0
	for i := range acts {
		if o, ok := acts[i].(EndCall); ok {
			if ended++; o.Call != CallID(ended) && o.Call != calls {
				t.Fatalf("call %d ends as the %dth", o.Call, ended)
			}
		}
	}
	for n := 0; len(e.calls) > 0; n++ {
		if n > calls {
			t.Fatal("no end")
		}
		due, ok := e.Deadline()
		if !ok || due.After(tapeStart.Add(time.Minute)) {
			t.Fatalf("%d calls are left and nothing is due", len(e.calls))
		}
		if _, err := e.Step(tapeStart.Add(time.Minute), Tick{}); err != nil {
			t.Fatal(err)
		}
	}
}

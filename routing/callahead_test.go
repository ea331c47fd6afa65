package routing

import (
	"fmt"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

// Where many queues have customers to be called ahead, each queue has its turn to
// be asked, and those that have nobody near keep nobody from it.
func TestCallAheadInManyQueues(t *testing.T) {
	const queues = 4 * maxNearing
	p := massPolicy(1, nil)
	for i := range queues {
		q := tapeQueue(fmt.Sprintf("q%02d", i), rule.Need{})
		q.Callback = &rule.Callback{FirstOffer: time.Hour, Key: "1", Ahead: time.Second, Attempts: 1, Retry: time.Minute, Expires: time.Hour}
		if i >= queues/2 {
			q.Callback.Ahead = 10 * time.Minute // the wait is expected to be under that
		}
		p.Queues[q.Name] = q
		p.Route.Children = append(p.Route.Children, &rule.Node{Name: q.Name, When: tapeWhen(fmt.Sprintf("call.trunk == %q", q.Name)), Queue: q.Name})
	}
	e, called := New(p), 0
	step := func(ev Event) {
		acts, err := e.Step(tapeStart, ev)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range acts {
			if _, is := a.(CallCustomer); is {
				called++
			}
		}
	}
	step(DeskChanged{massAgent(0), true})
	step(AgentSignedIn{massAgent(0), agents.NotReady, "lunch"})
	for i := range CallID(queues) {
		step(CallArrived{Call: i + 1, Attrs: rule.Call{Trunk: fmt.Sprintf("q%02d", i), ANIKnown: true}, Caller: fmt.Sprint("n", i)})
		step(CustomerResolved{Call: i + 1})
		step(CallbackAccepted{Call: i + 1})
	}
	for range 2 * queues / maxNearing {
		step(Tick{})
	}
	if called != queues/2 {
		t.Fatalf("%d customers were called ahead, want %d", called, queues/2)
	}
}

// Whom to call ahead is asked at the end of every Step: it is no matter of how many
// agents are there, nor of how many others are to be called back.
func TestCallAheadAmongMany(t *testing.T) {
	const people, places = 3000, 2000
	p := massPolicy(people, func(q *Queue) {
		q.Callback = &rule.Callback{FirstOffer: time.Hour, Key: "1", Ahead: time.Second, Attempts: 1, Retry: time.Minute, Expires: 9 * time.Hour}
	})
	for id, a := range p.Agents { // each like nobody else
		a.Skills = agents.NewSkills(map[agents.Skill]agents.Level{agents.Skill(id): 3})
		p.Agents[id] = a
	}
	e, now := New(p), tapeStart
	step := func(ev Event) {
		t.Helper()
		if _, err := e.Step(now, ev); err != nil {
			t.Fatal(err)
		}
	}
	step(CallArrived{Call: places + 1})
	step(CustomerResolved{Call: places + 1})
	now = now.Add(2 * time.Minute) // what a wait is expected to be from now on
	e.figure("q").pace.started(now.UnixMicro(), unlike(), 120)
	for i := range places {
		step(CallbackRestored{Call: CallID(i + 1), Caller: fmt.Sprint("n", i), Kept: Kept{
			Queue: "q", Arrived: now, Since: now, Entered: now, Taken: now, Ahead: time.Second, Attempts: 1, Retry: time.Minute, Expires: now.Add(9 * time.Hour),
		}})
	}
	for i := range people {
		step(DeskChanged{massAgent(i), true})
		step(AgentSignedIn{massAgent(i), agents.NotReady, "lunch"})
	}
	step(Tick{})
	if n := e.slice.units; n > 1000 {
		t.Errorf("%d units to find out that nobody is near", n)
	}
	if n := e.figure("q").ahead.Len(); n != places {
		t.Errorf("%d places wait to be called ahead, not %d", n, places)
	}
	checkWorld(t, e)
}

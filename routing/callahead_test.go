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

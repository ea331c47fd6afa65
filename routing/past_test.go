package routing

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing/rule"
)

// A route that asks for the caller's other calls waits for the look-up, unless
// another of its terms is false; in time or not, the call goes on.
func TestPastIsAwaited(t *testing.T) {
	when, err := rule.Compile(`call.dnis == "+442079460100" and call.abandoned_today > 1`, rule.CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p := &Policy{
		Version: 1, Zone: time.UTC, MilliPoints: 1000, Record: RecordPolicy{Deadline: time.Second},
		Route:  &rule.Node{Queue: "q", Children: []*rule.Node{{Name: "again", When: when, Queue: "p"}}},
		Queues: map[string]*Queue{"q": {Name: "q"}, "p": {Name: "p"}},
	}
	if !p.ReadsPast() {
		t.Error("the policy does not know what it reads")
	}
	e := New(p)
	at := func(id CallID) string {
		a, _ := e.Asked(id)
		return a.Queue
	}
	for id, dnis := range []string{"+442079460100", "+442079460100", "+442079460100", "+442079460101"} {
		step(t, e, CallArrived{Call: CallID(id + 1), Attrs: rule.Call{DNIS: dnis}})
	}
	if at(1) != "" || at(4) != "q" {
		t.Errorf("before the look-up: %q, %q", at(1), at(4))
	}
	step(t, e, CustomerResolved{Call: 1, Past: rule.Past{CallsToday: 4, AbandonedToday: 2}})
	step(t, e, CustomerResolved{Call: 2})
	if _, err := e.Step(tapeStart.Add(time.Second), Tick{}); err != nil {
		t.Fatal(err)
	}
	if at(1) != "p" || at(2) != "q" || at(3) != "q" {
		t.Errorf("after it: %q, %q, %q", at(1), at(2), at(3))
	}
}

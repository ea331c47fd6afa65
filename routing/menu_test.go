package routing

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing/rule"
)

// Who goes round in menus is routed after so many questions, with what he pressed.
func TestMenuCircle(t *testing.T) {
	e := New(tapePolicy(1))
	asks, queue := 0, ""
	step := func(ev Event) {
		t.Helper()
		acts, err := e.Step(tapeStart, ev)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range acts {
			switch a := a.(type) {
			case AskMenu:
				asks = a.Ask
			case Enqueued:
				queue = a.Queue
			}
		}
	}
	step(CallArrived{Call: 1, Attrs: rule.Call{Trunk: "x", DNIS: "+441"}})
	step(CustomerResolved{Call: 1})
	for range 2 * maxAsks {
		step(MenuKeyed{Call: 1, Ask: asks, Key: "4"})
	}
	if c := e.calls[1]; asks != maxAsks || queue != "a" || len(c.attrs.Choice) != maxAsks || c.menu != nil {
		t.Errorf("asked %d times, in queue %q, choice %q", asks, queue, e.calls[1].attrs.Choice)
	}
	if due, ok := e.Deadline(); !ok || !due.After(tapeStart.Add(-time.Second)) {
		t.Error("nothing is due")
	}
}

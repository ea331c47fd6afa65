package sip

import (
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/stack"
)

// TestEndedCallIsLetGo: the stack remembers the dialogs of a call for 64*T1
// after its end, and not the call.
func TestEndedCallIsLetGo(t *testing.T) {
	w := newWorld(t, worldOptions{})
	trunk, phone := newPeer(t), newPeer(t)
	caller, _, id := w.queued(trunk, 8)
	o := offerOf(id, 1)
	agent := w.ringing(phone, o)
	w.picksUp(agent, o, 8)
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	var whole weak.Pointer[call]
	var legs [2]weak.Pointer[leg]
	w.inside(id, func(c *call) {
		whole, legs = weak.Make(c), [2]weak.Pointer[leg]{weak.Make(c.caller), weak.Make(c.agent)}
	})
	caller.d.Bye(nil)
	w.expect(routing.CallerGone{Call: id})
	event[stack.Ended](agent)
	w.do(routing.EndCall{Call: id, Outcome: routing.Answered, By: routing.ByCaller})
	for end := time.Now().Add(patience); whole.Value() != nil || legs[0].Value() != nil || legs[1].Value() != nil; runtime.GC() {
		if time.Now().After(end) {
			t.Fatalf("still there: call %t, caller's leg %t, agent's %t", whole.Value() != nil, legs[0].Value() != nil, legs[1].Value() != nil)
		}
	}
	if n := w.stack.Sizes().Dialogs; n != 2 {
		t.Errorf("%d dialogs are remembered, want 2", n)
	}
}

package routing

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
)

// TestAskedBeforeJoined: an agent asks a colleague while her phone and the caller
// are still being joined, and that fails.
func TestAskedBeforeJoined(t *testing.T) {
	for _, answered := range []bool{false, true} {
		e, now := New(massPolicy(2, nil)), tapeStart
		var acts []Action
		step := func(ev Event) {
			t.Helper()
			now = now.Add(time.Second)
			out, err := e.Step(now, ev)
			if err != nil {
				t.Fatalf("%T: %v", ev, err)
			}
			acts = append(acts, out...)
			checkConsults(t, e)
		}
		step(DeskChanged{massAgent(0), true})
		step(AgentSignedIn{massAgent(0), agents.Available, ""})
		step(CallArrived{Call: 1})
		step(CustomerResolved{Call: 1})
		o := Offer{1, 1, massAgent(0)}
		step(PopAcked{Offer: o, Mode: Painted})
		step(PhoneRinging{o})
		step(PhoneAnswered{o})
		step(DeskChanged{massAgent(1), true})
		step(AgentSignedIn{massAgent(1), agents.Available, ""})
		step(ConsultRequested{Offer: o, Consult: 2, Queue: "q"})
		q := Offer{2, 1, massAgent(1)}
		if answered {
			step(PopAcked{Offer: q, Mode: Painted})
			step(PhoneRinging{q})
			step(PhoneAnswered{q})
		}
		if e.calls[2] == nil || e.calls[2].consult == nil {
			t.Fatalf("no question: %+v", acts)
		}
		step(JoinFailed{o, "refused"})
		checkWorld(t, e)
		step(HangupRequested{q})
		step(CallerGone{Call: 1})
		checkWorld(t, e)
		if len(e.calls) > 0 {
			t.Errorf("%d calls are left", len(e.calls))
		}
	}
}

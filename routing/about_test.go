package routing

import (
	"encoding/json"
	"testing"

	"github.com/cordboard/cordboard/agents"
)

// About says of each action what stands in its JSON form.
func TestAbout(t *testing.T) {
	o := Offer{Call: 7, Attempt: 3, Agent: "ann"}
	for _, a := range []Action{
		ResolveCustomer{Call: 7}, AnswerCaller{Call: 7}, Wait{Call: 7}, PassOut{Call: 7}, Enqueued{Call: 7}, StepReached{Call: 7, Step: 2}, StepSkipped{Call: 7, Step: 2}, Relaxed{Call: 7}, Held{Call: 7, Agent: "ann"},
		OfferCall{Offer: o}, MayAccept{Offer: o}, Ring{Offer: o}, Withdraw{Offer: o}, Connect{Offer: o}, Release{Offer: o}, Hold{Offer: o},
		ConsultStarted{Offer: o, Consult: 8}, ConsultEnded{Offer: o, Consult: 8}, HandedOver{Offer: o}, Transferred{Offer: o}, Treat{Call: 7}, MessageTaken{Call: 7}, EndCall{Call: 7, Attempt: 3, Agent: "ann"}, AgentChanged{agents.Status{Agent: "ann"}},
		WrapUpStarted{Offer: o}, WrapUpFinished{Offer: o}, Probe{Agent: "ann"}, Refused{Offer: o}, PolicyLive{Version: 3}, ReserveChanged{Queue: "a", Team: "b"},
	} {
		b, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var want Offer
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatal(err)
		}
		got, ok := About(a)
		switch a.(type) {
		case AgentChanged, Probe, PolicyLive, ReserveChanged:
			if ok {
				t.Errorf("%s is about call %d", a.Kind(), got.Call)
			}
		default:
			if !ok || got != want {
				t.Errorf("%s is about %+v %v, its JSON says %+v", a.Kind(), got, ok, want)
			}
		}
	}
}

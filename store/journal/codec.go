package journal

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/cordboard/cordboard/routing"
)

// encode is an event's JSON form.
func encode(ev routing.Event) ([]byte, error) { return json.Marshal(ev) }

// decode is the event of a kind with that JSON form.
func decode(kind string, body []byte) (routing.Event, error) {
	for _, zero := range []routing.Event{
		routing.CallArrived{}, routing.CustomerResolved{}, routing.CallerGone{}, routing.CallFailed{},
		routing.PopAcked{}, routing.OfferAccepted{}, routing.OfferRefused{},
		routing.PhoneRinging{}, routing.PhoneAnswered{}, routing.PhoneFailed{}, routing.AgentGone{},
		routing.JoinFailed{}, routing.Joined{}, routing.HoldRequested{}, routing.PhoneHeld{},
		routing.HangupRequested{}, routing.TransferRequested{}, routing.WrapUpEnded{},
		routing.AgentSignedIn{}, routing.AgentSignedOut{}, routing.AgentStateAsked{}, routing.DeskChanged{},
		routing.PhoneProbed{}, routing.TreatmentPlayed{}, routing.PolicyChanged{},
	} {
		if zero.Kind() == kind {
			return as(zero, body)
		}
	}
	return nil, fmt.Errorf("unknown event %q", kind)
}

// as reads body into a new event of the zero one's type.
func as(zero routing.Event, body []byte) (routing.Event, error) {
	to := reflect.New(reflect.TypeOf(zero))
	if err := json.Unmarshal(body, to.Interface()); err != nil {
		return nil, fmt.Errorf("event %q: %w", zero.Kind(), err)
	}
	return to.Elem().Interface().(routing.Event), nil
}

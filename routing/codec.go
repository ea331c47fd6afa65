package routing

import (
	"encoding/json"
	"fmt"
)

// decoder finds how to make an event of a kind from its JSON form.
func decoder(kind string) func([]byte) (Event, error) {
	switch kind {
	case CallArrived{}.Kind():
		return decode[CallArrived]
	case CustomerResolved{}.Kind():
		return decode[CustomerResolved]
	case CallerGone{}.Kind():
		return decode[CallerGone]
	case CallFailed{}.Kind():
		return decode[CallFailed]
	case PopAcked{}.Kind():
		return decode[PopAcked]
	case OfferAccepted{}.Kind():
		return decode[OfferAccepted]
	case OfferRefused{}.Kind():
		return decode[OfferRefused]
	case PhoneRinging{}.Kind():
		return decode[PhoneRinging]
	case PhoneAnswered{}.Kind():
		return decode[PhoneAnswered]
	case PhoneFailed{}.Kind():
		return decode[PhoneFailed]
	case AgentGone{}.Kind():
		return decode[AgentGone]
	case JoinFailed{}.Kind():
		return decode[JoinFailed]
	case Joined{}.Kind():
		return decode[Joined]
	case HoldRequested{}.Kind():
		return decode[HoldRequested]
	case PhoneHeld{}.Kind():
		return decode[PhoneHeld]
	case HangupRequested{}.Kind():
		return decode[HangupRequested]
	case TransferRequested{}.Kind():
		return decode[TransferRequested]
	case WrapUpEnded{}.Kind():
		return decode[WrapUpEnded]
	}
	return decoderRest(kind)
}

func decoderRest(kind string) func([]byte) (Event, error) {
	switch kind {
	case AgentSignedIn{}.Kind():
		return decode[AgentSignedIn]
	case AgentSignedOut{}.Kind():
		return decode[AgentSignedOut]
	case AgentStateAsked{}.Kind():
		return decode[AgentStateAsked]
	case DeskChanged{}.Kind():
		return decode[DeskChanged]
	case PhoneProbed{}.Kind():
		return decode[PhoneProbed]
	case PhoneChanged{}.Kind():
		return decode[PhoneChanged]
	case TreatmentPlayed{}.Kind():
		return decode[TreatmentPlayed]
	case NumberAnswered{}.Kind():
		return decode[NumberAnswered]
	case NumberFailed{}.Kind():
		return decode[NumberFailed]
	case NumberGone{}.Kind():
		return decode[NumberGone]
	case MessageLeft{}.Kind():
		return decode[MessageLeft]
	case MenuKeyed{}.Kind():
		return decode[MenuKeyed]
	case NumberKeyed{}.Kind():
		return decode[NumberKeyed]
	case RimRead{}.Kind():
		return decode[RimRead]
	case CallbackAccepted{}.Kind():
		return decode[CallbackAccepted]
	case CallbackDeclined{}.Kind():
		return decode[CallbackDeclined]
	case CallbackCancelled{}.Kind():
		return decode[CallbackCancelled]
	case CallbackRestored{}.Kind():
		return decode[CallbackRestored]
	case CallbackRequested{}.Kind():
		return decode[CallbackRequested]
	case CustomerAnswered{}.Kind():
		return decode[CustomerAnswered]
	case CustomerMissed{}.Kind():
		return decode[CustomerMissed]
	case ConsultRequested{}.Kind():
		return decode[ConsultRequested]
	case ConsultStopped{}.Kind():
		return decode[ConsultStopped]
	case ConsultCompleted{}.Kind():
		return decode[ConsultCompleted]
	case Tick{}.Kind():
		return decode[Tick]
	case Started{}.Kind():
		return decode[Started]
	case PolicyChanged{}.Kind():
		return decode[PolicyChanged]
	case DirectoryChanged{}.Kind():
		return decode[DirectoryChanged]
	}
	return nil
}

func decode[E Event](b []byte) (Event, error) {
	var ev E
	if err := json.Unmarshal(b, &ev); err != nil {
		return nil, err
	}
	return ev, nil
}

// AppendEvent appends an event's form in the journal. Its Kind stands beside
// it. What it returns with an error is to, as it was.
func AppendEvent(to []byte, ev Event) ([]byte, error) {
	if out, ok := appendUsual(to, ev); ok {
		return out, nil
	}
	b, err := json.Marshal(ev)
	if err != nil {
		return to, fmt.Errorf("encode %s: %w", ev.Kind(), err)
	}
	return append(to, b...), nil
}

// DecodeEvent reads an event from the journal. A PolicyChanged and a
// DirectoryChanged come without their Policy: whoever replays finds it by version
// and hashes.
func DecodeEvent(kind string, b []byte) (Event, error) {
	f := decoder(kind)
	if f == nil {
		return nil, fmt.Errorf("decode %q: %w", kind, ErrUnknownEvent)
	}
	ev, err := f(b)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", kind, err)
	}
	return ev, nil
}

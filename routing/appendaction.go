package routing

import (
	"encoding/json"
	"fmt"
	"time"
)

// AppendAction appends an action's JSON form, as the ledger keeps it. The error
// is that of an action without one; nothing is appended then.
func AppendAction(to []byte, a Action) ([]byte, error) {
	if out, ok := appendUsualAction(to, a); ok {
		return out, nil
	}
	b, err := json.Marshal(a)
	if err != nil {
		return to, fmt.Errorf("encode %s: %w", a.Kind(), err)
	}
	return append(to, b...), nil
}

// appendUsualAction writes the actions of a call's usual way as appendUsual does
// its events. False when it is none of these, or has an instant that has no form.
func appendUsualAction(to []byte, a Action) (out []byte, ok bool) {
	ok = true
	switch a := a.(type) {
	case ResolveCustomer:
		to = appendInt(to, `{"call":`, a.Call)
		to = optionalTime(to, `,"deadline":`, a.Deadline, &ok)
	case AnswerCaller:
		to = appendText(appendInt(to, `{"call":`, a.Call), `,"music":`, a.Music)
	case Announce:
		to = appendAnnounce(to, &a)
	case Enqueued:
		to = appendEnqueued(to, &a, &ok)
	case OfferCall:
		to = appendOfferCall(to, &a, &ok)
	case Ring:
		to = appendBool(appendOffer(to, a.Offer), `,"auto_answer":`, a.AutoAnswer)
		to = optionalText(to, `,"why":`, a.Why)
		to = optionalBool(to, `,"unacked":`, a.Unacked)
		to = optionalBool(to, `,"group":`, a.Group)
		to = appendTime(to, `,"until":`, a.Until, &ok)
	case Withdraw:
		to = appendText(appendOffer(to, a.Offer), `,"why":`, a.Why)
	case Connect:
		to = appendTime(appendOffer(to, a.Offer), `,"answered":`, a.Answered, &ok)
		to = optionalText(to, `,"music":`, a.Music)
	case Release:
		to = appendText(appendOffer(to, a.Offer), `,"why":`, a.Why)
	case EndCall:
		to = appendEndCall(to, &a)
	case WrapUpStarted:
		to = optionalTime(appendOffer(to, a.Offer), `,"until":`, a.Until, &ok)
		to = appendText(to, `,"disposition":`, a.Disposition)
		to = optionalText(to, `,"set":`, a.Set)
	case WrapUpFinished:
		to = optionalText(appendOffer(to, a.Offer), `,"disposition":`, a.Disposition)
	default:
		return to, false
	}
	return append(to, '}'), ok
}

func appendAnnounce(to []byte, a *Announce) []byte {
	to = appendInt(to, `{"call":`, a.Call)
	to = optionalText(to, `,"greeting":`, a.Greeting)
	to = optionalText(to, `,"language":`, a.Language)
	for i, s := range a.Say {
		to = append(to, listed(i, `,"say":[{`, `,{`)...)
		first := len(to)
		to = optionalInt(to, `,"position":`, s.Position)
		if w := s.Wait; w != nil {
			to = append(to, `,"wait":{`...)
			inner := len(to)
			to = optionalBool(to, `,"shortly":`, w.Shortly)
			to = optionalInt(to, `,"least":`, w.Least)
			to = uncomma(optionalInt(to, `,"most":`, w.Most), inner)
			to = append(to, '}')
		}
		to = append(uncomma(to, first), '}')
	}
	if len(a.Say) > 0 {
		to = append(to, ']')
	}
	return to
}

// uncomma takes out the comma before the first field of an object.
func uncomma(to []byte, first int) []byte {
	if len(to) == first {
		return to
	}
	return append(to[:first], to[first+1:]...)
}

func appendEnqueued(to []byte, a *Enqueued, ok *bool) []byte {
	to = appendInt(to, `{"call":`, a.Call)
	to = appendText(to, `,"queue":`, a.Queue)
	to = appendText(to, `,"rule":`, a.Rule)
	to = optionalText(to, `,"topic":`, a.Topic)
	to = optionalText(to, `,"region":`, a.Region)
	to = optionalText(to, `,"tag":`, a.Tag)
	to = optionalText(to, `,"language":`, a.Language)
	to = appendInt(to, `,"priority":`, a.Priority)
	to = appendTime(to, `,"since":`, a.Since, ok)
	to = appendTime(to, `,"entered":`, a.Entered, ok)
	to = appendInt(to, `,"version":`, a.Version)
	to = optionalInt(to, `,"answer_within":`, a.Within)
	return optionalInt(appendReason(to, &a.Reason, ok), `,"consult":`, a.Consult)
}

func appendOfferCall(to []byte, a *OfferCall, ok *bool) []byte {
	to = appendText(appendOffer(to, a.Offer), `,"queue":`, a.Queue)
	to = optionalText(to, `,"topic":`, a.Topic)
	to = appendText(to, `,"mode":`, a.Mode)
	to = optionalBool(to, `,"no_desk":`, a.NoDesk)
	to = optionalTime(to, `,"ack_by":`, a.AckBy, ok)
	to = appendInt(to, `,"lead":`, a.Lead)
	to = appendInt(to, `,"ring":`, a.Ring)
	to = appendReason(to, &a.Reason, ok)
	if cb := a.Callback; cb != nil {
		to = appendTime(to, `,"callback":{"accepted":`, cb.Accepted, ok)
		to = appendTime(to, `,"since":`, cb.Since, ok)
		to = append(appendInt(to, `,"tries":`, cb.Tries), '}')
	}
	return optionalInt(to, `,"consult":`, a.Consult)
}

func appendEndCall(to []byte, a *EndCall) []byte {
	to = appendInt(to, `{"call":`, a.Call)
	to = appendText(to, `,"outcome":`, a.Outcome)
	to = appendText(to, `,"by":`, a.By)
	to = optionalText(to, `,"reason":`, a.Reason)
	to = optionalText(to, `,"queue":`, a.Queue)
	to = optionalText(to, `,"agent":`, string(a.Agent))
	to = optionalInt(to, `,"attempt":`, a.Attempt)
	to = optionalInt(to, `,"code":`, a.Code)
	to = optionalInt(to, `,"into":`, a.Into)
	return optionalInt(to, `,"consult":`, a.Consult)
}

// appendReason appends the field of a reason, whose own fields are all left out
// when they are empty: the first of them has no comma before it.
func appendReason(to []byte, r *Reason, ok *bool) []byte {
	to = append(to, `,"reason":{`...)
	first := len(to)
	to = optionalText(to, `,"rule":`, r.Rule)
	to = optionalInt(to, `,"step":`, r.Step)
	for i, n := range r.Skipped {
		to = appendInt(to, listed(i, `,"steps_skipped":[`, `,`), n)
	}
	if len(r.Skipped) > 0 {
		to = append(to, ']')
	}
	to = optionalText(to, `,"policy":`, r.Policy)
	to = optionalText(to, `,"trigger":`, r.Trigger)
	to = optionalText(to, `,"prefer":`, r.Prefer)
	to = optionalTime(to, `,"ceiling":`, r.Ceiling, ok)
	to = optionalInt(to, `,"came_back":`, r.CameBack)
	for i, agent := range r.Group {
		to = appendText(to, listed(i, `,"group":[`, ","), agent)
	}
	if len(r.Group) > 0 {
		to = append(to, ']')
	}
	to = optionalInt(to, `,"held_for":`, r.HeldFor)
	for i := range r.Terms {
		term := &r.Terms[i]
		to = appendText(to, listed(i, `,"terms":[{"agent":`, `,{"agent":`), term.Agent)
		to = appendText(to, `,"name":`, term.Name)
		to = append(appendInt(to, `,"value":`, term.Value), '}')
	}
	if len(r.Terms) > 0 {
		to = append(to, ']')
	}
	if len(r.LeftOut) > 0 {
		to = r.LeftOut.appendJSON(append(to, `,"left_out":`...))
	}
	to = optionalInt(to, `,"version":`, r.Version)
	return append(uncomma(to, first), '}')
}

func listed(i int, first, next string) string {
	if i == 0 {
		return first
	}
	return next
}

func appendBool(to []byte, key string, yes bool) []byte {
	if yes {
		return append(append(to, key...), "true"...)
	}
	return append(append(to, key...), "false"...)
}

// appendTime appends an instant; ok becomes false for one that has no form in
// RFC 3339.
func appendTime(to []byte, key string, t time.Time, ok *bool) []byte {
	to = append(append(to, key...), '"')
	out, err := t.AppendText(to)
	if err != nil {
		*ok = false
		return to
	}
	return append(out, '"')
}

func optionalTime(to []byte, key string, t time.Time, ok *bool) []byte {
	if t.IsZero() {
		return to
	}
	return appendTime(to, key, t, ok)
}

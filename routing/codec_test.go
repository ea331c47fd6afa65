package routing

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

// everyEvent holds one event of each type, every field set.
func everyEvent() []Event {
	o := Offer{Call: 7, Attempt: 2, Agent: "ann"}
	return []Event{
		CallArrived{Call: 7, Attrs: rule.Call{Kind: "inbound", ANIKnown: true, DNIS: "+441632960001", Trunk: "main", Country: "GB", Language: "en", Topic: "t", WaitedS: 1, Transfers: 2, Region: "r", Verified: true, Attestation: "A", Choice: "9", FromQueue: "q", Offers: 3, Past: rule.Past{CallsToday: 4, AbandonedToday: 5, AbandonedAgo: 6, AnsweredAgo: 7}}, Caller: "k1:ab", Rim: []AtRim{{3, "r", []int{0, 2}}, {Version: 4}}},
		CustomerResolved{Call: 7, Customer: rule.Customer{Known: true, Segment: "gold", KeyAccount: true, Language: "en", Country: "GB", ChurnRisk: 1, Value: 2, Balance: -3, BalanceCurrency: "GBP", OverdueDays: 4, OpenTickets: 5, OpenComplaints: 6, Products: []string{"a"}, AccountManager: "ann", LastAgent: "bob", LastTopic: "t", LastContactDays: 8, Confidence: 9, ContractEndDays: 10, UsageTrend: -11, Consent: []string{"phone", "sms"}, DoNotCall: true, FraudFlag: true, Birthday: true, Zeros: []string{"churn_risk"}, Texts: map[string]string{"b": "<x>", "a": "y"}, Integers: map[string]int{"n": -3}, Flags: map[string]bool{"f": true}, Lists: map[string][]string{"l": {"a", "b"}}}, Key: "k2", Past: rule.Past{CallsToday: 1, AbandonedAgo: 7}, Rim: []AtRim{{3, "", []int{1}}}},
		CallerGone{7, true}, CallFailed{7, "media_lost", true},
		PopAcked{o, Painted, 3, map[string]string{"who": "shown"}}, OfferAccepted{o}, OfferRefused{o, "not_now"},
		PhoneRinging{o}, PhoneAnswered{o}, PhoneFailed{o, 486, true}, NumberAnswered{7}, NumberFailed{7, 486}, NumberGone{7}, MessageLeft{7, 12, MessageByKey}, AgentGone{o}, JoinFailed{o, "no_codec"}, Joined{o, "relay"},
		HoldRequested{o, true}, PhoneHeld{o, true}, HangupRequested{o}, TransferRequested{o, "t", "q", "bob", Outside{3, "GB"}}, ConsultRequested{o, 9, "t", "q", "bob", nil}, ConsultStopped{o}, ConsultCompleted{o}, WrapUpEnded{o, "fixed"},
		AgentSignedIn{"ann", agents.NotReady, "break"}, AgentSignedOut{"ann"}, AgentStateAsked{"ann", agents.NotReady, "lunch"},
		DeskChanged{"ann", true}, PhoneProbed{"ann", 200}, PhoneChanged{"ann", true}, TreatmentPlayed{7}, RimRead{Call: 7, Rim: []AtRim{{5, "r", []int{4}}}}, PolicyChanged{Version: 8, SHA256: "ab", Directory: "d1"}, Tick{}, Started{8, "ab", "d1"}, DirectoryChanged{SHA256: "d2"},
		CallbackAccepted{7, "k1:ab"}, CallbackDeclined{7}, CallbackCancelled{7, "erased"}, CustomerAnswered{7, 2}, CustomerMissed{7, 2, 486}, everyRestored(),
		CallbackRequested{Call: 7, Caller: "k1:ab", Attrs: rule.Call{Kind: "callback", ANIKnown: true, Language: "ru"}, Rim: []AtRim{{Version: 4}}, Queue: "q", Topic: "t", NotBefore: time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)},
	}
}

func TestEventsRoundTrip(t *testing.T) {
	seen := map[string]bool{}
	for _, ev := range everyEvent() {
		if seen[ev.Kind()] {
			t.Errorf("kind %s twice", ev.Kind())
		}
		seen[ev.Kind()] = true
		b, err := AppendEvent(nil, ev)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeEvent(ev.Kind(), b)
		if err != nil || !reflect.DeepEqual(got, ev) {
			t.Errorf("%s: %v: got %+v, want %+v", ev.Kind(), err, got, ev)
		}
		if _, err := DecodeEvent(ev.Kind(), []byte("[")); err == nil {
			t.Errorf("%s: broken JSON accepted", ev.Kind())
		}
	}
	if len(seen) != 44 {
		t.Errorf("%d kinds, the journal has 44", len(seen))
	}
	if _, err := DecodeEvent("no_such", nil); !errors.Is(err, ErrUnknownEvent) {
		t.Errorf("unknown kind: %v", err)
	}
}

// TestAppendEvent: each event is written as encoding/json writes it.
func TestAppendEvent(t *testing.T) {
	// The same with other texts, and with nothing in any field.
	texts := []string{"", "a\"\\b", "<&>", "\x00\x1f\x7f", "é\u2028\u2029\ufffd", "\xff!", "ok"}
	events := everyEvent()
	for _, ev := range everyEvent() {
		events = append(events, reflect.Zero(reflect.TypeOf(ev)).Interface().(Event))
	}
	for i, s := range texts {
		o := Offer{Call: -7, Attempt: 1 << 40, Agent: agents.ID(s)}
		events = append(events,
			CallArrived{Attrs: rule.Call{Kind: s, DNIS: s, Trunk: s, Country: s, Language: s, Topic: s}, Caller: s},
			CustomerResolved{Customer: rule.Customer{
				Segment: s, Language: s, Country: s, BalanceCurrency: s, AccountManager: s, LastAgent: s, LastTopic: s, Products: texts[:i],
			}},
			PopAcked{Offer: o, Mode: s, Version: -1, Panels: map[string]string{s: "shown", "z" + s: s, "a": s}}, PopAcked{Offer: o, Panels: map[string]string{}},
			OfferAccepted{o}, Joined{o, s}, WrapUpEnded{o, s})
	}
	usual := 0
	for _, ev := range events {
		want, err := json.Marshal(ev)
		if err != nil {
			t.Fatal(err)
		}
		got, err := AppendEvent([]byte("line "), ev)
		if err != nil || string(got) != "line "+string(want) {
			t.Errorf("%s: %v:\n%s, encoding/json has\n%s", ev.Kind(), err, got, want)
		}
		if _, ok := appendUsual(nil, ev); ok {
			usual++
		}
	}
	if usual < 50 {
		t.Errorf("%d events written by hand", usual)
	}
}

// everyRestored has every field of a place that is kept set.
func everyRestored() CallbackRestored {
	at := time.Date(2026, 4, 15, 10, 0, 0, 0, time.UTC)
	return CallbackRestored{Call: 7, Caller: "k1:ab", Called: "k1:ef", Kept: Kept{
		Queue: "q", Rule: "r", Topic: "t", Language: "en", Tag: "g", Trunk: "main", DNIS: "+441632960001", Country: "GB", Region: "north", Customer: "k1:cd",
		Arrived: at, Since: at, Entered: at, Taken: at, Priority: 5, Additions: []Addition{{"step:q:1", 40}}, Visited: []string{"q"}, Moves: 1,
		Ahead: time.Minute, Attempts: 3, Retry: time.Minute, Expires: at.Add(time.Hour), Elsewhere: true, Tries: 2, Missed: 1, Again: at.Add(time.Minute),
	}}
}

package storetest

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// testCallbacks: a caller who is to be called back has no line that a restart
// could end; the place is found again as the events have it. One whose customer
// was on the line again is a call like any other.
func testCallbacks(t *testing.T, f Fixture) {
	s := f.Open(t)
	waits, reached := story{s, s.NextCall()}, story{s, s.NextCall()}
	for _, how := range []routing.Outcome{routing.TakenOver, routing.Expired} {
		y := story{s, s.NextCall()}
		y.arrives(0)
		y.queued(2, "internet")
		y.ends(50, how, routing.ByServer, "")
		flush(t, s)
		equal(t, "end of a callback", row(t, s, y.call).Outcome, how)
	}
	kept := func(call routing.CallID) routing.CallbackTaken {
		return routing.CallbackTaken{Call: call, Kept: routing.Kept{
			Queue: "internet", Rule: "net", Arrived: T0, Since: T0, Entered: T0.Add(2 * time.Second), Taken: T0.Add(40 * time.Second),
			Priority: 5, Additions: []routing.Addition{{Origin: "step:internet:1", Points: 40}}, Visited: []string{"internet"},
			Attempts: 3, Retry: 5 * time.Minute, Expires: T0.Add(24 * time.Hour),
		}}
	}
	for _, y := range []story{waits, reached} {
		y.arrives(0)
		y.queued(2, "internet")
		y.at(40, kept(y.call))
		y.at(60, routing.CallCustomer{Call: y.call, Try: 1, Queue: "internet", Until: T0.Add(90 * time.Second)})
	}
	s.CallBackAt(waits.call, "+447700900499")
	waits.at(90, routing.CallbackMissed{Call: waits.call, Try: 1, Why: "no_answer", Again: T0.Add(390 * time.Second)})
	// Who refuses while his telephone rings uses up none of his attempts.
	waits.at(391, routing.CallCustomer{Call: waits.call, Try: 2, Queue: "internet", Until: T0.Add(421 * time.Second)},
		routing.DropCustomer{Call: waits.call, Try: 2, Why: "refused"}, routing.CallbackMissed{Call: waits.call, Try: 2, Why: "dropped", Again: T0.Add(700 * time.Second)})
	reached.at(70, routing.CallbackReached{Call: reached.call, Try: 1})
	flush(t, s)
	f.Abandon(t, s)

	s = open(t, f)
	equal(t, "who was on the line", row(t, s, reached.call).Reason, store.ReasonRestart)
	equal(t, "outcome of who waits", row(t, s, waits.call).Outcome, routing.Outcome(""))
	got, err := s.Callbacks(t.Context())
	ok(t, err)
	want := kept(waits.call).Kept
	want.Tries, want.Missed, want.Again = 2, 1, T0.Add(700*time.Second)
	for i := range got {
		equal(t, "events of a place", len(got[i].Events), 9)
		got[i].Events = nil
	}
	equal(t, "callbacks", got, []store.Callback{{LedgerRow: row(t, s, waits.call), At: "+447700900499", Kept: want}})

	waits.s = s
	waits.at(700, routing.CallCustomer{Call: waits.call, Try: 3, Queue: "internet", Until: T0.Add(730 * time.Second)}, routing.CallbackReached{Call: waits.call, Try: 3})
	waits.connects(710, 1, "priya")
	waits.ends(800, routing.Answered, routing.ByCaller, "")
	flush(t, s)
	equal(t, "outcome", row(t, s, waits.call).Outcome, routing.Answered)
	equal(t, "reason", row(t, s, waits.call).Reason, "")
	equal(t, "the number that was keyed in", row(t, s, waits.call).CallBack, "")
	equal(t, "events", kinds(t, s, waits.call), []string{"arrived", "answer_caller", "enqueued", "callback_taken", "call_customer", "callback_missed",
		"call_customer", "drop_customer", "callback_missed", "call_customer", "callback_reached", "connect", "end_call"})
	got, err = s.Callbacks(t.Context())
	ok(t, err)
	equal(t, "callbacks left", len(got), 0)
}

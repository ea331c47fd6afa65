package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// testFoldCalls: those that lived in a period come once each, in order of
// arrival, with all their events, however many there are.
func testFoldCalls(t *testing.T, f Fixture) {
	s := open(t, f)
	at := func(d time.Duration) time.Time { return T0.Add(d) }
	call := func(from, to time.Duration) routing.CallID {
		id := s.NextCall()
		s.Arrived(store.Arrival{Call: id, At: at(from)})
		s.Do(at(from), []routing.Action{routing.Enqueued{Call: id, Queue: "q", Since: at(from), Entered: at(from)}})
		if to > 0 {
			s.Do(at(to), []routing.Action{routing.EndCall{Call: id, Outcome: routing.Abandoned, By: routing.ByCaller}})
		}
		return id
	}
	const day = 24 * time.Hour
	late := call(30*time.Hour, 31*time.Hour) // numbers need not follow the clock
	call(day-2*time.Hour, day-time.Second)   // over before
	over := call(day-2*time.Hour, day)       // ended in it
	open := call(day-time.Hour, 0)           // goes on
	call(2*day, 2*day+time.Second)           // after it
	want := []routing.CallID{over, open}
	for range 450 { // more than are read at once, at one instant
		want = append(want, call(day, day+time.Minute))
	}
	want = append(want, late)
	flush(t, s)
	var got []routing.CallID
	ok(t, s.FoldCalls(t.Context(), at(day), at(2*day), nil, func(r store.LedgerRow, events []store.Event) error {
		got = append(got, r.Call)
		kinds := []string{"arrived", "enqueued"}
		if r.Call != open {
			kinds = append(kinds, "end_call")
		}
		if len(events) != len(kinds) {
			t.Fatalf("call %d has %d events", r.Call, len(events))
		}
		for i, e := range events {
			if e.Kind != kinds[i] || e.Call != r.Call || e.Seq != int64(i+1) || i > 0 && len(e.Data) == 0 {
				t.Fatalf("call %d: event %d is %+v", r.Call, i, e)
			}
		}
		return nil
	}))
	equal(t, "calls", got, want)
	unasked, enough := 0, errors.New("enough")
	err := s.FoldCalls(t.Context(), at(day), at(2*day), func(r *store.LedgerRow) bool { return r.Call == open }, func(r store.LedgerRow, events []store.Event) error {
		if (len(events) > 0) != (r.Call == open) {
			t.Fatalf("call %d has %d events", r.Call, len(events))
		}
		if unasked++; unasked == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || unasked != 3 {
		t.Fatalf("%v after %d calls", err, unasked)
	}
}

package storetest

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// testLegs: who had the caller, second by second, over a failed join, holds, a
// hand-over, a number that is busy and one that answers.
func testLegs(t *testing.T, f Fixture) {
	s := open(t, f)
	y := story{s, s.NextCall()}
	y.arrives(0)
	y.queued(1, "internet")
	y.connects(5, 1, "owen")
	y.at(6, routing.Withdraw{Offer: y.offer(1, "owen"), Why: "join_failed"})
	y.connects(10, 2, "priya")
	y.at(20, routing.Hold{Offer: y.offer(2, "priya"), On: true})
	y.at(25, routing.Hold{Offer: y.offer(2, "priya")})
	y.at(40, routing.Transferred{Offer: y.offer(2, "priya"), Outside: "GB"}, routing.Release{Offer: y.offer(2, "priya"), Why: "transferred"}, routing.Wait{Call: y.call}, routing.PassOut{Call: y.call, Ref: 1})
	y.at(45, routing.Wait{Call: y.call, Why: "number_busy"})
	y.connects(50, 3, "priya")
	y.at(55, routing.Hold{Offer: y.offer(3, "priya"), On: true})
	y.at(70, routing.HandedOver{Offer: y.offer(4, "petar"), From: y.offer(3, "priya"), Queue: "internet"})
	y.at(80, routing.Transferred{Offer: y.offer(4, "petar"), Outside: "GB"}, routing.Wait{Call: y.call}, routing.PassOut{Call: y.call, Ref: 2})
	y.s.Event(store.Event{Call: y.call, At: T0.Add(85 * time.Second), Kind: "number_answered"})
	y.ends(100, routing.Answered, routing.ByCaller, "")
	flush(t, s)
	events, err := s.Events(t.Context(), y.call)
	ok(t, err)
	got, err := store.Legs(events)
	ok(t, err)
	at := func(second int) time.Time { return T0.Add(time.Duration(second) * time.Second) }
	want := []store.Leg{
		{Kind: "wait", From: at(0), To: at(10)},
		{Kind: "talk", Agent: "priya", From: at(10), To: at(20)},
		{Kind: "hold", Agent: "priya", From: at(20), To: at(25)},
		{Kind: "talk", Agent: "priya", From: at(25), To: at(40)},
		{Kind: "wait", From: at(40), To: at(50)},
		{Kind: "talk", Agent: "priya", From: at(50), To: at(55)},
		{Kind: "hold", Agent: "priya", From: at(55), To: at(70)},
		{Kind: "talk", Agent: "petar", From: at(70), To: at(80)},
		{Kind: "wait", From: at(80), To: at(85)},
		{Kind: "number", From: at(85), To: at(100)},
	}
	equal(t, "legs", len(got), len(want))
	for i := range min(len(got), len(want)) {
		g := got[i]
		g.From, g.To = g.From.UTC(), g.To.UTC()
		equal(t, "leg", g, want[i])
	}
	talked := time.Duration(0)
	for _, l := range got {
		if l.Agent != "" {
			talked += l.To.Sub(l.From)
		}
	}
	equal(t, "talk of the row", row(t, s, y.call).Talk, talked)
}

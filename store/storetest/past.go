package storetest

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// testPast: what a number has called before, but for the call that asks.
func testPast(t *testing.T, f Fixture) {
	s := open(t, f)
	const number = "+447700900417"
	call := func(number string, from, to int, outcome routing.Outcome) routing.CallID {
		y := story{s, s.NextCall()}
		s.Arrived(store.Arrival{Call: y.call, Trunk: "main", Number: number, At: T0.Add(time.Duration(from) * time.Second)})
		y.queued(from, "internet")
		if outcome == routing.Answered {
			y.connects(from+1, 1, "priya")
		}
		if outcome != "" {
			y.ends(to, outcome, routing.ByCaller, "")
		}
		return y.call
	}
	call(number, 0, 40, routing.Abandoned)
	call(number, 100, 140, routing.Answered)
	call("+447700900418", 110, 150, routing.Abandoned)
	call("", 115, 155, routing.Abandoned)
	call(number, 120, 160, routing.Abandoned)
	call(number, 170, 180, routing.Treated)
	call(number, 175, 0, "") // goes on
	own := call(number, 200, 0, "")
	flush(t, s)
	at := func(second int) time.Time { return T0.Add(time.Duration(second) * time.Second) }
	for since, want := range map[int]store.Past{
		0:   {Calls: 5, Abandoned: 2, LastAbandoned: at(160), LastAnswered: at(140)},
		120: {Calls: 3, Abandoned: 1, LastAbandoned: at(160), LastAnswered: at(140)},
		300: {LastAbandoned: at(160), LastAnswered: at(140)},
	} {
		got, err := s.PastOf(t.Context(), number, own, at(since))
		ok(t, err)
		equal(t, "past", got, want)
	}
	for _, unknown := range []string{"", "+447700900419"} {
		got, err := s.PastOf(t.Context(), unknown, own, T0)
		ok(t, err)
		equal(t, "past of nobody", got, store.Past{})
	}
}

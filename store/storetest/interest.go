package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// testContactCounts: calls of a span by topic, queue, segment and place; no question of
// an agent, none beyond the span, nobody's segment where nobody is known.
func testContactCounts(t *testing.T, f Fixture) {
	s := open(t, f)
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{{ID: "K1", Name: "Dana Hale", Segment: "gold"}}))
	call := func(days int, number, who, topic string, outcome routing.Outcome) {
		id := s.NextCall()
		s.Arrived(store.Arrival{Call: id, Trunk: "main", Number: number, Dialled: "+448081570142", Customer: who, At: at(days)})
		s.Do(at(days), []routing.Action{routing.Enqueued{Call: id, Queue: "sales", Topic: topic, Since: at(days), Entered: at(days)}})
		if outcome != "" {
			s.Do(at(days).Add(time.Minute), []routing.Action{routing.EndCall{Call: id, Outcome: outcome, By: routing.ByCaller}})
		}
	}
	call(-8, "+447700900417", "K1", "fibre", routing.Answered) // before it
	call(-7, "+447700900417", "K1", "fibre", routing.Answered)
	call(-6, "+447700900417", "K1", "fibre", routing.Abandoned)
	call(-5, "+441632960012", "", "fibre", "")
	call(-4, "", "gone", "", routing.Answered)
	call(-3, "+447700900417", "K1", "fibre", routing.Consulted)
	call(-3, "+447700900417", "K1", "fibre", routing.TakenOver)
	call(0, "+447700900417", "K1", "fibre", routing.Answered) // after it
	flush(t, s)
	var got []string
	ok(t, s.ContactCounts(t.Context(), at(-7), at(0), 5, func(c store.ContactCount) {
		got = append(got, fmt.Sprintf("%s %s %s %s %s %d", c.Topic, c.Queue, c.Segment, c.Trunk, c.Prefix, c.Calls))
	}))
	slices.Sort(got)
	if want := []string{" sales  main  1", "fibre sales  main +4416 1", "fibre sales gold main +4477 2"}; !slices.Equal(got, want) {
		t.Errorf("counted %q, want %q", got, want)
	}
}

// testInterestStates: what was said of a line takes the place of what was said before.
func testInterestStates(t *testing.T, f Fixture) {
	s := open(t, f)
	first := store.InterestState{InterestKey: store.InterestKey{Division: "segment", Service: "fibre", Segment: "gold"}, State: "steady", Since: at(-7)}
	queue := store.InterestState{InterestKey: store.InterestKey{Division: "region", Service: "fibre", Queue: true, Region: "north"}, State: "falling", Was: "steady", Since: at(0), Told: true}
	ok(t, s.SaveInterestStates(t.Context()))
	ok(t, s.SaveInterestStates(t.Context(), first, queue))
	later := first
	later.State, later.Was, later.Since, later.Told = "rising", "steady", at(0), true
	ok(t, s.SaveInterestStates(t.Context(), later))
	got, err := s.InterestStates(t.Context())
	ok(t, err)
	if len(got) != 2 || got[first.InterestKey] != later || got[queue.InterestKey] != queue {
		t.Errorf("states %+v", got)
	}
}

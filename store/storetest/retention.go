package storetest

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/customer/permission"
	"github.com/cordboard/cordboard/store"
)

// testRetention: what is old enough goes, class by class, and nothing else; a call that
// lives holds back those behind it until it is over.
func testRetention(t *testing.T, f Fixture) {
	s := open(t, f)
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{{ID: "K1", Name: "Dana Hale"}}))
	call := func(days int, over bool) routing.CallID {
		y := story{s, s.NextCall()}
		s.Arrived(store.Arrival{Call: y.call, Trunk: "main", Number: "+447700900417", Dialled: "+448081570142", At: at(days)})
		s.Identified(y.call, "K1")
		if over {
			s.Do(at(days).Add(time.Minute), []routing.Action{routing.EndCall{Call: y.call, Outcome: routing.Abandoned, By: routing.ByCaller}})
		}
		return y.call
	}
	old, older, alive, behind, young := call(-40, true), call(-39, true), call(-38, false), call(-37, true), call(-1, true)
	flush(t, s)
	forgets := func(want int) {
		t.Helper()
		n, err := s.ForgetCallers(t.Context(), at(-30))
		ok(t, err)
		if n != want {
			t.Errorf("%d callers forgotten, want %d", n, want)
		}
	}
	forgets(2)
	forgets(0)
	s.Do(at(0), []routing.Action{routing.EndCall{Call: alive, Outcome: routing.Abandoned, By: routing.ByCaller}})
	flush(t, s)
	forgets(2)
	for _, c := range []routing.CallID{old, older, alive, behind} {
		if r := row(t, s, c); r.Number != "" || r.Customer != "" || r.Outcome != routing.Abandoned || r.Dialled == "" {
			t.Errorf("call %d: %+v", c, r)
		}
	}
	if r := row(t, s, young); r.Number == "" || r.Customer != "K1" {
		t.Errorf("a young call: %+v", r)
	}

	for _, days := range []int{-50, -40, -20} {
		_, _, err := s.SaveConsent(t.Context(), store.Person{Customer: "K1"}, word(permission.Offer, permission.Given, days))
		ok(t, err)
	}
	n, err := s.DropConsents(t.Context(), at(-30))
	ok(t, err)
	left, err := s.Consents(t.Context(), "K1")
	ok(t, err)
	if n != 1 || len(left) != 2 || !left[1].At.Equal(at(-40)) { // in force until 20 days ago
		t.Errorf("%d consents dropped, left: %+v", n, left)
	}

	for ref, closed := range map[string]int{"R-1": -50, "R-2": -20, "R-3": 0} {
		openWish(t, s, store.Person{Customer: "K1"}, wish(ref, "ben", "", 8))
		if closed < 0 {
			_, err := s.ChangeRequest(t.Context(), ref, func(r *store.Request) ([]store.RequestStep, []store.Notice, error) {
				r.State, r.ClosedAt = store.RequestClosed, at(closed)
				return []store.RequestStep{stepOf("closed", "ben", "")}, nil, nil
			})
			ok(t, err)
		}
	}
	n, err = s.DropRequests(t.Context(), at(-30))
	ok(t, err)
	list, err := s.RequestsOf(t.Context(), "K1", 0)
	ok(t, err)
	steps, err := s.RequestSteps(t.Context(), "R-1")
	ok(t, err)
	if n != 1 || refs(list) != "R-3 R-2" || len(steps) != 0 {
		t.Errorf("%d requests dropped, left %s, and %d steps", n, refs(list), len(steps))
	}

	for _, days := range []int{-50, -20} {
		_, err := s.Decide(t.Context(), store.ContactDecision{Customer: "K1", Contact: permission.Contact{Purpose: permission.Offer, Channel: permission.Call, At: at(days)}},
			0, func([]time.Time) permission.Decision { return permission.Decision{Reason: permission.NotAsked} })
		ok(t, err)
	}
	n, err = s.DropDecisions(t.Context(), at(-30))
	ok(t, err)
	kept, err := s.Export(t.Context(), store.Person{Customer: "K1"})
	ok(t, err)
	if n != 1 || len(kept.Decisions) != 1 || !kept.Decisions[0].At.Equal(at(-20)) {
		t.Errorf("%d decisions dropped, left: %+v", n, kept.Decisions)
	}
}

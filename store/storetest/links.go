package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// testLinks: what agents say of whose a number is makes the next call exact, outlives
// an import, is shown with who said it, and is gone when it is undone or the customer
// is erased.
func testLinks(t *testing.T, f Fixture) {
	s := open(t, f)
	const line, strange = "+441632960301", "+447700900399"
	ann := customer.Colleague{Agent: "ann", Name: "Ann Ferris"}
	people := func(version int64, segment string) []customer.Record {
		out := make([]customer.Record, 0, 3)
		for _, id := range []string{"L1", "L2", "L3"} {
			out = append(out, customer.Record{ID: id, Version: version, Name: "N " + id, Segment: segment, Numbers: []customer.Number{{E164: line, Label: "home"}}})
		}
		return out
	}
	ok(t, s.SaveCustomers(t.Context(), people(1, "")))
	who := func(number, want string) customer.Number {
		t.Helper()
		for try := range 2 { // from the document, and from the tables
			m := find(t, s, number)
			got := ""
			if m.Record != nil {
				got = m.Record.ID
			}
			if len(m.Candidates) > 0 {
				got = "several"
			}
			if got != want {
				t.Fatalf("%s finds %q, want %q (look-up %d)", number, got, want, try+1)
			}
			if m.Record == nil {
				continue
			}
			for _, n := range m.Record.Numbers {
				if n.E164 == number {
					return n
				}
			}
		}
		return customer.Number{}
	}
	who(line, "several")
	who(strange, "")

	ok(t, s.LinkNumber(t.Context(), strange, "L2", ann, at(1)))
	if n := who(strange, "L2"); n.By == nil || *n.By != ann || n.ConfirmedAt == nil || !n.ConfirmedAt.Equal(at(1)) || n.Label != "" {
		t.Errorf("linked: %+v", n)
	}
	ok(t, s.LinkNumber(t.Context(), line, "L3", ann, at(1)))
	if n := who(line, "L3"); n.By == nil || n.Label != "home" {
		t.Errorf("confirmed: %+v", n)
	}
	ok(t, s.LinkNumber(t.Context(), line, "L1", customer.Colleague{Agent: "bob"}, at(2)))
	who(line, "several") // two agents say two things
	if m := find(t, s, line); len(m.Candidates) != 3 || m.Candidates[2].ID != "L2" {
		t.Errorf("who was confirmed does not come first: %+v", m.Candidates)
	}
	ok(t, s.UnlinkNumber(t.Context(), line, "L1", at(3)))
	who(line, "L3")
	ok(t, s.LinkNumber(t.Context(), line, "L3", ann, at(2))) // once more is no fault

	ok(t, s.SaveCustomers(t.Context(), people(2, "gold")))
	if n := who(strange, "L2"); n.By == nil {
		t.Errorf("after an import: %+v", n)
	}
	who(line, "L3")
	if m := find(t, s, strange); m.Record.Segment != "gold" {
		t.Error("the import was lost")
	}

	if err := s.LinkNumber(t.Context(), strange, "nobody", ann, at(1)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("linked with nobody: %v", err)
	}
	if err := s.UnlinkNumber(t.Context(), strange, "L1", at(1)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("undone what nobody said: %v", err)
	}
	ok(t, s.UnlinkNumber(t.Context(), line, "L3", at(4)))
	who(line, "several") // the source's word stays
	ok(t, s.UnlinkNumber(t.Context(), strange, "L2", at(4)))
	who(strange, "")

	ok(t, s.LinkNumber(t.Context(), strange, "L2", ann, time.Now()))
	_, err := s.Erase(t.Context(), store.Person{Customer: "L2"})
	ok(t, err)
	who(strange, "")
	ok(t, s.SaveCustomers(t.Context(), people(3, "")))
	who(strange, "")
}

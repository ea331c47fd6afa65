package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

var sue = customer.Colleague{Agent: "sue", Name: "Sue Marsh"}

// account is a customer with something in every table.
func account(id, name string, minor int64, numbers ...string) customer.Record {
	yes := true
	r := customer.Record{
		ID: id, Version: 1, Name: name, Consent: customer.Consent{Phone: &yes}, CustomerSince: "2020-01-0" + id[1:],
		YearlyValue: &customer.Money{Minor: minor, Currency: "GBP"},
		Billing:     &customer.Billing{Balance: customer.Money{Minor: -minor, Currency: "GBP"}, OverdueAge: int(minor / 100), Source: "billing", At: T0},
		Products:    []customer.Product{{ID: "P1", Kind: "fibre", Name: "Fibre of " + id, Status: "active"}},
		Tickets:     []customer.Ticket{{ID: "T-" + id, Title: "slow", Kind: "fault", Status: "open", OpenedAt: T0}},
		Interactions: []customer.Interaction{
			{ID: "I1", At: T0.Add(-time.Duration(minor) * time.Minute), Channel: "mail", Title: "mail of " + id},
		},
		Contacts: 1,
	}
	for _, n := range numbers {
		r.Numbers = append(r.Numbers, customer.Number{E164: n})
	}
	return r
}

// shown is what a look-up by number shows of whom, twice: from the document, and from
// the tables or the other way round.
func shown(t *testing.T, s *store.Store, number string) (ids, products, mails []string, r customer.Record) {
	t.Helper()
	for range 2 {
		ids, products, mails = nil, nil, nil
		m := find(t, s, number)
		if m.Record == nil {
			for i := range m.Candidates {
				ids = append(ids, m.Candidates[i].ID)
			}
			return ids, nil, nil, r
		}
		r = *m.Record
		ids = append(ids, r.ID)
		for _, a := range r.Accounts {
			ids = append(ids, a.ID)
		}
		for _, p := range r.Products {
			products = append(products, p.Account+":"+p.Name)
		}
		for _, i := range r.Interactions {
			mails = append(mails, i.Account+":"+i.Title)
		}
	}
	return ids, products, mails, r
}

func (w *world) sees(number string, want ...string) customer.Record {
	w.t.Helper()
	ids, _, _, r := shown(w.t, w.s, number)
	equal(w.t, number+" shows", ids, want)
	return r
}

// world is a store with three accounts of one person, and the numbers of each.
type world struct {
	t *testing.T
	s *store.Store
}

const (
	numberA, numberB, numberC = "+447700900401", "+447700900402", "+447700900403"
	ofAandB                   = "+441632960400"
)

func mergeWorld(t *testing.T, f Fixture) *world {
	s := open(t, f)
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{
		account("A1", "Dana Whitcombe", 100, numberA, ofAandB), account("B2", "D. Whitcombe", 200, numberB, ofAandB), account("C3", "Dana W", 300, numberC),
	}))
	return &world{t, s}
}

func (w *world) merge(kept, other string) store.Merge {
	w.t.Helper()
	m, err := w.s.Merge(w.t.Context(), kept, other, sue, at(1))
	ok(w.t, err)
	return m
}

func (w *world) undo(m store.Merge) {
	w.t.Helper()
	_, err := w.s.UndoMerge(w.t.Context(), m.ID, at(2))
	ok(w.t, err)
}

// testMerge: two who are one are found by the numbers of both with what both have,
// each with whose it is, and undone each has his own again.
func testMerge(t *testing.T, f Fixture) {
	w := mergeWorld(t, f)
	before := w.sees(numberA, "A1")
	w.sees(ofAandB, "A1", "B2") // several
	m := w.merge("A1", "B2")
	for _, n := range []string{numberA, numberB, ofAandB} {
		ids, products, mails, r := shown(t, w.s, n)
		equal(t, "who", ids, []string{"A1", "B2"})
		equal(t, "products", products, []string{":Fibre of A1", "B2:Fibre of B2"})
		equal(t, "mails", mails, []string{":mail of A1", "B2:mail of B2"})
		if r.Name != "Dana Whitcombe" || r.Contacts != 2 || len(r.Tickets) != 2 || r.YearlyValue.Minor != 300 || len(r.Numbers) != 3 || r.Version <= before.Version {
			t.Errorf("by %s: %+v", n, r)
		}
		if a := r.Accounts[0]; a.Merge != m.ID || a.MergedBy != sue || !a.MergedAt.Equal(at(1)) || a.Billing.Balance.Minor != -200 || r.Billing.Balance.Minor != -100 {
			t.Errorf("the account: %+v", r.Accounts[0])
		}
		if a := r.Attributes(T0); a.Balance != -300 || a.OverdueDays != 2 || a.OpenTickets != 2 {
			t.Errorf("for routing: %+v", a)
		}
	}
	other, err := w.s.Customer(t.Context(), "B2")
	ok(t, err)
	equal(t, "by the other's id", other.ID, "A1")
	equal(t, "accounts", must(w.s.Accounts(t.Context(), "B2"))(t), []string{"A1", "B2"})
	listed, err := w.s.Merges(t.Context(), 10)
	ok(t, err)
	equal(t, "merges", listed, []store.Merge{m})
	equal(t, "into whom", must(w.s.MergedInto(t.Context()))(t), map[string]string{"B2": "A1"})

	w.undo(m)
	equal(t, "into nobody", must(w.s.MergedInto(t.Context()))(t), map[string]string{})
	w.sees(numberB, "B2")
	w.sees(ofAandB, "A1", "B2")
	after := w.sees(numberA, "A1")
	if after.Version <= before.Version {
		t.Error("the version does not say that the record has changed")
	}
	after.Version = before.Version
	equal(t, "undone", after, before)
	_, err = w.s.UndoMerge(t.Context(), m.ID, at(3))
	missing(t, "undone twice", err)
}

func must[V any](v V, err error) func(*testing.T) V {
	return func(t *testing.T) V {
		t.Helper()
		ok(t, err)
		return v
	}
}

// testMergeWrites: what is written while two are one is seen at once, whomever it
// names, and stays with whom it names.
func testMergeWrites(t *testing.T, f Fixture) {
	w := mergeWorld(t, f)
	m := w.merge("A1", "B2")
	w.sees(numberB, "A1", "B2")
	contact := func(call int, of, note string) {
		w.s.SaveContact(store.Contact{Call: routing.CallID(call), Attempt: 1, Customer: of, Agent: "ann", Queue: "billing", At: at(call), Talk: time.Minute, Note: note})
	}
	noted := func(number string) (notes []string) {
		t.Helper()
		for range 2 {
			notes = nil
			_, _, _, r := shown(t, w.s, number)
			for _, i := range r.Interactions {
				if i.Note != "" {
					notes = append(notes, i.Account+":"+i.Note)
				}
			}
		}
		return notes
	}
	contact(11, "A1", "with the whole")
	contact(12, "B2", "begun before")
	equal(t, "not written yet", noted(numberA), []string{"B2:begun before", ":with the whole"})
	flush(t, w.s)
	equal(t, "written", noted(numberA), []string{"B2:begun before", ":with the whole"})
	if r := w.sees(numberA, "A1", "B2"); r.Contacts != 4 || r.LastAgent.Agent != "ann" || !r.LastAgentAt.Equal(at(12)) {
		t.Errorf("contacts %d, last %+v", r.Contacts, r.LastAgent)
	}
	contact(12, "B2", "begun before, changed")
	flush(t, w.s)
	equal(t, "changed", noted(numberB), []string{"B2:begun before, changed", ":with the whole"})

	sent := customer.Interaction{ID: "post:1", Source: "post", Channel: "mail", Title: "letter", At: at(20)}
	got, err := w.s.SaveSent(t.Context(), store.Person{Customer: "B2"}, sent)
	ok(t, err)
	equal(t, "whose record shows it", got.Customer, "A1")
	sent.ID = "post:2"
	if got, err = w.s.SaveSent(t.Context(), store.Person{Number: ofAandB}, sent); err != nil || got.Customer != "A1" {
		t.Fatalf("by the number of both: %+v, %v", got, err)
	}
	_, _, mails, _ := shown(t, w.s, numberA)
	equal(t, "sent", mails[:2], []string{":letter", "B2:letter"})

	b := account("B2", "D. Whitcombe", 200, numberB, "+447700900409")
	b.Products[0].Name = "Fibre, faster"
	a := account("A1", "Dana Whitcombe-Hale", 100, numberA, ofAandB)
	ok(t, w.s.SaveCustomers(t.Context(), []customer.Record{b}))
	_, products, _, _ := shown(t, w.s, numberA)
	equal(t, "an import of the other", products, []string{":Fibre of A1", "B2:Fibre, faster"})
	ok(t, w.s.SaveCustomers(t.Context(), []customer.Record{a}))
	if r := w.sees("+447700900409", "A1", "B2"); r.Name != "Dana Whitcombe-Hale" || len(r.Products) != 2 {
		t.Errorf("an import of the whole: %+v", r)
	}
	ok(t, w.s.LinkNumber(t.Context(), "+447700900410", "B2", sue, at(30)))
	w.sees("+447700900410", "A1", "B2")
	ok(t, w.s.UnlinkNumber(t.Context(), "+447700900410", "A1", at(31)))
	w.sees("+447700900410")

	w.undo(m)
	equal(t, "of the one", noted(numberA), []string{":with the whole"})
	equal(t, "of the other", noted("+447700900409"), []string{":begun before, changed"})
	_, products, mails, r := shown(t, w.s, numberB)
	equal(t, "of the other", products, []string{":Fibre, faster"})
	equal(t, "of the other", mails[:1], []string{":letter"})
	if r.LastAgent == nil || r.Contacts != 3 {
		t.Errorf("of the other: %+v", r)
	}
}

// testMergeChains: who is merged into somebody who is merged is shown there, and what
// is undone in between leaves the rest.
func testMergeChains(t *testing.T, f Fixture) {
	w := mergeWorld(t, f)
	ba := w.merge("B2", "A1")
	cb := w.merge("C3", "B2")
	equal(t, "the whole", cb.Whole, "C3")
	for _, n := range []string{numberA, numberB, numberC, ofAandB} {
		w.sees(n, "C3", "A1", "B2")
	}
	refused := func(kept, other, code string) {
		t.Helper()
		_, err := w.s.Merge(t.Context(), kept, other, sue, at(1))
		var why *store.MergeRefused
		if !errors.As(err, &why) || why.Code != code {
			t.Errorf("%s into %s: %v, want %s", other, kept, err, code)
		}
	}
	refused("A1", "C3", "same") // a circle
	refused("A1", "A1", "same")
	refused("C3", "A1", "same")
	ok(t, w.s.SaveCustomers(t.Context(), []customer.Record{account("D4", "Dana", 400, "+447700900404")}))
	refused("D4", "A1", "merged")
	for _, ids := range [][2]string{{"C3", "nobody"}, {"nobody", "C3"}} {
		_, err := w.s.Merge(t.Context(), ids[0], ids[1], sue, at(1))
		missing(t, "somebody who is not there", err)
	}
	d := w.merge("A1", "D4") // of whom the record is C3's
	equal(t, "part of a part", d.Kept, "C3")
	w.undo(cb)
	w.sees(numberA, "B2", "A1")
	w.sees(numberC, "C3", "D4")
	w.undo(ba)
	w.sees(numberA, "A1")
	w.sees(numberB, "B2")
	if m, err := w.s.CheckMerge(t.Context(), "C3", "A1"); err != nil || m.Whole != "C3" {
		t.Errorf("checked: %+v, %v", m, err)
	}
	w.sees(numberA, "A1") // and not done
	many := make([]customer.Record, 0, 20)
	for i := range 20 {
		many = append(many, customer.Record{ID: fmt.Sprintf("E%d", i), Name: "Dana"})
	}
	ok(t, w.s.SaveCustomers(t.Context(), many))
	for i := range 19 {
		w.merge("E0", fmt.Sprintf("E%d", i+1))
	}
	refused("E0", "A1", "too_many")
	ok(t, w.s.KeepApart(t.Context(), "E0", "A1", sue, at(1)))
}

// testMergeErased: an erasure takes all that a person is along, whichever account is
// named, and an export has it.
func testMergeErased(t *testing.T, f Fixture) {
	w := mergeWorld(t, f)
	w.merge("A1", "B2")
	ok(t, w.s.KeepApart(t.Context(), "C3", "A1", sue, at(1)))
	call := story{w.s, w.s.NextCall()}
	w.s.Arrived(store.Arrival{Call: call.call, Trunk: "main", Number: numberB, Dialled: "+448081570142", At: T0})
	w.s.Identified(call.call, "B2")
	call.queued(2, "internet")
	call.ends(70, routing.Abandoned, routing.ByCaller, "")
	flush(t, w.s)
	who := store.Person{Customer: "B2"}
	got, err := w.s.Export(t.Context(), who)
	ok(t, err)
	if got.Customer == nil || got.Customer.ID != "A1" || len(got.Accounts) != 1 || got.Accounts[0].Record.ID != "B2" || got.Accounts[0].By != sue || len(got.Calls) != 1 ||
		!reflect.DeepEqual(got.Apart, []store.ExportedApart{{Customer: "A1", Other: "C3", By: sue, At: at(1)}}) {
		t.Errorf("exported: %s", show(got))
	}
	equal(t, "numbers", got.Numbers, []string{ofAandB, numberA, numberB})
	if _, err := w.s.EraseTraced(t.Context(), who, []string{"B2"}); !errors.Is(err, store.ErrOtherAccounts) {
		t.Errorf("traced before they were merged: %v", err)
	}
	w.sees(numberB, "A1", "B2")
	erased, err := w.s.Erase(t.Context(), who)
	ok(t, err)
	equal(t, "erased", erased, store.Erased{Customer: true, Accounts: 2, Calls: 1})
	for _, n := range []string{numberA, numberB, ofAandB} {
		w.sees(n)
	}
	w.sees(numberC, "C3")
	listed, err := w.s.Merges(t.Context(), 10)
	ok(t, err)
	equal(t, "merges", len(listed), 0)
	ok(t, w.s.SaveCustomers(t.Context(), []customer.Record{account("B2", "D. Whitcombe", 200, numberB)}))
	w.sees(numberB, "B2")
}

// testMergesAtOnce: of two who merge the same at once one does, and nobody is left
// whom no number leads to.
func testMergesAtOnce(t *testing.T, f Fixture) {
	w := mergeWorld(t, f)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var done []store.Merge
	for _, ids := range [][2]string{{"A1", "B2"}, {"B2", "A1"}, {"C3", "A1"}, {"A1", "C3"}, {"B2", "C3"}} {
		wg.Go(func() {
			m, err := w.s.Merge(t.Context(), ids[0], ids[1], sue, at(1))
			var why *store.MergeRefused
			if err != nil && !errors.As(err, &why) {
				t.Error(err)
			}
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				done = append(done, m)
			}
		})
	}
	wg.Go(func() {
		if err := w.s.SaveCustomers(t.Context(), []customer.Record{account("A1", "Dana", 700, numberA, ofAandB), account("B2", "Dana", 800, numberB)}); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	if len(done) == 0 {
		t.Fatal("nobody has merged anything")
	}
	whole, err := w.s.Accounts(t.Context(), done[0].Other)
	ok(t, err)
	for _, n := range []string{numberA, numberB, numberC} {
		ids, _, _, _ := shown(t, w.s, n)
		if len(ids) == 0 {
			t.Errorf("%s leads to nobody", n)
		}
		if slices.Contains(whole, ids[0]) && !slices.Equal(ids, whole) {
			t.Errorf("%s shows %v, want %v", n, ids, whole)
		}
	}
}

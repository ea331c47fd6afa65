package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// letter is what an outside system sends.
func letter(id string, days int) customer.Interaction {
	return customer.Interaction{
		ID: store.SentID("post", id), Source: "post", At: at(days), Channel: "mail", Title: "Moves in May", Detail: "asks what it costs",
		Topic: "moving", Agent: &customer.Colleague{Name: "Ola Berg"}, Links: []customer.Link{{Title: "letter.pdf", URL: "https://files.example.com/7"}},
	}
}

func send(t *testing.T, s *store.Store, who store.Person, i customer.Interaction) store.Sent {
	t.Helper()
	out, err := s.SaveSent(t.Context(), who, i)
	ok(t, err)
	return out
}

// What an outside system sends stands in the record at the next look-up, once
// however often it is sent, and no import removes it.
func testSent(t *testing.T, f Fixture) {
	s := open(t, f)
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{dana()}))
	who := store.Person{Customer: dana().ID}
	shows := func(when string, want customer.Interaction, contacts int) {
		t.Helper()
		r := find(t, s, "+447700900417").Record
		got := r.Interactions[0]
		if want.ChangedAt == nil && got.ChangedAt != nil {
			want.ChangedAt = got.ChangedAt
		}
		equal(t, when, got, want)
		equal(t, when+": contacts", r.Contacts, contacts)
		for _, i := range r.Interactions[1:] {
			if i.ID == want.ID {
				t.Fatalf("%s: it is there twice", when)
			}
		}
	}
	version := func() int64 { return find(t, s, "+447700900417").Record.Version }
	before := find(t, s, "+447700900417").Record
	i := letter("17", 3)
	equal(t, "by number", send(t, s, store.Person{Number: "+447700900417"}, i), store.Sent{Result: store.SentCreated, Revision: 1, Customer: dana().ID})
	shows("sent", i, before.Contacts+1)
	equal(t, "version", version(), before.Version+1)
	equal(t, "again", send(t, s, who, i), store.Sent{Result: store.SentSame, Revision: 1, Customer: dana().ID})
	equal(t, "version", version(), before.Version+1)

	for n, change := range []func(){
		func() { i.Title = "Moves in June" },
		func() { i.Links = nil },
		func() { i.At = at(4) }, // at another time
		func() { i.Kept, i.PromisedBy = ref(true), ref(at(5)) },
	} {
		change()
		equal(t, "changed", send(t, s, who, i), store.Sent{Result: store.SentReplaced, Revision: n + 2, Customer: dana().ID})
		shows(fmt.Sprint("changed ", n), i, before.Contacts+1)
		if got := find(t, s, "+447700900417").Record.Interactions[0].ChangedAt; got == nil || time.Since(*got) > time.Minute {
			t.Fatalf("changed at %v", got)
		}
	}
	last := version()
	changed := dana()
	changed.Name = "Dana Hale"
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{changed}))
	shows("after an import", i, before.Contacts+1)
	if now := version(); now <= last {
		t.Fatalf("the version went from %d to %d", last, now)
	}
	// Older than all that the record shows, it is counted.
	old := letter("1", -10_000)
	send(t, s, who, old)
	shows("an old one", i, before.Contacts+2)

	_, err := s.SaveSent(t.Context(), store.Person{Customer: "nobody"}, letter("2", 1))
	missing(t, "an unknown customer", err)
	_, err = s.SaveSent(t.Context(), store.Person{Number: "+447700900999"}, letter("2", 1))
	missing(t, "a number that nobody has", err)
}

// One that moves to another customer, or was an import's before, is there once.
func testSentMoves(t *testing.T, f Fixture) {
	s := open(t, f)
	both := "+441632960700"
	one := customer.Record{ID: "A", Name: "Ann", Numbers: append(number("+447700900001"), number(both)...), Interactions: []customer.Interaction{
		{ID: store.SentID("post", "3"), At: at(1), Channel: "mail", Title: "from the import"},
	}}
	two := customer.Record{ID: "B", Name: "Bob", Numbers: append(number("+447700900002"), number(both)...)}
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{one, two}))
	has := func(when, id string, titles ...string) {
		t.Helper()
		r, err := s.Customer(t.Context(), id)
		ok(t, err)
		var got []string
		for _, i := range r.Interactions {
			got = append(got, i.Title)
		}
		equal(t, when+": "+id, got, titles)
		equal(t, when+": contacts of "+id, r.Contacts, len(titles))
	}
	var several *store.SeveralError
	if _, err := s.SaveSent(t.Context(), store.Person{Number: both}, letter("3", 2)); !errors.As(err, &several) || several.Customers != 2 {
		t.Fatalf("a number of two: %v", err)
	}
	has("nothing yet", "A", "from the import")
	equal(t, "in the place of the import's", send(t, s, store.Person{Customer: "A"}, letter("3", 2)).Result, store.SentCreated)
	has("sent", "A", "Moves in May")
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{{ID: "A", Name: "Ann B", Numbers: one.Numbers, Interactions: one.Interactions}}))
	has("imported again", "A", "Moves in May")
	equal(t, "moved", send(t, s, store.Person{Customer: "B"}, letter("3", 2)), store.Sent{Result: store.SentReplaced, Revision: 2, Customer: "B", Before: "A"})
	has("moved", "A")
	has("moved", "B", "Moves in May")
	equal(t, "and back", send(t, s, store.Person{Customer: "A"}, letter("3", 2)).Revision, 3)
	has("back", "A", "Moves in May")
	has("back", "B")
}

// The same sent several times at once is written once, and what comes while its
// customer is being erased is gone with him.
func testSentAtOnce(t *testing.T, f Fixture) {
	s := open(t, f)
	who := store.Person{Customer: "A"}
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{{ID: "A", Name: "Ann", Numbers: number("+447700900001")}}))
	var all sync.WaitGroup
	results := make(chan string, 8)
	for range cap(results) {
		all.Go(func() {
			out, err := s.SaveSent(t.Context(), who, letter("3", 2))
			if err != nil {
				t.Error(err)
			}
			results <- out.Result
		})
	}
	all.Wait()
	close(results)
	counted := map[string]int{}
	for r := range results {
		counted[r]++
	}
	equal(t, "what became of them", counted, map[string]int{store.SentCreated: 1, store.SentSame: cap(results) - 1})

	begun := make(chan struct{}, 4)
	for n := range cap(begun) {
		all.Go(func() {
			for k := range 100 {
				_, err := s.SaveSent(t.Context(), who, letter(fmt.Sprint(n, "-", k), k))
				if errors.Is(err, store.ErrNotFound) {
					break // he is gone
				}
				if err != nil {
					t.Error(err)
				}
				if k == 3 {
					begun <- struct{}{}
				}
			}
		})
	}
	<-begun
	_, err := s.Erase(t.Context(), who)
	ok(t, err)
	all.Wait()
	kept, err := s.Export(t.Context(), who)
	ok(t, err)
	if kept.Customer != nil || len(kept.Contacts) > 0 {
		t.Fatalf("left of him: %s", show(kept))
	}
}

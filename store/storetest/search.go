package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/customer/fulltext"
	"github.com/cordboard/cordboard/store"
)

// searched are the ids of what is found, all pages, the newest first.
func searched(t *testing.T, s *store.Store, words string, in store.Search) (ids []string) {
	t.Helper()
	q, err := fulltext.Parse(words)
	ok(t, err)
	in.Query = q
	if in.Most == 0 {
		in.Most = 50
	}
	for pages := 0; ; pages++ {
		found, err := s.Search(t.Context(), in)
		ok(t, err)
		for _, h := range found.Hits {
			ids = append(ids, h.Interaction.ID)
		}
		if found.Next == "" {
			return ids
		}
		if pages > 100 {
			t.Fatal("the pages do not end")
		}
		in.After = found.Next
	}
}

func talked(id string, days int, title, detail, note string) customer.Interaction {
	return customer.Interaction{ID: id, At: at(days), Channel: "call", Title: title, Detail: detail, Note: note}
}

func withHistory(id, number, name string, all ...customer.Interaction) customer.Record {
	return customer.Record{ID: id, Name: name, Numbers: []customer.Number{{E164: number}}, Interactions: all}
}

// Interactions of everybody's are found by their words in four languages, the newest
// first, page by page; what is written anew, moves or goes is not found as it was.
func testSearch(t *testing.T, f Fixture) {
	s := open(t, f)
	anna := withHistory("S-1", "+447700900801", "Anna Reed",
		talked("a1", -3, "Router", "restarted twice", "drops since Monday"),
		talked("a2", -9, "Invoice", "of March was wrong", ""),
		talked("a3", -5, "Неверный счёт", "", "перезвонить после переезда"),
	)
	boris := withHistory("S-2", "+447700900802", "Boris Hill",
		talked("b1", -4, "Сметката", "за ноември е грешна", ""),
		talked("b2", -7, "宽带", "晚上经常掉线", ""),
		talked("b3", -1, "Routers", "asks what they cost", ""),
	)
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{anna, boris}))
	found, err := s.Search(t.Context(), store.Search{Query: mustParse(t, "router"), Most: 50})
	ok(t, err)
	equal(t, "before they are indexed", [2]int{len(found.Hits), found.Waiting}, [2]int{0, 6})
	ok(t, s.Indexed(t.Context()))
	all := store.Search{}
	look := func(in store.Search, words string, want ...string) {
		t.Helper()
		if got := searched(t, s, words, in); !slices.Equal(got, want) {
			t.Errorf("%q of %q: %q, want %q", words, in.Customer, got, want)
		}
	}
	look(all, "router", "b3", "a1")
	look(all, "ROUTER restarted", "a1")
	look(all, `"restarted twice"`, "a1")
	look(all, `"twice restarted"`)
	look(all, "router -cost", "a1")
	look(all, "счета", "a3")
	look(all, "сметка", "b1")
	look(all, "掉线", "b2")
	look(all, "invoices", "a2")
	look(all, "modem")
	look(store.Search{Customer: "S-1"}, "router", "a1")
	look(store.Search{Customer: "S-2"}, "router", "b3")
	look(store.Search{Since: at(-3)}, "router", "b3", "a1")
	look(store.Search{Since: at(-2)}, "router", "b3")
	look(store.Search{Until: at(-3)}, "router")
	look(store.Search{Until: at(-3).Add(time.Microsecond)}, "router", "a1")
	look(store.Search{Most: 1}, "router", "b3", "a1")
	for _, customer := range []string{"", "S-1"} {
		if _, err := s.Search(t.Context(), store.Search{Query: mustParse(t, "a"), Customer: customer, After: "nonsense?", Most: 5}); !errors.Is(err, store.ErrBadPlace) {
			t.Errorf("a place that is none: %v", err)
		}
	}
	found, err = s.Search(t.Context(), store.Search{Query: mustParse(t, "restarted"), Most: 50})
	ok(t, err)
	equal(t, "whose", [2]string{found.Hits[0].Customer, found.Hits[0].Name}, [2]string{"S-1", "Anna Reed"})

	// The source says it anew: one is as it was, one is changed, one is gone.
	anna.Interactions = []customer.Interaction{anna.Interactions[0], talked("a2", -9, "Invoice", "of April was wrong", "")}
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{anna}))
	ok(t, s.Indexed(t.Context()))
	look(all, "router", "b3", "a1")
	look(all, "March")
	look(all, "April", "a2")
	look(all, "счета")

	// What a system has sent moves to somebody else, with other words.
	sent := letter("9", -2)
	send(t, s, store.Person{Customer: "S-1"}, sent)
	look(store.Search{Customer: "S-1"}, "costs", sent.ID) // at once
	ok(t, s.Indexed(t.Context()))
	look(all, "costs", "b3", sent.ID)
	sent.Detail = "asks about the garden"
	send(t, s, store.Person{Customer: "S-2"}, sent)
	ok(t, s.Indexed(t.Context()))
	look(all, "costs", "b3")
	look(store.Search{Customer: "S-2"}, "garden", sent.ID)
	look(store.Search{Customer: "S-1"}, "garden")

	// Whoever is merged is searched with the other, and gone once erased.
	_, err = s.Merge(t.Context(), "S-2", "S-1", customer.Colleague{Agent: "lead"}, at(0))
	ok(t, err)
	look(store.Search{Customer: "S-1"}, "router", "b3", "a1")
	look(store.Search{Customer: "S-2"}, "router", "b3", "a1")
	_, err = s.Erase(t.Context(), store.Person{Customer: "S-1"})
	ok(t, err)
	look(all, "router")
	look(all, "April")
}

// What many have at one instant is all found, in pages, and so is what an agent has
// just written.
func testSearchMany(t *testing.T, f Fixture) {
	s := open(t, f)
	const customers, each = 6, 70
	for c := range customers {
		var all []customer.Interaction
		for i := range each {
			all = append(all, talked(fmt.Sprintf("n%d", i), 0, "Outage", strings.Repeat("x", i%3), ""))
		}
		ok(t, s.SaveCustomers(t.Context(), []customer.Record{withHistory(fmt.Sprintf("M-%d", c), fmt.Sprintf("+4477009008%02d", 20+c), "", all...)}))
	}
	ok(t, s.Indexed(t.Context()))
	equal(t, "everybody's", len(searched(t, s, "outages", store.Search{Most: 33})), customers*each)
	equal(t, "some", len(searched(t, s, "outage xx", store.Search{Most: 7})), customers*(each/3))
	equal(t, "one's", len(searched(t, s, "outage", store.Search{Customer: "M-3", Most: 9})), each)
	s.SaveContact(store.Contact{Call: 1, Attempt: 1, Customer: "M-3", At: at(1), Note: "gone to the garage", Talk: time.Minute, Agent: "priya", Topic: "outage"})
	equal(t, "just written", len(searched(t, s, "garage", store.Search{Customer: "M-3"})), 1)
	ok(t, s.Flush(t.Context()))
	equal(t, "written", len(searched(t, s, "garage", store.Search{Customer: "M-3"})), 1)
	ok(t, s.Indexed(t.Context()))
	equal(t, "indexed", len(searched(t, s, "garages", store.Search{})), 1)
}

func mustParse(t *testing.T, words string) *fulltext.Query {
	t.Helper()
	q, err := fulltext.Parse(words)
	ok(t, err)
	return q
}

package storetest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/customer/permission"
	"github.com/cordboard/cordboard/store"
)

func word(purpose permission.Purpose, state permission.State, days int) store.Consent {
	return store.Consent{Said: permission.Said{Purpose: purpose, Channel: permission.Call, State: state, At: at(days)}}
}

// testConsents: what customers say is added and never changed; a source may repeat
// itself, and an import and another source take nothing of it.
func testConsents(t *testing.T, f Fixture) {
	s := open(t, f)
	people := []customer.Record{{ID: "P1", Name: "Dana Hale", Numbers: number("+447700900417")}, {ID: "P2", Name: "Ola Berg", Numbers: number("+447700900418")}}
	ok(t, s.SaveCustomers(t.Context(), people))
	first := word(permission.Offer, permission.Given, -30)
	first.Source, first.SourceID, first.Evidence, first.Expires = "crm", "7", "form 7", at(300)
	first.By = &customer.Colleague{Name: "Jo Lunt"}
	save := func(who store.Person, c store.Consent, created bool) {
		t.Helper()
		id, fresh, err := s.SaveConsent(t.Context(), who, c)
		ok(t, err)
		if id != "P1" || fresh != created {
			t.Fatalf("of %s, created %v", id, fresh)
		}
	}
	save(store.Person{Number: "+447700900417"}, first, true)
	save(store.Person{Customer: "P1"}, first, false) // no answer came, once more
	other := first
	other.State = permission.Withdrawn
	for _, c := range []struct {
		id string
		c  store.Consent
	}{{"P1", other}, {"P2", first}} {
		if _, _, err := s.SaveConsent(t.Context(), store.Person{Customer: c.id}, c.c); !errors.Is(err, store.ErrConsentChanged) {
			t.Errorf("something else under the same id: %v", err)
		}
	}
	byAgent := word(permission.Any, permission.Withdrawn, 0)
	byAgent.By = &customer.Colleague{Agent: "ann", Name: "Ann Ferris"}
	save(store.Person{Customer: "P1"}, byAgent, true)
	save(store.Person{Customer: "P1"}, byAgent, true) // he says it twice
	people[0].Version, people[0].Segment = 9, "gold"
	ok(t, s.SaveCustomers(t.Context(), people))
	got, err := s.Consents(t.Context(), "P1")
	ok(t, err)
	for i := range got {
		if got[i].WrittenAt.IsZero() {
			t.Error("nobody knows when it was written")
		}
		got[i].WrittenAt = time.Time{}
	}
	equal(t, "consents", got, []store.Consent{byAgent, byAgent, first})
	_, _, err = s.SaveConsent(t.Context(), store.Person{Number: "+447700900999"}, first)
	missing(t, "consent of nobody", err)
}

// testPermissionMerged: who is one with another has said what both said, is contacted no
// more often than one, and is erased with all of it.
func testPermissionMerged(t *testing.T, f Fixture) {
	s := open(t, f)
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{{ID: "M1", Name: "Dana Hale", Numbers: number("+447700900611")}, {ID: "M2", Name: "D. Hale", Numbers: number("+447700900612")}}))
	said := word(permission.Offer, permission.Refused, -3)
	said.Source, said.SourceID = "crm", "77"
	_, _, err := s.SaveConsent(t.Context(), store.Person{Customer: "M2"}, said)
	ok(t, err)
	asks := func(id string) int {
		n := 0
		_, err := s.Decide(t.Context(), store.ContactDecision{Customer: id, Contact: permission.Contact{Purpose: permission.Survey, Channel: permission.Post, At: T0}}, time.Hour, func(before []time.Time) permission.Decision {
			n = len(before)
			return permission.Decision{Allowed: true, Reason: permission.Allowed}
		})
		ok(t, err)
		return n
	}
	if n := asks("M1") + asks("M2"); n != 0 {
		t.Errorf("two people have %d contacts", n)
	}
	_, err = s.Merge(t.Context(), "M1", "M2", customer.Colleague{Agent: "sue"}, at(0))
	ok(t, err)
	if n := asks("M1"); n != 2 {
		t.Errorf("one has %d contacts, want 2", n)
	}
	if n := asks("M2"); n != 3 {
		t.Errorf("the other account has %d contacts, want 3", n)
	}
	words, err := s.Consents(t.Context(), "M1")
	ok(t, err)
	if len(words) != 1 || words[0].State != permission.Refused {
		t.Errorf("one has said %+v", words)
	}
	if _, created, err := s.SaveConsent(t.Context(), store.Person{Number: "+447700900612"}, said); err != nil || created {
		t.Errorf("said again: created %v, %v", created, err)
	}
	_, err = s.Erase(t.Context(), store.Person{Customer: "M1"})
	ok(t, err)
	for _, n := range []string{"+447700900611", "+447700900612"} {
		if objected, err := s.Suppressed(t.Context(), n); err != nil || !objected {
			t.Errorf("%s: objected %v, %v", n, objected, err)
		}
	}
	if n := asks("M1"); n != 0 {
		t.Errorf("%d contacts are left of who was erased", n)
	}
}

// testDecisions: each decision is a row, an allowed one a contact; nobody is contacted
// more often than he may be, whoever asks at once; a repeated question has the answer
// it had.
func testDecisions(t *testing.T, f Fixture) {
	s := open(t, f)
	const day, number = 24 * time.Hour, "+447700900417"
	twice := &permission.Policy{Rules: map[permission.Purpose]permission.Rule{permission.Offer: {Most: []permission.AtMost{{Contacts: 2, Within: day}}}}}
	ask := func(d store.ContactDecision) (store.ContactDecision, error) {
		if d.Purpose == "" {
			d.Purpose = permission.Offer
		}
		d.Channel = permission.Mail
		if d.At.IsZero() {
			d.At = T0
		}
		d.Rules = "v1"
		return s.Decide(t.Context(), d, twice.Remembers(d.Purpose), func(before []time.Time) permission.Decision {
			return twice.Decide(d.Contact, permission.Facts{Before: before})
		})
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	allowed := 0
	for range 6 { // of one customer, by id and by number
		all.Go(func() {
			d, err := ask(store.ContactDecision{Source: "crm", Customer: "P1", Number: number})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			if d.Allowed {
				allowed++
			} else if d.Reason != permission.TooOften || !d.NotBefore.Equal(T0.Add(day)) || d.ID == 0 {
				t.Errorf("refused: %+v", d)
			}
		})
	}
	all.Wait()
	if allowed != 2 {
		t.Fatalf("%d contacts of 2", allowed)
	}
	reason := func(d store.ContactDecision, want string) {
		t.Helper()
		got, err := ask(d)
		ok(t, err)
		if got.Reason != want {
			t.Errorf("%s, want %s: %+v", got.Reason, want, got)
		}
	}
	reason(store.ContactDecision{Number: number}, permission.TooOften) // the same telephone
	reason(store.ContactDecision{Customer: "P2"}, permission.Allowed)
	reason(store.ContactDecision{Customer: "P1", Contact: permission.Contact{At: T0.Add(day + time.Second)}}, permission.Allowed)
	reason(store.ContactDecision{Customer: "P1", Contact: permission.Contact{Purpose: permission.Survey}}, permission.Allowed)
	reason(store.ContactDecision{}, permission.Allowed) // nobody's
	reason(store.ContactDecision{}, permission.Allowed)
	reason(store.ContactDecision{}, permission.Allowed)

	first, err := ask(store.ContactDecision{Source: "crm", SourceID: "9", Customer: "P3"})
	ok(t, err)
	again, err := ask(store.ContactDecision{Source: "crm", SourceID: "9", Customer: "P3"})
	ok(t, err)
	equal(t, "asked again", again, first)
	if _, err := ask(store.ContactDecision{Source: "crm", SourceID: "9", Customer: "P2"}); !errors.Is(err, store.ErrDecisionChanged) {
		t.Errorf("another under the same id: %v", err)
	}
	reason(store.ContactDecision{Source: "shop", SourceID: "9", Customer: "P2"}, permission.Allowed)
}

// testDoNotCall: a list is replaced as a whole; what an import that was cut off has
// written is never in force, and gone with the next.
func testDoNotCall(t *testing.T, f Fixture) {
	s := open(t, f)
	load := func(list string, numbers ...int64) {
		t.Helper()
		told := 0
		ok(t, s.ImportDoNotCall(t.Context(), list, numbers, func(n int) { told = n }))
		if told != len(numbers) {
			t.Errorf("%d of %d told", told, len(numbers))
		}
	}
	on := func(number, want string) {
		t.Helper()
		got, err := s.Listed(t.Context(), "+447700900999", number)
		ok(t, err)
		if got != want {
			t.Errorf("%s is on %q, want %q", number, got, want)
		}
	}
	on("+447700900417", "")
	var many []int64
	for n := range int64(10_001) { // one more than a slice
		many = append(many, 447700910000+n)
	}
	load("tps", append([]int64{447700900417}, many...)...)
	load("office", 447700900418)
	on("+447700900417", "tps")
	on("+447700920000", "tps")
	on("+447700900418", "office")
	lists, err := s.DoNotCallLists(t.Context())
	ok(t, err)
	if len(lists) != 2 || lists[1].Name != "tps" || lists[1].Numbers != 10_002 || time.Since(lists[1].Imported) > time.Hour {
		t.Errorf("%+v", lists)
	}
	// Another import of the same list begins meanwhile.
	err = s.ImportDoNotCall(t.Context(), "tps", many, func(n int) {
		if n == 10_000 {
			load("tps", 447700900419)
		}
	})
	if !errors.Is(err, store.ErrOtherImport) {
		t.Errorf("two imports at once: %v", err)
	}
	on("+447700900417", "")
	on("+447700900419", "tps")
	on("+447700910000", "")
	load("tps", 447700900420)
	on("+447700900419", "")
	ok(t, s.RemoveDoNotCall(t.Context(), "tps"))
	on("+447700900420", "")
	missing(t, "a list", s.RemoveDoNotCall(t.Context(), "tps"))
	load("tps", 447700900421)
	on("+447700900421", "tps")
}

// testErasePermission: what was said goes, of what was decided that there was
// something; who objected is known by his number's hash, and nobody else.
func testErasePermission(t *testing.T, f Fixture) {
	s := open(t, f)
	ids := []string{"E1", "E2", "E3"}
	for i, id := range ids {
		e164 := "+44770090060" + string(rune('0'+i))
		ok(t, s.SaveCustomers(t.Context(), []customer.Record{{ID: id, Name: "N " + id, DoNotCall: id == "E2", Numbers: append(number(e164), customer.Number{E164: "+441632960600"})}}))
		c := word(permission.Offer, permission.Given, 0)
		if id == "E1" {
			_, _, err := s.SaveConsent(t.Context(), store.Person{Customer: id}, c)
			ok(t, err)
			c.State, c.At = permission.Withdrawn, at(1)
		}
		_, _, err := s.SaveConsent(t.Context(), store.Person{Customer: id}, c)
		ok(t, err)
		_, err = s.Decide(t.Context(), store.ContactDecision{Source: "crm", SourceID: id, Customer: id, Number: e164, Contact: permission.Contact{Purpose: permission.Offer, Channel: permission.Call, At: T0}},
			0, func([]time.Time) permission.Decision { return permission.Decision{Reason: permission.NotAsked} })
		ok(t, err)
	}
	for i, id := range ids {
		who := store.Person{Customer: id}
		kept, err := s.Export(t.Context(), who)
		ok(t, err)
		if len(kept.Consents) == 0 || len(kept.Decisions) != 1 || kept.Decisions[0].Reason != permission.NotAsked {
			t.Errorf("%s: exported %+v", id, kept)
		}
		_, err = s.Erase(t.Context(), who)
		ok(t, err)
		left, err := s.Consents(t.Context(), id)
		ok(t, err)
		objected, err := s.Suppressed(t.Context(), "+44770090060"+string(rune('0'+i)))
		ok(t, err)
		if len(left) > 0 || objected != slices.Contains([]string{"E1", "E2"}, id) {
			t.Errorf("%s: %d words are left, objected: %v", id, len(left), objected)
		}
	}
	for _, n := range []string{"+441632960600", "+447700900609"} { // of E3 in the end, who has not objected
		objected, err := s.Suppressed(t.Context(), n)
		ok(t, err)
		if objected {
			t.Errorf("%s is nobody's who has objected", n)
		}
	}
}

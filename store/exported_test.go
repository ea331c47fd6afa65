package store_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/customer/permission"
	"github.com/cordboard/cordboard/store"
)

// notExported are cells that an erasure removes and an export leaves out, each with
// the reason. All other cells that go are in the export.
var notExported = map[string]string{
	"customers.key": "where the row lies", "customer_numbers.key": "the same",
	"customers.source_hash": "tells whether an import has changed him", "customers.changed_at": "of the row", "customers.version": "counts the writes since the export",
	"customers.record": "made of the tables", "customers.history": "made of the tables", "customers.earlier": "in the count of contacts",
	"customers.doc_version": "of the record in one piece", "customers.doc_contacts": "the same", "customers.doc_own": "the same", "customers.doc_added": "the same",
	"customer_numbers.ord": "an order, kept", "products.ord": "an order, kept",
	"message_sounds.wav": "where it is, is said", "message_sounds.call": "the same",
	"interactions.attempt": "part of the id of a talk", "interactions.revision": "counts what was replaced, which is gone", "counters.value": "of the store, and of nobody", "consents.id": "an order",
}

// TestExportHasAllThatEraseRemoves: what is in the database before an erasure and not
// after it was in the export, whatever the table: one that erase comes to know has
// to be in the export too.
func TestExportHasAllThatEraseRemoves(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]store.Options{"SQLite": {Path: filepath.Join(t.TempDir(), "cordboard.db")}, "Postgres": {Postgres: pg.Database(t)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openWith(t, o)
			defer func() { _ = s.Close() }()
			who := fillPerson(t, s)
			for _, who := range []store.Person{{Number: "+447700900777"}, who} {
				before := cells(t, s)
				kept, err := s.Export(t.Context(), who)
				if err != nil {
					t.Fatal(err)
				}
				if now := cells(t, s); fmt.Sprint(now) != fmt.Sprint(before) {
					t.Error("an export changes something")
				}
				if _, err := s.Erase(t.Context(), who); err != nil {
					t.Fatal(err)
				}
				gone := compare(t, before, cells(t, s), said(t, kept))
				for _, table := range append(store.OfCustomer(), "customer_merges", "customers_apart") {
					if who.Customer != "" && !gone[table] {
						t.Errorf("nothing of %s was erased: this test has too little of the person", table)
					}
				}
				if !gone["contact_decisions"] || !gone["calls"] || !gone["interactions"] || who.Customer != "" && (!gone["messages"] || !gone["message_sounds"]) {
					t.Errorf("%+v: only %v were erased", who, gone)
				}
			}
		})
	}
}

// fillPerson stores a customer of whom every table has something, and calls.
func fillPerson(t *testing.T, s *store.Store) store.Person {
	t.Helper()
	r := store.FullRecord()
	if err := s.SaveCustomers(t.Context(), []customer.Record{{ID: "C-9", Name: "Ola Berg"}, r}); err != nil {
		t.Fatal(err)
	}
	at := time.UnixMicro(1_790_000_777_000_222).UTC()
	for i, from := range []string{r.Numbers[0].E164, "+447700900777", r.Numbers[0].E164} {
		call := s.NextCall()
		s.Arrived(store.Arrival{Call: call, Trunk: "main", Number: from, Dialled: "+448081570142", At: at})
		of := r.ID
		if i > 0 {
			of = "" // nobody knew
		} else {
			s.Identified(call, of)
			s.CallBackAt(call, "+447700900888")
			err := s.SaveMessage(t.Context(), store.Message{Call: call, Mailbox: "office", Queue: "night", Language: "bg", LeftAt: at, Length: 7 * time.Second}, []byte("sound"))
			if err != nil {
				t.Fatal(err)
			}
		}
		s.SaveContact(store.Contact{
			Call: call, Attempt: 1, Customer: of, Agent: "ann", Queue: "internet", Topic: fmt.Sprintf("topic %d", i), At: at.Add(time.Duration(i) * time.Hour),
			Talk: time.Duration(100+i) * time.Second, Note: fmt.Sprintf("note %d", i), Disposition: fmt.Sprintf("done_%d", i), Detail: "ticket_id: T-17",
		})
		if i > 0 {
			s.Do(at.Add(time.Minute), []routing.Action{routing.EndCall{Call: call, Outcome: routing.Abandoned, By: routing.ByCaller}})
		}
	}
	for i := range 60 { // more than a desk shows
		s.SaveContact(store.Contact{Call: routing.CallID(1000 + i), Attempt: 1, Customer: r.ID, Agent: "ann", At: at.Add(-time.Duration(i) * time.Hour), Note: fmt.Sprintf("earlier note %d", i)})
	}
	for i, number := range []string{r.Numbers[0].E164, "+447700900999"} {
		if err := s.LinkNumber(t.Context(), number, r.ID, customer.Colleague{Agent: "bob", Name: "Bob Ure"}, at.Add(time.Duration(i)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	sent := r.Interactions[0]
	sent.ID, sent.Source, sent.Links, sent.ChangedAt = "post:77", "post", []customer.Link{{Title: "photo", URL: "https://files.example.com/photo"}}, nil
	for _, title := range []string{"first", "replaced"} {
		sent.Title = title
		if _, err := s.SaveSent(t.Context(), store.Person{Customer: r.ID}, sent); err != nil {
			t.Fatal(err)
		}
	}
	said := permission.Said{Purpose: permission.Survey, Channel: permission.SMS, State: permission.Refused, At: at.Add(-time.Hour), Expires: at.Add(9 * time.Hour)}
	_, _, err := s.SaveConsent(t.Context(), store.Person{Customer: r.ID}, store.Consent{
		Said: said, Source: "crm", SourceID: "said-8", By: &customer.Colleague{Agent: "cat", Name: "Cat Ode"}, Evidence: "letter of 3 May",
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range []store.ContactDecision{{Customer: r.ID, Number: r.Numbers[0].E164}, {Number: "+447700900777"}} {
		d.Source, d.SourceID, d.Rules = "dialler", fmt.Sprintf("asks-%d", i), "rules-3"
		d.Contact = permission.Contact{Purpose: permission.Offer, Channel: permission.Call, At: at.Add(5 * time.Hour)}
		_, err := s.Decide(t.Context(), d, 0, func([]time.Time) permission.Decision {
			return permission.Decision{Reason: permission.QuietHours, NotBefore: at.Add(7 * time.Hour), Weighed: []permission.Weighed{{What: "hours", Is: "night"}}}
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	mergedPerson(t, s, r.ID)
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store.Person{Customer: r.ID}
}

func cells(t *testing.T, s *store.Store) map[string]map[any]int {
	t.Helper()
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	out, err := store.Cells(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// mergedPerson merges another account into a person's, and notes that somebody is
// another.
func mergedPerson(t *testing.T, s *store.Store, id string) {
	t.Helper()
	at := time.UnixMicro(1_790_000_999_000_333).UTC()
	other := store.FullRecord()
	other.ID, other.Name, other.Segment, other.Numbers[0].E164 = "LW-2", "D. Whitcombe", "silver", "+447700900998"
	if err := s.SaveCustomers(t.Context(), []customer.Record{other}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Merge(t.Context(), id, other.ID, customer.Colleague{Agent: "sue", Name: "Sue Marsh"}, at); err != nil {
		t.Fatal(err)
	}
	if err := s.KeepApart(t.Context(), id, "C-9", customer.Colleague{Agent: "tim", Name: "Tim Ash"}, at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
}

// said are all texts, numbers and instants (in microseconds) of an export.
func said(t *testing.T, kept store.Exported) map[any]bool {
	t.Helper()
	text, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	out := map[any]bool{}
	for token := range tokens(t, text) {
		out[token] = true
		switch v := token.(type) {
		case string:
			if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
				out[at.UnixMicro()] = true
			}
		case int64: // of a time.Duration
			out[v/int64(time.Millisecond)] = true
		}
	}
	return out
}

// tokens are the texts and numbers of JSON, keys too.
func tokens(t *testing.T, text []byte) map[any]bool {
	t.Helper()
	out := map[any]bool{}
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	for {
		token, err := in.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		switch v := token.(type) {
		case string:
			out[v] = true
		case json.Number:
			n, err := v.Int64()
			if err != nil {
				t.Fatal(err)
			}
			out[n] = true
		}
	}
}

// compare says of which tables something has gone, and fails where that was not
// said.
func compare(t *testing.T, before, after map[string]map[any]int, said map[any]bool) (gone map[string]bool) {
	t.Helper()
	gone = map[string]bool{}
	for cell, values := range before {
		table, _, _ := strings.Cut(cell, ".")
		for v, n := range values {
			if after[cell][v] >= n {
				continue
			}
			gone[table] = true
			if notExported[cell] != "" || slices.Contains([]any{nil, "", int64(0), int64(1)}, v) { // flags are in the record or not
				continue
			}
			leaves := map[any]bool{v: true}
			if text, is := v.(string); is && strings.ContainsAny(text[:1], "[{") {
				leaves = tokens(t, []byte(text))
			}
			for leaf := range leaves {
				if !said[leaf] {
					t.Errorf("%s: %v was erased, and was not in the export", cell, leaf)
				}
			}
		}
	}
	return gone
}

package store

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// TestContactLeavesTheDocument: a contact does not touch its customer's document,
// one that is saved again touches no more of it than it must, and it counts all
// the same; it does not when something else has changed with the contact.
func TestContactLeavesTheDocument(t *testing.T) {
	t.Parallel()
	s := opened(t, Options{Path: filepath.Join(t.TempDir(), "cordboard.db")})
	r := fullRecord()
	if err := s.SaveCustomers(t.Context(), []customer.Record{r}); err != nil {
		t.Fatal(err)
	}
	c := Contact{Call: 5, Attempt: 1, Customer: r.ID, Agent: "priya", Queue: "care", At: r.Interactions[0].At.AddDate(0, 0, 1)}
	save := func(change func(c *Contact)) storedRecord {
		t.Helper()
		change(&c)
		s.SaveContact(c)
		flushed(t, s)
		read, _, err := s.documents(t.Context(), qDocumentByID, []any{r.ID})
		if err != nil || len(read) != 1 {
			t.Fatalf("%d documents, %v", len(read), err)
		}
		return read[0]
	}
	// whole is the record as the document and what came since say it.
	whole := func(when string, d storedRecord) {
		t.Helper()
		tables, _, err := s.assemble(t.Context(), r.ID, maxInteractions)
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.read()
		if err != nil || !d.there {
			t.Fatalf("%s: the document counts %v, %v", when, d.there, err)
		}
		if since := d.now - d.version; since > 0 {
			if all, err := s.addSince(t.Context(), &d, &got, since); err != nil || !all {
				t.Fatalf("%s: added whole %v, %v", when, all, err)
			}
		}
		if !reflect.DeepEqual(got.Interactions, tables.Interactions) || got.Contacts != tables.Contacts || got.Version != tables.Version {
			t.Errorf("%s: the document has\n%+v\nthe tables have\n%+v", when, got, tables)
		}
	}
	old := save(func(c *Contact) { c.Customer = "LW-2" })
	if d := save(func(c *Contact) { c.Call, c.Customer = 6, r.ID }); !reflect.DeepEqual(d.document, old.document) {
		t.Errorf("a new contact changed the document from\n%+v\nto\n%+v", old.document, d.document)
	} else {
		whole("a new contact", d)
	}
	d := save(func(c *Contact) { c.Note = "a date is wanted" })
	if d.history != old.history || d.version != old.version+1 || d.own != 0 {
		t.Errorf("a note to a contact that the document has not seen: %+v", d.document)
	}
	whole("a note", d)

	tables, own, err := s.assemble(t.Context(), r.ID, maxInteractions)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := documentOf(&tables, own)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.keepDocuments(t.Context(), []document{seen}); err != nil {
		t.Fatal(err)
	}
	d = save(func(c *Contact) { c.Note = "the 4th" })
	if d.own != 1 || !strings.HasPrefix(d.history, `{"id":"call-6-1"`) || strings.Count(d.history, "call-6-1") != 2 {
		t.Errorf("a note to a contact that the document has seen: %+v", d.document)
	}
	whole("another note", d)

	if d := save(func(c *Contact) { c.At = c.At.AddDate(0, 0, -9) }); d.there {
		t.Error("the contact was at another time, and the document counts")
	}
	if err := s.keepDocuments(t.Context(), []document{{customer: r.ID, version: d.now + 1, own: 1, record: d.record, history: d.history}}); err != nil {
		t.Fatal(err)
	}
	if d := save(func(c *Contact) { c.Call = 5 }); d.there { // it was somebody else's
		t.Error("a contact has moved here, and the document counts")
	}
}

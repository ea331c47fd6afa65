package store

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
)

// TestWrittenWhileRead: a contact that is written after a look-up has read the
// database, and before it asks what is unwritten, is in its answer.
func TestWrittenWhileRead(t *testing.T) {
	var o overlay
	o.init()
	c := Contact{Call: 1, Attempt: 1, Customer: "LW-1"}
	o.add(c)
	early := o.begin()
	o.written([]Contact{c})
	late := o.begin()
	if got := o.of("LW-1"); len(got) != 1 {
		t.Fatalf("a look-up misses what was written while it read: %v", got)
	}
	o.end(early)
	if got := o.of("LW-1"); len(got) != 0 || len(o.gone)+len(o.own) != 0 {
		t.Fatalf("no look-up has begun before it was written, and it is still there: %v", got)
	}
	noted := c
	noted.Note = "Wants a date."
	o.add(noted)
	o.written([]Contact{c})
	o.end(late)
	if got := o.of("LW-1"); len(got) != 1 || got[0] != noted {
		t.Fatalf("what was saved anew is gone with what was written: %v", got)
	}
}

// TestLookupsBesideBacklog: what a look-up costs does not depend on how many
// contacts of others wait for the database.
func TestLookupsBesideBacklog(t *testing.T) {
	s := opened(t, Options{Path: filepath.Join(t.TempDir(), "cordboard.db")})
	if err := s.SaveCustomers(t.Context(), []customer.Record{{ID: "LW-1", Name: "Dana Whitcombe"}}); err != nil {
		t.Fatal(err)
	}
	look := func() {
		if _, err := s.Customer(t.Context(), "LW-1"); err != nil {
			t.Fatal(err)
		}
	}
	before := testing.AllocsPerRun(5, look)
	for call := range routing.CallID(5000) {
		s.pending.add(Contact{Call: call, Attempt: 1, Customer: fmt.Sprintf("LW-%d", call+2)})
	}
	if after := testing.AllocsPerRun(5, look); after > 2*before {
		t.Errorf("%v allocations beside 5,000 contacts, %v beside none", after, before)
	}
}

package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// erasable is a store with two customers, one number that both have, and calls.
type erasable struct {
	s                                      *store.Store
	his, hers, fromElsewhere, shared, his0 story
}

func newErasable(t *testing.T, f Fixture) *erasable {
	e := &erasable{s: open(t, f)}
	both := customer.Number{E164: "+447700900499", Label: "home"}
	ok(t, e.s.SaveCustomers(t.Context(), []customer.Record{
		{ID: "C-7", Name: "Dana Hale", Numbers: append(number("+447700900417"), both), Products: []customer.Product{{ID: "p1", Kind: "line", Name: "Fibre"}},
			Tickets: []customer.Ticket{{ID: "T-1", Title: "slow", Status: "open", OpenedAt: T0}}},
		{ID: "C-8", Name: "Ola Berg", Numbers: append(number("+447700900418"), both)},
	}))
	call := func(from, of string) story {
		y := story{e.s, e.s.NextCall()}
		e.s.Arrived(store.Arrival{Call: y.call, Trunk: "main", Number: from, Dialled: "+448081570142", At: T0})
		if of != "" {
			e.s.Identified(y.call, of)
		}
		y.queued(2, "internet")
		y.ends(70, routing.Abandoned, routing.ByCaller, "")
		return y
	}
	e.his, e.hers = call("+447700900417", "C-7"), call("+447700900418", "C-8")
	e.fromElsewhere = call("+447700900555", "C-7") // an agent said who it was
	e.shared = call("+447700900499", "")           // one of the two
	e.his0 = call("+447700900417", "")             // before he was a customer
	for _, y := range []story{e.his, e.hers, e.his0} {
		of := map[routing.CallID]string{e.his.call: "C-7", e.hers.call: "C-8"}[y.call]
		e.s.SaveContact(store.Contact{Call: y.call, Attempt: 1, Customer: of, Agent: "ann", Queue: "internet", At: T0, Talk: time.Minute, Note: "moves in May"})
		ok(t, e.s.SaveMessage(t.Context(), store.Message{Call: y.call, Mailbox: "office", LeftAt: T0}, []byte("sound")))
	}
	flush(t, e.s)
	return e
}

// whose checks number and customer of a call's row, which is there for the figures.
func (e *erasable) whose(t *testing.T, y story, number, of string) {
	t.Helper()
	r := row(t, e.s, y.call)
	if r.Number != number || r.Customer != of || r.Queue != "internet" || r.Outcome != routing.Abandoned {
		t.Fatalf("call %d: %+v, want number %q and customer %q", y.call, r, number, of)
	}
}

func testEraseCustomer(t *testing.T, f Fixture) {
	e := newErasable(t, f)
	who := store.Person{Customer: "C-7"}
	traces, err := e.s.Traces(t.Context(), who)
	ok(t, err)
	equal(t, "traces", traces, store.Traces{
		Accounts: []string{"C-7"}, Numbers: []string{"+447700900417", "+447700900555"}, Calls: []routing.CallID{e.his.call, e.fromElsewhere.call, e.his0.call},
	})
	got, err := e.s.Erase(t.Context(), who)
	ok(t, err)
	equal(t, "erased", got, store.Erased{Customer: true, Accounts: 1, Calls: 3, Messages: 2})
	for _, y := range []story{e.his, e.fromElsewhere, e.his0} {
		e.whose(t, y, "", "")
		_, err := e.s.Message(t.Context(), y.call)
		missing(t, "message", err)
		_, err = e.s.MessageSound(t.Context(), y.call)
		missing(t, "sound", err)
	}
	e.whose(t, e.hers, "+447700900418", "C-8")
	e.whose(t, e.shared, "+447700900499", "")
	_, err = e.s.Customer(t.Context(), "C-7")
	missing(t, "customer", err)
	m, err := e.s.Lookup(t.Context(), "+447700900417")
	if err != nil || m.Record != nil || len(m.Candidates) > 0 {
		t.Fatalf("his number leads to %+v, %v", m, err)
	}
	m, err = e.s.Lookup(t.Context(), "+447700900499")
	if err != nil || m.Record == nil || m.Record.ID != "C-8" || len(m.Record.Interactions) != 1 || m.Record.Interactions[0].Note != "moves in May" {
		t.Fatalf("the number of both leads to %+v, %v", m.Record, err)
	}
	_, err = e.s.Message(t.Context(), e.hers.call)
	ok(t, err)

	again, err := e.s.Erase(t.Context(), who)
	ok(t, err)
	equal(t, "erased again", again, store.Erased{})
	// He may come back.
	ok(t, e.s.SaveCustomers(t.Context(), []customer.Record{{ID: "C-7", Name: "Dana Hale", Numbers: number("+447700900417")}}))
	back := story{e.s, e.s.NextCall()}
	back.arrives(100)
	e.s.Identified(back.call, "C-7")
	e.s.SaveContact(store.Contact{Call: back.call, Attempt: 1, Customer: "C-7", Agent: "ann", At: T0, Talk: time.Minute, Note: "hello"})
	flush(t, e.s)
	r, err := e.s.Customer(t.Context(), "C-7")
	if err != nil || len(r.Interactions) != 1 || r.Interactions[0].Note != "hello" {
		t.Fatalf("back again: %+v, %v", r, err)
	}
}

func testEraseNumber(t *testing.T, f Fixture) {
	e := newErasable(t, f)
	stranger := story{e.s, e.s.NextCall()}
	e.s.Arrived(store.Arrival{Call: stranger.call, Trunk: "main", Number: "+447700900777", Dialled: "+448081570142", At: T0})
	stranger.queued(2, "internet")
	stranger.ends(70, routing.Abandoned, routing.ByCaller, "")
	e.s.SaveContact(store.Contact{Call: stranger.call, Attempt: 1, Agent: "ann", At: T0, Talk: time.Minute, Note: "asks for a price"})
	flush(t, e.s)

	var owned *store.OwnedError
	if _, err := e.s.Erase(t.Context(), store.Person{Number: "+447700900499"}); !errors.As(err, &owned) || len(owned.Customers) != 2 {
		t.Fatalf("a number of customers: %v", err)
	}
	for _, who := range []store.Person{{}, {Customer: "C-7", Number: "+447700900777"}} {
		if _, err := e.s.Erase(t.Context(), who); err == nil {
			t.Errorf("%+v is erased", who)
		}
	}
	got, err := e.s.Erase(t.Context(), store.Person{Number: "+447700900777"})
	ok(t, err)
	equal(t, "erased", got, store.Erased{Calls: 1})
	e.whose(t, stranger, "", "")
	e.whose(t, e.his, "+447700900417", "C-7")
	e.whose(t, e.shared, "+447700900499", "")
	// A customer calls from a number that is not in his record.
	got, err = e.s.Erase(t.Context(), store.Person{Number: "+447700900555"})
	ok(t, err)
	equal(t, "erased", got, store.Erased{})
	e.whose(t, e.fromElsewhere, "", "C-7")
}

// What a call brings that began before its customer was erased is nobody's.
func testEraseDuringACall(t *testing.T, f Fixture) {
	s := open(t, f)
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{{ID: "C-7", Name: "Dana Hale", Numbers: number("+447700900417")}}))
	y := story{s, s.NextCall()}
	y.arrives(0)
	s.Identified(y.call, "C-7")
	y.queued(2, "internet")
	s.CallBackAt(y.call, "+447700900419")
	got, err := s.Erase(t.Context(), store.Person{Customer: "C-7"})
	ok(t, err)
	equal(t, "erased", got, store.Erased{Customer: true, Accounts: 1, Calls: 1})
	s.Identified(y.call, "C-7")
	s.SaveContact(store.Contact{Call: y.call, Attempt: 1, Customer: "C-7", Agent: "ann", At: T0, Talk: time.Minute, Note: "moves in May"})
	y.ends(70, routing.Answered, routing.ByCaller, "")
	flush(t, s)
	r := row(t, s, y.call)
	if r.Number != "" || r.Customer != "" || r.CallBack != "" || r.Outcome != routing.Answered || r.Note {
		t.Fatalf("%+v", r)
	}
	_, err = s.Customer(t.Context(), "C-7")
	missing(t, "customer", err)
	left, err := s.Erase(t.Context(), store.Person{Customer: "C-7"})
	ok(t, err)
	equal(t, "what was left", left, store.Erased{})
}

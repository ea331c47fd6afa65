package screenpop_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/screenpop/customer"
)

// told is what routing is told of a number that was keyed in.
type told struct {
	ask int
	id  string // whose it is, "" for nobody
	err bool
}

func byID(records chan told, find func(ctx context.Context, id string) (customer.Match, error)) func(*screenpop.Options) {
	return func(o *screenpop.Options) {
		o.ByID = find
		o.Entered = func(_ routing.CallID, ask int, m customer.Match, err error) {
			is := told{ask: ask, err: err != nil}
			if m.Record != nil {
				is.id = m.Record.ID
			}
			records <- is
		}
	}
}

// Who keys in a customer's number is that customer on the desk, beside who is known by
// the telephone number. Nobody's number and a fault leave the card as it is.
func TestEntered(t *testing.T) {
	leo := customer.Record{ID: "4711", Version: 3, Name: "Leo Brandt"}
	records := make(chan told, 9)
	r := newRig(t, byID(records, func(_ context.Context, id string) (customer.Match, error) {
		switch id {
		case leo.ID:
			return customer.Match{Record: &leo}, nil
		case "1":
			return customer.Match{}, errors.New("no connection for 1")
		case "2":
			panic("2")
		}
		return customer.Match{}, nil
	}))
	r.arrive(1)
	<-r.resolved
	for ask, id := range []string{"", "1", "2", "3", "4711"} {
		if ask == 0 {
			continue
		}
		r.hub.Identify(1, ask, id)
		want := told{ask: ask, err: ask < 3}
		if id == leo.ID {
			want.id = id
		}
		if got := <-records; got != want {
			t.Errorf("%s: told %+v", id, got)
		}
	}
	d := r.dial("priya")
	r.offer(offerOf(1, 1, "priya"), "care", routing.RingAuto)
	event(r, anyOf[routing.PopAcked])
	card := d.Seen()[0].Card
	if card.Match != "exact" || card.Record == nil || card.Record.Name != leo.Name {
		t.Errorf("card says %s, %+v", card.Match, card.Record)
	}
	if e := card.Entered; e == nil || e.Number != "4711" || !e.Found || e.Instead == nil || e.Instead.Name != dana().Name {
		t.Errorf("keyed in: %+v", e)
	}
}

// A look-up by telephone number that ends after that changes nothing.
func TestEnteredBeforeTheLookUp(t *testing.T) {
	leo := customer.Record{ID: "4711", Version: 3, Name: "Leo Brandt"}
	records, open, over := make(chan told, 9), make(chan struct{}), make(chan struct{})
	r := newRig(t, byID(records, func(context.Context, string) (customer.Match, error) { return customer.Match{Record: &leo}, nil }))
	r.find(func(context.Context, string) (customer.Match, error) {
		defer close(over)
		<-open
		rec := dana()
		return customer.Match{Record: &rec}, nil
	})
	r.arrive(1)
	r.hub.Identify(1, 1, "4711")
	if got := <-records; got.id != "4711" {
		t.Fatalf("told %+v", got)
	}
	close(open)
	<-over
	d := r.dial("priya")
	r.offer(offerOf(1, 1, "priya"), "care", routing.RingAuto)
	event(r, anyOf[routing.PopAcked])
	if card := d.Seen()[0].Card; card.Record == nil || card.Record.ID != "4711" || card.Entered.Instead != nil {
		t.Errorf("card says %+v", card.Record)
	}
	select {
	case m := <-r.resolved:
		t.Errorf("resolved to %+v", m)
	case <-time.After(10 * time.Millisecond):
	}
}

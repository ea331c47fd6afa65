package screenpop_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/desktest"
)

// An agent says whose the caller's number is: it is taught once, the call is that
// customer's from then on, and she may take it back.
func TestLink(t *testing.T) {
	taught := make(chan screenpop.Link, 9)
	r := newRig(t, func(o *screenpop.Options) {
		o.Link = func(_ context.Context, l screenpop.Link) (*customer.Record, error) {
			switch l.Customer {
			case "LW-0":
				return nil, nil
			case "LW-1":
				return nil, errors.New("the database is away")
			}
			taught <- l
			rec := dana()
			rec.Version++
			return &rec, nil
		}
	})
	r.find(func(context.Context, string) (customer.Match, error) { return customer.Match{}, nil })
	d := r.dial("priya")
	r.arrive(3)
	<-r.resolved
	r.offer(offerOf(3, 1, "priya"), "care", routing.RingAuto)
	event(r, anyOf[routing.PopAcked])
	r.refused(d, "not_now", "link", ref(3, 1, "customer", "LW-204", "undo", false)) // nobody has asked the caller
	r.talk(offerOf(3, 1, "priya"))
	r.phaseIs(d, 3, "talking")
	r.refused(d, "bad_request", "link", ref(3, 1, "customer", "", "undo", false))
	r.refused(d, "unknown_target", "link", ref(3, 1, "customer", "LW-0", "undo", false))
	r.refused(d, "failed", "link", ref(3, 1, "customer", "LW-1", "undo", false))
	r.refused(d, "not_now", "link", ref(3, 1, "customer", dana().ID, "undo", true)) // nobody is on the card
	r.must(d, "link", ref(3, 1, "customer", dana().ID, "undo", false))
	if l := <-taught; l.Number != "+447700900417" || l.Customer != dana().ID || l.Agent != "priya" || l.Name != "Priya Nair" || l.Undo {
		t.Errorf("taught %+v", l)
	}
	r.wait(d, "the record", func(s desktest.State) bool {
		c := s.Cards[3]
		return c.Match == "exact" && c.Record != nil && c.Record.ID == dana().ID
	})
	if how := r.data("number_linked", 3, 1)["how"]; how != "linked" {
		t.Errorf("the ledger says %v", how)
	}
	r.must(d, "link", ref(3, 1, "customer", dana().ID, "undo", true))
	if l := <-taught; !l.Undo {
		t.Errorf("undone: %+v", l)
	}
}

// A number that the caller withholds is taught to nobody.
func TestLinkWithheld(t *testing.T) {
	r := newRig(t, func(o *screenpop.Options) {
		o.Link = func(context.Context, screenpop.Link) (*customer.Record, error) {
			t.Error("taught")
			return nil, nil
		}
	})
	r.find(func(context.Context, string) (customer.Match, error) { return customer.Match{}, nil })
	d := r.dial("priya")
	r.hub.OpenCard(screenpop.NewCall{Call: 4, Lookup: "+447700900417", At: time.Now(), Caller: screenpop.CallerInfo{Source: "pai", Restricted: true}})
	r.do(routing.ResolveCustomer{Call: 4})
	<-r.resolved
	r.offer(offerOf(4, 1, "priya"), "care", routing.RingAuto)
	event(r, anyOf[routing.PopAcked])
	r.talk(offerOf(4, 1, "priya"))
	r.phaseIs(d, 4, "talking")
	r.refused(d, "not_now", "link", ref(4, 1, "customer", "LW-204", "undo", false))
}

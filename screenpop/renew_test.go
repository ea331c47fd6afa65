package screenpop_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/desktest"
)

// renewing is a customer who changes, as a source has him.
type renewing struct {
	now atomic.Pointer[customer.Record]
}

func (s *renewing) change(version int64, title string) {
	r := dana()
	r.Version, r.Interactions = version, []customer.Interaction{{ID: "post:17", Source: "post", Channel: "mail", Title: title}}
	s.now.Store(&r)
}

func (s *renewing) byID(_ context.Context, id string) (customer.Match, error) {
	r := s.now.Load()
	if r == nil || r.ID != id {
		return customer.Match{}, errors.New("asked for somebody else")
	}
	return customer.Match{Record: r}, nil
}

func (r *rig) showsTitle(d *desktest.Desk, title string) {
	r.t.Helper()
	r.wait(d, title, func(s desktest.State) bool {
		record := s.Cards[1].Record
		return record != nil && len(record.Interactions) > 0 && record.Interactions[0].Title == title
	})
}

// What comes while an agent has the call in hand is on the desk at once, also while
// she wraps it up; what is older than the desk's, or somebody else's, changes nothing,
// and routing is told once of each call.
func TestRenew(t *testing.T) {
	var source renewing
	r := newRig(t, func(o *screenpop.Options) { o.ByID = source.byID })
	r.arrive(1)
	<-r.resolved
	d := r.dial("priya")
	r.offer(offerOf(1, 1, "priya"), "care", routing.RingAuto)
	event(r, anyOf[routing.PopAcked])

	source.change(dana().Version+1, "first letter")
	r.hub.Renew(dana().ID)
	r.showsTitle(d, "first letter")
	source.change(dana().Version, "older than that")
	r.hub.Renew(dana().ID)
	r.hub.Renew("somebody else")
	source.change(dana().Version+3, "second letter")
	r.hub.Renew(dana().ID)
	r.showsTitle(d, "second letter")

	r.talk(offerOf(1, 1, "priya"))
	source.change(dana().Version+4, "third letter")
	for range 50 { // one look-up waits at a time
		r.hub.Renew(dana().ID)
	}
	r.showsTitle(d, "third letter")
	o := offerOf(1, 1, "priya")
	r.do(routing.EndCall{Call: 1, Outcome: routing.Answered}, routing.WrapUpStarted{Offer: o, Disposition: "required", Set: "care"}, r.state("priya", agents.WrapUp, 1))
	source.change(dana().Version+5, "while she writes")
	r.hub.Renew(dana().ID)
	r.showsTitle(d, "while she writes")
	if n := r.count("resolved"); n != 1 {
		t.Errorf("routing was told %d times", n)
	}
}

// A record that was read before its customer changed, and comes after, is read
// again.
func TestRenewDuringTheLookUp(t *testing.T) {
	var source renewing
	r := newRig(t, func(o *screenpop.Options) { o.ByID = source.byID })
	read, open := make(chan struct{}), make(chan struct{})
	r.find(func(context.Context, string) (customer.Match, error) {
		rec := dana()
		close(read)
		<-open
		return customer.Match{Record: &rec}, nil
	})
	r.arrive(1)
	<-read
	source.change(dana().Version+1, "just now")
	r.hub.Renew(dana().ID)
	r.hub.Cards() // it has been heard of
	close(open)
	<-r.resolved
	d := r.dial("priya")
	r.offer(offerOf(1, 1, "priya"), "care", routing.RingAuto)
	r.showsTitle(d, "just now")
}

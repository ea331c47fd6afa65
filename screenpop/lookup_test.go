package screenpop_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/screenpop/customer"
)

// However a look-up ends, routing is told once, and the call goes on.
func TestLookups(t *testing.T) {
	one := dana()
	for name, c := range map[string]struct {
		find  finder
		match string
		known bool
	}{
		"found":  {func(context.Context, string) (customer.Match, error) { return customer.Match{Record: &one}, nil }, "exact", true},
		"nobody": {func(context.Context, string) (customer.Match, error) { return customer.Match{}, nil }, "none", false},
		"error": {func(context.Context, string) (customer.Match, error) {
			return customer.Match{}, errors.New("no route to +447700900417")
		}, "failed", false},
		"panic": {func(context.Context, string) (customer.Match, error) { panic("Dana Whitcombe") }, "failed", false},
		"too slow": {func(ctx context.Context, _ string) (customer.Match, error) {
			<-ctx.Done()
			return customer.Match{}, ctx.Err()
		}, "failed", false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *screenpop.Options) { o.LookupTimeout = 20 * time.Millisecond })
			r.find(c.find)
			r.arrive(1)
			if m := <-r.resolved; (m.Record != nil) != c.known {
				t.Errorf("resolved to %+v", m)
			}
			if got := r.data("resolved", 1, 0)["match"]; got != c.match {
				t.Errorf("match %v, want %s", got, c.match)
			}
			d := r.dial("priya")
			r.offer(offerOf(1, 1, "priya"), "care", routing.RingAuto)
			event(r, anyOf[routing.PopAcked])
			if got := d.Seen()[0].Card.Match; got != c.match {
				t.Errorf("card says %s", got)
			}
		})
	}
}

// A withheld number is looked up nowhere and answered at once.
func TestWithheld(t *testing.T) {
	r := newRig(t)
	r.find(func(context.Context, string) (customer.Match, error) {
		t.Error("looked up")
		return customer.Match{}, nil
	})
	r.hub.OpenCard(screenpop.NewCall{Call: 1, At: time.Now(), Caller: screenpop.CallerInfo{Source: "none", Restricted: true}})
	r.do(routing.ResolveCustomer{Call: 1}, routing.ResolveCustomer{Call: 1})
	<-r.resolved
	r.do(routing.EndCall{Call: 1, Outcome: routing.Abandoned})
	if n := r.hub.Cards(); n != 0 || r.count("resolved") != 1 {
		t.Errorf("%d cards, %d outcomes", n, r.count("resolved"))
	}
}

// A source that hangs holds its slots, never the calls: each is answered at
// the deadline, and no more than the allowed look-ups run at once.
func TestHangingSource(t *testing.T) {
	let := make(chan struct{})
	var running, most atomic.Int32
	r := newRig(t, func(o *screenpop.Options) {
		o.Lookups, o.LookupTimeout = 2, 20*time.Millisecond
	})
	r.find(func(context.Context, string) (customer.Match, error) {
		n := running.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-let // deaf to its context
		running.Add(-1)
		return customer.Match{}, nil
	})
	for call := routing.CallID(1); call <= 10; call++ {
		r.arrive(call)
	}
	for range 10 {
		if m := <-r.resolved; m.Record != nil {
			t.Errorf("resolved to %+v", m)
		}
	}
	for call := routing.CallID(1); call <= 10; call++ {
		r.do(routing.EndCall{Call: call, Outcome: routing.Abandoned})
	}
	if n := r.hub.Cards(); n != 0 || most.Load() > 2 {
		t.Errorf("%d cards are left, %d look-ups ran at once", n, most.Load())
	}
	close(let)
}

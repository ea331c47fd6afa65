package live

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// TestAlarm: deadlines come and go, earlier and later ones. Each that stands is
// met to the instant, and one that was taken out brings nothing into the journal.
func TestAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &book{}
		d := New(routing.New(policy()), Options{Ports: []Port{sink{}}, Journal: journal})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- d.Run(ctx) }()
		began := time.Now()
		at := func(after time.Duration, events ...routing.Event) {
			time.Sleep(after - time.Since(began))
			for _, ev := range events {
				d.Submit(ev)
			}
			synctest.Wait()
		}
		for _, id := range []agents.ID{"ann", "bob"} {
			at(0, routing.DeskChanged{Agent: id, Up: true}, routing.AgentSignedIn{Agent: id, State: agents.Available})
		}
		// Ann's desk acks, so that its deadline at 1.5 s falls away: her phone may
		// ring for 20 s. Bob's is silent: at 4.5 s his phone rings all the same.
		at(0, routing.CallArrived{Call: 1})
		at(time.Second, routing.PopAcked{Offer: routing.Offer{Call: 1, Attempt: 1, Agent: "ann"}, Mode: routing.Painted})
		at(3*time.Second, routing.CallArrived{Call: 2})
		// A later deadline than what the timer is set to waits its turn.
		at(5*time.Second, routing.PhoneAnswered{Offer: routing.Offer{Call: 1, Attempt: 1, Agent: "ann"}})
		at(time.Minute)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		var ticks []time.Duration
		for i, kind := range journal.kinds {
			if kind == (routing.Tick{}).Kind() {
				ticks = append(ticks, journal.at[i].Sub(began))
			}
		}
		// 24.5 s: nobody has answered Bob's phone.
		want := []time.Duration{4500 * time.Millisecond, 24500 * time.Millisecond}
		if !slices.Equal(ticks, want) {
			t.Fatalf("ticks at %v, want %v", ticks, want)
		}
	})
}

// BenchmarkCall is what a call brings the driver: its events one by one, as
// they come, through mailbox, engine and a journal's form.
func BenchmarkCall(b *testing.B) {
	p := policy()
	p.Queues["q"].WrapUp = routing.WrapUpPolicy{}
	desk := &quickDesk{ended: make(chan struct{}, 64)}
	d := New(routing.New(p), Options{Ports: []Port{desk}, Journal: &forms{}})
	desk.d = d
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	for _, id := range []agents.ID{"ann", "bob", "carl"} {
		d.Submit(routing.DeskChanged{Agent: id, Up: true})
		d.Submit(routing.AgentSignedIn{Agent: id, State: agents.Available})
	}
	b.ReportAllocs()
	next := routing.CallID(0)
	for b.Loop() {
		next++
		d.Submit(routing.CallArrived{Call: next})
		d.Submit(routing.CustomerResolved{Call: next})
		<-desk.ended
	}
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

// forms makes of events what a journal writes, and forgets it.
type forms struct{ line []byte }

func (f *forms) Append(_ time.Time, ev routing.Event) (err error) {
	f.line, err = routing.AppendEvent(f.line[:0], ev)
	return err
}

// quickDesk is desk, phone and caller, each as quick as can be.
type quickDesk struct {
	d     *Driver
	ended chan struct{}
}

func (q *quickDesk) Do(_ time.Time, acts []routing.Action) {
	for _, a := range acts {
		switch a := a.(type) {
		case routing.OfferCall:
			q.d.Submit(routing.PopAcked{Offer: a.Offer, Mode: routing.Painted, Version: 3, Panels: map[string]string{"who": "shown"}})
		case routing.Ring:
			q.d.Submit(routing.PhoneRinging{Offer: a.Offer})
			q.d.Submit(routing.PhoneAnswered{Offer: a.Offer})
		case routing.Connect:
			q.d.Submit(routing.Joined{Offer: a.Offer, Media: "direct"})
			q.d.Submit(routing.CallerGone{Call: a.Call})
		case routing.WrapUpStarted:
			q.d.Submit(routing.WrapUpEnded{Offer: a.Offer})
		case routing.EndCall:
			q.ended <- struct{}{}
		}
	}
}

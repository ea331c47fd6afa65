package live

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// TestWaits: a question about a large centre is answered in pieces, with events
// in between, and whoever has stopped waiting holds nobody up.
func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := policy()
		const people = 10_000
		for i := range people {
			id := agents.ID(fmt.Sprintf("p%05d", i))
			p.Agents[id] = agents.Agent{ID: id, Desk: true}
		}
		d := New(routing.New(p), Options{})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- d.Run(ctx) }()
		for id := range p.Agents {
			d.Submit(routing.AgentSignedIn{Agent: id, State: agents.NotReady, Reason: "lunch"})
		}
		d.Submit(routing.CallArrived{Call: 7})
		synctest.Wait()
		w, known, err := d.Waits(t.Context(), 7)
		if err != nil || !known || w.Phase != "waiting" || w.Record.SignedIn != people+3 || w.Record.Counts["away:lunch"] != people+3 || len(w.Changes) == 0 || !w.Changes[0].Serves {
			t.Errorf("%+v, %v, %v", w, known, err)
		}
		if _, known, err := d.Waits(t.Context(), 8); known || err != nil {
			t.Errorf("a call that is not there: %v, %v", known, err)
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, _, err := d.Waits(gone, 7); !errors.Is(err, context.Canceled) {
			t.Errorf("nobody waits: %v", err)
		}
		if _, known, err := d.Waits(t.Context(), 7); !known || err != nil {
			t.Errorf("after it: %v, %v", known, err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if _, _, err := d.Waits(t.Context(), 7); !errors.Is(err, ErrStopped) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// TestTooManyQuestions: those who come when enough wait are told so, and those
// who wait when routing ends are too.
func TestTooManyQuestions(t *testing.T) {
	d := New(routing.New(policy()), Options{})
	answers := make(chan error, maxAsked)
	for range maxAsked {
		go func() {
			_, _, err := d.Waits(t.Context(), 1)
			answers <- err
		}()
	}
	for full := false; !full; {
		d.mu.Lock()
		full = len(d.asked) == maxAsked
		d.mu.Unlock()
	}
	if _, _, err := d.Waits(t.Context(), 1); !errors.Is(err, ErrBusy) {
		t.Errorf("one too many: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Run(ctx); err != nil {
		t.Fatal(err)
	}
	for range maxAsked {
		if err := <-answers; err != nil && !errors.Is(err, ErrStopped) {
			t.Errorf("when routing ends: %v", err)
		}
	}
}

package screenpop_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/desktest"
)

// The grace time has passed with a caller on the line: the agent is signed out
// at the end of the call. After-call work that nobody is there to do would
// keep her for ever where it has no time of its own.
func TestDeskLostBeforeWrapUp(t *testing.T) {
	r := newRig(t, func(o *screenpop.Options) { o.Grace = 10 * time.Millisecond })
	d := r.dial("priya")
	event(r, anyOf[routing.AgentSignedIn])
	r.signIn("priya")
	r.arrive(1)
	o := offerOf(1, 1, "priya")
	r.offer(o, "care", routing.RingAuto)
	r.talk(o)
	r.phaseIs(d, 1, "talking")
	d.Close()
	event(r, func(e routing.DeskChanged) bool { return !e.Up })
	other := r.dial("petar")
	event(r, func(e routing.AgentSignedIn) bool { return e.Agent == "petar" })
	r.signIn("petar")
	other.Close()
	event(r, func(e routing.AgentSignedOut) bool { return e.Agent == "petar" }) // priya's time is over too
	r.do(
		routing.EndCall{Call: 1, Outcome: routing.Answered},
		routing.WrapUpStarted{Offer: o, Disposition: "required", Set: "care"}, r.state("priya", agents.WrapUp, 1),
	)
	event(r, func(e routing.AgentSignedOut) bool { return e.Agent == "priya" })
}

// What an agent has typed so far is in the history when the server stops,
// whether the caller is still there or not.
func TestCloseKeepsDrafts(t *testing.T) {
	r := newRig(t)
	d := r.dial("priya")
	r.signIn("priya")
	r.arrive(1)
	o := offerOf(1, 1, "priya")
	r.offer(o, "care", routing.RingAuto)
	r.talk(o)
	r.do(
		routing.EndCall{Call: 1, Outcome: routing.Answered},
		routing.WrapUpStarted{Offer: o, Disposition: "optional", Set: "care"}, r.state("priya", agents.WrapUp, 1),
	)
	r.phaseIs(d, 1, "wrap_up")
	if c := <-r.contacts; c.Note != "" {
		t.Fatalf("saved at the end of the talk: %+v", c)
	}
	r.must(d, "note", ref(1, 1, "text", "Wants a date."))
	if err := r.hub.Close(r.ctx); err != nil {
		t.Fatal(err)
	}
	select {
	case c := <-r.contacts:
		if c.Note != "Wants a date." || c.Call != 1 || c.Attempt != 1 {
			t.Errorf("saved by the close: %+v", c)
		}
	default:
		t.Error("the draft is lost")
	}
}

// slowAnswers are found when the test says so.
type slowAnswers struct {
	answers
	let chan struct{}
}

func (s slowAnswers) FindAnswers(ctx context.Context, lang, topic, query string, limit int) ([]screenpop.Answer, error) {
	select {
	case <-s.let:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return s.answers.FindAnswers(ctx, lang, topic, query, limit)
}

// Answers that come while a pop is kept back for the record do not put the
// card on the desk early: its ack would ring the phone beside a bare screen.
func TestAnswersDoNotOvertakeThePop(t *testing.T) {
	slow := slowAnswers{answers{{ID: "a1", Topic: "", Lang: "en", Title: "Spare port", Say: "Yes."}}, make(chan struct{})}
	r := newRig(t, func(o *screenpop.Options) { o.Answers = slow })
	let := make(chan struct{})
	r.find(func(ctx context.Context, _ string) (customer.Match, error) {
		select {
		case <-let:
		case <-ctx.Done():
			return customer.Match{}, ctx.Err()
		}
		rec := dana()
		return customer.Match{Record: &rec}, nil
	})
	d := r.dial("priya")
	r.signIn("priya")
	r.arrive(1)
	r.do(routing.OfferCall{Offer: offerOf(1, 1, "priya"), Queue: "care", Mode: routing.RingAuto, AckBy: time.Now().Add(time.Hour)})
	close(slow.let)
	// Searches go the same way as the card's answers, which have been found by
	// the time the second one is.
	for range 2 {
		if _, err := d.Do(r.ctx, "answers", map[string]string{"lang": "en"}); err != nil {
			t.Fatal(err)
		}
	}
	r.hub.Cards()
	if cards := d.State().Cards; len(cards) != 0 || len(d.Seen()) != 0 {
		t.Errorf("on the desk before the pop: %+v", cards)
	}
	close(let)
	if ack := event(r, anyOf[routing.PopAcked]); ack.Version != 7 {
		t.Errorf("first ack: %+v", ack)
	}
}

// people of a directory that a reload changes.
type changing struct {
	mu sync.Mutex
	directory
}

func (c *changing) Agent(id agents.ID) (agents.Agent, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.directory.Agent(id)
}

func (c *changing) set(id agents.ID, a agents.Agent, listed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if delete(c.directory, id); listed {
		c.directory[id] = a
	}
}

// An agent whom a reload took out of the document, and the next one brought
// back, can work again from the desk that stayed open.
func TestTakenOutAndBroughtBack(t *testing.T) {
	list := &changing{directory: people()}
	r := newRig(t, func(o *screenpop.Options) { o.Directory = list })
	d := r.dial("priya")
	event(r, anyOf[routing.AgentSignedIn])
	r.signIn("priya")
	was, _ := list.Agent("priya")
	list.set("priya", was, false)
	r.do(r.state("priya", agents.SignedOut, 0))
	r.wait(d, "the end of her day", func(s desktest.State) bool { return s.Status.State == "signed_out" })
	ready := map[string]any{"state": "available", "reason": ""}
	r.refused(d, "not_now", "state", ready)
	list.set("priya", was, true)
	r.must(d, "state", ready)
	if ev := event(r, anyOf[routing.AgentSignedIn]); ev.Agent != "priya" || ev.State != agents.Available {
		t.Errorf("sign-in: %+v", ev)
	}
}

// A call keeps the version it was routed with: what its card offers may be
// ticked even when the live document has it no more.
func TestDispositionOfAnOlderVersion(t *testing.T) {
	var mu sync.Mutex
	live := testPolicy()
	r := newRig(t, func(o *screenpop.Options) {
		o.Policy = func() *routing.Policy { mu.Lock(); defer mu.Unlock(); return live }
	})
	d := r.dial("priya")
	r.signIn("priya")
	r.arrive(1)
	o := offerOf(1, 1, "priya")
	r.offer(o, "care", routing.RingAuto)
	r.talk(o)
	r.do(
		routing.EndCall{Call: 1, Outcome: routing.Answered},
		routing.WrapUpStarted{Offer: o, Disposition: "required", Set: "care"}, r.state("priya", agents.WrapUp, 1),
	)
	r.phaseIs(d, 1, "wrap_up")
	mu.Lock()
	live = testPolicy()
	live.Sets = map[string][]routing.Disposition{"care": {{ID: "other"}}}
	mu.Unlock()
	done := make(chan error, 1)
	go func() {
		_, err := d.Do(r.ctx, "wrap_up", ref(1, 1, "disposition", "fixed", "note", ""))
		done <- err
	}()
	if ev := event(r, anyOf[routing.WrapUpEnded]); ev.Disposition != "fixed" {
		t.Errorf("wrap-up: %+v", ev)
	}
	r.do(routing.WrapUpFinished{Offer: o, Disposition: "fixed"}, r.state("priya", agents.Available, 0))
	if err := <-done; err != nil {
		t.Errorf("wrap_up: %v", err)
	}
}

package screenpop_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/desktest"
)

// One call from the pop to the note in the history.
func TestCall(t *testing.T) {
	r := newRig(t)
	d := r.dial("priya")
	if ev := event(r, anyOf[routing.DeskChanged]); !ev.Up || ev.Agent != "priya" {
		t.Errorf("desk: %+v", ev)
	}
	if ev := event(r, anyOf[routing.AgentSignedIn]); ev.State != agents.NotReady || ev.Reason != "signed_in" {
		t.Errorf("sign-in: %+v", ev)
	}
	r.signIn("priya")
	r.arrive(12)
	<-r.resolved
	o := offerOf(12, 1, "priya")
	r.offer(o, "care", routing.RingOnAccept)
	ack := event(r, anyOf[routing.PopAcked])
	if ack.Offer != o || ack.Mode != routing.Painted || ack.Version != 7 || ack.Panels["money"] != "shown" {
		t.Errorf("ack: %+v", ack)
	}
	seen := d.Seen()[0]
	if !seen.Complete || seen.AckAt.Before(seen.PopAt) || seen.Card.Record.Name != "Dana Whitcombe" {
		t.Errorf("robot saw %+v", seen)
	}
	r.refused(d, "not_now", "accept", ref(12, 1))
	r.do(routing.MayAccept{Offer: o, Until: time.Now().Add(time.Minute)})
	if ev := event(r, anyOf[routing.OfferAccepted]); ev.Offer != o {
		t.Errorf("accepted: %+v", ev)
	}
	r.do(routing.Ring{Offer: o, AutoAnswer: true, Until: time.Now().Add(time.Minute)})
	r.phaseIs(d, 12, "connecting")
	r.do(routing.Connect{Offer: o, Answered: time.Now()}, r.state("priya", agents.Talking, 12))
	r.phaseIs(d, 12, "talking")
	r.must(d, "note", ref(12, 1, "text", "Wants a date."))
	r.must(d, "answer_used", ref(12, 1, "answer", "a1"))
	r.refused(d, "unknown_target", "answer_used", ref(12, 1, "answer", "nothing"))
	r.do(
		routing.EndCall{Call: 12, Outcome: routing.Answered, By: routing.ByCaller},
		routing.WrapUpStarted{Offer: o, Disposition: "required", Set: "care"}, r.state("priya", agents.WrapUp, 12),
	)
	r.phaseIs(d, 12, "wrap_up")
	if c := <-r.contacts; c.Note != "Wants a date." || c.Disposition != "" || c.Customer != "LW-204" {
		t.Errorf("kept at the end of the talk: %+v", c)
	}
	done := make(chan error, 1)
	go func() {
		_, err := d.Do(r.ctx, "wrap_up", ref(12, 1, "disposition", "fixed", "note", "Wants a date: 24th."))
		done <- err
	}()
	if ev := event(r, anyOf[routing.WrapUpEnded]); ev.Disposition != "fixed" {
		t.Errorf("wrap-up: %+v", ev)
	}
	r.do(routing.WrapUpFinished{Offer: o, Disposition: "fixed"}, r.state("priya", agents.Available, 0))
	if err := <-done; err != nil {
		t.Errorf("wrap_up: %v", err)
	}
	if c := <-r.contacts; c.Note != "Wants a date: 24th." || c.Disposition != "fixed" || c.Attempt != 1 {
		t.Errorf("kept at the end: %+v", c)
	}
	r.gone(d, 12)
	if n := r.hub.Cards(); n != 0 {
		t.Errorf("%d cards are left", n)
	}
	if r.data("answer_used", 12, 1)["answer"] != "a1" || r.data("pop_acked", 12, 1)["mode"] != "painted" {
		t.Error("ledger was not told")
	}
}

// The look-up is slow: the pop goes out without the record, which follows.
func TestLateRecord(t *testing.T) {
	policy := testPolicy()
	policy.Record.Deadline = 0
	r := newRig(t, func(o *screenpop.Options) { o.Policy = func() *routing.Policy { return policy } })
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
	r.offer(offerOf(1, 1, "priya"), "care", routing.RingAuto)
	if ack := event(r, anyOf[routing.PopAcked]); ack.Version != 0 || ack.Panels["who"] != "late" {
		t.Errorf("first ack: %+v", ack)
	}
	close(let)
	event(r, func(a routing.PopAcked) bool { return a.Version == 7 && a.Panels["who"] == "shown" })
	if s := d.Seen()[0]; s.Complete || s.Match != "pending" {
		t.Errorf("robot claims completeness at its first ack: %+v", s)
	}
}

// The pop waits for a look-up that is under way, so that what is painted first
// is the whole record.
func TestPopWaitsForTheRecord(t *testing.T) {
	r := newRig(t)
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
	o := offerOf(1, 1, "priya")
	r.do(routing.OfferCall{Offer: o, Queue: "care", Mode: routing.RingAuto, AckBy: time.Now().Add(time.Hour)})
	// The answer shows that the hub has taken the offer.
	if _, err := d.Do(r.ctx, "answers", map[string]string{"lang": "en"}); err != nil {
		t.Fatal(err)
	}
	if n := len(d.Seen()); n != 0 {
		t.Fatalf("%d pops before the record", n)
	}
	close(let)
	if ack := event(r, anyOf[routing.PopAcked]); ack.Version != 7 || ack.Panels["who"] != "shown" {
		t.Errorf("first ack: %+v", ack)
	}
}

// A call passed on: the receiver sees everything, is told why, and nothing is
// asked again.
func TestTransfer(t *testing.T) {
	r := newRig(t)
	first := r.dial("priya")
	second := r.dial("petar")
	r.signIn("priya")
	r.signIn("petar")
	r.arrive(5)
	o := offerOf(5, 1, "priya")
	r.offer(o, "care", routing.RingAuto)
	event(r, anyOf[routing.PopAcked])
	r.talk(o)
	r.phaseIs(first, 5, "talking")
	r.must(first, "note", ref(5, 1, "text", "Router restarted twice."))
	r.refused(first, "unknown_target", "transfer", ref(5, 1, "topic", "no_such", "note", ""))
	r.refused(first, "bad_request", "transfer", ref(5, 1, "topic", "line_fault", "queue", "care", "note", ""))
	done := make(chan error, 1)
	go func() {
		_, err := first.Do(r.ctx, "transfer", ref(5, 1, "topic", "line_fault", "note", "Port 12 is full."))
		done <- err
	}()
	event(r, func(e routing.TransferRequested) bool { return e.Topic == "line_fault" && e.Offer == o })
	now := time.Now()
	r.do(
		routing.Transferred{Offer: o, Topic: "line_fault", Queue: "internet"},
		routing.WrapUpStarted{Offer: o, Disposition: "optional", Set: "care"}, r.state("priya", agents.WrapUp, 5),
		routing.Enqueued{Call: 5, Queue: "internet", Topic: "line_fault", Since: now, Entered: now},
	)
	if err := <-done; err != nil {
		t.Errorf("transfer: %v", err)
	}
	r.offer(offerOf(5, 2, "petar"), "internet", routing.RingAuto)
	event(r, func(a routing.PopAcked) bool { return a.Agent == "petar" })
	c := second.Seen()[0].Card
	if c.From == nil || c.From.Note != "Port 12 is full." || c.From.Name != "Priya Nair" || len(c.Notes) != 1 || c.Notes[0].Text != "Router restarted twice." {
		t.Errorf("receiver's card: from %+v notes %+v", c.From, c.Notes)
	}
	if c.Story[0].Code != "passed_on" || c.Story[1].Code != "repeat_contact" || c.Story[1].N != 3 {
		t.Errorf("story: %+v", c.Story)
	}
	var kinds []string
	for _, p := range c.Path {
		kinds = append(kinds, p.Kind+":"+p.Name)
	}
	want := []string{"dialled:+448081570142", "route:valued", "queue:care", "agent:Priya Nair", "topic:line_fault", "queue:internet"}
	if !slices.Equal(kinds, want) {
		t.Errorf("path %v, want %v", kinds, want)
	}
	facts := r.data("transfer_facts", 5, 2)
	if facts["re_asked"] != 0 || facts["known"].(int) < 10 {
		t.Errorf("facts: %v", facts)
	}
	// What the first agent adds in wrap-up reaches the second.
	go func() {
		_, err := first.Do(r.ctx, "wrap_up", ref(5, 1, "disposition", "", "note", "Router restarted twice. Evenings only."))
		done <- err
	}()
	event(r, anyOf[routing.WrapUpEnded])
	r.do(routing.WrapUpFinished{Offer: o}, r.state("priya", agents.Available, 0))
	if err := <-done; err != nil {
		t.Errorf("wrap_up: %v", err)
	}
	r.wait(second, "the longer note", func(s desktest.State) bool {
		n := s.Cards[5].Notes
		return len(n) == 1 && n[0].Text == "Router restarted twice. Evenings only."
	})
}

// A call that comes back to the agent who passed it on shows her own notes
// again, and what two agents before wrote is not lost on the third.
func TestPassedRound(t *testing.T) {
	r := newRig(t)
	desks := map[agents.ID]*desktest.Desk{"priya": r.dial("priya"), "petar": r.dial("petar"), "sofia": r.dial("sofia")}
	r.arrive(6)
	round := []struct {
		agent       agents.ID
		draft, note string
	}{{"priya", "draft of priya", "from priya"}, {"petar", "draft of petar", "from petar"}, {"priya", "", ""}, {"sofia", "", ""}}
	for i, leg := range round {
		o, d := offerOf(6, routing.Attempt(i+1), leg.agent), desks[leg.agent]
		r.offer(o, "care", routing.RingAuto)
		event(r, func(a routing.PopAcked) bool { return a.Offer == o })
		c := d.State().Cards[6]
		texts := []string{}
		for _, n := range c.Notes {
			texts = append(texts, n.Text)
		}
		switch i {
		case 2:
			if c.Note != "draft of priya" || c.From.Note != "from petar" || !slices.Equal(texts, []string{"from priya", "draft of petar"}) {
				t.Errorf("back at the first: note %q, notes %v, from %+v", c.Note, texts, c.From)
			}
		case 3:
			if c.From.Agent != "priya" || !slices.Equal(texts, []string{"from priya", "from petar", "draft of priya", "draft of petar"}) {
				t.Errorf("at the third: notes %v, from %+v", texts, c.From)
			}
			continue
		}
		r.talk(o)
		r.phaseIs(d, 6, "talking")
		if leg.draft != "" {
			r.must(d, "note", ref(6, o.Attempt, "text", leg.draft))
		}
		go func() {
			event(r, anyOf[routing.TransferRequested])
			r.do(routing.Transferred{Offer: o, Queue: "care"}, routing.WrapUpStarted{Offer: o, Disposition: "off"}, routing.WrapUpFinished{Offer: o}, r.state(leg.agent, agents.Available, 0))
		}()
		r.must(d, "transfer", ref(6, o.Attempt, "queue", "care", "note", leg.note))
		r.gone(d, 6)
	}
	if f := r.data("transfer_facts", 6, 4); f["re_asked"] != 0 {
		t.Errorf("facts: %v", f)
	}
}

// Two legs that cannot be joined are no talk: no contact, no agent on the
// path, and the wait goes on.
func TestJoinFailed(t *testing.T) {
	r := newRig(t)
	d := r.dial("priya")
	other := r.dial("petar")
	r.arrive(7)
	o := offerOf(7, 1, "priya")
	r.offer(o, "care", routing.RingAuto)
	event(r, anyOf[routing.PopAcked])
	r.do(routing.Connect{Offer: o, Answered: time.Now().Add(30 * time.Second)}, r.state("priya", agents.Talking, 7))
	r.phaseIs(d, 7, "talking")
	r.do(routing.Withdraw{Offer: o, Why: "join_failed"}, r.state("priya", agents.Available, 0))
	r.gone(d, 7)
	r.offer(offerOf(7, 2, "petar"), "care", routing.RingAuto)
	event(r, func(a routing.PopAcked) bool { return a.Agent == "petar" })
	c := other.State().Cards[7]
	if c.WaitedBefore != 0 || len(c.Path) != 3 || c.Path[2].Kind != "queue" {
		t.Errorf("waited before %d, path %+v", c.WaitedBefore, c.Path)
	}
	if n := len(r.contacts); n != 0 {
		t.Errorf("%d contacts were saved", n)
	}
}

// A record leaves only to the agent who holds the offer, and an agent can do
// nothing to the call of another.
func TestNobodyElse(t *testing.T) {
	r := newRig(t)
	mine := r.dial("priya")
	other := r.dial("petar")
	r.arrive(9)
	r.offer(offerOf(9, 1, "priya"), "care", routing.RingAuto)
	event(r, anyOf[routing.PopAcked])
	for kind, more := range map[string][]any{
		"pop_ack": {"mode", "painted", "version", 7, "panels", map[string]string{}}, "accept": nil, "hangup": nil,
		"decline": {"reason", "not_now"}, "hold": {"on", true}, "note": {"text", "x"}, "choose": {"customer", "LW-204"},
		"link":        {"customer", "LW-204", "undo", false},
		"answer_used": {"answer", "a1"}, "transfer": {"topic", "line_fault", "note", ""}, "wrap_up": {"disposition", "", "note", ""},
	} {
		r.refused(other, "stale", kind, ref(9, 1, more...))
		r.refused(mine, "stale", kind, ref(9, 2, more...))
		r.refused(mine, "stale", kind, ref(8, 1, more...))
	}
	r.do(routing.Withdraw{Offer: offerOf(9, 1, "priya"), Why: "rona"})
	r.gone(mine, 9)
	r.offer(offerOf(9, 2, "sofia"), "care", routing.RingAuto) // nobody's desk
	r.hub.Cards()
	if n := len(other.Seen()); n != 0 || len(mine.Seen()) != 1 {
		t.Errorf("other desk saw %d pops, own %d", n, len(mine.Seen()))
	}
	if s := mine.Seen()[0]; s.Withdrawn != "rona" {
		t.Errorf("withdrawn %q", s.Withdrawn)
	}
	if !none[routing.OfferRefused](r) || !none[routing.TransferRequested](r) || !none[routing.HangupRequested](r) {
		t.Error("another agent's request reached routing")
	}
}

// Several candidates: nobody is named before the agent has chosen.
func TestChoose(t *testing.T) {
	r := newRig(t)
	r.find(func(context.Context, string) (customer.Match, error) {
		a, b := dana(), dana()
		b.ID, b.Name = "LW-205", "Rhys Whitcombe"
		return customer.Match{Candidates: []customer.Record{a, b}}, nil
	})
	d := r.dial("priya")
	r.arrive(3)
	<-r.resolved
	r.offer(offerOf(3, 1, "priya"), "care", routing.RingAuto)
	event(r, anyOf[routing.PopAcked])
	if c := d.Seen()[0].Card; c.Match != "several" || c.Record != nil || len(c.Candidates) != 2 {
		t.Errorf("card: %+v", c)
	}
	r.refused(d, "unknown_target", "choose", ref(3, 1, "customer", "LW-999"))
	r.must(d, "choose", ref(3, 1, "customer", "LW-205"))
	r.wait(d, "the chosen record", func(s desktest.State) bool {
		c := s.Cards[3]
		return c.Record != nil && c.Record.Name == "Rhys Whitcombe" && len(c.Candidates) == 0
	})
}

// Routing's refusals are the results of the requests, and a request that
// nobody answers does not hang.
func TestResults(t *testing.T) {
	r := newRig(t, func(o *screenpop.Options) { o.AskTimeout = 20 * time.Millisecond })
	d := r.dial("priya")
	r.arrive(4)
	o := offerOf(4, 1, "priya")
	r.offer(o, "care", routing.RingAuto)
	r.talk(o)
	r.phaseIs(d, 4, "talking")
	r.refused(d, "timeout", "hold", ref(4, 1, "on", true))
	event(r, anyOf[routing.HoldRequested])
	for _, code := range []string{"closed", "too_many_transfers"} {
		go func() {
			event(r, anyOf[routing.TransferRequested])
			r.do(routing.Refused{Offer: o, Asked: "transfer_requested", Code: code})
		}()
		r.refused(d, code, "transfer", ref(4, 1, "queue", "internet", "note", ""))
	}
	go func() {
		event(r, anyOf[routing.HoldRequested])
		r.do(routing.Hold{Offer: o, On: true})
	}()
	r.must(d, "hold", ref(4, 1, "on", true))
	r.refused(d, "not_now", "hold", ref(4, 1, "on", true))
	r.refused(d, "not_now", "sign_out", map[string]any{})
	r.refused(d, "unknown_type", "dance", map[string]any{})
	if _, err := d.Do(r.ctx, "ping", map[string]any{}); err != nil {
		t.Errorf("ping: %v", err)
	}
	r.refused(d, "bad_request", "note", ref(4, 1, "text", "a\x00b"))
	r.refused(d, "bad_request", "note", ref(4, 1, "text", "x", "more", 1))
	r.refused(d, "bad_request", "state", map[string]any{"state": "talking", "reason": ""})
	r.refused(d, "bad_request", "state", map[string]any{"state": "not_ready", "reason": "because"})
	if a := r.must(d, "answers", map[string]any{"lang": "en", "topic": "bill", "query": ""}); len(a.Answers) != 1 {
		t.Errorf("search found %v", a.Answers)
	}
	r.refused(d, "failed", "answers", map[string]any{"lang": "en", "topic": "", "query": "fault"})
	r.refused(d, "bad_request", "answers", map[string]any{"lang": "../etc", "topic": "", "query": ""})
}

package screenpop_test

import (
	"context"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/desktest"
)

// ask is a call of priya's, who asks about it; petar talks to her.
type ask struct {
	*rig
	priya, petar *desktest.Desk
	o, q         routing.Offer
}

const theQuestion = routing.CallID(30)

func newAsk(t *testing.T, change ...func(*screenpop.Options)) *ask {
	r := newRig(t, change...)
	a := &ask{rig: r, priya: r.dial("priya"), petar: r.dial("petar"), o: offerOf(12, 1, "priya"), q: offerOf(theQuestion, 1, "petar")}
	r.signIn("priya")
	r.signIn("petar")
	r.arrive(12)
	<-r.resolved
	r.offer(a.o, "care", routing.RingAuto)
	r.talk(a.o)
	r.phaseIs(a.priya, 12, "talking")
	return a
}

// asks has priya ask the queue internet, and petar talk to her.
func (a *ask) asks() {
	a.t.Helper()
	done := make(chan error, 1)
	go func() {
		_, err := a.priya.Do(a.ctx, "consult", ref(12, 1, "queue", "internet", "note", "A spare port?"))
		done <- err
	}()
	if ev := event(a.rig, anyOf[routing.ConsultRequested]); ev.Offer != a.o || ev.Queue != "internet" {
		a.t.Fatalf("asked: %+v", ev)
	}
	a.do(routing.ConsultStarted{Offer: a.o, Consult: theQuestion, Queue: "internet"}, routing.Hold{Offer: a.o, On: true},
		routing.Enqueued{Call: theQuestion, Queue: "internet", Since: time.Now(), Entered: time.Now(), Consult: 12})
	if err := <-done; err != nil {
		a.t.Fatal(err)
	}
	a.offer(a.q, "internet", routing.RingAuto)
	a.talk(a.q)
	a.asked("talking", "petar")
	a.phaseIs(a.petar, int64(theQuestion), "talking")
}

// asked waits until priya's desk shows how her question stands.
func (a *ask) asked(phase, agent string) {
	a.t.Helper()
	a.wait(a.priya, "question "+phase, func(s desktest.State) bool {
		c := s.Cards[12].Consult
		return c != nil && c.Phase == phase && c.Agent == agent && c.Note == "A spare port?"
	})
}

// While she asks, neither she nor who is asked can do with the call what only one
// agent can who has the caller to himself.
func TestOfAQuestionNothingIsPassedOn(t *testing.T) {
	a := newAsk(t)
	a.refused(a.priya, "bad_request", "consult", ref(12, 1, "note", "Whom?"))
	a.refused(a.priya, "unknown_target", "consult", ref(12, 1, "queue", "none_such", "note", ""))
	a.refused(a.priya, "not_now", "consult_stop", ref(12, 1))
	a.refused(a.priya, "not_now", "consult_complete", ref(12, 1))
	a.asks()
	a.refused(a.priya, "not_now", "consult", ref(12, 1, "queue", "care", "note", ""))
	for _, target := range []string{"consult", "transfer"} {
		a.refused(a.petar, "not_now", target, ref(theQuestion, 1, "queue", "care", "note", ""))
	}
	a.refused(a.petar, "not_now", "hold", ref(theQuestion, 1, "on", true))
	a.refused(a.priya, "not_now", "transfer", ref(12, 1, "queue", "internet", "note", ""))
	if !none[routing.TransferRequested](a.rig) || !none[routing.HoldRequested](a.rig) {
		t.Error("the engine was asked")
	}
}

// A call that a PBX has back is held and passed on at the telephone: the desk says so,
// also one that is opened anew, and is left to end it.
func TestGivenBack(t *testing.T) {
	a := newAsk(t)
	a.hub.GivenBack(offerOf(12, 2, "priya")) // of no leg of hers
	a.hub.GivenBack(offerOf(99, 1, "priya"))
	a.refused(a.priya, "unknown_target", "transfer", ref(12, 1, "queue", "none_such", "note", "")) // still hers to pass on
	a.hub.GivenBack(a.o)
	given := func(s desktest.State) bool { return s.Cards[12].PBX && s.Cards[12].Phase == "talking" }
	a.wait(a.priya, "a call given back", given)
	for _, what := range []string{"transfer", "consult"} {
		a.refused(a.priya, "not_now", what, ref(12, 1, "queue", "care", "note", ""))
	}
	a.refused(a.priya, "not_now", "hold", ref(12, 1, "on", true))
	anew := a.dial("priya")
	a.wait(anew, "the call given back", given)
	done := make(chan error, 1)
	go func() {
		_, err := anew.Do(a.ctx, "hangup", ref(12, 1))
		done <- err
	}()
	if ev := event(a.rig, anyOf[routing.HangupRequested]); ev.Offer != a.o {
		t.Errorf("asked: %+v", ev)
	}
	a.do(routing.WrapUpStarted{Offer: a.o, Disposition: "optional", Until: time.Now().Add(time.Minute)})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	a.phaseIs(anew, 12, "wrap_up")
	if !none[routing.TransferRequested](a.rig) || !none[routing.HoldRequested](a.rig) || !none[routing.ConsultRequested](a.rig) {
		t.Error("the engine was asked")
	}
}

// A desk that is opened anew shows the question, on either side.
func TestDeskComesBackToItsQuestion(t *testing.T) {
	a := newAsk(t)
	a.asks()
	a.priya.Close()
	a.petar.Close()
	a.priya, a.petar = a.dial("priya"), a.dial("petar")
	a.asked("talking", "petar")
	a.wait(a.petar, "the question", func(s desktest.State) bool {
		c := s.Cards[int64(theQuestion)]
		return c.Question && c.From != nil && c.From.Agent == "priya" && c.From.Note == "A spare port?" && c.Record != nil
	})
}

// The end of a question leaves nothing of it but what was noted.
func TestNotesOfAQuestion(t *testing.T) {
	a := newAsk(t)
	a.asks()
	a.must(a.petar, "note", ref(theQuestion, 1, "text", "Port 14 is free."))
	a.do(routing.EndCall{Call: theQuestion, Outcome: routing.Consulted, By: routing.ByAgent, Reason: "left", Consult: 12},
		routing.WrapUpStarted{Offer: a.q, Disposition: "off"}, a.state("petar", agents.WrapUp, int64(theQuestion)),
		routing.ConsultEnded{Offer: a.o, Consult: theQuestion, Why: "left"}, routing.Hold{Offer: a.o})
	a.wait(a.priya, "the end", func(s desktest.State) bool { return s.Cards[12].Consult == nil && s.AskedWhy == "left" })
	a.do(routing.WrapUpFinished{Offer: a.q}, a.state("petar", agents.Available, 0))
	a.gone(a.petar, int64(theQuestion))
	a.wait(a.priya, "his note", func(s desktest.State) bool {
		n := s.Cards[12].Notes
		return len(n) == 1 && n[0].Text == "Port 14 is free."
	})
	a.do(routing.EndCall{Call: 12, Outcome: routing.Answered, By: routing.ByCaller}, routing.WrapUpStarted{Offer: a.o, Disposition: "off"},
		routing.WrapUpFinished{Offer: a.o}, a.state("priya", agents.Available, 0))
	a.gone(a.priya, 12)
	if n := a.hub.Cards(); n != 0 {
		t.Errorf("%d cards are left", n)
	}
	for len(a.contacts) > 0 {
		if c := <-a.contacts; c.Call != 12 {
			t.Errorf("a question is in the history: %+v", c)
		}
	}
}

// Which of several customers it is can be said by who is asked: of the call.
func TestAskedChooses(t *testing.T) {
	tom := dana()
	tom.ID, tom.Name = "LW-300", "Tom Calloway"
	chosen := make(chan routing.CallID, 1)
	a := newAsk(t, func(o *screenpop.Options) {
		o.Finder = finder(func(context.Context, string) (customer.Match, error) {
			return customer.Match{Candidates: []customer.Record{dana(), tom}}, nil
		})
		o.Chosen = func(call routing.CallID, _ string) { chosen <- call }
	})
	a.asks()
	a.must(a.petar, "choose", ref(theQuestion, 1, "customer", "LW-300"))
	if call := <-chosen; call != 12 {
		t.Errorf("chosen for call %d", call)
	}
	for d, call := range map[*desktest.Desk]int64{a.priya: 12, a.petar: int64(theQuestion)} {
		a.wait(d, "the record", func(s desktest.State) bool { r := s.Cards[call].Record; return r != nil && r.ID == "LW-300" })
	}
}

// A caller who hangs up while she asks ends the question with the call: the card on
// which she writes about it has nothing of it left, on the desk or a new one.
func TestCallerGoneWhileSheAsks(t *testing.T) {
	a := newAsk(t)
	a.asks()
	a.do(routing.EndCall{Call: theQuestion, Outcome: routing.Consulted, By: routing.ByCaller, Reason: "call_over", Consult: 12},
		routing.WrapUpStarted{Offer: a.q, Disposition: "off"}, a.state("petar", agents.WrapUp, int64(theQuestion)),
		routing.EndCall{Call: 12, Outcome: routing.Answered, By: routing.ByCaller}, routing.WrapUpStarted{Offer: a.o, Disposition: "off"},
		a.state("priya", agents.WrapUp, 12))
	clean := func(s desktest.State) bool {
		c, ok := s.Cards[12]
		return ok && c.Phase == "wrap_up" && c.Consult == nil
	}
	a.wait(a.priya, "wrap-up without a question", clean)
	a.priya.Close()
	a.priya = a.dial("priya")
	a.wait(a.priya, "and so on a desk opened anew", clean)
}

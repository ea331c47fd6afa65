package app

import (
	"context"
	"errors"
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/sip/siptest"
	"github.com/cordboard/cordboard/store"
)

// refused has the agent's desk ask for what cannot be done now.
func (w *world) refused(id agents.ID, what string, c desktest.Card, more map[string]any) {
	w.Helper()
	body := map[string]any{"call": c.Call, "attempt": c.Attempt}
	for k, v := range more {
		body[k] = v
	}
	_, err := w.desks[id].Do(w.ctx, what, body)
	var no *desktest.Refused
	if !errors.As(err, &no) || no.Code != "not_now" {
		w.Errorf("%s at the desk of %s: %v, want not_now", what, id, err)
	}
}

// TestConsultMeanwhile: what may happen to a server and to its desks while an agent
// asks. The two who talk hear one another all along, and the caller has music.
func TestConsultMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		direct bool
		run    func(*asking) (row, row)
	}{
		"reload":                {false, reloadedWhileAsking},
		"reload, direct":        {true, reloadedWhileAsking},
		"reload while it rings": {false, reloadedWhileItRings},
		"desks come back":       {false, desksComeBack},
		"phone holds, direct":   {true, askerHoldsByPhone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{at: []agents.ID{anna, petar}, direct: c.direct})
			baseline, was := w.goroutines()
			call, question := c.run(&asking{world: w})
			w.settled(call, question)
			next := w.takesNext(anna)
			w.settled(call, question, next)
			w.quiet(baseline, was)
		})
	}
}

// apply makes the document live anew, and routes all waiting calls again by it.
func (w *world) apply() {
	w.Helper()
	next := *w.app.Policy()
	next.Version++
	w.app.rim.reload(routing.PolicyChanged{Version: next.Version, SHA256: next.SHA256, Policy: &next, Waiting: routing.ApplyWaiting})
	w.eventually("the engine has the new version", func() bool {
		s, err := w.app.rim.driver.Snapshot(w.ctx)
		w.must(err)
		return s.Version == next.Version && s.Pending == 0
	})
}

// stillTalk checks that the two agents, and nobody else, hear one another.
func (a *asking) stillTalk() {
	a.Helper()
	a.hears(a.asked.Audio(), agentTone[anna])
	a.hears(a.leg.Audio(), agentTone[petar])
	a.c.hearsMusic()
}

func reloadedWhileAsking(a *asking) (row, row) {
	a = a.conferring()
	a.apply()
	a.stillTalk()
	a.do(anna, "consult_complete", a.card, nil)
	a.heard(a.leg, siptest.ByeReceived)
	a.c.hears(agentTone[petar])
	a.hears(a.asked.Audio(), callerTone)
	a.c.hangsUp()
	a.heard(a.asked, siptest.ByeReceived)
	return row{outcome: routing.Answered, by: routing.ByCaller, agent: petar, offers: 1, transfers: 1}, consulted(routing.ByAgent, "handed_over", petar)
}

func reloadedWhileItRings(a *asking) (row, row) {
	a = a.asks()
	a.apply()
	a.must(a.asked.Answer())
	a.sees("talking", petar)
	a.stillTalk()
	a.do(anna, "consult_stop", a.card, nil)
	a.heard(a.asked, siptest.ByeReceived)
	a.back("stopped")
	a.c.hangsUp()
	return answeredByCaller, consulted(routing.ByAgent, "stopped", petar)
}

// desksComeBack: either desk is closed and opened again, and shows how the question
// stands. Nothing can be passed on meanwhile, by whomever.
func desksComeBack(a *asking) (row, row) {
	a = a.conferring()
	for _, id := range []agents.ID{anna, petar} {
		a.desks[id].Close()
		a.open(id)
	}
	a.sees("talking", petar)
	q := a.phase(petar, "talking")
	if !q.Question || q.From == nil || q.From.Agent != string(anna) || q.From.Note != whatIsAsked || q.Record == nil {
		a.Errorf("petar's desk shows %+v", q)
	}
	a.refused(anna, "transfer", a.card, map[string]any{"queue": "internet", "note": ""})
	a.refused(anna, "consult", a.card, map[string]any{"queue": "internet", "note": ""})
	a.refused(petar, "transfer", q, map[string]any{"queue": "care", "note": ""})
	a.refused(petar, "hold", q, map[string]any{"on": true})
	a.stillTalk()
	a.do(petar, "hangup", q, nil)
	a.heard(a.asked, siptest.ByeReceived)
	a.back("left")
	a.c.hangsUp()
	return answeredByCaller, consulted(routing.ByAgent, "left", petar)
}

// askerHoldsByPhone: the key of her phone holds who is asked, and lets go of nobody.
func askerHoldsByPhone(a *asking) (row, row) {
	a = a.conferring()
	a.must(a.leg.Hold(a.ctx))
	a.c.hearsMusic()
	a.must(a.leg.Unhold(a.ctx))
	a.stillTalk()
	a.do(anna, "consult_stop", a.card, nil)
	a.heard(a.asked, siptest.ByeReceived)
	a.back("stopped")
	a.c.hangsUp()
	return answeredByCaller, consulted(routing.ByAgent, "stopped", petar)
}

// TestStopDuringAQuestion: a server that is stopped at once ends all three lines, and
// both rows say how.
func TestStopDuringAQuestion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna, petar}})
	a := w.conferring()
	now, cancel := context.WithCancel(w.ctx)
	cancel()
	w.must(w.app.Stop(now))
	w.heard(a.leg, siptest.ByeReceived)
	w.heard(a.asked, siptest.ByeReceived)
	a.c.sees(1, "gone")
	kept, err := StoreOptions(w.app.opt.Server.Store)
	w.must(err)
	kept.Tool = true
	db, err := store.Open(w.ctx, kept)
	w.must(err)
	defer func() { _ = db.Close() }()
	for call, want := range map[int64]row{
		a.card.Call:     {outcome: routing.Answered, by: routing.ByServer, reason: "shutdown", agent: anna, offers: 1},
		a.question.Call: consulted(routing.ByServer, "call_over", petar),
	} {
		got, err := db.LedgerRow(w.ctx, routing.CallID(call))
		w.must(err)
		if rowOf(got) != want {
			t.Errorf("call %d: %+v, want %+v", call, rowOf(got), want)
		}
	}
}

package app

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/sip/siptest"
	"github.com/cordboard/cordboard/store"
)

// asking is a call of anna's, who asks petar about it.
type asking struct {
	*world
	c        *caller
	card     desktest.Card // of anna
	leg      *siptest.Call // of her phone
	asked    *siptest.Call // of petar's
	question desktest.Card // on his desk
}

const whatIsAsked = "Port 12 is full. Is there a spare one?"

// asks has anna ask a topic whose specialist is petar; his phone rings.
func (w *world) asks() *asking {
	w.Helper()
	w.phones[petar].Set(rings(petar))
	a := &asking{world: w}
	a.c, a.card, a.leg = w.talking()
	w.do(anna, "note", a.card, map[string]any{"text": "Router was restarted twice."})
	w.do(anna, "consult", a.card, map[string]any{"topic": "line_fault", "note": whatIsAsked})
	w.calls++
	a.c.hearsMusic()
	a.asked = w.rung(petar, 1)
	a.question = w.phase(petar, "ringing")
	a.sees("ringing", petar)
	return a
}

// conferring has petar answer: the two agents hear one another and nobody else.
func (w *world) conferring() *asking {
	w.Helper()
	a := w.asks()
	w.must(a.asked.Answer())
	w.hears(a.asked.Audio(), agentTone[anna])
	w.hears(a.leg.Audio(), agentTone[petar])
	a.c.hearsMusic()
	a.question = w.phase(petar, "talking")
	a.sees("talking", petar)
	w.state(anna, "hold")
	return a
}

// sees waits until anna's desk shows how her question stands.
func (a *asking) sees(phase string, who agents.ID) {
	a.Helper()
	a.screen(anna, "question in phase "+phase, func(s desktest.State) bool {
		c := s.Cards[a.card.Call].Consult
		return c != nil && c.Phase == phase && c.Agent == string(who) && c.Note == whatIsAsked
	})
}

// back has anna with the caller again, the question over for the reason.
func (a *asking) back(why string) {
	a.Helper()
	a.screen(anna, "the caller again", func(s desktest.State) bool {
		c := s.Cards[a.card.Call]
		return c.Consult == nil && c.Phase == "talking" && s.AskedWhy == why
	})
	a.c.hears(agentTone[anna])
	a.hears(a.leg.Audio(), callerTone)
}

var consulted = func(by routing.Party, reason string, agent agents.ID) row {
	return row{outcome: routing.Consulted, by: by, reason: reason, agent: agent, offers: 1}
}

func askAndComeBack(w *world) (row, row) {
	a := w.conferring()
	q := a.question
	if !q.Question || q.From == nil || q.From.Agent != string(anna) || q.From.Note != whatIsAsked || q.Record == nil || q.Record.ID != record().ID ||
		q.Caller.Number != dana || len(q.Notes) != 1 || q.Notes[0].Text != "Router was restarted twice." {
		w.Errorf("petar sees question %v from %+v, notes %+v, record %v", q.Question, q.From, q.Notes, q.Record)
	}
	rang, _ := a.asked.At(siptest.InviteReceived)
	if seen := w.desks[petar].Seen()[0]; seen.AckAt.IsZero() || !rang.After(seen.AckAt) {
		w.Errorf("the phone was called at %v, the desk had painted at %v", rang, seen.AckAt)
	}
	w.do(petar, "note", q, map[string]any{"text": "Port 14 is free."})
	w.do(anna, "hold", a.card, map[string]any{"on": false}) // back to the caller, and to petar again
	a.c.hears(agentTone[anna])
	w.do(anna, "hold", a.card, map[string]any{"on": true})
	w.hears(a.asked.Audio(), agentTone[anna])
	a.c.hearsMusic()
	w.do(anna, "consult_stop", a.card, nil)
	w.heard(a.asked, siptest.ByeReceived)
	a.back("stopped")
	w.state(petar, "available")
	w.screen(anna, "petar's note", func(s desktest.State) bool {
		c := s.Cards[a.card.Call]
		return len(c.Notes) == 1 && c.Notes[0].Text == "Port 14 is free."
	})
	a.c.hangsUp()
	return answeredByCaller, consulted(routing.ByAgent, "stopped", petar)
}

func askAndHandOver(w *world) (row, row) {
	a := w.conferring()
	w.do(petar, "note", a.question, map[string]any{"text": "Moves the line to port 14."})
	w.do(anna, "consult_complete", a.card, nil)
	w.heard(a.leg, siptest.ByeReceived)
	a.c.hears(agentTone[petar])
	w.hears(a.asked.Audio(), callerTone)
	w.state(anna, "available")
	var got desktest.Card
	w.screen(petar, "the call", func(s desktest.State) bool {
		got = s.Cards[a.card.Call]
		return got.Phase == "talking" && len(s.Cards) == 1
	})
	if got.Question || got.From == nil || got.From.Agent != string(anna) || got.From.Note != whatIsAsked || got.Note != "Moves the line to port 14." || got.Record == nil || got.Queue != "internet" {
		w.Errorf("petar has %+v from %+v", got, got.From)
	}
	if got.Set != "service" {
		w.Errorf("what petar may tick: %q", got.Set)
	}
	w.do(petar, "hold", got, map[string]any{"on": true})
	a.c.hearsMusic()
	w.do(petar, "hold", got, map[string]any{"on": false})
	a.c.hears(agentTone[petar])
	a.c.hangsUp()
	w.heard(a.asked, siptest.ByeReceived)
	return row{outcome: routing.Answered, by: routing.ByCaller, agent: petar, offers: 1, transfers: 1}, consulted(routing.ByAgent, "handed_over", petar)
}

func askedNeverComes(w *world) (row, row) {
	a := w.asks()
	a.c.hearsMusic()
	w.heard(a.asked, siptest.CancelReceived) // the queue's phones ring 5 s
	w.withdrawn(petar, "rona")
	a.sees("waiting", "")
	w.do(anna, "consult_stop", a.card, nil)
	a.back("stopped")
	w.ready(petar)
	a.c.hangsUp()
	return answeredByCaller, consulted(routing.ByAgent, "stopped", "")
}

// A colleague who is asked by name and does not come ends the question.
func colleagueDeclines(w *world) (row, row) {
	w.phones[petar].Set(rings(petar))
	a := &asking{world: w}
	a.c, a.card, a.leg = w.talking()
	w.do(anna, "consult", a.card, map[string]any{"agent": string(petar), "note": whatIsAsked})
	w.calls++
	a.asked = w.rung(petar, 1)
	w.do(petar, "decline", w.phase(petar, "ringing"), map[string]any{"reason": "not_now"})
	w.heard(a.asked, siptest.CancelReceived)
	a.back("refused")
	w.state(petar, "available")
	a.c.hangsUp()
	return answeredByCaller, consulted(routing.ByServer, "refused", "")
}

func askedHangsUp(w *world) (row, row) {
	a := w.conferring()
	a.asked.Hangup()
	a.back("left")
	w.state(petar, "available")
	a.c.hangsUp()
	return answeredByCaller, consulted(routing.ByAgent, "left", petar)
}

func callerHangsUpWhileAsked(w *world) (row, row) {
	a := w.conferring()
	a.c.hangsUp()
	w.heard(a.asked, siptest.ByeReceived)
	w.heard(a.leg, siptest.ByeReceived)
	w.state(anna, "available")
	w.state(petar, "available")
	return answeredByCaller, consulted(routing.ByCaller, "call_over", petar)
}

func callerHangsUpWhileItRings(w *world) (row, row) {
	a := w.asks()
	a.c.hangsUp()
	w.heard(a.asked, siptest.CancelReceived)
	w.heard(a.leg, siptest.ByeReceived)
	w.withdrawn(petar, "stopped")
	w.state(petar, "available")
	return answeredByCaller, consulted(routing.ByCaller, "call_over", "")
}

// The phone of who asks is gone: the caller is with who was asked.
func askerHangsUp(w *world) (row, row) {
	a := w.conferring()
	a.leg.Hangup()
	a.c.hears(agentTone[petar])
	w.hears(a.asked.Audio(), callerTone)
	w.state(anna, "available")
	w.screen(petar, "the call", func(s desktest.State) bool { return s.Cards[a.card.Call].Phase == "talking" })
	a.asked.Hangup()
	a.c.over()
	return row{outcome: routing.Answered, by: routing.ByAgent, agent: petar, offers: 1, transfers: 1}, consulted(routing.ByAgent, "handed_over", petar)
}

// TestConsult drives the whole server: an agent asks another while the caller
// holds. Afterwards nothing may be left, and the agent takes a next call.
func TestConsult(t *testing.T) {
	type test struct {
		name   string
		direct bool
		run    func(*world) (row, row)
	}
	var tests []test
	for _, way := range []bool{false, true} {
		suffix := map[bool]string{false: "", true: ", direct"}[way]
		tests = append(tests,
			test{"comes back" + suffix, way, askAndComeBack},
			test{"hands over" + suffix, way, askAndHandOver},
			test{"asked hangs up" + suffix, way, askedHangsUp},
			test{"caller hangs up" + suffix, way, callerHangsUpWhileAsked},
			test{"asker's phone is gone" + suffix, way, askerHangsUp})
	}
	tests = append(tests,
		test{"hands over by the phone", false, phoneHandsOver},
		test{"never comes", false, askedNeverComes},
		test{"colleague declines", false, colleagueDeclines},
		test{"caller hangs up while it rings", false, callerHangsUpWhileItRings})
	for _, on := range Databases {
		for i, c := range tests {
			if on != "sqlite" && i >= 3 { // what comes of each of them has been to the ledger
				break
			}
			t.Run(on.Case(c.name), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, setup{at: []agents.ID{anna, petar}, store: on, direct: c.direct})
				baseline, was := w.goroutines()
				call, question := c.run(w)
				w.asksOnce(w.settled(call, question))
				next := w.takesNext(anna)
				w.explained(w.settled(call, question, next))
				w.quiet(baseline, was)
			})
		}
	}
}

// asksOnce checks what the ledger says of a question beside its call: who talked
// when, exactly, and that no report takes it for a caller's.
func (w *world) asksOnce(rows []store.LedgerRow) {
	w.Helper()
	if len(rows) != 2 {
		w.Fatalf("%d rows", len(rows))
	}
	call, q := rows[0], rows[1]
	if q.Queue == "" || q.Number != "" || q.Customer != "" || q.Trunk != "" || q.Wait+q.Talk > call.EndedAt.Sub(call.TalkAt) {
		w.Errorf("the question in the ledger: %+v", q)
	}
	events, err := w.app.Store().Events(w.ctx, q.Call)
	w.must(err)
	var entered struct {
		Consult  routing.CallID `json:"consult"`
		Priority int            `json:"priority"`
	}
	i := slices.IndexFunc(events, func(e store.Event) bool { return e.Kind == "enqueued" })
	w.must(json.Unmarshal(events[i].Data, &entered))
	if entered.Consult != call.Call || entered.Priority != 40 {
		w.Errorf("the question stands in its queue as %+v", entered)
	}
	day, _ := w.app.today(w.began)
	if n := day.Lines["internet"]; n.Offered != 0 || n.Answered != 0 {
		w.Errorf("a question is counted as a caller: %+v", n)
	}
	if n := day.Lines["care"]; n.Offered != 1 || n.Answered != 1 {
		w.Errorf("the call is counted as %+v", n)
	}
	m, err := w.app.Store().Lookup(w.ctx, dana)
	w.must(err)
	for _, i := range m.Record.Interactions {
		if i.Call == int64(q.Call) {
			w.Errorf("a question is in the customer's history: %+v", i)
		}
	}
}

package app

import (
	"context"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/sip/siptest"
)

// slowSource answers no look-up before it is opened.
type slowSource struct {
	asked chan struct{}
	open  chan struct{}
}

func (s *slowSource) options() []customer.SourceOptions {
	return []customer.SourceOptions{{Name: "slow", Source: s, Timeout: 30 * time.Second}}
}

// Lookup implements customer.Source.
func (s *slowSource) Lookup(ctx context.Context, _ string) (customer.Match, error) {
	s.asked <- struct{}{}
	select {
	case <-s.open:
		r := record()
		return customer.Match{Record: &r}, nil
	case <-ctx.Done():
		return customer.Match{}, ctx.Err()
	}
}

// The route asks for the record, the record does not come, and the caller, who
// has only heard ringing, gives up.
func (s *slowSource) cancelled(w *world) row {
	c := w.dial(dial{to: toAsks})
	select {
	case <-s.asked:
	case <-w.ctx.Done():
		w.Fatal("nobody was looked up")
	}
	c.sees(1, "ringing")
	c.hangsUp()
	c.never("up")
	if r := w.settled(abandoned(0))[0]; !r.AnsweredAt.IsZero() || !r.QueuedAt.IsZero() {
		w.Errorf("answered at %v, queued at %v", r.AnsweredAt, r.QueuedAt)
	}
	w.neverRang(anna)
	close(s.open)
	return abandoned(0)
}

// never fails when the caller's only call has logged the word; it is over.
func (c *caller) never(word string) {
	c.w.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.logged(1, word) {
		c.w.Errorf("the caller saw %q: %v", word, c.log)
	}
}

func cancelWhileRinging(w *world) row {
	w.phones[anna].Set(rings(anna))
	c := w.dial(dial{to: toTogether})
	c.sees(1, "ringing")
	leg := w.rung(anna, 1)
	w.phase(anna, "ringing")
	c.hangsUp()
	c.never("up")
	w.heard(leg, siptest.CancelReceived)
	w.withdrawn(anna, "abandoned")
	if r := w.settled(abandoned(1))[0]; !r.AnsweredAt.IsZero() {
		w.Errorf("answered at %v", r.AnsweredAt)
	}
	return abandoned(1)
}

func answeredTogether(w *world) row {
	w.phones[anna].Set(rings(anna))
	c := w.dial(dial{to: toTogether})
	leg := w.rung(anna, 1)
	w.phase(anna, "ringing")
	c.sees(1, "ringing")
	return w.answeredWithPhone(c, leg)
}

// answeredWithPhone has anna's phone answer a caller who was not answered yet:
// he is from then on.
func (w *world) answeredWithPhone(c *caller, leg *siptest.Call) row {
	w.Helper()
	w.must(leg.Answer())
	c.hears(agentTone[anna])
	w.hears(leg.Audio(), callerTone)
	answered, _ := leg.At(siptest.OKSent)
	c.hangsUp()
	if r := w.settled(answeredByCaller)[0]; r.AnsweredAt.Before(answered.Truncate(time.Microsecond)) {
		w.Errorf("the caller was answered at %v, the phone at %v", r.AnsweredAt, answered)
	}
	return answeredByCaller
}

// hearsUsEarly is a caller who hears us before he is answered, and pays from the
// agent's answer on.
func hearsUsEarly(w *world) row {
	w.phones[anna].Set(rings(anna))
	c := w.dial(dial{to: toEarly})
	leg := w.rung(anna, 1)
	w.phase(anna, "ringing")
	c.sees(1, "early")
	c.hearsMusic()
	c.never("up")
	return w.answeredWithPhone(c, leg)
}

func callerHangsUp(w *world) row {
	c, _, leg := w.talking()
	w.hears(leg.Audio(), callerTone)
	c.hangsUp()
	w.heard(leg, siptest.ByeReceived)
	return answeredByCaller
}

func phoneHangsUp(w *world) row {
	c, _, leg := w.talking()
	leg.Hangup()
	c.over()
	return answeredByAgent
}

func deskHangsUp(w *world) row {
	c, card, leg := w.talking()
	w.do(anna, "hangup", card, nil)
	c.over()
	w.heard(leg, siptest.ByeReceived)
	return answeredByAgent
}

func phoneHolds(w *world) row {
	c, _, leg := w.talking()
	w.must(leg.Hold(w.ctx))
	w.phase(anna, "hold")
	c.hearsMusic()
	w.must(leg.Unhold(w.ctx))
	w.phase(anna, "talking")
	c.hears(agentTone[anna])
	w.hears(leg.Audio(), callerTone)
	c.hangsUp()
	return answeredByCaller
}

func deskHolds(w *world) row {
	c, card, leg := w.talking()
	w.do(anna, "hold", card, map[string]any{"on": true})
	w.phase(anna, "hold")
	c.hearsMusic()
	w.do(anna, "hold", card, map[string]any{"on": false})
	w.phase(anna, "talking")
	c.hears(agentTone[anna])
	w.hears(leg.Audio(), callerTone)
	c.hangsUp()
	return answeredByCaller
}

// A caller's own music comes from his side: the agent must hear it.
func callerHolds(w *world) row {
	c, _, leg := w.talking()
	c.ear.Speak(callerMusic)
	c.told(1, hold)
	c.sees(1, "hold")
	w.hears(leg.Audio(), callerMusic)
	c.told(1, unhold)
	c.sees(1, "unhold")
	c.ear.Speak(callerTone)
	w.hears(leg.Audio(), callerTone)
	c.hears(agentTone[anna])
	c.hangsUp()
	return answeredByCaller
}

// unhurried is a desk that paints slowly enough to be lost before it acks.
func unhurried(_ agents.ID, o *desktest.Options) { o.AckDelay = 300 * time.Millisecond }

func deskDropsAndIsBack(w *world) row {
	c := w.dial(dial{to: toPatient})
	w.phase(anna, "offered")
	w.desks[anna].Drop()
	w.resumed(anna)
	w.phase(anna, "talking")
	c.sees(1, "up")
	seen := w.desks[anna].Seen()[0]
	if rang, _ := w.rung(anna, 1).At(siptest.InviteReceived); seen.AckAt.IsZero() || !rang.After(seen.AckAt) {
		w.Errorf("the phone was called at %v, the desk had painted at %v", rang, seen.AckAt)
	}
	c.hangsUp()
	return answeredByCaller
}

func (w *world) resumed(id agents.ID) {
	w.Helper()
	w.screen(id, "second welcome", func(s desktest.State) bool { return s.Welcomes == 2 && s.Resumed && s.Connected })
}

func deskLost(w *world) row {
	c := w.dial(dial{})
	w.phase(anna, "offered")
	w.desks[anna].Close()
	r := w.borisTakes(c)
	w.neverRang(anna)
	w.comesBack(anna)
	return r
}

func deskDropsInTalk(w *world) row {
	c, card, _ := w.talking()
	w.desks[anna].Drop()
	w.resumed(anna)
	c.hears(agentTone[anna])
	w.do(anna, "hangup", card, nil)
	c.over()
	return answeredByAgent
}

// A talk needs no desk; the next one shows it.
func deskLostInTalk(w *world) row {
	c, card, leg := w.talking()
	w.desks[anna].Close()
	c.hears(agentTone[anna])
	w.hears(leg.Audio(), callerTone)
	w.open(anna)
	if again := w.phase(anna, "talking"); again.Call != card.Call || again.Record == nil {
		w.Errorf("the new desk shows %+v", again)
	}
	c.hangsUp()
	return answeredByCaller
}

func toTopic(w *world) row {
	c, card, leg := w.talking()
	w.do(anna, "note", card, map[string]any{"text": "Router was restarted twice."})
	w.do(anna, "transfer", card, map[string]any{"topic": "line_fault", "note": "Drops every evening."})
	w.heard(leg, siptest.ByeReceived)
	got := w.phase(petar, "talking")
	if got.From == nil || got.From.Agent != string(anna) || got.From.Note != "Drops every evening." || got.Record == nil {
		w.Errorf("petar sees from %+v, record %+v", got.From, got.Record)
	}
	if len(got.Notes) == 0 || got.Notes[0].Text != "Router was restarted twice." {
		w.Errorf("petar sees the notes %+v", got.Notes)
	}
	rang, _ := w.rung(petar, 1).At(siptest.InviteReceived)
	if seen := w.desks[petar].Seen()[0]; seen.AckAt.IsZero() || !rang.After(seen.AckAt) {
		w.Errorf("the phone was called at %v, the desk had painted at %v", rang, seen.AckAt)
	}
	w.state(anna, "available")
	c.hears(agentTone[petar])
	c.hangsUp()
	return row{outcome: routing.Answered, by: routing.ByCaller, agent: petar, offers: 2, transfers: 1}
}

// Passed on to a colleague whose phone rings out: the sender has the call again.
func transferUnanswered(w *world) row {
	w.phones[petar].Set(rings(petar))
	c := w.dial(dial{to: toShort})
	card := w.phase(anna, "talking")
	c.sees(1, "up")
	w.do(anna, "transfer", card, map[string]any{"agent": string(petar), "note": ""})
	leg := w.rung(petar, 1)
	c.hearsMusic()
	w.heard(leg, siptest.CancelReceived)
	w.withdrawn(petar, "rona")
	w.rung(anna, 2)
	w.phase(anna, "talking")
	c.hears(agentTone[anna])
	c.hangsUp()
	return row{outcome: routing.Answered, by: routing.ByCaller, agent: anna, offers: 3, transfers: 1}
}

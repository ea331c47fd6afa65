package app

import (
	"errors"
	"strings"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/sip/siptest"
)

const toFar = "020 7946 0911" // as an agent types it

var passedOut = row{outcome: routing.Answered, by: routing.ByCaller, agent: anna, offers: 1, transfers: 1}

// passesOut has anna pass her caller on to a number that rings.
func (w *world) passesOut(n int) (c *caller, card desktest.Card, leg *siptest.Call) {
	w.Helper()
	c, card, own := w.talking()
	w.do(anna, "transfer", card, map[string]any{"number": toFar})
	w.heard(own, siptest.ByeReceived)
	leg = w.rung(far, n)
	w.state(anna, "available")
	c.hearsMusic()
	return c, card, leg
}

// The number answers: the caller talks to it, the agent is free. What it sees is our
// number and not the caller's.
func passedOnToNumber(w *world) row {
	w.farRings()
	c, _, leg := w.passesOut(1)
	if to, from := leg.Invite().Get("To"), leg.Invite().Get("From"); !strings.Contains(to, "sip:02079460911@") || !strings.Contains(from, "+442079460100") {
		w.Errorf("called %s by %s", to, from)
	}
	for _, h := range leg.Invite().Headers {
		if strings.Contains(h.Value, dana[3:]) {
			w.Errorf("the caller's number leaves the house: %s: %s", h.Name, h.Value)
		}
	}
	w.must(leg.Answer())
	c.hears(farTone)
	w.hears(leg.Audio(), callerTone)
	c.hangsUp()
	w.heard(leg, siptest.ByeReceived)
	return passedOut
}

func passedOnNumberHangsUp(w *world) row {
	w.phones[far].Set(siptest.Behaviour{Tone: farTone})
	c, _, leg := w.passesOut(1)
	c.hears(farTone)
	leg.Hangup()
	c.over()
	return row{outcome: routing.Answered, by: routing.ByServer, agent: anna, offers: 1, transfers: 1, reason: "transferred"}
}

func passedOnCallerGivesUp(w *world) row {
	w.farRings()
	c, _, leg := w.passesOut(1)
	c.hangsUp()
	w.heard(leg, siptest.CancelReceived)
	return row{outcome: routing.Answered, by: routing.ByCaller, agent: anna, offers: 1, transfers: 1, reason: "abandoned_after_transfer"}
}

// backFromNumber: the agent who passed the call on has it back, and is told why.
func (w *world) backFromNumber(c *caller, card desktest.Card, why string) {
	w.Helper()
	w.screen(anna, "the call again", func(s desktest.State) bool {
		got := s.Cards[card.Call]
		last := desktest.Card{}.Path
		for _, p := range got.Path {
			if p.Kind == "number" {
				last = append(last, p)
			}
		}
		return got.Phase == "talking" && got.Attempt == card.Attempt+1 && got.Back == why && len(last) == 1 && strings.ReplaceAll(last[0].Name, " ", "") == strings.ReplaceAll(toFar, " ", "") && last[0].Why == why && got.Record != nil
	})
	c.hears(agentTone[anna])
}

func passedOnNumberBusy(w *world) row {
	w.phones[far].Set(siptest.Behaviour{Reject: 486})
	c, card, own := w.talking()
	w.do(anna, "transfer", card, map[string]any{"number": toFar})
	w.heard(own, siptest.ByeReceived)
	w.backFromNumber(c, card, "number_busy")
	c.hangsUp()
	return row{outcome: routing.Answered, by: routing.ByCaller, agent: anna, offers: 2, transfers: 1}
}

// Nobody answers there within transfers.unanswered.after.
func passedOnNumberSilent(w *world) row {
	w.farRings()
	c, card, leg := w.passesOut(1)
	w.heard(leg, siptest.CancelReceived)
	w.backFromNumber(c, card, "number_no_answer")
	c.hangsUp()
	return row{outcome: routing.Answered, by: routing.ByCaller, agent: anna, offers: 2, transfers: 1}
}

// Numbers that would cost us, or come back, are not called: the agent has the
// caller still.
func numbersRefused(w *world) row {
	c, card, leg := w.talking()
	if me := w.desks[anna].State().Welcome.Numbers; len(me) != 1 || me[0] != "GB" {
		w.Errorf("the desk may pass calls on to numbers of %v", me)
	}
	for number, code := range map[string]string{
		"0909 879 0000":       "number_not_allowed", // pays its owner
		"070 1234 5678":       "number_not_allowed", // goes wherever its owner likes
		"+359 2 4912 345":     "number_not_allowed", // another country
		"+882 16 123 45678":   "number_not_allowed", // of none
		"+44 20 7946 0100":    "number_not_allowed", // our own
		"+44 20 7946 0132":    "number_not_allowed", // our own: a line of the routing document
		"999":                 "not_a_number",
		"0":                   "not_a_number",
		"sip:x@192.0.2.1":     "not_a_number",
		"+44;phone-context=x": "not_a_number",
	} {
		_, err := w.desks[anna].Do(w.ctx, "transfer", map[string]any{"call": card.Call, "attempt": card.Attempt, "number": number})
		var no *desktest.Refused
		if !errors.As(err, &no) || no.Code != code && no.Code != "not_a_number" {
			w.Errorf("%s: %v, want %s", number, err, code)
		}
	}
	_, err := w.desks[anna].Do(w.ctx, "consult", map[string]any{"call": card.Call, "attempt": card.Attempt, "number": toFar})
	var no *desktest.Refused
	if !errors.As(err, &no) || no.Code != "unknown_target" {
		w.Errorf("a number is asked first: %v", err)
	}
	w.hears(leg.Audio(), callerTone)
	if n := len(w.phones[far].Calls()); n != 0 {
		w.Errorf("%d calls have left the house", n)
	}
	c.hangsUp()
	return answeredByCaller
}

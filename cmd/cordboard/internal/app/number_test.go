package app

import (
	"strings"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/siptest"
)

// far is what the trunk leads to: a number of the document, and gustav's mobile.
// It is no agent.
const (
	far      = agents.ID("far")
	gustav   = agents.ID("gustav")
	toRoad   = "+442079460118" // gustav's
	toNumber = "+442079460119" // sent to a number at once
)

const farTone = 850

// farRings has what the trunk leads to ring until the test says what happens.
func (w *world) farRings() {
	w.phones[far].Set(siptest.Behaviour{Ring: true, AnswerAfter: -1, Tone: farTone})
}

// sentToNumber: the caller is answered by the number, and talks to it.
func sentToNumber(w *world) row {
	w.farRings()
	c := w.dial(dial{to: toNumber})
	leg := w.rung(far, 1)
	c.sees(1, "ringing")
	if to := leg.Invite().Get("To"); !strings.Contains(to, "sip:02079460911@") {
		w.Errorf("called %s", to)
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
	return row{outcome: routing.Treated, by: routing.ByCaller}
}

// numberHangsUp: the number ends the talk.
func numberHangsUp(w *world) row {
	w.phones[far].Set(siptest.Behaviour{Tone: farTone})
	c := w.dial(dial{to: toNumber})
	leg := w.rung(far, 1)
	c.hears(farTone)
	leg.Hangup()
	c.over()
	return row{outcome: routing.Treated, by: routing.ByServer, reason: "then"}
}

// mobileTakes: gustav picks up, hears the question and takes the call with 1.
func mobileTakes(w *world) row {
	w.farRings()
	c := w.dial(dial{to: toRoad})
	leg := w.rung(far, 1)
	if to := leg.Invite().Get("To"); !strings.Contains(to, "sip:07700900016@") {
		w.Errorf("called %s", to)
	}
	w.must(leg.Answer())
	w.listen(leg.Audio(), "the question", leg.Audio().Loud)
	w.must(leg.Audio().Press("91"))
	c.hears(farTone)
	w.hears(leg.Audio(), callerTone)
	c.hangsUp()
	w.heard(leg, siptest.ByeReceived)
	return row{outcome: routing.Answered, by: routing.ByCaller, agent: gustav, offers: 1}
}

// mailboxHangsUp: what picks up presses nothing. The caller still waits; nobody
// else fits, and the agent is away.
func mailboxHangsUp(w *world) row {
	w.farRings()
	c := w.dial(dial{to: toRoad})
	leg := w.rung(far, 1)
	w.must(leg.Answer())
	w.listen(leg.Audio(), "the question", leg.Audio().Loud)
	leg.Hangup()
	w.eventually("gustav is away", func() bool {
		snap, err := w.app.rim.driver.Snapshot(w.ctx)
		w.must(err)
		for _, a := range snap.Agents {
			if a.Agent == gustav {
				return a.State == agents.NotReady && a.Reason == agents.ReasonRONA
			}
		}
		return false
	})
	c.hearsMusic()
	c.hangsUp()
	return abandoned(1)
}

package app

import (
	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/sip/siptest"
)

// toGroup rings two phones at once.
const toGroup = "+442079460105"

// groupRings places a call that has both phones ringing, and both records on
// their screens.
func (w *world) groupRings() (c *caller, legs map[agents.ID]*siptest.Call) {
	w.Helper()
	legs = map[agents.ID]*siptest.Call{}
	for _, id := range []agents.ID{anna, boris} {
		w.phones[id].Set(rings(id))
	}
	c = w.dial(dial{to: toGroup})
	for _, id := range []agents.ID{anna, boris} {
		legs[id] = w.rung(id, 1)
		if card := w.phase(id, "ringing"); card.Record == nil {
			w.Errorf("%s is called without the record: %+v", id, card)
		}
	}
	return c, legs
}

// lost is what the agent of a group sees who has not got the call.
func (w *world) lost(id agents.ID) {
	w.Helper()
	w.withdrawn(id, "answered_elsewhere")
	w.screen(id, "empty desk", func(s desktest.State) bool { return len(s.Cards) == 0 && s.Status.State == "available" })
}

// talks tells whether the agent's desk shows a card that is in talk.
func (w *world) talks(id agents.ID) bool {
	for _, c := range w.desks[id].State().Cards {
		if c.Phase == "talking" {
			return true
		}
	}
	return false
}

// groupAnswered: one picks up, the other phone stops and its desk is cleared.
func groupAnswered(w *world) row {
	c, legs := w.groupRings()
	w.must(legs[boris].Answer())
	w.heard(legs[anna], siptest.CancelReceived)
	w.lost(anna)
	return w.borisTakes(c)
}

// groupAnsweredTwice: both pick up in the same instant; one has the caller, the
// other's phone is hung up.
func groupAnsweredTwice(w *world) row {
	c, legs := w.groupRings()
	w.must(legs[anna].Answer())
	second := legs[boris].Answer() // refused when our CANCEL was faster
	winner, loser := anna, boris
	if second == nil { // two 200 on two sockets: whichever the server read first has won
		w.eventually("one of the two is talking", func() bool { return w.talks(anna) || w.talks(boris) })
		if w.talks(boris) {
			winner, loser = boris, anna
		}
		w.heard(legs[loser], siptest.ByeReceived)
	}
	w.phase(winner, "talking")
	w.lost(loser)
	c.hears(agentTone[winner])
	w.hears(legs[winner].Audio(), callerTone)
	c.hangsUp()
	return row{outcome: routing.Answered, by: routing.ByCaller, agent: winner, offers: 2}
}

// groupGivenUp: the caller hangs up while both ring.
func groupGivenUp(w *world) row {
	c, legs := w.groupRings()
	c.hangsUp()
	for _, id := range []agents.ID{anna, boris} {
		w.heard(legs[id], siptest.CancelReceived)
		w.withdrawn(id, "abandoned")
	}
	return abandoned(2)
}

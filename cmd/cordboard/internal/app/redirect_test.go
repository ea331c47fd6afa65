package app

import (
	"strings"
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/sip/siptest"
)

// pbx is Kamailio in front of the server, and has its calls back.
func (w *world) pbx() string {
	w.Helper()
	return w.kamailio("pbx.cfg", "OURS", w.app.SIPAddr().String())
}

// redirected: the PBX is told who has the call, and rings her telephone itself. The
// record is on her desk; what the two say does not come by us.
func redirected(w *world) row {
	c := w.dial(dial{to: toTogether, through: w.pbx()})
	leg := w.rung(anna, 1)
	w.phase(anna, "talking")
	var card desktest.Card
	w.screen(anna, "a call that the PBX has", func(s desktest.State) bool {
		for _, card = range s.Cards {
			if card.PBX && card.Phase == "talking" {
				return true
			}
		}
		return false
	})
	if card.Record == nil || card.Record.Name != record().Name {
		w.Errorf("the desk shows %+v", card.Record)
	}
	if h := leg.Invite().Get("X-Cordboard-Call"); h != "" || !strings.Contains(leg.Invite().Get("Record-Route"), ";lr") {
		w.Errorf("the telephone was not rung by the PBX: %v", leg.Invite().Headers)
	}
	c.hears(agentTone[anna])
	w.hears(leg.Audio(), callerTone)
	if n := w.app.media.InUse(); n != 0 {
		w.Errorf("%d media ports in use", n)
	}
	c.hangsUp()
	w.heard(leg, siptest.ByeReceived)
	w.phase(anna, "talking") // we do not hear of it: she says so
	w.do(anna, "hangup", card, nil)
	w.state(anna, "available")
	return answeredByAgent
}

// redirectedAgain: the caller gives up while the PBX rings her telephone, of which we
// do not hear, and rings in again.
func redirectedAgain(w *world) row {
	at := w.pbx()
	w.phones[anna].Set(rings(anna))
	c := w.dial(dial{to: toTogether, through: at})
	leg := w.rung(anna, 1)
	w.phase(anna, "talking")
	c.sees(1, "ringing")
	c.hangsUp()
	w.heard(leg, siptest.CancelReceived)

	w.phones[anna].Set(picksUp(anna))
	c = w.dial(dial{to: toTogether, through: at})
	leg = w.rung(anna, 2)
	c.hears(agentTone[anna])
	w.hears(leg.Audio(), callerTone)
	c.hangsUp()
	w.heard(leg, siptest.ByeReceived)
	w.screen(anna, "the second call", func(s desktest.State) bool {
		for _, card := range s.Cards {
			if card.Phase == "talking" && card.Call > 1 {
				w.do(anna, "hangup", card, nil)
				return true
			}
		}
		return false
	})
	return answeredByAgent
}

// TestRedirect has Kamailio as the PBX that rings the telephones itself.
func TestRedirect(t *testing.T) {
	for _, on := range Databases {
		for _, c := range []struct {
			name string
			run  func(*world) row
			also []row
		}{
			{"answered", redirected, nil},
			{"rings in again", redirectedAgain, []row{answeredByAgent}},
		} {
			t.Run(on.Case(c.name), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, setup{at: []agents.ID{anna}, store: on, back: true})
				first := c.run(w)
				w.explained(w.settled(append([]row{first}, c.also...)...))
			})
		}
	}
}

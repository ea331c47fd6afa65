package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/sip/registrar"
	"github.com/cordboard/cordboard/sip/siptest"
	"github.com/cordboard/cordboard/store"
)

// What the telephones of these tests register with.
const phoneRealm, phoneSecret = "calls.example", "violet-anchor-19"

// registrar is the server file's, where a phone registers.
func (w *world) registrar() string {
	if !w.setup.registers {
		return ""
	}
	return "  registrar: {realm: " + phoneRealm + ", from: [127.0.0.0/8]}\n"
}

func (w *world) registration() siptest.Registration {
	return siptest.Registration{Registrar: w.app.SIPAddr().String(), Password: phoneSecret, Expires: 10 * time.Minute}
}

// registered has the agent's phone register. Its secret is new: the server may have to
// be told twice, and that not too often.
func (w *world) registered(id agents.ID) {
	w.Helper()
	w.must(w.app.Store().SavePhoneSecret(w.ctx, string(id), store.PhoneSecret(registrar.NewSecret(string(id), phoneRealm, phoneSecret))))
	again := time.NewTicker(400 * time.Millisecond)
	defer again.Stop()
	for range 8 {
		code, _, err := w.phones[id].Register(w.ctx, w.registration())
		w.must(err)
		if code == 200 {
			return
		}
		<-again.C
	}
	w.Fatalf("the phone of %s does not get registered", id)
}

// byPhone is a call of anna's, who has put it on hold at her phone and calls petar.
type byPhone struct {
	*asking
	call *siptest.Call // her phone's second one
}

// dials has anna's phone call somebody.
func (w *world) dials(to string) *siptest.Call {
	w.Helper()
	c, err := w.phones[anna].Dial(w.ctx, w.registration(), to)
	w.must(err)
	return c
}

// asksByPhone has petar's phone ring.
func (w *world) asksByPhone() *byPhone {
	w.Helper()
	w.phones[petar].Set(rings(petar))
	s := &byPhone{asking: &asking{world: w}}
	s.c, s.card, s.leg = w.talking()
	w.do(anna, "note", s.card, map[string]any{"text": "Router was restarted twice."})
	w.must(s.leg.Hold(w.ctx))
	w.phase(anna, "hold")
	s.call = w.dials("petar")
	w.calls++
	s.asked = w.rung(petar, 1)
	s.question = w.phase(petar, "ringing")
	s.shows("ringing")
	s.c.hearsMusic()
	if e, err := s.call.WaitFor(w.ctx, siptest.Progress); err != nil || e.Code != 180 {
		w.Errorf("the phone hears %d, %v while petar's rings", e.Code, err)
	}
	return s
}

// shows waits until anna's desk shows how her question stands, as if she had asked
// there.
func (s *byPhone) shows(phase string) {
	s.Helper()
	s.screen(anna, "question in phase "+phase, func(d desktest.State) bool {
		c := d.Cards[s.card.Call].Consult
		return c != nil && c.Phase == phase && c.Agent == string(petar)
	})
}

// confersByPhone has petar answer: the two agents hear one another and nobody else.
func (w *world) confersByPhone() *byPhone {
	w.Helper()
	s := w.asksByPhone()
	w.must(s.asked.Answer())
	w.heard(s.call, siptest.Answered)
	w.hears(s.asked.Audio(), agentTone[anna])
	w.hears(s.call.Audio(), agentTone[petar])
	s.c.hearsMusic()
	s.question = w.phase(petar, "talking")
	s.shows("talking")
	w.state(anna, "hold")
	return s
}

// back has anna with the caller again, once her phone has taken him back.
func (s *byPhone) back(why string) {
	s.Helper()
	s.screen(anna, "no question", func(d desktest.State) bool {
		return d.Cards[s.card.Call].Consult == nil && d.AskedWhy == why
	})
	s.c.hearsMusic()
	s.must(s.leg.Unhold(s.ctx))
	s.phase(anna, "talking")
	s.c.hears(agentTone[anna])
	s.hears(s.leg.Audio(), callerTone)
}

// joins is the Refer-To of the transfer key in the first call.
func (s *byPhone) joins() string { return "<sip:petar@" + phoneRealm + "?" + s.call.Replaces() + ">" }

func phoneAsksAndComesBack(w *world) (row, row) {
	s := w.confersByPhone()
	q := s.question
	if !q.Question || q.From == nil || q.From.Agent != string(anna) || q.Record == nil || q.Record.ID != record().ID ||
		q.Caller.Number != dana || len(q.Notes) != 1 || q.Notes[0].Text != "Router was restarted twice." {
		w.Errorf("petar sees question %v from %+v, notes %+v, record %v", q.Question, q.From, q.Notes, q.Record)
	}
	rang, _ := s.asked.At(siptest.InviteReceived)
	if seen := w.desks[petar].Seen()[0]; seen.AckAt.IsZero() || !rang.After(seen.AckAt) {
		w.Errorf("the phone was called at %v, the desk had painted at %v", rang, seen.AckAt)
	}
	// To and fro, as with the keys of the phone's two lines.
	w.must(s.call.Hold(w.ctx))
	w.must(s.leg.Unhold(w.ctx))
	w.phase(anna, "talking")
	s.c.hears(agentTone[anna])
	w.listen(s.asked.Audio(), "music", func() bool { return !s.asked.Heard(agentTone[anna]) && s.asked.Audio().Loud() })
	w.must(s.leg.Hold(w.ctx))
	w.must(s.call.Unhold(w.ctx))
	w.phase(anna, "hold")
	w.hears(s.asked.Audio(), agentTone[anna])
	s.c.hearsMusic()
	s.call.Hangup()
	w.heard(s.asked, siptest.ByeReceived)
	s.back("stopped")
	w.state(petar, "available")
	s.c.hangsUp()
	return answeredByCaller, consulted(routing.ByAgent, "stopped", petar)
}

func phoneCompletes(w *world) (row, row) {
	s := w.confersByPhone()
	w.do(petar, "note", s.question, map[string]any{"text": "Moves the line to port 14."})
	w.refers(s.leg, s.joins(), 202)
	w.notified(s.leg)
	w.heard(s.call, siptest.ByeReceived)
	return s.handedOver()
}

// Some phones send it in the second call, and name the first.
func phoneCompletesFromTheSecond(w *world) (row, row) {
	s := w.confersByPhone()
	w.refers(s.call, "<sip:petar@"+phoneRealm+"?"+s.leg.Replaces()+">", 202)
	w.notified(s.call)
	w.heard(s.leg, siptest.ByeReceived)
	return s.handedOver()
}

// handedOver is petar's call, with all that was known and written.
func (s *byPhone) handedOver() (row, row) {
	s.Helper()
	s.c.hears(agentTone[petar])
	s.hears(s.asked.Audio(), callerTone)
	s.state(anna, "available")
	var got desktest.Card
	s.screen(petar, "the call", func(d desktest.State) bool {
		got = d.Cards[s.card.Call]
		return got.Phase == "talking" && len(d.Cards) == 1
	})
	if got.Question || got.From == nil || got.From.Agent != string(anna) || got.Record == nil || got.Record.ID != record().ID {
		s.Errorf("petar has %+v from %+v", got, got.From)
	}
	s.counted("handed_over", 1)
	s.c.hangsUp()
	s.heard(s.asked, siptest.ByeReceived)
	return row{outcome: routing.Answered, by: routing.ByCaller, agent: petar, offers: 1, transfers: 1}, consulted(routing.ByAgent, "handed_over", petar)
}

// Before who is called has answered: the caller is passed on to him, who rings anew.
func phoneCompletesEarly(w *world) (row, row) {
	s := w.asksByPhone()
	w.refers(s.leg, s.joins(), 202)
	w.notified(s.leg)
	if e, err := s.call.WaitFor(w.ctx, siptest.Failed); err != nil || e.Code != 487 {
		w.Errorf("the second call ends with %d, %v", e.Code, err)
	}
	w.heard(s.asked, siptest.CancelReceived)
	s.c.hearsMusic()
	to := w.rung(petar, 2)
	w.must(to.Answer())
	s.c.hears(agentTone[petar])
	w.hears(to.Audio(), callerTone)
	w.state(anna, "available")
	s.c.hangsUp()
	return row{outcome: routing.Answered, by: routing.ByCaller, agent: petar, offers: 2, transfers: 1}, consulted(routing.ByAgent, "stopped", "")
}

func phoneGivesUp(w *world) (row, row) {
	s := w.asksByPhone()
	s.call.Cancel()
	if e, err := s.call.WaitFor(w.ctx, siptest.Failed); err != nil || e.Code != 487 {
		w.Errorf("the second call ends with %d, %v", e.Code, err)
	}
	w.heard(s.asked, siptest.CancelReceived)
	s.back("stopped")
	w.state(petar, "available")
	s.c.hangsUp()
	return answeredByCaller, consulted(routing.ByAgent, "stopped", "")
}

func phoneIsDeclined(w *world) (row, row) {
	s := w.asksByPhone()
	w.do(petar, "decline", s.question, map[string]any{"reason": "not_now"})
	if e, err := s.call.WaitFor(w.ctx, siptest.Failed); err != nil || e.Code != 603 {
		w.Errorf("the second call ends with %d, %v", e.Code, err)
	}
	s.back("refused")
	w.state(petar, "available")
	s.c.hangsUp()
	return answeredByCaller, consulted(routing.ByServer, "refused", "")
}

// The phone's question is the desk's as well: what is pressed there counts.
func deskCompletesForPhone(w *world) (row, row) {
	s := w.confersByPhone()
	w.do(anna, "consult_complete", s.card, nil)
	w.heard(s.leg, siptest.ByeReceived)
	w.heard(s.call, siptest.ByeReceived)
	s.c.hears(agentTone[petar])
	w.state(anna, "available")
	s.c.hangsUp()
	return row{outcome: routing.Answered, by: routing.ByCaller, agent: petar, offers: 1, transfers: 1}, consulted(routing.ByAgent, "handed_over", petar)
}

func callerHangsUpOnSecond(w *world) (row, row) {
	s := w.confersByPhone()
	s.c.hangsUp()
	for _, l := range []*siptest.Call{s.asked, s.leg, s.call} {
		w.heard(l, siptest.ByeReceived)
	}
	w.state(anna, "available")
	w.state(petar, "available")
	return answeredByCaller, consulted(routing.ByCaller, "call_over", petar)
}

// fails has anna's phone call somebody in vain.
func (w *world) fails(to string, want int, reason string) {
	w.Helper()
	before := w.logs.FilterMessage("a phone's call was refused").Len()
	e, err := w.dials(to).WaitFor(w.ctx, siptest.Failed)
	if err != nil || e.Code != want {
		w.Errorf("a call to %s: %d, %v, want %d", to, e.Code, err, want)
	}
	w.eventually("a line in the log", func() bool { return w.logs.FilterMessage("a phone's call was refused").Len() == before+1 })
	entry := w.logs.FilterMessage("a phone's call was refused").All()[before].ContextMap()
	if entry["reason"] != reason || entry["agent"] != string(anna) || to != string(anna) && strings.Contains(fmt.Sprint(entry), to) {
		w.Errorf("a call to %s: the log says %v, want %s", to, entry, reason)
	}
}

// phoneCallsInVain: none of these calls anybody, and the agent has the caller still.
func phoneCallsInVain(w *world) row {
	w.fails("boris", 403, "no_call") // she talks to nobody
	c, _, leg := w.talking()
	w.must(leg.Hold(w.ctx))
	w.phase(anna, "hold")
	w.fails("nobody", 404, "unknown_target")
	w.fails("anna", 404, "unknown_target")
	w.fails("999", 404, "unknown_target") // at once: the phone's own line is the PBX's
	w.fails("boris", 480, "not_now")      // who is not there
	w.fails("02079460911", 403, "number_not_asked")
	w.fails("09098790000", 403, "number_not_allowed")
	w.refers(leg, "<sip:boris@desk.example?Replaces=x%3Bto-tag%3Dy%3Bfrom-tag%3Dz>", 481)
	w.refers(leg, "<sip:boris@desk.example?"+leg.Replaces()+">", 481) // itself

	stolen := w.registration()
	stolen.Password = "guess"
	guess, err := w.phones[anna].Dial(w.ctx, stolen, "boris")
	w.must(err)
	if e, err := guess.WaitFor(w.ctx, siptest.Failed); err != nil || e.Code != 403 {
		w.Errorf("with a wrong secret: %d, %v", e.Code, err)
	}
	if n := len(w.phones[far].Calls()) + len(w.phones[boris].Calls()); n != 0 {
		w.Errorf("%d phones were called", n)
	}
	w.must(leg.Unhold(w.ctx))
	w.hears(leg.Audio(), callerTone)
	c.hears(agentTone[anna])
	c.hangsUp()
	return answeredByCaller
}

// TestSecondCalls drives the whole server: an agent's phone, which is registered, calls
// a colleague while the caller holds. Afterwards nothing may be left, and the agent
// takes a next call.
func TestSecondCalls(t *testing.T) {
	type test struct {
		name   string
		direct bool
		run    func(*world) (row, row)
	}
	tests := []test{
		{"completes", false, phoneCompletes},
		{"asks and comes back, direct", true, phoneAsksAndComesBack},
		{"completes early, direct", true, phoneCompletesEarly},
		{"completes from the second call, direct", true, phoneCompletesFromTheSecond},
		{"gives up", false, phoneGivesUp},
		{"is declined", false, phoneIsDeclined},
		{"desk completes", false, deskCompletesForPhone},
		{"caller hangs up", false, callerHangsUpOnSecond},
	}
	for _, on := range Databases {
		for i, c := range tests {
			if on != "sqlite" && i >= 1 { // what comes of it has been to the ledger
				break
			}
			t.Run(on.Case(c.name), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, setup{at: []agents.ID{anna, petar}, store: on, direct: c.direct, registers: true})
				baseline, was := w.goroutines()
				call, question := c.run(w)
				w.asksOnce(w.settled(call, question))
				next := w.takesNext(anna)
				w.explained(w.settled(call, question, next))
				w.quiet(baseline, was)
			})
		}
	}
	t.Run("in vain", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, setup{at: []agents.ID{anna}, registers: true})
		first := phoneCallsInVain(w)
		w.settled(first)
		w.settled(first, w.takesNext(anna))
	})
}

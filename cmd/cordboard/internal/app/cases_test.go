package app

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/sip/siptest"
)

var (
	abandoned = func(offers int) row {
		return row{outcome: routing.Abandoned, by: routing.ByCaller, offers: offers}
	}
	byBoris = row{outcome: routing.Answered, by: routing.ByCaller, agent: boris, offers: 2}
)

// TestCalls drives the whole server, in process, with SIPp as the caller, robot
// phones and robot desks. After each case nothing may be left of the call, and
// the agent takes a next one.
func TestCalls(t *testing.T) {
	type test struct {
		name  string
		setup setup
		run   func(*world) row
		also  []row     // of the calls after the first
		next  agents.ID // anna when ""
	}
	both := []agents.ID{anna, boris}
	tests := []test{
		{name: "silent phone", setup: setup{at: both}, run: silentPhone},
		{name: "busy after ringing", setup: setup{at: both}, run: refusedAtPhone(486)},
		{name: "cancel while it rings", run: cancelWhileRinging},
		{name: "known by PAI", run: knownByPAI},
		{name: "anonymous", run: anonymous},
		{name: "gives up in the queue", setup: setup{desk: away}, run: givesUpInQueue},
		{name: "hangs up while it rings", run: hangsUpWhileRinging},
		{name: "busy without ringing", setup: setup{at: both}, run: busy},
		{name: "declined", setup: setup{at: both}, run: refusedAtPhone(603)},
		{name: "no answer", setup: setup{at: both}, run: noAnswer},
		{name: "refused at the desk", setup: setup{at: both}, run: refusedAtDesk},
		{name: "refused before the phone rings", setup: setup{at: both, desk: mute(anna)}, run: refusedBeforeRinging},
		{name: "desk drops during the offer and comes back", setup: setup{desk: unhurried}, run: deskDropsAndIsBack},
		{name: "desk is lost during the offer", setup: setup{at: both, desk: mute(anna)}, run: deskLost},
		{name: "desk drops during the talk", run: deskDropsInTalk},
		{name: "desk is lost during the talk", run: deskLostInTalk},
		{name: "to a topic", setup: setup{at: []agents.ID{anna, petar}}, run: toTopic},
		{name: "transfer unanswered", setup: setup{at: []agents.ID{anna, petar}}, run: transferUnanswered},
	}
	for _, way := range []bool{false, true} {
		suffix := map[bool]string{false: "", true: ", direct"}[way]
		tests = append(tests,
			test{name: "one of a group answers" + suffix, setup: setup{at: both, direct: way}, run: groupAnswered},
			test{name: "two of a group answer" + suffix, setup: setup{at: both, direct: way}, run: groupAnsweredTwice})
	}
	for _, way := range []bool{false, true} {
		suffix := map[bool]string{false: "", true: ", direct"}[way]
		tests = append(tests, test{name: "sent to a number" + suffix, setup: setup{direct: way}, run: sentToNumber})
	}
	tests = append(tests,
		test{name: "passed on to a number", run: passedOnToNumber},
		test{name: "passed on to a number, direct", setup: setup{direct: true}, run: passedOnToNumber},
		test{name: "passed on to a number that hangs up", run: passedOnNumberHangsUp},
		test{name: "passed on to a number, and gives up", run: passedOnCallerGivesUp},
		test{name: "passed on to a busy number", run: passedOnNumberBusy},
		test{name: "passed on to a silent number", run: passedOnNumberSilent},
		test{name: "numbers refused", run: numbersRefused},
		test{name: "the phone passes on", setup: setup{at: both}, run: phonePassesOn},
		test{name: "the phone passes on to a number", run: phonePassesOut},
		test{name: "the phone passes on to a busy number", run: phonePassesOutBusy},
		test{name: "the phone may not pass on", run: phoneMayNot},
		test{name: "the number hangs up", run: numberHangsUp},
		test{name: "a mobile takes the call", run: mobileTakes},
		test{name: "a mailbox does not take it", run: mailboxHangsUp})
	tests = append(tests,
		test{name: "is called back", setup: setup{desk: away}, run: calledBack},
		test{name: "is called back at another number", setup: setup{desk: away}, run: calledBackElsewhere},
		test{name: "is not reached, and rings in again", setup: setup{desk: away}, run: missedAndRingsIn, also: []row{answeredByCaller}},
		test{name: "an agent refuses a callback", setup: setup{at: both, desk: away}, run: callbackRefused, also: []row{{outcome: routing.Answered, by: routing.ByCaller, agent: boris, offers: 1}}},
		test{name: "is called back after a restart", setup: setup{desk: away}, run: calledBackAfterRestart},
		test{name: "withheld, and called back elsewhere after a restart", setup: setup{desk: away}, run: calledBackWithheld},
		test{name: "is called who asked over the web", setup: setup{desk: away, askers: true}, run: calledWhoAsked},
		test{name: "is called at the hour asked for, after a restart", setup: setup{desk: away, askers: true}, run: calledAtTheHour},
		test{name: "is not called whose request is withdrawn", setup: setup{desk: away, askers: true}, run: withdrawnAgain, also: []row{answeredByCaller}},
		test{name: "full, and called back", setup: setup{desk: away}, run: fullAndCalledBack, also: []row{answeredByCaller}})
	tests = append(tests,
		test{name: "chooses in a menu", setup: setup{tones: menuTones}, run: choosesInMenu},
		test{name: "chooses a topic by INFO", setup: setup{at: []agents.ID{anna, petar}, tones: menuTones}, run: choosesByInfo},
		test{name: "chooses nothing", run: choosesNothing},
		test{name: "keys in a customer number", setup: setup{at: []agents.ID{anna, petar}, tones: menuTones}, run: entersNumber},
		test{name: "keys in nobody's number by INFO", setup: setup{tones: menuTones}, run: entersByInfo},
		test{name: "hangs up in a menu", setup: setup{tones: menuTones}, run: hangsUpInMenu},
		test{name: "is hung up on by a menu", setup: setup{tones: menuTones}, run: menuHangsUp})
	tests = append(tests, test{name: "caller of a group gives up", setup: setup{at: both}, run: groupGivenUp})
	for _, way := range []bool{false, true} {
		name := map[bool]string{false: ", relayed", true: ", direct"}[way]
		tests = append(tests,
			test{name: "caller hangs up" + name, setup: setup{direct: way}, run: callerHangsUp},
			test{name: "phone hangs up" + name, setup: setup{direct: way}, run: phoneHangsUp},
			test{name: "desk hangs up" + name, setup: setup{direct: way}, run: deskHangsUp},
			test{name: "phone holds" + name, setup: setup{direct: way}, run: phoneHolds},
			test{name: "desk holds" + name, setup: setup{direct: way}, run: deskHolds},
			test{name: "caller holds" + name, setup: setup{direct: way}, run: callerHolds},
		)
	}
	tests = append(tests,
		test{name: "cancel while it rings, direct", setup: setup{direct: true}, run: cancelWhileRinging},
		test{name: "hears us early", run: hearsUsEarly},
		test{name: "hears us early, direct", setup: setup{direct: true}, run: hearsUsEarly},
		test{name: "answered with the agent", run: answeredTogether},
		test{name: "answered with the agent, direct", setup: setup{direct: true}, run: answeredTogether})
	var all []test
	for _, on := range Databases {
		slow := &slowSource{asked: make(chan struct{}, 10), open: make(chan struct{})}
		early := test{name: "cancel before the answer", setup: setup{sources: slow.options()}, run: slow.cancelled}
		for _, c := range append(tests, early) {
			c.name, c.setup.store = on.Case(c.name), on
			all = append(all, c)
		}
	}
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.setup.at == nil {
				c.setup.at = []agents.ID{anna}
			}
			if c.next == "" {
				c.next = anna
			}
			w := newWorld(t, c.setup)
			baseline, was := w.goroutines()
			first := c.run(w)
			w.settled(append([]row{first}, c.also...)...)
			second := w.takesNext(c.next)
			rows := w.settled(append(append([]row{first}, c.also...), second)...)
			w.explained(rows)
			w.quiet(baseline, was)
		})
	}
}

// talking places a call that anna answers.
func (w *world) talking() (c *caller, card desktest.Card, leg *siptest.Call) {
	w.Helper()
	c = w.dial(dial{})
	card = w.phase(anna, "talking")
	c.sees(1, "up")
	c.hears(agentTone[anna])
	return c, card, w.rung(anna, 1)
}

func knownByPAI(w *world) row {
	c, card, leg := w.talking()
	if card.Caller.Number != dana || card.Caller.Source != "pai" || card.Record == nil || card.Record.Name != record().Name {
		w.Errorf("the card says %+v, match %s, record %+v", card.Caller, card.Match, card.Record)
	}
	if pai := leg.Invite().Get("P-Asserted-Identity"); !strings.Contains(pai, dana) {
		w.Errorf("the phone was told %q", pai)
	}
	rang, _ := leg.At(siptest.InviteReceived)
	seen := w.desks[anna].Seen()[0]
	if seen.AckAt.IsZero() || !rang.After(seen.AckAt) || !seen.Complete {
		w.Errorf("the phone was called at %v, the desk had painted at %v, complete: %v", rang, seen.AckAt, seen.Complete)
	}
	c.hangsUp()
	if r := w.settled(answeredByCaller)[0]; r.Number != dana || r.Customer != record().ID || r.Dialled != toCare {
		w.Errorf("the ledger says %q %q %q", r.Number, r.Customer, r.Dialled)
	}
	return answeredByCaller
}

// The number is withheld from the agent; whose it is was asked all the same.
func anonymous(w *world) row {
	c := w.dial(dial{from: "sip:anonymous@anonymous.invalid", privacy: "id"})
	card := w.phase(anna, "talking")
	if card.Record == nil || card.Record.ID != record().ID {
		w.Errorf("no record of a withheld number: match %s", card.Match)
	}
	card.Record = nil // has the customer's own numbers
	shown, err := json.Marshal(card)
	w.must(err)
	if digits := dana[1:]; strings.Contains(string(shown), digits) || card.Caller.Number != "" {
		w.Errorf("a withheld number is on the desk: %s", shown)
	}
	invite := w.rung(anna, 1).Invite()
	for _, h := range invite.Headers {
		if strings.Contains(h.Value, dana[2:]) {
			w.Errorf("a withheld number went to the phone: %s: %s", h.Name, h.Value)
		}
	}
	if invite.Get("Privacy") != "id" || !strings.Contains(invite.Get("From"), "anonymous.invalid") {
		w.Errorf("the phone was told From %q, Privacy %q", invite.Get("From"), invite.Get("Privacy"))
	}
	c.sees(1, "up")
	c.hangsUp()
	if r := w.settled(answeredByCaller)[0]; r.Number != "" || r.Customer != record().ID {
		w.Errorf("the ledger says number %q, customer %q", r.Number, r.Customer)
	}
	return answeredByCaller
}

func away(_ agents.ID, o *desktest.Options) { o.AutoReady = false }

func givesUpInQueue(w *world) row {
	c := w.dial(dial{})
	c.sees(1, "up")
	c.hearsMusic()
	c.hangsUp()
	w.settled(abandoned(0))
	w.ready(anna)
	return abandoned(0)
}

func hangsUpWhileRinging(w *world) row {
	w.phones[anna].Set(rings(anna))
	c := w.dial(dial{})
	c.sees(1, "up")
	leg := w.rung(anna, 1)
	w.phase(anna, "ringing")
	c.hangsUp()
	w.heard(leg, siptest.CancelReceived)
	w.withdrawn(anna, "abandoned")
	return abandoned(1)
}

// withdrawn waits until the agent's last offer was taken back for the reason.
func (w *world) withdrawn(id agents.ID, why string) {
	w.Helper()
	w.screen(id, "withdrawal: "+why, func(desktest.State) bool {
		seen := w.desks[id].Seen()
		return len(seen) > 0 && seen[len(seen)-1].Withdrawn == why
	})
}

// borisTakes sees the call that anna did not take to its end.
func (w *world) borisTakes(c *caller) row {
	w.Helper()
	w.phase(boris, "talking")
	c.sees(1, "up")
	c.hears(agentTone[boris])
	c.hangsUp()
	return byBoris
}

func busy(w *world) row {
	w.phones[anna].Set(siptest.Behaviour{Reject: 486})
	c := w.dial(dial{})
	w.withdrawn(anna, "phone_busy")
	r := w.borisTakes(c)
	if s := w.state(anna, "not_ready"); s.Reason != "phone_busy" || s.Until == 0 {
		w.Errorf("anna is %+v", s)
	}
	w.ready(anna)
	return r
}

// refusedAtPhone refuses after ringing: the agent stays available.
func refusedAtPhone(code int) func(*world) row {
	return func(w *world) row {
		w.phones[anna].Set(rings(anna))
		c := w.dial(dial{})
		leg := w.rung(anna, 1)
		w.phase(anna, "ringing")
		w.must(leg.Reject(code))
		w.withdrawn(anna, "refused")
		w.state(anna, "available")
		return w.borisTakes(c)
	}
}

// A phone that sends nothing is probed, and its agent is back with it.
func silentPhone(w *world) row {
	w.phones[anna].Set(siptest.Behaviour{Silent: true})
	c := w.dial(dial{})
	w.withdrawn(anna, "phone_unreachable")
	w.rung(anna, 1).Hangup() // the robot's own memory of it
	r := w.borisTakes(c)
	w.state(anna, "available")
	return r
}

func noAnswer(w *world) row {
	w.phones[anna].Set(rings(anna))
	c := w.dial(dial{to: toShort})
	w.heard(w.rung(anna, 1), siptest.CancelReceived)
	w.withdrawn(anna, "rona")
	r := w.borisTakes(c)
	if s := w.state(anna, "not_ready"); s.Reason != "rona" {
		w.Errorf("anna is %+v", s)
	}
	w.ready(anna)
	return r
}

func refusedAtDesk(w *world) row {
	w.phones[anna].Set(rings(anna))
	c := w.dial(dial{})
	leg := w.rung(anna, 1)
	w.do(anna, "decline", w.phase(anna, "ringing"), map[string]any{"reason": "not_my_topic"})
	w.heard(leg, siptest.CancelReceived)
	w.withdrawn(anna, "refused")
	return w.borisTakes(c)
}

// mute is a desk that never acks.
func mute(id agents.ID) func(agents.ID, *desktest.Options) {
	return func(at agents.ID, o *desktest.Options) { o.NoAck = o.NoAck || at == id }
}

func refusedBeforeRinging(w *world) row {
	c := w.dial(dial{to: toPatient})
	w.do(anna, "decline", w.phase(anna, "offered"), map[string]any{"reason": "not_now"})
	w.withdrawn(anna, "refused")
	r := w.borisTakes(c)
	w.neverRang(anna)
	w.comesBack(anna)
	return r
}

func (w *world) neverRang(id agents.ID) {
	w.Helper()
	if n := len(w.phones[id].Calls()); n != 0 {
		w.Errorf("the phone of %s was called %d times", id, n)
	}
}

// comesBack opens a desk anew, one that behaves.
func (w *world) comesBack(id agents.ID) {
	w.Helper()
	w.desks[id].Close()
	w.setup.desk = nil
	w.sit(id)
}

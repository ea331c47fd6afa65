package app

import (
	"context"
	"strings"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/siptest"
)

const (
	toBack = "+442079460122" // may be called back, at any number
	toFull = "+442079460121" // one may wait, others are called back
)

// accepts has a caller hear the offer and take it: he presses the keys, hears that
// he will be called and is hung up on.
func (w *world) accepts(c *caller, keys string) {
	w.Helper()
	c.sees(1, "up")
	w.listen(c.ear, "the offer", c.ear.Loud)
	w.must(c.ear.Press(keys))
	c.over()
	w.places(1)
}

// takesCalls has the agent press Ready, who has a call in the same instant.
func (w *world) takesCalls(id agents.ID) {
	w.Helper()
	_, err := w.desks[id].Do(w.ctx, "state", map[string]any{"state": "available", "reason": ""})
	w.must(err)
}

// places waits until so many callers are to be called back.
func (w *world) places(n int) {
	w.Helper()
	w.eventually("places that wait", func() bool {
		w.must(w.app.Store().Flush(w.ctx))
		list, err := w.app.Store().Callbacks(w.ctx)
		w.must(err)
		return len(list) == n
	})
}

// customerRings waits for the n-th call to the customer: the agent has the record,
// and a silent phone.
func (w *world) customerRings(id agents.ID, n int, number string) *siptest.Call {
	w.Helper()
	leg := w.rung(far, n)
	if to := leg.Invite().Get("To"); !strings.Contains(to, "sip:"+number+"@") {
		w.Errorf("called %s", to)
	}
	if from := leg.Invite().Get("From"); !strings.Contains(from, "+442079460100") {
		w.Errorf("the customer sees %s", from)
	}
	w.neverRang(id)
	card := w.phase(id, "calling")
	if card.Callback == nil || card.Callback.Try != n || card.Record == nil || card.Record.Name != record().Name {
		w.Errorf("the agent is shown %+v, record %+v", card.Callback, card.Record)
	}
	return leg
}

// talksToCustomer: the customer answers, and has the agent.
func (w *world) talksToCustomer(id agents.ID, leg *siptest.Call) {
	w.Helper()
	w.must(leg.Answer())
	w.phase(id, "talking")
	w.hears(leg.Audio(), agentTone[id])
	w.hears(w.rung(id, 1).Audio(), farTone)
	leg.Hangup()
}

func calledBack(w *world) row {
	w.farRings()
	w.accepts(w.dial(dial{to: toBack}), "1#")
	w.takesCalls(anna)
	w.talksToCustomer(anna, w.customerRings(anna, 1, "07700900417"))
	return answeredByCaller
}

// calledBackElsewhere: another number is keyed in and confirmed.
func calledBackElsewhere(w *world) row {
	w.farRings()
	w.accepts(w.dial(dial{to: toBack}), "107700900499#1")
	w.takesCalls(anna)
	w.talksToCustomer(anna, w.customerRings(anna, 1, "07700900499"))
	return answeredByCaller
}

// missedAndRingsIn: the customer is busy, and rings in before he is called again.
func missedAndRingsIn(w *world) row {
	w.farRings()
	w.accepts(w.dial(dial{to: toBack}), "1#")
	w.takesCalls(anna)
	w.must(w.customerRings(anna, 1, "07700900417").Reject(486))
	w.withdrawn(anna, "customer_busy")
	w.state(anna, "available")
	c := w.dial(dial{to: toBack})
	w.tookOver = append(w.tookOver, 2)
	w.phase(anna, "talking")
	c.hears(agentTone[anna])
	c.hangsUp()
	return row{outcome: routing.TakenOver, by: routing.ByCaller, offers: 1}
}

// callbackRefused: the agent has the record and declines while the customer's phone
// rings. It stops, and is left alone for a while whoever is free; a customer who
// rings in meanwhile is served.
func callbackRefused(w *world) row {
	w.farRings()
	w.accepts(w.dial(dial{to: toBack}), "1#")
	w.takesCalls(anna)
	leg := w.customerRings(anna, 1, "07700900417")
	w.do(anna, "decline", w.phase(anna, "calling"), map[string]any{"reason": "not_my_topic"})
	w.heard(leg, siptest.CancelReceived)
	w.withdrawn(anna, "refused")
	_, err := w.desks[anna].Do(w.ctx, "state", map[string]any{"state": "not_ready", "reason": "break"})
	w.must(err)
	w.takesCalls(boris)
	w.state(boris, "available")
	c := w.dial(dial{to: toBack})
	w.tookOver = append(w.tookOver, 2)
	w.phase(boris, "talking")
	c.hears(agentTone[boris])
	c.hangsUp()
	w.takesCalls(anna)
	return row{outcome: routing.TakenOver, by: routing.ByCaller, offers: 1}
}

// calledBackAfterRestart: the place outlives the server.
func calledBackAfterRestart(w *world) row {
	w.farRings()
	w.accepts(w.dial(dial{to: toBack}), "1#")
	w.restored = append(w.restored, 1)
	w.restart()
	w.places(1)
	w.takesCalls(anna)
	w.talksToCustomer(anna, w.customerRings(anna, 1, "07700900417"))
	return answeredByCaller
}

// calledBackWithheld: a caller who withholds his number keys in another's. After a
// restart his own is not known any more, and whose the other is says nothing of him.
func calledBackWithheld(w *world) row {
	w.farRings()
	w.accepts(w.dial(dial{to: toBack, from: "sip:anonymous@anonymous.invalid", pai: "sip:+447700900418@trunk.example", privacy: "id"}), "107700900417#1")
	w.restored = append(w.restored, 1)
	w.restart()
	w.places(1)
	w.takesCalls(anna)
	leg := w.rung(far, 1)
	if to := leg.Invite().Get("To"); !strings.Contains(to, "sip:07700900417@") {
		w.Errorf("called %s", to)
	}
	if card := w.phase(anna, "calling"); card.Record != nil || card.Caller.Number != "" {
		w.Errorf("the agent is shown the record of %q", card.Record.ID)
	}
	w.talksToCustomer(anna, leg)
	return answeredByCaller
}

// restart stops the server and starts another on what it has left.
func (w *world) restart() {
	w.Helper()
	for _, d := range w.desks {
		d.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	w.must(w.app.Stop(ctx))
	o := w.app.opt
	o.Log = zap.New(w.core)
	var err error
	w.app, err = New(w.ctx, o)
	w.must(err)
	w.must(w.app.Start())
	for _, id := range w.setup.at {
		w.sit(id)
	}
}

// fullAndCalledBack: one too many is offered it at once.
func fullAndCalledBack(w *world) row {
	w.farRings()
	first := w.dial(dial{to: toFull, pai: "sip:+447700900418@trunk.example"})
	first.sees(1, "up")
	first.hearsMusic()
	w.accepts(w.dial(dial{to: toFull}), "5")
	first.hangsUp()
	w.takesCalls(anna)
	w.talksToCustomer(anna, w.customerRings(anna, 1, "07700900417"))
	return abandoned(0)
}

package sip

import (
	"fmt"
	"testing"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// Whoever shows a number that is paid for being called, or one of ours, is not
// offered to be called there.
func TestCallbackNotOfferedToACostlyNumber(t *testing.T) {
	t.Parallel()
	for _, shown := range []string{"+449098790000", ownNumber, "+442079460000"} {
		w, _ := backWorld(t, Outward{}, nil)
		c := newPeerCall(t)
		w.call(newPeer(t), c.side.Offer(c.audio(media.SendRecv, 8, 101)), c,
			stack.Header{Name: "P-Asserted-Identity", Value: fmt.Sprintf("<sip:%s@carrier.example>", shown)})
		id := get(t, "arrival", w.router.arrivals).Call
		event[stack.Progress](c)
		w.do(routing.AnswerCaller{Call: id, Music: "default"})
		event[stack.Answered](c)
		_ = c.d.Ack(nil)
		w.do(routing.OfferCallback{Call: id, Queue: "q", Key: "1"}) // he goes on waiting
		w.do(routing.OfferCallback{Call: id, Queue: "q", Key: "1", Why: "late"})
		w.expect(routing.CallbackDeclined{Call: id})
		w.hangUp(c, id)
		w.gone()
	}
}

// Nor is it called, should it have been accepted.
func TestCostlyNumberIsNotCalled(t *testing.T) {
	t.Parallel()
	w, far := backWorld(t, Outward{}, nil)
	for i, number := range []string{"+449098790000", ownNumber, "+442079460000", "no number"} {
		w.customers.knows(5)
		w.customers.mu.Lock()
		who := w.customers.who[5]
		who.Number = number
		w.customers.who[5] = who
		w.customers.mu.Unlock()
		w.do(customerOf(5, i+1))
		w.expect(routing.CustomerMissed{Call: 5, Try: i + 1, Code: 404})
		w.gone()
	}
	if len(far.calls) > 0 {
		t.Error("called all the same")
	}
}

// A trunk that lets its own sounds be heard and then cannot carry the call is passed
// over like any other: nobody's telephone has rung.
func TestTrunkThatOnlyProgresses(t *testing.T) {
	t.Parallel()
	second := newPeer(t)
	w, first := backWorld(t, Outward{}, func(g *Gateway) { out(g, "spare", second, Outward{}) })
	w.customers.knows(5)
	w.do(customerOf(5, 1))
	c := get(t, "INVITE by the first trunk", first.calls)
	_ = c.d.Progress(183, "", nil, nil)
	_ = c.d.Reject(503, "", nil)
	c = get(t, "INVITE by the second", second.calls)
	_ = c.d.Progress(180, "", nil, nil)
	_ = c.d.Reject(480, "", nil)
	w.expect(routing.CustomerMissed{Call: 5, Try: 1, Code: 480})
	w.gone()
}

// A caller whose ACK never comes while the line is being released loses neither the
// place nor the call that was due.
func TestNoAckWhileTheLineIsReleased(t *testing.T) {
	t.Parallel()
	w, far := backWorld(t, Outward{}, nil)
	caller, _, id := w.queued(newPeer(t), 8, 101)
	w.customers.knows(id)
	w.inside(id, func(c *call) {
		line := c.caller
		c.step(item{act: taken(id, "")})
		c.step(item{act: customerOf(id, 1)})
		c.step(item{leg: line, ev: stack.AckMissing{}})
	})
	event[stack.Ended](caller)
	_ = get(t, "INVITE to the customer", far.calls).d.Reject(486, "", nil)
	w.expect(routing.CustomerMissed{Call: id, Try: 1, Code: 486})
	w.gone()
}

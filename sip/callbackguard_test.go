package sip

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// Whoever shows a number that is paid for being called, or one of ours, is not
// offered to be called there.
func TestCallbackNotOfferedToACostlyNumber(t *testing.T) {
	t.Parallel()
	for _, shown := range []string{"+449098790000", ownNumber, "+442079460000", "+33199000123"} {
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
	for i, number := range []string{"+449098790000", ownNumber, "+442079460000", "no number", "+33199000123"} {
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

// A number of another country is called by the trunk that may call there.
func TestCountryChoosesTheTrunk(t *testing.T) {
	t.Parallel()
	second := newPeer(t)
	w, first := backWorld(t, Outward{}, func(g *Gateway) { out(g, "spare", second, Outward{Back: []string{"GB", "FR"}}) })
	w.customers.knows(5)
	w.customers.mu.Lock()
	who := w.customers.who[5]
	who.Number = "+33199000123"
	w.customers.who[5] = who
	w.customers.mu.Unlock()
	w.do(customerOf(5, 1))
	_ = get(t, "INVITE by the trunk that may", second.calls).d.Reject(486, "", nil)
	w.expect(routing.CustomerMissed{Call: 5, Try: 1, Code: 486})
	w.gone()
	if len(first.calls) > 0 {
		t.Error("called by the other, too")
	}
}

// A trunk that cannot carry calls is no customer who does not answer; one whose
// telephone has rung is.
func TestDeadTrunkIsNoTry(t *testing.T) {
	t.Parallel()
	w, far := backWorld(t, Outward{}, nil)
	w.customers.knows(5)
	for i, code := range []int{503, 408, 500} {
		w.do(customerOf(5, i+1))
		_ = get(t, "INVITE", far.calls).d.Reject(code, "", nil)
		w.expect(routing.CustomerMissed{Call: 5, Try: i + 1})
		w.gone()
	}
	w.do(customerOf(5, 4))
	c := get(t, "INVITE", far.calls)
	_ = c.d.Progress(180, "", nil, nil)
	_ = c.d.Reject(408, "", nil)
	w.expect(routing.CustomerMissed{Call: 5, Try: 4, Code: 408})
	w.gone()
}

// What an actor has left undone of a customer's call goes to the next in the same
// instant: an order to end it finds him.
func TestDropAfterTheActorsEnd(t *testing.T) {
	t.Parallel()
	w, far := backWorld(t, Outward{}, nil)
	w.customers.knows(5)
	g := w.gw
	g.mu.Lock()
	c := g.newBack(5)
	g.calls[5] = c
	g.work.Add(1)
	g.mu.Unlock()
	g.retire(c, []item{{act: customerOf(5, 1)}})
	invited := get(t, "INVITE to the customer", far.calls)
	w.do(routing.DropCustomer{Call: 5, Try: 1, Why: "refused"})
	event[stack.Canceled](invited)
	w.gone()
	g.drain() // and where there is no next, the engine is told
	c = g.newBack(6)
	g.mu.Lock()
	g.calls[6] = c
	g.work.Add(1)
	g.mu.Unlock()
	g.retire(c, []item{{act: customerOf(6, 3)}})
	w.expect(routing.CustomerMissed{Call: 6, Try: 3})
	if n := g.Live(); n != 0 {
		t.Errorf("%d calls are kept", n)
	}
}

// Whoever keys in his number loses none of it to an offer that an action makes
// meanwhile; his answer is the action's.
func TestKeysOutliveAnActionsOffer(t *testing.T) {
	t.Parallel()
	w, _ := backWorld(t, Outward{}, nil)
	caller, ours, id := w.queued(newPeer(t), 8, 101)
	offer := routing.OfferCallback{Call: id, Queue: "q", Key: "1", Entered: true}
	w.do(offer)
	caller.listens(welcomeTone, placeTone)
	seq := byte(0)
	press := func(keys string) {
		for _, k := range keys {
			caller.key(byte(strings.IndexRune("0123456789*#", k)), seq, ours)
			seq += 5
		}
	}
	keyed := func(n int) {
		for deadline, has := time.Now().Add(patience), -1; has != n; {
			w.inside(id, func(c *call) { has = len(c.offering.digits) })
			if time.Now().After(deadline) {
				t.Fatalf("%d digits, not %d", has, n)
			}
		}
	}
	press("1")
	caller.listens(numberTone)
	press("077009")
	keyed(6)
	offer.Why = "late"
	w.do(offer)
	press("00499#")
	caller.listens(waitTone, endTone)
	press("1")
	w.expect(routing.CallbackAccepted{Call: id, Caller: "+447700900499"})
	w.inside(id, func(c *call) {
		if c.offering.why != "late" {
			t.Errorf("the engine waits for an answer to %q", c.offering.why)
		}
	})
	w.do(taken(id, ""))
	event[stack.Ended](caller)
	w.gone()
}

// Whoever has diverted his telephone to us is not called back by way of our own
// queue: our call comes back, says from where, and is no caller. One that another
// number was diverted to us is.
func TestCustomerDivertedToUs(t *testing.T) {
	t.Parallel()
	for _, h := range []stack.Header{
		{Name: "Diversion", Value: `<sip:07700900999@carrier.example>;reason=no-answer, <sip:07700900123@carrier.example>;reason=unconditional`},
		{Name: "History-Info", Value: `<sip:+447700900123@carrier.example?Reason=SIP%3Bcause%3D302>;index=1, <sip:+442079460000@carrier.example>;index=1.1`},
	} {
		believed := h.Name == "Diversion" // the other trunk is not: it says itself what becomes of its call
		w, far := backWorld(t, Outward{}, func(g *Gateway) { g.trunks[0].Trust.Diversion = believed })
		w.customers.knows(5)
		w.do(customerOf(5, 1))
		out := get(t, "INVITE to the customer", far.calls)
		back := newPeerCall(t)
		w.call(newPeer(t), back.side.Offer(back.audio(media.SendRecv, 8)), back, h)
		if f := event[stack.Failed](back); f.Code != 482 {
			t.Errorf("%s: our own call was refused with %d", h.Name, f.Code)
		}
		if believed {
			w.expect(routing.CustomerMissed{Call: 5, Try: 1, Code: 482})
			event[stack.Canceled](out)
		} else {
			_ = out.d.Reject(480, "", nil)
			w.expect(routing.CustomerMissed{Call: 5, Try: 1, Code: 480})
		}
		w.gone()
		if len(w.router.arrivals) > 0 {
			t.Errorf("%s: our own call has arrived as a caller's", h.Name)
		}
	}
}

// A call diverted from a number that is not being called is a caller's, meanwhile
// and once the customer has answered.
func TestOthersDivertedToUs(t *testing.T) {
	t.Parallel()
	w, far := backWorld(t, Outward{}, nil)
	w.customers.knows(5)
	w.do(customerOf(5, 1))
	out := get(t, "INVITE to the customer", far.calls)
	arrives := func(number string) {
		c := newPeerCall(t)
		w.call(newPeer(t), c.side.Offer(c.audio(media.SendRecv, 8)), c, stack.Header{Name: "Diversion", Value: "<sip:" + number + "@carrier.example>"})
		a := get(t, "arrival", w.router.arrivals)
		c.d.Cancel()
		w.expect(routing.CallerGone{Call: a.Call, Unanswered: true})
		w.do(routing.EndCall{Call: a.Call, Outcome: routing.Abandoned, By: routing.ByCaller})
	}
	arrives("+447700900777")
	_ = out.d.Progress(180, "", nil, nil)
	_ = out.d.Accept(nil, out.answerTo(out.invite.Body, out.audio(media.SendRecv, 8)))
	event[stack.Acked](out)
	w.expect(routing.CustomerAnswered{Call: 5, Try: 1})
	arrives("+447700900123")
	out.d.Bye(nil)
	w.expect(routing.CallerGone{Call: 5})
	w.do(routing.EndCall{Call: 5, Outcome: routing.Abandoned, By: routing.ByCaller})
	w.gone()
}

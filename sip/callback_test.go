package sip

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// fakeCustomers is the rim: a number is told to the test as it stands.
type fakeCustomers struct {
	router *fakeRouter
	mu     sync.Mutex
	who    map[routing.CallID]Customer
}

func (f *fakeCustomers) Accepted(call routing.CallID, entered identity.Number) {
	f.router.events <- routing.CallbackAccepted{Call: call, Caller: entered.E164()}
}

func (f *fakeCustomers) Customer(call routing.CallID) (Customer, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	who, ok := f.who[call]
	return who, ok
}

// Entered tells what is to be looked up, in place of the outcome.
func (f *fakeCustomers) Entered(call routing.CallID, ask int, number string) {
	f.router.events <- routing.NumberKeyed{Call: call, Ask: ask, Got: "looked up " + number}
}

func (f *fakeCustomers) knows(call routing.CallID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, _ := identity.ParseNumber("+447700900123", "", nil)
	f.who = map[routing.CallID]Customer{call: {
		Number: "+447700900123", Caller: identity.Caller{Number: n}, Dialled: identity.Dialled{Number: "+442079460000"}, Trunk: "carrier",
	}}
}

// backWorld is one whose trunk leads to a peer, and whose prompts are tones.
func backWorld(t *testing.T, o Outward, tune func(*Gateway)) (w *world, far *peer) {
	t.Helper()
	far = newPeer(t)
	w = newWorld(t, worldOptions{
		sounds: toneFolder(t, map[string]tone{
			"default": {musicTone, 1000}, "callback-offer": {welcomeTone, 200}, "digit-1": {placeTone, 200}, "callback-taken-ru": {endTone, 300},
			"callback-taken": {endTone, 300}, "callback-here": {waitTone, 300}, "callback-number": {numberTone, 200}, "callback-wrong": {endTone, 200},
			"callback-to": {waitTone, 100}, "callback-confirm": {endTone, 200}, "digit-0": {placeTone, 20}, "digit-7": {placeTone, 20},
			"digit-9": {placeTone, 20}, "digit-4": {placeTone, 20},
		}),
		tune: func(g *Gateway) {
			out(g, "carrier", far, o)
			if tune != nil {
				tune(g)
			}
		},
	})
	return w, far
}

func taken(id routing.CallID, language string) routing.CallbackTaken {
	return routing.CallbackTaken{Call: id, Kept: routing.Kept{Language: language}}
}

func customerOf(id routing.CallID, try int) routing.CallCustomer {
	return routing.CallCustomer{Call: id, Try: try, Queue: "q", Music: "default", Until: time.Now().Add(time.Minute)}
}

// The caller hears the offer and then music; his key, and no other, accepts. He
// hears that he will be called, and the line is released.
func TestCallbackAccepted(t *testing.T) {
	t.Parallel()
	w, _ := backWorld(t, Outward{}, nil)
	caller, ours, id := w.queued(newPeer(t), 8, 101)
	caller.listens(musicTone)
	w.do(routing.OfferCallback{Call: id, Queue: "q", Key: "1"})
	caller.listens(welcomeTone, placeTone, musicTone)
	caller.key(2, 10, ours)
	caller.key(1, 20, ours)
	w.expect(routing.CallbackAccepted{Call: id})
	w.do(taken(id, "ru"))
	caller.listens(endTone)
	event[stack.Ended](caller)
	w.gone()
}

// An action's offer that is not accepted in time is declined, by INFO or not.
func TestCallbackDeclined(t *testing.T) {
	t.Parallel()
	w, _ := backWorld(t, Outward{}, func(g *Gateway) { g.keyTime = 50 * time.Millisecond })
	caller, _, id := w.queued(newPeer(t), 8, 101)
	w.do(routing.OfferCallback{Call: id, Queue: "q", Key: "1", Why: "late"})
	if _, err := caller.d.Request("INFO", nil, "application/dtmf-relay", []byte("Signal=3\r\nDuration=160\r\n")); err != nil {
		t.Fatal(err)
	}
	w.expect(routing.CallbackDeclined{Call: id})
	// Another time he accepts by INFO, before it is said to its end; he may take his
	// time, as a slow machine does.
	w.inside(id, func(c *call) { c.gw.keyTime = patience })
	w.do(routing.OfferCallback{Call: id, Queue: "q", Key: "4", Why: "late"})
	if _, err := caller.d.Request("INFO", nil, "application/dtmf", []byte("4")); err != nil {
		t.Fatal(err)
	}
	w.expect(routing.CallbackAccepted{Call: id})
	w.do(taken(id, ""))
	for {
		if _, over := get(t, "end of the line", caller.events).(stack.Ended); over {
			break
		}
	}
	w.gone()
}

// Another number is keyed in, read back and confirmed; one that may not be called
// is asked for anew.
func TestCallbackToAnotherNumber(t *testing.T) {
	t.Parallel()
	w, _ := backWorld(t, Outward{}, nil)
	caller, ours, id := w.queued(newPeer(t), 8, 101)
	w.do(routing.OfferCallback{Call: id, Queue: "q", Key: "1", Entered: true})
	caller.listens(welcomeTone, placeTone)
	seq := byte(0)
	press := func(keys string) {
		for _, k := range keys {
			event := byte(strings.IndexRune("0123456789*#", k))
			caller.key(event, seq, ours)
			seq += 5
		}
	}
	press("1")
	caller.listens(numberTone)
	press("0044#") // nobody's
	caller.listens(endTone, numberTone)
	press("99*07700900")
	press("417#")
	caller.listens(waitTone, endTone)
	press("2") // not what was meant
	caller.listens(numberTone)
	press("07700900499#")
	caller.listens(waitTone, endTone)
	press("1")
	w.expect(routing.CallbackAccepted{Call: id, Caller: "+447700900499"})
	caller.d.Bye(nil) // he hangs up before he is told
	w.expect(routing.CallerGone{Call: id})
	w.do(taken(id, ""))
	w.gone()
}

// reached calls the customer and has him answer.
func (w *world) reached(far *peer, id routing.CallID, try int) *peerCall {
	w.t.Helper()
	w.customers.knows(id)
	w.do(customerOf(id, try))
	c := get(w.t, "INVITE to the customer", far.calls)
	_ = c.d.Progress(180, "", nil, nil)
	if err := c.d.Accept(nil, c.answerTo(c.invite.Body, c.audio(media.SendRecv, 8, 101))); err != nil {
		w.t.Fatal(err)
	}
	event[stack.Acked](c)
	w.expect(routing.CustomerAnswered{Call: id, Try: try})
	return c
}

// The customer is called with the trunk's number, told why, and is then a caller
// like any other: music, an agent's phone, the talk, his end.
func TestCustomerIsCalledBack(t *testing.T) {
	t.Parallel()
	for _, way := range []string{MediaRelay, MediaDirect} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			w, far := backWorld(t, Outward{Callers: true}, func(g *Gateway) { g.trunks[0].Media = way })
			customer := w.reached(far, 77, 2)
			for _, h := range []string{"From", "P-Asserted-Identity"} {
				if v := customer.invite.Get(h); !strings.Contains(v, ownNumber) {
					t.Errorf("the customer sees %s: %s", h, v)
				}
			}
			customer.listens(waitTone, musicTone)
			if n := w.gw.Outgoing("carrier"); n != 1 {
				t.Errorf("%d calls out", n)
			}
			phone := newPeer(t)
			o := offerOf(77, 3)
			agent := w.ringing(phone, o)
			if pai := agent.invite.Get("P-Asserted-Identity"); !strings.Contains(pai, "+447700900123") {
				t.Errorf("the agent's phone is shown %s", pai)
			}
			if err := agent.d.Accept(nil, agent.answerTo(agent.invite.Body, agent.audio(media.SendRecv, 8))); err != nil {
				t.Fatal(err)
			}
			event[stack.Acked](agent)
			w.expect(routing.PhoneAnswered{Offer: o})
			w.do(routing.Connect{Offer: o})
			at := media.Audio{}
			if way == MediaDirect {
				again := event[stack.Requested](customer)
				_, at = customer.sdpOf(again.Request.Body)
				_ = customer.d.Reply(again.Request, 200, "", nil, customer.answerTo(again.Request.Body, customer.audio(media.SendRecv, 8)))
				event[stack.Acked](customer)
				if at.Addr != agent.addr() {
					t.Errorf("the customer is told %v, not the agent's %v", at.Addr, agent.addr())
				}
			} else {
				_, at = customer.sdpOf(customer.invite.Body)
			}
			w.expect(routing.Joined{Offer: o, Media: way})
			agent.hears(customer, at.Addr, rtpPacket(8, 1))
			customer.d.Bye(nil)
			w.expect(routing.CallerGone{Call: 77})
			event[stack.Ended](agent)
			w.do(routing.EndCall{Call: 77, Outcome: routing.Answered, By: routing.ByCaller})
			w.gone()
			if n := w.gw.Outgoing("carrier"); n != 0 {
				t.Errorf("%d calls out when all are over", n)
			}
		})
	}
}

// What the customer's telephone says is what the engine is told; a trunk that
// cannot carry the call is passed over.
func TestCustomerMissed(t *testing.T) {
	t.Parallel()
	w, far := backWorld(t, Outward{}, nil)
	for try, code := range []int{486, 480, 404} {
		w.customers.knows(5)
		w.do(customerOf(5, try+1))
		_ = get(t, "INVITE", far.calls).d.Reject(code, "", nil)
		w.expect(routing.CustomerMissed{Call: 5, Try: try + 1, Code: code})
		w.gone()
	}
	w.do(customerOf(6, 1)) // nobody knows his number
	w.expect(routing.CustomerMissed{Call: 6, Try: 1, Code: 404})
	w.gone()

	second := newPeer(t)
	w, first := backWorld(t, Outward{Calls: 1}, func(g *Gateway) { out(g, "spare", second, Outward{Calls: 1}) })
	w.customers.knows(5)
	w.do(customerOf(5, 1))
	_ = get(t, "INVITE by the first trunk", first.calls).d.Reject(488, "", nil)
	_ = get(t, "INVITE by the second", second.calls).d.Reject(415, "", nil)
	w.expect(routing.CustomerMissed{Call: 5, Try: 1, Code: noPort}) // nobody was rung
	w.gone()
	w.customers.knows(5)
	w.do(customerOf(5, 1))
	_ = get(t, "INVITE by the first trunk", first.calls).d.Reject(503, "", nil)
	c := get(t, "INVITE by the second", second.calls)
	if n := w.gw.Outgoing("carrier"); n != 0 {
		t.Errorf("%d calls out by the trunk that failed", n)
	}
	_ = c.d.Reject(603, "", nil)
	w.expect(routing.CustomerMissed{Call: 5, Try: 1, Code: 603})
	w.gone()
}

// A customer with whom we have no codec in common has answered: that is not one more
// time that he was not reached.
func TestCustomerWithoutACodec(t *testing.T) {
	t.Parallel()
	w, far := backWorld(t, Outward{}, nil)
	w.customers.knows(5)
	w.do(customerOf(5, 1))
	c := get(t, "INVITE", far.calls)
	_ = c.d.Progress(180, "", nil, nil)
	if err := c.d.Accept(nil, []byte("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 0 RTP/AVP 18\r\n")); err != nil {
		t.Fatal(err)
	}
	event[stack.Acked](c)
	event[stack.Ended](c)
	w.expect(routing.CustomerMissed{Call: 5, Try: 1, Code: noPort})
	w.gone()
}

// The engine takes a call to a customer back: while it rings, and answered.
func TestCustomerDropped(t *testing.T) {
	t.Parallel()
	w, far := backWorld(t, Outward{}, nil)
	w.customers.knows(5)
	w.do(customerOf(5, 1))
	c := get(t, "INVITE", far.calls)
	w.do(routing.DropCustomer{Call: 5, Try: 1, Why: "refused"})
	event[stack.Canceled](c)
	w.gone()
	c = w.reached(far, 5, 2)
	w.do(routing.DropCustomer{Call: 5, Try: 1, Why: "stale"}) // of another try
	w.do(routing.DropCustomer{Call: 5, Try: 2, Why: "stale"})
	event[stack.Ended](c)
	w.gone()
	w.customers.knows(6)
	w.do(customerOf(6, 1))
	c = get(t, "INVITE", far.calls)
	w.do(routing.EndCall{Call: 6, Outcome: routing.Expired, By: routing.ByServer})
	event[stack.Canceled](c)
	w.gone()
}

// An agent who is free at once does not have the customer called while he is still
// told that he will be.
func TestCalledWhileTheLineIsReleased(t *testing.T) {
	t.Parallel()
	w, far := backWorld(t, Outward{}, nil)
	caller, _, id := w.queued(newPeer(t), 8, 101)
	w.customers.knows(id)
	w.do(taken(id, ""), customerOf(id, 1))
	event[stack.Ended](caller)
	c := get(t, "INVITE to the customer", far.calls)
	_ = c.d.Reject(486, "", nil)
	w.expect(routing.CustomerMissed{Call: id, Try: 1, Code: 486})
	w.gone()
}

// Prompts are there in every language.
func TestCallbackPrompts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{})
	for _, language := range []string{"", "-ru", "-bg", "-zh"} {
		for _, name := range []string{"offer", "taken", "here", "number", "wrong", "to", "confirm"} {
			if !w.gw.media.Has("callback-" + name + language) {
				t.Errorf("there is no callback-%s%s", name, language)
			}
		}
	}
}

// A shutdown ends a call to a customer, and is none of his tries.
func TestShutdownWhileTheCustomerIsCalled(t *testing.T) {
	t.Parallel()
	w, far := backWorld(t, Outward{}, nil)
	w.customers.knows(5)
	w.do(customerOf(5, 1))
	c := get(t, "INVITE", far.calls)
	w.gw.drain()
	if err := w.gw.clear(); err == nil {
		t.Error("nothing was cleared")
	}
	event[stack.Canceled](c)
	w.do(customerOf(7, 1)) // too late: the next server calls, and it is no try of his
	w.expect(routing.CustomerMissed{Call: 7, Try: 1})
}

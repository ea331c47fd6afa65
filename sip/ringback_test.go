package sip

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// Callers who are answered with the agent (answer: with_agent): no AnswerCaller
// comes, and Connect is the answer.

// accepts answers the phone and waits until the engine has heard of it.
func (w *world) accepts(c *peerCall, o routing.Offer, pts ...uint8) {
	w.t.Helper()
	if err := c.d.Accept(nil, c.answerTo(c.invite.Body, c.audio(media.SendRecv, pts...))); err != nil {
		w.t.Fatal(err)
	}
	event[stack.Acked](c)
	w.expect(routing.PhoneAnswered{Offer: o})
}

// answered waits for the caller's 200 and acknowledges it.
func (c *peerCall) answered(body func(offer []byte) []byte) media.Audio {
	c.t.Helper()
	ok := event[stack.Answered](c)
	var ack []byte
	if body != nil {
		ack = body(ok.Response.Body)
	}
	if err := c.d.Ack(ack); err != nil {
		c.t.Fatal(err)
	}
	_, a := c.sdpOf(ok.Response.Body)
	return a
}

func TestAnsweredWithTheAgentRelayed(t *testing.T) {
	w := newWorld(t, worldOptions{media: MediaRelay})
	phone := newPeer(t)
	caller, a := w.arrives(newPeer(t))
	// Nobody picks up at first; the caller hears nothing of it.
	o := offerOf(a.Call, 1)
	first := w.ringing(phone, o)
	w.do(routing.Withdraw{Offer: o, Why: "rona"})
	event[stack.Canceled](first)

	o = offerOf(a.Call, 2)
	agent := w.ringing(phone, o)
	w.accepts(agent, o, 8, 101)
	for len(caller.events) > 0 {
		ev := <-caller.events
		if _, again := ev.(stack.Progress); !again { // of an INVITE that a slow machine has repeated
			t.Fatalf("the caller saw %T before Connect", ev)
		}
	}
	w.do(routing.Connect{Offer: o, Music: "default"})
	ours := caller.answered(nil)
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	if ours.Addr == agent.addr() {
		t.Errorf("caller told %v, the phone's own", ours.Addr)
	}
	_, atAgent := agent.sdpOf(agent.invite.Body)
	agent.hears(caller, ours.Addr, rtpPacket(8, 1))
	caller.hears(agent, atAgent.Addr, rtpPacket(8, 2))

	w.do(routing.Hold{Offer: o, On: true})
	caller.hearsMusic(8)
	w.do(routing.Hold{Offer: o})
	agent.hears(caller, ours.Addr, rtpPacket(8, 3))
	w.hangUp(caller, a.Call)
	event[stack.Ended](agent)
}

// The 200 carries the phone's own address: no re-INVITE is needed.
func TestAnsweredWithTheAgentDirect(t *testing.T) {
	w := newWorld(t, worldOptions{media: MediaDirect})
	caller, a := w.arrives(newPeer(t))
	o := offerOf(a.Call, 1)
	agent := w.ringing(newPeer(t), o)
	w.accepts(agent, o, 8, 101)
	w.do(routing.Connect{Offer: o, Music: "default"})
	if told := caller.answered(nil); told.Addr != agent.addr() {
		t.Errorf("caller told %v, want the phone's %v", told.Addr, agent.addr())
	}
	w.expect(routing.Joined{Offer: o, Media: "direct"})

	w.do(routing.Hold{Offer: o, On: true}) // the first re-INVITE of either
	req, _ := reasked(agent)
	agrees(agent, req, agent.audio(media.Inactive, 8, 101))
	req, offer := reasked(caller)
	if offer.Addr == agent.addr() {
		t.Error("on hold with the phone's own address")
	}
	agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
	caller.hearsMusic(8)
	w.hangUp(caller, a.Call)
	event[stack.Ended](agent)
}

// Without an offer in the INVITE the caller's codecs come last of all, in the
// ACK: the phone follows if he takes another than it did.
func TestAnsweredWithTheAgentLateOffer(t *testing.T) {
	t.Parallel()
	for _, way := range []string{MediaRelay, MediaDirect} {
		for _, takes := range []uint8{0, 8} {
			t.Run(fmt.Sprint(way, " takes ", takes), func(t *testing.T) {
				w := newWorld(t, worldOptions{media: way})
				caller := newPeerCall(t)
				w.call(newPeer(t), nil, caller)
				id := get(t, "arrival", w.router.arrivals).Call
				event[stack.Progress](caller)
				o := offerOf(id, 1)
				agent := w.ringing(newPeer(t), o)
				w.accepts(agent, o, 0, 101)
				w.do(routing.Connect{Offer: o, Music: "default"})
				ours := caller.answered(func(offer []byte) []byte {
					if _, a := caller.sdpOf(offer); a.Formats[0].Name != "PCMU" {
						t.Errorf("offered %+v, want the phone's PCMU first", a.Formats)
					}
					return caller.answerTo(offer, caller.audio(media.SendRecv, takes, 101))
				})
				if takes != 0 {
					req, offer := reasked(agent)
					if offer.Formats[0].PT != takes {
						t.Errorf("phone offered %+v, want what the caller took", offer.Formats)
					}
					agrees(agent, req, agent.audio(media.SendRecv, takes, 101))
				}
				w.expect(routing.Joined{Offer: o, Media: "relay"})
				_, atAgent := agent.sdpOf(agent.invite.Body)
				agent.hears(caller, ours.Addr, rtpPacket(takes, 1))
				caller.hears(agent, atAgent.Addr, rtpPacket(takes, 2))
				w.hangUp(caller, id)
				event[stack.Ended](agent)
			})
		}
	}
}

// Who is answered at once gets the 200, and no 180 before it.
func TestAnsweredAtOnceWithoutRingback(t *testing.T) {
	w := newWorld(t, worldOptions{tune: func(g *Gateway) { g.ringbackAfter = time.Minute }})
	c := newPeerCall(t)
	w.call(newPeer(t), c.side.Offer(c.audio(media.SendRecv, 8, 101)), c)
	a := get(t, "arrival", w.router.arrivals)
	w.do(routing.AnswerCaller{Call: a.Call, Music: "default"})
	if _, ok := get(t, "answer", c.events).(stack.Answered); !ok {
		t.Fatal("something came before the 200")
	}
	if err := c.d.Ack(nil); err != nil {
		t.Fatal(err)
	}
	w.hangUp(c, a.Call)
}

func TestRingbackIsRepeated(t *testing.T) {
	w := newWorld(t, worldOptions{tune: func(g *Gateway) { g.ringbackEvery = 5 * time.Millisecond }})
	caller, a := w.arrives(newPeer(t))
	for range 3 {
		if p := event[stack.Progress](caller); p.Response.Status != 180 || len(p.Response.Body) != 0 {
			t.Errorf("repeated %d with %d octets", p.Response.Status, len(p.Response.Body))
		}
	}
	// Not answered, he can still be refused.
	w.do(routing.Treat{Call: a.Call, Why: "late", Reject: 480})
	for {
		switch ev := get(t, "refusal", caller.events).(type) {
		case stack.Progress:
			continue
		case stack.Failed:
			if ev.Code != 480 {
				t.Errorf("refused with %d", ev.Code)
			}
		default:
			t.Fatalf("caller saw %T", ev)
		}
		break
	}
	w.do(routing.EndCall{Call: a.Call, Outcome: routing.Rejected, By: routing.ByServer, Code: 480})
}

// The caller's INVITE says how long it may take (RFC 3261 13.3.1).
func TestInviteExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{})
	caller, a := w.arrives(newPeer(t), stack.Header{Name: "Expires", Value: "1"})
	agent := w.ringing(newPeer(t), offerOf(a.Call, 1))
	if f := event[stack.Failed](caller); f.Code != 487 {
		t.Errorf("expired with %d", f.Code)
	}
	w.expect(routing.CallerGone{Call: a.Call, Unanswered: true})
	event[stack.Canceled](agent)
	w.do(routing.EndCall{Call: a.Call, Outcome: routing.Abandoned, By: routing.ByCaller})

	// Once answered it says nothing any more.
	caller, a = w.arrives(newPeer(t), stack.Header{Name: "Expires", Value: "0"})
	w.do(routing.AnswerCaller{Call: a.Call, Music: "default"})
	caller.answered(nil)
	w.hangUp(caller, a.Call)
}

// A phone whose answer is of no use leaves the caller where he was.
func TestPhoneWithoutUsableAudioBeforeTheAnswer(t *testing.T) {
	w := newWorld(t, worldOptions{})
	phone := newPeer(t)
	caller, a := w.arrives(newPeer(t))
	o := offerOf(a.Call, 1)
	agent := w.ringing(phone, o)
	_ = agent.d.Accept(nil, agent.answerTo(agent.invite.Body, agent.audio(media.SendRecv, 0))) // not offered
	event[stack.Acked](agent)
	event[stack.Ended](agent)
	w.expect(routing.PhoneFailed{Offer: o, Code: 488})

	o = offerOf(a.Call, 2)
	agent = w.ringing(phone, o)
	w.accepts(agent, o, 8)
	w.do(routing.Connect{Offer: o, Music: "default"})
	caller.answered(nil)
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	w.hangUp(caller, a.Call)
	event[stack.Ended](agent)
}

// Without an ACK of the 200 there is no call, for neither.
func TestNoAckOfTheAnswerWithTheAgent(t *testing.T) {
	w := newWorld(t, worldOptions{})
	caller, a := w.arrives(newPeer(t))
	o := offerOf(a.Call, 1)
	agent := w.ringing(newPeer(t), o)
	w.accepts(agent, o, 8)
	w.do(routing.Connect{Offer: o, Music: "default"})
	event[stack.Answered](caller)
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	w.gw.mu.Lock()
	c := w.gw.calls[a.Call]
	w.gw.mu.Unlock()
	c.sink(c.caller)(stack.AckMissing{}) // what the stack says after 32 s
	w.expect(routing.CallFailed{Call: a.Call, Reason: "no_ack"})
	event[stack.Ended](agent)
	_ = caller.d.Ack(nil) // lets the BYE go (RFC 3261 15)
	event[stack.Ended](caller)
}

func TestCancelWhileThePhoneRings(t *testing.T) {
	w := newWorld(t, worldOptions{})
	caller, a := w.arrives(newPeer(t))
	o := offerOf(a.Call, 1)
	agent := w.ringing(newPeer(t), o)
	caller.d.Cancel()
	if f := event[stack.Failed](caller); f.Code != 487 {
		t.Errorf("CANCEL ended in %d", f.Code)
	}
	w.expect(routing.CallerGone{Call: a.Call, Unanswered: true})
	event[stack.Canceled](agent)
	w.do(routing.Withdraw{Offer: o, Why: "abandoned"}, routing.EndCall{Call: a.Call, Outcome: routing.Abandoned, By: routing.ByCaller})
}

// The caller's CANCEL and the phone's 200 in all their orders: whatever wins,
// both sides end, each exactly once, and the engine hears which it was.
func TestCancelRacesTheAnswer(t *testing.T) {
	t.Parallel()
	const rounds = 300
	for _, way := range []string{MediaRelay, MediaDirect} {
		t.Run(way, func(t *testing.T) {
			w := newWorld(t, worldOptions{media: way})
			trunk, phone := newPeer(t), newPeer(t)
			rnd := rand.New(rand.NewPCG(1, 2))
			outcomes := map[string]int{}
			for range rounds {
				outcomes[w.race(trunk, phone, time.Duration(rnd.IntN(4000)-2000)*time.Microsecond)]++
			}
			t.Log(outcomes)
			if len(outcomes) < 2 {
				t.Errorf("only %v: that is no race", outcomes)
			}
		})
	}
}

// race lets the phone answer and the caller cancel, the one so long after the
// other, and says how it ended.
func (w *world) race(trunk, phone *peer, cancelAfter time.Duration) string {
	w.t.Helper()
	caller, a := w.arrives(trunk)
	o := offerOf(a.Call, 1)
	agent := w.ringing(phone, o)
	body := agent.answerTo(agent.invite.Body, agent.audio(media.SendRecv, 8, 101))
	accept := func() { _ = agent.d.Accept(nil, body) } // refused when the CANCEL is there
	done := make(chan struct{})
	late, soon := caller.d.Cancel, accept
	if cancelAfter < 0 {
		late, soon, cancelAfter = accept, caller.d.Cancel, -cancelAfter
	}
	time.AfterFunc(cancelAfter, func() { late(); close(done) })
	soon()

	talk := ""
	for gone := false; !gone; {
		switch ev := get(w.t, "the caller's end", w.router.events).(type) {
		case routing.PhoneAnswered:
			talk = "glare, "
			w.do(routing.Connect{Offer: o, Music: "default"})
		case routing.Joined:
			talk = "joined, "
		case routing.CallerGone:
			gone = true
			if ev.Unanswered {
				talk += "cancelled"
			} else {
				talk += "hung up"
			}
		default:
			w.t.Fatalf("engine heard %T%+v", ev, ev)
		}
	}
	get(w.t, "both", done)
	w.do(routing.EndCall{Call: a.Call, Outcome: routing.Abandoned, By: routing.ByCaller})
	for ended := false; !ended; {
		switch ev := get(w.t, "end of the caller's leg", caller.events).(type) {
		case stack.Progress: // of an INVITE that a slow machine has repeated
		case stack.Answered: // our own stack sees to it: ACK, BYE
		case stack.Failed:
			ended = true
		default:
			w.t.Fatalf("caller saw %T", ev)
		}
	}
	for ended := false; !ended; {
		switch ev := get(w.t, "end of the phone's leg", agent.events).(type) {
		case stack.Acked:
		case stack.Canceled, stack.Ended:
			ended = true
		default:
			w.t.Fatalf("phone saw %T", ev)
		}
	}
	if n := len(w.router.events); n != 0 {
		w.t.Fatalf("engine heard %T after the end", <-w.router.events)
	}
	return talk
}

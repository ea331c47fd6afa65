package sip

import (
	"testing"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// While the join's re-INVITE to the caller is under way the agent's phone asks
// for something itself: it is answered once the caller has had its say, with
// what the caller then wants, and the caller is told of the phone's new
// address.
func TestPhoneAsksDuringTheJoin(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"INVITE", "UPDATE"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, worldOptions{media: MediaDirect})
			caller, _, id := w.queued(newPeer(t), 8, 101)
			o := offerOf(id, 1)
			agent := w.ringing(newPeer(t), o)
			w.picksUp(agent, o, 8, 101)
			first, _ := reasked(caller)
			agent.rtp = agent.socket() // handed over to another telephone
			agent.sends(method, "application/sdp", agent.side.Offer(agent.audio(media.SendRecv, 8, 101)))
			w.inside(id, func(c *call) {}) // the phone's offer may or may not be there by now
			agrees(caller, first, caller.audio(media.SendRecv, 8, 101))
			req, offer := reasked(caller)
			if offer.Addr != agent.addr() {
				t.Errorf("caller told %v, want the phone's new address %v", offer.Addr, agent.addr())
			}
			agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
			r := event[stack.Replied](agent)
			if r.Code != 200 {
				t.Fatalf("the phone is answered %d", r.Code)
			}
			if method == "INVITE" {
				_ = agent.d.Ack(nil)
			}
			if _, a := agent.sdpOf(r.Response.Body); a.Addr != caller.addr() {
				t.Errorf("the phone is told %v, want the caller", a.Addr)
			}
			w.expect(routing.Joined{Offer: o, Media: "direct"})
			w.hangUp(caller, id)
			event[stack.Ended](agent)
		})
	}
}

// The caller asks while our re-INVITE to him is under way: glare, 491 (RFC 3261
// 14.2, RFC 3311 5.2). The join goes on, and so does the call.
func TestCallerAsksDuringTheJoin(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"INVITE", "UPDATE"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, worldOptions{media: MediaDirect})
			caller, _, id := w.queued(newPeer(t), 8, 101)
			o := offerOf(id, 1)
			agent := w.ringing(newPeer(t), o)
			w.picksUp(agent, o, 8, 101)
			req, _ := reasked(caller) // ours is on its way, and not yet answered
			raw := w.rawOffer(caller, method)
			if raw != 491 {
				t.Errorf("%s that crosses ours is answered %d, want 491", method, raw)
			}
			agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
			w.expect(routing.Joined{Offer: o, Media: "direct"})
			w.hangUp(caller, id)
			event[stack.Ended](agent)
		})
	}
}

// rawOffer puts a request of the leg's peer to the call as the stack would do
// that has not seen the crossing, and gives the answer's code.
func (w *world) rawOffer(c *peerCall, method string) int {
	w.t.Helper()
	body := c.side.Offer(c.audio(media.SendRecv, 8, 101))
	code := make(chan int, 1)
	w.inside(1, func(call *call) {
		real := call.caller.dlg
		call.caller.dlg = answerTap{real, code}
		call.requested(call.caller, &stack.Message{
			Method: method, Body: body,
			Headers: []stack.Header{{Name: "Content-Type", Value: "application/sdp"}},
		})
		call.caller.dlg = real
	})
	return get(w.t, "answer", code)
}

// answerTap is a dialog that tells what is replied.
type answerTap struct {
	dialog
	code chan int
}

func (d answerTap) Reply(_ *stack.Message, code int, _ string, _ []stack.Header, _ []byte) error {
	d.code <- code
	return nil
}

// The caller's answer to the join picks another codec than the phone's: the
// phone is asked to follow.
func TestCallersAnswerChangesTheCodec(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaDirect})
	caller, _, id := w.queued(newPeer(t), 8, 0, 101)
	o := offerOf(id, 1)
	agent := w.ringing(newPeer(t), o)
	w.picksUp(agent, o, 8, 0, 101)
	req, _ := reasked(caller)
	agrees(caller, req, caller.audio(media.SendRecv, 0, 101))
	req, offer := reasked(agent)
	if offer.Addr != caller.addr() || offer.Formats[0].Name != "PCMU" || len(offer.Formats) != 2 {
		t.Errorf("phone told %+v, want the caller with PCMU", offer)
	}
	agrees(agent, req, agent.audio(media.SendRecv, 0, 101))
	w.expect(routing.Joined{Offer: o, Media: "direct"})
	w.hangUp(caller, id)
	event[stack.Ended](agent)
}

// The join is refused with 606, or never answered: both legs come to our relay.
// (488, 415 and 500: TestDirectJoinRefusedBecomesRelay.)
func TestJoinRefusedWith606(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaDirect})
	caller, atCaller, id := w.queued(newPeer(t), 8, 101)
	o := offerOf(id, 1)
	agent := w.ringing(newPeer(t), o)
	w.picksUp(agent, o, 8, 101)
	req, _ := reasked(caller)
	_ = caller.d.Reply(req, 606, "", nil, nil)
	req, offer := reasked(agent)
	agrees(agent, req, agent.audio(media.SendRecv, 8, 101))
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	w.stillTalks(caller, agent, o, atCaller.Addr, offer.Addr)
}

// A direct call: the phone asks for our offer (late offer), and so does the
// caller; each is told of the other.
func TestLateOffersInADirectCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaDirect})
	caller, agent, o, _, _ := w.joined(newPeer(t), newPeer(t))
	for _, x := range []struct{ one, other *peerCall }{{agent, caller}, {caller, agent}} {
		if _, err := x.one.d.Reinvite(nil, nil); err != nil {
			t.Fatal(err)
		}
		r := event[stack.Replied](x.one)
		if r.Code != 200 {
			t.Fatalf("answered %d", r.Code)
		}
		_, offer := x.one.sdpOf(r.Response.Body)
		if offer.Addr != x.other.addr() {
			t.Errorf("offered %v, want the other telephone %v", offer.Addr, x.other.addr())
		}
		_ = x.one.d.Ack(x.one.answerTo(r.Response.Body, x.one.audio(media.SendRecv, 8, 101)))
		w.settled(o.Call)
	}
	w.hangUp(caller, o.Call)
	event[stack.Ended](agent)
}

// settled waits until the call has taken every ACK.
func (w *world) settled(id routing.CallID) {
	w.t.Helper()
	for open := true; open; {
		w.inside(id, func(c *call) {
			open = c.caller.awaitAck || c.agent.awaitAck || c.caller.offered != nil || c.agent.offered != nil
		})
	}
}

// A re-INVITE or answer with an address of the other family: the relay has one
// family, and says so instead of sending into nowhere.
func TestAddressOfTheOtherFamily(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaRelay})
	caller, agent, o, atCaller, atAgent := w.joined(newPeer(t), newPeer(t))
	six := []byte("v=0\r\no=- 1 2 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n")
	for _, c := range []*peerCall{caller, agent} {
		if r := c.asks("INVITE", "application/sdp", six); r.Code != 488 {
			t.Errorf("answered %d, want 488", r.Code)
		}
	}
	w.stillTalks(caller, agent, o, atCaller.Addr, atAgent.Addr)
}

package sip

import (
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

const anna agents.ID = "anna"

func offerOf(call routing.CallID, attempt routing.Attempt) routing.Offer {
	return routing.Offer{Call: call, Attempt: attempt, Agent: anna}
}

// queued brings a call to the music.
func (w *world) queued(p *peer, pts ...uint8) (*peerCall, media.Audio, routing.CallID) {
	w.t.Helper()
	c := newPeerCall(w.t)
	w.call(p, c.side.Offer(c.audio(media.SendRecv, pts...)), c,
		stack.Header{Name: "P-Asserted-Identity", Value: "<sip:+447700900123@carrier.example>"})
	a := get(w.t, "arrival", w.router.arrivals)
	event[stack.Progress](c)
	w.do(routing.AnswerCaller{Call: a.Call, Music: "default"})
	ok := event[stack.Answered](c)
	if err := c.d.Ack(nil); err != nil {
		w.t.Fatal(err)
	}
	_, ours := c.sdpOf(ok.Response.Body)
	return c, ours, a.Call
}

// ringing brings the agent's phone to ring.
func (w *world) ringing(p *peer, o routing.Offer) *peerCall {
	w.t.Helper()
	w.phones.set(o.Agent, p.uri("anna"))
	w.do(routing.Ring{Offer: o})
	c := get(w.t, "INVITE to the phone", p.calls)
	if err := c.d.Progress(180, "", nil, nil); err != nil {
		w.t.Fatal(err)
	}
	w.expect(routing.PhoneRinging{Offer: o})
	return c
}

// picksUp answers the phone and connects; it gives what the phone was told.
func (w *world) picksUp(c *peerCall, o routing.Offer, pts ...uint8) media.Audio {
	w.t.Helper()
	if err := c.d.Accept(nil, c.answerTo(c.invite.Body, c.audio(media.SendRecv, pts...))); err != nil {
		w.t.Fatal(err)
	}
	event[stack.Acked](c)
	w.expect(routing.PhoneAnswered{Offer: o})
	w.do(routing.Connect{Offer: o})
	_, told := c.sdpOf(c.invite.Body)
	return told
}

func TestCallIsRelayedFromArrivalToBye(t *testing.T) {
	w := newWorld(t, worldOptions{media: MediaRelay})
	trunk, phone := newPeer(t), newPeer(t)
	caller, atCaller, id := w.queued(trunk, 9, 8, 0, 101)
	if atCaller.Dir != media.SendRecv || len(atCaller.Formats) != 2 || atCaller.Formats[0].Name != "PCMA" {
		t.Errorf("caller answered with %+v, want PCMA and keys, sendrecv", atCaller)
	}
	caller.hearsMusic(8)

	o := offerOf(id, 1)
	agent := w.ringing(phone, o)
	if got := agent.invite.Get("P-Asserted-Identity"); got == "" || agent.invite.Get("Privacy") != "" {
		t.Errorf("P-Asserted-Identity %q", got)
	}
	atAgent := w.picksUp(agent, o, 8, 101)
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	if atAgent.Addr == atCaller.Addr {
		t.Error("both legs at one port")
	}
	agent.hears(caller, atCaller.Addr, rtpPacket(8, 11))
	caller.hears(agent, atAgent.Addr, rtpPacket(8, 22))
	if n := w.dialogs.len(); n != 2 {
		t.Errorf("%d dialog rows during the call, want 2", n)
	}

	caller.d.Bye(nil)
	w.expect(routing.CallerGone{Call: id})
	event[stack.Ended](agent)
	w.do(routing.EndCall{Call: id, Outcome: routing.Answered, By: routing.ByCaller})
}

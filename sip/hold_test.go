package sip

import (
	"net"
	"net/netip"
	"testing"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// reinvites sends a re-INVITE from a peer and gives the answer.
func (c *peerCall) reinvites(a media.Audio) media.Audio {
	c.t.Helper()
	if _, err := c.d.Reinvite(nil, c.side.Offer(a)); err != nil {
		c.t.Fatal(err)
	}
	return c.reinvited()
}

func (c *peerCall) reinvited() media.Audio {
	c.t.Helper()
	r := event[stack.Replied](c)
	if r.Code != 200 {
		c.t.Fatalf("re-INVITE answered %d", r.Code)
	}
	if err := c.d.Ack(nil); err != nil {
		c.t.Fatal(err)
	}
	_, a := c.sdpOf(r.Response.Body)
	return a
}

// joined brings a call to talk; direct joins are answered by both peers.
func (w *world) joined(trunk, phone *peer) (caller, agent *peerCall, o routing.Offer, atCaller, atAgent media.Audio) {
	w.t.Helper()
	caller, atCaller, id := w.queued(trunk, 8, 101)
	o = offerOf(id, 1)
	agent = w.ringing(phone, o)
	atAgent = w.picksUp(agent, o, 8, 101)
	way := "relay"
	if w.gw.trunks[0].Media == MediaDirect {
		way = "direct"
		req, _ := reasked(caller)
		agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
	}
	w.expect(routing.Joined{Offer: o, Media: way})
	return caller, agent, o, atCaller, atAgent
}

func TestPhoneHoldsRelayed(t *testing.T) {
	t.Parallel()
	for _, dir := range []media.Direction{media.SendOnly, media.Inactive} {
		w := newWorld(t, worldOptions{media: MediaRelay})
		caller, agent, o, atCaller, atAgent := w.joined(newPeer(t), newPeer(t))
		agent.hears(caller, atCaller.Addr, rtpPacket(8, 1))

		got := agent.reinvites(agent.audio(dir, 8, 101))
		if want := dir.Answer(media.SendRecv); got.Dir != want || got.Addr != atAgent.Addr {
			t.Errorf("hold %v answered %v at %v, want %v at %v", dir, got.Dir, got.Addr, want, atAgent.Addr)
		}
		w.expect(routing.PhoneHeld{Offer: o, On: true})
		w.do(routing.Hold{Offer: o, On: true, ByPhone: true})
		caller.hearsMusic(8)

		if got := agent.reinvites(agent.audio(media.SendRecv, 8, 101)); got.Dir != media.SendRecv {
			t.Errorf("end of hold answered %v", got.Dir)
		}
		w.expect(routing.PhoneHeld{Offer: o, On: false})
		agent.hears(caller, atCaller.Addr, rtpPacket(8, 2))
		caller.hears(agent, atAgent.Addr, rtpPacket(8, 3))
		w.hangUp(caller, o.Call)
		event[stack.Ended](agent)
	}
}

func TestPhoneHoldsDirect(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaDirect})
	caller, agent, o, music, _ := w.joined(newPeer(t), newPeer(t))

	// Inactive, not recvonly: two pieces of music at once are none.
	if got := agent.reinvites(agent.audio(media.SendOnly, 8, 101)); got.Dir != media.Inactive {
		t.Errorf("hold answered %v, want inactive", got.Dir)
	}
	w.expect(routing.PhoneHeld{Offer: o, On: true})
	req, offer := reasked(caller)
	if offer.Addr != music.Addr || offer.Dir != media.SendRecv {
		t.Errorf("caller told %+v, want our port", offer)
	}
	agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
	caller.hearsMusic(8)

	// Back: the phone's offer goes to the caller before it is answered.
	if _, err := agent.d.Reinvite(nil, agent.side.Offer(agent.audio(media.SendRecv, 8, 101))); err != nil {
		t.Fatal(err)
	}
	req, offer = reasked(caller)
	if offer.Addr != agent.addr() {
		t.Errorf("caller told %v, want the phone's %v", offer.Addr, agent.addr())
	}
	agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
	if got := agent.reinvited(); got.Addr != caller.addr() || got.Dir != media.SendRecv {
		t.Errorf("phone told %+v, want the caller", got)
	}
	w.expect(routing.PhoneHeld{Offer: o, On: false})
	w.hangUp(caller, o.Call)
	event[stack.Ended](agent)
}

func TestDeskHolds(t *testing.T) {
	t.Parallel()
	t.Run("relay", func(t *testing.T) {
		w := newWorld(t, worldOptions{media: MediaRelay})
		caller, agent, o, atCaller, atAgent := w.joined(newPeer(t), newPeer(t))
		w.do(routing.Hold{Offer: o, On: true})
		caller.hearsMusic(8)
		w.do(routing.Hold{Offer: o, On: false})
		agent.hears(caller, atCaller.Addr, rtpPacket(8, 2))
		// The phone holds too; the desk alone cannot take the caller back.
		w.do(routing.Hold{Offer: o, On: true})
		agent.reinvites(agent.audio(media.SendOnly, 8, 101))
		w.expect(routing.PhoneHeld{Offer: o, On: true})
		w.do(routing.Hold{Offer: o, On: false})
		w.expect(routing.PhoneHeld{Offer: o, On: true})
		// The phone can, whatever the desk has said.
		w.do(routing.Hold{Offer: o, On: true})
		agent.reinvites(agent.audio(media.SendRecv, 8, 101))
		w.expect(routing.PhoneHeld{Offer: o, On: false})
		w.do(routing.Hold{Offer: o, On: false, ByPhone: true})
		agent.hears(caller, atCaller.Addr, rtpPacket(8, 4))
		caller.hears(agent, atAgent.Addr, rtpPacket(8, 3))
		w.hangUp(caller, o.Call)
		event[stack.Ended](agent)
	})
	t.Run("direct", func(t *testing.T) {
		w := newWorld(t, worldOptions{media: MediaDirect})
		caller, agent, o, music, _ := w.joined(newPeer(t), newPeer(t))
		w.do(routing.Hold{Offer: o, On: true})
		req, offer := reasked(agent)
		if offer.Dir != media.Inactive {
			t.Errorf("phone told %v, want inactive", offer.Dir)
		}
		agrees(agent, req, agent.audio(media.Inactive, 8, 101))
		req, offer = reasked(caller)
		if offer.Addr != music.Addr {
			t.Errorf("caller told %v, want our port", offer.Addr)
		}
		agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
		caller.hearsMusic(8)

		w.do(routing.Hold{Offer: o, On: false})
		req, offer = reasked(agent)
		if offer.Dir != media.SendRecv || offer.Addr != caller.addr() {
			t.Errorf("phone told %+v, want the caller, sendrecv", offer)
		}
		agrees(agent, req, agent.audio(media.SendRecv, 8, 101))
		req, offer = reasked(caller)
		if offer.Dir != media.SendRecv || offer.Addr != agent.addr() {
			t.Errorf("caller told %+v, want the phone, sendrecv", offer)
		}
		agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
		w.hangUp(caller, o.Call)
		event[stack.Ended](agent)
	})
}

func TestCallerHolds(t *testing.T) {
	t.Parallel()
	t.Run("relay", func(t *testing.T) {
		w := newWorld(t, worldOptions{media: MediaRelay})
		caller, agent, o, atCaller, atAgent := w.joined(newPeer(t), newPeer(t))
		if got := caller.reinvites(caller.audio(media.SendOnly, 8, 101)); got.Dir != media.RecvOnly || got.Addr != atCaller.Addr {
			t.Errorf("hold answered %+v, want recvonly at our port", got)
		}
		// Back from another address: a phone that was handed over.
		caller.rtp = caller.socket()
		if got := caller.reinvites(caller.audio(media.SendRecv, 8, 101)); got.Dir != media.SendRecv {
			t.Errorf("end of hold answered %v", got.Dir)
		}
		caller.hears(agent, atAgent.Addr, rtpPacket(8, 3))
		agent.hears(caller, atCaller.Addr, rtpPacket(8, 2))
		w.hangUp(caller, o.Call)
		event[stack.Ended](agent)
	})
	t.Run("direct", func(t *testing.T) {
		w := newWorld(t, worldOptions{media: MediaDirect})
		caller, agent, o, _, _ := w.joined(newPeer(t), newPeer(t))
		if _, err := caller.d.Reinvite(nil, caller.side.Offer(caller.audio(media.SendOnly, 8, 101))); err != nil {
			t.Fatal(err)
		}
		req, offer := reasked(agent)
		if offer.Dir != media.SendOnly || offer.Addr != caller.addr() {
			t.Errorf("phone told %+v, want the caller's hold", offer)
		}
		agrees(agent, req, agent.audio(media.RecvOnly, 8, 101))
		if got := caller.reinvited(); got.Dir != media.RecvOnly || got.Addr != agent.addr() {
			t.Errorf("hold answered %+v, want the phone's answer", got)
		}
		// A refusal of the phone's goes back to the caller, and nothing changes.
		if _, err := caller.d.Reinvite(nil, caller.side.Offer(caller.audio(media.SendRecv, 8, 101))); err != nil {
			t.Fatal(err)
		}
		req, _ = reasked(agent)
		_ = agent.d.Reply(req, 488, "", nil, nil)
		if r := event[stack.Replied](caller); r.Code != 488 {
			t.Errorf("answered %d, want the phone's 488", r.Code)
		}
		w.hangUp(caller, o.Call)
		event[stack.Ended](agent)
	})
}

// A caller who holds may send music of its own (sendonly): the agent hears it,
// though it comes from no address that signals.
func TestMusicOfACallerWhoHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaRelay})
	caller, agent, o, atCaller, _ := w.joined(newPeer(t), newPeer(t))
	elsewhere, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.2:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer elsewhere.Close()
	caller.rtp = elsewhere
	caller.reinvites(caller.audio(media.SendOnly, 8, 101))
	agent.hears(caller, atCaller.Addr, rtpPacket(8, 1))
	caller.reinvites(caller.audio(media.SendRecv, 8, 101))
	w.hangUp(caller, o.Call)
	event[stack.Ended](agent)
}

// The old hold: an address of zeros.
func TestOldStyleHoldKeepsTheAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaRelay})
	caller, agent, o, _, atAgent := w.joined(newPeer(t), newPeer(t))
	a := agent.audio(media.SendRecv, 8, 101)
	a.Addr = zeroes(a.Addr)
	if got := agent.reinvites(a); got.Dir != media.RecvOnly {
		t.Errorf("answered %v, want recvonly", got.Dir)
	}
	w.expect(routing.PhoneHeld{Offer: o, On: true})
	agent.reinvites(agent.audio(media.SendRecv, 8, 101))
	w.expect(routing.PhoneHeld{Offer: o, On: false})
	caller.hears(agent, atAgent.Addr, rtpPacket(8, 3))
	w.hangUp(caller, o.Call)
	event[stack.Ended](agent)
}

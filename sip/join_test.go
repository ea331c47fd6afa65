package sip

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// reasked waits for a re-INVITE and gives its offer.
func reasked(c *peerCall) (*stack.Message, media.Audio) {
	c.t.Helper()
	req := event[stack.Requested](c).Request
	if req.Method != "INVITE" {
		c.t.Fatalf("asked %s, want a re-INVITE", req.Method)
	}
	_, a := c.sdpOf(req.Body)
	return req, a
}

// agrees answers a re-INVITE.
func agrees(c *peerCall, req *stack.Message, a media.Audio) {
	c.t.Helper()
	if err := c.d.Reply(req, 200, "", nil, c.answerTo(req.Body, a)); err != nil {
		c.t.Fatal(err)
	}
	event[stack.Acked](c)
}

func originOf(t *testing.T, body []byte) []string {
	t.Helper()
	d, err := media.ParseSDP(body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(d.Origin)
}

// hangUp ends a call from the caller's side, as the engine would see it.
func (w *world) hangUp(caller *peerCall, id routing.CallID) {
	w.t.Helper()
	caller.d.Bye(nil)
	w.expect(routing.CallerGone{Call: id})
	w.do(routing.EndCall{Call: id, Outcome: routing.Answered, By: routing.ByCaller})
}

func TestDirectJoin(t *testing.T) {
	w := newWorld(t, worldOptions{media: MediaDirect})
	trunk, phone := newPeer(t), newPeer(t)
	caller, music, id := w.queued(trunk, 9, 8, 0, 101)
	o := offerOf(id, 1)
	agent := w.ringing(phone, o)

	told := w.picksUp(agent, o, 9, 101)
	if told.Addr != caller.addr() || len(told.Formats) != 4 {
		t.Errorf("phone was told %+v, want the caller's own offer at %v", told, caller.addr())
	}
	req, offer := reasked(caller)
	if offer.Addr != agent.addr() || offer.Addr == music.Addr || len(offer.Formats) != 2 || offer.Formats[0].Name != "G722" {
		t.Errorf("caller was told %+v, want the phone's answer at %v", offer, agent.addr())
	}
	agrees(caller, req, caller.audio(media.SendRecv, 9, 101))
	w.expect(routing.Joined{Offer: o, Media: "direct"})
	if n := w.media.InUse(); n != 1 {
		t.Errorf("%d RTP ports in a direct call, want the caller's for hold music", n)
	}
	w.hangUp(caller, id)
	event[stack.Ended](agent)
}

// The agent's phone ends a direct call: the caller hears of the end and of
// nothing before it.
func TestDirectCallEndsWithoutAReinvite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaDirect})
	trunk, phone := newPeer(t), newPeer(t)
	caller, _, id := w.queued(trunk, 8, 101)
	o := offerOf(id, 1)
	agent := w.ringing(phone, o)
	w.picksUp(agent, o, 8, 101)
	req, _ := reasked(caller)
	agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
	w.expect(routing.Joined{Offer: o, Media: "direct"})

	agent.d.Bye(nil)
	w.expect(routing.AgentGone{Offer: o})
	w.do(routing.EndCall{Call: id, Outcome: routing.Answered, By: routing.ByAgent})
	event[stack.Ended](caller)
}

// It ends just as the call is passed on: the caller is told of our own port
// once the engine has said that he waits.
func TestDirectCallIsPassedOnAsThePhoneHangsUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaDirect})
	trunk, phone := newPeer(t), newPeer(t)
	caller, music, id := w.queued(trunk, 8, 101)
	o := offerOf(id, 1)
	agent := w.ringing(phone, o)
	w.picksUp(agent, o, 8, 101)
	req, _ := reasked(caller)
	agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
	w.expect(routing.Joined{Offer: o, Media: "direct"})

	agent.d.Bye(nil)
	w.expect(routing.AgentGone{Offer: o})
	w.do(routing.Release{Offer: o, Why: "transferred"}, routing.Wait{Call: id, Music: media.DefaultMusic})
	req, offer := reasked(caller)
	if offer.Addr != music.Addr {
		t.Errorf("caller was told %v, want our port %v", offer.Addr, music.Addr)
	}
	agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
	w.hangUp(caller, id)
}

// The caller answers the join from another address: the agent's phone must be
// told too, with the same session id and the version one up.
func TestDirectJoinTellsThePhoneOfANewAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaDirect})
	trunk, phone := newPeer(t), newPeer(t)
	caller, _, id := w.queued(trunk, 8, 101)
	o := offerOf(id, 1)
	agent := w.ringing(phone, o)
	w.picksUp(agent, o, 8, 101)

	req, _ := reasked(caller)
	caller.rtp = caller.socket()
	agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
	req, offer := reasked(agent)
	if offer.Addr != caller.addr() {
		t.Errorf("phone told %v, want %v", offer.Addr, caller.addr())
	}
	before, after := originOf(t, agent.invite.Body), originOf(t, req.Body)
	if before[1] != after[1] || before[2] != "1" || after[2] != "2" {
		t.Errorf("o= was %v, is %v", before, after)
	}
	agrees(agent, req, agent.audio(media.SendRecv, 8, 101))
	w.expect(routing.Joined{Offer: o, Media: "direct"})
	w.hangUp(caller, id)
	event[stack.Ended](agent)
}

// A caller whose re-INVITE is refused keeps our port, and the phone is moved to
// another of ours.
func TestDirectJoinRefusedBecomesRelay(t *testing.T) {
	t.Parallel()
	for _, code := range []int{488, 415, 500} {
		w := newWorld(t, worldOptions{media: MediaDirect})
		trunk, phone := newPeer(t), newPeer(t)
		caller, music, id := w.queued(trunk, 9, 8, 101)
		o := offerOf(id, 1)
		agent := w.ringing(phone, o)
		w.picksUp(agent, o, 9, 8, 101)
		req, _ := reasked(caller)
		if err := caller.d.Reply(req, code, "", nil, nil); err != nil {
			t.Fatal(err)
		}
		req, offer := reasked(agent)
		if offer.Addr.Addr() != loopback || offer.Addr == caller.addr() || offer.Formats[0].Name != "PCMA" || len(offer.Formats) != 2 {
			t.Errorf("%d: phone told %+v, want our port and the caller's codec", code, offer)
		}
		agrees(agent, req, agent.audio(media.SendRecv, 8, 101))
		w.expect(routing.Joined{Offer: o, Media: "relay"})
		agent.hears(caller, music.Addr, rtpPacket(8, 1))
		caller.hears(agent, offer.Addr, rtpPacket(8, 2))
		w.hangUp(caller, id)
		event[stack.Ended](agent)
	}
}

// A caller whose telephone has lost the call, or is not there any more, is gone
// (RFC 3261 12.2.1.2, RFC 5057): the agent must not be left with silence.
func TestDeadCallerIsFoundByTheJoin(t *testing.T) {
	t.Parallel()
	for _, code := range []int{481, 408} {
		w := newWorld(t, worldOptions{media: MediaDirect})
		caller, _, id := w.queued(newPeer(t), 8, 101)
		o := offerOf(id, 1)
		agent := w.ringing(newPeer(t), o)
		w.picksUp(agent, o, 8, 101)
		req, _ := reasked(caller)
		if err := caller.d.Reply(req, code, "", nil, nil); err != nil {
			t.Fatal(err)
		}
		w.expect(routing.CallerGone{Call: id})
		event[stack.Ended](agent)
		event[stack.Ended](caller)
		w.do(routing.EndCall{Call: id, Outcome: routing.Answered, By: routing.ByCaller})
	}
}

// A caller that does not answer the re-INVITE in time is relayed; when the
// answer comes after all, it is moved back to our port.
func TestDirectJoinTooLateBecomesRelay(t *testing.T) {
	w := newWorld(t, worldOptions{media: MediaDirect})
	trunk, phone := newPeer(t), newPeer(t)
	caller, music, id := w.queued(trunk, 8, 101)
	o := offerOf(id, 1)
	agent := w.ringing(phone, o)
	w.picksUp(agent, o, 8, 101)
	late, _ := reasked(caller)
	w.inside(id, func(c *call) { c.joinLate(c.agent) })
	req, offer := reasked(agent)
	agrees(agent, req, agent.audio(media.SendRecv, 8, 101))
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	agent.hears(caller, music.Addr, rtpPacket(8, 1))

	agrees(caller, late, caller.audio(media.SendRecv, 8, 101))
	req, back := reasked(caller)
	if back.Addr != music.Addr {
		t.Errorf("caller told %v, want our port %v", back.Addr, music.Addr)
	}
	agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
	caller.hears(agent, offer.Addr, rtpPacket(8, 2))
	w.hangUp(caller, id)
	event[stack.Ended](agent)
}

// When the phone will not be relayed either, the engine hears of it and the
// caller is back at the music.
func TestJoinFails(t *testing.T) {
	w := newWorld(t, worldOptions{media: MediaDirect})
	trunk, phone := newPeer(t), newPeer(t)
	caller, _, id := w.queued(trunk, 8, 101)
	o := offerOf(id, 1)
	agent := w.ringing(phone, o)
	w.picksUp(agent, o, 8, 101)
	req, _ := reasked(caller)
	_ = caller.d.Reply(req, 488, "", nil, nil)
	req, _ = reasked(agent)
	_ = agent.d.Reply(req, 488, "", nil, nil)
	w.expect(routing.JoinFailed{Offer: o, Reason: "refused"})
	event[stack.Ended](agent)
	caller.hearsMusic(8)
	w.do(routing.Withdraw{Offer: o, Why: "join_failed"})
	w.hangUp(caller, id)
}

// m-lines: the caller offered video first; all our descriptions keep it, shut.
func TestLinesOfTheCallersOfferAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaDirect})
	trunk, phone := newPeer(t), newPeer(t)
	caller := newPeerCall(t)
	body := string(caller.side.Offer(caller.audio(media.SendRecv, 8)))
	at := strings.Index(body, "m=audio")
	body = body[:at] + "m=video 4444 RTP/AVP 31\r\n" + body[at:]
	caller.side = media.NewSide(77, loopback)
	w.call(trunk, []byte(body), caller)
	id := get(t, "arrival", w.router.arrivals).Call
	event[stack.Progress](caller)
	w.do(routing.AnswerCaller{Call: id, Music: "default"})
	ok := event[stack.Answered](caller)
	_ = caller.d.Ack(nil)
	shape := func(body []byte) string {
		d, _ := caller.sdpOf(body)
		var s []string
		for _, l := range d.Streams {
			if s = append(s, l.Media); l.Media == "video" && l.Port != 0 {
				t.Errorf("video taken in\n%s", body)
			}
		}
		return strings.Join(s, " ")
	}
	if got := shape(ok.Response.Body); got != "video audio" {
		t.Errorf("answer has %s", got)
	}
	o := offerOf(id, 1)
	agent := w.ringing(phone, o)
	w.picksUp(agent, o, 8)
	req, _ := reasked(caller)
	if got := shape(req.Body); got != "video audio" {
		t.Errorf("re-INVITE has %s", got)
	}
	was, is := originOf(t, ok.Response.Body), originOf(t, req.Body)
	if was[1] != is[1] || is[2] != "2" {
		t.Errorf("o= was %v, is %v", was, is)
	}
	agrees(caller, req, caller.audio(media.SendRecv, 8))
	w.expect(routing.Joined{Offer: o, Media: "direct"})
	w.hangUp(caller, id)
	event[stack.Ended](agent)
}

func TestMayJoinDirectly(t *testing.T) {
	lan := netip.MustParsePrefix("10.0.0.0/8")
	in, in2, out := netip.MustParseAddr("10.1.1.1"), netip.MustParseAddr("::ffff:10.2.2.2"), netip.MustParseAddr("192.0.2.1")
	g := &Gateway{mutual: []netip.Prefix{lan}}
	for _, c := range []struct {
		media         string
		caller, agent netip.Addr
		want          bool
	}{
		{MediaDirect, out, in, true},
		{MediaRelay, in, in2, false},
		{MediaAuto, in, in2, true},
		{MediaAuto, out, in, false},
		{MediaAuto, in, out, false},
		{MediaAuto, in, netip.Addr{}, false}, // a phone behind a host name
		{"", in, in2, true},
	} {
		if got := g.mayJoinDirectly(Trunk{Media: c.media}, c.caller, c.agent); got != c.want {
			t.Errorf("%q %v %v: %v", c.media, c.caller, c.agent, got)
		}
	}
}

// auto: the phone's signalling is on the LAN, its audio is not.
func TestAutoFallsBackOnThePhonesRealAddress(t *testing.T) {
	w := newWorld(t, worldOptions{media: MediaAuto, mutual: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	trunk, phone := newPeer(t), newPeer(t)
	caller, music, id := w.queued(trunk, 8, 101)
	o := offerOf(id, 1)
	agent := w.ringing(phone, o)
	elsewhere := agent.audio(media.SendRecv, 8, 101)
	elsewhere.Addr = netip.MustParseAddrPort("192.0.2.77:4000")
	_ = agent.d.Accept(nil, agent.answerTo(agent.invite.Body, elsewhere))
	event[stack.Acked](agent)
	w.expect(routing.PhoneAnswered{Offer: o})
	w.do(routing.Connect{Offer: o})
	req, told := reasked(agent)
	if told.Addr.Addr() != loopback || told.Addr == music.Addr || told.Addr == caller.addr() {
		t.Errorf("phone told %v, want a port of ours", told.Addr)
	}
	agrees(agent, req, elsewhere)
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	w.hangUp(caller, id)
	event[stack.Ended](agent)
}

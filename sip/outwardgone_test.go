package sip

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// Whatever has become of a call that leaves the house, nothing of it stays when
// its caller gives up: no leg that somebody pays for, and no place on a trunk.
func TestCallerLeavesOutwardCalls(t *testing.T) {
	t.Parallel()
	t.Run("a mobile is asked", func(t *testing.T) {
		t.Parallel()
		w, far := outWorld(t, MediaRelay, Outward{Calls: 1})
		caller, _, id := w.queued(newPeer(t), 8)
		agent := w.mobile(far, offerOf(id, 1))
		caller.d.Bye(nil)
		w.expect(routing.CallerGone{Call: id})
		event[stack.Ended](agent)
		w.overOutward(id)
	})
	t.Run("a mobile rings", func(t *testing.T) {
		t.Parallel()
		w, far := outWorld(t, MediaRelay, Outward{Calls: 1})
		caller, _, id := w.queued(newPeer(t), 8)
		w.hasMobile()
		w.do(routing.Ring{Offer: offerOf(id, 1)})
		called := get(t, "INVITE", far.calls)
		_ = called.d.Progress(180, "", nil, nil)
		w.expect(routing.PhoneRinging{Offer: offerOf(id, 1)})
		caller.d.Bye(nil)
		w.expect(routing.CallerGone{Call: id})
		event[stack.Canceled](called)
		w.overOutward(id)
	})
	t.Run("a number by the second trunk", func(t *testing.T) {
		t.Parallel()
		first, second := newPeer(t), newPeer(t)
		w := newWorld(t, worldOptions{tune: func(g *Gateway) {
			out(g, "second", second, Outward{})
			out(g, "carrier", first, Outward{})
		}})
		caller, a := w.arrives(newPeer(t))
		w.do(sendTo(a.Call))
		_ = get(t, "INVITE", first.calls).d.Reject(503, "", nil)
		called := get(t, "INVITE by the next trunk", second.calls)
		_ = called.d.Progress(180, "", nil, nil)
		w.untilRings(a.Call)
		caller.d.Cancel()
		w.expect(routing.CallerGone{Call: a.Call, Unanswered: true})
		event[stack.Canceled](called)
		w.overOutward(a.Call)
	})
}

// untilRings waits until the call knows that the leg it faces rings.
func (w *world) untilRings(id routing.CallID) {
	w.t.Helper()
	for rings := false; !rings; {
		w.inside(id, func(c *call) { rings = c.agent != nil && c.agent.rang })
	}
}

// hasMobile gives anna a mobile.
func (w *world) hasMobile() {
	w.phones.mu.Lock()
	defer w.phones.mu.Unlock()
	w.phones.m[anna] = agents.Phone{Number: "+447700900016"}
}

// overOutward is the engine's end, after which no place is taken.
func (w *world) overOutward(id routing.CallID) {
	w.t.Helper()
	w.do(routing.EndCall{Call: id, Outcome: routing.Treated, By: routing.ByCaller})
	w.gone()
	for _, trunk := range []string{"carrier", "second"} {
		if n := w.gw.Outgoing(trunk); n != 0 {
			w.t.Errorf("%d calls are out by %s", n, trunk)
		}
	}
}

// The key of a mobile is heard too when its caller made a late offer and was
// answered while it rang: his codecs, which the ACK brings, have no keys.
func TestMobileOfALateOffer(t *testing.T) {
	t.Parallel()
	for name, pts := range map[string][]uint8{"no keys": {8}, "keys": {8, 101}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, far := outWorld(t, MediaRelay, Outward{})
			caller := newPeerCall(t)
			w.call(newPeer(t), nil, caller)
			id := get(t, "arrival", w.router.arrivals).Call
			event[stack.Progress](caller)
			w.hasMobile()
			o := offerOf(id, 1)
			w.do(routing.Ring{Offer: o})
			agent := get(t, "INVITE to the mobile", far.calls)
			w.do(routing.AnswerCaller{Call: id, Music: "default"})
			caller.answered(func(offer []byte) []byte { return caller.answerTo(offer, caller.audio(media.SendRecv, pts...)) })
			caller.hearsMusic(8)
			if err := agent.d.Accept(nil, agent.answerTo(agent.invite.Body, agent.audio(media.SendRecv, 8, 101))); err != nil {
				t.Fatal(err)
			}
			event[stack.Acked](agent)
			agent.hearsMusic(8) // the question
			_, to := agent.sdpOf(agent.invite.Body)
			agent.key(1, 20, to)
			w.expect(routing.PhoneAnswered{Offer: o})
			w.do(routing.Connect{Offer: o})
			w.expect(routing.Joined{Offer: o, Media: "relay"})
			w.hangUp(caller, id)
		})
	}
}

// A number that the signalling said could be reached directly sends its audio
// from elsewhere: the trunk that leads there may not be joined directly then,
// though the caller's always may.
func TestNumberHeardFromElsewhere(t *testing.T) {
	t.Parallel()
	far := newPeer(t)
	w := newWorld(t, worldOptions{media: MediaDirect, mutual: []netip.Prefix{netip.PrefixFrom(loopback, 32)}, tune: func(g *Gateway) {
		out(g, "second", far, Outward{})
		g.trunks[1].Media = MediaAuto
	}})
	_, a := w.arrives(newPeer(t))
	w.do(sendTo(a.Call))
	called := get(t, "INVITE to the number", far.calls)
	elsewhere := called.audio(media.SendRecv, 8)
	elsewhere.Addr = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.9"), elsewhere.Addr.Port())
	if err := called.d.Accept(nil, called.answerTo(called.invite.Body, elsewhere)); err != nil {
		t.Fatal(err)
	}
	event[stack.Acked](called)
	w.expect(routing.NumberAnswered{Call: a.Call})
	w.inside(a.Call, func(c *call) {
		if c.direct {
			t.Error("the two are joined directly")
		}
	})
	w.do(routing.EndCall{Call: a.Call, Outcome: routing.Treated, By: routing.ByServer})
}

// A prefix may have # in it, which a URI has only escaped (RFC 3261 19.1.2).
func TestPrefixIsDialled(t *testing.T) {
	t.Parallel()
	w, far := outWorld(t, MediaRelay, Outward{Prefix: "*31#"})
	_, a := w.arrives(newPeer(t))
	w.do(sendTo(a.Call))
	called := get(t, "INVITE to the number", far.calls)
	for _, text := range []string{called.invite.URI, called.invite.Get("To")} {
		if !strings.Contains(text, "sip:*31%23"+calledNumber+"@") {
			t.Errorf("called %s", text)
		}
	}
	w.do(routing.EndCall{Call: a.Call, Outcome: routing.Treated, By: routing.ByServer})
}

// The next trunk cannot even be tried: of the leg by the first nothing stays.
func TestNoDetour(t *testing.T) {
	t.Parallel()
	first := newPeer(t)
	w := newWorld(t, worldOptions{tune: func(g *Gateway) {
		out(g, "second", first, Outward{Format: identity.DialNational}) // and no region
		out(g, "carrier", first, Outward{})
	}})
	_, a := w.arrives(newPeer(t))
	w.do(sendTo(a.Call))
	_ = get(t, "INVITE", first.calls).d.Reject(503, "", nil)
	w.expect(routing.NumberFailed{Call: a.Call, Code: 503})
	w.inside(a.Call, func(c *call) {
		if c.agent != nil {
			t.Errorf("a leg that is over is faced: ended %v", c.agent.ended)
		}
	})
	w.overOutward(a.Call)
}

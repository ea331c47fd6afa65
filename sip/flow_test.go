package sip

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// arrives sends an INVITE and waits for the 180.
func (w *world) arrives(p *peer, h ...stack.Header) (*peerCall, Arrival) {
	w.t.Helper()
	c := newPeerCall(w.t)
	w.call(p, c.side.Offer(c.audio(media.SendRecv, 8, 101)), c, h...)
	a := get(w.t, "arrival", w.router.arrivals)
	ev := event[stack.Progress](c)
	if ev.Response.Status != 180 || len(ev.Response.Body) != 0 {
		w.t.Errorf("progress %d with %d octets, want 180 without SDP", ev.Response.Status, len(ev.Response.Body))
	}
	return c, a
}

func TestCallerIsRead(t *testing.T) {
	w := newWorld(t, worldOptions{})
	c, a := w.arrives(newPeer(t), stack.Header{Name: "P-Asserted-Identity", Value: "<sip:+447700900123@carrier.example>"})
	if a.Trunk != "carrier" || a.Caller.Number.E164() != "+447700900123" || !a.Caller.Trusted || a.Dialled.Number != "+442079460000" {
		t.Errorf("arrival: trunk %q, trusted %v, dialled %q", a.Trunk, a.Caller.Trusted, a.Dialled.Number)
	}
	w.do(routing.Treat{Call: a.Call, Why: "full", Reject: 486})
	if f := event[stack.Failed](c); f.Code != 486 || !strings.Contains(f.Response.Get("Reason"), "full") {
		t.Errorf("refused with %d, Reason %q", f.Code, f.Response.Get("Reason"))
	}
	w.do(routing.EndCall{Call: a.Call, Outcome: routing.Rejected, By: routing.ByServer})
}

func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	trunkAndPhone := func(t *testing.T) (*world, *peer, *peer) {
		w := newWorld(t, worldOptions{})
		return w, newPeer(t), newPeer(t)
	}
	t.Run("before the answer", func(t *testing.T) {
		w, trunk, _ := trunkAndPhone(t)
		c, a := w.arrives(trunk)
		c.d.Cancel()
		if f := event[stack.Failed](c); f.Code != 487 {
			t.Errorf("CANCEL ended in %d", f.Code)
		}
		w.expect(routing.CallerGone{Call: a.Call, Unanswered: true})
		w.do(routing.EndCall{Call: a.Call, Outcome: routing.Abandoned, By: routing.ByCaller})
	})
	t.Run("in the queue", func(t *testing.T) {
		w, trunk, _ := trunkAndPhone(t)
		c, _, id := w.queued(trunk, 8)
		w.hangUp(c, id)
	})
	t.Run("while the phone rings", func(t *testing.T) {
		w, trunk, phone := trunkAndPhone(t)
		c, _, id := w.queued(trunk, 8)
		o := offerOf(id, 1)
		agent := w.ringing(phone, o)
		c.d.Bye(nil)
		w.expect(routing.CallerGone{Call: id})
		event[stack.Canceled](agent) // at once, without waiting for the engine
		w.do(routing.Withdraw{Offer: o, Why: "abandoned"}, routing.EndCall{Call: id, Outcome: routing.Abandoned, By: routing.ByCaller})
	})
	t.Run("between the phone's 200 and the join", func(t *testing.T) {
		w, trunk, phone := trunkAndPhone(t)
		c, _, id := w.queued(trunk, 8)
		o := offerOf(id, 1)
		agent := w.ringing(phone, o)
		_ = agent.d.Accept(nil, agent.answerTo(agent.invite.Body, agent.audio(media.SendRecv, 8)))
		event[stack.Acked](agent)
		w.expect(routing.PhoneAnswered{Offer: o})
		c.d.Bye(nil)
		w.expect(routing.CallerGone{Call: id})
		event[stack.Ended](agent)
		w.do(routing.Connect{Offer: o}, routing.EndCall{Call: id, Outcome: routing.Abandoned, By: routing.ByCaller})
	})
}

func TestPhoneRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code  int
		rings bool
	}{{486, false}, {486, true}, {603, true}, {480, false}, {503, false}, {302, false}} {
		w := newWorld(t, worldOptions{})
		trunk, phone := newPeer(t), newPeer(t)
		caller, _, id := w.queued(trunk, 8)
		o := offerOf(id, 1)
		w.phones.set(anna, phone.uri("anna"))
		w.do(routing.Ring{Offer: o})
		agent := get(t, "INVITE to the phone", phone.calls)
		if c.rings {
			_ = agent.d.Progress(180, "", nil, nil)
			_ = agent.d.Progress(180, "", nil, nil) // repeated: told once
			w.expect(routing.PhoneRinging{Offer: o})
		}
		_ = agent.d.Reject(c.code, "", nil)
		w.expect(routing.PhoneFailed{Offer: o, Code: c.code})
		// The next attempt gets the call.
		o2 := offerOf(id, 2)
		agent = w.ringing(phone, o2)
		w.picksUp(agent, o2, 8)
		w.expect(routing.Joined{Offer: o2, Media: "relay"})
		w.hangUp(caller, id)
		event[stack.Ended](agent)
	}
}

func TestPhoneThatIsNotThere(t *testing.T) {
	w := newWorld(t, worldOptions{tune: func(g *Gateway) { g.unheardAfter = 20 * time.Millisecond }})
	dead := newPeerCall(t) // a socket that takes the INVITE and says nothing
	caller, _, id := w.queued(newPeer(t), 8)
	o := offerOf(id, 1)

	w.do(routing.Ring{Offer: o}) // no such agent
	w.expect(routing.PhoneFailed{Offer: o, Code: 480})

	o.Attempt = 2
	w.phones.set(anna, "sip:anna@"+dead.addr().String())
	w.do(routing.Ring{Offer: o})
	w.expect(routing.PhoneFailed{Offer: o, Code: 408})

	o.Attempt = 3
	w.phones.set(anna, "not a uri")
	w.do(routing.Ring{Offer: o})
	w.expect(routing.PhoneFailed{Offer: o, Code: 503})
	w.hangUp(caller, id)
}

func TestPhoneAnswersWithoutUsableAudio(t *testing.T) {
	w := newWorld(t, worldOptions{})
	trunk, phone := newPeer(t), newPeer(t)
	caller, _, id := w.queued(trunk, 8)
	o := offerOf(id, 1)
	agent := w.ringing(phone, o)
	_ = agent.d.Accept(nil, agent.answerTo(agent.invite.Body, agent.audio(media.SendRecv, 0))) // not offered
	event[stack.Acked](agent)
	event[stack.Ended](agent)
	w.expect(routing.PhoneFailed{Offer: o, Code: 488})
	caller.hearsMusic(8)
	w.hangUp(caller, id)
}

func TestWithdrawAndRelease(t *testing.T) {
	w := newWorld(t, worldOptions{})
	trunk, phone := newPeer(t), newPeer(t)
	caller, _, id := w.queued(trunk, 8)

	o := offerOf(id, 1)
	agent := w.ringing(phone, o)
	w.do(routing.Withdraw{Offer: o, Why: "rona"})
	event[stack.Canceled](agent)

	// A transfer: the first agent's leg goes, the caller waits, the next rings.
	o = offerOf(id, 2)
	first := w.ringing(phone, o)
	w.picksUp(first, o, 8)
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	next := offerOf(id, 3)
	w.do(routing.Release{Offer: o, Why: "transferred"}, routing.Wait{Call: id, Music: "default"})
	event[stack.Ended](first)
	caller.hearsMusic(8)
	second := w.ringing(phone, next)
	w.do(routing.Withdraw{Offer: o, Why: "stale"}, routing.Connect{Offer: o}, routing.Hold{Offer: o, On: true}) // older: nothing
	told := w.picksUp(second, next, 8)
	w.expect(routing.Joined{Offer: next, Media: "relay"})
	caller.hears(second, told.Addr, rtpPacket(8, 9))

	second.d.Bye(nil)
	w.expect(routing.AgentGone{Offer: next})
	w.do(routing.EndCall{Call: id, Outcome: routing.Answered, By: routing.ByAgent})
	if e := event[stack.Ended](caller); !strings.Contains(e.Request.Get("Reason"), "agent") {
		t.Errorf("Reason %q", e.Request.Get("Reason"))
	}
}

// A Ring for a new attempt never leaves an older leg behind.
func TestRingEndsTheOlderAttempt(t *testing.T) {
	w := newWorld(t, worldOptions{})
	trunk, phone := newPeer(t), newPeer(t)
	caller, _, id := w.queued(trunk, 8)
	o1, o2 := offerOf(id, 1), offerOf(id, 2)
	first := w.ringing(phone, o1)
	w.picksUp(first, o1, 8)
	w.expect(routing.Joined{Offer: o1, Media: "relay"})
	second := w.ringing(phone, o2)
	event[stack.Ended](first)
	w.hangUp(caller, id)
	event[stack.Canceled](second)
}

func TestTransferDirect(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaDirect})
	trunk, phone := newPeer(t), newPeer(t)
	caller, first, o, music, _ := w.joined(trunk, phone)
	w.do(routing.Release{Offer: o, Why: "transferred"}, routing.Wait{Call: o.Call, Music: "default"})
	event[stack.Ended](first)
	req, offer := reasked(caller)
	if offer.Addr != music.Addr {
		t.Errorf("caller told %v, want our port %v", offer.Addr, music.Addr)
	}
	// The next agent answers before the caller's phone has said yes to the
	// music: the join waits for it.
	o2 := offerOf(o.Call, 2)
	second := w.ringing(phone, o2)
	w.picksUp(second, o2, 8, 101)
	agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
	req, offer = reasked(caller)
	if offer.Addr != second.addr() {
		t.Errorf("caller told %v, want the second phone %v", offer.Addr, second.addr())
	}
	agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
	w.expect(routing.Joined{Offer: o2, Media: "direct"})
	w.hangUp(caller, o.Call)
	event[stack.Ended](second)
}

func TestTreatment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{sounds: shortSound(t, "notice")})
	c, a := w.arrives(newPeer(t))
	w.do(routing.Treat{Call: a.Call, Why: "closed", Play: "no such sound"})
	w.expect(routing.TreatmentPlayed{Call: a.Call})
	w.do(routing.Treat{Call: a.Call, Why: "closed", Play: "notice"})
	event[stack.Answered](c)
	_ = c.d.Ack(nil)
	c.hearsMusic(8)
	w.expect(routing.TreatmentPlayed{Call: a.Call})
	// The treatment may end in another queue, and begin again from there.
	w.inside(a.Call, func(c *call) { c.tune = "default" })
	c.hearsMusic(8)
	w.do(routing.Treat{Call: a.Call, Why: "late", Play: "notice"})
	w.expect(routing.TreatmentPlayed{Call: a.Call})
	w.do(routing.EndCall{Call: a.Call, Outcome: routing.Treated, By: routing.ByServer, Reason: "closed"})
	event[stack.Ended](c)
}

func TestLateOffer(t *testing.T) {
	w := newWorld(t, worldOptions{})
	trunk, phone := newPeer(t), newPeer(t)
	c := newPeerCall(t)
	w.call(trunk, nil, c)
	id := get(t, "arrival", w.router.arrivals).Call
	event[stack.Progress](c)
	o := offerOf(id, 1)
	w.phones.set(anna, phone.uri("anna"))
	w.do(routing.AnswerCaller{Call: id, Music: "default"}, routing.Ring{Offer: o})
	ok := event[stack.Answered](c)
	_, offer := c.sdpOf(ok.Response.Body)
	if len(offer.Formats) != 3 {
		t.Errorf("offered %+v", offer.Formats)
	}
	_ = c.d.Ack(c.answerTo(ok.Response.Body, c.audio(media.SendRecv, 0, 101)))
	c.hearsMusic(0)
	// Only now is it known what the phone may be offered.
	agent := get(t, "INVITE to the phone", phone.calls)
	if _, told := agent.sdpOf(agent.invite.Body); len(told.Formats) != 2 || told.Formats[0].Name != "PCMU" {
		t.Errorf("phone offered %+v, want PCMU and keys", told.Formats)
	}
	told := w.picksUp(agent, o, 0, 101)
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	c.hears(agent, told.Addr, rtpPacket(0, 7))
	w.hangUp(c, id)
	event[stack.Ended](agent)
}

func TestLateOfferWithoutAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{})
	c := newPeerCall(t)
	w.call(newPeer(t), nil, c)
	id := get(t, "arrival", w.router.arrivals).Call
	event[stack.Progress](c)
	w.do(routing.AnswerCaller{Call: id, Music: "default"})
	event[stack.Answered](c)
	_ = c.d.Ack(nil)
	w.expect(routing.CallFailed{Call: id, Reason: "no_answer_in_ack"})
	event[stack.Ended](c)
}

func TestCallsThatDoNotGetIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{})
	trunk := newPeer(t)
	good := newPeerCall(t)
	sdp := good.side.Offer(good.audio(media.SendRecv, 8))
	refused := func(what string, want int, body []byte, h ...stack.Header) {
		t.Helper()
		c := newPeerCall(t)
		w.call(trunk, body, c, h...)
		if f := event[stack.Failed](c); f.Code != want {
			t.Errorf("%s: %d, want %d", what, f.Code, want)
		} else if want == 503 && f.Response.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", what)
		}
	}
	only := good.audio(media.SendRecv, 9)
	refused("G722 only", 488, media.NewSide(1, loopback).Offer(only))
	refused("SRTP only", 488, []byte(strings.Replace(string(sdp), "RTP/AVP", "RTP/SAVP", 1)))
	v6 := good.audio(media.SendRecv, 8)
	v6.Addr = netip.MustParseAddrPort("[2001:db8::1]:4000")
	refused("IPv6", 488, media.NewSide(1, loopback).Offer(v6))
	refused("no SDP", 400, []byte("hello"))
	refused("other body", 415, []byte("hello"), stack.Header{Name: "Content-Type", Value: "text/plain"})
	w.router.full.Store(true)
	refused("engine full", 503, sdp)
	w.router.full.Store(false)

	if n := len(w.router.events); n != 0 {
		t.Errorf("%d events of calls that never arrived", n)
	}
	// Draining: new calls are refused, the live one goes on until its time is up.
	c, _, id := w.queued(trunk, 8)
	w.gw.drain() // Close begins with it
	refused("draining", 503, sdp)
	ctx, cancel := context.WithCancel(context.Background())
	closed := make(chan error, 1)
	go func() { closed <- w.gw.Close(ctx) }()
	cancel()
	event[stack.Ended](c)
	w.expect(routing.CallFailed{Call: id, Reason: "shutdown"})
	var cleared *ClearedError
	if err := get(t, "Close", closed); !errors.As(err, &cleared) || cleared.Calls != 1 {
		t.Errorf("Close: %v, want one call cleared", err)
	}
}

func TestStrangersDoNotGetIn(t *testing.T) {
	w := newWorld(t, worldOptions{source: netip.MustParsePrefix("192.0.2.0/24")})
	c := newPeerCall(t)
	w.call(newPeer(t), c.side.Offer(c.audio(media.SendRecv, 8)), c)
	if f := event[stack.Failed](c); f.Code != 403 {
		t.Errorf("refused with %d, want 403", f.Code)
	}
	if w.gw.Knows(loopback) || !w.gw.Knows(netip.MustParseAddr("::ffff:192.0.2.9")) {
		t.Error("Knows does not follow the trunks' addresses")
	}
	if len(w.router.arrivals) != 0 {
		t.Error("the call arrived")
	}
}

// A panic in one call ends both its legs and no other call.
func TestPanicEndsOneCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{})
	trunk, phone := newPeer(t), newPeer(t)
	other, _, otherID := w.queued(trunk, 8)
	caller, agent, o, _, _ := w.joined(trunk, phone)

	boom := func(ev routing.Event) {
		if _, held := ev.(routing.PhoneHeld); held {
			panic("injected")
		}
	}
	w.router.onSubmit.Store(&boom)
	if _, err := agent.d.Reinvite(nil, agent.side.Offer(agent.audio(media.SendOnly, 8, 101))); err != nil {
		t.Fatal(err)
	}
	w.expect(routing.CallFailed{Call: o.Call, Reason: "panic"})
	event[stack.Ended](caller)
	// The phone's re-INVITE ends with the dialog, in whichever order.
	for ended, replied := false, false; !ended || !replied; {
		switch ev := get(t, "end of the phone's leg", agent.events).(type) {
		case stack.Ended:
			ended = true
		case stack.Replied:
			replied = true
		default:
			t.Fatalf("phone saw %T", ev)
		}
	}
	other.hearsMusic(8)
	w.hangUp(other, otherID)
}

// An engine that has lost a call cannot keep its goroutine.
func TestOrphanEnds(t *testing.T) {
	w := newWorld(t, worldOptions{tune: func(g *Gateway) { g.orphanAfter = time.Millisecond }})
	c, _, id := w.queued(newPeer(t), 8)
	c.d.Bye(nil)
	w.expect(routing.CallerGone{Call: id})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.gw.Close(ctx); err != nil {
		t.Error(err)
	}
}

func TestInviteToThePhone(t *testing.T) {
	t.Parallel()
	pai := stack.Header{Name: "P-Asserted-Identity", Value: `"Acme \"Ltd\"" <sip:+447700900123@carrier.example>`}
	for name, c := range map[string]struct {
		h          []stack.Header
		auto       bool
		from, pai_ string
		privacy    string
	}{
		"shown":      {h: []stack.Header{pai}, from: `<sip:+447700900123@127.0.0.1>`, pai_: `<sip:+447700900123@127.0.0.1>`},
		"restricted": {h: []stack.Header{pai, {Name: "Privacy", Value: "id"}}, from: "anonymous.invalid", privacy: "id"},
		"auto":       {h: []stack.Header{pai}, auto: true, from: `<sip:+447700900123@127.0.0.1>`, pai_: `<sip:+447700900123@127.0.0.1>`},
	} {
		w := newWorld(t, worldOptions{})
		trunk, phone := newPeer(t), newPeer(t)
		caller, a := w.arrives(trunk, c.h...)
		w.phones.set(anna, phone.uri("anna"))
		w.do(routing.Ring{Offer: offerOf(a.Call, 1), AutoAnswer: c.auto, Until: time.Now().Add(20 * time.Second)})
		in := get(t, "INVITE to the phone", phone.calls).invite
		if got := in.Get("From"); !strings.Contains(got, c.from) || c.privacy != "" && strings.Contains(got, "7700") {
			t.Errorf("%s: From %q", name, got)
		}
		if got := in.Get("P-Asserted-Identity"); (c.pai_ == "") != (got == "") || !strings.Contains(got, c.pai_) {
			t.Errorf("%s: P-Asserted-Identity %q", name, got)
		}
		if got := in.Get("Privacy"); got != c.privacy {
			t.Errorf("%s: Privacy %q", name, got)
		}
		if got := in.Get("Call-Info"); strings.Contains(got, "answer-after=0") != c.auto {
			t.Errorf("%s: Call-Info %q", name, got)
		}
		if in.Get("Max-Forwards") != "69" {
			t.Errorf("%s: Max-Forwards %s, the caller's was 70", name, in.Get("Max-Forwards"))
		}
		if in.Get("Expires") == "" || in.Get("X-Cordboard-Call") != "1/1" {
			t.Errorf("%s: Expires %q, X-Cordboard-Call %q", name, in.Get("Expires"), in.Get("X-Cordboard-Call"))
		}
		caller.d.Cancel()
		w.expect(routing.CallerGone{Call: a.Call, Unanswered: true})
		w.do(routing.EndCall{Call: a.Call})
	}
}

func TestRequestsInsideADialog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{})
	caller, agent, o, atCaller, _ := w.joined(newPeer(t), newPeer(t))
	asks := func(c *peerCall, method string, want int, ctype string, body string, h ...stack.Header) *stack.Message {
		t.Helper()
		if _, err := c.d.Request(method, h, ctype, []byte(body)); err != nil {
			t.Fatal(err)
		}
		r := event[stack.Replied](c)
		if r.Code != want {
			t.Errorf("%s answered %d, want %d", method, r.Code, want)
		}
		return r.Response
	}
	for _, c := range []*peerCall{caller, agent} {
		asks(c, "OPTIONS", 200, "", "")
		asks(c, "INFO", 200, "application/dtmf-relay", "Signal=5\r\n")
		asks(c, "INFO", 469, "text/plain", "x", stack.Header{Name: "Info-Package", Value: "conference"})
		if a, b := asks(c, "MESSAGE", 405, "text/plain", "hi").Get("Allow"), asks(c, "OPTIONS", 200, "", "").Get("Allow"); a != b || strings.Contains(a, "MESSAGE") || strings.Contains(a, "REFER") != (c == agent) {
			t.Errorf("405 allows %q, OPTIONS says %q", a, b)
		}
		asks(c, "REFER", 603, "", "", stack.Header{Name: "Refer-To", Value: "<sip:x@example.org>"}) // this gateway has no targets
		asks(c, "UPDATE", 200, "", "")                                                              // session refresh
	}
	res := asks(caller, "UPDATE", 200, "application/sdp", string(caller.side.Offer(caller.audio(media.SendRecv, 8, 101))))
	if _, a := caller.sdpOf(res.Body); a.Addr != atCaller.Addr {
		t.Errorf("UPDATE answered with %v", a.Addr)
	}
	asks(caller, "UPDATE", 400, "application/sdp", "rubbish")
	asks(caller, "UPDATE", 415, "text/plain", "rubbish")
	// The relayed codec is the only one: what lacks it is refused, the call goes on.
	asks(caller, "UPDATE", 488, "application/sdp", string(caller.side.Offer(caller.audio(media.SendRecv, 0))))

	// A re-INVITE without SDP asks for our offer.
	if _, err := agent.d.Reinvite(nil, nil); err != nil {
		t.Fatal(err)
	}
	r := event[stack.Replied](agent)
	_, offer := agent.sdpOf(r.Response.Body)
	agent.rtp = agent.socket()
	_ = agent.d.Ack(agent.answerTo(r.Response.Body, agent.audio(media.SendRecv, 8, 101)))
	agent.hears(caller, atCaller.Addr, rtpPacket(8, 5))
	caller.hears(agent, offer.Addr, rtpPacket(8, 6))
	w.hangUp(caller, o.Call)
	event[stack.Ended](agent)
}

func TestProbe(t *testing.T) {
	w := newWorld(t, worldOptions{})
	phone := newPeer(t)
	w.do(routing.Probe{Agent: "nobody"})
	w.expect(routing.PhoneProbed{Agent: "nobody", Code: 480})
	w.phones.set(anna, phone.uri("anna"))
	w.do(routing.Probe{Agent: anna})
	w.expect(routing.PhoneProbed{Agent: anna, Code: 200})
}

// In a direct call the caller's phone asks for our offer: what our own port
// speaks must not follow the phones' codec.
func TestOfferlessReinviteInADirectCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaDirect})
	trunk, phone := newPeer(t), newPeer(t)
	caller, _, id := w.queued(trunk, 9, 8, 101)
	o := offerOf(id, 1)
	agent := w.ringing(phone, o)
	w.picksUp(agent, o, 9, 101)
	req, _ := reasked(caller)
	agrees(caller, req, caller.audio(media.SendRecv, 9, 101))
	w.expect(routing.Joined{Offer: o, Media: "direct"})

	if _, err := caller.d.Reinvite(nil, nil); err != nil {
		t.Fatal(err)
	}
	r := event[stack.Replied](caller)
	if _, offer := caller.sdpOf(r.Response.Body); offer.Addr != agent.addr() {
		t.Errorf("offered %v, want the phone's %v", offer.Addr, agent.addr())
	}
	_ = caller.d.Ack(caller.answerTo(r.Response.Body, caller.audio(media.SendRecv, 9, 101)))

	w.do(routing.Hold{Offer: o, On: true})
	req, _ = reasked(agent)
	agrees(agent, req, agent.audio(media.Inactive, 9, 101))
	req, offer := reasked(caller)
	if offer.Formats[0].Name != "PCMA" {
		t.Errorf("music offered in %+v, want PCMA", offer.Formats)
	}
	agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
	caller.hearsMusic(8)
	w.hangUp(caller, id)
	event[stack.Ended](agent)
}

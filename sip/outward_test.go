package sip

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

const (
	ownNumber    = "+441632960000"
	calledNumber = "+441632960012"
)

// out lets calls leave by a trunk that leads to the peer.
func out(g *Gateway, name string, p *peer, o Outward) {
	o.Host, o.Number = p.st.Addr("udp").String(), ownNumber
	if o.Back == nil {
		o.Back = []string{"GB"}
	}
	for i, t := range g.trunks {
		if t.Name == name {
			g.trunks[i].Out = &o
			return
		}
	}
	g.trunks = append(g.trunks, Trunk{Name: name, Media: MediaRelay, Out: &o})
}

// outWorld is a world whose one trunk leads to a peer.
func outWorld(t *testing.T, mediaWay string, o Outward) (w *world, far *peer) {
	t.Helper()
	far = newPeer(t)
	return newWorld(t, worldOptions{media: mediaWay, tune: func(g *Gateway) { out(g, "carrier", far, o) }}), far
}

func sendTo(id routing.CallID) routing.Treat {
	return routing.Treat{Call: id, Why: "late", Number: calledNumber, Until: time.Now().Add(time.Minute), Music: "default"}
}

func (w *world) answersNumber(c *peerCall, id routing.CallID) {
	w.t.Helper()
	if err := c.d.Accept(nil, c.answerTo(c.invite.Body, c.audio(media.SendRecv, 8))); err != nil {
		w.t.Fatal(err)
	}
	event[stack.Acked](c)
	w.expect(routing.NumberAnswered{Call: id})
}

// A caller who was not answered is answered by the number he is sent to.
func TestNumberAnswersTheCaller(t *testing.T) {
	t.Parallel()
	w, far := outWorld(t, MediaRelay, Outward{Format: identity.DialNational, Region: "GB", Prefix: "9"})
	caller, a := w.arrives(newPeer(t), stack.Header{Name: "P-Asserted-Identity", Value: "<sip:+447700900123@carrier.example>"})
	w.do(sendTo(a.Call))
	called := get(t, "INVITE to the number", far.calls)
	if !strings.HasPrefix(called.invite.URI, "sip:901632960012@") {
		t.Errorf("called %s", called.invite.URI)
	}
	for _, h := range []string{"From", "P-Asserted-Identity"} {
		if v := called.invite.Get(h); !strings.Contains(v, "sip:"+ownNumber+"@") || strings.Contains(v, "Caller") {
			t.Errorf("%s: %s", h, v)
		}
	}
	if called.invite.Get("X-Cordboard-Call") != "" || called.invite.Get("Expires") == "" {
		t.Errorf("headers that leave the house: %v", called.invite.Headers)
	}
	_ = called.d.Progress(180, "", nil, nil)
	w.answersNumber(called, a.Call)
	ours := caller.answered(nil)
	_, atNumber := called.sdpOf(called.invite.Body)
	called.hears(caller, ours.Addr, rtpPacket(8, 1))
	caller.hears(called, atNumber.Addr, rtpPacket(8, 2))
	if n := w.gw.Outgoing("carrier"); n != 1 {
		t.Errorf("%d calls out", n)
	}
	caller.d.Bye(nil)
	w.expect(routing.CallerGone{Call: a.Call})
	event[stack.Ended](called)
	w.do(routing.EndCall{Call: a.Call, Outcome: routing.Treated, By: routing.ByCaller})
	w.gone()
	if n := w.gw.Outgoing("carrier"); n != 0 {
		t.Errorf("%d calls out when all are over", n)
	}
}

// gone waits until no call is left.
func (w *world) gone() {
	w.t.Helper()
	for deadline := time.Now().Add(patience); w.gw.Live() > 0; {
		if time.Now().After(deadline) {
			w.t.Fatal("the call is still there")
		}
		time.Sleep(time.Millisecond)
	}
}

// One who was answered hears music while the number rings, and then the number;
// where both trunks send directly, without us.
func TestNumberTalksDirectly(t *testing.T) {
	t.Parallel()
	w, far := outWorld(t, MediaDirect, Outward{Callers: true})
	caller, _, id := w.queued(newPeer(t), 8)
	w.do(sendTo(id))
	called := get(t, "INVITE to the number", far.calls)
	if v := called.invite.Get("From"); !strings.Contains(v, "sip:+447700900123@") || called.invite.Get("P-Asserted-Identity") == "" {
		t.Errorf("From %s", v)
	}
	caller.hearsMusic(8)
	w.answersNumber(called, id)
	again := event[stack.Requested](caller)
	if _, a := caller.sdpOf(again.Request.Body); a.Addr != called.addr() {
		t.Errorf("the caller is told %v, not the number's %v", a.Addr, called.addr())
	}
	_ = caller.d.Reply(again.Request, 200, "", nil, caller.answerTo(again.Request.Body, caller.audio(media.SendRecv, 8)))
	event[stack.Acked](caller)
	called.d.Bye(nil)
	w.expect(routing.NumberGone{Call: id})
	w.do(routing.EndCall{Call: id, Outcome: routing.Treated, By: routing.ByServer})
	event[stack.Ended](caller)
}

// nextTrunkTakes: what the first trunk says is of itself, and the next is tried.
func nextTrunkTakes(t *testing.T, code int) {
	first, second := newPeer(t), newPeer(t)
	w := newWorld(t, worldOptions{tune: func(g *Gateway) {
		out(g, "second", second, Outward{})
		out(g, "carrier", first, Outward{})
	}})
	_, a := w.arrives(newPeer(t))
	w.do(sendTo(a.Call))
	_ = get(t, "INVITE by the trunk the caller came by", first.calls).d.Reject(code, "", nil)
	called := get(t, "INVITE by the next trunk", second.calls)
	if n, m := w.gw.Outgoing("carrier"), w.gw.Outgoing("second"); n != 0 || m != 1 {
		t.Errorf("%d and %d calls out", n, m)
	}
	_ = called.d.Reject(603, "", nil)
	w.expect(routing.NumberFailed{Call: a.Call, Code: 603})
	w.do(routing.EndCall{Call: a.Call, Outcome: routing.Treated, By: routing.ByServer})
}

// A trunk that no INVITE can be made for, here by TLS where none is set up, is passed
// over: as the first, and behind one that cannot carry the call.
func TestTrunkThatCannotBeCalled(t *testing.T) {
	t.Parallel()
	first, last := newPeer(t), newPeer(t)
	w := newWorld(t, worldOptions{tune: func(g *Gateway) {
		out(g, "carrier", first, Outward{Transport: "tls"})
		out(g, "second", first, Outward{})
		out(g, "third", first, Outward{Transport: "tls"})
		out(g, "last", last, Outward{})
	}})
	_, a := w.arrives(newPeer(t))
	w.do(sendTo(a.Call))
	_ = get(t, "INVITE by the second trunk", first.calls).d.Reject(503, "", nil)
	_ = get(t, "INVITE by the last trunk", last.calls).d.Reject(486, "", nil)
	w.expect(routing.NumberFailed{Call: a.Call, Code: 486})
	for _, trunk := range []string{"carrier", "second", "third", "last"} {
		if n := w.gw.Outgoing(trunk); n != 0 {
			t.Errorf("%d calls out by %s", n, trunk)
		}
	}
	w.do(routing.EndCall{Call: a.Call, Outcome: routing.Treated, By: routing.ByServer})
}

// What becomes of a number that does not take the call, and of the trunks on
// the way: only what says nothing of the number itself is tried elsewhere.
func TestNumberFails(t *testing.T) {
	t.Parallel()
	t.Run("busy", func(t *testing.T) {
		t.Parallel()
		w, far := outWorld(t, MediaRelay, Outward{})
		_, a := w.arrives(newPeer(t))
		w.do(sendTo(a.Call))
		_ = get(t, "INVITE", far.calls).d.Reject(486, "", nil)
		w.expect(routing.NumberFailed{Call: a.Call, Code: 486})
		w.do(routing.EndCall{Call: a.Call, Outcome: routing.Treated, By: routing.ByServer, Code: 486})
	})
	for _, code := range []int{503, 401, 407} {
		t.Run(fmt.Sprintf("the next trunk, %d", code), func(t *testing.T) { t.Parallel(); nextTrunkTakes(t, code) })
	}
	t.Run("no place", func(t *testing.T) {
		t.Parallel()
		w, far := outWorld(t, MediaRelay, Outward{Calls: 1})
		trunk := newPeer(t)
		_, a := w.arrives(trunk)
		w.do(sendTo(a.Call))
		get(t, "INVITE", far.calls)
		_, b := w.arrives(trunk)
		w.do(sendTo(b.Call))
		w.expect(routing.NumberFailed{Call: b.Call, Code: noPort})
		w.do(routing.EndCall{Call: b.Call, Outcome: routing.Treated, By: routing.ByServer}, routing.EndCall{Call: a.Call, Outcome: routing.Treated, By: routing.ByServer})
	})
	t.Run("a trunk at its own cap", func(t *testing.T) {
		t.Parallel()
		far, spare := newPeer(t), newPeer(t)
		caps := stack.NewCaps(map[string]stack.Cap{"carrier": {Calls: 1}})
		w := newWorld(t, worldOptions{media: MediaRelay, tune: func(g *Gateway) {
			out(g, "carrier", far, Outward{})
			out(g, "spare", spare, Outward{})
			g.caps = caps
		}})
		trunk := newPeer(t)
		_, a := w.arrives(trunk)
		w.do(sendTo(a.Call))
		get(t, "INVITE", far.calls)
		_, b := w.arrives(trunk)
		w.do(sendTo(b.Call))
		_ = get(t, "INVITE by the next trunk", spare.calls).d.Reject(486, "", nil)
		w.expect(routing.NumberFailed{Call: b.Call, Code: 486})
		w.do(routing.EndCall{Call: b.Call, Outcome: routing.Treated, By: routing.ByServer}, routing.EndCall{Call: a.Call, Outcome: routing.Treated, By: routing.ByServer})
		for end := time.Now().Add(20 * time.Second); !caps.Enter("carrier", time.Now()); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the place was not given back")
			}
		}
	})
	t.Run("no trunk", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, worldOptions{})
		_, a := w.arrives(newPeer(t))
		w.do(sendTo(a.Call))
		w.expect(routing.NumberFailed{Call: a.Call, Code: 503})
		w.do(routing.EndCall{Call: a.Call, Outcome: routing.Treated, By: routing.ByServer})
	})
	t.Run("the engine's time is over", func(t *testing.T) {
		t.Parallel()
		w, far := outWorld(t, MediaRelay, Outward{})
		caller, a := w.arrives(newPeer(t))
		w.do(sendTo(a.Call))
		called := get(t, "INVITE", far.calls)
		w.do(routing.EndCall{Call: a.Call, Outcome: routing.Treated, By: routing.ByServer, Reason: "number_no_answer"})
		event[stack.Canceled](called)
		if f := event[stack.Failed](caller); f.Code != 480 {
			t.Errorf("the caller is refused with %d", f.Code)
		}
	})
}

// A number that is reached by nobody's own and shows the callers': one who
// withheld his is not shown.
func TestWithheldCallerIsNotShown(t *testing.T) {
	t.Parallel()
	w, far := outWorld(t, MediaRelay, Outward{Callers: true})
	_, a := w.arrives(newPeer(t), stack.Header{Name: "P-Asserted-Identity", Value: "<sip:+447700900123@carrier.example>"}, stack.Header{Name: "Privacy", Value: "id"})
	w.do(sendTo(a.Call))
	called := get(t, "INVITE", far.calls)
	for _, h := range called.invite.Headers {
		if strings.Contains(h.Value, "7700900123") {
			t.Errorf("%s: %s", h.Name, h.Value)
		}
	}
	if called.invite.Get("Privacy") != "id" || !strings.Contains(called.invite.Get("From"), "anonymous") {
		t.Errorf("From %s", called.invite.Get("From"))
	}
	w.do(routing.EndCall{Call: a.Call, Outcome: routing.Treated, By: routing.ByServer})
}

// mobile gives anna a mobile, and rings it.
func (w *world) mobile(far *peer, o routing.Offer) *peerCall {
	w.t.Helper()
	w.phones.mu.Lock()
	w.phones.m[anna] = agents.Phone{Number: "+447700900016"}
	w.phones.mu.Unlock()
	w.do(routing.Ring{Offer: o})
	c := get(w.t, "INVITE to the mobile", far.calls)
	_ = c.d.Progress(180, "", nil, nil)
	w.expect(routing.PhoneRinging{Offer: o})
	if err := c.d.Accept(nil, c.answerTo(c.invite.Body, c.audio(media.SendRecv, 8, 101))); err != nil {
		w.t.Fatal(err)
	}
	event[stack.Acked](c)
	return c
}

// key presses a key of the peer's telephone.
func (c *peerCall) key(event byte, seq byte, to media.Audio) {
	for i := range byte(3) { // the end of an event is sent three times
		_, _ = c.rtp.WriteToUDPAddrPort([]byte{0x80, 101, 0, seq + i, 0, 0, seq, 0, 9, 9, 9, 9, event, 0x80, 3, 32}, to.Addr)
	}
}

// A mobile hears the question, and has the call by key 1 and by no other.
func TestMobileAccepts(t *testing.T) {
	t.Parallel()
	w, far := outWorld(t, MediaRelay, Outward{})
	caller, ours, id := w.queued(newPeer(t), 8) // the caller has no keys
	o := offerOf(id, 1)
	agent := w.mobile(far, o)
	agent.hearsMusic(8) // the question
	_, to := agent.sdpOf(agent.invite.Body)
	agent.key(2, 10, to)
	w.inside(id, func(c *call) {
		if c.agent == nil || !c.agent.isAsked() || c.connected {
			t.Error("the call was given away")
		}
	})
	agent.key(1, 20, to)
	w.expect(routing.PhoneAnswered{Offer: o})
	w.do(routing.Connect{Offer: o})
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	agent.hears(caller, ours.Addr, rtpPacket(8, 1))
	caller.hears(agent, to.Addr, rtpPacket(8, 2))
	w.hangUp(caller, id)
}

// By INFO too; and a mailbox, which presses nothing and hangs up, has no call.
func TestMobileMailbox(t *testing.T) {
	t.Parallel()
	w, far := outWorld(t, MediaRelay, Outward{})
	caller, _, id := w.queued(newPeer(t), 8)
	o := offerOf(id, 1)
	box := w.mobile(far, o)
	box.hearsMusic(8)
	box.d.Bye(nil)
	w.expect(routing.PhoneFailed{Offer: o, Unconfirmed: true})
	w.do(routing.Withdraw{Offer: o, Why: "rona"})
	caller.hearsMusic(8)

	o = offerOf(id, 2)
	agent := w.mobile(far, o)
	if _, err := agent.d.Request("INFO", nil, "application/dtmf-relay", []byte("Signal=1\r\nDuration=160\r\n")); err != nil {
		t.Fatal(err)
	}
	w.expect(routing.PhoneAnswered{Offer: o})
	w.do(routing.Connect{Offer: o})
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	w.hangUp(caller, id)
}

// What an agent hears is the caller's number, digit by digit, unless it is
// withheld.
func TestQuestion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{})
	c := &call{gw: w.gw}
	n, err := identity.ParseNumber("+447700900123", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.arrival.Caller.Number = n
	if got := strings.Join(c.question("ru"), " "); got != "call-from-ru digit-4-ru digit-4-ru digit-7-ru digit-7-ru digit-0-ru digit-0-ru digit-9-ru digit-0-ru digit-0-ru digit-1-ru digit-2-ru digit-3-ru call-accept-ru" {
		t.Errorf("asked %s", got)
	}
	c.arrival.Caller.Restricted = true
	if got := strings.Join(c.question("tlh"), " "); got != "call-withheld call-accept" {
		t.Errorf("asked %s", got)
	}
	for _, language := range []string{"", "-ru", "-bg", "-zh"} {
		for _, name := range []string{"call-from", "call-withheld", "call-accept", "digit-0", "digit-5", "digit-9"} {
			if !w.gw.media.Has(name + language) {
				t.Errorf("there is no %s", name+language)
			}
		}
	}
}

package sip

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// redirecting is a world whose trunk has its calls back.
func redirecting(t *testing.T, tune func(*Gateway)) *world {
	t.Helper()
	return newWorld(t, worldOptions{tune: func(g *Gateway) {
		g.trunks[0].Redirect = true
		if tune != nil {
			tune(g)
		}
	}})
}

// unanswered brings a call to its 180.
func (w *world) unanswered(p *peer) (*peerCall, routing.CallID) {
	w.t.Helper()
	c := newPeerCall(w.t)
	w.call(p, c.side.Offer(c.audio(media.SendRecv, 8)), c, stack.Header{Name: "P-Asserted-Identity", Value: "<sip:+447700900123@carrier.example>"})
	return c, get(w.t, "arrival", w.router.arrivals).Call
}

// hasBack is the 302 of a call that rings anna's telephone at the trunk.
func (w *world) hasBack(c *peerCall, o routing.Offer, uri string) {
	w.t.Helper()
	w.phones.set(anna, uri)
	w.do(routing.Ring{Offer: o})
	got := event[stack.Failed](c)
	if got.Code != 302 || got.Response.Get("Contact") != "<"+uri+">" || got.Response.Get("X-Cordboard-Call") != strconv.Itoa(int(o.Call))+"/"+strconv.Itoa(int(o.Attempt)) {
		w.t.Fatalf("%d %v, want a 302 to %s", got.Code, got.Response.Headers, uri)
	}
	w.expect(routing.PhoneRinging{Offer: o})
	w.expect(routing.PhoneAnswered{Offer: o})
	w.do(routing.Connect{Offer: o})
	w.expect(routing.Joined{Offer: o, Media: "redirected"})
}

func (w *world) endsRedirected(id routing.CallID) {
	w.t.Helper()
	w.do(routing.EndCall{Call: id, Outcome: routing.Answered, By: routing.ByAgent})
}

func TestRedirectedBeforeTheAnswer(t *testing.T) {
	w := redirecting(t, nil)
	trunk := newPeer(t)
	c, id := w.unanswered(trunk)
	w.hasBack(c, offerOf(id, 1), "sip:201@pbx.example")
	// What the desk asks for that is not ours to do.
	w.do(routing.Hold{Offer: offerOf(id, 1), On: true}, routing.ConsultStarted{Offer: offerOf(id, 1), Consult: 99})
	w.expect(routing.ConsultStopped{Offer: offerOf(id, 1)})
	w.endsRedirected(id)
}

// One who heard our music early is redirected like any who was not answered.
func TestRedirectedFromEarlyMedia(t *testing.T) {
	w := redirecting(t, nil)
	c, id := w.unanswered(newPeer(t))
	w.do(routing.EarlyMedia{Call: id, Music: "default"})
	w.hasBack(c, offerOf(id, 1), "sip:201@pbx.example")
	w.endsRedirected(id)
}

func TestRedirectedCallerIsGoneToAnyoneElse(t *testing.T) {
	w := redirecting(t, nil)
	c, id := w.unanswered(newPeer(t))
	o := offerOf(id, 1)
	w.hasBack(c, o, "sip:201@pbx.example")
	w.do(routing.Release{Offer: o, Why: "transferred"}, routing.Wait{Call: id, Music: "default"}, routing.Wait{Call: id})
	w.expect(routing.CallerGone{Call: id})
	w.endsRedirected(id)
}

func TestRedirectedCallerCallsAgain(t *testing.T) {
	w := redirecting(t, nil)
	trunk := newPeer(t)
	c, id := w.unanswered(trunk)
	o := offerOf(id, 1)
	w.hasBack(c, o, "sip:201@pbx.example")
	again, second := w.unanswered(trunk)
	w.expect(routing.AgentGone{Offer: o})
	w.endsRedirected(id)
	w.do(routing.EndCall{Call: second, Outcome: routing.Failed, Code: 486})
	if got := event[stack.Failed](again); got.Code != 486 {
		t.Errorf("the second call ended with %d", got.Code)
	}
}

func TestRedirectedTalkHasABound(t *testing.T) {
	w := redirecting(t, func(g *Gateway) { g.redirectedFor = time.Millisecond })
	c, id := w.unanswered(newPeer(t))
	o := offerOf(id, 1)
	w.phones.set(anna, "sip:201@pbx.example")
	w.do(routing.Ring{Offer: o})
	event[stack.Failed](c)
	w.expect(routing.PhoneRinging{Offer: o})
	w.expect(routing.PhoneAnswered{Offer: o})
	w.expect(routing.AgentGone{Offer: o})
	w.endsRedirected(id)
}

// A shutdown does not wait for talks of whose end nobody tells us.
func TestRedirectedAtShutdown(t *testing.T) {
	w := redirecting(t, nil)
	c, id := w.unanswered(newPeer(t))
	o := offerOf(id, 1)
	w.hasBack(c, o, "sip:201@pbx.example")
	w.gw.drain()
	w.expect(routing.AgentGone{Offer: o})
	w.endsRedirected(id)
}

func TestRedirectMeetsCancel(t *testing.T) {
	w := redirecting(t, nil)
	c, id := w.unanswered(newPeer(t))
	event[stack.Progress](c)
	c.d.Bye(nil)
	w.expect(routing.CallerGone{Call: id, Unanswered: true})
	w.phones.set(anna, "sip:201@pbx.example")
	w.do(routing.Ring{Offer: offerOf(id, 1)})
	if got := event[stack.Failed](c); got.Code != 487 {
		t.Errorf("the INVITE ended with %d", got.Code)
	}
	w.endsRedirected(id)
}

// referredTo waits for our REFER.
func (w *world) referredTo(c *peerCall, uri string) *stack.Message {
	w.t.Helper()
	req := event[stack.Requested](c).Request
	if req.Method != "REFER" || req.Get("Refer-To") != "<"+uri+">" {
		w.t.Fatalf("%s to %q, want REFER to %s", req.Method, req.Get("Refer-To"), uri)
	}
	return req
}

// notifies tells how a REFER goes on, and gives the answer's code.
func (c *peerCall) notifies(state, body string, h ...stack.Header) int {
	c.t.Helper()
	h = append(h, stack.Header{Name: "Subscription-State", Value: state})
	if h[0].Name != "Event" {
		h = append(h, stack.Header{Name: "Event", Value: "refer"})
	}
	if _, err := c.d.Request("NOTIFY", h, "message/sipfrag", []byte(body)); err != nil {
		c.t.Fatal(err)
	}
	return event[stack.Replied](c).Code
}

func TestReferred(t *testing.T) {
	w := redirecting(t, nil)
	const uri = "sip:201@pbx.example"
	w.phones.set(anna, uri)
	c, _, id := w.queued(newPeer(t), 8)
	if code := c.notifies("active", "SIP/2.0 200 OK\r\n"); code != 481 {
		t.Errorf("a NOTIFY that nobody asked for: %d", code)
	}

	// Busy there: the caller stays, and the next has the call.
	o := offerOf(id, 1)
	w.do(routing.Ring{Offer: o})
	req := w.referredTo(c, uri)
	if err := c.d.Reply(req, 202, "", nil, nil); err != nil {
		t.Fatal(err)
	}
	if code := c.notifies("active;expires=60", "SIP/2.0 100 Trying\r\n"); code != 200 {
		t.Errorf("the NOTIFY of 100: %d", code)
	}
	if code := c.notifies("active", "SIP/2.0 180 Ringing\r\n"); code != 200 {
		t.Errorf("the NOTIFY of 180: %d", code)
	}
	w.expect(routing.PhoneRinging{Offer: o})
	if code := c.notifies("terminated;reason=noresource", "SIP/2.0 486 Busy Here\r\n"); code != 200 {
		t.Errorf("the NOTIFY of 486: %d", code)
	}
	w.expect(routing.PhoneFailed{Offer: o, Code: 486})
	c.hearsMusic(8)

	// Not answered in time; what is told of it later is nobody's.
	o = offerOf(id, 2)
	w.do(routing.Ring{Offer: o})
	_ = c.d.Reply(w.referredTo(c, uri), 202, "", nil, nil)
	w.do(routing.Withdraw{Offer: o, Why: "rona"})
	w.inside(id, func(*call) {}) // the order is done
	if code := c.notifies("terminated", "SIP/2.0 200 OK\r\n"); code != 481 {
		t.Errorf("the NOTIFY of an offer that is over: %d", code)
	}

	// Nobody says what came of it.
	o = offerOf(id, 3)
	w.do(routing.Ring{Offer: o})
	_ = c.d.Reply(w.referredTo(c, uri), 202, "", nil, nil)
	c.notifies("terminated;reason=timeout", "SIP/2.0 100 Trying\r\n")
	w.expect(routing.PhoneFailed{Offer: o, Code: 480})

	o = offerOf(id, 4)
	w.do(routing.Ring{Offer: o})
	req = w.referredTo(c, uri)
	_ = c.d.Reply(req, 202, "", nil, nil)
	cseq, _, _ := strings.Cut(req.Get("CSeq"), " ")
	other := stack.Header{Name: "Event", Value: "refer;id=1"}
	if code := c.notifies("active", "SIP/2.0 200 OK\r\n", other); code != 481 {
		t.Errorf("another REFER's NOTIFY: %d", code)
	}
	other.Value = "refer;id=" + cseq
	if code := c.notifies("terminated", "SIP/2.0 200 OK\r\n", other); code != 200 {
		t.Errorf("the last NOTIFY: %d", code)
	}
	event[stack.Ended](c)
	w.expect(routing.PhoneRinging{Offer: o})
	w.expect(routing.PhoneAnswered{Offer: o})
	w.do(routing.Connect{Offer: o})
	w.expect(routing.Joined{Offer: o, Media: "redirected"})
	w.endsRedirected(id)
}

// A trunk that knows no REFER: the telephone is rung from here.
func TestReferRefused(t *testing.T) {
	t.Parallel()
	w := redirecting(t, nil)
	phone := newPeer(t)
	c, _, id := w.queued(newPeer(t), 8)
	o := offerOf(id, 1)
	w.phones.set(anna, phone.uri("anna"))
	w.do(routing.Ring{Offer: o})
	_ = c.d.Reply(w.referredTo(c, phone.uri("anna")), 501, "", nil, nil)
	agent := get(t, "INVITE to the phone", phone.calls)
	_ = agent.d.Progress(180, "", nil, nil)
	w.expect(routing.PhoneRinging{Offer: o})
	w.picksUp(agent, o, 8)
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	w.hangUp(c, id)
	event[stack.Ended](agent)
}

// The caller gives up while the trunk rings the telephone.
func TestReferredCallerGivesUp(t *testing.T) {
	w := redirecting(t, nil)
	c, _, id := w.queued(newPeer(t), 8)
	w.phones.set(anna, "sip:201@pbx.example")
	w.do(routing.Ring{Offer: offerOf(id, 1)})
	_ = c.d.Reply(w.referredTo(c, "sip:201@pbx.example"), 202, "", nil, nil)
	w.hangUp(c, id)
}

// Whom the trunk could not ring, or of whom more than one rings, is called from here.
func TestNotRedirected(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]struct {
		group      bool
		registered bool
	}{"of a group": {group: true}, "registered with us": {registered: true}} {
		t.Run(name, func(t *testing.T) {
			w := redirecting(t, nil)
			phone := newPeer(t)
			c, _, id := w.queued(newPeer(t), 8)
			w.phones.set(anna, phone.uri("anna"))
			if a.registered {
				w.phones.m[anna] = agents.Phone{URI: phone.uri("anna"), Next: phone.st.Addr("udp"), Transport: "udp"}
			}
			o := offerOf(id, 1)
			w.do(routing.Ring{Offer: o, Group: a.group})
			agent := get(t, "INVITE to the phone", phone.calls)
			_ = agent.d.Reject(486, "", nil)
			w.expect(routing.PhoneFailed{Offer: o, Code: 486})
			w.hangUp(c, id)
		})
	}
}

func TestFragment(t *testing.T) {
	for body, want := range map[string]int{
		"SIP/2.0 200 OK\r\n": 200, "SIP/2.0 180 Ringing": 180, "SIP/2.0 603": 603, "SIP/2.0 99 x": 0, "SIP/2.0 700 x": 0, "SIP/2.0 2": 0,
		"SIP/2.0 2x0 OK": 0, "INVITE sip:a@b SIP/2.0\r\n": 0, "": 0, "\n": 0, "SIP/2.0 200 OK\nTo: x": 200,
	} {
		if got := fragment([]byte(body)); got != want {
			t.Errorf("%q is %d, want %d", body, got, want)
		}
	}
	for v, want := range map[string]uint32{"refer": 0, "Refer ; id=7": 7, "refer;x=1;id=93809824": 93809824} {
		if kind, id := eventOf(v); kind != "refer" || id != want {
			t.Errorf("%q is %q %d", v, kind, id)
		}
	}
	for _, v := range []string{"", "refer;id=x", "refer;id=99999999999", "presence"} {
		if kind, _ := eventOf(v); kind == "refer" {
			t.Errorf("%q is refer", v)
		}
	}
}

package stack

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// both runs a test over UDP and TCP.
func both(t *testing.T, f func(t *testing.T, l *lab, p *peer)) {
	for name, peer := range map[string]func(*testing.T, *Stack) *peer{"udp": newPeer, "tcp": tcpPeer} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			f(t, l, peer(t, l.Stack))
		})
	}
}

func TestCallIn(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		p.ask(ask{method: "INVITE", cseq: 7, extra: "P-Asserted-Identity: <sip:07700900123@trunk.example>\ns: hello", body: "v=0 offer"})
		c := l.call()
		if got := c.req.Get("p-asserted-identity"); got != "<sip:07700900123@trunk.example>" {
			t.Errorf("PAI %q", got)
		}
		if c.req.Get("Subject") != "hello" || string(c.req.Body) != "v=0 offer" || strings.Contains(c.req.Get("To"), "tag") {
			t.Errorf("request as received: %+v", c.req)
		}
		p.expect("100 INVITE")
		if err := c.Progress(180, "", []Header{{"X-One", "a\r\nX-Two: b"}}, nil); err != nil {
			t.Fatal(err)
		}
		ring := p.expect("180 INVITE")
		if ring.get("X-Two") != "" || ring.get("X-One") != "aX-Two: b" {
			t.Errorf("header smuggled out: %q", ring.raw)
		}
		if err := c.Accept(nil, []byte("v=0 answer")); err != nil {
			t.Fatal(err)
		}
		ok := p.expect("200 INVITE")
		if ok.tag("To") == "" || ok.tag("To") != ring.tag("To") {
			t.Errorf("tags %q %q", ring.tag("To"), ok.tag("To"))
		}
		if ok.body != "v=0 answer" || ok.get("Content-Type") != "application/sdp" || !strings.Contains(ok.get("Contact"), l.Addr(strings.ToLower(p.transport())).String()) {
			t.Errorf("200: %s", ok.raw)
		}
		p.ask(ask{method: "ACK", cseq: 7, to: ok.get("To"), body: "v=0 late"})
		if a := event[Acked](t, c); string(a.Request.Body) != "v=0 late" {
			t.Errorf("ACK body %q", a.Request.Body)
		}
		if l.Calls() != 1 {
			t.Errorf("%d calls", l.Calls())
		}
		p.ask(ask{method: "BYE", cseq: 8, to: ok.get("To")})
		p.expect("200 BYE")
		event[Ended](t, c)
		if l.Calls() != 0 {
			t.Errorf("%d calls after the BYE", l.Calls())
		}
	})
}

func TestCallInByeFromUs(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		c, ok := p.establish(l)
		c.Bye([]Header{{"Reason", "Q.850;cause=16"}})
		bye := p.expect("BYE")
		if bye.get("Reason") == "" || bye.tag("From") != ok.tag("To") || bye.tag("To") != p.tag || bye.get("Call-ID") != p.callID {
			t.Errorf("BYE: %s", bye.raw)
		}
		p.reply(bye, 200, "", "", "")
		if r := event[Replied](t, c); r.Method != "BYE" || r.Code != 200 {
			t.Errorf("%+v", r)
		}
	})
}

func TestCallOut(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.dial(p, "v=0 offer")
	inv := p.expect("INVITE")
	if inv.body != "v=0 offer" || inv.get("X-Call") != "1" || !strings.HasPrefix(inv.get("Via"), "SIP/2.0/UDP "+l.Addr("udp").String()) {
		t.Errorf("INVITE: %s", inv.raw)
	}
	p.reply(inv, 100, "", "", "")
	p.reply(inv, 180, "x", "", "")
	if e := event[Progress](t, c); e.Response.Status != 180 {
		t.Errorf("%+v", e)
	}
	p.reply(inv, 200, "x", "", "v=0 answer")
	if e := event[Answered](t, c); string(e.Response.Body) != "v=0 answer" {
		t.Errorf("%+v", e)
	}
	if err := c.Ack([]byte("v=0 late")); err != nil {
		t.Fatal(err)
	}
	ack := p.expect("ACK")
	if ack.body != "v=0 late" || ack.tag("To") != "x" || ack.branch() == inv.branch() || ack.get("CSeq") != "1 ACK" {
		t.Errorf("ACK: %s", ack.raw)
	}
	st := c.State()
	if !st.Confirmed || st.UAS || st.RemoteTag != "x" || st.RemoteTarget != p.uri() {
		t.Errorf("%+v", st)
	}

	// re-INVITE from us
	n, err := c.Reinvite(nil, []byte("v=0 second"))
	if err != nil {
		t.Fatal(err)
	}
	re := p.expect("INVITE")
	if re.get("CSeq") != "2 INVITE" || re.tag("To") != "x" || re.body != "v=0 second" {
		t.Errorf("re-INVITE: %s", re.raw)
	}
	p.reply(re, 200, "", "", "v=0 ok")
	if r := event[Replied](t, c); r.CSeq != n || r.Code != 200 || r.Method != "INVITE" {
		t.Errorf("%+v", r)
	}
	if err := c.Ack(nil); err != nil {
		t.Fatal(err)
	}
	if ack := p.expect("ACK"); ack.get("CSeq") != "2 ACK" {
		t.Errorf("ACK: %s", ack.raw)
	}
	c.Bye(nil)
	bye := p.expect("BYE")
	if bye.get("CSeq") != "3 BYE" {
		t.Errorf("BYE: %s", bye.raw)
	}
	p.reply(bye, 200, "", "", "")
	event[Replied](t, c)
}

func TestReinviteFromPeer(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		c, ok := p.establish(l)
		p.ask(ask{method: "INVITE", cseq: 2, to: ok.get("To"), body: "v=0 hold"})
		e := event[Requested](t, c)
		if string(e.Request.Body) != "v=0 hold" {
			t.Errorf("%+v", e.Request)
		}
		if err := c.Reply(e.Request, 200, "", nil, []byte("v=0 held")); err != nil {
			t.Fatal(err)
		}
		if re := p.await("200 INVITE"); re.body != "v=0 held" || re.tag("To") != ok.tag("To") {
			t.Errorf("200: %s", re.raw)
		}
		p.ask(ask{method: "ACK", cseq: 2, to: ok.get("To")})
		event[Acked](t, c)
		p.ask(ask{method: "INFO", cseq: 3, to: ok.get("To"), extra: "Content-Type: application/dtmf-relay", body: "Signal=1"})
		i := event[Requested](t, c)
		if err := c.Reply(i.Request, 200, "", nil, nil); err != nil {
			t.Fatal(err)
		}
		p.await("200 INFO")
		if err := c.Reply(i.Request, 200, "", nil, nil); !errors.Is(err, ErrGone) {
			t.Errorf("second reply: %v", err)
		}
		p.ask(ask{method: "BYE", cseq: 4, to: ok.get("To")})
		p.await("200 BYE")
		event[Ended](t, c)
	})
}

func TestCancelFromPeer(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
		c := l.call()
		p.expect("100 INVITE")
		if err := c.Progress(180, "", nil, nil); err != nil {
			t.Fatal(err)
		}
		ring := p.expect("180 INVITE")
		p.ask(ask{method: "CANCEL", cseq: 1, branch: branch, extra: "Reason: SIP;cause=200"})
		// In this order: there are callers that take no other.
		got := map[string]packet{"1 CANCEL": p.expect("200 CANCEL"), "1 INVITE": p.expect("487 INVITE")}
		for _, m := range got {
			if m.tag("To") != ring.tag("To") {
				t.Errorf("another To tag: %s", m.raw)
			}
		}
		if e := event[Canceled](t, c); e.Reason != "SIP;cause=200" {
			t.Errorf("%+v", e)
		}
		p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: got["1 INVITE"].get("To")})
		if err := c.Accept(nil, nil); !errors.Is(err, ErrGone) {
			t.Errorf("Accept after CANCEL: %v", err)
		}
		if l.Calls() != 0 {
			t.Errorf("%d calls", l.Calls())
		}
		c.none(t)
	})
}

func TestCancelByUs(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.dial(p, "v=0")
	inv := p.expect("INVITE")
	p.reply(inv, 180, "x", "Record-Route: <sip:127.0.0.9;lr>", "")
	event[Progress](t, c)
	c.Cancel()
	can := p.expect("CANCEL")
	if can.branch() != inv.branch() || can.get("Route") != "" || can.get("Contact") != "" || can.get("CSeq") != "1 CANCEL" || can.tag("To") != "" {
		t.Errorf("CANCEL: %s", can.raw)
	}
	p.reply(can, 200, "x", "", "")
	p.reply(inv, 487, "x", "", "")
	if ack := p.expect("ACK"); ack.branch() != inv.branch() {
		t.Errorf("ACK: %s", ack.raw)
	}
	if f := event[Failed](t, c); f.Code != 487 {
		t.Errorf("%+v", f)
	}
	c.none(t)
}

func TestRejectAndRefusal(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
		c := l.call()
		p.expect("100 INVITE")
		if err := c.Reject(486, "", []Header{{"Retry-After", "3"}}); err != nil {
			t.Fatal(err)
		}
		no := p.expect("486 INVITE")
		if no.get("Retry-After") != "3" {
			t.Errorf("486: %s", no.raw)
		}
		p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: no.get("To")})
		if l.Calls() != 0 {
			t.Errorf("%d calls", l.Calls())
		}
	})
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.dial(p, "v=0")
	inv := p.expect("INVITE")
	p.reply(inv, 422, "x", "Min-SE: 90", "")
	p.expect("ACK")
	if f := event[Failed](t, c); f.Code != 422 || f.Response.Get("Min-SE") != "90" {
		t.Errorf("%+v", f)
	}
}

// RFC 3261 17.2.1: a 100 is for who would else hear nothing for 200 ms.
func TestNoTryingBeforeAnotherResponse(t *testing.T) {
	l := newLab(t, func(o *Options) { o.timers.trying = 20 * time.Millisecond })
	p := newPeer(t, l.Stack)
	p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	p.expect("100 INVITE") // nobody has answered
	slow := l.call()
	if err := slow.Progress(180, "", nil, nil); err != nil {
		t.Fatal(err)
	}
	p.expect("180 INVITE")
	slow.Bye(nil)
	p.expect("480 INVITE")

	l = newLab(t, func(o *Options) { o.timers.trying = time.Hour })
	p = newPeer(t, l.Stack)
	p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	quick := l.call()
	if err := quick.Progress(180, "", nil, nil); err != nil {
		t.Fatal(err)
	}
	next := func(what string) {
		t.Helper()
		if m := take(t, p.in, what); !m.is(what) {
			t.Errorf("got %q, want %s", m.first, what)
		}
	}
	next("180 INVITE")
	quick.mu.Lock()
	if in := quick.inv; in.trying == nil || in.trying.Stop() {
		t.Error("the 100 was still to come")
	}
	quick.sendTrying(quick.inv) // its alarm rang too late to be stopped
	quick.unlock()
	quick.Bye(nil)
	next("480 INVITE")
}

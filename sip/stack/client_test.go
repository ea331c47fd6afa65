package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestRepeatedAnswerGetsTheSameAck(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	p.repeats()
	c := l.dial(p, "")
	inv := p.expect("INVITE")
	if inv.body != "" {
		t.Errorf("late offer with a body: %s", inv.raw)
	}
	p.reply(inv, 200, "x", "", "v=0 offer")
	event[Answered](t, c)
	p.reply(inv, 200, "x", "", "v=0 offer") // the owner takes its time
	if err := c.Ack([]byte("v=0 answer")); err != nil {
		t.Fatal(err)
	}
	ack := p.await("ACK")
	for range 5 {
		p.reply(inv, 200, "x", "", "v=0 offer")
		if again := p.await("ACK"); again.raw != ack.raw {
			t.Errorf("another ACK: %s", again.raw)
		}
	}
	if ack.body != "v=0 answer" {
		t.Errorf("ACK: %s", ack.raw)
	}
	if err := c.Ack(nil); !errors.Is(err, ErrState) {
		t.Errorf("second Ack: %v", err)
	}
	c.none(t)
	c.Bye(nil)
	p.await("BYE")
	p.reply(inv, 200, "x", "", "v=0 offer") // even now
	if again := p.await("ACK"); again.raw != ack.raw {
		t.Errorf("another ACK: %s", again.raw)
	}
}

func TestForkedAnswer(t *testing.T) {
	l := newLab(t)
	p, other := newPeer(t, l.Stack), newPeer(t, l.Stack)
	c := l.dial(p, "v=0")
	inv := p.expect("INVITE")
	p.reply(inv, 200, "x", "", "v=0")
	event[Answered](t, c)
	_ = c.Ack(nil)
	p.expect("ACK")
	other.reply(inv, 200, "y", "", "v=0")
	ack, bye := other.expect("ACK"), other.expect("BYE")
	if ack.tag("To") != "y" || bye.tag("To") != "y" || bye.get("CSeq") != "2 BYE" {
		t.Errorf("ACK: %s\nBYE: %s", ack.raw, bye.raw)
	}
	other.repeats()
	other.reply(inv, 200, "y", "", "v=0")
	other.await("ACK")
	other.reply(bye, 200, "", "", "")
	c.none(t)
	if st := c.State(); st.RemoteTag != "x" || !st.Confirmed {
		t.Errorf("%+v", st)
	}
}

func TestCancelMeetsAnswer(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.dial(p, "v=0")
	inv := p.expect("INVITE")
	p.reply(inv, 180, "x", "", "")
	event[Progress](t, c)
	c.Cancel()
	can := p.expect("CANCEL")
	p.reply(inv, 200, "x", "", "v=0")
	p.reply(can, 200, "x", "", "")
	p.expect("ACK")
	bye := p.expect("BYE")
	p.reply(bye, 200, "", "", "")
	if f := event[Failed](t, c); f.Code != 487 {
		t.Errorf("%+v", f)
	}
	c.none(t)
}

// The answer is in, but its owner gives up before it has seen it.
func TestCancelOfUnseenAnswer(t *testing.T) {
	for _, seen := range []bool{false, true} {
		l := newLab(t)
		p := newPeer(t, l.Stack)
		c := l.dial(p, "v=0")
		inv := p.expect("INVITE")
		slow := make(chan struct{})
		if !seen {
			c.mu.Lock()
			c.do(false, func() { <-slow })
			c.unlock()
		}
		p.reply(inv, 200, "x", "", "v=0")
		if seen {
			event[Answered](t, c) // in the mailbox, void by the Cancel
		} else {
			p.ask(ask{method: "OPTIONS", cseq: 1})
			p.expect("200 OPTIONS") // the 200 has been read
		}
		c.Cancel()
		close(slow)
		p.expect("ACK")
		p.reply(p.expect("BYE"), 200, "", "", "")
		if f := event[Failed](t, c); f.Code != 487 {
			t.Errorf("%+v", f)
		}
		if err := c.Ack(nil); !errors.Is(err, ErrState) {
			t.Errorf("Ack: %v", err)
		}
		c.none(t)
	}
}

func TestCancelWaitsForProvisional(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.dial(p, "v=0")
	inv := p.expect("INVITE")
	c.Cancel()
	l.Ping(context.Background(), newDeaf(t), "", netip.AddrPort{}) // time passes: a whole transaction
	if len(p.in) != 0 {
		t.Fatalf("sent %s", (<-p.in).first)
	}
	_ = inv
	event[Failed](t, c) // Timer B, meanwhile

	c = l.dial(p, "v=0")
	inv = p.expect("INVITE")
	c.Cancel()
	p.reply(inv, 100, "", "", "")
	p.reply(p.expect("CANCEL"), 200, "", "", "")
	p.reply(inv, 487, "x", "", "")
	p.expect("ACK")
	event[Failed](t, c)

	// An answer without any provisional.
	c = l.dial(p, "v=0")
	inv = p.expect("INVITE")
	c.Cancel()
	p.reply(inv, 200, "x", "", "v=0")
	p.expect("ACK")
	p.expect("BYE")
	if f := event[Failed](t, c); f.Code != 487 {
		t.Errorf("%+v", f)
	}
}

// newDeaf is the URI of a socket that never answers.
func newDeaf(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return "sip:deaf@" + c.LocalAddr().String()
}

// The library's dialogs give up after ten responses.
func TestManyProvisionals(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.dial(p, "v=0")
	inv := p.expect("INVITE")
	for i := range 40 {
		p.reply(inv, 180, "x", fmt.Sprintf("X-N: %d", i), "")
	}
	p.reply(inv, 200, "x", "", "v=0")
	p.reply(inv, 183, "x", "", "") // overtaken by the final one
	for i := range 40 {
		if e := event[Progress](t, c); e.Response.Get("X-N") != fmt.Sprint(i) {
			t.Fatalf("180 number %s at place %d", e.Response.Get("X-N"), i)
		}
	}
	event[Answered](t, c)
	_ = c.Ack(nil)
	p.expect("ACK")
	p.ask(ask{method: "OPTIONS", cseq: 1})
	p.expect("200 OPTIONS")
	c.none(t)
}

func TestNoAnswerAtAll(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.dial(p, "v=0")
	if f := event[Failed](t, c); f.Code != 408 || f.Response != nil {
		t.Errorf("%+v", f)
	}
	// Too late, but somebody talks to nobody.
	p.reply(p.expect("INVITE"), 200, "x", "", "v=0")
	p.expect("ACK")
	p.expect("BYE")
	c.none(t)

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	c = &call{events: make(chan Event, 10)}
	c.Dialog, err = l.Invite(Outgoing{URI: "sip:x@" + ln.Addr().String(), Transport: "tcp", From: "<sip:a@b.example>", To: "<sip:x@y.example>"},
		func(e Event) { c.events <- e })
	if err != nil {
		t.Fatal(err)
	}
	if f := event[Failed](t, c); f.Code != 503 || f.Err == nil {
		t.Errorf("%+v", f)
	}
	for _, bad := range []string{"tel:+441632960999", "sips:a@b.example", "sip:", "http://x", "sip:a b@c"} {
		if _, err := l.Invite(Outgoing{URI: bad, From: "<sip:a@b.example>", To: "<sip:x@y.example>"}, nil); err == nil {
			t.Errorf("%q can be called", bad)
		}
	}
}

func TestCanceledPhoneNeverEnds(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.dial(p, "v=0")
	inv := p.expect("INVITE")
	p.reply(inv, 180, "x", "", "")
	event[Progress](t, c)
	c.Cancel()
	p.reply(p.expect("CANCEL"), 200, "x", "", "")
	if f := event[Failed](t, c); f.Code != 408 {
		t.Errorf("%+v", f)
	}
	p.reply(inv, 200, "x", "", "v=0")
	p.expect("ACK")
	p.expect("BYE")
	c.none(t)
}

func TestTimerC(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.dial(p, "v=0")
	inv := p.expect("INVITE")
	c.mu.Lock()
	l.o.timers.c = 5 * testT1 // from the 180 on, whenever that comes
	c.mu.Unlock()
	p.reply(inv, 180, "x", "", "")
	event[Progress](t, c)
	p.reply(p.expect("CANCEL"), 200, "", "", "")
	p.reply(inv, 487, "x", "", "")
	p.expect("ACK")
	event[Failed](t, c)
}

// The library sleeps for T2 before it repeats an ACK, and blocks meanwhile.
func TestRepeatedFailureIsAcked(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	p.repeats()
	c := l.dial(p, "v=0")
	inv := p.expect("INVITE")
	p.reply(inv, 486, "x", "", "")
	event[Failed](t, c)
	first := p.await("ACK")
	for range 5 {
		p.reply(inv, 486, "x", "", "")
		if ack := p.await("ACK"); ack.branch() != first.branch() || ack.get("To") != first.get("To") {
			t.Errorf("ACK: %s", ack.raw)
		}
	}
	c.none(t)
}

func TestRouteSet(t *testing.T) {
	l := newLab(t)
	p, proxy := newPeer(t, l.Stack), newPeer(t, l.Stack)
	c := l.dial(p, "v=0")
	inv := p.expect("INVITE")
	rr := fmt.Sprintf("Record-Route: <sip:far.example;lr>, <sip:%s;lr>", proxy.addr())
	p.reply(inv, 200, "x", rr, "v=0")
	event[Answered](t, c)
	_ = c.Ack(nil)
	ack := proxy.expect("ACK") // the nearest proxy is the last in the response
	if r := ack.all("Route"); len(r) != 2 || !strings.Contains(r[0], proxy.addr()) || r[1] != "<sip:far.example;lr>" || !strings.Contains(ack.first, p.uri()) {
		t.Errorf("ACK: %s", ack.raw)
	}
	c.Bye(nil)
	bye := proxy.expect("BYE") // drachtio#255: the BYE too
	if len(bye.all("Route")) != 2 {
		t.Errorf("BYE: %s", bye.raw)
	}

	// As server: in the order of the request; a strict router wants to be the Request-URI.
	caller := newPeer(t, l.Stack)
	caller.ask(ask{method: "INVITE", cseq: 1, body: "v=0", extra: fmt.Sprintf("Record-Route: <sip:%s>\nRecord-Route: <sip:far.example;lr>", proxy.addr())})
	c = l.call()
	_ = c.Accept(nil, []byte("v=0"))
	ok := caller.await("200 INVITE")
	if len(ok.all("Record-Route")) != 2 {
		t.Errorf("200: %s", ok.raw)
	}
	caller.ask(ask{method: "ACK", cseq: 1, to: ok.get("To")})
	event[Acked](t, c)
	c.Bye(nil)
	bye = proxy.expect("BYE")
	if r := bye.all("Route"); !strings.HasPrefix(bye.first, "BYE sip:"+proxy.addr()+" ") || len(r) != 2 || r[1] != "<"+caller.uri()+">" {
		t.Errorf("BYE: %s", bye.raw)
	}
}

func TestTargetRefresh(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p, moved := newPeer(t, l.Stack), newPeer(t, l.Stack)
	c, ok := p.establish(l)
	p.contact = "<" + moved.uri() + ">"
	p.ask(ask{method: "INVITE", cseq: 2, to: ok.get("To"), body: "v=0"})
	e := event[Requested](t, c)
	_ = c.Reply(e.Request, 200, "", nil, []byte("v=0"))
	p.expect("200 INVITE")
	p.ask(ask{method: "ACK", cseq: 2, to: ok.get("To")})
	event[Acked](t, c)
	n, err := c.Request("INFO", nil, "application/dtmf-relay", []byte("Signal=1"))
	if err != nil {
		t.Fatal(err)
	}
	info := moved.expect("INFO")
	if info.get("Content-Type") != "application/dtmf-relay" || info.body != "Signal=1" {
		t.Errorf("INFO: %s", info.raw)
	}
	moved.reply(info, 200, "", "", "")
	if r := event[Replied](t, c); r.CSeq != n || r.Method != "INFO" || r.Code != 200 {
		t.Errorf("%+v", r)
	}
	// And back, by our re-INVITE's answer.
	if _, err := c.Reinvite(nil, []byte("v=0")); err != nil {
		t.Fatal(err)
	}
	re := moved.expect("INVITE")
	moved.contact = "<" + p.uri() + ">"
	moved.reply(re, 200, "", "", "v=0")
	event[Replied](t, c)
	_ = c.Ack(nil)
	p.expect("ACK")
	// A peer that has gone: 408.
	if _, err := c.Request("INFO", nil, "", nil); err != nil {
		t.Fatal(err)
	}
	if r := event[Replied](t, c); r.Code != 408 || r.Response != nil {
		t.Errorf("%+v", r)
	}
}

// A response that is not to our request, or of a kind that must not be
// believed, changes nothing.
func TestOddResponses(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.dial(p, "v=0")
	inv := p.expect("INVITE")
	odd := func(change func(packet) packet) { p.reply(change(inv), 200, "x", "", "v=0") }
	with := func(name, value string) func(packet) packet {
		return func(m packet) packet {
			hs := append([]Header(nil), m.headers...)
			for i := range hs {
				if hs[i].Name == name {
					hs[i].Value = value
				}
			}
			m.headers = hs
			return m
		}
	}
	odd(with("Call-ID", "another"))
	odd(with("From", "<sip:x@y>;tag=another"))
	odd(with("CSeq", "1 BYE"))
	odd(func(m packet) packet { // RFC 3261 18.1.2
		m.headers = append(append([]Header(nil), m.headers...), Header{"Via", "SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKx"})
		return m
	})
	for _, twice := range []string{"To: <sip:x@y>;tag=another", "f: <sip:x@y>;tag=another", "Call-ID: another", "CSeq: 1 BYE"} { // RFC 3261 7.3.1
		p.reply(inv, 200, "x", twice, "v=0")
	}
	p.reply(inv, 180, "x", "", "")
	event[Progress](t, c)
	p.reply(inv, 486, "x", "", "")
	if f := event[Failed](t, c); f.Code != 486 {
		t.Errorf("%+v", f)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := newPeer(t, l.Stack)
	code := make(chan int)
	go func() { code <- l.Ping(context.Background(), p.uri(), "", netip.AddrPort{}) }()
	o := p.expect("OPTIONS")
	p.reply(o, 486, "x", "", "")
	if n := take(t, code, "status"); n != 486 {
		t.Errorf("%d", n)
	}
	if n := l.Ping(context.Background(), newDeaf(t), "", netip.AddrPort{}); n != 408 {
		t.Errorf("deaf: %d", n)
	}
	if n := l.Ping(context.Background(), "sip:x@"+l.Addr("udp").String(), "", netip.AddrPort{}); n != 503 {
		t.Errorf("ourselves: %d", n)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if n := l.Ping(ctx, newDeaf(t), "", netip.AddrPort{}); n != 408 {
		t.Errorf("given up: %d", n)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.peers) != 0 {
		t.Errorf("still talking to %v", l.peers)
	}
}

// The library refuses to send datagrams over 1300 bytes.
func TestLargeMessages(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	big := "v=0 " + strings.Repeat("x", 6000)
	c := l.dial(p, big)
	inv := p.expect("INVITE")
	if inv.body != big {
		t.Errorf("%d bytes", len(inv.body))
	}
	p.reply(inv, 200, "x", "", big)
	if a := event[Answered](t, c); string(a.Response.Body) != big {
		t.Errorf("%d bytes", len(a.Response.Body))
	}
	_ = c.Ack(nil)
	p.expect("ACK")
}

func TestEarlyBye(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.dial(p, "v=0")
	inv := p.expect("INVITE")
	p.reply(inv, 180, "x", "", "")
	event[Progress](t, c)
	c.Bye(nil)
	p.reply(p.expect("CANCEL"), 200, "", "", "")
	p.reply(inv, 487, "x", "", "")
	p.expect("ACK")
	event[Failed](t, c)
	c.Bye(nil)
	c.none(t)
	// Answered and not yet acknowledged: both.
	c = l.dial(p, "v=0")
	inv = p.expect("INVITE")
	p.reply(inv, 200, "x", "", "v=0")
	event[Answered](t, c)
	c.Bye(nil)
	p.expect("ACK")
	p.reply(p.expect("BYE"), 481, "", "", "")
	if r := event[Replied](t, c); r.Code != 481 {
		t.Errorf("%+v", r)
	}
}

// RFC 5407 3.2.3: our re-INVITE is answered after our BYE.
func TestReinviteAnsweredAfterBye(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c, _ := p.answered(l)
	if _, err := c.Reinvite(nil, []byte("v=0")); err != nil {
		t.Fatal(err)
	}
	re := p.expect("INVITE")
	c.Bye(nil)
	bye := p.expect("BYE")
	p.reply(re, 200, "", "", "v=0")
	if r := event[Replied](t, c); r.Method != "INVITE" || r.Code != 200 {
		t.Errorf("%+v", r)
	}
	if ack := p.expect("ACK"); ack.get("CSeq") != "2 ACK" {
		t.Errorf("ACK: %s", ack.raw)
	}
	p.reply(bye, 200, "", "", "")
	event[Replied](t, c)
}

package stack

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"
)

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(patience)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func (l *lab) remembered() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.invites) + len(l.merged)
}

// A re-INVITE with our tag and another dialog's Call-ID is refused, and then
// forgotten like any other.
func TestReinviteOfAnotherDialogIsForgotten(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, l *lab, p *peer) {
		_, ok := p.establish(l)
		own := p.callID
		p.callID = newName("other")
		branch := p.ask(ask{method: "INVITE", cseq: 2, to: ok.get("To"), body: "v=0"})
		no := p.expect("481 INVITE")
		p.ask(ask{method: "ACK", cseq: 2, branch: branch, to: no.get("To")})
		p.callID = own
		p.ask(ask{method: "BYE", cseq: 3, to: ok.get("To")})
		p.await("200 BYE")
		eventually(t, "no INVITE is remembered", func() bool { return l.remembered() == 0 })
	})
}

// Callers whose connection breaks at any moment leave nothing behind.
func TestBrokenConnectionsLeaveNoCall(t *testing.T) {
	l := newLab(t)
	l.h.onNew.Store(new(func(d *Dialog, _ *Message) {
		d.Bind(func(Event) {})
		_ = d.Progress(180, "", nil, nil)
	}))
	const n = 400
	for i := range n {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", l.Addr("tcp").Port()))
		if err != nil {
			t.Fatal(err)
		}
		p := overTCP(t, l.Stack, c)
		p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
		if i%3 == 0 {
			p.await("180 INVITE")
		}
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	eventually(t, "no call and no INVITE are left", func() bool { return l.Calls() == 0 && l.remembered() == 0 })
}

// The caller's connection may have ended before the call is begun.
func TestConnectionThatIsGoneAlready(t *testing.T) {
	l := newLab(t)
	m := received(t, "INVITE sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKgone\r\n"+
		"From: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: gone\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1:9>\r\nContent-Length: 0\r\n\r\n")
	m.Transport = "tcp"
	l.tapRequest(&inbound{msg: m})
	event[FlowLost](t, l.call())
	if l.Calls() != 0 || l.remembered() != 0 {
		t.Errorf("%d calls, %d INVITEs are left", l.Calls(), l.remembered())
	}
}

// A phone that was called opens no dialog, whatever word is in its To.
func TestCalledStrangerWithTagInTo(t *testing.T) {
	l := newLab(t, func(o *Options) { o.Allow = func(netip.Addr) bool { return false } })
	p := newPeer(t, l.Stack)
	p.answered(l)
	p.ask(ask{method: "INVITE", cseq: 1, to: "<sip:vintage@127.0.0.1>", body: "v=0"})
	p.expect("403 INVITE")
	if l.Calls() != 0 {
		t.Error("the call came in")
	}
}

// RFC 3311 5.2: no second offer before the answer to the first.
func TestOfferInUpdateBeforeTheAnswer(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	c := l.call()
	_ = c.Progress(180, "", nil, nil)
	ring := p.await("180 INVITE")
	p.ask(ask{method: "UPDATE", cseq: 2, to: ring.get("To"), body: "v=0 another"})
	if no := p.expect("500 UPDATE"); no.get("Retry-After") == "" {
		t.Errorf("no Retry-After: %s", no.raw)
	}
	c.none(t)
}

// Phones show a missed call unless the CANCEL says why (RFC 3326).
func TestCancelSaysWhy(t *testing.T) {
	const why = `SIP;cause=200;text="Call completed elsewhere"`
	for _, early := range []bool{false, true} { // Bye before and after the first 1xx
		l := newLab(t)
		p := newPeer(t, l.Stack)
		c := l.dial(p, "v=0")
		inv := p.expect("INVITE")
		if early {
			c.Bye([]Header{{"Reason", why}})
		}
		p.reply(inv, 180, "peer", "", "")
		if !early {
			event[Progress](t, c)
			c.Bye([]Header{{"Reason", why}})
		}
		cancel := p.expect("CANCEL")
		if got := cancel.get("Reason"); got != why {
			t.Errorf("early %v: Reason %q", early, got)
		}
		p.reply(cancel, 200, "peer", "", "")
		p.reply(inv, 487, "peer", "", "")
		p.await("ACK")
		event[Failed](t, c)
	}
}

// The stack does not close over a CANCEL that it owes a ringing phone.
func TestCloseSendsCancel(t *testing.T) {
	t.Parallel()
	for range 30 {
		l := newLab(t)
		p := newPeer(t, l.Stack)
		c := l.dial(p, "v=0")
		inv := p.expect("INVITE")
		p.reply(inv, 180, "peer", "", "")
		event[Progress](t, c)
		c.mu.Lock() // the dialog's queue is busy: the CANCEL is not out yet
		held := make(chan struct{})
		c.do(false, func() { <-held })
		c.unlock()
		c.Bye(nil)
		done := make(chan struct{})
		go func() { defer close(done); _ = l.Close() }()
		eventually(t, "closing", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return l.closing })
		l.mu.Lock()
		quiet := l.quiet
		l.mu.Unlock()
		select {
		case <-quiet:
			t.Error("closing though a CANCEL is to be sent")
		default:
		}
		close(held)
		k := p.expect("CANCEL")
		p.reply(k, 200, "peer", "", "")
		take(t, done, "Close")
		if t.Failed() {
			return
		}
	}
}

// A peer that has reconnected is spoken to on the connection it uses now.
func TestDialogMovesToAnotherConnection(t *testing.T) {
	l := newLab(t)
	p := tcpPeer(t, l.Stack)
	c, ok := p.establish(l)
	q := tcpPeer(t, l.Stack)
	q.callID, q.tag = p.callID, p.tag
	q.contact = "<" + p.uri() + ";transport=tcp>" // nobody listens there
	q.ask(ask{method: "INFO", cseq: 2, to: ok.get("To")})
	e := event[Requested](t, c)
	_ = c.Reply(e.Request, 200, "", nil, nil)
	q.expect("200 INFO")
	p.tcp.Close()
	q.ask(ask{method: "OPTIONS", cseq: 3, to: ok.get("To")})
	if e := event[Requested](t, c); e.Request.Method != "OPTIONS" {
		t.Errorf("%s", e.Request.Method)
	}
	c.Bye(nil)
	q.reply(q.await("BYE"), 200, "", "", "")
	if r := event[Replied](t, c); r.Code != 200 {
		t.Errorf("%+v", r)
	}
}

// A name in a Contact that the DNS does not know must not leave the peer in a
// dead call: it is spoken to where it speaks from.
func TestContactThatNobodyKnows(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		p.contact = "<sip:trunk@sbc.trunk.invalid>"
		c, _ := p.establish(l)
		c.Bye(nil)
		p.reply(p.await("BYE"), 200, "", "", "")
		event[Replied](t, c)
	})
	l := newLab(t)
	p := newPeer(t, l.Stack)
	p.contact = "<sip:phone@phone.invalid>"
	c, _ := p.answered(l) // its 200 gets an ACK
	c.Bye(nil)
	p.await("BYE")
}

// A stop in the millisecond of a 200: the BYE waits for the ACK, and the stack for
// the BYE. Where the caller's BYE comes instead, it waits for nothing.
func TestCloseSendsByeAfterTheAck(t *testing.T) {
	t.Parallel()
	for _, crosses := range []bool{false, true} {
		l := newLab(t)
		p := newPeer(t, l.Stack)
		p.ask(ask{method: "INVITE", cseq: 1, body: "v=0 offer"})
		c := l.call()
		if err := c.Accept(nil, []byte("v=0 answer")); err != nil {
			t.Fatal(err)
		}
		ok := p.await("200 INVITE")
		c.Bye(nil)
		done := make(chan struct{})
		go func() { defer close(done); _ = l.Close() }()
		eventually(t, "closing", func() bool { l.mu.Lock(); defer l.mu.Unlock(); return l.closing })
		l.mu.Lock()
		quiet := l.quiet
		l.mu.Unlock()
		select {
		case <-quiet:
			t.Fatal("closing though a BYE is to be sent")
		default:
		}
		if crosses {
			p.ask(ask{method: "BYE", cseq: 2, to: ok.get("To")})
			p.await("200 BYE")
		} else {
			p.ask(ask{method: "ACK", cseq: 1, to: ok.get("To")})
			p.reply(p.await("BYE"), 200, "", "", "")
		}
		take(t, quiet, "the end of what is owed")
		take(t, done, "Close")
		l.mu.Lock()
		if l.owed != 0 {
			t.Errorf("%d BYEs are owed", l.owed)
		}
		l.mu.Unlock()
	}
}

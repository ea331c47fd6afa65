package stack

import (
	"net"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

// count takes what has come so far and gives how many of it are what.
func (p *peer) count(what string) (n int) {
	for {
		select {
		case m := <-p.in:
			if m.is(what) {
				n++
			}
		default:
			return n
		}
	}
}

// before sends a request that is answered behind all that has been sent before,
// and gives how many of that are what.
func (p *peer) before(cseq int, what string) (n int) {
	p.t.Helper()
	p.ask(ask{method: "MESSAGE", cseq: cseq})
	for {
		m := take(p.t, p.in, "404 MESSAGE")
		if m.is("404 MESSAGE") {
			return n
		}
		if m.is(what) {
			n++
		}
	}
}

// An INVITE that nobody answers is sent again at T1, 2*T1, 4*T1 ... until 64*T1
// (RFC 3261 17.1.1.2, Timers A and B), over a stream never.
func TestUnansweredInvite(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := newPeer(t, l.Stack)
	p.repeats()
	c := l.dial(p, "v=0")
	event[Failed](t, c)
	if n := p.count("INVITE"); n < 2 || n > 7 {
		t.Errorf("sent %d times, not 7", n)
	}

	// After a provisional response it is not sent again.
	c = l.dial(p, "v=0")
	inv := p.await("INVITE")
	p.reply(inv, 180, "x", "", "")
	event[Progress](t, c)
	c.mu.Lock()
	if timer := c.call.timer; timer != nil && timer.Stop() {
		t.Error("Timer A goes on after a provisional response")
	}
	c.mu.Unlock()
	p.reply(inv, 486, "x", "", "")
	event[Failed](t, c)

	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c = &call{events: make(chan Event, 10)}
	if c.Dialog, err = l.Invite(Outgoing{
		URI: "sip:x@" + silent.Addr().String(), Transport: "tcp", From: "<sip:a@b.example>", To: "<sip:x@y.example>",
	}, func(e Event) { c.events <- e }); err != nil {
		t.Fatal(err)
	}
	conn, err := silent.Accept()
	if err != nil {
		t.Fatal(err)
	}
	q := overTCP(t, l.Stack, conn)
	q.repeats()
	if f := event[Failed](t, c); f.Code != 408 {
		t.Errorf("%+v", f)
	}
	if n := q.before(1, "INVITE"); n != 1 {
		t.Errorf("sent %d times over a stream", n)
	}
	eventually(t, "nothing is remembered", func() bool { return l.Sizes() == Sizes{} })
}

// Any other request is sent again at T1, 2*T1 ... T2, T2 until 64*T1, and after
// a provisional response at T2 (17.1.2.2, Timers E and F).
func TestUnansweredRequest(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c, _ := p.establish(l)
	p.repeats()
	if _, err := c.Request("INFO", nil, "", nil); err != nil {
		t.Fatal(err)
	}
	if r := event[Replied](t, c); r.Code != 408 {
		t.Errorf("%+v", r)
	}
	if n := p.count("INFO"); n < 8 || n > 18 { // 7 if it went on doubling
		t.Errorf("sent %d times, not 18", n)
	}

	if _, err := c.Request("INFO", nil, "", nil); err != nil {
		t.Fatal(err)
	}
	info := p.await("INFO")
	p.reply(info, 100, "", "", "")
	p.before(100, "")
	l.mu.Lock()
	tx := l.clients[info.branch()+sip.TxSeperator+"INFO"]
	l.mu.Unlock()
	interval := func() time.Duration {
		tx.d.mu.Lock()
		defer tx.d.mu.Unlock()
		return tx.interval
	}
	if interval() == testT1 { // it has not been sent again before the 100 was read
		p.await("INFO")
		if now := interval(); now != testTimers.t2 {
			t.Errorf("the next comes after %v, not after T2", now)
		}
	}
	p.reply(info, 200, "", "", "")
	if r := event[Replied](t, c); r.Code != 200 {
		t.Errorf("%+v", r)
	}
}

// A failure is sent again at T1, 2*T1 ... T2, T2 until its ACK, or for 64*T1
// (17.2.1, Timers G and H), over a stream never.
func TestUnacknowledgedFailure(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, l *lab, p *peer) {
		p.repeats()
		for _, acked := range []bool{false, true} {
			p.callID = newName("failure")
			branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
			if err := l.call().Reject(486, "", nil); err != nil {
				t.Fatal(err)
			}
			no := p.await("486 INVITE")
			l.mu.Lock()
			tx := func() *serverTx {
				for _, in := range l.invites {
					return in.tx
				}
				return nil
			}()
			l.mu.Unlock()
			if acked {
				p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: no.get("To")})
				p.before(2, "486 INVITE") // those that crossed the ACK
				tx.again()                // an INVITE that comes after the ACK
			}
			eventually(t, "the INVITE is forgotten", func() bool { return l.Sizes().Invites == 0 })
			switch n := p.before(3, "486 INVITE"); {
			case (acked || p.tcp != nil) && n > 0:
				t.Errorf("acknowledged %v, over %s: sent %d times more", acked, p.transport(), n)
			case !acked && p.tcp == nil && (n < 7 || n > 17): // 6 if it went on doubling
				t.Errorf("sent %d times more, not 17", n)
			}
		}
	})
}

// A request that is sent again gets the last answer again, and no second
// hearing; over a stream, which loses nothing, it gets none (17.2.1, 17.2.2).
func TestRepeatedRequestGetsTheLastAnswer(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		p.repeats()
		asked := make(chan struct{}, 100)
		l.h.other.Store(new(func(*Message) (int, string) { asked <- struct{}{}; return 404, "" }))
		again := func(a ask, answer string) {
			t.Helper()
			p.await(answer)
			p.ask(a)
			if p.tcp == nil {
				p.await(answer)
				return
			}
			p.ask(ask{method: "OPTIONS", cseq: 100})
			if m := take(t, p.in, "200 OPTIONS"); !m.is("200 OPTIONS") {
				t.Errorf("answered again: %s", m.raw)
			}
		}
		if p.tcp == nil { // over a stream Timer J is zero
			a := ask{method: "MESSAGE", cseq: 1, branch: newName("z9hG4bKagain")}
			p.ask(a)
			again(a, "404 MESSAGE")
			if len(asked) != 1 {
				t.Errorf("the handler was asked %d times", len(asked))
			}
		}
		a := ask{method: "INVITE", cseq: 1, branch: newName("z9hG4bKagain"), body: "v=0"}
		p.ask(a)
		c := l.call()
		again(a, "100 INVITE")
		_ = c.Progress(180, "", nil, nil)
		again(a, "180 INVITE")
		_ = c.Accept(nil, []byte("v=0"))
		ok := p.await("200 INVITE")
		p.ask(ask{method: "ACK", cseq: 1, to: ok.get("To")})
		event[Acked](t, c)
		p.count("200 INVITE")
		branch := p.ask(ask{method: "INVITE", cseq: 2, to: ok.get("To"), body: "v=0 more"})
		p.await("100 INVITE") // nobody has replied to it
		if err := c.Reply(event[Requested](t, c).Request, 488, "", nil, nil); err != nil {
			t.Fatal(err)
		}
		p.ask(ask{method: "ACK", cseq: 2, branch: branch, to: p.await("488 INVITE").get("To")})
		p.ask(ask{method: "OPTIONS", cseq: 101})
		p.await("200 OPTIONS")
		p.count("488 INVITE")
		a = ask{method: "BYE", cseq: 3, branch: newName("z9hG4bKagain"), to: ok.get("To")}
		p.ask(a)
		again(a, "200 BYE")
	})
}

// A connection that ends while an answer is awaited on it is told at once, and
// not as a time-out.
func TestConnectionEndsBeforeTheAnswer(t *testing.T) {
	l := newLab(t, rfcTimers) // a time-out would take 32 s
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c := &call{events: make(chan Event, 10)}
	if c.Dialog, err = l.Invite(Outgoing{
		URI: "sip:x@" + ln.Addr().String(), Transport: "tcp", From: "<sip:a@b.example>", To: "<sip:x@y.example>",
	}, func(e Event) { c.events <- e }); err != nil {
		t.Fatal(err)
	}
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	p := overTCP(t, l.Stack, conn)
	p.expect("INVITE")
	conn.Close()
	if f := event[Failed](t, c); f.Code != 503 || f.Err == nil {
		t.Errorf("%+v", f)
	}
}

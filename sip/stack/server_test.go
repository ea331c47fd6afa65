package stack

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"
)

// The library sends a 2xx again at the wrong times and never gives up.
func TestAnswerIsRepeatedUntilAckMissing(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, l *lab, p *peer) {
		p.repeats()
		p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
		c := l.call()
		p.expect("100 INVITE")
		if err := c.Accept(nil, []byte("v=0")); err != nil {
			t.Fatal(err)
		}
		first := p.expect("200 INVITE")
		event[AckMissing](t, c)
		c.Bye(nil) // behind all of them, some of which may not have been read yet
		n := 1
		for m := take(t, p.in, "BYE"); !m.is("BYE"); m = take(t, p.in, "BYE") {
			if m.raw != first.raw {
				t.Fatalf("neither a BYE nor the 200 again: %s", m.raw)
			}
			n++
		}
		// T1 doubling to T2 within 64*T1 makes 18; a busy machine loses some.
		if n < 6 || n > 18 {
			t.Errorf("200 sent %d times", n)
		}
	})
}

func TestByeBeforeAck(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	c := l.call()
	p.expect("100 INVITE")
	_ = c.Accept(nil, []byte("v=0"))
	ok := p.expect("200 INVITE")
	p.ask(ask{method: "BYE", cseq: 2, to: ok.get("To")})
	p.expect("200 BYE")
	event[Ended](t, c)
	p.ask(ask{method: "ACK", cseq: 1, to: ok.get("To")})
	p.ask(ask{method: "OPTIONS", cseq: 1}) // behind the ACK
	p.expect("200 OPTIONS")
	c.none(t)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unacked != nil {
		t.Error("the 200 is still sent")
	}
}

// RFC 3261 15: not before the ACK, or its time-out.
func TestOurByeWaitsForAck(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := newPeer(t, l.Stack)
	p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	c := l.call()
	p.expect("100 INVITE")
	_ = c.Accept(nil, []byte("v=0"))
	ok := p.expect("200 INVITE")
	c.Bye(nil)
	p.ask(ask{method: "OPTIONS", cseq: 1})
	p.expect("200 OPTIONS") // and no BYE
	p.ask(ask{method: "ACK", cseq: 1, to: ok.get("To")})
	event[Acked](t, c)
	p.reply(p.expect("BYE"), 200, "", "", "")
	event[Replied](t, c)

	p2 := newPeer(t, l.Stack)
	p2.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	c2 := l.call()
	p2.expect("100 INVITE")
	_ = c2.Accept(nil, []byte("v=0"))
	c2.Bye(nil)
	event[AckMissing](t, c2)
	p2.await("BYE")
}

func TestByeInEarlyDialog(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	c := l.call()
	p.expect("100 INVITE")
	_ = c.Progress(180, "", nil, nil)
	ring := p.expect("180 INVITE")
	p.ask(ask{method: "BYE", cseq: 2, to: ring.get("To")})
	no := p.awaitAll("200 BYE", "487 INVITE")["487 INVITE"]
	p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: no.get("To")})
	event[Canceled](t, c)
	c.none(t)
	// From our side.
	p2 := newPeer(t, l.Stack)
	p2.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	c2 := l.call()
	c2.Bye(nil)
	p2.await("480 INVITE")
}

// The library starts a goroutine a message: what came in order must arrive in
// order all the same. Of datagrams so many are under way as find room in a socket's
// buffer, whatever the system gives it.
func TestOrder(t *testing.T) {
	const n, atOnce = 400, 100
	both(t, func(t *testing.T, l *lab, p *peer) {
		c, ok := p.establish(l)
		var all strings.Builder
		for i := range n {
			fmt.Fprintf(&all, "INFO sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bKorder%s%d;rport\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d INFO\r\nContent-Length: 0\r\n\r\n",
				p.transport(), p.addr(), p.tag, i, p.tag, ok.get("To"), p.callID, 2+i)
		}
		next := func() {}
		if p.tcp != nil {
			p.raw([]byte(all.String()))
		} else {
			one, stop := iter.Pull(slices.Values(strings.SplitAfter(strings.TrimSuffix(all.String(), "\r\n\r\n"), "\r\n\r\n")))
			defer stop()
			next = func() {
				if m, more := one(); more {
					p.raw([]byte(strings.TrimSuffix(m, "\r\n\r\n") + "\r\n\r\n"))
				}
			}
			for range atOnce {
				next()
			}
		}
		for i := range n {
			e := event[Requested](t, c)
			next()
			if want := fmt.Sprintf("%d INFO", 2+i); e.Request.Get("CSeq") != want {
				t.Fatalf("got %s, want %s", e.Request.Get("CSeq"), want)
			}
			if err := c.Reply(e.Request, 200, "", nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		p.ask(ask{method: "BYE", cseq: 2 + n, to: ok.get("To")})
		event[Ended](t, c)
	})
}

func TestCSeqOrderAndUnknownDialogs(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		c, ok := p.establish(l)
		p.ask(ask{method: "INFO", cseq: 9, to: ok.get("To")})
		e := event[Requested](t, c)
		_ = c.Reply(e.Request, 200, "", nil, nil)
		p.await("200 INFO")
		p.ask(ask{method: "INFO", cseq: 8, to: ok.get("To")})
		p.expect("500 INFO")
		p.ask(ask{method: "PUBLISH", cseq: 10, to: ok.get("To")})
		if m := p.expect("405 PUBLISH"); m.get("Allow") == "" {
			t.Errorf("no Allow: %s", m.raw)
		}
		for _, bad := range []ask{
			{method: "BYE", cseq: 20, to: "<sip:x@y>;tag=unknown"},
			{method: "BYE", cseq: 20, to: ok.get("To"), from: "<sip:x@y>;tag=other"},
			{method: "INVITE", cseq: 20, to: "<sip:x@y>;tag=unknown", body: "v=0"},
			{method: "CANCEL", cseq: 20},
			{method: "BYE", cseq: 20},
		} {
			branch := p.ask(bad)
			m := p.expect("481 " + bad.method)
			if bad.method == "INVITE" {
				p.ask(ask{method: "ACK", cseq: 20, branch: branch, to: m.get("To")})
			}
		}
		p.ask(ask{method: "ACK", cseq: 20, to: "<sip:x@y>;tag=unknown"})
		c.none(t)
		p.ask(ask{method: "BYE", cseq: 21, to: ok.get("To")})
		p.expect("200 BYE")
		event[Ended](t, c)
		// Mortal: BYE crosses BYE, anything else is too late.
		p.ask(ask{method: "BYE", cseq: 22, to: ok.get("To")})
		p.expect("200 BYE")
		p.ask(ask{method: "INFO", cseq: 23, to: ok.get("To")})
		p.expect("481 INFO")
	})
}

func TestCrossingByes(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c, ok := p.establish(l)
	c.Bye(nil)
	bye := p.expect("BYE")
	p.ask(ask{method: "BYE", cseq: 2, to: ok.get("To")})
	p.expect("200 BYE")
	branch := p.ask(ask{method: "INVITE", cseq: 3, to: ok.get("To"), body: "v=0"})
	m := p.await("481 INVITE") // RFC 5407 3.2.2
	p.ask(ask{method: "ACK", cseq: 3, branch: branch, to: m.get("To")})
	p.reply(bye, 100, "", "", "") // a proxy's, which is no answer
	p.reply(bye, 200, "", "", "")
	if r := event[Replied](t, c); r.Code != 200 {
		t.Errorf("%+v", r)
	}
	c.none(t)
}

func TestGlare(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c, ok := p.establish(l)
	n, err := c.Reinvite(nil, []byte("v=0 ours"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Reinvite(nil, nil); !errors.Is(err, ErrPending) {
		t.Errorf("second re-INVITE: %v", err)
	}
	re := p.expect("INVITE")
	branch := p.ask(ask{method: "INVITE", cseq: 2, to: ok.get("To"), body: "v=0 theirs"})
	no := p.expect("491 INVITE")
	p.ask(ask{method: "ACK", cseq: 2, branch: branch, to: no.get("To")})
	p.ask(ask{method: "UPDATE", cseq: 3, to: ok.get("To"), body: "v=0 theirs"})
	p.await("491 UPDATE")
	p.reply(re, 491, "", "", "")
	p.await("ACK")
	again := p.await("INVITE")
	if again.get("CSeq") == re.get("CSeq") || again.branch() == re.branch() || again.body != "v=0 ours" {
		t.Errorf("retry: %s", again.raw)
	}
	p.reply(again, 200, "", "", "v=0 yes")
	if r := event[Replied](t, c); r.CSeq != n || r.Code != 200 {
		t.Errorf("%+v", r)
	}
	_ = c.Ack(nil)
	if ack := p.await("ACK"); strings.Fields(ack.get("CSeq"))[0] != strings.Fields(again.get("CSeq"))[0] {
		t.Errorf("ACK: %s", ack.raw)
	}
	c.none(t)
}

func TestReinviteOverlaps(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c, ok := p.establish(l)
	p.ask(ask{method: "INVITE", cseq: 2, to: ok.get("To"), body: "v=0 one"})
	e := event[Requested](t, c)
	branch := p.ask(ask{method: "INVITE", cseq: 3, to: ok.get("To"), body: "v=0 two"})
	no := p.await("500 INVITE") // RFC 3261 14.2
	if no.get("Retry-After") == "" {
		t.Errorf("500: %s", no.raw)
	}
	p.ask(ask{method: "ACK", cseq: 3, branch: branch, to: no.get("To")})
	// Ours waits for its turn, and for the ACK.
	n, err := c.Reinvite(nil, []byte("v=0 ours"))
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Reply(e.Request, 200, "", nil, []byte("v=0 yes"))
	p.expect("200 INVITE")
	p.ask(ask{method: "ACK", cseq: 2, to: ok.get("To")})
	event[Acked](t, c)
	re := p.expect("INVITE")
	p.reply(re, 488, "", "", "")
	p.await("ACK")
	if r := event[Replied](t, c); r.CSeq != n || r.Code != 488 {
		t.Errorf("%+v", r)
	}
	// A cancelled re-INVITE.
	branch = p.ask(ask{method: "INVITE", cseq: 4, to: ok.get("To"), body: "v=0"})
	e = event[Requested](t, c)
	p.ask(ask{method: "CANCEL", cseq: 4, branch: branch, to: ok.get("To")})
	no = p.await("487 INVITE")
	p.ask(ask{method: "ACK", cseq: 4, branch: branch, to: no.get("To")})
	if err := c.Reply(e.Request, 200, "", nil, nil); !errors.Is(err, ErrGone) {
		t.Errorf("reply after CANCEL: %v", err)
	}
	event[Withdrawn](t, c)
	// One that the peer's BYE overtakes.
	p.ask(ask{method: "INVITE", cseq: 5, to: ok.get("To"), body: "v=0"})
	event[Requested](t, c)
	p.ask(ask{method: "BYE", cseq: 6, to: ok.get("To")})
	p.awaitAll("200 BYE", "487 INVITE")
	event[Ended](t, c)
}

func TestReinviteWaitsForLateAck(t *testing.T) {
	l := newLab(t, func(o *Options) { o.timers.ackWait = patience })
	p := newPeer(t, l.Stack)
	p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	c := l.call()
	p.expect("100 INVITE")
	_ = c.Accept(nil, []byte("v=0"))
	ok := p.expect("200 INVITE")
	p.ask(ask{method: "INVITE", cseq: 2, to: ok.get("To"), body: "v=0 two"})
	p.ask(ask{method: "INFO", cseq: 3, to: ok.get("To")})
	p.ask(ask{method: "ACK", cseq: 1, to: ok.get("To")})
	event[Acked](t, c)
	if e := event[Requested](t, c); e.Request.Method != "INVITE" {
		t.Errorf("%s first", e.Request.Method)
	}
	if e := event[Requested](t, c); e.Request.Method != "INFO" {
		t.Errorf("%s second", e.Request.Method)
	}

	l = newLab(t) // the ACK does not come
	for _, offer := range []string{"v=0", ""} {
		p := newPeer(t, l.Stack)
		p.ask(ask{method: "INVITE", cseq: 1, body: offer})
		c := l.call()
		p.expect("100 INVITE")
		_ = c.Accept(nil, []byte("v=0"))
		ok := p.expect("200 INVITE")
		p.ask(ask{method: "INVITE", cseq: 2, to: ok.get("To"), body: "v=0 two"})
		if offer != "" { // the exchange is complete: RFC 5407 3.1.5
			event[Requested](t, c)
		} else {
			p.await("491 INVITE")
		}
	}
}

func TestRepeatedInviteIsOneCall(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
		for range 20 {
			p.ask(ask{method: "INVITE", cseq: 1, branch: branch, body: "v=0"})
		}
		c := l.call()
		_ = c.Accept(nil, []byte("v=0"))
		ok := p.await("200 INVITE")
		for range 20 { // RFC 5407 3.1.1
			p.ask(ask{method: "INVITE", cseq: 1, branch: branch, body: "v=0"})
		}
		p.ask(ask{method: "ACK", cseq: 1, to: ok.get("To")})
		event[Acked](t, c)
		// The same request by another way (RFC 3261 8.2.2.2).
		p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
		p.await("482 INVITE")
		if len(l.h.calls) != 0 || l.Calls() != 1 {
			t.Errorf("%d more calls, %d live", len(l.h.calls), l.Calls())
		}
	})
}

func TestCancelWithAnotherSentBy(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	c := l.call()
	p.expect("100 INVITE")
	p.send(fmt.Sprintf(`CANCEL sip:x@127.0.0.1 SIP/2.0
		Via: SIP/2.0/UDP nat.example:5099;branch=%s;rport
		Max-Forwards: 70
		From: <sip:07700900123@trunk.example>;tag=%s
		To: <sip:02079460000@127.0.0.1>
		Call-ID: %s
		CSeq: 1 CANCEL`, branch, p.tag, p.callID), "")
	p.await("200 CANCEL")
	event[Canceled](t, c)
}

// The 200 is decided but not yet written when CANCEL comes. The library would
// answer 487 by itself, and then repeat the 200 in its place.
func TestCancelAfterAcceptIsTooLate(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	c := l.call()
	p.expect("100 INVITE")
	slow := make(chan struct{})
	c.mu.Lock()
	c.do(false, func() { <-slow })
	c.unlock()
	if err := c.Accept(nil, []byte("v=0")); err != nil {
		t.Fatal(err)
	}
	p.ask(ask{method: "CANCEL", cseq: 1, branch: branch})
	p.expect("200 CANCEL")
	close(slow)
	ok := p.expect("200 INVITE")
	p.ask(ask{method: "ACK", cseq: 1, to: ok.get("To")})
	event[Acked](t, c)
	c.none(t)
}

// Whichever is first wins, and there is never both a 200 and a 487.
func TestCancelRacesAccept(t *testing.T) {
	l := newLab(t, func(o *Options) { o.timers.trying = 5 * time.Millisecond })
	for range 60 {
		p := newPeer(t, l.Stack)
		branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
		c := l.call()
		p.expect("100 INVITE")
		accepted := make(chan error)
		go func() { accepted <- c.Accept(nil, []byte("v=0")) }()
		p.ask(ask{method: "CANCEL", cseq: 1, branch: branch})
		won := take(t, accepted, "Accept") == nil
		var final packet
		for canceled := false; final.raw == "" || !canceled; {
			m := take(t, p.in, "responses")
			switch {
			case m.is("200 CANCEL"):
				canceled = true
			case final.raw != "" && final.raw != m.raw:
				t.Fatalf("two finals:\n%s\n%s", final.raw, m.raw)
			default:
				final = m
			}
		}
		p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: final.get("To")})
		if won != final.is("200 INVITE") {
			t.Fatalf("Accept won: %v, but %s", won, final.first)
		}
		if won {
			event[Acked](t, c)
		} else {
			event[Canceled](t, c)
		}
		c.none(t)
	}
}

func TestPanicInHandlerEndsOneCall(t *testing.T) {
	l := newLab(t)
	l.h.onNew.Store(new(func(*Dialog, *Message) { panic("boom") }))
	p := newPeer(t, l.Stack)
	branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	no := p.await("500 INVITE")
	p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: no.get("To")})
	if l.Calls() != 0 {
		t.Errorf("%d calls", l.Calls())
	}
	l.h.other.Store(new(func(*Message) (int, string) { panic("boom") }))
	p.ask(ask{method: "MESSAGE", cseq: 2})
	p.await("500 MESSAGE")
	p.ask(ask{method: "OPTIONS", cseq: 3})
	p.await("200 OPTIONS")
	l.log.TakeAll() // the panics were meant
}

// A sink that panics takes its own event with it and nothing else.
func TestPanicInSink(t *testing.T) {
	l := newLab(t)
	got := make(chan Event, 10)
	l.h.onNew.Store(new(func(d *Dialog, _ *Message) {
		d.Bind(func(e Event) {
			if _, ok := e.(Acked); ok {
				panic("boom")
			}
			got <- e
		})
		_ = d.Accept(nil, []byte("v=0"))
	}))
	p := newPeer(t, l.Stack)
	p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	ok := p.await("200 INVITE")
	p.ask(ask{method: "ACK", cseq: 1, to: ok.get("To")})
	p.ask(ask{method: "BYE", cseq: 2, to: ok.get("To")})
	if _, ok := take(t, got, "Ended").(Ended); !ok {
		t.Error("not Ended")
	}
	l.log.TakeAll()
}

func TestEventsBeforeBind(t *testing.T) {
	l := newLab(t)
	dialogs := make(chan *Dialog, 1)
	l.h.onNew.Store(new(func(d *Dialog, _ *Message) { dialogs <- d }))
	p := newPeer(t, l.Stack)
	p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	d := take(t, dialogs, "call")
	_ = d.Accept(nil, []byte("v=0"))
	ok := p.await("200 INVITE")
	p.ask(ask{method: "ACK", cseq: 1, to: ok.get("To")})
	p.ask(ask{method: "BYE", cseq: 2, to: ok.get("To")})
	p.await("200 BYE")
	c := &call{Dialog: d, events: make(chan Event, 10)}
	d.Bind(func(e Event) { c.events <- e })
	event[Acked](t, c)
	event[Ended](t, c)
}

func TestOwnerThatNeverReplies(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c, ok := p.establish(l)
	p.ask(ask{method: "INFO", cseq: 2, to: ok.get("To")})
	event[Requested](t, c)
	p.await("500 INFO")
}

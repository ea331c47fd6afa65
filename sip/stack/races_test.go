package stack

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// The owner hears when a re-INVITE that it has not answered is taken back, or
// was answered for it because its time was up.
func TestReinviteTakenBack(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c, ok := p.establish(l)
	branch := p.ask(ask{method: "INVITE", cseq: 2, to: ok.get("To"), body: "v=0 other"})
	first := event[Requested](t, c).Request
	p.ask(ask{method: "CANCEL", cseq: 2, branch: branch, to: ok.get("To")})
	got := p.awaitAll("200 CANCEL", "487 INVITE")
	p.ask(ask{method: "ACK", cseq: 2, branch: branch, to: got["487 INVITE"].get("To")})
	if e := event[Withdrawn](t, c); e.Request != first {
		t.Errorf("withdrawn: %+v", e.Request)
	}
	if err := c.Reply(first, 200, "", nil, []byte("v=0")); !errors.Is(err, ErrGone) {
		t.Errorf("Reply to what was taken back: %v", err)
	}

	l = newLab(t, func(o *Options) { o.timers.reply = 2 * testT1 })
	p = newPeer(t, l.Stack)
	c, ok = p.establish(l)
	branch = p.ask(ask{method: "INVITE", cseq: 3, to: ok.get("To"), body: "v=0 other"})
	second := event[Requested](t, c).Request
	no := p.await("500 INVITE")
	p.ask(ask{method: "ACK", cseq: 3, branch: branch, to: no.get("To")})
	if e := event[Withdrawn](t, c); e.Request != second {
		t.Errorf("withdrawn: %+v", e.Request)
	}
	p.ask(ask{method: "BYE", cseq: 4, to: ok.get("To")})
	p.await("200 BYE")
	event[Ended](t, c)
}

// After glare the one who made the Call-ID waits 2.1 to 4 s, the other up to
// 2 s, in steps of 10 ms (RFC 3261 14.1).
func TestGlareWindows(t *testing.T) {
	for _, side := range []struct {
		uas      bool
		from, to time.Duration
	}{{false, 2100 * time.Millisecond, 4 * time.Second}, {true, 0, 2 * time.Second}} {
		d := &Dialog{s: &Stack{o: Options{timers: timers{}.withDefaults()}}, uas: side.uas}
		low, high := side.to, side.from
		for range 5000 {
			v := d.glareWait()
			if v < side.from || v > side.to || v%(10*time.Millisecond) != 0 {
				t.Fatalf("uas %v: %v", side.uas, v)
			}
			low, high = min(low, v), max(high, v)
		}
		if span := side.to - side.from; high-low < span*9/10 {
			t.Errorf("uas %v: only %v to %v", side.uas, low, high)
		}
	}
}

// An INVITE that comes again with another sent-by in its Via, as a SIP ALG
// makes it, or damaged, is a copy of the first: refused, with its branch, it
// would end the call for the caller and not for us.
func TestSpoiledCopyOfAnInvite(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	c := l.call()
	p.expect("100 INVITE")
	for _, copied := range []struct{ sentBy, extra string }{
		{"192.0.2.7:5060", "Max-Forwards: 70"}, {p.addr(), "Max-Forwards: 70\nContent-Type: applicatiom/sdp"}, {p.addr(), "Max-Forwards: 7o"},
	} {
		p.send(fmt.Sprintf(`INVITE sip:02079460000@127.0.0.1 SIP/2.0
Via: SIP/2.0/UDP %s;branch=%s;rport
From: <sip:07700900123@trunk.example>;tag=%s
To: <sip:02079460000@127.0.0.1>
Call-ID: %s
CSeq: 1 INVITE
Contact: <%s>
%s`, copied.sentBy, branch, p.tag, p.callID, p.uri(), copied.extra), "v=0")
	}
	p.ask(ask{method: "OPTIONS", cseq: 1, from: "<sip:07700900123@trunk.example>;tag=other"})
	p.expect("200 OPTIONS") // and nothing before it
	_ = c.Accept(nil, []byte("v=0"))
	ok := p.expect("200 INVITE")
	p.ask(ask{method: "ACK", cseq: 1, to: ok.get("To")})
	event[Acked](t, c)
	p.ask(ask{method: "BYE", cseq: 2, to: ok.get("To")})
	p.expect("200 BYE")
	event[Ended](t, c)
}

// An INVITE that comes again after its 2xx, and its ACK, gets nothing: the 2xx is
// the dialog's to repeat (RFC 6026 7.1, Accepted). So it is with a re-INVITE. A BYE
// gets its answer again, from a dialog that has ended.
func TestInviteAgainAfterItsAnswer(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	inv := ask{method: "INVITE", cseq: 1, body: "v=0"}
	inv.branch = p.ask(inv)
	c := l.call()
	if err := c.Accept(nil, []byte("v=0")); err != nil {
		t.Fatal(err)
	}
	ok := p.await("200 INVITE")
	p.ask(ask{method: "ACK", cseq: 1, to: ok.get("To")})
	event[Acked](t, c)
	re := ask{method: "INVITE", cseq: 2, to: ok.get("To"), body: "v=0"}
	re.branch = p.ask(re)
	if err := c.Reply(event[Requested](t, c).Request, 200, "", nil, []byte("v=0")); err != nil {
		t.Fatal(err)
	}
	p.await("200 INVITE")
	p.ask(ask{method: "ACK", cseq: 2, to: ok.get("To")})
	event[Acked](t, c)

	p.ask(ask{method: "OPTIONS", cseq: 1})
	p.await("200 OPTIONS") // whatever was repeated until the ACK is in
	p.repeats()
	p.ask(inv)
	p.ask(re)
	p.ask(ask{method: "OPTIONS", cseq: 2})
	p.expect("200 OPTIONS")

	bye := ask{method: "BYE", cseq: 3, to: ok.get("To")}
	bye.branch = p.ask(bye)
	first := p.expect("200 BYE")
	event[Ended](t, c)
	p.ask(bye)
	if again := p.expect("200 BYE"); again.raw != first.raw {
		t.Errorf("another answer: %s", again.raw)
	}
	c.none(t)
}

// An alarm that rang, and waited while what it was set for came, does nothing: no
// 2xx is repeated or given up after its ACK, no failure after its.
func TestAlarmsOvertaken(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	c := l.call()
	if err := c.Accept(nil, []byte("v=0")); err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	a := c.unacked
	c.mu.Unlock()
	p.ask(ask{method: "ACK", cseq: 1, to: p.await("200 INVITE").get("To")})
	event[Acked](t, c)
	c.mu.Lock()
	a.until = time.Time{}
	c.retransmit(a)
	c.unlock()
	c.none(t)

	p2 := newPeer(t, l.Stack)
	branch := p2.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	c2 := l.call()
	tx := c2.inv.tx
	if err := c2.Reject(486, "", nil); err != nil {
		t.Fatal(err)
	}
	p2.ask(ask{method: "ACK", cseq: 1, branch: branch, to: p2.await("486 INVITE").get("To")})
	p2.ask(ask{method: "OPTIONS", cseq: 1})
	p2.await("200 OPTIONS") // the ACK is in
	p2.repeats()
	tx.repeat()
	p2.ask(ask{method: "OPTIONS", cseq: 2})
	p2.expect("200 OPTIONS")
}

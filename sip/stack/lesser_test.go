package stack

import (
	"fmt"
	"testing"
	"time"
)

// A CANCEL ends the call whose INVITE it names, branch and Call-ID: another's, with
// a branch that was guessed or is not unique, ends nothing.
func TestCancelOfAnotherCall(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	c := l.call()
	p.expect("100 INVITE")
	own := p.callID
	p.callID = newName("call")
	p.ask(ask{method: "CANCEL", cseq: 1, branch: branch})
	p.expect("481 CANCEL")
	c.none(t)
	p.callID = own
	p.ask(ask{method: "CANCEL", cseq: 1, branch: branch})
	p.awaitAll("200 CANCEL", "487 INVITE")
	event[Canceled](t, c)
}

// A re-INVITE that waits for a late ACK is answered, whatever becomes of it: by the
// end of the call, or by its CANCEL. The owner never hears of it.
func TestHeldRequestIsAnswered(t *testing.T) {
	l := newLab(t, func(o *Options) { o.timers.ackWait = time.Hour })
	held := func() (*peer, *call, packet, string) {
		p := newPeer(t, l.Stack)
		p.ask(ask{method: "INVITE", cseq: 1, body: "v=0 offer"})
		c := l.call()
		if err := c.Accept(nil, []byte("v=0 answer")); err != nil {
			t.Fatal(err)
		}
		ok := p.await("200 INVITE")
		branch := p.ask(ask{method: "INVITE", cseq: 2, to: ok.get("To"), body: "v=0 hold"})
		eventually(t, "a held re-INVITE", func() bool { c.mu.Lock(); defer c.mu.Unlock(); return len(c.held) == 1 })
		return p, c, ok, branch
	}
	p, c, ok, _ := held()
	p.ask(ask{method: "BYE", cseq: 3, to: ok.get("To")})
	if got := p.awaitAll("200 BYE", "487 INVITE")["487 INVITE"].get("CSeq"); got != "2 INVITE" {
		t.Errorf("487 to %s", got)
	}
	event[Ended](t, c)
	p, c, ok, branch := held()
	p.ask(ask{method: "CANCEL", cseq: 2, branch: branch, to: ok.get("To")})
	p.awaitAll("200 CANCEL", "487 INVITE")
	p.ask(ask{method: "ACK", cseq: 1, to: ok.get("To")})
	event[Acked](t, c)
	c.none(t)
}

// The ACK of a failure goes the way of its request (RFC 3261 17.1.1.3), whose
// routes it has.
func TestAckOfAFailureHasTheRoutes(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	route := fmt.Sprintf("<sip:%s;lr>", p.addr())
	p.ask(ask{method: "INVITE", cseq: 1, body: "v=0", extra: "Record-Route: " + route + "\nRecord-Route: <sip:far.example;lr>"})
	c := l.call()
	if err := c.Accept(nil, []byte("v=0")); err != nil {
		t.Fatal(err)
	}
	p.ask(ask{method: "ACK", cseq: 1, to: p.await("200 INVITE").get("To")})
	event[Acked](t, c)
	if _, err := c.Reinvite(nil, []byte("v=0 more")); err != nil {
		t.Fatal(err)
	}
	again := p.expect("INVITE")
	p.reply(again, 488, "", "", "")
	ack := p.expect("ACK")
	want := []string{route, "<sip:far.example;lr>"}
	for _, m := range []packet{again, ack} {
		if got := m.all("Route"); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s has the routes %q, want %q", m.first, got, want)
		}
	}
	if again.branch() != ack.branch() {
		t.Errorf("the ACK has the branch %s, the INVITE %s", ack.branch(), again.branch())
	}
}

// What a call has used up of its Max-Forwards, the one that goes on from it has
// less of (RFC 7332), and never less than nothing.
func TestMaxForwardsCountsDown(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	for _, c := range []struct {
		spent int
		want  string
	}{{0, "70"}, {1, "69"}, {69, "1"}, {70, "0"}, {200, "0"}} {
		d, err := l.Invite(Outgoing{URI: p.uri(), From: "<sip:cordboard@127.0.0.1>", To: "<" + p.uri() + ">", Body: []byte("v=0"), Spent: c.spent}, func(Event) {})
		if err != nil {
			t.Fatal(err)
		}
		inv := p.expect("INVITE")
		if got := inv.get("Max-Forwards"); got != c.want {
			t.Errorf("%d spent: Max-Forwards %s, want %s", c.spent, got, c.want)
		}
		p.reply(inv, 486, "peer", "", "")
		p.expect("ACK")
		d.Bye(nil)
	}
}

// A stream repeats nothing, so that an answered request is forgotten at once; a
// datagram's is remembered, for its retransmission (RFC 3261 17.2.2, Timer J).
func TestAnsweredRequestsAreForgotten(t *testing.T) {
	l := newLab(t, func(o *Options) { o.timers.t1 = time.Minute })
	kept := func() int { l.mu.Lock(); defer l.mu.Unlock(); return len(l.others) }
	for range 20 {
		p := tcpPeer(t, l.Stack)
		p.ask(ask{method: "MESSAGE", cseq: 1})
		if m := take(t, p.in, "an answer"); m.is("MESSAGE") {
			t.Fatal(m.raw)
		}
	}
	eventually(t, "nothing kept of streams", func() bool { return kept() == 0 })
	p := newPeer(t, l.Stack)
	p.repeats()
	branch := p.ask(ask{method: "MESSAGE", cseq: 1})
	first := take(t, p.in, "an answer")
	if n := kept(); n != 1 {
		t.Errorf("%d requests remembered", n)
	}
	p.ask(ask{method: "MESSAGE", cseq: 1, branch: branch})
	if again := take(t, p.in, "the answer again"); again.raw != first.raw {
		t.Errorf("%s is answered anew: %s", first.raw, again.raw)
	}
}

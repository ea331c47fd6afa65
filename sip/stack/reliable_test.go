package stack

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// demanding is an INVITE of a caller who acknowledges provisional responses, with its
// first, and the To and number of that.
func (p *peer) demanding(l *lab, header, body string, respond func(*call)) (c *call, branch string, first packet) {
	p.t.Helper()
	branch = p.ask(ask{method: "INVITE", cseq: 1, extra: header + ": 100rel", body: body})
	c = l.call()
	respond(c)
	return c, branch, p.awaitProvisional()
}

func (p *peer) awaitProvisional() packet {
	p.t.Helper()
	for {
		m := take(p.t, p.in, "a provisional response")
		if strings.HasPrefix(m.first, "SIP/2.0 18") {
			return m
		}
	}
}

// prack acknowledges a response.
func (p *peer) prack(res packet, cseq int, body string) packet {
	p.t.Helper()
	return p.pracks(res, cseq, res.get("RSeq")+" 1 INVITE", body)
}

func (p *peer) pracks(res packet, cseq int, rack, body string) packet {
	p.t.Helper()
	p.ask(ask{method: "PRACK", cseq: cseq, to: res.get("To"), extra: "RAck: " + rack, body: body})
	for {
		if m := take(p.t, p.in, "the answer to PRACK"); strings.HasSuffix(m.get("CSeq"), " PRACK") {
			return m
		}
	}
}

func rings(code int, body string) func(*call) {
	return func(c *call) { _ = c.Progress(code, "", nil, []byte(body)) }
}

// One at a time, each with its own number, until its PRACK; a PRACK that fits none
// gets 481; one that is sent again, its answer again.
func TestReliableProvisional(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, l *lab, p *peer) {
		c, branch, ring := p.demanding(l, "Require", "v=0 offer", rings(180, ""))
		if ring.get("Require") != "100rel" || ring.get("RSeq") == "" || ring.get("Contact") == "" || !strings.Contains(ring.get("Allow"), "PRACK") {
			t.Fatalf("no reliable 180: %s", ring.raw)
		}
		_ = c.Progress(181, "", nil, nil)                  // superseded
		_ = c.Progress(183, "", nil, []byte("v=0 answer")) // waits
		_ = c.Progress(182, "", nil, nil)                  // and is not lost to this
		for cseq, rack := range []string{"", "x", "1 1 INVITE", ring.get("RSeq") + " 2 INVITE", ring.get("RSeq") + " 1 BYE", ring.get("RSeq") + " 1 INVITE 1"} {
			if no := p.pracks(ring, 2+cseq, rack, ""); !no.is("481 PRACK") {
				t.Errorf("RAck %q: %s", rack, no.first)
			}
		}
		if ok := p.prack(ring, 10, ""); !ok.is("200 PRACK") {
			t.Fatalf("PRACK: %s", ok.raw)
		}
		next := p.await("183 INVITE")
		if no := p.prack(ring, 11, ""); !no.is("481 PRACK") {
			t.Errorf("the same PRACK as another request: %s", no.first)
		}
		was, _ := strconv.Atoi(ring.get("RSeq"))
		if now, _ := strconv.Atoi(next.get("RSeq")); now != was+1 || next.body != "v=0 answer" {
			t.Errorf("after RSeq %d: %s", was, next.raw)
		}
		if err := c.Accept(nil, []byte("v=0 answer")); err != nil {
			t.Fatal(err)
		}
		if err := c.Accept(nil, nil); !errors.Is(err, ErrState) {
			t.Errorf("accepted twice: %v", err)
		}
		if err := c.Progress(180, "", nil, nil); !errors.Is(err, ErrState) {
			t.Errorf("a 180 behind the 200: %v", err)
		}
		p.ask(ask{method: "INVITE", branch: branch, cseq: 1, extra: "Require: 100rel", body: "v=0 offer"}) // behind it a 200 would have come
		// A PRACK that something newer has overtaken is taken even so.
		if ok := p.prack(next, 9, ""); !ok.is("200 PRACK") {
			t.Errorf("PRACK: %s", ok.raw)
		}
		ok := p.await("200 INVITE")
		if ok.body != "" {
			t.Errorf("the answer twice: %s", ok.raw)
		}
		p.ask(ask{method: "ACK", cseq: 1, to: ok.get("To")})
		event[Acked](t, c)
		if no := p.prack(next, 12, ""); !no.is("481 PRACK") {
			t.Errorf("PRACK in a call: %s", no.first)
		}
		c.none(t)
	})
}

// The 2xx waits for the PRACK of our answer, and for nothing else.
func TestAcceptWaitsForPrack(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c, _, session := p.demanding(l, "Require", "v=0 offer", rings(183, "v=0 answer"))
	_ = c.Accept(nil, []byte("v=0 answer"))
	p.ask(ask{method: "OPTIONS", cseq: 1})
	for m := range p.in {
		if m.is("200 INVITE") {
			t.Fatalf("before its PRACK: %s", m.raw)
		}
		if m.is("200 OPTIONS") {
			break
		}
	}
	p.prack(session, 2, "")
	p.await("200 INVITE")

	p2 := newPeer(t, l.Stack)
	c2, _, ring := p2.demanding(l, "Require", "v=0 offer", rings(180, ""))
	_ = c2.Accept(nil, []byte("v=0 answer"))
	if ok := p2.await("200 INVITE"); ok.body != "v=0 answer" {
		t.Errorf("%s", ok.raw)
	}
	if ok := p2.prack(ring, 2, ""); !ok.is("200 PRACK") { // RFC 3262 3: still
		t.Errorf("PRACK after the 200: %s", ok.first)
	}
}

// Nobody acknowledges: it is sent again and again, and the call ends with 504.
func TestPrackMissing(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, l *lab, p *peer) {
		p.repeats()
		c, branch, ring := p.demanding(l, "Require", "v=0 offer", rings(183, "v=0 answer"))
		_ = c.Accept(nil, nil) // never sent
		n := 1
		m := take(t, p.in, "504")
		for ; !m.is("504 INVITE"); m = take(t, p.in, "504") {
			if m.raw != ring.raw {
				t.Fatalf("neither a 504 nor the 183 again: %s", m.raw)
			}
			n++
		}
		if n < 3 || n > 7 { // at 0, 1, 3, 7, 15, 31 and 63 T1
			t.Errorf("183 sent %d times", n)
		}
		event[PrackMissing](t, c)
		p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: m.get("To")})
		if err := c.Reject(500, "", nil); !errors.Is(err, ErrGone) {
			t.Errorf("Reject: %v", err)
		}
	})
}

// The caller gives up while a response waits for its PRACK, which may come all the same.
func TestGoneBeforePrack(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"CANCEL", "BYE"} {
		l := newLab(t)
		p := newPeer(t, l.Stack)
		p.repeats()
		c, branch, ring := p.demanding(l, "Require", "v=0 offer", rings(183, "v=0 answer"))
		_ = c.Accept(nil, nil)
		a := ask{method: method, cseq: 1, branch: branch}
		if method == "BYE" {
			a = ask{method: method, cseq: 2, to: ring.get("To")}
		}
		p.ask(a)
		no := p.awaitAll("200 "+method, "487 INVITE")["487 INVITE"]
		p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: no.get("To")})
		event[Canceled](t, c)
		if ok := p.prack(ring, 3, ""); !ok.is("200 PRACK") {
			t.Errorf("%s: PRACK gets %s", method, ok.first)
		}
		if no := p.prack(ring, 4, ""); !no.is("481 PRACK") {
			t.Errorf("%s: another PRACK gets %s", method, no.first)
		}
		c.none(t)
	}
}

// An INVITE without an offer: ours goes in the first reliable response, the answer
// comes in the PRACK.
func TestOfferInProvisional(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c, _, ring := p.demanding(l, "Require", "", rings(180, "v=0 our offer"))
	if ring.body != "v=0 our offer" {
		t.Fatalf("%s", ring.raw)
	}
	p.prack(ring, 2, "v=0 their answer")
	if ev := event[Pracked](t, c); string(ev.Request.Body) != "v=0 their answer" {
		t.Errorf("%+v", ev)
	}
	_ = c.Progress(183, "", nil, []byte("v=0 our offer"))
	if m := p.awaitProvisional(); m.body != "" { // it would be another offer
		t.Errorf("%s", m.raw)
	} else {
		p.prack(m, 3, "")
	}
	_ = c.Accept(nil, []byte("v=0 our offer"))
	if ok := p.await("200 INVITE"); ok.body != "" {
		t.Errorf("%s", ok.raw)
	}
}

// Once the first offer has its answer, the caller may make another: in the PRACK, or
// by UPDATE. The 2xx waits for our answer; an offer too early gets 500.
func TestOffersBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"PRACK", "UPDATE"} {
		l := newLab(t)
		p := newPeer(t, l.Stack)
		c, _, session := p.demanding(l, "Require", "v=0 offer", rings(183, "v=0 answer"))
		extra := "RAck: " + session.get("RSeq") + " 1 INVITE"
		cseq := 2
		if method == "UPDATE" {
			p.ask(ask{method: method, cseq: 2, to: session.get("To"), body: "v=0 too early"})
			if no := p.await("500 UPDATE"); no.get("Retry-After") == "" {
				t.Errorf("%s", no.raw)
			}
			p.prack(session, 3, "")
			cseq, extra = 4, ""
		}
		p.ask(ask{method: method, cseq: cseq, to: session.get("To"), extra: extra, body: "v=0 another"})
		ev := event[Requested](t, c)
		if ev.Request.Method != method || string(ev.Request.Body) != "v=0 another" {
			t.Fatalf("%+v", ev)
		}
		p.ask(ask{method: "UPDATE", cseq: 5, to: session.get("To"), body: "v=0 a third"})
		if no := p.await("500 UPDATE"); no.get("Retry-After") == "" { // RFC 3311 5.2
			t.Errorf("%s", no.raw)
		}
		_ = c.Accept(nil, nil)
		p.ask(ask{method: "OPTIONS", cseq: 1})
		for m := range p.in {
			if m.is("200 INVITE") {
				t.Fatalf("before the answer: %s", m.raw)
			}
			if m.is("200 OPTIONS") {
				break
			}
		}
		if err := c.Reply(ev.Request, 200, "", nil, []byte("v=0 agreed")); err != nil {
			t.Fatal(err)
		}
		if ok := p.await("200 " + method); ok.body != "v=0 agreed" {
			t.Errorf("%s", ok.raw)
		}
		p.await("200 INVITE")
	}
}

// Who can, but need not, acknowledges what has a description; the rest is sent once.
func TestSupportedAlone(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c, _, ring := p.demanding(l, "Supported", "v=0 offer", rings(180, ""))
	if ring.get("RSeq") != "" || ring.get("Require") != "" {
		t.Errorf("%s", ring.raw)
	}
	_ = c.Progress(183, "", nil, []byte("v=0 answer"))
	session := p.awaitProvisional()
	if session.get("RSeq") == "" || session.get("Require") != "100rel" {
		t.Errorf("%s", session.raw)
	}
	p.prack(session, 2, "")
	_ = c.Accept(nil, nil)
	p.await("200 INVITE")

	// To who cannot, nothing is reliable, nor is a PRACK anything.
	p2 := newPeer(t, l.Stack)
	p2.ask(ask{method: "INVITE", cseq: 1, body: "v=0 offer"})
	c2 := l.call()
	_ = c2.Progress(183, "", nil, []byte("v=0 answer"))
	plain := p2.awaitProvisional()
	if plain.get("RSeq") != "" || plain.get("Require") != "" {
		t.Errorf("%s", plain.raw)
	}
	if no := p2.pracks(plain, 2, fmt.Sprint(1, " ", 1, " INVITE"), ""); !no.is("481 PRACK") {
		t.Errorf("%s", no.raw)
	}
	p2.ask(ask{method: "UPDATE", cseq: 3, to: plain.get("To"), body: "v=0 another"}) // the answer was not one yet
	p2.await("500 UPDATE")
}

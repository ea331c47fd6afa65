package stack

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

func TestOptionsAnswer(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		p.ask(ask{method: "OPTIONS", cseq: 1})
		m := p.expect("200 OPTIONS")
		if m.get("Allow") == "" || m.get("Accept") != "application/sdp" || !has(m.headers, "Supported") || m.get("Server") != "Cordboard" {
			t.Errorf("200: %s", m.raw)
		}
		p.ask(ask{method: "REGISTER", cseq: 2})
		p.expect("404 REGISTER") // from Handler.Other
	})
}

func TestRefusals(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		c, ok := p.establish(l)
		for i, tc := range []struct {
			code int
			ask  ask
			head string // a header the refusal must have
		}{
			{405, ask{method: "DANCE"}, "Allow"},
			{420, ask{method: "INVITE", extra: "Require: 100rel, foo"}, "Unsupported"},
			{420, ask{method: "UPDATE", to: ok.get("To"), extra: "Require: 100rel"}, "Unsupported"}, // of INVITE alone
			{415, ask{method: "PRACK", to: ok.get("To"), extra: "RAck: 1 1 INVITE\nContent-Type: text/plain", body: "x"}, "Accept"},
			{420, ask{method: "INFO", to: ok.get("To"), extra: "Require: foo"}, "Unsupported"},
			{483, ask{method: "INVITE", extra: "Max-Forwards: 0"}, ""}, // doubled: 400, see below
			{416, ask{method: "INVITE", uri: "urn:service:sos"}, ""},
			{415, ask{method: "INVITE", extra: "Content-Type: application/pidf+xml", body: "<x/>"}, "Accept"},
			{415, ask{method: "INVITE", extra: "Content-Encoding: gzip", body: "v=0"}, "Accept-Encoding"},
			{406, ask{method: "INVITE", extra: "Accept: text/plain"}, ""},
			{400, ask{method: "INVITE", extra: "Call-ID: second"}, ""},
			{400, ask{method: "INVITE", extra: "i: second"}, ""},
			{400, ask{method: "INVITE", extra: "To: <sip:b@c>"}, ""},
			{400, ask{method: "INVITE", from: "<sip:no-tag@x>"}, ""},
			{400, ask{method: "INVITE", uri: "sip:x@127.0.0.1?Route=%3Csip:evil%3E"}, ""},
			{400, ask{method: "INVITE", extra: "Bad Name: x"}, ""},
		} {
			tc.ask.cseq = 10 + i
			if tc.code == 483 {
				tc.code = 400
			}
			branch := p.ask(tc.ask)
			m := take(t, p.in, tc.ask.method)
			if !m.is(fmt.Sprintf("%d %s", tc.code, tc.ask.method)) || tc.head != "" && m.get(tc.head) == "" {
				t.Errorf("%+v: %s", tc.ask, m.raw)
			}
			if tc.ask.method == "INVITE" {
				p.ask(ask{method: "ACK", cseq: 10 + i, branch: branch, to: m.get("To"), uri: tc.ask.uri})
			}
		}
		if len(l.h.calls) > 0 {
			t.Error("a refused INVITE reached the handler")
		}
		// Whatever a BYE asks for besides: its sender has gone.
		p.ask(ask{method: "BYE", cseq: 99, to: ok.get("To"), extra: "Require: foo"})
		p.expect("200 BYE")
		event[Ended](t, c)
	})
}

func TestRefusalsOfWholeMessages(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	for i, tc := range []struct{ want, change, to string }{
		{"505", " SIP/2.0\n", " SIP/7.0\n"},
		{"400", "CSeq: 1 INVITE", "CSeq: 1 OPTIONS"},
		{"483", "Max-Forwards: 70", "Max-Forwards: 0"},
		{"400", "From: ", "X-From: "},
		{"400", "Call-ID: ", "X-Call-ID: "},
	} {
		msg := fmt.Sprintf(`INVITE sip:x@127.0.0.1 SIP/2.0
Via: SIP/2.0/UDP %s;branch=z9hG4bKwhole%d;rport
Max-Forwards: 70
From: <sip:a@b>;tag=1
To: <sip:x@127.0.0.1>
Call-ID: whole%d
CSeq: 1 INVITE`, p.addr(), i, i)
		p.send(strings.Replace(msg, tc.change, tc.to, 1), "")
		if m := take(t, p.in, tc.want); !strings.HasPrefix(m.first, "SIP/2.0 "+tc.want+" ") {
			t.Errorf("%v: %s", tc, m.raw)
		}
	}
	if len(l.h.calls) > 0 {
		t.Error("a refused INVITE reached the handler")
	}
}

func TestSmuggling(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	for _, extra := range []string{
		"X-A: b\x00c", "X-A: b\nP-Asserted-Identity: <sip:ceo@x>", "X-A: b\rP-Asserted-Identity: <sip:ceo@x>", "To\x0b: <sip:x@y>", "X-A: \x7f",
	} {
		p.raw([]byte("OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP " + p.addr() + ";branch=z9hG4bKsm;rport\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: sm\r\nCSeq: 1 OPTIONS\r\n" + extra + "\r\nContent-Length: 0\r\n\r\n"))
	}
	p.ask(ask{method: "OPTIONS", cseq: 5})
	if m := p.expect("200 OPTIONS"); m.get("CSeq") != "5 OPTIONS" {
		t.Errorf("answered: %s", m.raw)
	}
	// A stream ends instead.
	tp := tcpPeer(t, l.Stack)
	tp.raw([]byte("OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nX-A: \x00\r\n"))
	if m, ok := <-tp.in; ok {
		t.Errorf("answered: %s", m.raw)
	}
	tp = tcpPeer(t, l.Stack)
	tp.ask(ask{method: "OPTIONS", cseq: 1, extra: "X-A: a\nP-Asserted-Identity: <sip:x@y>"}) // \n becomes CRLF here: two headers
	tp.expect("200 OPTIONS")
}

// Nothing of a stranger's gets in, and nothing of it is remembered.
func TestStrangers(t *testing.T) {
	l := newLab(t)
	in := newPeer(t, l.Stack)
	in.ask(ask{method: "OPTIONS", cseq: 1})
	in.expect("200 OPTIONS")
	size := l.tpl.Pool("udp").Size()
	for i := range 30 {
		p := peerFrom(t, l.Stack, "127.0.0.2")
		p.ask(ask{method: "OPTIONS", cseq: 1})
		p.ask(ask{method: "REGISTER", cseq: 1})
		p.ask(ask{method: "BYE", cseq: 1, to: "<sip:x@y>;tag=z"})
		p.raw([]byte("\r\n\r\n"))
		p.ask(ask{method: "INVITE", cseq: 2, body: "v=0"})
		if i < 10 { // later ones fall under the limit
			m := p.expect("403 INVITE")
			p.ask(ask{method: "ACK", cseq: 2, to: m.get("To")})
		}
	}
	in.ask(ask{method: "OPTIONS", cseq: 2})
	in.expect("200 OPTIONS") // all of the above has been read
	if n := l.tpl.Pool("udp").Size(); n != size {
		t.Errorf("%d sources remembered, %d before", n, size)
	}
	if len(l.h.calls) > 0 {
		t.Error("a stranger's call came in")
	}

	l = newLab(t, func(o *Options) { o.Allow = func(netip.Addr) bool { return false } })
	tp := tcpPeer(t, l.Stack)
	branch := tp.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	m := tp.expect("403 INVITE")
	tp.ask(ask{method: "ACK", cseq: 1, branch: branch, to: m.get("To")})
	tp.ask(ask{method: "OPTIONS", cseq: 2})
	tp.expect("403 OPTIONS")
}

// A phone that was called may speak inside its dialog though its address is
// not on any list, and only there.
func TestCalledStranger(t *testing.T) {
	l := newLab(t, func(o *Options) { o.Allow = func(netip.Addr) bool { return false } })
	p := newPeer(t, l.Stack)
	c, inv := p.answered(l)
	p.callID = inv.get("Call-ID")
	p.ask(ask{method: "INFO", cseq: 1, from: inv.get("To") + ";tag=peer", to: inv.get("From")})
	e := event[Requested](t, c)
	_ = c.Reply(e.Request, 200, "", nil, nil)
	p.expect("200 INFO")
	branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	m := p.expect("403 INVITE")
	p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: m.get("To")})
	p.ask(ask{method: "BYE", cseq: 2, from: inv.get("To") + ";tag=peer", to: inv.get("From")})
	p.expect("200 BYE")
	event[Ended](t, c)
	if len(l.h.calls) > 0 {
		t.Error("a stranger's call came in")
	}
}

func TestAdmission(t *testing.T) {
	l := newLab(t, func(o *Options) { o.MaxCalls = 3 })
	var calls []*call
	var oks []packet
	var peers []*peer
	for range 3 {
		p := newPeer(t, l.Stack)
		c, ok := p.establish(l)
		calls, oks, peers = append(calls, c), append(oks, ok), append(peers, p)
	}
	p := newPeer(t, l.Stack)
	branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	m := p.expect("503 INVITE")
	if m.get("Retry-After") == "" {
		t.Errorf("503: %s", m.raw)
	}
	p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: m.get("To")})
	peers[0].ask(ask{method: "BYE", cseq: 2, to: oks[0].get("To")})
	peers[0].expect("200 BYE")
	event[Ended](t, calls[0])
	newPeer(t, l.Stack).establish(l)

	// At a rate of one a second, two seconds' calls at once are the most; on a slow
	// machine others come in with the time.
	l = newLab(t, func(o *Options) { o.Rate = 1 })
	p = newPeer(t, l.Stack)
	began, taken := time.Now(), 0
	for refused := false; !refused; {
		p.callID = newName("rated")
		branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
		select {
		case c := <-l.h.calls:
			taken++
			_ = c.Reject(486, "", nil)
			p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: p.expect("486 INVITE").get("To")})
		case m := <-p.in:
			if refused = m.is("503 INVITE"); !refused {
				t.Fatalf("answered %s", m.raw)
			}
		case <-time.After(patience):
			t.Fatal("a call is neither taken nor refused")
		}
		if most := standstill + int(time.Since(began)/time.Second) + 1; taken > most {
			t.Fatalf("%d calls are taken in %v", taken, time.Since(began))
		}
	}
	if taken < standstill {
		t.Errorf("call %d is refused", taken+1)
	}
}

// The parser's errors hold the whole message.
func TestNoMessageInLogs(t *testing.T) {
	l := newLab(t)
	p, tp := newPeer(t, l.Stack), tcpPeer(t, l.Stack)
	bad := []byte("INVITE sip:+447700900123@x SIP/2.0\r\nFrom secret-name\r\nCSeq: x\r\nContent-Length: 0\r\n\r\n")
	p.raw(bad)
	tp.raw(bad)
	for range tp.in {
	}
	p.ask(ask{method: "OPTIONS", cseq: 1})
	p.expect("200 OPTIONS")
	unread := 0
	for _, e := range l.log.All() {
		if e.Message == "a message can't be read" {
			unread++
		}
		if all := e.Message + fmt.Sprint(e.ContextMap()); strings.Contains(all, "900123") || strings.Contains(all, "secret") {
			t.Errorf("logged: %s", all)
		}
	}
	if unread != 2 {
		t.Errorf("logged %d times that a message can't be read, not twice: this test proves nothing", unread)
	}
}

// An error from the filter, or a panic in it, would be the listener's last.
func TestFilterNeverFails(t *testing.T) {
	l := newLab(t, func(o *Options) {
		o.Allow = func(a netip.Addr) bool {
			if a == netip.MustParseAddr("127.0.0.3") {
				panic("boom")
			}
			return a.IsLoopback()
		}
	})
	odd := [][]byte{nil, {0}, []byte("\r\n"), []byte("INVITE "), []byte("INVITE sip:x SIP/2.0\r\n\r\n"), make([]byte, 65535)}
	for _, ip := range []string{"127.0.0.1", "127.0.0.3", "192.0.2.1"} {
		for _, data := range odd {
			from := &net.UDPAddr{IP: net.ParseIP(ip), Port: 5060}
			if _, err := l.filter(sip.TransportReadProps{Transport: "UDP", LocalAddr: l.udp[0].LocalAddr(), RemoteAddr: from}, data); err != nil {
				t.Errorf("%s %.20q: %v", ip, data, err)
			}
		}
	}
	peerFrom(t, l.Stack, "127.0.0.3").ask(ask{method: "OPTIONS", cseq: 1})
	p := newPeer(t, l.Stack)
	p.ask(ask{method: "OPTIONS", cseq: 1})
	p.expect("200 OPTIONS")
	l.log.TakeAll() // the panics were meant
}

// A flood leaves the calls that came before it alone.
func TestFlood(t *testing.T) {
	l := newLab(t, func(o *Options) { o.MaxCalls, o.timers.trying = 20, 5*time.Millisecond })
	p := newPeer(t, l.Stack)
	c, ok := p.establish(l)
	q := newPeer(t, l.Stack)
	refused := 0
	for i := range 300 {
		q.callID = fmt.Sprintf("flood%d", i)
		q.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
		if m := take(t, q.in, "an answer"); m.is("503 INVITE") {
			refused++
		}
	}
	if refused != 300-19 || l.Calls() != 20 {
		t.Errorf("%d refused, %d calls", refused, l.Calls())
	}
	p.ask(ask{method: "BYE", cseq: 2, to: ok.get("To")})
	p.expect("200 BYE")
	event[Ended](t, c)
}

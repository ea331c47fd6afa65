package stack

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
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
			{420, ask{method: "INFO", to: ok.get("To"), extra: "Require: foo"}, "Unsupported"},
			{483, ask{method: "INVITE", extra: "Max-Forwards: 0"}, ""}, // doubled: 400, see below
			{416, ask{method: "INVITE", uri: "urn:service:sos"}, ""},
			{415, ask{method: "INVITE", extra: "Content-Type: application/pidf+xml", body: "<x/>"}, "Accept"},
			{415, ask{method: "INVITE", extra: "Content-Encoding: gzip", body: "v=0"}, "Accept-Encoding"},
			{406, ask{method: "INVITE", extra: "Accept: text/plain"}, ""},
			{400, ask{method: "INVITE", extra: "Call-ID: second"}, ""},
			{400, ask{method: "INVITE", extra: "i: second"}, ""},
			{400, ask{method: "INVITE", extra: "To: <sip:b@c>"}, ""},
			{400, ask{method: "INVITE", extra: "l: 0"}, ""},
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
		p.ask(ask{method: "BYE", cseq: 99, to: ok.get("To")})
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

	l = newLab(t, func(o *Options) { o.Rate = 1 })
	newPeer(t, l.Stack).establish(l)
	p = newPeer(t, l.Stack)
	p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	p.expect("503 INVITE")
}

// Requests go to the connection of the one they are for. The library looks up
// the listener's address first, and finds whoever connected last.
func TestNoCrossDelivery(t *testing.T) {
	l := newLab(t)
	a := tcpPeer(t, l.Stack)
	c, _ := a.establish(l)
	b := tcpPeer(t, l.Stack)
	cb, _ := b.establish(l)
	c.Bye(nil)
	if bye := a.expect("BYE"); bye.get("Call-ID") != a.callID {
		t.Errorf("BYE: %s", bye.raw)
	}
	// A peer that names us as its own address gets nobody else's connection.
	evil := tcpPeer(t, l.Stack)
	evil.contact = "<sip:x@" + l.Addr("tcp").String() + ";transport=tcp>"
	ce, _ := evil.establish(l)
	ce.Bye(nil)
	if r := take(t, ce.events, "Replied"); r.(Replied).Code != 503 && len(b.in) > 0 {
		t.Errorf("%+v", r)
	}
	if len(b.in) > 0 {
		t.Errorf("b got %s", (<-b.in).raw)
	}
	_ = cb
	if l.tpl.Pool("tcp").Get(l.Addr("tcp").String()) != nil {
		t.Error("an accepted connection is pooled under the listener's address")
	}
}

// A Via is a place to answer to and no more: the library would look up its
// name and connect to it when the connection is gone.
func TestViaIsNotDialled(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	l := newLab(t)
	for i := range 50 {
		p := tcpPeer(t, l.Stack)
		p.raw([]byte(fmt.Sprintf("OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bKvia%d\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: via\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", ln.Addr(), i)))
		_ = p.tcp.(*net.TCPConn).SetLinger(0)
		p.tcp.Close()
	}
	req := sip.NewRequest(sip.OPTIONS, sip.Uri{Scheme: "sip", Host: "x"})
	via := &sip.ViaHeader{ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: "TCP", Host: "127.0.0.1", Port: int(addrPort(ln.Addr().String()).Port())}
	req.AppendHeader(via)
	req.SetTransport("TCP")
	req.SetDestination(ln.Addr().String())
	if err := l.tpl.WriteMsg(req); err == nil {
		t.Error("the library connects to where it likes")
	}
	_ = ln.(*net.TCPListener).SetDeadline(time.Now())
	if c, err := ln.Accept(); err == nil {
		c.Close()
		t.Error("connected to a Via")
	}
}

// One socket for all: the library would open one for each destination.
func TestOneSocket(t *testing.T) {
	l := newLab(t)
	for range 10 {
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := l.Invite(Outgoing{URI: "sip:x@" + c.LocalAddr().String(), From: "<sip:a@b.example>", To: "<sip:x@y.example>"}, func(Event) {}); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(patience))
		_, from, err := c.ReadFrom(make([]byte, 2000))
		if err != nil || from.String() != l.Addr("udp").String() {
			t.Errorf("from %v, %v", from, err)
		}
	}
}

func TestFlowLost(t *testing.T) {
	l := newLab(t)
	p := tcpPeer(t, l.Stack)
	c, _ := p.establish(l)
	p.tcp.Close() // its Contact names a port nobody listens on
	if e := event[FlowLost](t, c); e.Err == nil {
		t.Error("no cause")
	}
	c.Bye(nil)
	if r := event[Replied](t, c); r.Code != 503 {
		t.Errorf("%+v", r)
	}

	// A caller that goes while it rings.
	p = tcpPeer(t, l.Stack)
	p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	c = l.call()
	p.expect("100 INVITE")
	p.tcp.Close()
	event[FlowLost](t, c)
	if err := c.Accept(nil, nil); err != ErrGone {
		t.Errorf("Accept: %v", err)
	}

	// One that can be reached another way is not lost.
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	p = tcpPeer(t, l.Stack)
	p.contact = "<sip:x@" + ln.Addr().String() + ";transport=tcp>"
	c, _ = p.establish(l)
	p.tcp.Close()
	probe, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	probe.Close()
	c.Bye(nil)
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	q := overTCP(t, l.Stack, conn)
	q.reply(q.expect("BYE"), 200, "", "", "")
	event[Replied](t, c)
}

// A caller that sends BYE and closes at once gets no 200, but its call ends.
func TestByeAndClose(t *testing.T) {
	l := newLab(t)
	for range 20 {
		p := tcpPeer(t, l.Stack)
		c, ok := p.establish(l)
		p.ask(ask{method: "BYE", cseq: 2, to: ok.get("To")})
		_ = p.tcp.(*net.TCPConn).SetLinger(0)
		p.tcp.Close()
		switch e := take(t, c.events, "the end"); e.(type) {
		case Ended, FlowLost: // the reset may have swallowed the BYE
		default:
			t.Errorf("%T", e)
		}
	}
}

func TestWildcardListener(t *testing.T) {
	for _, a := range []string{"0.0.0.0:0", "[::]:0"} {
		l := newLab(t, func(o *Options) {
			o.Listen = []Listen{{"udp", netip.MustParseAddrPort(a)}, {"tcp", netip.MustParseAddrPort(a)}}
		})
		p := newPeer(t, l.Stack)
		c, _ := p.establish(l)
		c.Bye(nil)
		bye := p.expect("BYE")
		if !strings.Contains(bye.get("Via"), fmt.Sprintf("127.0.0.1:%d", l.Addr("udp").Port())) {
			t.Errorf("%s: %s", a, bye.raw)
		}
		p.reply(bye, 200, "", "", "")
		event[Replied](t, c)
		tp := tcpPeer(t, l.Stack)
		c, ok := tp.establish(l)
		if !strings.Contains(ok.get("Contact"), fmt.Sprintf("127.0.0.1:%d;transport=tcp", l.Addr("tcp").Port())) {
			t.Errorf("%s: %s", a, ok.raw)
		}
		c.Bye(nil)
		tp.expect("BYE")
	}
}

func TestAdvertise(t *testing.T) {
	l := newLab(t, func(o *Options) { o.Advertise = "sip.example.com" })
	p := newPeer(t, l.Stack)
	_, inv := p.answered(l)
	want := fmt.Sprintf("sip.example.com:%d", l.Addr("udp").Port())
	if !strings.Contains(inv.get("Via"), want) || !strings.Contains(inv.get("Contact"), want) {
		t.Errorf("INVITE: %s", inv.raw)
	}
}

func TestSilentConnectionsEnd(t *testing.T) {
	l := newLab(t, func(o *Options) { o.timers.firstByte = 2 * testT1; o.timers.assemble = 2 * testT1 })
	for _, send := range []string{"", "\r\n\r\n", "OPTIONS sip:x@y SIP/2.0\r\nVia: x"} {
		p := tcpPeer(t, l.Stack)
		p.raw([]byte(send))
		for range p.in { // until the stack closes it
		}
	}
	// A half message after a whole one.
	p := tcpPeer(t, l.Stack)
	p.ask(ask{method: "OPTIONS", cseq: 1})
	p.expect("200 OPTIONS")
	p.raw([]byte("OPTIONS sip:x@y SIP/2.0\r\n"))
	if _, ok := <-p.in; ok {
		t.Error("answered")
	}
}

type failing struct {
	net.Listener
	left int
}

func (f *failing) Accept() (net.Conn, error) {
	if f.left--; f.left >= 0 {
		return nil, fmt.Errorf("accept: %w", os.ErrDeadlineExceeded)
	}
	return f.Listener.Accept()
}

// Running out of file descriptors must not end the listener.
func TestAcceptErrorsAreSurvived(t *testing.T) {
	s, err := New(Options{
		Listen:  []Listen{{"tcp", netip.MustParseAddrPort("127.0.0.1:0")}},
		Allow:   func(netip.Addr) bool { return true },
		Handler: &handler{}, timers: testTimers,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.tcp[0].Listener = &failing{s.tcp[0].Listener, 3}
	s.Start()
	p := tcpPeer(t, s)
	p.ask(ask{method: "OPTIONS", cseq: 1})
	p.expect("200 OPTIONS")
}

func TestConnectionCap(t *testing.T) {
	l := newLab(t)
	for range maxConnsSource {
		p := tcpPeer(t, l.Stack)
		p.ask(ask{method: "OPTIONS", cseq: 1})
		p.expect("200 OPTIONS")
	}
	if _, ok := <-tcpPeer(t, l.Stack).in; ok {
		t.Error("one more was served")
	}
}

// A parse error is logged by the library with the whole message.
func TestNoMessageInLogs(t *testing.T) {
	l := newLab(t)
	p, tp := newPeer(t, l.Stack), tcpPeer(t, l.Stack)
	bad := []byte("INVITE sip:+447700900123@x SIP/2.0\r\nFrom secret-name\r\nCSeq: x\r\n\r\n")
	p.raw(bad)
	tp.raw(bad)
	for range tp.in {
	}
	p.ask(ask{method: "OPTIONS", cseq: 1})
	p.expect("200 OPTIONS")
	seen := false
	for _, e := range l.log.All() {
		seen = seen || e.LoggerName == "stack.sipgo"
		if all := e.Message + fmt.Sprint(e.ContextMap()); strings.Contains(all, "900123") || strings.Contains(all, "secret") {
			t.Errorf("logged: %s", all)
		}
	}
	if !seen {
		t.Error("the library's log is not heard at all: this test proves nothing")
	}
}

// Each message of RFC 4475 and RFC 5118, to a listener that has a call up.
func TestTorture(t *testing.T) {
	files, err := filepath.Glob("testdata/rfc*/*.dat")
	if err != nil || len(files) != 61 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	// What must be answered, by the names of the RFCs' sections.
	want := map[string]string{
		"badvers": "505", "bext01": "420", "invut": "415", "mcl01": "400", "multi01": "400", "insuf": "400",
		"mismatch01": "400", "mismatch02": "400", "unkscm": "416", "escruri": "400", "sdp01": "406",
		"ipv6-good": "404", "zeromf": "200", "ipv6-bug-abnf-3-colons": "400",
	}
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c, ok := p.establish(l)
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(f), ".dat")
		sender, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(l.Addr("udp")))
		if err != nil {
			t.Fatal(err)
		}
		// Answers go to the Via's port, which the message chose: ask for rport.
		// Many of the messages share a branch: they would be one transaction.
		text := strings.Replace(string(data), ";branch=z9hG4bK", ";rport;branch=z9hG4bK"+name, 1)
		if name == "badbranch" {
			text = string(data)
		}
		if _, err := sender.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if code := want[name]; code != "" {
			buf := make([]byte, 65535)
			_ = sender.SetReadDeadline(time.Now().Add(patience))
			if n, err := sender.Read(buf); err != nil || !strings.HasPrefix(string(buf[:n]), "SIP/2.0 "+code+" ") {
				t.Errorf("%s: %q %v, want %s", name, strings.SplitN(string(buf[:n]), "\r\n", 2)[0], err, code)
			}
		}
		sender.Close()
		p.ask(ask{method: "OPTIONS", cseq: 1})
		p.expect("200 OPTIONS")
		tp := tcpPeer(t, l.Stack) // and in a stream
		tp.raw(data)
		tp.tcp.(*net.TCPConn).CloseWrite()
		for range tp.in {
		}
	}
	p.ask(ask{method: "BYE", cseq: 2, to: ok.get("To")})
	p.expect("200 BYE")
	event[Ended](t, c)
	came := map[string]bool{}
	for len(l.h.calls) > 0 {
		id, _, _ := strings.Cut(l.call().req.Get("Call-ID"), ".")
		came[id] = true
	}
	for _, name := range []string{"longreq", "esc01"} { // wsinv has a To tag: 481
		if !came[name] {
			t.Errorf("%s did not come in", name)
		}
	}
	for _, name := range []string{"badinv01", "clerr", "ncl", "scalar02", "quotbal", "ltgtruri", "lwsruri", "lwsstart", "escruri", "insuf", "multi01", "mcl01", "invut", "sdp01"} {
		if came[name] {
			t.Errorf("%s came in", name)
		}
	}
}

// FuzzGuard: nothing that the filter and the parser let through makes the
// guards panic, and what they let in has what the dialog layer relies on.
func FuzzGuard(f *testing.F) {
	files, _ := filepath.Glob("testdata/rfc*/*.dat")
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	setLibrary(testTimers.withDefaults())
	parser := sip.NewParser()
	f.Fuzz(func(t *testing.T, data []byte) {
		if !soundDatagram(data) {
			return
		}
		m, err := parser.ParseSIP(data)
		if err != nil {
			return
		}
		m.SetTransport("UDP")
		m.SetSource("192.0.2.1:5060")
		req, ok := m.(*sip.Request)
		if !ok {
			messageOf(m, time.Time{})
			return
		}
		if _, err := sip.ServerTxKeyMake(req); err != nil {
			return
		}
		msg := messageOf(req, time.Time{})
		normaliseTags(req)
		if validate(req, msg) != nil {
			return
		}
		if req.To() == nil || tagOf(req.From().Params) == "" || msg.Get("Call-ID") == "" {
			t.Fatalf("let in without its essentials: %q", data)
		}
		for _, h := range msg.Headers {
			if strings.ContainsAny(h.Value, "\r\n\x00") || !token(h.Name) {
				t.Fatalf("header %q smuggled", h)
			}
		}
		if uri := contactOf(req.Contact(), msg); strings.ContainsAny(uri, "\r\n<> ") {
			t.Fatalf("target %q", uri)
		}
	})
}

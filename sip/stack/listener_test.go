package stack

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

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
	if err := c.Accept(nil, nil); !errors.Is(err, ErrGone) {
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
	const calls = 20
	var all []*call
	for range calls {
		p.callID = newName("lost")
		c, _ = p.establish(l)
		all = append(all, c)
	}
	p.tcp.Close()
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	q := overTCP(t, l.Stack, conn)
	for _, c := range all {
		c.Bye(nil)
		q.reply(q.expect("BYE"), 200, "", "", "")
		event[Replied](t, c)
	}
	_ = ln.(*net.TCPListener).SetDeadline(time.Now())
	if c, err := ln.Accept(); err == nil {
		c.Close()
		t.Errorf("more than one connection was made for %d calls", calls)
	}
}

// What comes over a connection that we made is read as anywhere else: a fold at
// the edge of a segment ends nothing.
func TestConnectionOfOurs(t *testing.T) {
	l := newLab(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c := l.to("sip:x@" + ln.Addr().String() + ";transport=tcp")
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	p := overTCP(t, l.Stack, conn)
	p.contact = "<sip:x@" + ln.Addr().String() + ";transport=tcp>"
	inv := p.expect("INVITE")
	p.reply(inv, 200, "peer", "", "v=0")
	event[Answered](t, c)
	_ = c.Ack(nil)
	p.expect("ACK")
	for i, method := range []string{"INFO", "BYE"} {
		msg := strings.ReplaceAll(fmt.Sprintf(`%s sip:x@127.0.0.1 SIP/2.0
Via: SIP/2.0/TCP %s;branch=z9hG4bKfold%d
From: %s;tag=peer
To: %s
Call-ID: %s
CSeq: %d %s
Subject: a
 folded
Content-Length: 0

`, method, ln.Addr(), i, inv.get("To"), inv.get("From"), inv.get("Call-ID"), i+1, method), "\n", "\r\n")
		edge := strings.Index(msg, " folded")
		p.raw([]byte(msg[:edge]))
		time.AfterFunc(20*time.Millisecond, func() { p.raw([]byte(msg[edge:])) })
		if method == "INFO" {
			_ = c.Reply(event[Requested](t, c).Request, 200, "", nil, nil)
		} else {
			event[Ended](t, c)
		}
		p.expect("200 " + method)
	}
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
		if c, err := net.ListenPacket("udp", a); err == nil {
			c.Close()
		} else if strings.HasPrefix(a, "[") {
			continue // this machine has no IPv6
		}
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
	t.Parallel()
	l := newLab(t, func(o *Options) { o.timers.firstByte = 2 * testT1 })
	for _, send := range []string{"", "\r\n\r\n", "OPTIONS sip:x@y SIP/2.0\r\nVia: x"} {
		p := tcpPeer(t, l.Stack)
		_, _ = p.tcp.Write([]byte(send)) // a slow machine may be too late with it
		p.closes()
	}
	// A half message after a whole one, which has all the time it wants.
	l = newLab(t, func(o *Options) { o.timers.firstByte, o.timers.assemble = time.Hour, 2*testT1 })
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

// A stranger gets so many connections and each for so long. Those that a phone
// has registered over are not among them, nor a trunk's.
func TestConnectionCap(t *testing.T) {
	side := phoneSide{make(chan netip.AddrPort, 1000)}
	l := newLab(t, withPhones(side), func(o *Options) { o.Allow = func(netip.Addr) bool { return false } })
	var phones []*peer
	for range maxConnsStranger + 20 {
		p := tcpPeer(t, l.Stack)
		p.ask(ask{method: "REGISTER", cseq: 1})
		p.expect("200 REGISTER")
		phones = append(phones, p)
	}
	l = newLab(t, withPhones(side), func(o *Options) { o.Allow = func(netip.Addr) bool { return false } })
	for range maxConnsStranger {
		p := tcpPeer(t, l.Stack)
		p.ask(ask{method: "OPTIONS", cseq: 1})
		p.expect("403 OPTIONS")
	}
	if _, ok := <-tcpPeer(t, l.Stack).in; ok {
		t.Error("one more was served")
	}
	if len(side.closed) > 0 {
		t.Errorf("%d of %d phones' connections were closed", len(side.closed), len(phones))
	}
	l = newLab(t)
	for range maxConnsStranger + 20 {
		p := tcpPeer(t, l.Stack)
		p.ask(ask{method: "OPTIONS", cseq: 1})
		p.expect("200 OPTIONS")
	}
}

// How long a connection lasts, by what came over it.
func TestConnectionLife(t *testing.T) {
	now := time.Now()
	f := &flow{s: &Stack{o: Options{timers: timers{}.withDefaults()}}, opened: now, idle: now.Add(2 * time.Hour)}
	if got := f.limit(); got != now.Add(10*time.Second) {
		t.Errorf("silent: %v", got.Sub(now))
	}
	f.known = true
	if got := f.limit(); got != now.Add(strangerTime) {
		t.Errorf("refused: %v", got.Sub(now))
	}
	f.proven.Store(true)
	if got := f.limit(); got != f.idle {
		t.Errorf("a phone's: %v", got.Sub(now))
	}
}

// A subscriber has more IPv6 addresses than there are connections.
func TestConnectionsOfOneSubscriber(t *testing.T) {
	fs := newFlows()
	add := func(host string) (*flow, bool) {
		f := &flow{peer: netip.AddrPortFrom(netip.MustParseAddr(host), 5060), transport: "tcp", stranger: true}
		return f, fs.add(f)
	}
	var last *flow
	for i := range maxConnsStranger {
		f, ok := add(fmt.Sprintf("2001:db8::%x", i+1))
		if !ok {
			t.Fatalf("connection %d was refused", i)
		}
		last = f
	}
	if _, ok := add("2001:db8::ffff"); ok {
		t.Error("one more was let in from the same /64")
	}
	if _, ok := add("2001:db8:0:1::1"); !ok {
		t.Error("another subscriber is kept out")
	}
	fs.remove(last)
	if _, ok := add("2001:db8::ffff"); !ok {
		t.Error("the place of one that has gone is not given")
	}
	for i := range 2 * maxStrangers {
		add(fmt.Sprintf("2001:db8:1:%x::1", i))
	}
	if fs.strangers != maxStrangers {
		t.Errorf("%d strangers", fs.strangers)
	}
}

// A name is looked up; localhost needs no network.
func TestTargetByName(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := &call{events: make(chan Event, 10)}
	_, err := l.Invite(Outgoing{
		URI: fmt.Sprintf("sip:agent@localhost:%d", addrPort(p.addr()).Port()), From: "<sip:a@b.example>", To: "<sip:x@y.example>",
	}, func(e Event) { c.events <- e })
	if err != nil {
		t.Fatal(err)
	}
	p.reply(p.expect("INVITE"), 486, "x", "", "")
	event[Failed](t, c)
	if _, err := l.Invite(Outgoing{URI: "sip:x@no-such-name.invalid", From: "<sip:a@b.example>", To: "<sip:x@y.example>"}, func(e Event) { c.events <- e }); err != nil {
		t.Fatal(err)
	}
	if f := event[Failed](t, c); f.Code != 503 {
		t.Errorf("%+v", f)
	}
}

func TestIPv6(t *testing.T) {
	lo := netip.IPv6Loopback()
	if c, err := net.ListenUDP("udp6", net.UDPAddrFromAddrPort(netip.AddrPortFrom(lo, 0))); err != nil {
		t.Skip("this machine has no IPv6")
	} else {
		c.Close()
	}
	six := func(o *Options) {
		o.Listen = []Listen{{"udp", netip.AddrPortFrom(lo, 0)}, {"tcp", netip.AddrPortFrom(lo, 0)}}
		o.Allow = func(netip.Addr) bool { return true }
	}
	for _, transport := range []string{"udp", "tcp"} {
		caller, callee := newLab(t, six), newLab(t, six)
		c := &call{events: make(chan Event, 1000)}
		uri := fmt.Sprintf("sip:x@%s;transport=%s", callee.Addr(transport), transport)
		d, err := caller.Invite(Outgoing{URI: uri, From: "<sip:a@[::1]>", To: "<sip:x@[::1]>", Body: []byte("v=0")}, func(e Event) { c.events <- e })
		if err != nil {
			t.Fatal(err)
		}
		in := callee.call()
		_ = in.Progress(180, "", nil, nil)
		event[Progress](t, c)
		_ = in.Accept(nil, []byte("v=0"))
		event[Answered](t, c)
		_ = d.Ack(nil)
		event[Acked](t, in)
		in.Bye(nil)
		event[Ended](t, c)
		event[Replied](t, in)
	}
}

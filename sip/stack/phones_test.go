package stack

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
)

// phoneSide hears REGISTER from anywhere, and notes which connections ended.
type phoneSide struct{ closed chan netip.AddrPort }

func (phoneSide) Hears(_ netip.Addr, method string) bool { return method == "REGISTER" }

func (phoneSide) Register(req *Message) Answer {
	return Answer{Code: 200, Headers: []Header{{"Contact", req.Get("Contact") + ";expires=60"}, {"Call-ID", "forged"}}}
}

func (phoneSide) Challenge(*Message) Answer    { return Answer{} }
func (p phoneSide) Closed(peer netip.AddrPort) { p.closed <- peer }

func withPhones(p phoneSide) func(*Options) {
	return func(o *Options) { o.Phones = p }
}

// A telephone that no trunk knows may register, and nothing else: it calls
// nobody.
func TestStrangersRegister(t *testing.T) {
	l := newLab(t, withPhones(phoneSide{make(chan netip.AddrPort, 10)}))
	p := peerFrom(t, l.Stack, "127.0.0.2")
	p.ask(ask{method: "REGISTER", cseq: 1})
	ok := p.expect("200 REGISTER")
	if ok.get("Contact") != "<"+p.uri()+">;expires=60" || ok.get("Call-ID") != p.callID {
		t.Errorf("200 with %s, %s", ok.get("Contact"), ok.get("Call-ID"))
	}
	p.ask(ask{method: "INVITE", cseq: 2, body: "v=0 offer"})
	p.expect("403 INVITE")
	// What is dropped leaves no trace: the next answer is REGISTER's.
	for _, m := range []string{"MESSAGE", "SUBSCRIBE", "PUBLISH", "NOTIFY", "OPTIONS", "REFER", "BYE", "INFO"} {
		p.ask(ask{method: m, cseq: 3})
	}
	p.ask(ask{method: "REGISTER", cseq: 4})
	p.expect("200 REGISTER")
}

// dialNext calls a phone at its own address, whatever its URIs say.
func (l *lab) dialNext(uri, transport string, next netip.AddrPort) *call {
	l.t.Helper()
	c := &call{events: make(chan Event, 1000)}
	d, err := l.Invite(Outgoing{
		URI: uri, From: "<sip:07700900123@cordboard.example>", To: "<sip:agent@cordboard.example>",
		Body: []byte("v=0 offer"), Transport: transport, Next: next,
	}, func(e Event) { c.events <- e })
	if err != nil {
		l.t.Fatal(err)
	}
	c.Dialog = d
	return c
}

// A phone behind NAT says where nobody can send: everything of its dialog goes
// to where it is seen, ACK and BYE too.
func TestNextBehindNAT(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	p.contact = "<sip:agent@192.0.2.99:5060>"
	c := l.dialNext("sip:agent@192.0.2.99:5060", "udp", addrPort(p.udp.LocalAddr().String()))
	inv := p.expect("INVITE")
	if inv.first != "INVITE sip:agent@192.0.2.99:5060 SIP/2.0" {
		t.Error(inv.first)
	}
	p.reply(inv, 200, "peer", "", "v=0 answer")
	event[Answered](t, c)
	if err := c.Ack(nil); err != nil {
		t.Fatal(err)
	}
	p.expect("ACK")
	c.Bye(nil)
	p.reply(p.expect("BYE"), 200, "", "", "")
	event[Replied](t, c)
}

// A phone that came over a stream is called over that connection, and over no
// other when it is gone.
func TestNextOverItsConnection(t *testing.T) {
	for _, transport := range []string{"tcp", "tls"} {
		t.Run(transport, func(t *testing.T) { nextOver(t, transport) })
	}
}

func nextOver(t *testing.T, transport string) {
	side := phoneSide{make(chan netip.AddrPort, 10)}
	a := newAuthority(t)
	l := newLab(t, withPhones(side), withTLS(a))
	p := tcpPeer(t, l.Stack)
	if transport == "tls" {
		p = a.peer(l.Stack)
	}
	p.ask(ask{method: "REGISTER", cseq: 1})
	p.expect("200 REGISTER")
	own := addrPort(p.tcp.LocalAddr().String())
	uri := "sip:agent@192.0.2.99:5060;transport=" + transport
	p.contact = "<" + uri + ">"
	c := l.dialNext(uri, transport, own)
	inv := p.expect("INVITE")
	p.reply(inv, 200, "peer", "", "v=0 answer")
	event[Answered](t, c)
	if err := c.Ack(nil); err != nil {
		t.Fatal(err)
	}
	p.expect("ACK")
	c.Bye(nil)
	p.reply(p.expect("BYE"), 200, "", "", "")
	event[Replied](t, c)

	p.tcp.Close()
	if got := take(t, side.closed, "the end of the connection"); got != own {
		t.Errorf("closed %s, want %s", got, own)
	}
	// Whoever has the port now is not the phone.
	c = l.dialNext(uri, transport, own)
	if f := event[Failed](t, c); f.Code != 503 || !errors.Is(f.Err, errFlow) {
		t.Errorf("%+v", f)
	}
}

// callingSide hears calls too, from where a phone is registered.
type callingSide struct{ phoneSide }

func (callingSide) Challenge(req *Message) Answer {
	if req.Get("Authorization") == "" {
		return Answer{Code: 401, Headers: []Header{{"WWW-Authenticate", "Digest"}}}
	}
	return Answer{}
}

func (callingSide) Hears(_ netip.Addr, method string) bool {
	return method == "INVITE" || method == "CANCEL"
}

// A registered phone behind NAT calls: its ACK of a refusal is heard, so that it is
// not repeated; REFER is in what it may send, and what is sent in the dialog goes to
// where it is seen.
func TestRegisteredPhoneCalls(t *testing.T) {
	l := newLab(t, func(o *Options) { o.Rate, o.Phones = 3, callingSide{phoneSide{make(chan netip.AddrPort, 10)}} })
	p := peerFrom(t, l.Stack, "127.0.0.2")
	p.contact = "<sip:agent@192.0.2.99:5060>"
	for range 50 { // many more than calls may come in a second: none of them is one
		branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0 offer"})
		p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: p.expect("401 INVITE").get("To")})
	}
	if n := l.Sizes(); n.Invites != 0 || n.Dialogs != 0 {
		t.Errorf("kept of calls without credentials: %+v", n)
	}

	const shown = "Authorization: Digest\r\n"
	branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0 offer", extra: shown})
	if err := l.call().Reject(401, "", []Header{{"WWW-Authenticate", "Digest"}}); err != nil {
		t.Fatal(err)
	}
	p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: p.expect("401 INVITE").get("To")})
	eventually(t, "the refusal is acknowledged", func() bool { return l.Sizes().Invites == 0 })

	p.ask(ask{method: "INVITE", cseq: 2, body: "v=0 offer", extra: shown})
	c := l.call()
	if err := c.Accept(nil, []byte("v=0 answer")); err != nil {
		t.Fatal(err)
	}
	ok := p.await("200 INVITE")
	if !strings.Contains(ok.get("Allow"), "REFER") {
		t.Errorf("the phone may send %s", ok.get("Allow"))
	}
	p.ask(ask{method: "ACK", cseq: 2, to: ok.get("To")})
	event[Acked](t, c)
	c.Bye(nil)
	p.reply(p.await("BYE"), 200, "", "", "")
	event[Replied](t, c)

	branch = p.ask(ask{method: "INVITE", cseq: 3, body: "v=0 offer", extra: shown, from: "<sip:agent@127.0.0.1>;tag=other"})
	c = l.call()
	p.ask(ask{method: "CANCEL", cseq: 3, branch: branch, from: "<sip:agent@127.0.0.1>;tag=other"})
	event[Canceled](t, c)
}

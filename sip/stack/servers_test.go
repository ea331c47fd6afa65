package stack

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/sip/digest"
	"github.com/cordboard/cordboard/sip/locate"
	"github.com/cordboard/cordboard/sip/locate/dnstest"
)

// named is a lab whose names one DNS server knows.
func named(t *testing.T, change ...func(*Options)) (*lab, *dnstest.Server) {
	dns := dnstest.Start(t)
	return newLab(t, append(change, func(o *Options) { o.DNS = []netip.AddrPort{dns.Addr()} })...), dns
}

// serve gives trunk.example servers at the peers' ports, the first first.
func serve(dns *dnstest.Server, peers ...*peer) {
	var zone []string
	for i, p := range peers {
		at := addrPort(p.addr())
		zone = append(zone, fmt.Sprintf("_sip._udp.trunk.example. 300 SRV %d 0 %d s%d.trunk.example.", i, at.Port(), i), fmt.Sprintf("s%d.trunk.example. 300 A %s", i, at.Addr()))
	}
	dns.Set(zone...)
}

const trunkURI = "sip:+441632960012@trunk.example"

// A server that is silent is passed over after a while, and one that says 503 at
// once: within one INVITE of the owner's. What the silent one says after all makes
// no second call.
func TestNextServer(t *testing.T) {
	l, dns := named(t)
	silent, full, good := newPeer(t, l.Stack), newPeer(t, l.Stack), newPeer(t, l.Stack)
	serve(dns, silent, full, good)
	c := l.to(trunkURI)
	first := silent.expect("INVITE")
	refused := full.expect("INVITE")
	full.reply(refused, 503, "x", "", "")
	full.expect("ACK")
	inv := good.expect("INVITE")
	if inv.get("Call-ID") != first.get("Call-ID") || inv.get("From") != first.get("From") || inv.get("CSeq") != first.get("CSeq") ||
		inv.first != first.first || inv.body != first.body || inv.branch() == first.branch() || inv.branch() == refused.branch() {
		t.Errorf("the INVITE at the third server: %s\nat the first: %s", inv.raw, first.raw)
	}
	good.reply(inv, 180, "good", "", "")
	event[Progress](t, c)
	// The first wakes up.
	silent.reply(first, 180, "late", "", "")
	silent.reply(silent.expect("CANCEL"), 200, "late", "", "")
	silent.reply(first, 200, "late", "", "v=0") // before that
	ends := silent.awaitAll("ACK", "BYE")
	if ends["BYE"].tag("To") != "late" {
		t.Error(ends["BYE"].raw)
	}
	silent.reply(ends["BYE"], 200, "", "", "")
	good.reply(inv, 200, "good", "", "v=0")
	event[Answered](t, c)
	_ = c.Ack(nil)
	good.expect("ACK")
	c.Bye(nil)
	good.reply(good.expect("BYE"), 200, "", "", "")
	event[Replied](t, c)
	c.none(t)
	for _, p := range []*peer{silent, full} {
		if n := len(p.in); n != 0 {
			t.Errorf("%d more messages to a server that was left", n)
		}
	}
}

// The next call leaves out who was silent, and begins with who said 503 to that one
// alone; where he said for how long, he is left out too.
func TestServerRemembered(t *testing.T) {
	l, dns := named(t)
	silent, full, good := newPeer(t, l.Stack), newPeer(t, l.Stack), newPeer(t, l.Stack)
	serve(dns, silent, full, good)
	for i, more := range []string{"", "Retry-After: 30", ""} {
		c := l.to(trunkURI)
		if i == 0 {
			silent.expect("INVITE")
		}
		if i < 2 {
			full.reply(full.expect("INVITE"), 503, "x", more, "")
			full.expect("ACK")
		}
		good.reply(good.expect("INVITE"), 486, "x", "", "")
		good.expect("ACK")
		if f := event[Failed](t, c); f.Code != 486 {
			t.Errorf("%+v", f)
		}
	}
	if len(silent.in)+len(full.in) != 0 {
		t.Error("a server that is passed over was called")
	}
	logged := l.log.FilterMessage("a server of a name gives no answer: it is passed over").All()
	if len(logged) != 1 || !strings.HasSuffix(logged[0].ContextMap()["server"].(string), silent.addr()) {
		t.Errorf("logged: %+v", logged)
	}
}

// All servers fail: the owner hears of the last. One that has said Trying has the
// call, and nobody else gets it.
func TestNoServerLeft(t *testing.T) {
	l, dns := named(t)
	a, b := newPeer(t, l.Stack), newPeer(t, l.Stack)
	serve(dns, a, b)
	c := l.to(trunkURI)
	a.reply(a.expect("INVITE"), 503, "x", "", "")
	b.reply(b.expect("INVITE"), 503, "x", "", "")
	if f := event[Failed](t, c); f.Code != 503 || f.Response == nil {
		t.Errorf("%+v", f)
	}
	a.expect("ACK")
	b.expect("ACK")
	c = l.to(trunkURI)
	inv := a.expect("INVITE")
	a.reply(inv, 100, "", "", "")
	for end := time.Now().Add(patience); !c.Heard(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the 100 is not heard")
		}
	}
	c.mu.Lock()
	if !c.call.settled() {
		t.Error("an INVITE that a server has in hand is to be left")
	}
	c.mu.Unlock()
	a.reply(inv, 486, "x", "", "")
	if f := event[Failed](t, c); f.Code != 486 {
		t.Errorf("%+v", f)
	}
	if len(b.in) != 0 {
		t.Error("a call that a server has in hand went to the next")
	}
	// Given up while nobody answers: no other server hears of it.
	c = l.to(trunkURI)
	a.expect("ACK")
	a.expect("INVITE")
	c.Cancel()
	if f := event[Failed](t, c); f.Code != 408 || len(b.in) != 0 {
		t.Errorf("%+v, %d at the next server", f, len(b.in))
	}
}

// NAPTR says TCP: the call goes by a connection, and where none can be made to the
// first server, to the second. REGISTER and OPTIONS find their way likewise.
func TestByNAPTR(t *testing.T) {
	l, dns := named(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	open, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	udp := newPeer(t, l.Stack)
	port := func(a net.Addr) uint16 { return addrPort(a.String()).Port() }
	dns.Set(
		`trunk.example. 300 NAPTR 1 1 "s" "SIP+D2T" "" _sip._tcp.trunk.example.`, `trunk.example. 300 NAPTR 1 2 "s" "SIP+D2U" "" _sip._udp.trunk.example.`,
		fmt.Sprintf("_sip._tcp.trunk.example. 300 SRV 1 0 %d s.trunk.example.", port(closed.Addr())),
		fmt.Sprintf("_sip._tcp.trunk.example. 300 SRV 2 0 %d s.trunk.example.", port(open.Addr())),
		fmt.Sprintf("_sip._udp.trunk.example. 300 SRV 1 0 %d s.trunk.example.", addrPort(udp.addr()).Port()), "s.trunk.example. 300 A 127.0.0.1",
	)
	c := l.to(trunkURI)
	conn, err := open.Accept()
	if err != nil {
		t.Fatal(err)
	}
	p := overTCP(t, l.Stack, conn)
	p.contact = "<" + trunkURI + ">" // by its name: where the call went
	inv := p.expect("INVITE")
	if !strings.Contains(inv.get("Via"), "/TCP ") || !strings.Contains(inv.get("Contact"), "transport=tcp") {
		t.Error(inv.raw)
	}
	p.reply(inv, 200, "x", "", "v=0")
	event[Answered](t, c)
	_ = c.Ack(nil)
	p.expect("ACK")
	c.Bye(nil)
	p.reply(p.expect("BYE"), 200, "", "", "")
	event[Replied](t, c)

	pinged := make(chan int, 1)
	go func() { pinged <- l.Ping(t.Context(), "sip:trunk.example", "", netip.AddrPort{}) }()
	p.reply(p.expect("OPTIONS"), 200, "x", "", "")
	if code := take(t, pinged, "the OPTIONS' answer"); code != 200 {
		t.Error(code)
	}
	r, err := l.NewRegistration(Registering{URI: "sip:trunk.example", AOR: "sip:office@trunk.example", User: "office"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	registered := make(chan Registered, 1)
	go func() { registered <- r.Register(t.Context(), time.Minute) }()
	p.reply(p.expect("REGISTER"), 503, "x", "", "")
	udp.reply(udp.expect("REGISTER"), 200, "x", "Expires: 60", "")
	if got := take(t, registered, "the registration"); got.Code != 200 || got.Expires != time.Minute {
		t.Errorf("%+v", got)
	}
}

// byName makes a call by login to the trunk's name.
func (l *lab) byName() *call {
	c := &call{events: make(chan Event, 1000)}
	d, err := l.Invite(Outgoing{
		URI: trunkURI, From: "<sip:+441632960000@cordboard.example>", To: "<" + trunkURI + ">", Body: []byte("v=0"),
		Login: NewLogin("carrier", "office", loginRealm, loginPassword),
	}, func(e Event) { c.events <- e })
	if err != nil {
		l.t.Fatal(err)
	}
	c.Dialog = d
	return c
}

// Every server of the trunk's own name is shown the password, the answer goes to
// that which asked, and by a nonce of its own. A server that the Contact names by its
// address, though it be one of the name's, is none that was called (ADR 0043): it is
// shown nothing unless it stands in from.
func TestLoginByName(t *testing.T) {
	l, dns := named(t)
	a, b := newPeer(t, l.Stack), peerFrom(t, l.Stack, "127.0.0.2")
	serve(dns, a, b)
	c := l.byName()
	a.challenge(a.expect("INVITE"), 401, asks(loginRealm, "na", "MD5", ""))
	inv := a.awaitAll("ACK", "INVITE")["INVITE"]
	a.shows(inv, "Authorization", "na", digest.MD5, "00000001")
	a.reply(inv, 503, "x", "", "")
	inv = b.expect("INVITE")
	b.shownNothing(inv)
	b.challenge(inv, 401, asks(loginRealm, "nb", "MD5", ""))
	inv = b.awaitAll("ACK", "INVITE")["INVITE"]
	b.shows(inv, "Authorization", "nb", digest.MD5, "00000001")
	b.contact = "<" + trunkURI + ">"
	b.reply(inv, 200, "x", "", "v=0")
	event[Answered](t, c)
	_ = c.Ack(nil)
	b.expect("ACK")
	_, _ = c.Reinvite(nil, []byte("v=0 again")) // by the name: with the server that took the call
	re := b.expect("INVITE")
	b.shows(re, "Authorization", "nb", digest.MD5, "00000002")
	b.contact = "<" + a.uri() + ">" // the sibling's address
	b.reply(re, 200, "x", "", "v=0")
	event[Replied](t, c)
	_ = c.Ack(nil)
	a.await("ACK") // of the 503
	ack := a.await("ACK")
	a.shownNothing(ack)
	c.Bye(nil)
	bye := a.expect("BYE")
	a.shownNothing(bye)
	a.challenge(bye, 401, asks(loginRealm, "na", "MD5", ""))
	if r := event[Replied](t, c); r.Method != "BYE" || r.Code != 401 {
		t.Errorf("%+v", r)
	}
	l.hidesPassword()
}

// Whoever has taken the place of a trunk's name is not the trunk: the peer that
// speaks while the name can't be looked up, or from before a NAT where it gives a
// private address. He is reached, and shown nothing.
func TestLoginInTheNamesPlace(t *testing.T) {
	l, dns := named(t)
	peer := netip.MustParseAddrPort("203.0.113.9:5060")
	login := NewLogin("carrier", "office", loginRealm, loginPassword)
	called := home{host: "trunk.example", way: way{to: netip.MustParseAddrPort("198.51.100.7:5060")}}
	for name, c := range map[string]struct {
		record string
		to     netip.AddrPort
		shown  bool
	}{
		"the name's own":            {"trunk.example. 300 A 198.51.100.8", netip.MustParseAddrPort("198.51.100.8:5080"), true},
		"the name does not resolve": {"other.example. 300 A 198.51.100.8", peer, false},
		"behind a NAT":              {"trunk.example. 300 A 10.1.2.3", peer, false},
	} {
		t.Run(name, func(t *testing.T) {
			dns.Set(c.record)
			l.names = locate.New(locate.Options{DNS: []netip.AddrPort{dns.Addr()}})
			sp := &spec{
				method: "BYE", uri: "sip:x@trunk.example:5080", from: "<sip:a@b.example>", fromTag: "f", to: "<sip:c@d.example>", toTag: "t",
				callID: "place", cseq: 2, branch: l.newBranch(), peer: peer, over: "udp", login: login, home: called,
				shown: []challenge{{nonce: "n", algorithm: digest.MD5, count: 2}},
			}
			out, err := l.assemble(t.Context(), sp)
			if err != nil {
				t.Fatal(err)
			}
			if out.way.to != c.to {
				t.Errorf("goes to %s, want %s", out.way.to, c.to)
			}
			if shown := strings.Contains(string(out.data), "Authorization:"); shown != c.shown || sp.athome != c.shown {
				t.Errorf("shown %v, at home %v, want %v", shown, sp.athome, c.shown)
			}
		})
	}
}

// SIPp as the second of two servers of a name, by UDP and by TCP as NAPTR says; the
// first is silent, or takes no connection.
func TestSIPpByName(t *testing.T) {
	t.Parallel()
	for transport, flag := range map[string]string{"udp": "u1", "tcp": "t1"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			l, dns := named(t, rfcTimers)
			port, dead := freePort(t), newPeer(t, l.Stack)
			service := map[string]string{"udp": "SIP+D2U", "tcp": "SIP+D2T"}[transport]
			dns.Set(
				fmt.Sprintf(`trunk.example. 300 NAPTR 1 1 "s" %q "" _sip._%s.trunk.example.`, service, transport),
				fmt.Sprintf("_sip._%s.trunk.example. 300 SRV 1 0 %d s.trunk.example.", transport, addrPort(dead.addr()).Port()),
				fmt.Sprintf("_sip._%s.trunk.example. 300 SRV 2 0 %d s.trunk.example.", transport, port), "s.trunk.example. 300 A 127.0.0.1",
			)
			const n = 5
			done := make(chan struct{})
			go func() {
				defer close(done)
				sipp(t, "-sn", "uas", "-m", strconv.Itoa(n), "-p", strconv.Itoa(port), "-t", flag)
			}()
			for end := time.Now().Add(patience); transport == "tcp"; time.Sleep(20 * time.Millisecond) {
				c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
				if err == nil {
					_ = c.Close()
					break
				} else if time.Now().After(end) {
					t.Fatal(err)
				}
			}
			for range n {
				c := l.to(trunkURI)
				event[Progress](t, c)
				event[Answered](t, c)
				_ = c.Ack(nil)
				c.Bye(nil)
				if r := event[Replied](t, c); r.Code != 200 {
					t.Errorf("%+v", r)
				}
			}
			<-done
			if calls := len(dead.in); transport == "udp" && calls != 1 {
				t.Errorf("the silent server was called %d times", calls)
			}
		})
	}
}

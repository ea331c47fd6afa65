package stack

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// What is sent by the goroutine that reads all datagrams goes to an address and
// nowhere else, however a peer writes the URI that says where: a name to look up
// or a connection to make would hold up every call.
func TestQuickRequestsNeverWait(t *testing.T) {
	for uri, quick := range map[string]bool{
		"sip:192.0.2.1": true, "sip:anna@192.0.2.1:5070": true, "<sip:anna@192.0.2.1:5070;lr>": true, "sip:192.0.2.1;lr;transport=udp": true,
		"sip:[2001:db8::1]:5070": true, "sip:anna@[2001:db8::1]": true, "sip:anna:word@192.0.2.1": true,

		"sip:phone.invalid": false, "sip:anna@phone.invalid:5060": false, "tel:192.0.2.1": false, "sips:192.0.2.1": false, "SIPS:192.0.2.1": false,
		"sip:192.0.2.1;transport=tcp": false, "sip:192.0.2.1;TRANSPORT=TCP": false, "sip:192.0.2.1;Transport=tls": false, "sip:192.0.2.1;transport = tcp": false,
		"<sip:phone.invalid;x=@192.0.2.1>": false, "sip:phone.invalid;x=@192.0.2.1": false, "sip:phone.invalid?x=@192.0.2.1": false,
		"sip:a@phone.invalid;x=@192.0.2.1:5060": false, "sip:192.0.2.1;@phone.invalid": false, "sip:192.0.2.1?@phone.invalid": false,
		"\"sip:192.0.2.1;\" <sip:phone.invalid;lr>": false, "sip:192.0.2.1; <sip:phone.invalid;lr>": false, "": false, "sip:": false, "<": false,
	} {
		for _, sp := range []*spec{{uri: uri}, {uri: "sip:192.0.2.7", routes: []string{uri}}} {
			if sp.quick() != quick {
				t.Errorf("%s: quick is %v", uri, !quick)
			}
			if !sp.quick() {
				continue
			}
			u, err := parseURI(uri)
			if tp, _ := transportOf(u); err != nil || tp != "udp" || !numericHost(u.Host).IsValid() {
				t.Errorf("%s: %s to %s, %v", uri, tp, u.Host, err)
			}
		}
	}
}

// A message that makes its reader panic ends no reader.
func TestPanicInParser(t *testing.T) {
	lo := netip.MustParseAddrPort("127.0.0.1:0")
	s, err := New(Options{
		Listen: []Listen{{"udp", lo}, {"tcp", lo}}, Allow: func(netip.Addr) bool { return true },
		Group:   func(netip.Addr) string { panic("boom") },
		Handler: &handler{calls: make(chan *call, 1)}, timers: testTimers,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Close() })
	for _, p := range []*peer{newPeer(t, s), tcpPeer(t, s)} {
		p.ask(ask{method: "INVITE", cseq: 1})
		p.ask(ask{method: "OPTIONS", cseq: 2})
		if m := p.expect("200 OPTIONS"); m.get("CSeq") != "2 OPTIONS" {
			t.Error(m.raw)
		}
	}
}

// A peer that reads nothing leaves half a message on its connection: that is
// closed, though there is always somebody who begins to write, and each of them
// is told.
func TestStuckConnectionIsClosed(t *testing.T) {
	l := newLab(t, func(o *Options) { o.timers.dial = 200 * time.Millisecond })
	c, err := net.Dial("tcp", l.Addr("tcp").String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f := func() *flow { return l.flows.to("tcp", addrPort(c.LocalAddr().String())) }
	if _, err := c.Write(optionsOver("TCP", "Content-Length: 0\r\n")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the connection is known", func() bool { return f() != nil && f().proven.Load() })
	if _, err := c.Read(make([]byte, 4096)); err != nil { // the 200: it is no silent one
		t.Fatal(err)
	}
	w := way{flow: f()}
	var writers sync.WaitGroup
	failed := make(chan error, 10_000)
	eventually(t, "the connection is closed", func() bool {
		writers.Go(func() { failed <- w.write(make([]byte, 64<<10)) })
		return f() == nil
	})
	writers.Wait()
	close(failed)
	errs := 0
	for err := range failed {
		if err != nil {
			errs++
		}
	}
	if errs == 0 {
		t.Error("no writer was told")
	}
}

// A response says where its request came from, if its Via does not (RFC 3261
// 18.2.1), and without rport goes to the port that the Via names (18.2.2).
func TestReceived(t *testing.T) {
	l := newLab(t)
	p, named := newPeer(t, l.Stack), newPeer(t, l.Stack)
	port := addrPort(named.addr()).Port()
	for n, c := range []struct{ sentBy, received string }{
		{"192.0.2.9", "127.0.0.1"}, {"gateway.invalid", "127.0.0.1"}, {"127.0.0.1", ""},
	} {
		p.send(fmt.Sprintf("MESSAGE sip:x@127.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP %s:%d;branch=%s\nMax-Forwards: 70\nFrom: <sip:a@b>;tag=1\nTo: <sip:x@y>\n"+
			"Call-ID: %d\nCSeq: 1 MESSAGE", c.sentBy, port, newName("z9hG4bKvia"), n), "")
		m := named.expect("404 MESSAGE")
		_, got, _ := strings.Cut(m.get("Via"), ";received=")
		if got != c.received {
			t.Errorf("sent by %s: received=%s", c.sentBy, got)
		}
	}
}

// Of the requests outside dialogs so many are remembered and no more; the others
// are answered all the same.
func TestRequestsRememberedAreBounded(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	p.ask(ask{method: "MESSAGE", cseq: 1})
	p.expect("404 MESSAGE")
	l.mu.Lock()
	for n := range maxOthers - len(l.others) {
		l.others["filled "+strconv.Itoa(n)] = &serverTx{s: l.Stack}
	}
	l.mu.Unlock()
	p.ask(ask{method: "MESSAGE", cseq: 2})
	p.expect("404 MESSAGE")
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.others) > maxOthers {
		t.Errorf("%d are remembered", len(l.others))
	}
}

package stack

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

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
		_ = tp.tcp.(*net.TCPConn).CloseWrite() // it may have been closed on us already
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
	f.Fuzz(func(t *testing.T, data []byte) {
		h, fields, ok := readHead(data, nil)
		if !ok {
			return
		}
		msg := h.message(data, fields, netip.MustParseAddrPort("192.0.2.1:5060"), "udp", time.Time{})
		if h.response {
			return
		}
		if _, ok := msg.transaction(msg.cseqMethod); !ok || validate(msg) != nil {
			return
		}
		if !msg.to || msg.fromTag == "" || msg.Get("Call-ID") == "" || msg.Get("Call-ID") != msg.callID {
			t.Fatalf("let in without its essentials: %q", data)
		}
		for _, h := range msg.Headers {
			if strings.ContainsAny(h.Value, "\r\n\x00") || !token(h.Name) {
				t.Fatalf("header %q smuggled", h)
			}
		}
		if uri := contactOf(msg); strings.ContainsAny(uri, "\r\n<> ") {
			t.Fatalf("target %q", uri)
		}
	})
}

package stack

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// streams runs a test over TCP and over TLS.
func streams(t *testing.T, f func(t *testing.T, l *lab, dial func() *peer)) {
	t.Run("tcp", func(t *testing.T) {
		l := newLab(t)
		f(t, l, func() *peer { return tcpPeer(t, l.Stack) })
	})
	t.Run("tls", func(t *testing.T) {
		a := newAuthority(t)
		l := newLab(t, withTLS(a))
		f(t, l, func() *peer { return a.peer(l.Stack) })
	})
}

// closes reads what a peer still gets until its connection ends.
func (p *peer) closes() (got []packet) {
	p.t.Helper()
	for {
		select {
		case m, open := <-p.in:
			if !open {
				return got
			}
			got = append(got, m)
		case <-time.After(patience):
			p.t.Fatal("the connection stays open")
		}
	}
}

func optionsOver(transport, extra string) []byte {
	return []byte("OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/" + transport + " 127.0.0.1:9;branch=" + newName("z9hG4bKgame") +
		"\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: game\r\nCSeq: 1 OPTIONS\r\n" + extra + "\r\n")
}

// Where a message ends must be beyond doubt: who frames a stream otherwise than
// the one before him lets a second request in unseen (CVE-2023-28097).
func TestContentLengthGames(t *testing.T) {
	streams(t, func(t *testing.T, l *lab, dial func() *peer) {
		for _, length := range []string{
			"Content-Length: -1", "Content-Length: 2147483648", "Content-Length: 4294967328", "Content-Length: 18446744073709551616",
			"Content-Length: 0\r\nContent-Length: 0", "Content-Length: 5\r\nl: 0", "l: 0\r\nl: 5", "Content-Length : 0\r\nContent-Length: 0",
			"Content-Length: 0x0", "Content-Length: +0", "Content-Length: 0, 0", "Content-Length: ", "Content-Length: 65536", "Content-Length: 1 0", "X-None: 1",
		} {
			p := dial()
			// What a lax reader would take for the next request.
			p.raw(append(optionsOver(p.transport(), length+"\r\n"), "INVITE sip:smuggled@127.0.0.1 SIP/2.0\r\n"...))
			got := p.closes()
			if len(got) != 1 || !got[0].is("400 OPTIONS") || !strings.Contains(got[0].get("To"), "tag=") {
				t.Errorf("%q: %v", length, got)
			}
		}
		p := dial()
		p.raw(optionsOver(p.transport(), "Content-Length: 3 \r\n"))
		p.raw([]byte("abc"))
		p.expect("200 OPTIONS")
		if len(l.h.calls) > 0 {
			t.Error("a smuggled request came in")
		}
	})
}

// A stream of what no message is made of ends, whatever it is, and costs its
// sender alone.
func TestStreamGarbage(t *testing.T) {
	streams(t, func(t *testing.T, l *lab, dial func() *peer) {
		whole := dial()
		start := "OPTIONS sip:x@127.0.0.1 SIP/2.0\r\n"
		for name, garbage := range map[string]string{
			"NUL":                   strings.Repeat("\x00", 5000),
			"CR":                    strings.Repeat("\r", 5000),
			"bare LF":               start + "Via: x\nCall-ID: y\r\n",
			"bare CR":               start + "Via: x\rCall-ID: y\r\n",
			"control before colon":  start + "To\x01: <sip:x@y>\r\n",
			"endless line":          start + "Via: " + strings.Repeat("x", 20_000),
			"endless start line":    strings.Repeat("x", 20_000),
			"endless headers":       start + strings.Repeat("X-A: 1\r\n", 20_000),
			"endless folded header": start + "X-A: 1\r\n" + strings.Repeat(" x\r\n", 30_000),
			"not SIP":               "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		} {
			p := dial()
			if _, err := p.tcp.Write([]byte(garbage)); err != nil {
				t.Logf("%s: %v", name, err) // closed while we were at it
			}
			if got := p.closes(); len(got) > 0 {
				t.Errorf("%s: answered %s", name, got[0].first)
			}
		}
		whole.ask(ask{method: "OPTIONS", cseq: 1})
		whole.expect("200 OPTIONS")
	})
}

// Keep-alives are answered, and are no message (RFC 5626 3.5.1).
func TestPing(t *testing.T) {
	l := newLab(t)
	c, err := net.Dial("tcp", l.Addr("tcp").String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	for range 3 {
		_, _ = c.Write([]byte("\r\n\r\n"))
		pong := make([]byte, 2)
		if _, err := c.Read(pong); err != nil || string(pong) != "\r\n" {
			t.Fatalf("%q %v", pong, err)
		}
	}
	_, _ = c.Write(append([]byte("\r\n"), optionsOver("TCP", "l: 0\r\n")...))
	buf := make([]byte, 12)
	if _, err := c.Read(buf); err != nil || string(buf) != "SIP/2.0 200 " {
		t.Errorf("%q %v", buf, err)
	}
}

// Wherever the network cuts a stream, the messages are the same: at a fold too.
func TestFramerCutAnywhere(t *testing.T) {
	files, _ := filepath.Glob("testdata/rfc*/*.dat")
	stream, want := []byte("\r\n"), [][]byte{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		switch filepath.Base(f) {
		case "wsinv.dat", "longreq.dat", "esc01.dat", "ipv6-good.dat", "unreason.dat":
			stream = append(append(stream, "\r\n\r\n"...), data...)
			want = append(want, []byte("\r\n\r\n"), data)
		}
	}
	if len(want) != 10 {
		t.Fatalf("%d messages", len(want))
	}
	// The CRLF before the first ping is skipped with half of it.
	stream, want = stream[2:], want[:]
	out := make([]byte, maxMessage)
	for cut := 1; cut < len(stream); cut++ {
		var f framer
		var got [][]byte
		for _, piece := range [][]byte{stream[:cut], stream[cut:]} {
			for len(piece) > 0 {
				n := copy(f.grow(), piece)
				f.read(n)
				piece = piece[n:]
				for {
					n, bad := f.next(out)
					if bad != "" {
						t.Fatalf("cut at %d: %s", cut, bad)
					}
					if n == 0 {
						break
					}
					got = append(got, bytes.Clone(out[:n]))
				}
			}
		}
		if len(got) != len(want) {
			t.Fatalf("cut at %d: %d messages, want %d", cut, len(got), len(want))
		}
		for i := range got {
			if !bytes.Equal(got[i], want[i]) {
				t.Fatalf("cut at %d: message %d is %.60q", cut, i, got[i])
			}
		}
	}
}

// An INVITE whose sender resets the connection after any number of bytes
// leaves neither call nor connection (CVE-2020-28327, CVE-2018-7286).
func TestInviteThenReset(t *testing.T) {
	streams(t, func(t *testing.T, l *lab, dial func() *peer) {
		l.h.onNew.Store(new(func(d *Dialog, _ *Message) {
			d.Bind(func(Event) {})
			_ = d.Progress(180, "", nil, nil)
		}))
		step := 3
		if l.o.TLS != nil {
			step = 17
		}
		size := 1
		for at := 0; at < size; at += step {
			p := dial()
			msg := []byte(fmt.Sprintf("INVITE sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/%s 127.0.0.1:9;branch=z9hG4bKreset%d\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: reset%d\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1:9>\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n", p.transport(), at, at))
			size = len(msg) + step
			p.raw(msg[:min(at, len(msg))])
			raw := p.tcp
			if s, ok := raw.(*tls.Conn); ok {
				raw = s.NetConn()
			}
			_ = raw.(*net.TCPConn).SetLinger(0)
			_ = raw.Close()
		}
		eventually(t, "no call, INVITE or connection is left", func() bool {
			l.flows.mu.Lock()
			n := len(l.flows.all)
			l.flows.mu.Unlock()
			return l.Calls() == 0 && l.remembered() == 0 && n == 0
		})
	})
}

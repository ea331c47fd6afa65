package stack

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// request is a whole message as text, to be spoiled.
func (p *peer) request(method, branch, extra string) string {
	if method == "CANCEL" || method == "ACK" {
		extra = ""
	}
	return fmt.Sprintf("%s sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=%s;rport\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: %s\r\nCSeq: 1 %s\r\nContact: <%s>\r\n%sContent-Length: 0\r\n\r\n",
		method, p.transport(), p.addr(), branch, branch, method, p.uri(), extra)
}

// answersAfter sends a message, then OPTIONS, and gives what came before the
// answer to that; over a stream that has ended it gives what came at all.
func (p *peer) answersAfter(l *lab, msg string) (*peer, []packet) {
	p.t.Helper()
	id := newName("after")
	if p.tcp != nil {
		_, _ = p.tcp.Write([]byte(msg))
		_, _ = p.tcp.Write([]byte(p.request("OPTIONS", "z9hG4bK"+id, "")))
	} else {
		p.raw([]byte(msg))
		p.raw([]byte(p.request("OPTIONS", "z9hG4bK"+id, "")))
	}
	var got []packet
	for {
		m := take(p.t, p.in, "an answer or the end")
		switch {
		case m.raw == "" && p.tcp != nil:
			return tcpPeer(p.t, l.Stack), got
		case m.branch() == "z9hG4bK"+id:
			return p, got
		}
		got = append(got, m)
	}
}

// Each header that a request must have, missing, doubled or empty, in each
// method: an answer of 4xx or none, and the server lives (GHSA-c623-f998-8hhv: a
// request without To ended the process).
func TestMandatoryHeaders(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		for _, method := range []string{"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "SUBSCRIBE", "NOTIFY", "MESSAGE", "INFO", "UPDATE", "PRACK", "REFER", "PUBLISH", "DANCE"} {
			for _, header := range []string{"Via", "From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length"} {
				for _, how := range []string{"missing", "doubled", "empty", "spaces", "long"} {
					branch := newName("z9hG4bKmust")
					msg := p.request(method, branch, "")
					i := strings.Index(msg, "\r\n"+header+":") + 2
					j := i + strings.Index(msg[i:], "\r\n") + 2
					line := msg[i:j]
					msg = msg[:i] + map[string]string{
						"missing": "", "doubled": line + line, "empty": header + ":\r\n", "spaces": header + " \t:   \r\n", "long": line[:len(line)-2] + strings.Repeat("9", 8300) + "\r\n",
					}[how] + msg[j:]
					var got []packet
					p, got = p.answersAfter(l, msg)
					lax := header == "Max-Forwards" && how != "doubled" || header == "Content-Length" && how == "missing" ||
						header == "Via" && how != "missing" || header == "Content-Length" && p.tcp == nil
					for _, m := range got {
						if !lax && m.branch() == branch && !strings.HasPrefix(m.first, "SIP/2.0 4") && (method != "DANCE" || !strings.HasPrefix(m.first, "SIP/2.0 405")) {
							t.Errorf("%s, %s %s: %s", method, header, how, m.raw)
						}
					}
					if method == "ACK" && header != "CSeq" && header != "Via" && p.tcp == nil {
						for _, m := range got {
							if m.branch() == branch { // an INVITE's answer may come late
								t.Errorf("ACK, %s %s: answered %s", header, how, m.first)
							}
						}
					}
				}
			}
		}
		for len(l.h.calls) > 0 { // Max-Forwards and Content-Length may be missing
			_ = l.call().Reject(486, "", nil)
		}
	})
}

// Tokens of every length in every place where one may stand (CVE-2017-9372,
// CVE-2018-8828): what comes back is the message's own or nothing.
func TestLongTokens(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		for _, n := range []int{0, 1, 31, 32, 33, 127, 128, 255, 256, 1023, 1024, 4095, 8100, 8191, 8192, 8193, 16_384, 60_000, 65_400, 70_000} {
			long := strings.Repeat("a", n)
			for _, place := range [][2]string{
				{"OPTIONS sip", long + " sip"}, {"sip:x@127.0.0.1 ", "sip:" + long + "@127.0.0.1 "}, {"sip:x@127.0.0.1 ", "sip:x@" + long + " "},
				{"branch=z9hG4bK", "branch=z9hG4bK" + long}, {";tag=1", ";tag=" + long}, {"To: <sip:x@y>", "To: <sip:x@y>;tag=" + long},
				{"Call-ID: ", "Call-ID: " + long}, {"1 OPTIONS", "1 " + long}, {"1 OPTIONS", long + " OPTIONS"}, {"Max-Forwards: 70", "Max-Forwards: 7" + strings.Repeat("0", n)},
				{"From: <", `From: "` + long + `" <`}, {"Contact: <", "Contact: <sip:" + long + "@x>, <"}, {"Content-Length", "X-" + long + ": y\r\nContent-Length"}, {"SIP/2.0/", "SIP/2.0/" + long + ", SIP/2.0/"},
			} {
				msg := p.request("OPTIONS", newName("z9hG4bKlong"), "")
				msg = strings.Replace(msg, place[0], place[1], 1)
				if p.tcp == nil && len(msg) > 65_000 {
					continue // no datagram
				}
				var got []packet
				p, got = p.answersAfter(l, msg)
				for _, m := range got {
					if id := m.get("Call-ID"); !strings.Contains(msg, "Call-ID: "+id) && !bytes.Contains([]byte(msg), []byte(id)) {
						t.Errorf("%d at %q: %.300s", n, place[0], m.raw)
					}
				}
			}
		}
	})
}

// Methods are case-sensitive (RFC 3261 7.1); the library folds them.
func TestMethodsAreCaseSensitive(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		for _, method := range []string{"invite", "Invite", "iNVITE"} {
			for _, cseq := range []string{method, "INVITE"} {
				msg := strings.Replace(p.request(method, newName("z9hG4bKcase"), ""), "CSeq: 1 "+method, "CSeq: 1 "+cseq, 1)
				var got []packet
				if p, got = p.answersAfter(l, msg); len(got) > 0 {
					t.Errorf("%s: %s", method, got[0].first)
				}
			}
		}
		if len(l.h.calls) > 0 {
			t.Error("a call came in")
		}
	})
}

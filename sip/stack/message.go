package stack

import (
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// compact maps the one-letter header names to the long ones (RFC 3261 7.3.3
// and the IANA registry).
var compact = map[string]string{
	"a": "accept-contact", "b": "referred-by", "c": "content-type",
	"d": "request-disposition", "e": "content-encoding", "f": "from",
	"i": "call-id", "j": "reject-contact", "k": "supported",
	"l": "content-length", "m": "contact", "o": "event", "r": "refer-to",
	"s": "subject", "t": "to", "u": "allow-events", "v": "via",
	"x": "session-expires", "y": "identity",
}

// fold gives the one spelling under which a header name is compared.
func fold(name string) string {
	n := strings.ToLower(name)
	if long, ok := compact[n]; ok {
		return long
	}
	return n
}

func get(h []Header, name string) string {
	want := fold(name)
	for i := range h {
		if fold(h[i].Name) == want {
			return h[i].Value
		}
	}
	return ""
}

func has(h []Header, name string) bool {
	want := fold(name)
	for i := range h {
		if fold(h[i].Name) == want {
			return true
		}
	}
	return false
}

// Values returns every value of the header in message order, compact forms
// folded. Lists in one header are not split, but for Via, Contact, Route and
// Record-Route.
func (m *Message) Values(name string) []string {
	want := fold(name)
	var out []string
	for _, h := range m.Headers {
		if fold(h.Name) == want {
			out = append(out, h.Value)
		}
	}
	return out
}

func headersOf(in []sip.Header) []Header {
	out := make([]Header, 0, len(in))
	for _, h := range in {
		if _, ours := h.(stamp); ours {
			continue
		}
		out = append(out, Header{Name: h.Name(), Value: h.Value()})
	}
	return out
}

// messageOf copies what was received. It must run before anything of ours is
// written into the message.
func messageOf(m sip.Message, at time.Time) *Message {
	out := &Message{
		Body:      append([]byte(nil), m.Body()...),
		Source:    addrPort(m.Source()),
		Transport: strings.ToLower(m.Transport()),
		At:        at,
	}
	switch m := m.(type) {
	case *sip.Request:
		out.Method = string(m.Method)
		out.URI = m.Recipient.String()
		out.Headers = headersOf(m.Headers())
	case *sip.Response:
		out.Status, out.Reason = m.StatusCode, m.Reason
		if cseq := m.CSeq(); cseq != nil {
			out.Method = string(cseq.MethodName)
		}
		out.Headers = headersOf(m.Headers())
	}
	return out
}

func addrPort(s string) netip.AddrPort {
	ap, err := netip.ParseAddrPort(s)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}

// clean takes out of a value what would end the header it is put into: the
// library writes values as they are given.
func clean(v string) string {
	bad := func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
	if strings.IndexFunc(v, bad) < 0 {
		return v
	}
	return strings.Map(func(r rune) rune {
		if bad(r) {
			return -1
		}
		return r
	}, v)
}

// token reports whether s is a token of RFC 3261 25.1.
func token(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte("-.!%*_+`'~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// ownHeaders are written by the stack alone; an owner's are left out.
var ownHeaders = map[string]bool{
	"via": true, "from": true, "to": true, "call-id": true, "cseq": true,
	"max-forwards": true, "route": true, "record-route": true, "contact": true,
	"content-length": true,
}

// appendHeaders adds an owner's headers to a message. Names that are no tokens
// and those that belong to the stack are left out.
func appendHeaders(m sip.Message, hs []Header) {
	for _, h := range hs {
		if token(h.Name) && !ownHeaders[fold(h.Name)] {
			m.AppendHeader(sip.NewHeader(h.Name, clean(h.Value)))
		}
	}
}

// setBody sets body and Content-Type, which an owner's headers may name.
func setBody(m sip.Message, hs []Header, contentType string, body []byte) {
	if len(body) > 0 && !has(hs, "Content-Type") {
		if contentType == "" {
			contentType = "application/sdp"
		}
		m.AppendHeader(sip.NewHeader("Content-Type", clean(contentType)))
	}
	m.SetBody(body)
}

// withTag gives the name-addr with the tag of the dialog.
func withTag(nameAddr, tag string) string {
	if tag == "" {
		return nameAddr
	}
	return nameAddr + ";tag=" + tag
}

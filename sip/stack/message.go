package stack

import (
	"net/netip"
	"slices"
	"strings"
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

// spelled are the usual spellings of names and the one they are compared under:
// most names are one of them.
var spelled = map[string]string{
	"Via": "via", "From": "from", "To": "to", "Call-ID": "call-id", "CSeq": "cseq", "Contact": "contact",
	"Max-Forwards": "max-forwards", "Content-Type": "content-type", "Content-Length": "content-length",
	"Allow": "allow", "Supported": "supported", "Require": "require", "Route": "route", "Record-Route": "record-route",
	"User-Agent": "user-agent", "Server": "server", "Accept": "accept", "Expires": "expires", "Reason": "reason",
	"Session-Expires": "session-expires", "Min-SE": "min-se", "P-Asserted-Identity": "p-asserted-identity",
	"Privacy": "privacy", "Accept-Encoding": "accept-encoding",
}

// fold gives the one spelling under which a header name is compared.
func fold(name string) string {
	if n, ok := spelled[name]; ok {
		return n
	}
	n := strings.ToLower(name)
	if long, ok := compact[n]; ok {
		return long
	}
	return n
}

// is reports whether a header's name is the one of which want is the fold.
func is(name, want string) bool {
	if len(name) == 1 {
		return fold(name) == want
	}
	return len(name) == len(want) && strings.EqualFold(name, want)
}

func find(h []Header, name string) int {
	want := fold(name)
	return slices.IndexFunc(h, func(h Header) bool { return is(h.Name, want) })
}

func get(h []Header, name string) string {
	if i := find(h, name); i >= 0 {
		return h[i].Value
	}
	return ""
}

func has(h []Header, name string) bool { return find(h, name) >= 0 }

// Values returns every value of the header in message order, compact forms
// folded. Lists in one header are not split, but for Via, Contact, Route and
// Record-Route.
func (m *Message) Values(name string) []string {
	want := fold(name)
	var out []string
	for _, h := range m.Headers {
		if is(h.Name, want) {
			out = append(out, h.Value)
		}
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
	if isClean(v) {
		return v
	}
	bad := func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
	return strings.Map(func(r rune) rune {
		if bad(r) {
			return -1
		}
		return r
	}, v)
}

// isClean reports whether clean would leave the value as it is.
func isClean(v string) bool {
	for i := 0; i < len(v); i++ {
		if c := v[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
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

// withTag gives the name-addr with the tag of the dialog.
func withTag(nameAddr, tag string) string {
	if tag == "" {
		return nameAddr
	}
	return nameAddr + ";tag=" + tag
}

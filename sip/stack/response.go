package stack

import (
	"net/netip"
	"strconv"
	"strings"
)

// response writes an answer to a request: what is copied from it (RFC 3261
// 8.2.6), the headers of its owner but for those that are the stack's, and more,
// which are.
func (s *Stack) response(in *inbound, code int, reason string, own, more []Header, body []byte) []byte {
	if reason == "" {
		reason = reasonOf(code)
	}
	w := composers.Get().(*composer)
	w.b = strconv.AppendInt(append(w.b[:0], "SIP/2.0 "...), int64(code), 10)
	w.b = append(append(append(w.b, ' '), clean(reason)...), "\r\n"...)
	w.copied(in, code)
	w.owners(own)
	for _, h := range more {
		w.header(h.Name, h.Value)
	}
	// Whom we do not know is not told what it is that refuses him.
	if s.o.UserAgent != "" && code != 100 && (code < 300 || s.o.Allow(in.msg.Source.Addr())) {
		w.header("Server", s.o.UserAgent)
	}
	return w.end(own, "", body)
}

// copied writes what a response has from its request, as it stands there.
func (w *composer) copied(in *inbound, code int) {
	// Dialogs are made, and early ones told of, by routes (RFC 3261 12.1.1, 20).
	routes := in.method != "REGISTER" && code > 100 && code < 300 && (in.method == "INVITE" || code >= 180)
	var seen kinds // of two the first
	for _, h := range in.msg.Headers {
		k, _ := kindOf(h.Name)
		again := seen.add(k)
		switch k {
		case hVia:
			if again {
				w.header("Via", h.Value)
			} else {
				w.via(in.msg.via, in.msg.Source)
			}
		case hFrom, hCallID, hCSeq:
			if !again {
				w.header(h.Name, h.Value)
			}
		case hTo:
			if !again && in.msg.toTag == "" {
				w.header("To", withTag(h.Value, in.tag))
			} else if !again {
				w.header("To", h.Value)
			}
		case hRecordRoute:
			if routes {
				w.header("Record-Route", h.Value)
			}
		case other:
			if code == 100 && strings.EqualFold(h.Name, "Timestamp") {
				w.header(h.Name, h.Value)
			}
		}
	}
}

// via writes the top Via of a request into its answer, with where the request
// came from (RFC 3261 18.2.1, RFC 3581 4).
func (w *composer) via(v via, from netip.AddrPort) {
	if !from.IsValid() || !v.rport && numericHost(v.host) == from.Addr() {
		w.header("Via", v.value)
		return
	}
	sentBy, params := cutParam(v.value)
	w.b = append(append(w.b, "Via: "...), sentBy...)
	for params != "" {
		var one string
		one, params = cutParam(params)
		name, value, _ := strings.Cut(one, "=")
		switch name = trim(name); {
		case strings.EqualFold(name, "received"):
		case strings.EqualFold(name, "rport") && trim(value) == "":
			w.b = strconv.AppendInt(append(w.b, ";rport="...), int64(from.Port()), 10)
		default:
			w.b = append(append(w.b, ';'), one...)
		}
	}
	w.b = from.Addr().AppendTo(append(w.b, ";received="...))
	w.b = append(w.b, "\r\n"...)
}

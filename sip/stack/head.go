package stack

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// kind is what a header is to the stack, whatever its name's spelling.
type kind uint8

const (
	other kind = iota
	hCallID
	hContact
	hContentLength
	hContentType
	hCSeq
	hFrom
	hMaxForwards
	hRecordRoute
	hRoute
	hTo
	hUserAgent
	hVia
)

// kinds is a set of them.
type kinds uint16

// add puts one in, and reports whether it was in before.
func (ks *kinds) add(k kind) bool {
	was := *ks&(1<<k) != 0
	*ks |= 1 << k
	return was
}

// kindOf gives the kind of a header, and for those read here the name that it
// is known under, compact forms folded (RFC 3261 7.3.3).
func kindOf(name string) (kind, string) {
	long := ""
	k := other
	switch len(name) {
	case 1:
		switch name[0] | 0x20 {
		case 'c':
			return hContentType, "Content-Type"
		case 'f':
			return hFrom, "From"
		case 'i':
			return hCallID, "Call-ID"
		case 'l':
			return hContentLength, "Content-Length"
		case 'm':
			return hContact, "Contact"
		case 't':
			return hTo, "To"
		case 'v':
			return hVia, "Via"
		}
		return other, name
	case 2:
		k, long = hTo, "To"
	case 3:
		k, long = hVia, "Via"
	case 4:
		if k, long = hFrom, "From"; name[0]|0x20 == 'c' {
			k, long = hCSeq, "CSeq"
		}
	case 5:
		k, long = hRoute, "Route"
	case 7:
		if k, long = hContact, "Contact"; name[1]|0x20 == 'a' {
			k, long = hCallID, "Call-ID"
		}
	case 10:
		k, long = hUserAgent, "User-Agent"
	case 12:
		switch name[0] | 0x20 {
		case 'm':
			k, long = hMaxForwards, "Max-Forwards"
		case 'r':
			k, long = hRecordRoute, "Record-Route"
		default:
			k, long = hContentType, "Content-Type"
		}
	case 14:
		k, long = hContentLength, "Content-Length"
	}
	if k == other || name != long && !strings.EqualFold(name, long) {
		return other, name
	}
	return k, long
}

// head is the head of a message, as one walk over it has found it: what the
// guards ask for before the message is let in, and what it is made of then. Its
// strings are parts of one text, which is all that is kept of the datagram.
type head struct {
	response bool
	method   string // of a request
	uri      string
	status   int // of a response
	reason   string
	scanner  bool // sent by one of scanners
	size     int  // in the datagram, its empty line included
	length   int  // Content-Length, -1 for none

	found
	seen kinds // of single headers
}

// found is what the stack asks of a message again and again.
type found struct {
	version     string   // of the protocol
	target      uriParts // of a request
	via         via      // the first
	vias        int
	callID      string
	from, to    bool // there is one
	fromTag     string
	toTag       string
	cseq        uint32
	cseqMethod  string // "" when there is no CSeq
	contact     string // the first one's URI
	maxForwards int    // -1 for none
	fault       string // why the message is refused with 400, "" for a sound one
}

// readHead reads the head of a whole message. Its fields, lists of Via, Contact
// and routes taken apart, are put into room as long as they fit. It reports false
// for what smuggles, is no SIP message, has a header without sense, or less of a
// body than it says: nothing can be said to that.
func readHead(data []byte, room []Header) (h head, fields []Header, ok bool) {
	var scanned headScan
	if !scanned.sound(data) || scanned.odd {
		return h, nil, false
	}
	lines := data[:scanned.end-len("\r\n\r\n")]
	if scanned.folds {
		lines = unfold(lines)
	}
	start, rest, _ := strings.Cut(string(lines), "\r\n")
	if !h.start(start) {
		return h, nil, false
	}
	h.size, h.length, h.maxForwards = scanned.end, -1, -1
	fields = room
	for rest != "" {
		var line string
		line, rest, _ = strings.Cut(rest, "\r\n")
		colon := strings.IndexByte(line, ':')
		if colon < 0 {
			return h, nil, false
		}
		k, name := kindOf(trim(line[:colon]))
		value := trim(line[colon+1:])
		h.fault = cmp.Or(h.fault, faultOf(k, name, value))
		switch k {
		case hVia, hContact, hRoute, hRecordRoute:
			if !closed(value) {
				return h, nil, false
			}
			// An empty route leads nowhere; a connection need not end for it.
			for more := value != "" || k == hVia || k == hContact; more; {
				var one string
				one, value, more = cutList(value, k != hVia)
				if !h.listed(k, one) {
					return h, nil, false
				}
				fields = append(fields, Header{name, one})
			}
		default:
			if !h.single(k, value) {
				return h, nil, false
			}
			fields = append(fields, Header{name, value})
		}
	}
	if len(fields) > maxHeaders {
		h.fault = cmp.Or(h.fault, "Too Many Headers")
	}
	if h.vias > maxVias {
		h.fault = cmp.Or(h.fault, "Too Many Vias")
	}
	return h, fields, h.length <= len(data)-h.size
}

// start reads the start line (RFC 3261 7.1, 7.2).
func (h *head) start(line string) bool {
	first, rest, ok := strings.Cut(line, " ")
	second, third, more := strings.Cut(rest, " ")
	if !ok || !more {
		return false
	}
	if len(first) >= 4 && strings.EqualFold(first[:4], "SIP/") {
		status, err := strconv.ParseUint(second, 10, 16)
		h.response, h.version, h.status, h.reason = true, first, int(status), third
		return err == nil
	}
	h.method, h.uri, h.version = first, second, third
	if len(third) < 3 || !strings.EqualFold(third[:3], "SIP") || strings.IndexByte(third, ' ') >= 0 {
		return false
	}
	h.target, ok = readURI(second)
	return ok
}

// faultOf gives what is wrong with a header for which the whole message is
// refused, "" for nothing.
func faultOf(k kind, name, value string) string {
	switch {
	case k == other && !token(name) || !isClean(value):
		return "Malformed Header"
	case len(value) > maxHeaderLen:
		return "Header Too Long"
	case strings.Count(value, ",") >= maxList:
		return "Too Many Values"
	}
	return ""
}

// listed reads one value of a list. It reports false for one without sense.
func (h *head) listed(k kind, value string) bool {
	if k == hVia {
		h.vias++
		if h.vias > 1 {
			_, ok := readVia(value)
			return ok
		}
		var ok bool
		h.via, ok = readVia(value)
		return ok
	}
	uri, _, ok := cutAddress(value)
	if !ok || !soundURI(uri) && (k != hContact || uri != "*") {
		return false
	}
	if k == hContact && h.contact == "" {
		h.contact = uri
	}
	return true
}

// single reads a header that is no list. It reports false for one without
// sense.
func (h *head) single(k kind, value string) bool {
	switch k {
	case other:
		return true
	case hUserAgent:
		h.scanner = h.scanner || isScanner(value)
		return true
	}
	// Which of two counts is a matter of opinion, and opinions that differ along
	// the path let one request pass as another (RFC 3261 7.3.1).
	if h.seen.add(k) {
		h.fault = cmp.Or(h.fault, "Duplicate Header")
		return true
	}
	switch k {
	case hFrom:
		h.from = true
		return h.address(value, &h.fromTag)
	case hTo:
		h.to = true
		return h.address(value, &h.toTag)
	case hCallID:
		h.callID = value
		return value != ""
	case hContentType:
		return value != ""
	case hCSeq:
		space := strings.IndexAny(value, " \t")
		if space < 0 {
			return false
		}
		n, err := strconv.ParseUint(value[:space], 10, 31)
		h.cseq, h.cseqMethod = uint32(n), trim(value[space:])
		return err == nil
	case hMaxForwards:
		n, err := strconv.ParseUint(value, 10, 31)
		h.maxForwards = int(n)
		return err == nil
	case hContentLength:
		n, err := strconv.ParseUint(value, 10, 31)
		h.length = int(n)
		return err == nil
	}
	return true
}

// address reads From or To, and its tag.
func (h *head) address(value string, tag *string) bool {
	uri, params, ok := cutAddress(value)
	if !ok || !closed(value) || !soundURI(uri) {
		return false
	}
	for n := 0; params != ""; {
		var one string
		one, params = cutParam(params)
		name, value, _ := strings.Cut(one, "=")
		if !strings.EqualFold(trim(name), "tag") {
			continue
		}
		if n++; n > 1 {
			h.fault = cmp.Or(h.fault, "Duplicate Tag")
			break
		}
		*tag = trim(value)
	}
	return true
}

// message makes the message of its head and the bytes that it was read from.
func (h *head) message(data []byte, fields []Header, from netip.AddrPort, transport string, at time.Time) *Message {
	m := &Message{
		Method: h.method, URI: h.uri, Status: h.status, Reason: h.reason,
		Headers: slices.Clone(fields), Source: from, Transport: transport, At: at, found: h.found,
	}
	if h.response {
		m.Method = h.cseqMethod
	}
	body := data[h.size:]
	if h.length >= 0 {
		body = body[:h.length]
	}
	if len(body) > 0 {
		m.Body = bytes.Clone(body)
	}
	return m
}

// transaction is what a request's transaction is known by (RFC 3261 17.2.3).
// It reports false when there is nothing to know it by.
func (m *Message) transaction(method string) (key string, ok bool) {
	if m.vias == 0 || m.cseqMethod == "" {
		return "", false
	}
	if method == "ACK" {
		method = "INVITE"
	}
	var room [160]byte
	b := room[:0]
	if len(m.via.branch) > len(magic) && m.via.branch[:len(magic)] == magic {
		port := m.via.port
		if port == 0 {
			port = usualPort(strings.EqualFold(m.via.transport, "TLS"))
		}
		b = append(append(b, m.via.branch...), ' ')
		b = append(append(b, m.via.host...), ' ')
		b = strconv.AppendInt(b, int64(port), 10)
		return string(append(append(b, ' '), method...)), true
	}
	if m.fromTag == "" || m.callID == "" { // of RFC 2543: by these
		return "", false
	}
	for _, part := range []string{m.fromTag, m.callID, method, m.via.value} {
		b = append(append(b, part...), ' ')
	}
	return string(strconv.AppendInt(b, int64(m.cseq), 10)), true
}

// magic begins the branch that names a transaction (RFC 3261 8.1.1.7).
const magic = "z9hG4bK"

func usualPort(secure bool) int {
	if secure {
		return 5061
	}
	return 5060
}

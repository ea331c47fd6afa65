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
	fields []Header // lists of Via, Contact and routes taken apart
	seen   kinds    // of single headers
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

// readHead reads the head of a whole message. room is where its fields are put
// as long as they fit. It reports false for what smuggles, is no SIP message, has
// a header without sense, or less of a body than it says: nothing can be said to
// that.
func readHead(data []byte, room []Header) (h head, ok bool) {
	var scanned headScan
	if !scanned.sound(data) {
		return h, false
	}
	lines := data[:scanned.end-len("\r\n\r\n")]
	if scanned.folds {
		lines = unfold(lines)
	}
	h.size, h.length, h.maxForwards = scanned.end, -1, -1
	start, rest, _ := strings.Cut(string(lines), "\r\n")
	if !h.start(start) {
		return h, false
	}
	h.fields = room
	for rest != "" {
		var line string
		line, rest, _ = strings.Cut(rest, "\r\n")
		colon := strings.IndexByte(line, ':')
		if colon < 0 {
			return h, false
		}
		k, name := kindOf(trim(line[:colon]))
		value := trim(line[colon+1:])
		h.fault = cmp.Or(h.fault, faultOf(k, name, value))
		switch k {
		case hVia, hContact, hRoute, hRecordRoute:
			for more := true; more; {
				var one string
				one, value, more = cutList(value)
				if !h.listed(k, one) {
					return h, false
				}
				h.fields = append(h.fields, Header{name, one})
			}
		default:
			if !h.single(k, value) {
				return h, false
			}
			h.fields = append(h.fields, Header{name, value})
		}
	}
	if len(h.fields) > maxHeaders {
		h.fault = cmp.Or(h.fault, "Too Many Headers")
	}
	if h.vias > maxVias {
		h.fault = cmp.Or(h.fault, "Too Many Vias")
	}
	return h, h.length <= len(data)-h.size
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
		return readAddress(value, &h.fromTag)
	case hTo:
		h.to = true
		return readAddress(value, &h.toTag)
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

// readAddress reads From or To, and its tag.
func readAddress(value string, tag *string) bool {
	uri, params, ok := cutAddress(value)
	*tag = paramOf(params, "tag")
	return ok && soundURI(uri)
}

// message makes the message of its head and the bytes that it was read from.
func (h *head) message(data []byte, from netip.AddrPort, transport string, at time.Time) *Message {
	m := &Message{
		Method: h.method, URI: h.uri, Status: h.status, Reason: h.reason,
		Headers: slices.Clone(h.fields), Source: from, Transport: transport, At: at, found: h.found,
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

// via is the top Via of a message, which says where the answer goes and what
// the transaction is called (RFC 3261 18.2, 17.2.3).
type via struct {
	value     string
	transport string
	host      string // without brackets
	port      int    // 0 for none
	branch    string
	rport     bool // asked for (RFC 3581)
}

// readVia reads one value of Via.
func readVia(value string) (v via, ok bool) {
	v.value = value
	protocol, rest, ok := strings.Cut(value, "/")
	version, rest, more := strings.Cut(rest, "/")
	if !ok || !more || trim(protocol) == "" || trim(version) == "" {
		return v, false
	}
	rest = strings.TrimLeft(rest, " \t")
	space := strings.IndexAny(rest, " \t")
	if space <= 0 {
		return v, false
	}
	v.transport, rest = rest[:space], rest[space:]
	sentBy, params := cutParam(rest)
	sentBy = trim(sentBy)
	var port string
	if strings.HasPrefix(sentBy, "[") {
		v.host, port, ok = strings.Cut(sentBy[1:], "]")
		if port = trim(port); !ok || port != "" && port[0] != ':' {
			return v, false
		}
		port = strings.TrimPrefix(port, ":")
	} else if i := strings.LastIndexByte(sentBy, ':'); i >= 0 {
		v.host, port = trim(sentBy[:i]), sentBy[i+1:]
	} else {
		v.host = sentBy
	}
	if port = trim(port); port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return v, false
		}
		v.port = int(n)
	}
	for params != "" {
		var one string
		one, params = cutParam(params)
		name, value, _ := strings.Cut(one, "=")
		switch name = trim(name); {
		case strings.EqualFold(name, "branch"):
			v.branch = trim(value)
		case strings.EqualFold(name, "rport"):
			v.rport = true
		}
	}
	return v, v.host != ""
}

// cutList cuts a list at its first comma outside quotes and brackets.
func cutList(s string) (one, rest string, more bool) {
	if strings.IndexByte(s, ',') < 0 {
		return s, "", false
	}
	quoted, angle := false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<':
			angle = true
		case c == '>':
			angle = false
		case c == ',' && !angle:
			return trim(s[:i]), trim(s[i+1:]), true
		}
	}
	return s, "", false
}

// cutParam cuts at the first semicolon outside quotes.
func cutParam(s string) (one, rest string) {
	if strings.IndexByte(s, '"') < 0 {
		one, rest, _ = strings.Cut(s, ";")
		return one, rest
	}
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// paramOf finds a parameter in "a=b;c", its name in any case; "" for none.
func paramOf(params, name string) string {
	for params != "" {
		var one string
		one, params = cutParam(params)
		k, v, _ := strings.Cut(one, "=")
		if strings.EqualFold(trim(k), name) {
			return trim(v)
		}
	}
	return ""
}

// cutAddress takes a name-addr or addr-spec apart (RFC 3261 20.10): without
// brackets all that follows a semicolon belongs to the header.
func cutAddress(s string) (uri, params string, ok bool) {
	rest := s
	if strings.HasPrefix(s, `"`) {
		if rest = afterQuoted(s); rest == "" {
			return "", "", false
		}
		if rest = trim(rest); rest == "" || rest[0] != '<' {
			return "", "", false
		}
	}
	open := strings.IndexByte(rest, '<')
	if semicolon := strings.IndexByte(rest, ';'); open < 0 || semicolon >= 0 && semicolon < open {
		uri, params, _ = strings.Cut(rest, ";")
		return trim(uri), params, true
	}
	uri, params, ok = strings.Cut(rest[open+1:], ">")
	params = trim(params)
	if params != "" && params[0] != ';' {
		return "", "", false
	}
	return uri, strings.TrimPrefix(params, ";"), ok
}

// afterQuoted gives what follows the quoted string that s begins with, "" when
// it has no end or nothing follows.
func afterQuoted(s string) string {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return s[i+1:]
		}
	}
	return ""
}

// uriParts is what the guards ask of a request's URI.
type uriParts struct {
	scheme  string // in lower case when it is sip, sips or tel
	host    string // of sip and sips, brackets included; may be empty
	headers bool
}

// readURI takes a URI apart. It reports false for one that can't be read.
func readURI(s string) (u uriParts, ok bool) {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" {
		return u, false
	}
	for i := range len(scheme) {
		if !isLetter(scheme[i]) {
			return u, false
		}
	}
	u.scheme = strings.ToLower(scheme)
	if u.scheme != "sip" && u.scheme != "sips" {
		return u, true
	}
	rest = strings.TrimPrefix(rest, "//")
	if at := strings.IndexByte(rest, '@'); at >= 0 && strings.IndexByte(rest[:at], '[') < 0 {
		rest = rest[at+1:]
	}
	if strings.HasPrefix(rest, "[") {
		end := strings.IndexByte(rest, ']')
		if end < 0 {
			return u, false
		}
		u.host, rest = rest[:end+1], rest[end+1:]
		if rest != "" && strings.IndexByte(":;?", rest[0]) < 0 {
			return u, false
		}
	} else if end := strings.IndexAny(rest, ":;?"); end >= 0 {
		u.host, rest = rest[:end], rest[end:]
	} else {
		u.host, rest = rest, ""
	}
	if strings.HasPrefix(rest, ":") {
		end := 1
		for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
			end++
		}
		if end == 1 || end > 10 || end < len(rest) && rest[end] != ';' && rest[end] != '?' {
			return u, false
		}
		rest = rest[end:]
	}
	_, headers, _ := strings.Cut(rest, "?")
	u.headers = headers != ""
	return u, true
}

// soundURI reports whether a URI can be read. What it names is not asked here.
func soundURI(s string) bool {
	_, ok := readURI(s)
	return ok
}

// trim takes the white space of SIP off both ends.
func trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// unfold puts each folded header into one line (RFC 3261 7.3.1).
func unfold(head []byte) []byte {
	out := make([]byte, 0, len(head))
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		if len(out) > 0 {
			if len(line) > 0 && (line[0] == ' ' || line[0] == '\t') {
				out = append(bytes.TrimRight(out, " \t"), ' ')
				line = bytes.TrimLeft(line, " \t")
			} else {
				out = append(out, "\r\n"...)
			}
		}
		out = append(out, line...)
	}
	return out
}

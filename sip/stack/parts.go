package stack

import (
	"bytes"
	"strconv"
	"strings"
)

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
	sound := false
	if strings.HasPrefix(sentBy, "[") {
		v.host, port, ok = strings.Cut(sentBy[1:], "]")
		port, sound = trim(port), numericHost(v.host).IsValid()
		if !ok || port != "" && port[0] != ':' {
			return v, false
		}
	} else if i := strings.LastIndexByte(sentBy, ':'); i >= 0 {
		v.host, port = trim(sentBy[:i]), sentBy[i:]
	} else {
		v.host = sentBy
	}
	sound = sound || hostOK(v.host)
	if port != "" {
		n, err := strconv.ParseUint(trim(port[1:]), 10, 16)
		if err != nil {
			return v, false
		}
		v.port = int(n)
	}
	branches := 0
	for params != "" {
		var one string
		one, params = cutParam(params)
		name, value, _ := strings.Cut(one, "=")
		switch name = trim(name); {
		case strings.EqualFold(name, "branch"):
			v.branch = trim(value)
			branches++
		case strings.EqualFold(name, "rport"):
			v.rport = true
		}
	}
	return v, branches < 2 && sound
}

// closed reports whether each quoted string in a value has an end.
func closed(s string) bool {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if quoted {
				i++
			}
		case '"':
			quoted = !quoted
		}
	}
	return !quoted
}

// cutList cuts a list at its first comma outside quotes, and outside brackets in
// a list of addresses: to a Via they mean nothing, and must not hide the next.
func cutList(s string, addresses bool) (one, rest string, more bool) {
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
			angle = addresses
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
	// No further than it must be looked: a value may be nothing but semicolons.
	if one, rest, _ = strings.Cut(s, ";"); strings.IndexByte(one, '"') < 0 {
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
		return trim(uri), params, strings.IndexByte(rest, '<') < 0 && strings.IndexByte(rest, '>') < 0
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
	if !ok || scheme == "" || len(s) < len("a:b") {
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
		if end < 0 || end > len("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255") {
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
	if u.host == "*" || strings.IndexByte(u.host, '[') > 0 {
		return u, false
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

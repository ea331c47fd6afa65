package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what is read. Longer values are not cut but not read at all: half
// a header says nothing.
const (
	maxValue   = 4096 // octets of one header value
	maxParts   = 32   // values of one list
	maxDisplay = 64   // characters of a display name
	maxUser    = 64   // octets of a user part kept as it stands
)

// address is a name-addr or addr-spec (RFC 3261 section 25.1).
type address struct {
	display string
	spec    string // the URI as it stands
	uri     uri
	params  string // after the address, without the first semicolon
}

// uri is what we need of a sip, sips or tel URI.
type uri struct {
	scheme string // lower case
	user   string // unescaped; of a tel URI the number
	host   string // lower case; of a tel URI ""
}

// splitList splits a header value on the commas that stand outside quotes and
// angle brackets (RFC 3261 section 7.3.1).
func splitList(v string) []string {
	if len(v) > maxValue {
		return nil
	}
	var parts []string
	start := 0
	var quoted, angle bool
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
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
			parts = append(parts, strings.TrimSpace(v[start:i]))
			start = i + 1
		}
		if len(parts) == maxParts {
			return parts
		}
	}
	if last := strings.TrimSpace(v[start:]); last != "" {
		parts = append(parts, last)
	}
	return parts
}

// parseAddress reads one value; false when it holds no URI we know.
func parseAddress(v string) (address, bool) {
	if len(v) > maxValue {
		return address{}, false
	}
	v = strings.TrimSpace(v)
	var a address
	rest := v
	if strings.HasPrefix(v, `"`) {
		var ok bool
		if a.display, rest, ok = quotedString(v); !ok {
			return address{}, false
		}
		rest = strings.TrimSpace(rest)
		if !strings.HasPrefix(rest, "<") {
			return address{}, false
		}
	}
	open := strings.IndexByte(rest, '<')
	if open < 0 {
		// addr-spec: what follows a semicolon belongs to the header (section 20).
		spec, params, _ := strings.Cut(rest, ";")
		a.spec, a.params = spec, params
		u, ok := parseURI(spec)
		a.uri = u
		return a, ok
	}
	if a.display == "" {
		a.display = rest[:open]
	}
	spec, params, ok := strings.Cut(rest[open+1:], ">")
	if !ok {
		return address{}, false
	}
	a.spec, a.params = spec, strings.TrimPrefix(strings.TrimSpace(params), ";")
	a.display = cleanDisplay(a.display)
	a.uri, ok = parseURI(spec)
	return a, ok
}

// quotedString reads the quoted string at the head of v and unescapes it.
func quotedString(v string) (text, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(v); i++ {
		switch v[i] {
		case '\\':
			if i++; i < len(v) {
				b.WriteByte(v[i])
			}
		case '"':
			return b.String(), v[i+1:], true
		default:
			b.WriteByte(v[i])
		}
	}
	return "", "", false
}

// parseURI reads a sip, sips or tel URI.
func parseURI(s string) (uri, bool) {
	scheme, rest, ok := strings.Cut(strings.TrimSpace(s), ":")
	if !ok {
		return uri{}, false
	}
	u := uri{scheme: strings.ToLower(scheme)}
	switch u.scheme {
	case "tel":
		number, params, _ := strings.Cut(rest, ";")
		u.user = subscriber(unescape(number), params)
		return u, u.user != ""
	case "sip", "sips":
	default:
		return uri{}, false
	}
	rest, _, _ = strings.Cut(rest, "?")
	host := rest
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		host = rest[at+1:]
		user, params, _ := strings.Cut(rest[:at], ";")
		user, _, _ = strings.Cut(user, ":") // password
		u.user = subscriber(unescape(user), params)
	}
	u.host = strings.ToLower(hostOf(host))
	return u, u.host != ""
}

// subscriber joins a local number to a phone-context that is the head of a
// global one (RFC 3966 section 5.1.5).
func subscriber(number, params string) string {
	if strings.HasPrefix(number, "+") {
		return number
	}
	if context, ok := param(params, "phone-context"); ok && strings.HasPrefix(context, "+") {
		return context + number
	}
	return number
}

// hostOf cuts port and parameters off a hostport.
func hostOf(s string) string {
	s, _, _ = strings.Cut(s, ";")
	if strings.HasPrefix(s, "[") {
		if end := strings.IndexByte(s, ']'); end > 0 {
			return s[:end+1]
		}
		return ""
	}
	s, _, _ = strings.Cut(s, ":")
	return s
}

// param finds a parameter in "a=b;c;d="e"", the name in any case.
func param(params, name string) (value string, ok bool) {
	for len(params) > 0 {
		var one string
		one, params = cutParam(params)
		k, v, _ := strings.Cut(one, "=")
		if strings.EqualFold(strings.TrimSpace(k), name) {
			v = strings.TrimSpace(v)
			if text, _, ok := quotedString(v); ok && strings.HasPrefix(v, `"`) {
				v = text
			}
			return v, true
		}
	}
	return "", false
}

// cutParam cuts at the first semicolon outside quotes.
func cutParam(s string) (one, rest string) {
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

// unescape resolves %HH; what is no escape stays as it is.
func unescape(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, ok1 := hexDigit(s[i+1])
			lo, ok2 := hexDigit(s[i+2])
			if ok1 && ok2 {
				b.WriteByte(hi<<4 | lo)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// cleanDisplay makes a display name fit to be shown: valid UTF-8, no control
// and no invisible formatting characters (a right-to-left override can make
// one name look like another), single spaces, and not too long. A name that is
// only the number again is none.
func cleanDisplay(s string) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > maxDisplay {
		s = strings.TrimSpace(string([]rune(s)[:maxDisplay]))
	}
	if _, ok := dialString(s); ok {
		return ""
	}
	return s
}

// cleanUser makes a user part fit to be kept as it stands.
func cleanUser(s string) string {
	if len(s) > maxUser || !utf8.ValidString(s) {
		return ""
	}
	for _, r := range s {
		if !unicode.IsGraphic(r) || unicode.IsSpace(r) {
			return ""
		}
	}
	return s
}

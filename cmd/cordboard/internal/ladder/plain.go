package ladder

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain is text that does nothing to a terminal and stays on its line: what is no
// printable character becomes a question mark. Longer than most it is cut.
func plain(s string, most int) string {
	var b strings.Builder
	for n, r := range s {
		if n >= most {
			b.WriteString("...")
			break
		}
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = '?'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// digits are those that a value begins with.
func digits(s string) string {
	s = strings.TrimSpace(s)
	end := 0
	for end < len(s) && end < 6 && s[end] >= '0' && s[end] <= '9' {
		end++
	}
	return s[:end]
}

// secret are the headers whose value is nobody's to read.
var secret = []string{"authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate", "authentication-info", "proxy-authentication-info", "identity", "y"}

// text is a whole message, line by line, but for credentials, the keys of media and
// the keys that a caller has pressed, which may be an account number.
func text(data []byte) string {
	var b strings.Builder
	hidden, pressed, body := false, false, false
	for line := range strings.SplitSeq(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n") {
		folded := line != "" && (line[0] == ' ' || line[0] == '\t')
		if folded && hidden {
			continue
		}
		name, _, _ := strings.Cut(line, ":")
		hidden = false
		for _, s := range secret {
			hidden = hidden || strings.EqualFold(strings.TrimSpace(name), s)
		}
		low := strings.ToLower(strings.TrimSpace(line))
		body = body || low == ""
		pressed = pressed || !body && strings.Contains(low, "application/dtmf")
		switch {
		case body && pressed && low != "":
			line = "(left out)"
		case hidden:
			line = name + ": (left out)"
		case strings.HasPrefix(low, "a=crypto:"), strings.HasPrefix(low, "a=key-mgmt:"), strings.HasPrefix(low, "a=ice-pwd:"): // RFC 4568, 4567, 8839
			line, _, _ = strings.Cut(line, ":")
			line += " (left out)"
		case strings.HasPrefix(low, "k="):
			line = "k (left out)"
		}
		b.WriteString(plain(line, 2000))
		b.WriteByte('\n')
	}
	return strings.TrimRight(b.String(), "\n")
}

// Package jsontext appends strings to JSON that is written field by field: what
// every call has written, to the journal, the ledger, the desks and the dialogs.
// It is PURE, owns nothing, and is called by whoever writes so.
package jsontext

import (
	"encoding/json"
	"unicode/utf8"
)

// Append appends a string, byte for byte as encoding/json writes it. One that
// needs no escape, nearly all, is copied; so are angle brackets about an address,
// but for themselves.
func Append[S ~string](to []byte, s S) []byte {
	begun := len(to)
	to = append(to, '"')
	plain := 0 // of s, not yet copied
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '<', c == '>', c == '&':
			to = append(append(to, s[plain:i]...), '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
			plain = i + 1
		case c < ' ', c == '"', c == '\\':
			return escaped(to[:begun], string(s))
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRuneInString(string(s[i:]))
			if r == utf8.RuneError || r == '\u2028' || r == '\u2029' {
				return escaped(to[:begun], string(s))
			}
			i += size - 1
		}
	}
	return append(append(to, s[plain:]...), '"')
}

const digits = "0123456789abcdef"

func escaped(to []byte, s string) []byte {
	b, _ := json.Marshal(s) // a string always has a JSON form
	return append(to, b...)
}

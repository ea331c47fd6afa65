// Package digest is what both sides of digest authentication compute and read
// (RFC 7616, RFC 8760).
package digest

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"
	"strings"
)

// Algorithms (RFC 8760).
const (
	MD5    = "MD5"
	SHA256 = "SHA-256"
)

// New gives the hash of an algorithm.
func New(alg string) hash.Hash {
	if alg == SHA256 {
		return sha256.New()
	}
	return md5.New()
}

// Sum is the hash of the parts with colons between, in lower case hex.
func Sum(h hash.Hash, parts ...string) string {
	h.Write([]byte(strings.Join(parts, ":")))
	return hex.EncodeToString(h.Sum(nil))
}

// maxParameters bounds what is read of one header.
const maxParameters = 2048

// Parameters reads the parameters of a header of the scheme Digest, as Each does.
func Parameters(value string) (map[string]string, bool) {
	out := map[string]string{}
	ok := Each(value, func(name, value string) { out[name] = value })
	return out, ok
}

// Each gives take one parameter after the other of a header of the scheme Digest,
// their names in lower case. It reads strictly, and reports whether all could be read:
// each once, quotes closed.
func Each(value string, take func(name, value string)) bool {
	if len(value) > maxParameters {
		return false
	}
	scheme, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
	if !strings.EqualFold(scheme, "Digest") {
		return false
	}
	var room [16]string // most have fewer
	seen := room[:0]
	for rest = strings.TrimSpace(rest); rest != ""; {
		name, value, left, ok := parameter(rest)
		name = strings.ToLower(name)
		if !ok || slices.Contains(seen, name) {
			return false
		}
		take(name, value)
		seen, rest = append(seen, name), left
	}
	return true
}

// parameter takes NAME=VALUE or NAME="VALUE" off the front, and the comma after.
func parameter(s string) (name, value, rest string, ok bool) {
	name, s, ok = strings.Cut(s, "=")
	name = strings.TrimSpace(name)
	if !ok || name == "" || strings.ContainsAny(name, " \t\",") {
		return "", "", "", false
	}
	s = strings.TrimLeft(s, " \t")
	if strings.HasPrefix(s, `"`) {
		if value, s, ok = Unquote(s); !ok {
			return "", "", "", false
		}
		s = strings.TrimLeft(s, " \t")
		if s != "" && s[0] != ',' {
			return "", "", "", false
		}
		s = strings.TrimPrefix(s, ",")
	} else {
		value, s, _ = strings.Cut(s, ",")
		if value = strings.TrimSpace(value); value == "" || strings.ContainsAny(value, " \t\"") {
			return "", "", "", false
		}
	}
	return name, value, strings.TrimSpace(s), true
}

// Unquote reads the quoted-string that s begins with and undoes its escapes (RFC
// 3261 25.1).
func Unquote(s string) (value, rest string, ok bool) {
	if end := strings.IndexAny(s[1:], `"\\`); end >= 0 && s[1+end] == '"' { // most have none
		return s[1 : 1+end], s[end+2:], true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// Quote writes a text as a quoted-string.
func Quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

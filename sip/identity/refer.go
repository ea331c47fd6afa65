package identity

import (
	"errors"
	"strings"
)

// Referral is whom a Refer-To names (RFC 3515).
type Referral struct {
	// User is its user part, unescaped; of a tel URI the number. "" for none.
	User string
	// Dialog: it would take another dialog over, or join it (RFC 3891, 3911).
	Dialog   bool
	replaces string // the value of its one Replaces
}

// Names reports whether it would take the very dialog over (RFC 3891 3), of which our
// tag and the peer's are given.
func (r Referral) Names(callID, ours, theirs string) bool {
	id, params, _ := strings.Cut(r.replaces, ";")
	to, toThere := param(params, "to-tag")
	from, fromThere := param(params, "from-tag")
	return callID != "" && strings.TrimSpace(id) == callID && toThere && fromThere && to == ours && from == theirs
}

// Errors of ReadReferTo.
var (
	ErrReferTo     = errors.New("no Refer-To, more than one, or none that can be read")
	ErrReferScheme = errors.New("a Refer-To that is neither sip, sips nor tel")
	ErrReferMethod = errors.New("a Refer-To for another method than INVITE")
)

// ReadReferTo reads the values of all Refer-To of a request: there must be one. The
// host is not looked at, for nothing is sent there: a phone writes that of its own
// domain behind whatever is dialled.
func ReadReferTo(values []string) (Referral, error) {
	if len(values) != 1 || strings.ContainsFunc(values[0], func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return Referral{}, ErrReferTo
	}
	parts := splitList(values[0])
	if len(parts) != 1 {
		return Referral{}, ErrReferTo
	}
	a, ok := parseAddress(parts[0])
	if scheme, _, found := strings.Cut(a.spec, ":"); found && !ok && foreign(scheme) {
		return Referral{}, ErrReferScheme
	}
	bare, headers, _ := strings.Cut(a.spec, "?")
	user := cleanUser(a.uri.user)
	if !ok || user != a.uri.user || headers != "" && !strings.Contains(parts[0], "<") {
		return Referral{}, ErrReferTo // RFC 3261 20: what has a question mark stands in brackets
	}
	_, params, _ := strings.Cut(bare[strings.LastIndexByte(bare, '@')+1:], ";")
	for _, ps := range []string{params, a.params} {
		if method, named := param(ps, "method"); named && method != "INVITE" {
			return Referral{}, ErrReferMethod
		}
	}
	r := Referral{User: user}
	for h := range strings.SplitSeq(headers, "&") {
		name, value, _ := strings.Cut(h, "=")
		name = unescape(name)
		switch {
		case strings.EqualFold(name, "Replaces") && !r.Dialog:
			r.Dialog, r.replaces = true, unescape(value)
		case strings.EqualFold(name, "Replaces"), strings.EqualFold(name, "Join"):
			r.Dialog, r.replaces = true, "" // which of them
		}
	}
	return r, nil
}

// foreign reports whether the text is the scheme of a URI that is not ours to call.
func foreign(scheme string) bool {
	if scheme == "" || strings.ContainsFunc(scheme, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '+' && r != '-' && r != '.'
	}) {
		return false
	}
	switch strings.ToLower(scheme) {
	case "sip", "sips", "tel":
		return false
	}
	return true
}

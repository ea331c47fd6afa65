package identity

import (
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Identify reads who is calling and what was dialled. The headers that the
// trunk is believed about are asked in its order, then From; on a trunk that is
// believed about nothing only From counts, and its word is not trusted. A
// wish for privacy is honoured whoever utters it.
func Identify(h []Header, requestURI string, t Trust) (Caller, Dialled) {
	r := reader{headers: h, trust: t}
	return r.caller(), r.dialled(requestURI)
}

type reader struct {
	headers []Header
	trust   Trust
	numbers []spoken
}

// spoken is a caller's number that has been read: most trunks say the same one in
// From and in the header they are believed about, and reading it is dear, as is
// finding its country, which is done for the one that counts.
type spoken struct {
	user   string
	number Number
	read   *phonenumbers.PhoneNumber
}

// first returns the header's first value; short is its compact form or "".
func (r *reader) first(name, short string) (string, bool) {
	for _, h := range r.headers {
		if strings.EqualFold(h.Name, name) || short != "" && strings.EqualFold(h.Name, short) {
			return h.Value, true
		}
	}
	return "", false
}

// list returns the header's values over all its fields, in order.
func (r *reader) list(name string) []string {
	var all []string
	for _, h := range r.headers {
		if strings.EqualFold(h.Name, name) && len(all) < maxParts {
			all = append(all, splitList(h.Value)...)
		}
	}
	return all
}

func (r *reader) caller() Caller {
	from, anonymous := r.from()
	c := Caller{Source: FromNone, Display: from.Display}
	for _, s := range r.trust.Headers {
		var got Caller
		switch s {
		case FromPAI:
			got = r.asserted()
		case FromRPID:
			got = r.remoteParty()
		}
		c.Restricted = c.Restricted || got.Restricted
		if !got.Number.IsZero() {
			got.Restricted = c.Restricted
			if got.Display == "" && got.Number == from.Number {
				got.Display = from.Display
			}
			c = got
			break
		}
	}
	if c.Number.IsZero() && !from.Number.IsZero() {
		from.Restricted = c.Restricted
		c = from
	}
	if anonymous || r.privacy() {
		c.Restricted = true
	}
	if c.Restricted {
		c.Display = "" // it serves for nothing but showing
	}
	for _, n := range r.numbers {
		if n.number == c.Number && n.read != nil {
			c.Country = country(n.read)
			break
		}
	}
	return c
}

// from reads From, and whether it says that the caller does not want to be known.
func (r *reader) from() (c Caller, anonymous bool) {
	v, ok := r.first("From", "f")
	if !ok {
		return Caller{}, false
	}
	a, ok := parseAddress(v)
	if !ok {
		return Caller{}, false
	}
	if a.uri.anonymous() {
		return Caller{}, true
	}
	return r.read(a, FromFrom), false
}

// read makes a Caller of an address.
func (r *reader) read(a address, s Source) Caller {
	c := Caller{Display: a.display, Source: s}
	for _, n := range r.numbers {
		if n.user == a.uri.user {
			c.Number = n.number
			return c
		}
	}
	n := spoken{user: a.uri.user}
	number, p, err := parseNumber(a.uri.user, r.trust.Region, r.trust.ShortCodes)
	if err != nil {
		// Some PBXs send the extension along, as people write it.
		if head, extension := cutExtension(a.uri.user); extension != "" {
			number, p, err = parseNumber(head, r.trust.Region, r.trust.ShortCodes)
		}
	}
	if err == nil {
		n.number, n.read = number, p
	}
	r.numbers = append(r.numbers, n)
	c.Number = n.number
	return c
}

// anonymous: RFC 3323 section 4.1.1.3 and what is met in the wild.
func (u uri) anonymous() bool {
	if u.host == "anonymous.invalid" {
		return true
	}
	switch strings.ToLower(u.user) {
	case "anonymous", "restricted", "unavailable", "unknown", "private":
		return true
	}
	return false
}

// asserted reads P-Asserted-Identity: up to two values, a sip and a tel URI
// (RFC 3325 section 9.1). The tel URI is the number proper.
func (r *reader) asserted() Caller {
	var best Caller
	for _, v := range r.list("P-Asserted-Identity") {
		a, ok := parseAddress(v)
		if !ok {
			continue
		}
		c := r.read(a, FromPAI)
		c.Trusted = true
		if c.Number.IsZero() || a.uri.anonymous() {
			continue
		}
		if best.Number.IsZero() || a.uri.scheme == "tel" {
			if c.Display == "" {
				c.Display = best.Display
			}
			best = c
			if a.uri.scheme == "tel" {
				break
			}
		}
	}
	return best
}

// remoteParty reads Remote-Party-ID (draft-ietf-sip-privacy-04): the calling
// party, a value that the network has screened before one that it has not.
func (r *reader) remoteParty() Caller {
	var best Caller
	for _, v := range r.list("Remote-Party-ID") {
		a, ok := parseAddress(v)
		if !ok {
			continue
		}
		if party, ok := param(a.params, "party"); ok && !strings.EqualFold(party, "calling") {
			continue
		}
		c := r.read(a, FromRPID)
		screen, _ := param(a.params, "screen")
		c.Trusted = !strings.EqualFold(screen, "no")
		privacy, _ := param(a.params, "privacy")
		switch strings.ToLower(privacy) {
		case "", "off", "none":
		case "name":
			c.Display = ""
		default: // full, uri and the draft's other kinds
			c.Restricted = true
		}
		if c.Number.IsZero() || a.uri.anonymous() {
			best.Restricted = best.Restricted || c.Restricted
			continue
		}
		if best.Number.IsZero() || c.Trusted && !best.Trusted {
			c.Restricted = c.Restricted || best.Restricted
			best = c
		}
	}
	return best
}

// privacy reads the Privacy header (RFC 3323 section 4.2, RFC 3325 section 9.3).
func (r *reader) privacy() bool {
	for _, h := range r.headers {
		if !strings.EqualFold(h.Name, "Privacy") {
			continue
		}
		for _, v := range strings.FieldsFunc(h.Value, func(c rune) bool { return c == ';' || c == ',' || c == ' ' }) {
			switch strings.ToLower(v) {
			case "id", "user", "header":
				return true
			}
		}
	}
	return false
}

func (r *reader) dialled(requestURI string) Dialled {
	var d Dialled
	u, ok := parseURI(strings.Trim(requestURI, "<> "))
	switch {
	case !ok:
	case r.trust.Account != "" && u.user == r.trust.Account: // sent to our Contact
		d.Number = r.calledParty(u)
	default:
		d.Number = r.target(u)
	}
	if d.Number == "" {
		if v, ok := r.first("To", "t"); ok {
			if a, ok := parseAddress(v); ok {
				d.Number = r.target(a.uri)
			}
		}
	}
	if r.trust.Diversion {
		if first := r.redirected(); first != d.Number {
			d.Redirected = first
		}
	}
	return d
}

// calledParty is what was dialled of a call that a registrar sent to our Contact:
// P-Called-Party-ID (RFC 7315 4.2) where there is one, else To, if it is a number;
// else the Contact's user.
func (r *reader) calledParty(contact uri) string {
	for _, name := range []string{"P-Called-Party-ID", "To"} {
		if v, ok := r.first(name, map[string]string{"To": "t"}[name]); ok {
			if a, ok := parseAddress(v); ok {
				if n, err := ParseNumber(a.uri.user, r.trust.Region, r.trust.ShortCodes); err == nil {
					return n.E164()
				}
			}
		}
	}
	return r.target(contact)
}

// target is a dialled number: E.164 where it is one, else as it stands.
func (r *reader) target(u uri) string {
	if n, err := ParseNumber(u.user, r.trust.Region, r.trust.ShortCodes); err == nil {
		return n.E164()
	}
	if s, ok := dialString(u.user); ok {
		return s
	}
	return cleanUser(u.user)
}

// redirected is the number dialled first: the bottom Diversion (RFC 5806
// section 4.1), else the first entry of History-Info (RFC 7044).
func (r *reader) redirected() string {
	diversions := r.list("Diversion")
	for i := len(diversions) - 1; i >= 0; i-- {
		if a, ok := parseAddress(diversions[i]); ok {
			return r.target(a.uri)
		}
	}
	var first address
	var lowest []int
	for _, v := range r.list("History-Info") {
		a, ok := parseAddress(v)
		if !ok {
			continue
		}
		index, _ := param(a.params, "index")
		at := parseIndex(index)
		if lowest == nil || less(at, lowest) {
			first, lowest = a, at
		}
	}
	return r.target(first.uri)
}

// Diverted are the numbers that a call was diverted from on its way, as all of
// Diversion and History-Info have it. It asks nobody's trust: what is made of it must
// be harmless where it is untrue.
func Diverted(h []Header, t Trust) (numbers []string) {
	r := reader{headers: h, trust: t}
	for _, name := range []string{"Diversion", "History-Info"} {
		for _, v := range r.list(name) {
			if a, ok := parseAddress(v); ok {
				numbers = append(numbers, r.target(a.uri))
			}
		}
	}
	return numbers
}

// parseIndex reads a History-Info index such as 1.2.1. One that cannot be read
// comes after all others.
func parseIndex(s string) []int {
	var at []int
	for part := range strings.SplitSeq(s, ".") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 0 || len(at) == maxParts {
			return []int{1 << 30}
		}
		at = append(at, n)
	}
	return at
}

func less(a, b []int) bool {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return len(a) < len(b)
}

package identity

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unique"

	"github.com/nyaruka/phonenumbers"
)

// Number is a telephone number in E.164. It redacts itself wherever it is
// printed, logged or marshalled; E164 gives the digits. Numbers compare with
// == and serve as map keys; the zero Number is no number.
//
// The digits lie behind a handle and not in a string field: fmt prints a field
// that is not exported without asking its methods, and then prints a pointer.
type Number struct{ digits unique.Handle[string] }

const (
	redacted = "(number)"
	noNumber = "(no number)"
)

// Errors of ParseNumber.
var (
	// ErrNotNumber: the text is no telephone number, or none that can be
	// called from the region.
	ErrNotNumber = errors.New("not a telephone number")
	// ErrShortCode: the text is one of the short codes, which are not E.164.
	ErrShortCode = errors.New("short code")
)

func newNumber(e164 string) Number { return Number{digits: unique.Make(e164)} }

// E164 returns "+" and digits, or "" for no number.
func (n Number) E164() string {
	if n.IsZero() {
		return ""
	}
	return n.digits.Value()
}

// IsZero reports that there is no number.
func (n Number) IsZero() bool { return n == Number{} }

// String does not give the number away; nor does any other way of printing it.
func (n Number) String() string {
	if n.IsZero() {
		return noNumber
	}
	return redacted
}

// GoString is String.
func (n Number) GoString() string { return n.String() }

// Format prints String under every verb.
func (n Number) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(n.String())) }

// MarshalText is String: whoever sends the number on asks for E164.
func (n Number) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// MarshalJSON is String as a JSON string.
func (n Number) MarshalJSON() ([]byte, error) { return []byte(`"` + n.String() + `"`), nil }

// ParseNumber reads a number as people and trunks write it. National numbers
// are read in the region (ISO 3166, "" for none). The short codes are looked at
// first: a library that knows only the world's numbering plans makes +44100 of
// an extension. The error is ErrShortCode or ErrNotNumber.
func ParseNumber(raw, region string, shortCodes []string) (Number, error) {
	n, _, err := parseNumber(raw, region, shortCodes)
	return n, err
}

// parseNumber gives the number as the library has it too, for country.
func parseNumber(raw, region string, shortCodes []string) (Number, *phonenumbers.PhoneNumber, error) {
	dialled, ok := dialString(raw)
	if !ok {
		return Number{}, nil, ErrNotNumber
	}
	if slices.Contains(shortCodes, dialled) {
		return Number{}, nil, ErrShortCode
	}
	if strings.ContainsAny(dialled, "*#") {
		return Number{}, nil, ErrNotNumber
	}
	if strings.HasPrefix(dialled, "+0") { // no country begins with 0: a gateway has put a plus before all
		dialled = dialled[1:]
	}
	if region == "" {
		region = phonenumbers.UNKNOWN_REGION
	}
	if p := international(dialled); p != nil {
		return newNumber(dialled), p, nil
	}
	if n, p, ok := ownCode(dialled, region); ok {
		return n, p, nil
	}
	if n, p, ok := believe(dialled, region); ok {
		return n, p, nil
	}
	if n, p, ok := abroad(dialled, region); ok {
		return n, p, nil
	}
	return Number{}, nil, ErrNotNumber
}

// valid reads a number with its country code where the plan has such a one.
func valid(digits string) (Number, *phonenumbers.PhoneNumber, bool) {
	p, err := phonenumbers.Parse("+"+digits, phonenumbers.UNKNOWN_REGION)
	if err != nil || !phonenumbers.IsValidNumber(p) {
		return Number{}, nil, false
	}
	return newNumber(phonenumbers.Format(p, phonenumbers.E164)), p, true
}

// ownCode reads a number of the region with its country code and without the plus.
// In Germany 49711... could be a number of the area 04971 as well, but that would
// have its 0; where there is no such prefix, as in Italy, the region is asked first.
func ownCode(dialled, region string) (Number, *phonenumbers.PhoneNumber, bool) {
	code := phonenumbers.GetCountryCodeForRegion(region)
	if code == 0 || dialled[0] == '+' || !strings.HasPrefix(dialled, strconv.Itoa(code)) || phonenumbers.GetNddPrefixForRegion(region, true) == "" {
		return Number{}, nil, false
	}
	if n, p, ok := valid(dialled); ok {
		return n, p, true
	}
	// In no plan: only what is too long or too short for the region without it.
	p := international("+" + dialled)
	home, err := phonenumbers.Parse(phonenumbers.GetNddPrefixForRegion(region, true)+dialled, region)
	if p == nil || err == nil && phonenumbers.IsPossibleNumber(home) {
		return Number{}, nil, false
	}
	return newNumber("+" + dialled), p, true
}

// abroad reads what a region has no use for: numbers of other countries as they are
// written or sent there, and its own without the prefix.
func abroad(dialled, region string) (Number, *phonenumbers.PhoneNumber, bool) {
	for _, prefix := range []string{"00", "011"} { // of whichever country
		if rest, ok := strings.CutPrefix(dialled, prefix); ok {
			if p := international("+" + rest); p != nil {
				return newNumber("+" + rest), p, true
			}
			if n, p, ok := valid(rest); ok {
				return n, p, true
			}
		}
	}
	if dialled[0] == '+' || dialled[0] == '0' {
		return Number{}, nil, false
	}
	// Trunks send international numbers without the plus. Read so only when
	// the region has no use for the digits, and only when surely valid.
	if n, p, ok := valid(dialled); ok {
		return n, p, true
	}
	return bare(dialled, region)
}

// bare reads a national number of the longest length that its country has, without
// the prefix: a spreadsheet has taken the 0 for nothing, or a gateway left it out.
// No extension is as long.
func bare(dialled, region string) (Number, *phonenumbers.PhoneNumber, bool) {
	prefix := phonenumbers.GetNddPrefixForRegion(region, true)
	if len(dialled) < 9 || prefix == "" || strings.HasPrefix(dialled, prefix) {
		return Number{}, nil, false
	}
	p, err := phonenumbers.Parse(dialled, region)
	if err != nil || phonenumbers.IsPossibleNumberWithReason(p) != phonenumbers.IS_POSSIBLE {
		return Number{}, nil, false
	}
	longer, err := phonenumbers.Parse(prefix+dialled+"0", region)
	if err == nil && phonenumbers.IsPossibleNumber(longer) {
		return Number{}, nil, false
	}
	return newNumber(phonenumbers.Format(p, phonenumbers.E164)), p, true
}

// believe reads a dial string in a region and decides whether it is a number.
func believe(dialled, region string) (Number, *phonenumbers.PhoneNumber, bool) {
	p, err := phonenumbers.ParseAndKeepRawInput(dialled, region)
	if err != nil {
		return Number{}, nil, false
	}
	e164 := phonenumbers.Format(p, phonenumbers.E164)
	// Not in the numbering plan as the library knows it: a range opened since,
	// or one kept for fiction and tests. Its length must be right for its
	// country, and it must be written in full, that is with the country code or
	// the national prefix: else every extension would do. Asked first, since
	// the plan takes longer to look at and could only say the same.
	full := writtenInFull(p, dialled) && rightLength(p) && len(e164) >= 1+8 && len(e164) <= 1+15
	if !full && !phonenumbers.IsValidNumber(p) {
		return Number{}, nil, false
	}
	return newNumber(e164), p, true
}

func writtenInFull(p *phonenumbers.PhoneNumber, dialled string) bool {
	if p.GetCountryCodeSource() != phonenumbers.PhoneNumber_FROM_DEFAULT_COUNTRY {
		return true
	}
	national := phonenumbers.GetNationalSignificantNumber(p)
	return len(dialled) > len(national) && strings.HasSuffix(dialled, national)
}

func rightLength(p *phonenumbers.PhoneNumber) bool {
	switch phonenumbers.IsPossibleNumberWithReason(p) {
	case phonenumbers.IS_POSSIBLE:
		return true
	case phonenumbers.IS_POSSIBLE_LOCAL_ONLY: // +1 555 0100
		return p.GetCountryCodeSource() == phonenumbers.PhoneNumber_FROM_NUMBER_WITH_PLUS_SIGN
	}
	return false
}

// country is the number's ISO 3166 country; for a number outside the plan the
// main one of its country code.
func country(p *phonenumbers.PhoneNumber) string {
	c := phonenumbers.GetRegionCodeForNumber(p)
	if c == "" {
		c = phonenumbers.GetRegionCodeForCountryCode(int(p.GetCountryCode()))
	}
	if len(c) != 2 || c == phonenumbers.UNKNOWN_REGION { // "001": not a country
		return ""
	}
	return c
}

// maxDialled bounds what is taken for a dial string: E.164 has 15 digits, an
// international prefix and separators come on top.
const maxDialled = 40

// dialString takes the visual separators out of a number (RFC 3966 section 5.1.1).
// It reports false for whatever is no dial string: a library that reads numbers
// out of prose would find one in "bob1234567".
func dialString(raw string) (string, bool) {
	raw = strings.TrimSpace(raw)
	if raw == "" || len(raw) > maxDialled {
		return "", false
	}
	out := make([]byte, 0, len(raw))
	digits := 0
	for i := range len(raw) {
		switch c := raw[i]; {
		case c >= '0' && c <= '9':
			digits++
			out = append(out, c)
		case c == '*' || c == '#':
			digits++
			out = append(out, c)
		case c == '+' && len(out) == 0:
			out = append(out, c)
		case strings.IndexByte("-.()/ ", c) >= 0:
		default:
			return "", false
		}
	}
	return string(out), digits > 0
}

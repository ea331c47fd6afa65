package identity

import (
	"errors"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// DialFormat is how a trunk wants numbers written that it is to call.
type DialFormat string

const (
	DialE164     DialFormat = "e164"     // +441632960001
	DialDigits   DialFormat = "digits"   // 441632960001
	DialNational DialFormat = "national" // 01632960001, and 00359... for other countries
)

// ErrNoDialPlan: national is the format and no region was given.
var ErrNoDialPlan = errors.New("a national number needs the trunk's region")

// Dial writes a number as a trunk wants it dialled; region (ISO 3166) is the
// trunk's, for DialNational. The error is ErrNotNumber or ErrNoDialPlan.
func Dial(e164 string, format DialFormat, region string) (string, error) {
	if format != DialNational {
		if _, err := ParseNumber(e164, "", nil); err != nil || !strings.HasPrefix(e164, "+") {
			return "", ErrNotNumber
		}
		if format == DialDigits {
			return e164[1:], nil
		}
		return e164, nil
	}
	if region == "" {
		return "", ErrNoDialPlan
	}
	p, err := phonenumbers.Parse(e164, phonenumbers.UNKNOWN_REGION)
	if err != nil {
		return "", ErrNotNumber
	}
	text := ""
	if int(p.GetCountryCode()) == phonenumbers.GetCountryCodeForRegion(region) {
		text = phonenumbers.Format(p, phonenumbers.NATIONAL)
	} else {
		text = phonenumbers.FormatOutOfCountryCallingNumber(p, region)
	}
	return digitsOf(text), nil
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

package identity

import (
	"errors"

	"github.com/nyaruka/phonenumbers"
)

// ErrPaysOwner: who is called is paid for it.
var ErrPaysOwner = errors.New("a number whose calls pay its owner, or go wherever he likes")

// ParseCallable reads a number that somebody has keyed in to be called back at. It
// must be one of the region (ISO 3166), and not one whose calls pay its owner: who
// may have any number called would have us call abroad, and premium services, at
// our cost. The error is ErrNotNumber.
func ParseCallable(digits, region string) (Number, error) {
	n, kind, err := numberOfPlan(digits, region)
	if err != nil || paysOwner(kind) || Country(n) != region {
		return Number{}, ErrNotNumber
	}
	return n, nil
}

// ParseOutside reads a number that an agent passes a call on to; one without a
// country is of the region (ISO 3166). It must be in its country's numbering plan:
// of any other nobody can say whom it pays. The error is ErrNotNumber, for short and
// emergency numbers too, or ErrPaysOwner.
func ParseOutside(digits, region string) (Number, error) {
	n, kind, err := numberOfPlan(digits, region)
	switch {
	case err != nil || kind == phonenumbers.UNKNOWN:
		return Number{}, ErrNotNumber
	case paysOwner(kind):
		return Number{}, ErrPaysOwner
	}
	return n, nil
}

// numberOfPlan reads a number of some country, and what the numbering plan has it for.
func numberOfPlan(digits, region string) (Number, phonenumbers.PhoneNumberType, error) {
	if region == "" {
		return Number{}, phonenumbers.UNKNOWN, ErrNotNumber
	}
	n, p, err := parseNumber(digits, region, nil)
	if err != nil || country(p) == "" {
		return Number{}, phonenumbers.UNKNOWN, ErrNotNumber
	}
	return n, phonenumbers.GetNumberType(p), nil
}

// paysOwner says that calls of a kind may pay who is called, or go wherever he likes.
func paysOwner(kind phonenumbers.PhoneNumberType) bool {
	switch kind {
	case phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.PERSONAL_NUMBER, phonenumbers.UAN, phonenumbers.PAGER, phonenumbers.VOICEMAIL:
		return true
	}
	return false
}

// PaysItsOwner says that a part of what a call to the number costs is its owner's:
// who can show such a number as the caller's would live on being called back.
func PaysItsOwner(n Number) bool {
	p, err := phonenumbers.Parse(n.E164(), phonenumbers.UNKNOWN_REGION)
	if err != nil {
		return false
	}
	kind := phonenumbers.GetNumberType(p)
	return kind == phonenumbers.PREMIUM_RATE || kind == phonenumbers.PERSONAL_NUMBER
}

// Country is the country of a number (ISO 3166), "" for one of none, such as +800.
func Country(n Number) string {
	p, err := phonenumbers.Parse(n.E164(), phonenumbers.UNKNOWN_REGION)
	if err != nil {
		return ""
	}
	return country(p)
}

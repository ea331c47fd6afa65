package identity

import (
	"errors"
	"testing"

	"github.com/nyaruka/phonenumbers"
)

// A number that a caller keys in is called at our cost: abroad, and premium
// services, are not.
func TestParseCallable(t *testing.T) {
	for _, c := range []struct{ keyed, region, want string }{
		{"07700900417", "GB", "+447700900417"},
		{"01632960012", "GB", "+441632960012"},
		{"00447700900417", "GB", "+447700900417"},
		{"0035924000000", "GB", ""}, // abroad
		{"09098790000", "GB", ""},   // premium
		{"08445551234", "GB", ""},   // shared cost
		{"07700900417", "", ""},     // nobody knows where
		{"12", "GB", ""},            // an extension
		{"999", "GB", ""},           // not a subscriber
		{"", "GB", ""},              //
		{"0888123456", "BG", "+359888123456"},
	} {
		n, err := ParseCallable(c.keyed, c.region)
		if n.E164() != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s in %s: %q, %v; want %q", c.keyed, c.region, n.E164(), err, c.want)
		}
	}
}

// What an agent passes a call on to may lie in any country, and is refused for the
// same reasons.
func TestParseOutside(t *testing.T) {
	for _, c := range []struct {
		typed, want string
		err         error
	}{
		{"020 7946 0911", "+442079460911", nil},
		{"+359 2 400 0000", "+35924000000", nil},
		{"(020) 7946-0911", "+442079460911", nil},
		{"(01632) 960-012", "", ErrNotNumber},  // kept for fiction: in no plan
		{"07700 900417", "", ErrNotNumber},     // likewise
		{"+44 20 9000 0000", "", ErrNotNumber}, // of no exchange
		{"+49 10 12345678", "", ErrNotNumber},
		{"+33 0 12 34 56 78", "", ErrNotNumber},
		{"+1 555 555 0100", "", ErrNotNumber}, // no such area
		{"+1 200 234 5678", "", ErrNotNumber},
		{"+7 200 123 45 67", "", ErrNotNumber},
		{"+359 1 2345678", "", ErrNotNumber},
		{"+86 00 1234 5678", "", ErrNotNumber},
		{"+39 1 23456789", "", ErrNotNumber},
		{"+999 12 345 6789", "", ErrNotNumber},
		{"0909 879 0000", "", ErrPaysOwner},
		{"070 1234 5678", "", ErrPaysOwner},
		{"0844 555 1234", "", ErrPaysOwner},
		{"+1 900 234 5678", "", ErrPaysOwner},
		{"+800 1234 5678", "", ErrNotNumber}, // of no country
		{"999", "", ErrNotNumber},
		{"112", "", ErrNotNumber},
		{"", "", ErrNotNumber},
	} {
		n, err := ParseOutside(c.typed, "GB")
		if n.E164() != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v; want %q, %v", c.typed, n.E164(), err, c.want, c.err)
		}
	}
	if n, err := ParseOutside("020 7946 0911", ""); err == nil {
		t.Errorf("read in no country: %s", n.E164())
	}
}

// The numbering library's own examples of what each country has: subscribers are
// called, in full and as at home, and who is paid for being called is not.
func TestParseOutsideByCountry(t *testing.T) {
	of := func(region string, kind phonenumbers.PhoneNumberType) (full, home string) {
		p := phonenumbers.GetExampleNumberForType(region, kind)
		if p == nil {
			return "", ""
		}
		return phonenumbers.Format(p, phonenumbers.E164), phonenumbers.Format(p, phonenumbers.NATIONAL)
	}
	refused := 0
	for _, region := range []string{"AT", "AU", "BG", "BR", "CH", "CN", "DE", "ES", "FR", "GB", "IE", "IN", "IT", "JP", "KZ", "NL", "PL", "RU", "SE", "TR", "UA", "US", "ZA"} {
		for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.FIXED_LINE, phonenumbers.MOBILE, phonenumbers.TOLL_FREE} {
			full, home := of(region, kind)
			for _, typed := range []string{full, home} {
				if n, err := ParseOutside(typed, region); full == "" || n.E164() != full || err != nil {
					t.Errorf("%s, kind %d: %q is %q, %v; want %s", region, kind, typed, n.E164(), err, full)
				}
			}
		}
		for _, kind := range []phonenumbers.PhoneNumberType{phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST, phonenumbers.PERSONAL_NUMBER} {
			full, _ := of(region, kind)
			if full == "" {
				continue
			}
			refused++
			if n, err := ParseOutside(full, region); !errors.Is(err, ErrPaysOwner) {
				t.Errorf("%s, kind %d: %s is %q, %v; want %v", region, kind, full, n.E164(), err, ErrPaysOwner)
			}
		}
	}
	if refused < 20 {
		t.Errorf("only %d examples of numbers that pay their owner", refused)
	}
}

// Whoever shows a premium number is not to be paid for being called back.
func TestPaysItsOwner(t *testing.T) {
	for e164, want := range map[string]bool{
		"+449098790000": true, "+447012345678": true, "+19002345678": true, "+35990123456": true,
		"+447700900417": false, "+441632960012": false, "+35924000000": false, "+15550100": false, "": false,
	} {
		n := Number{}
		if e164 != "" {
			n = newNumber(e164)
		}
		if got := PaysItsOwner(n); got != want {
			t.Errorf("%s: %v, want %v", e164, got, want)
		}
	}
}

package identity

import (
	"errors"
	"testing"
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
		{"(01632) 960-012", "+441632960012", nil},
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

package identity

import (
	"errors"
	"testing"
)

// A trunk is given a number in its own dial plan.
func TestDial(t *testing.T) {
	for _, c := range []struct {
		e164   string
		format DialFormat
		region string
		want   string
		err    error
	}{
		{"+441632960012", DialE164, "", "+441632960012", nil},
		{"+441632960012", "", "", "+441632960012", nil},
		{"+441632960012", DialDigits, "GB", "441632960012", nil},
		{"+441632960012", DialNational, "GB", "01632960012", nil},
		{"+447700900016", DialNational, "GB", "07700900016", nil},
		{"+447700900016", DialNational, "BG", "00447700900016", nil},
		{"+35924000100", DialNational, "BG", "024000100", nil},
		{"+447700900016", DialNational, "US", "011447700900016", nil},
		{"+12025550143", DialNational, "US", "2025550143", nil},
		{"+12025550143", DialNational, "CA", "2025550143", nil},
		{"+4315550010", DialNational, "AT", "015550010", nil},
		{"+390612345678", DialNational, "IT", "0612345678", nil},
		{"+441632960012", DialNational, "", "", ErrNoDialPlan},
		{"01632960012", DialE164, "", "", ErrNotNumber},
		{"+44;x=1", DialE164, "", "", ErrNotNumber},
		{"+1", DialNational, "GB", "", ErrNotNumber},
	} {
		got, err := Dial(c.e164, c.format, c.region)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s as %s in %q: %q, %v; want %q, %v", c.e164, c.format, c.region, got, err, c.want, c.err)
		}
	}
}

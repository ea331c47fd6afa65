package routing

import "testing"

// What can be a number is looked up, and nothing else.
func TestDigitsTakes(t *testing.T) {
	for _, c := range []struct {
		d      Digits
		number string
		takes  bool
	}{
		{Digits{Least: 4, Most: 8}, "123", false},
		{Digits{Least: 4, Most: 8}, "1234", true},
		{Digits{Least: 4, Most: 8}, "123456789", false},
		{Digits{Least: 1, Most: 20, Luhn: true}, "79927398713", true}, // ISO/IEC 7812-1's example
		{Digits{Least: 1, Most: 20, Luhn: true}, "79927398710", false},
		{Digits{Least: 1, Most: 20, Luhn: true}, "79927398731", false}, // two digits changed over
		{Digits{Least: 1, Most: 20, Luhn: true}, "18", true},
	} {
		if got := c.d.Takes(c.number); got != c.takes {
			t.Errorf("%s: %v", c.number, got)
		}
	}
}

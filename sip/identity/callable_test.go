package identity

import "testing"

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

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

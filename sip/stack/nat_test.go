package stack

import (
	"net/netip"
	"testing"
)

// A Contact from behind a NAT is told from one that is merely elsewhere.
func TestBehindNAT(t *testing.T) {
	for _, c := range []struct {
		named, from string
		want        bool
	}{
		{"192.168.55.2", "203.0.113.9", true},
		{"10.1.2.3", "203.0.113.9", true},
		{"100.64.9.9", "203.0.113.9", true},
		{"fd00::5", "2001:db8::5", true},
		{"192.168.55.2", "192.168.55.1", false}, // a phone and its PBX on our own network
		{"100.65.0.1", "100.64.0.1", false},
		{"198.51.100.7", "203.0.113.9", false}, // a proxy before a gateway
		{"192.168.55.2", "127.0.0.1", false},   // a proxy on our machine
	} {
		if got := behindNAT(netip.MustParseAddr(c.named), netip.MustParseAddr(c.from)); got != c.want {
			t.Errorf("Contact %s from %s: %v", c.named, c.from, got)
		}
	}
	if behindNAT(netip.MustParseAddr("10.1.2.3"), netip.Addr{}) {
		t.Error("a peer that has not spoken is behind a NAT")
	}
}

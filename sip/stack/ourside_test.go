package stack

import (
	"net/netip"
	"testing"
	"time"
)

// The kernel is asked once in a while which address is ours towards a peer, not
// for each message; and again when it may have changed.
func TestSourcesAreRemembered(t *testing.T) {
	var s ownSides
	peer, now := netip.MustParseAddr("127.0.0.7"), time.Now()
	asked := netip.MustParseAddr("127.0.0.1")
	if got := s.to(peer, now); got != asked {
		t.Fatalf("towards %v we are %v", peer, got)
	}
	remembered := netip.MustParseAddr("192.0.2.1") // what the kernel would not say
	s.by[peer] = ownSide{remembered, now}
	if got := s.to(peer, now.Add(sourceAge-1)); got != remembered {
		t.Errorf("asked again at once: %v", got)
	}
	if got := s.to(peer, now.Add(sourceAge)); got != asked {
		t.Errorf("not asked again: %v", got)
	}
	for i := range 3 * sourceMost {
		s.to(netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)}), now)
		if len(s.by) > sourceMost {
			t.Fatalf("%d peers remembered", len(s.by))
		}
	}
}

package stack

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// What the kernel said is asked again after sourceAge: interfaces and routes
// change. No more than sourceMost peers are remembered.
const (
	sourceAge  = 5 * time.Second
	sourceMost = 1024
)

// ownSides remembers which of our addresses the kernel uses towards a peer. To
// ask costs a socket, and a stack that listens on all addresses needs it for
// each Via and Contact.
type ownSides struct {
	mu sync.Mutex
	by map[netip.Addr]ownSide
}

type ownSide struct {
	ours netip.Addr
	at   time.Time
}

// to is our address towards the peer.
func (s *ownSides) to(peer netip.Addr, now time.Time) netip.Addr {
	s.mu.Lock()
	known, ok := s.by[peer]
	s.mu.Unlock()
	if ok && now.Sub(known.at) < sourceAge {
		return known.ours
	}
	ours := sourceFor(peer)
	if ours.IsUnspecified() {
		return ours // there is no way just now; there may be one at once
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil || len(s.by) >= sourceMost {
		s.by = map[netip.Addr]ownSide{}
	}
	s.by[peer] = ownSide{ours, now}
	return ours
}

// sourceFor asks the kernel which of our addresses it would use; no packet is sent.
func sourceFor(peer netip.Addr) netip.Addr {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(peer, 9)))
	if err != nil {
		return netip.IPv4Unspecified()
	}
	defer c.Close()
	return addrPort(c.LocalAddr().String()).Addr()
}

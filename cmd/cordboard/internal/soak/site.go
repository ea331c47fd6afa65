package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// site is a loopback network that one soak at a time has to itself: the server's
// address, at which all its ports are, and one for each phone. Two soaks of one
// machine, at ports of one address, would find the same ones free, and the next
// server or phone would take what another had left for a moment: a phone that is
// unplugged, a server that is being restarted, an RTP port between two calls.
type site struct {
	network byte
	held    net.Listener // for the whole run; the kernel gives it back, however that ends
}

// Networks 127.FIRST to 127.(FIRST+SITES-1), aside from those that the tests of
// the house use, and the port that is held. The server's other ports follow it.
const (
	firstSite, sites = 64, 64
	heldPort         = 9060
)

// takeSite takes the first network that no other soak has.
func takeSite() (*site, error) {
	for n := range byte(sites) {
		s := &site{network: firstSite + n}
		held, err := net.Listen("tcp", s.at(0).String())
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("a network of its own: %w", err)
		}
		s.held = held
		return s, nil
	}
	return nil, fmt.Errorf("%d soaks have all the networks there are", sites)
}

// at is the server's address with a port of its own.
func (s *site) at(port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, s.network, 0, 1}), uint16(heldPort+port))
}

// phone is the address of the phone of agent i.
func (s *site) phone(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, s.network, byte(1 + i/250), byte(1 + i%250)})
}

func (s *site) leave() error { return s.held.Close() }

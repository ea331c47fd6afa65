//go:build !unix

package stack

import (
	"net"
	"net/netip"
)

// sender writes datagrams.
type sender struct{ c *net.UDPConn }

func newSender(c *net.UDPConn, _ bool) (*sender, error) { return &sender{c}, nil }

func (s *sender) send(b []byte, to netip.AddrPort) error {
	_, err := s.c.WriteToUDPAddrPort(b, to)
	return err
}

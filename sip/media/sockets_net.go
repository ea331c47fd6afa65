package media

import (
	"errors"
	"net"
	"net/netip"
	"sync"
)

// netSockets are the sockets of Go's own library, for any system: a goroutine
// reads each.
type netSockets struct {
	got receiver
	wg  sync.WaitGroup
}

type netSocket struct{ c *net.UDPConn }

func (n *netSockets) open(at netip.AddrPort) (socket, error) {
	network := "udp6"
	if at.Addr().Is4() {
		network = "udp4"
	}
	c, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, err
	}
	n.wg.Go(func() {
		buf := make([]byte, maxPacket)
		for {
			k, src, err := c.ReadFromUDPAddrPort(buf)
			switch {
			case err == nil:
				n.got(at.Port(), buf[:k], src)
			case errors.Is(err, net.ErrClosed):
				return
			}
			// Anything else is an ICMP answer to something we sent; the socket lives.
		}
	})
	return netSocket{c}, nil
}

func (n *netSockets) close() { n.wg.Wait() }

func (s netSocket) send(b []byte, to netip.AddrPort) { _, _ = s.c.WriteToUDPAddrPort(b, to) }
func (s netSocket) close()                           { _ = s.c.Close() }

//go:build unix

package stack

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
)

// sender writes datagrams and never waits. Those to a neighbour that is switched
// off wait in the kernel for three seconds, and count against the buffer of the
// socket: once it is full, net.UDPConn would hold up whoever writes to anybody.
type sender struct {
	conn  syscall.RawConn
	inet4 bool // the family of the socket

	mu  sync.Mutex
	msg []byte
	to4 syscall.SockaddrInet4
	to6 syscall.SockaddrInet6
	err error
	try func(fd uintptr) bool
}

func newSender(c *net.UDPConn, inet4 bool) (*sender, error) {
	conn, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	s := &sender{conn: conn, inet4: inet4}
	s.try = s.once
	return s, nil
}

// send writes a datagram. errFull: there was no room, and it is lost.
func (s *sender) send(b []byte, to netip.AddrPort) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.msg = b
	if s.inet4 {
		if !to.Addr().Unmap().Is4() {
			return fmt.Errorf("stack: %s is not reached by IPv4", to.Addr())
		}
		s.to4 = syscall.SockaddrInet4{Addr: to.Addr().Unmap().As4(), Port: int(to.Port())}
	} else {
		s.to6 = syscall.SockaddrInet6{Addr: to.Addr().As16(), Port: int(to.Port())}
	}
	err := s.conn.Write(s.try)
	s.msg = nil
	if err != nil {
		return err
	}
	if errors.Is(s.err, syscall.EAGAIN) || errors.Is(s.err, syscall.ENOBUFS) {
		return errFull
	}
	return s.err
}

// once is one try; true says that it is not to be made again when there is room.
func (s *sender) once(fd uintptr) bool {
	var to syscall.Sockaddr = &s.to6
	if s.inet4 {
		to = &s.to4
	}
	for {
		if s.err = syscall.Sendto(int(fd), s.msg, 0, to); !errors.Is(s.err, syscall.EINTR) {
			return true
		}
	}
}

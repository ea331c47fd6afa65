package stack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// outward hands connections that we made to the library as if it had accepted
// them. Those it makes itself are not read by our framer, and by TLS it would
// verify the address and not the name, and use one host's connection for another
// at the same address.
type outward struct {
	at     net.Addr
	conns  chan made
	served chan struct{} // of the one that Accept gave last
	once   sync.Once
	closed chan struct{}
}

type made struct {
	conn   net.Conn
	served chan struct{} // closed when the library has it
}

func newOutward(at net.Addr) *outward {
	return &outward{at: at, conns: make(chan made), closed: make(chan struct{})}
}

// Accept gives the next connection. The library asks again when it has taken
// in the last.
func (o *outward) Accept() (net.Conn, error) {
	if o.served != nil {
		close(o.served)
		o.served = nil
	}
	select {
	case m := <-o.conns:
		o.served = m.served
		return m.conn, nil
	case <-o.closed:
		return nil, net.ErrClosed
	}
}

// give hands a connection over and waits until requests can be sent on it.
func (o *outward) give(ctx context.Context, c net.Conn) error {
	m := made{c, make(chan struct{})}
	select {
	case o.conns <- m:
	case <-o.closed:
		return net.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	<-m.served
	return nil
}

func (o *outward) Close() error   { o.once.Do(func() { close(o.closed) }); return nil }
func (o *outward) Addr() net.Addr { return o.at }

// connect gives the TCP connection to an address, or makes it.
func (s *Stack) connect(ctx context.Context, addr netip.AddrPort, sp *spec) (*flow, error) {
	if f := s.flows.to("tcp", addr); f != nil {
		return f, nil
	}
	if sp.fixed == addr {
		return nil, errFlow
	}
	return s.dial(ctx, "tcp", addr.Addr().String(), addr)
}

// dial makes a connection; over TLS the host must show its certificate.
func (s *Stack) dial(ctx context.Context, transport, host string, addr netip.AddrPort) (*flow, error) {
	to := s.outTCP
	if transport == "tls" {
		to = s.outward
	}
	if to == nil {
		return nil, errNoTLS
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.timers.dial)
	defer cancel()
	done, err := s.alone(ctx, hostKey{transport, host, addr})
	if err != nil {
		return nil, err
	}
	defer done()
	if f := s.flows.toHost(transport, host, addr); f != nil {
		return f, nil
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr.String())
	if err != nil {
		return nil, fmt.Errorf("stack: connect: %w", err)
	}
	own := c
	if transport == "tls" {
		if own, err = s.shake(ctx, c, host); err != nil {
			_ = c.Close()
			return nil, err
		}
	}
	f := &flow{Conn: own, s: s, transport: transport, peer: addr, host: host, opened: time.Now()}
	f.proven.Store(true)
	if !s.flows.add(f) {
		_ = c.Close()
		return nil, errors.New("stack: too many connections")
	}
	if err := to.give(ctx, f); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("stack: %w", err)
	}
	return f, nil
}

// alone waits until nobody makes a connection to the peer: two calls at once
// make one, and a peer that does not answer holds up no call but its own.
func (s *Stack) alone(ctx context.Context, k hostKey) (done func(), err error) {
	for {
		s.mu.Lock()
		busy := s.making[k]
		if busy == nil {
			mine := make(chan struct{})
			s.making[k] = mine
			s.mu.Unlock()
			return func() {
				s.mu.Lock()
				delete(s.making, k)
				s.mu.Unlock()
				close(mine)
			}, nil
		}
		s.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, fmt.Errorf("stack: connect: %w", ctx.Err())
		}
	}
}

// stream reports whether a transport keeps connections.
func stream(transport string) bool { return transport == "tcp" || transport == "tls" }

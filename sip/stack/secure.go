package stack

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// TLS is what SIP over TLS needs (RFC 3261 26.3).
type TLS struct {
	// Server is for those who connect: it must give a certificate, and may
	// change which one at any time (GetCertificate).
	Server *tls.Config
	// Client is asked for each connection that we make: roots to trust, a
	// certificate if one is wanted. nil: the system's roots. The name to verify
	// is always the host of the URI that is called.
	Client func() *tls.Config
}

// least refuses what RFC 8996 has laid to rest.
func least(c *tls.Config) *tls.Config {
	if c == nil {
		c = &tls.Config{}
	}
	c = c.Clone()
	c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	return c
}

// outward hands connections that we made to the library as if it had accepted
// them: its own would verify the address and not the name, and use one host's
// connection for another at the same address.
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

var errNoTLS = errors.New("stack: calls by TLS need a tls listener")

// secure gives a connection to the address whose certificate is the host's:
// the dialog's own when it is that, one made before, or a new one.
func (s *Stack) secure(ctx context.Context, host string, addr netip.AddrPort, sp *spec) (*flow, error) {
	if sp.fixed == addr { // a phone's own connection, which Outgoing.Next names
		if f := s.flows.to("tls", addr); f != nil {
			return f, nil
		}
		return nil, errFlow
	}
	if sp.over == "tls" && sp.peer == addr {
		// The way the peer came, or was reached, by this name.
		if f := s.flows.to("tls", addr); f != nil && (f.host == "" || f.host == host || host == addr.Addr().String()) {
			return f, nil
		}
	}
	if f := s.flows.toHost(host, addr); f != nil {
		return f, nil
	}
	f, err := s.dialTLS(ctx, host, addr)
	if err != nil && sp.over == "tls" && sp.peer.IsValid() {
		// A phone behind NAT has no certificate and listens nowhere; its dialog
		// still has the connection that it made.
		if own := s.flows.to("tls", sp.peer); own != nil && own.host == "" {
			return own, nil
		}
	}
	return f, err
}

func (s *Stack) dialTLS(ctx context.Context, host string, addr netip.AddrPort) (*flow, error) {
	if s.outward == nil {
		return nil, errNoTLS
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.timers.dial)
	defer cancel()
	done, err := s.alone(ctx, hostKey{host, addr})
	if err != nil {
		return nil, err
	}
	defer done()
	if f := s.flows.toHost(host, addr); f != nil {
		return f, nil
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr.String())
	if err != nil {
		return nil, fmt.Errorf("stack: connect: %w", err)
	}
	var config *tls.Config
	if s.o.TLS.Client != nil {
		config = s.o.TLS.Client()
	}
	config = least(config)
	config.ServerName = host
	t := tls.Client(c, config)
	if err := t.HandshakeContext(ctx); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("stack: TLS: %w", err)
	}
	f := &flow{Conn: t, s: s, transport: "tls", peer: addr, host: host, opened: time.Now()}
	f.proven.Store(true)
	if !s.flows.add(f) {
		_ = c.Close()
		return nil, errors.New("stack: too many connections")
	}
	if err := s.outward.give(ctx, f); err != nil {
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

// bindTo makes a request go out by the connection and no other.
func (f *flow) bindTo(req *sip.Request) {
	req.Laddr = sip.Addr{IP: f.id.Addr().AsSlice(), Port: int(f.id.Port())}
}

// stream reports whether a transport keeps connections.
func stream(transport string) bool { return transport == "tcp" || transport == "tls" }

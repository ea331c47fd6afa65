package stack

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
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
	if f := s.flows.toHost("tls", host, addr); f != nil {
		return f, nil
	}
	f, err := s.dial(ctx, "tls", host, addr)
	if err != nil && sp.over == "tls" && sp.peer.IsValid() {
		// A phone behind NAT has no certificate and listens nowhere; its dialog
		// still has the connection that it made.
		if own := s.flows.to("tls", sp.peer); own != nil && own.host == "" {
			return own, nil
		}
	}
	return f, err
}

// shake makes a connection one of TLS with a host that can show its certificate.
func (s *Stack) shake(ctx context.Context, c net.Conn, host string) (net.Conn, error) {
	var config *tls.Config
	if s.o.TLS.Client != nil {
		config = s.o.TLS.Client()
	}
	config = least(config)
	config.ServerName = host
	t := tls.Client(c, config)
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("stack: TLS: %w", err)
	}
	return t, nil
}

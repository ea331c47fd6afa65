package stack

import (
	"bytes"
	"net"
	"net/netip"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// filter sees raw bytes before the parser and before the library remembers
// the source, which it does for ever. It must never return an error: that
// would end the listener. nil drops.
func (s *Stack) filter(p sip.TransportReadProps, data []byte) (out []byte, err error) {
	defer func() {
		if recover() != nil {
			out, err = nil, nil
		}
	}()
	if s.ctx.Err() != nil {
		return nil, nil
	}
	if p.Transport != "UDP" {
		return data, nil // pieces of a stream; see flow and validate
	}
	from := addrPort(p.RemoteAddr.String())
	if !s.o.Allow(from.Addr()) && !s.talking(from.Addr()) {
		s.refuseStranger(p, from, data)
		return nil, nil
	}
	if !soundDatagram(data) {
		return nil, nil
	}
	return data, nil
}

// soundDatagram rejects what can smuggle a header: a line that ends in a bare
// LF or CR, control characters, no end of the header section.
func soundDatagram(data []byte) bool {
	if len(data) <= 4 {
		return len(bytes.Trim(data, "\r\n")) == 0 // keep-alive
	}
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		return false
	}
	head := data[:end+4]
	for i, c := range head {
		switch {
		case c == '\n':
			if i == 0 || head[i-1] != '\r' {
				return false
			}
		case c == '\r':
			if i+1 == len(head) || head[i+1] != '\n' {
				return false
			}
		case c < ' ' && c != '\t', c == 0x7f:
			return false
		}
	}
	return true
}

// refuseStranger answers an unknown source's INVITE with one 403, without a
// transaction: it would send the answer ten times to an address that may be
// forged. Everything else gets nothing.
func (s *Stack) refuseStranger(p sip.TransportReadProps, to netip.AddrPort, data []byte) {
	if !bytes.HasPrefix(data, []byte("INVITE ")) || !soundDatagram(data) || !s.forbid.Allow() {
		return
	}
	m, err := s.parser.ParseSIP(data)
	req, ok := m.(*sip.Request)
	if err != nil || !ok || req.Via() == nil {
		return
	}
	req.SetTransport("UDP")
	req.SetSource(to.String())
	s.tellStranger(to.Addr())
	res := sip.NewResponseFromRequest(req, 403, reasonOf(403), nil)
	for _, c := range s.udp {
		if c.LocalAddr().String() == p.LocalAddr.String() {
			_, _ = c.WriteTo([]byte(res.String()), net.UDPAddrFromAddrPort(to)) // best effort, as all of UDP
		}
	}
}

// tellStranger logs whose call was refused, once in ten seconds: an address
// missing from a trunk is an integrator's first mistake, a scan is nobody's.
func (s *Stack) tellStranger(a netip.Addr) {
	if s.told.Allow() {
		s.log.Warn("a call was refused with 403: its source address is in no trunk's from", zap.Stringer("source", a))
	}
}

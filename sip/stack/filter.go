package stack

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// filter sees raw bytes before the library, which remembers each source for ever
// and whose reader would be ended by a panic of the parser, and all else with it.
// What it lets in it works off itself; nil leaves the library nothing to do. An
// error ends the reader: that of a connection whose message can't be read, never
// that of the datagrams.
func (s *Stack) filter(p sip.TransportReadProps, data []byte) (out []byte, err error) {
	defer s.recovered("filter")
	if s.ctx.Err() != nil {
		return nil, nil
	}
	from, socket := remote(p.RemoteAddr)
	udp := p.Transport == "UDP"
	if udp && isSTUN(data) {
		if s.o.Allow(from.Addr()) || s.hears(from.Addr(), "OPTIONS") {
			s.answerSTUN(data, from, socket)
		}
		return nil, nil
	}
	// Of a stream come whole messages; see framer.
	known := !udp || s.o.Allow(from.Addr()) || s.talking(from.Addr()) || s.hearsRaw(from.Addr(), data)
	if !known && !bytes.HasPrefix(data, []byte("INVITE ")) {
		return nil, nil
	}
	if len(data) <= 4 && len(bytes.Trim(data, "\r\n")) == 0 {
		return data, nil // a keep-alive
	}
	var room [32]Header // most messages have fewer
	h, fields, ok := readHead(data, room[:0])
	if !ok {
		return nil, s.unread(p.Transport, from)
	}
	at := time.Now()
	transport := sip.NetworkToLower(p.Transport)
	switch {
	case !known:
		s.refuseStranger(&h, socket, h.message(data, fields, from, transport, at))
	case h.response:
		if c := s.asked(&h); c != nil {
			s.o.Trace.Message(at, false, transport, from, data)
			s.tapResponse(c, h.message(data, fields, from, transport, at))
		}
	case s.police(from.Addr(), &h, at):
		in := &inbound{msg: h.message(data, fields, from, transport, at), socket: socket, traced: s.knows(from.Addr(), &h)}
		if in.traced {
			s.o.Trace.Message(at, false, transport, from, data)
		}
		s.tapRequest(in)
	}
	return nil, nil
}

// knows reports whether a request is of a peer whom we let call, or for a dialog of
// ours. What a stranger sends over a stream, or somebody whom we have called sends
// for a call of his own, is not traced, nor what he is answered: he would push the
// calls out of the ring.
func (s *Stack) knows(from netip.Addr, h *head) bool {
	return s.o.Allow(from) || h.toTag != "" && s.expects(h.toTag)
}

// unread tells of a message that can't be read. Where it came as a stream nobody
// knows what follows it.
func (s *Stack) unread(transport string, from netip.AddrPort) error {
	s.log.Debug("a message can't be read", zap.String("transport", transport), zap.Stringer("from", from))
	if transport == "UDP" {
		return nil
	}
	return errUnread
}

var errUnread = errors.New("stack: a message can't be read")

// remote is where something came from, and for a datagram to which socket.
func remote(a net.Addr) (netip.AddrPort, *packetConn) {
	if h, ok := a.(*heard); ok {
		return h.at, h.to
	}
	return addrPort(a.String()), nil
}

// asked gives the request of ours that a response answers; nil for one that
// nobody waits for.
func (s *Stack) asked(h *head) *clientTx {
	var room [128]byte
	key := append(append(append(room[:0], h.via.branch...), sip.TxSeperator...), h.cseqMethod...)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clients[string(key)]
}

// police lets a request in by what it is for. What belongs to a dialog always
// may; what does not is held to its source's rate, and dropped without an answer
// above it. Scanners get none either.
func (s *Stack) police(from netip.Addr, h *head, now time.Time) bool {
	if h.scanner || miscast(h.method) {
		return false
	}
	if h.toTag != "" && s.expects(h.toTag) {
		return true
	}
	urgent := h.toTag != "" || h.method == "ACK" || h.method == "CANCEL"
	if !s.o.Allow(from) {
		return s.crowd.take(from, urgent, now)
	}
	return s.calm.take(from, urgent, now)
}

// miscast reports a method that some would take for another: they are
// case-sensitive (RFC 3261 7.1), and not everybody on a call's way knows.
func miscast(method string) bool {
	return !known[method] && known[strings.ToUpper(method)]
}

// expects reports whether a request can be for a dialog of ours.
func (s *Stack) expects(tag string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dialogs[tag] != nil
}

// scanners send nothing else: they look for servers to call at others' cost.
// Whole words: a SIPClient is none.
var scanners = []string{
	"friendly-scanner", "friendly-request", "sipvicious", "sipcli",
	"sip-scan", "sip-scanner", "sundayddr", "iwar", "sipv0", "pplsip",
}

// isScanner reports whether a User-Agent has the name of a scanner in it.
func isScanner(agent string) bool {
	for i := range len(agent) {
		if !isLetter(agent[i]) || i > 0 && isLetter(agent[i-1]) {
			continue // no word begins here
		}
		for _, bad := range scanners {
			end := i + len(bad)
			if end <= len(agent) && strings.EqualFold(agent[i:end], bad) && (end == len(agent) || !isLetter(agent[end])) {
				return true
			}
		}
	}
	return false
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// refuseStranger answers an unknown source's INVITE with one 403, without a
// transaction: it would send the answer ten times to an address that may be
// forged. Everything else gets nothing.
func (s *Stack) refuseStranger(h *head, socket *packetConn, m *Message) {
	if h.scanner || m.Method != "INVITE" || m.vias == 0 || socket == nil || !s.forbid.Allow() {
		return
	}
	s.tellStranger(m.Source.Addr())
	in := &inbound{msg: m, verdict: refuse(403)}
	_ = socket.send(s.response(in, 403, "", nil, nil, nil), m.Source) // best effort, as all of UDP
}

// tellStranger logs whose call was refused, once in ten seconds: an address
// missing from a trunk is an integrator's first mistake, a scan is nobody's.
func (s *Stack) tellStranger(a netip.Addr) {
	if s.told.Allow() {
		s.log.Warn("a call was refused with 403: its source address is in no trunk's from", zap.Stringer("source", a))
	}
}

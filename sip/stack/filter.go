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
	if p.Transport == "UDP" { // of a stream come whole messages; see framer
		if !s.o.Allow(from.Addr()) && !s.talking(from.Addr()) && !s.hearsRaw(from.Addr(), data) {
			s.refuseStranger(p, from, data)
			return nil, nil
		}
		if !soundDatagram(data) {
			return nil, nil
		}
	}
	if len(data) <= 4 {
		return data, nil // a keep-alive
	}
	if !s.police(from.Addr(), data) {
		return nil, nil
	}
	m, err := s.parser.ParseSIP(data)
	if err != nil { // it holds the message
		s.log.Debug("a message can't be read", zap.String("transport", p.Transport), zap.Stringer("from", from))
		if p.Transport == "UDP" {
			return nil, nil
		}
		return nil, errUnread
	}
	m.SetTransport(p.Transport)
	m.SetSource(from.String())
	s.tap(m, socket, from)
	return nil, nil
}

var errUnread = errors.New("stack: a message can't be read")

// remote is where something came from, and for a datagram to which socket.
func remote(a net.Addr) (netip.AddrPort, *packetConn) {
	if h, ok := a.(*heard); ok {
		return h.at, h.to
	}
	return addrPort(a.String()), nil
}

// police lets a message in by what it is for. What belongs to a dialog, or
// answers us, always may; what does not is held to its source's rate, and
// dropped without an answer above it. Scanners get none either.
func (s *Stack) police(from netip.Addr, data []byte) bool {
	g := glance(data)
	if g.scanner || miscast(g.method) {
		return false
	}
	urgent := g.response || g.tag != "" || g.method == "ACK" || g.method == "CANCEL"
	if urgent && s.expects(g) {
		return true
	}
	if !s.o.Allow(from) {
		return s.crowd.take(from, urgent, time.Now())
	}
	return s.calm.take(from, urgent, time.Now())
}

// miscast reports a method that the library would take for another: it folds
// them, and they are case-sensitive (RFC 3261 7.1).
func miscast(method string) bool {
	folded := strings.ToUpper(method)
	return folded != method && known[folded]
}

// expects reports whether a message can be for a dialog or a transaction of ours.
func (s *Stack) expects(g glimpse) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.response {
		return s.clients[g.branch+sip.TxSeperator+g.cseqMethod] != nil
	}
	return s.dialogs[g.tag] != nil
}

// glimpse is what can be seen of a message without parsing it.
type glimpse struct {
	response   bool
	scanner    bool
	method     string
	tag        string // To's
	branch     string // of the first Via
	cseqMethod string
}

// scanners send nothing else: they look for servers to call at others' cost.
// Whole words: a SIPClient is none.
var scanners = [][]byte{
	[]byte("friendly-scanner"), []byte("friendly-request"), []byte("sipvicious"), []byte("sipcli"),
	[]byte("sip-scan"), []byte("sip-scanner"), []byte("sundayddr"), []byte("iwar"), []byte("sipv0"), []byte("pplsip"),
}

func glance(data []byte) (g glimpse) {
	start, _, _ := bytes.Cut(data, []byte("\r\n"))
	method, _, _ := bytes.Cut(start, []byte(" "))
	g.response = bytes.EqualFold(method, []byte("SIP/2.0"))
	if !g.response {
		g.method = string(method)
	}
	for line := range headLines(data) {
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		name = bytes.TrimRight(name, " \t")
		switch {
		case isName(name, 't', "to"):
			g.tag = param(value, "tag")
		case g.branch == "" && isName(name, 'v', "via"):
			g.branch = param(value, "branch")
		case g.response && isName(name, 0, "cseq"):
			if f := bytes.Fields(value); len(f) == 2 {
				g.cseqMethod = string(f[1])
			}
		case !g.response && isName(name, 0, "user-agent"):
			value = bytes.ToLower(value)
			for _, bad := range scanners {
				g.scanner = g.scanner || hasWord(value, bad)
			}
		}
	}
	return g
}

// hasWord reports whether a text in lower case has the word.
func hasWord(text, word []byte) bool {
	for i := 0; ; i++ {
		n := bytes.Index(text[i:], word)
		if n < 0 {
			return false
		}
		i += n
		end := i + len(word)
		if (i == 0 || !isLetter(text[i-1])) && (end == len(text) || !isLetter(text[end])) {
			return true
		}
	}
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' }

func isName(name []byte, short byte, long string) bool {
	if len(name) == 1 {
		return short != 0 && name[0]|0x20 == short
	}
	return len(name) == len(long) && bytes.EqualFold(name, []byte(long))
}

// param reads a header parameter roughly: good enough to look it up. Those of
// a URI in brackets are not its.
func param(value []byte, name string) string {
	if i := bytes.LastIndexByte(value, '>'); i >= 0 {
		value = value[i:]
	}
	for p := range bytes.SplitSeq(value, []byte(";")) {
		k, v, _ := bytes.Cut(p, []byte("="))
		if bytes.EqualFold(bytes.TrimSpace(k), []byte(name)) {
			v, _, _ = bytes.Cut(v, []byte(",")) // the next Via of the list
			return string(bytes.TrimSpace(v))
		}
	}
	return ""
}

// soundDatagram rejects what can smuggle a header, and what has no head.
func soundDatagram(data []byte) bool {
	if len(data) <= 4 {
		return len(bytes.Trim(data, "\r\n")) == 0 // keep-alive
	}
	var h headScan
	return h.scan(data) == "" && h.end > 0 && h.lines > 1
}

// refuseStranger answers an unknown source's INVITE with one 403, without a
// transaction: it would send the answer ten times to an address that may be
// forged. Everything else gets nothing.
func (s *Stack) refuseStranger(p sip.TransportReadProps, to netip.AddrPort, data []byte) {
	if !bytes.HasPrefix(data, []byte("INVITE ")) || !soundDatagram(data) || glance(data).scanner || !s.forbid.Allow() {
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
			_ = c.send([]byte(res.String()), to) // best effort, as all of UDP
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

package media

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// maxPacket is the largest datagram read. G.711 at 20 ms is 172 bytes; what is
// larger than an Ethernet frame is no telephone audio.
const maxPacket = 1500

// Port is one RTP/RTCP port pair: one leg's sound. All methods are safe for
// concurrent use and none blocks.
type Port struct {
	engine *Engine
	pair   *pair
	peer   atomic.Pointer[Port] // relay
	heard  atomic.Uint64        // RTP packets accepted
	strays atomic.Uint64        // packets refused by the latch

	recording atomic.Pointer[Recording]

	mu      sync.Mutex
	closed  bool
	media   latch
	control latch
	numbers numbers
	play    player
	dtmf    dtmfDecoder
	dtmfPT  uint8
	onDigit func(byte)
	vanish  *time.Timer
}

// Local is the RTP address to put into SDP; RTCP is on the next port.
func (p *Port) Local() netip.AddrPort { return netip.AddrPortFrom(p.engine.advertise, p.pair.port) }

// SetRemote gives the peer's RTP address from its SDP. Only packets from there
// are listened to, or, when the peer is behind a NAT, from another source of
// the same host or of an AlsoFrom address that proves to be a stream soon after
// this call. A new address forgets what was learnt.
func (p *Port) SetRemote(to netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.setRemote(to)
}

func (p *Port) setRemote(to netip.AddrPort) {
	now := time.Now()
	p.media.set(to, now)
	// RFC 3550 section 11: RTCP is on the next odd port.
	p.control.set(netip.AddrPortFrom(to.Addr(), to.Port()+1), now)
}

// Mute says that the peer does not receive (RFC 3264 section 5.1): it is sent
// no audio, but listened to all the same.
func (p *Port) Mute(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.media.mute = on
}

// AlsoFrom names further addresses of the same peer: the source of its
// signalling, when its SDP may hold an address from behind a NAT.
func (p *Port) AlsoFrom(known ...netip.Addr) {
	own := make([]netip.Addr, len(known))
	for i, a := range known {
		own[i] = a.Unmap()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.media.known, p.control.known = own, own
}

// Heard is the number of RTP packets received from the peer so far; Strays
// counts those that came from elsewhere and were dropped.
func (p *Port) Heard() uint64  { return p.heard.Load() }
func (p *Port) Strays() uint64 { return p.strays.Load() }

// Sent is the number of RTP packets of sounds sent so far.
func (p *Port) Sent() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return uint64(p.play.report.packets)
}

// Close stops the sound, leaves the relay and frees the port pair. Further
// calls do nothing.
func (p *Port) Close() {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.closed = true
	p.stop()
	p.sayBye()
	if p.vanish != nil {
		p.vanish.Stop()
	}
	p.onDigit = nil
	p.mu.Unlock()
	p.engine.release(p)
}

// received handles one packet, on the goroutine that reads for many calls.
func (p *Port) received(control bool, src netip.AddrPort, pkt []byte) {
	defer p.recovered("packet")
	if control {
		p.receivedRTCP(src, pkt)
	} else {
		p.receivedRTP(src, pkt)
	}
}

// recovered is deferred by what runs on the goroutines of all calls: a panic is
// its own call's.
func (p *Port) recovered(where string) {
	if r := recover(); r != nil {
		p.engine.log.Error("panic", zap.String("in", where), zap.Any("panic", r), zap.Stack("stack"))
	}
}

// receivedRTP handles one packet of the RTP port.
func (p *Port) receivedRTP(src netip.AddrPort, pkt []byte) {
	h, ok := parseRTP(pkt)
	if !ok {
		return
	}
	a, ok := p.accept(src, h)
	if !ok {
		p.strays.Add(1)
		return
	}
	p.heard.Add(1)
	for _, d := range a.digits {
		a.call(d)
	}
	if r := p.recording.Load(); r != nil {
		r.heard(h, codecOf(h.pt, a.format, a.known), time.Now())
	}
	if q := p.peer.Load(); q != nil {
		q.forward(pkt, h.pt, a.format, a.known)
	}
}

// accepted is what a packet of the peer means.
type accepted struct {
	format Format
	known  bool // format was agreed on
	digits []byte
	call   func(byte) // whom to tell them
}

// accept reports whether a packet is the peer's.
func (p *Port) accept(src netip.AddrPort, h rtpHeader) (a accepted, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.media.source()
	if p.closed || !p.media.accept(src, h, p.numbers.takes(h.pt), time.Now()) {
		return a, false
	}
	if was.IsValid() && was != p.media.source() {
		p.control.forget()
	}
	a.digits, a.call = p.digits(h)
	a.format, a.known = p.numbers.format(h.pt)
	return a, true
}

// forward sends a packet of the relay's other side to our peer, with the
// peer's own number for the format f. known: f was agreed on with the other
// side.
func (p *Port) forward(pkt []byte, pt uint8, f Format, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	to := p.media.dest()
	if p.closed || p.play.on() || !to.IsValid() {
		return
	}
	number, ok := p.numbers.number(pt, f, known)
	if !ok {
		return
	}
	pkt[1] = pkt[1]&0x80 | number
	p.pair.rtp.send(pkt, to)
}

// receivedRTCP handles one packet of the RTCP port.
func (p *Port) receivedRTCP(src netip.AddrPort, pkt []byte) {
	if !isRTCP(pkt) {
		return
	}
	if !p.acceptControl(src) {
		p.strays.Add(1)
		return
	}
	if q := p.peer.Load(); q != nil {
		q.forwardControl(pkt)
	}
}

func (p *Port) acceptControl(src netip.AddrPort) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.closed && p.control.acceptControl(src, &p.media)
}

func (p *Port) forwardControl(pkt []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if to := p.control.dest(); !p.closed && to.IsValid() {
		p.pair.rtcp.send(pkt, to)
	}
}

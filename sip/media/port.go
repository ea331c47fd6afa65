package media

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
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

// receivedRTP handles one packet of the RTP port.
func (p *Port) receivedRTP(src netip.AddrPort, pkt []byte) {
	h, ok := parseRTP(pkt)
	if !ok {
		return
	}
	p.mu.Lock()
	was := p.media.source()
	if p.closed || !p.media.accept(src, h, p.numbers.takes(h.pt), time.Now()) {
		p.mu.Unlock()
		p.strays.Add(1)
		return
	}
	if was.IsValid() && was != p.media.source() {
		p.control.forget()
	}
	digits, call := p.digits(h)
	f, known := p.numbers.format(h.pt)
	p.mu.Unlock()
	p.heard.Add(1)
	for _, d := range digits {
		call(d)
	}
	if q := p.peer.Load(); q != nil {
		q.forward(pkt, h.pt, f, known)
	}
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
	p.mu.Lock()
	ok := !p.closed && p.control.acceptControl(src, &p.media)
	p.mu.Unlock()
	if !ok {
		p.strays.Add(1)
		return
	}
	if q := p.peer.Load(); q != nil {
		q.forwardControl(pkt)
	}
}

func (p *Port) forwardControl(pkt []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if to := p.control.dest(); !p.closed && to.IsValid() {
		p.pair.rtcp.send(pkt, to)
	}
}

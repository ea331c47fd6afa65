package siptest

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cordboard/cordboard/sip/media"
)

const (
	frame        = 160
	frameTime    = 20 * time.Millisecond
	windowLen    = 3200 // 400 ms: what Heard looks at
	historyLen   = 4000 // packets noted: 80 s
	quietRMS     = 60   // below: silence and comfort noise
	toneShare    = 0.6  // above: the tone is there
	maxCatchUp   = 10
	dtmfDuration = 5 // packets of one key, 100 ms
)

// Packet is one RTP packet as received.
type Packet struct {
	At      time.Time
	From    netip.AddrPort
	PT      uint8
	Marker  bool
	Seq     uint16
	TS      uint32
	SSRC    uint32
	Payload int // octets
}

// Audio is a robot's voice and ear: one RTP socket that can send a tone and
// measures what it hears. Safe for concurrent use.
type Audio struct {
	conn *net.UDPConn
	wg   sync.WaitGroup
	quit chan struct{}

	mu      sync.Mutex
	closed  bool
	remote  netip.AddrPort
	pt      uint8
	dtmfPT  uint8
	mute    bool
	osc     oscillator
	sending bool
	ssrc    uint32
	seq     uint16
	ts      uint32
	window  []int16 // the last windowLen samples heard
	packets []Packet
	count   int
	loud    int // packets that were not silence
	kept    []byte
	keep    bool
	changed chan struct{}
}

// OpenAudio opens a socket on the host (an IP address).
func OpenAudio(host netip.Addr) (*Audio, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
	if err != nil {
		return nil, fmt.Errorf("siptest: audio: %w", err)
	}
	a := &Audio{
		conn: conn, quit: make(chan struct{}), changed: make(chan struct{}),
		ssrc: rand.Uint32(), seq: uint16(rand.Uint32()), ts: rand.Uint32(),
	}
	a.wg.Go(a.read)
	return a, nil
}

// Local is the RTP address.
func (a *Audio) Local() netip.AddrPort { return a.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Connect says where to send to and in which payload types (0 PCMU, 8 PCMA;
// dtmfPT 0: no telephone events).
func (a *Audio) Connect(to netip.AddrPort, pt, dtmfPT uint8) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.remote, a.pt, a.dtmfPT = to, pt, dtmfPT
}

// Speak sends a tone of so many hertz until told otherwise; 0: silence.
func (a *Audio) Speak(freq float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.osc.freq = freq
	if !a.sending && !a.closed {
		a.sending = true
		a.wg.Go(a.send)
	}
}

// Mute stops or resumes sending.
func (a *Audio) Mute(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mute = on
}

// Heard reports whether the last 400 ms heard are a tone of the frequency.
func (a *Audio) Heard(freq float64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.heard(freq)
}

func (a *Audio) heard(freq float64) bool {
	return len(a.window) == windowLen && RMS(a.window) > quietRMS && Share(a.window, freq) > toneShare
}

// Music reports whether something else than silence has come for a second in all.
func (a *Audio) Music() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.loud >= 50
}

// Loud reports whether the last 400 ms heard are something else than silence.
func (a *Audio) Loud() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.window) == windowLen && RMS(a.window) > quietRMS
}

// Received is the number of packets that came so far.
func (a *Audio) Received() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.count
}

// Packets are the packets received, the last 4000 of them.
func (a *Audio) Packets() []Packet {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Packet(nil), a.packets...)
}

// WaitHeard waits until Heard.
func (a *Audio) WaitHeard(ctx context.Context, freq float64) error {
	return a.WaitFor(ctx, func() bool { return a.Heard(freq) })
}

// WaitFor waits until the condition holds, asking after each packet.
func (a *Audio) WaitFor(ctx context.Context, holds func() bool) error {
	for {
		a.mu.Lock()
		changed := a.changed
		a.mu.Unlock()
		if holds() {
			return nil
		}
		select {
		case <-changed:
		case <-a.quit:
			return net.ErrClosed
		case <-ctx.Done():
			return fmt.Errorf("siptest: audio of %d packets: %w", a.Received(), ctx.Err())
		}
	}
}

// Close stops sending and listening and waits for both.
func (a *Audio) Close() {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return
	}
	a.closed = true
	a.mu.Unlock()
	close(a.quit)
	a.conn.Close()
	a.wg.Wait()
}

func (a *Audio) read() {
	buf := make([]byte, 2048)
	for {
		n, from, err := a.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			select {
			case <-a.quit:
				return
			default:
				continue
			}
		}
		a.receive(buf[:n], from, time.Now())
	}
}

func (a *Audio) receive(b []byte, from netip.AddrPort, at time.Time) {
	if len(b) < 12 || b[0] != 0x80 { // the robots' peers send no extensions
		return
	}
	p := Packet{
		At: at, From: from, PT: b[1] & 0x7f, Marker: b[1]&0x80 != 0, Payload: len(b) - 12,
		Seq: binary.BigEndian.Uint16(b[2:]), TS: binary.BigEndian.Uint32(b[4:]), SSRC: binary.BigEndian.Uint32(b[8:]),
	}
	var pcm []int16
	switch p.PT {
	case 0:
		pcm = media.Decode("PCMU", b[12:])
	case 8:
		pcm = media.Decode("PCMA", b[12:])
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count++
	if len(a.packets) == historyLen {
		a.packets = append(a.packets[:0], a.packets[historyLen/2:]...)
	}
	a.packets = append(a.packets, p)
	if RMS(pcm) > quietRMS {
		a.loud++
	}
	a.window = append(a.window, pcm...)
	if over := len(a.window) - windowLen; over > 0 {
		a.window = append(a.window[:0], a.window[over:]...)
	}
	close(a.changed)
	a.changed = make(chan struct{})
}

// send speaks by the clock: a tick that comes late loses no packet.
func (a *Audio) send() {
	ticker := time.NewTicker(frameTime)
	defer ticker.Stop()
	start, sent := time.Now(), int64(0)
	for {
		select {
		case <-a.quit:
			return
		case <-ticker.C:
		}
		due := int64(time.Since(start)/frameTime) - sent
		sent += due
		for range min(due, maxCatchUp) {
			a.speak()
		}
	}
}

func (a *Audio) speak() {
	a.mu.Lock()
	defer a.mu.Unlock()
	var pcm [frame]int16
	a.osc.fill(pcm[:])
	a.ts += frame
	if a.mute || !a.remote.IsValid() || a.remote.Port() == 0 {
		return
	}
	codec := "PCMU"
	if a.pt == 8 {
		codec = "PCMA"
	}
	payload := media.Encode(codec, pcm[:])
	if a.keep {
		a.kept = append(a.kept, payload...)
	}
	a.write(a.pt, false, a.ts, payload)
}

// Keep has what is said from now on kept for Said.
func (a *Audio) Keep() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keep = true
}

// Said is the G.711 that was sent since Keep.
func (a *Audio) Said() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.kept)
}

func (a *Audio) write(pt uint8, marker bool, ts uint32, payload []byte) {
	b := make([]byte, 12, 12+len(payload))
	b[0], b[1] = 0x80, pt
	if marker {
		b[1] |= 0x80
	}
	a.seq++
	binary.BigEndian.PutUint16(b[2:], a.seq)
	binary.BigEndian.PutUint32(b[4:], ts)
	binary.BigEndian.PutUint32(b[8:], a.ssrc)
	_, _ = a.conn.WriteToUDPAddrPort(append(b, payload...), a.remote) // a lost datagram is a lost datagram
}

// Press sends the keys as telephone events (RFC 4733), each with three end
// packets. It does not wait between packets: what counts is their content.
func (a *Audio) Press(keys string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dtmfPT == 0 {
		return fmt.Errorf("siptest: the peer takes no telephone events")
	}
	for _, k := range keys {
		event := strings.IndexRune("0123456789*#ABCD", k)
		if event < 0 {
			return fmt.Errorf("siptest: no such key %q", k)
		}
		ts := a.ts
		for i := range dtmfDuration + 3 {
			d := uint16(min(i+1, dtmfDuration) * frame)
			end := byte(0)
			if i >= dtmfDuration {
				end = 0x80
			}
			a.write(a.dtmfPT, i == 0, ts, []byte{byte(event), end | 10, byte(d >> 8), byte(d)})
		}
		a.ts += 2 * dtmfDuration * frame
	}
	return nil
}

package media

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"
)

const (
	frameTime    = 20 * time.Millisecond
	frameSamples = 160 // G.711: 8000 samples a second, one octet each
	// maxBurst bounds what is sent at once after the machine was late. Phones
	// buffer a few frames; what is older than this is left out of the clock.
	maxBurst = 10
	// drain is the silence sent after a sound that is not looped: phones hold
	// the last 100 ms in their buffer, and a call that ends when done is called
	// would cut the last word.
	drain = 5
)

// Codec is how a sound is sent.
type Codec struct {
	Name   string // PCMU or PCMA
	PT     uint8  // payload type of the answer, usually 0 or 8
	DTMFPT uint8  // payload type of telephone-event, 0 for none
}

// player is the sending half of a port: one RTP stream for the port's life.
// Sequence numbers and timestamps run on over a change of sound; during
// silence the timestamps go on with the clock and the next packet carries the
// marker (RFC 3550 section 5.1, RFC 3551 section 4.1).
type player struct {
	ssrc uint32
	seq  uint16
	ts0  uint32

	phase  *phase
	active bool      // phase holds the port
	epoch  time.Time // of slot 0; zero before the first sound
	slot   int64     // the next packet's place on the media clock

	name   string
	sound  []byte   // in the stream's codec; nil when silent
	rest   [][]byte // what comes after it, likewise
	pos    int
	loop   bool
	drain  int // frames of silence still to send after the sound
	pt     uint8
	fill   byte // silence in the codec
	marker bool
	done   func()

	// Where a looped sound was left, to go on from there after an announcement.
	leftName string
	leftPos  int

	report reporter
}

func newPlayer() player {
	return player{
		ssrc: rand.Uint32(),
		seq:  uint16(rand.Uint32()),
		ts0:  rand.Uint32(),
	}
}

func (pl *player) on() bool { return pl.sound != nil }

// Play sends the sound to the given address, in place of whatever was playing;
// loop repeats it until Stop or the next Play. A looped sound that was broken
// off goes on where it was. done, which may be nil, is called when a sound
// that is not looped has been sent to its end and 100 ms of silence after it,
// and only then: it must not block. An invalid address leaves that of SetRemote. The error says that the
// sound or the codec is unknown, or ErrClosed.
func (p *Port) Play(sound string, loop bool, to netip.AddrPort, c Codec, done func()) error {
	return p.start([]string{sound}, loop, to, c, done)
}

// PlayAll sends the sounds one after another, as if they were one: nothing
// between them, and 100 ms of silence after the last. Else it is as Play
// without a loop. The error is ErrNothing when there are none.
func (p *Port) PlayAll(sounds []string, to netip.AddrPort, c Codec, done func()) error {
	return p.start(sounds, false, to, c, done)
}

func (p *Port) start(sounds []string, loop bool, to netip.AddrPort, c Codec, done func()) error {
	parts, fill, err := p.engine.lib.sequence(sounds, c.Name)
	if err != nil {
		return err
	}
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	if to.IsValid() {
		p.setRemote(to)
	}
	p.dtmfPT = c.DTMFPT
	pl := &p.play
	pl.leave()
	if !pl.on() {
		pl.wake(p.engine, now)
	}
	if pl.pt != c.PT {
		pl.marker = true
	}
	pl.name, pl.sound, pl.rest, pl.fill, pl.pt = sounds[0], parts[0], parts[1:], fill, c.PT
	pl.loop, pl.done, pl.pos, pl.drain = loop, done, 0, drain
	if loop && pl.leftName == pl.name {
		pl.pos = pl.leftPos % len(pl.sound)
	}
	if !pl.active {
		pl.phase.add(p)
	}
	return nil
}

// Stop ends the sound at once. The done of its Play is not called.
func (p *Port) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
}

func (p *Port) stop() {
	p.play.leave()
	p.play.silence(p)
}

// leave notes where a looped sound stands.
func (pl *player) leave() {
	if pl.on() && pl.loop {
		pl.leftName, pl.leftPos = pl.name, pl.pos
	}
}

func (pl *player) silence(p *Port) {
	pl.sound, pl.rest, pl.done = nil, nil, nil
	if pl.active {
		pl.phase.remove(p)
	}
}

// wake puts the stream back on the clock after silence.
func (pl *player) wake(e *Engine, now time.Time) {
	pl.marker = true
	if pl.phase == nil {
		pl.phase = e.phaseFor()
		pl.epoch = pl.phase.next(now)
		pl.report.start(now)
		return
	}
	if behind := int64((now.Sub(pl.epoch) + frameTime - 1) / frameTime); behind > pl.slot {
		pl.slot = behind
	}
}

// sendDue sends the packets that the clock asks for. It returns the done of a
// sound that has come to its end.
func (p *Port) sendDue(now time.Time, scratch []byte) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	pl := &p.play
	if !pl.on() || now.Before(pl.epoch) {
		return nil
	}
	due := int64(now.Sub(pl.epoch)/frameTime) + 1 - pl.slot
	if due > maxBurst {
		pl.slot += due - maxBurst
		pl.marker = true
		due = maxBurst
	}
	for ; due > 0; due-- {
		if p.sendFrame(scratch) {
			done := pl.done
			pl.silence(p)
			return done
		}
	}
	p.reportDue(now)
	return nil
}

// sendFrame sends one packet and reports whether the sound has ended with it.
func (p *Port) sendFrame(b []byte) (ended bool) {
	pl := &p.play
	b = b[:rtpHeaderLen+frameSamples]
	ended = pl.frame(b[rtpHeaderLen:])
	to := p.media.dest()
	if !to.IsValid() {
		pl.slot++
		pl.marker = true
		return ended
	}
	putRTP(b, rtpHeader{pt: pl.pt, marker: pl.marker, seq: pl.seq, ts: pl.timestamp(pl.slot), ssrc: pl.ssrc})
	pl.marker = false
	pl.slot++
	pl.seq++
	pl.report.count(frameSamples)
	// Each port sends from its own socket, as symmetric RTP asks (RFC 4961),
	// and has one packet due at a time: there is nothing to batch.
	p.pair.rtp.send(b, to)
	return ended
}

func (pl *player) timestamp(slot int64) uint32 { return pl.ts0 + uint32(slot*frameSamples) }

// frame copies the next 20 ms of sound.
func (pl *player) frame(dst []byte) (ended bool) {
	for len(dst) > 0 {
		n := copy(dst, pl.sound[pl.pos:])
		pl.pos += n
		dst = dst[n:]
		if pl.pos < len(pl.sound) {
			continue
		}
		if len(pl.rest) > 0 {
			pl.sound, pl.rest, pl.pos = pl.rest[0], pl.rest[1:], 0
			continue
		}
		if !pl.loop {
			for i := range dst {
				dst[i] = pl.fill
			}
			pl.drain--
			return pl.drain < 0
		}
		pl.pos = 0
	}
	return false
}

// phaseFor is the phase of a new stream: the first with room, so that few streams
// wake the processor fifty times a second and not two hundred, or the one with
// the fewest.
func (e *Engine) phaseFor() *phase {
	best := e.phases[0]
	n := best.size()
	for _, ph := range e.phases[1:] {
		if n < roomy {
			break
		}
		if m := ph.size(); m < n {
			best, n = ph, m
		}
	}
	return best
}

func errUnknownCodec(name string) error {
	return fmt.Errorf("media: codec %q is not PCMU or PCMA", name)
}

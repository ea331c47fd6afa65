package media

import "cmp"

const (
	// holdSamples is how long a recording waits for packets that come after later
	// ones: 500 ms.
	holdSamples = sampleRate / 2
	// aheadSamples is by how much a stream's clock may be ahead of ours: its first
	// packet may have been held up that long. What is further ahead is a clock that
	// was set anew.
	aheadSamples = 5 * sampleRate
	// lateRun is after how many late packets in a row the clock was set back.
	lateRun = 10
	// loudness is the mean amplitude, of 32,767, from which somebody speaks: -54 dB.
	// Comfort noise and the hiss of a line are below.
	loudness = 64

	sampleRate = 8000
)

// track puts the packets of a stream on a line of G.711 samples by their
// timestamps: what was lost, or comes later than others by more than
// holdSamples, leaves silence and moves nothing. A sender that begins a new
// stream, or sets its clock, goes on where our clock is.
type track struct {
	codec string // of the samples; "": that of the first packet
	begun bool   // there was one
	ssrc  uint32
	ts0   uint32 // timestamp of the first sample
	base  int    // samples handed on
	tail  []byte // those that follow
	loud  int    // past the last sample of a loud packet
	late  int    // late packets in a row
	most  int    // samples in all; there are never more
}

func (t *track) end() int { return t.base + len(t.tail) }

func (t *track) full() bool { return t.end() >= t.most }

// put takes a packet of G.711 and returns the samples that nothing can change
// any more: valid until the next packet. elapsed is how many samples long our
// own clock has run since the first packet.
func (t *track) put(h rtpHeader, codec string, elapsed int) []byte {
	if !t.begun {
		t.codec, t.begun, t.ssrc, t.ts0 = cmp.Or(t.codec, codec), true, h.ssrc, h.ts
	}
	at := t.place(h, elapsed)
	if at < t.base || len(h.payload) == 0 {
		return nil
	}
	payload := h.payload
	if codec != t.codec {
		payload = Encode(t.codec, Decode(codec, payload))
	}
	for t.end() < min(at+len(payload), t.most) {
		t.tail = append(t.tail, silenceOf(t.codec))
	}
	if at < t.end() {
		copy(t.tail[at-t.base:], payload)
	}
	if isLoud(codec, h.payload) {
		t.loud = max(t.loud, min(at+len(payload), t.end()))
	}
	if len(t.tail) < 2*holdSamples {
		return nil
	}
	return t.handOn(len(t.tail) - holdSamples)
}

// place is where a packet belongs; before base for one that comes too late.
func (t *track) place(h rtpHeader, elapsed int) int {
	at := int(int32(h.ts - t.ts0))
	switch {
	case h.ssrc == t.ssrc && at >= t.base && at <= elapsed+aheadSamples:
		t.late = 0
		return at
	case h.ssrc == t.ssrc && at < t.base:
		if t.late++; t.late < lateRun {
			return at
		}
	}
	at = max(t.end(), elapsed)
	t.ssrc, t.ts0, t.late = h.ssrc, h.ts-uint32(at), 0
	return at
}

func (t *track) handOn(n int) []byte {
	if n <= 0 {
		return nil
	}
	done := t.tail[:n]
	t.tail = append(make([]byte, 0, 2*holdSamples+maxPacket), t.tail[n:]...)
	t.base += n
	return done
}

// rest are the samples that are left at the end.
func (t *track) rest() []byte { return t.handOn(len(t.tail)) }

func silenceOf(codec string) byte {
	if codec == "PCMA" {
		return silenceALaw
	}
	return silenceULaw
}

// Loud says whether there is speech in samples of G.711, or a noise as loud.
func Loud(codec string, samples []byte) bool {
	for len(samples) > 0 {
		n := min(frameSamples, len(samples))
		if isLoud(codec, samples[:n]) {
			return true
		}
		samples = samples[n:]
	}
	return false
}

func isLoud(codec string, payload []byte) bool {
	sum := 0
	for _, s := range Decode(codec, payload) {
		sum += max(int(s), -int(s))
	}
	return len(payload) > 0 && sum/len(payload) >= loudness
}

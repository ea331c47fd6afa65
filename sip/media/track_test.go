package media

import (
	"bytes"
	"slices"
	"testing"
)

// uttered is the payload of the nth packet of 20 ms: loud, and unlike any other
// near it.
func uttered(n int) []byte {
	return bytes.Repeat([]byte{byte(n%100 + 1)}, frameSamples)
}

// taken is a track with some packets put, and what it has handed on.
type taken struct {
	track
	out []byte
}

func newTaken() *taken { return &taken{track: track{most: 60 * sampleRate}} }

// hears puts packet n where its timestamp says, when our clock has run elapsed
// samples.
func (k *taken) hears(ts uint32, ssrc uint32, elapsed int, payload []byte) {
	k.out = append(k.out, k.put(rtpHeader{ts: ts, ssrc: ssrc, payload: payload}, "PCMU", elapsed)...)
}

func (k *taken) all() []byte {
	k.out = append(k.out, k.rest()...)
	return k.out
}

func silent(frames int) []byte { return bytes.Repeat([]byte{silenceULaw}, frames*frameSamples) }

func same(t *testing.T, got []byte, want ...[]byte) {
	t.Helper()
	w := slices.Concat(want...)
	if bytes.Equal(got, w) {
		return
	}
	for i := range min(len(got), len(w)) {
		if got[i] != w[i] {
			t.Fatalf("%d samples, want %d; the first that differs is %d (frame %d): %d, want %d", len(got), len(w), i, i/frameSamples, got[i], w[i])
		}
	}
	t.Fatalf("%d samples, want %d", len(got), len(w))
}

// What is lost leaves silence, and what comes in another order comes out in its
// own, however the clock's 32 bits run over.
func TestTrackKeepsTheClock(t *testing.T) {
	const first = 1<<32 - 5*frameSamples // wraps after five packets
	k := newTaken()
	order := []int{0, 1, 3, 2, 2, 6, 5, 9, 30, 12, 31}
	var want []byte
	for n := range 32 {
		if slices.Contains(order, n) {
			want = append(want, uttered(n)...)
		} else {
			want = append(want, silent(1)...)
		}
	}
	for i, n := range order {
		k.hears(first+uint32(n*frameSamples), 7, i*frameSamples, uttered(n))
	}
	same(t, k.all(), want)
}

// A packet that is more than half a second behind is not waited for; nothing
// moves for it.
func TestTrackTooLate(t *testing.T) {
	k := newTaken()
	want := []byte{}
	for n := range 60 {
		if n == 3 {
			want = append(want, silent(1)...)
			continue
		}
		k.hears(uint32(n*frameSamples), 7, n*frameSamples, uttered(n))
		want = append(want, uttered(n)...)
	}
	k.hears(3*frameSamples, 7, 60*frameSamples, uttered(3))
	same(t, k.all(), want)
}

// Who pauses without sending leaves the pause, which is where the timestamps say.
func TestTrackPause(t *testing.T) {
	k := newTaken()
	k.hears(0, 7, 0, uttered(0))
	k.hears(250*frameSamples, 7, 250*frameSamples, uttered(1))
	same(t, k.all(), uttered(0), silent(249), uttered(1))
}

// A stream that begins anew, or whose clock is set forward or back, goes on where
// our clock is, and nothing of what is there is lost.
func TestTrackClockSet(t *testing.T) {
	for name, next := range map[string]struct{ ts, ssrc uint32 }{
		"another stream": {12345, 8}, "far ahead": {40_000_000, 7},
	} {
		k := newTaken()
		k.hears(1000, 7, 0, uttered(0))
		k.hears(next.ts, next.ssrc, 10*frameSamples, uttered(1))
		k.hears(next.ts+frameSamples, next.ssrc, 11*frameSamples, uttered(2))
		t.Run(name, func(t *testing.T) { same(t, k.all(), uttered(0), silent(9), uttered(1), uttered(2)) })
	}
	k := newTaken()
	for n := range 60 {
		k.hears(uint32(100_000+n*frameSamples), 7, n*frameSamples, uttered(n))
	}
	want := slices.Clone(k.out)
	for n := 60; n < 60+lateRun+3; n++ { // the first few are taken for late ones
		k.hears(uint32(n*frameSamples), 7, n*frameSamples, uttered(n))
	}
	got := k.all()
	if !bytes.Equal(got[:len(want)], want) || len(got) != (60+lateRun+3)*frameSamples {
		t.Fatalf("%d samples", len(got))
	}
	same(t, got[60*frameSamples:], silent(lateRun-1), uttered(60+lateRun-1), uttered(60+lateRun), uttered(60+lateRun+1), uttered(60+lateRun+2))
}

// Never more than it may be long, cut to the sample, and no memory for what a
// timestamp claims.
func TestTrackLongest(t *testing.T) {
	k := newTaken()
	k.most = 3*frameSamples + 7
	for n := range 5 {
		k.hears(uint32(n*frameSamples), 7, n*frameSamples, uttered(n))
	}
	k.hears(1<<30, 7, 1<<30, uttered(9))
	if !k.full() || cap(k.tail) > 1<<17 {
		t.Errorf("full: %v, %d octets held", k.full(), cap(k.tail))
	}
	same(t, k.all(), uttered(0), uttered(1), uttered(2), uttered(3)[:7])
}

// The other law in the middle is put into the one there is; who speaks is told
// from the hiss of a line in both.
func TestTrackCodecs(t *testing.T) {
	loud, hiss := make([]int16, frameSamples), make([]int16, frameSamples)
	for i := range loud {
		loud[i] = int16(800 - 1600*(i%2))
		hiss[i] = int16(30 - 60*(i%2))
	}
	for _, codec := range []string{"PCMU", "PCMA"} {
		if !isLoud(codec, Encode(codec, loud)) || isLoud(codec, Encode(codec, hiss)) || isLoud(codec, bytes.Repeat([]byte{silenceOf(codec)}, frameSamples)) {
			t.Errorf("%s: speech is not told from hiss", codec)
		}
	}
	k := newTaken()
	k.hears(0, 7, 0, Encode("PCMU", hiss))
	if k.loud != 0 {
		t.Error("hiss counts as speech")
	}
	k.put(rtpHeader{ts: frameSamples, ssrc: 7, payload: Encode("PCMA", loud)}, "PCMA", frameSamples)
	if k.loud != 2*frameSamples {
		t.Errorf("speech ends at %d", k.loud)
	}
	got := Decode("PCMU", k.rest()[frameSamples:])
	for i := range got {
		if d := int(got[i]) - int(loud[i]); d < -40 || d > 40 {
			t.Fatalf("sample %d: %d, want about %d", i, got[i], loud[i])
		}
	}
}

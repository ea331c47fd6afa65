package e2e

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"
)

const sampleRate = 8000

// toneWAV is a sine of hz as a 16-bit mono WAV file at 8 kHz.
func toneWAV(hz float64, d time.Duration) []byte {
	n := int(d.Seconds() * sampleRate)
	var b bytes.Buffer
	b.WriteString("RIFF")
	le := binary.LittleEndian
	put := func(v any) { _ = binary.Write(&b, le, v) }
	put(uint32(36 + 2*n))
	b.WriteString("WAVEfmt ")
	put(uint32(16))
	put(uint16(1))
	put(uint16(1))
	put(uint32(sampleRate))
	put(uint32(2 * sampleRate))
	put(uint16(2))
	put(uint16(16))
	b.WriteString("data")
	put(uint32(2 * n))
	for i := range n {
		put(int16(12000 * math.Sin(2*math.Pi*hz*float64(i)/sampleRate)))
	}
	return b.Bytes()
}

// wavSamples reads the samples of a 16-bit mono WAV file.
func wavSamples(b []byte) []int16 {
	i := bytes.Index(b, []byte("data"))
	if i < 0 {
		return nil
	}
	b = b[i+8:]
	s := make([]int16, len(b)/2)
	for i := range s {
		s[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return s
}

// share is how much of the samples' energy lies at hz, 0 to 1 (Goertzel).
func share(samples []int16, hz float64) float64 {
	if len(samples) == 0 {
		return 0
	}
	c := 2 * math.Cos(2*math.Pi*hz/sampleRate)
	var s1, s2, energy float64
	for _, v := range samples {
		x := float64(v)
		s0 := x + c*s1 - s2
		s2, s1 = s1, s0
		energy += x * x
	}
	if energy == 0 {
		return 0
	}
	power := s1*s1 + s2*s2 - c*s1*s2
	return 2 * power / (energy * float64(len(samples)))
}

// loudest is the largest share of hz in any half second of the samples.
func loudest(samples []int16, hz float64) float64 {
	best := 0.0
	for i := 0; i+sampleRate/2 <= len(samples); i += sampleRate / 4 {
		best = max(best, share(samples[i:i+sampleRate/2], hz))
	}
	return best
}

// ulaw decodes one G.711 mu-law byte.
func ulaw(b byte) int16 {
	b = ^b
	t := (int(b&0x0f)<<3 + 0x84) << (b >> 4 & 7)
	if b&0x80 != 0 {
		return int16(0x84 - t)
	}
	return int16(t - 0x84)
}

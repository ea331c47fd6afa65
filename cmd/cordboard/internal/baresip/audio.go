package baresip

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	"github.com/cordboard/cordboard/sip/siptest"
)

const sampleRate = 8000

// ToneWAV is a sine of hz as a 16-bit mono WAV file at 8 kHz.
func ToneWAV(hz float64, d time.Duration) []byte {
	n := int(d.Seconds() * sampleRate)
	b := make([]byte, 0, 44+2*n)
	le := binary.LittleEndian
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, uint32(36+2*n))
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, 1) // PCM
	b = le.AppendUint16(b, 1)
	b = le.AppendUint32(b, sampleRate)
	b = le.AppendUint32(b, 2*sampleRate)
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = le.AppendUint32(b, uint32(2*n))
	for i := range n {
		v := int16(12000 * math.Sin(2*math.Pi*hz*float64(i)/sampleRate))
		b = le.AppendUint16(b, uint16(v))
	}
	return b
}

// samples reads the samples of a 16-bit mono WAV file.
func samples(b []byte) []int16 {
	i := bytes.Index(b, []byte("data"))
	if i < 0 || len(b) < i+8 {
		return nil
	}
	b = b[i+8:]
	s := make([]int16, len(b)/2)
	for i := range s {
		s[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return s
}

// Loudest is the largest share of hz in any half second of the samples, 0 to 1.
func Loudest(samples []int16, hz float64) float64 {
	best := 0.0
	for i := 0; i+sampleRate/2 <= len(samples); i += sampleRate / 4 {
		best = max(best, siptest.Share(samples[i:i+sampleRate/2], hz))
	}
	return best
}

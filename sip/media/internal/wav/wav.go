// Package wav reads WAV files as telephone audio (8 kHz, mono, 16 bit) and writes
// them. It is for the sound library and for the program that makes the built-in
// sounds; it touches no files.
package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Rate is the telephone's, in samples a second.
const Rate = 8000

// longest bounds one sound: an hour of telephone audio.
const longest = 3600 * Rate

// Read reads 16-bit PCM, or G.711, of one or two channels at 8 to 48 kHz and gives
// it as 8 kHz mono.
func Read(b []byte) ([]int16, error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return nil, errors.New("not a WAV file")
	}
	var channels, rate int
	var kind uint16
	for b = b[12:]; len(b) >= 8; {
		id, n := string(b[:4]), int64(binary.LittleEndian.Uint32(b[4:]))
		body := b[8:]
		if n > int64(len(body)) {
			if id != "data" {
				return nil, fmt.Errorf("the %q part is cut short", id)
			}
			n = int64(len(body)) // recorders that were stopped leave the length wrong
		}
		switch id {
		case "fmt ":
			var err error
			if kind, channels, rate, err = readFormat(body[:n]); err != nil {
				return nil, err
			}
		case "data":
			if rate == 0 {
				return nil, errors.New("the samples come before their format")
			}
			data := body[:n]
			if kind != pcm {
				data = expand(data, kind)
			}
			return readSamples(data, channels, rate)
		}
		n += n & 1 // parts are padded to even length
		b = body[min(n, int64(len(body))):]
	}
	return nil, errors.New("no samples")
}

// Formats of samples.
const (
	pcm        = 1
	aLaw       = 6
	uLaw       = 7
	extensible = 0xfffe
)

func readFormat(f []byte) (kind uint16, channels, rate int, err error) {
	if len(f) < 16 {
		return 0, 0, 0, errors.New("the format is cut short")
	}
	kind = binary.LittleEndian.Uint16(f)
	channels = int(binary.LittleEndian.Uint16(f[2:]))
	rate = int(binary.LittleEndian.Uint32(f[4:]))
	bits := binary.LittleEndian.Uint16(f[14:])
	if kind == extensible && len(f) >= 26 {
		kind = binary.LittleEndian.Uint16(f[24:])
	}
	known := kind == pcm && bits == 16 || (kind == aLaw || kind == uLaw) && bits == 8
	if !known || channels < 1 || channels > 2 || rate < Rate || rate > 48000 {
		return 0, 0, 0, fmt.Errorf("format %d, %d bits, %d channels, %d Hz: wanted is 16-bit PCM or G.711, one or two channels, 8000 to 48000 Hz",
			kind, bits, channels, rate)
	}
	return kind, channels, rate, nil
}

// expand makes 16-bit samples of G.711 (ITU-T G.191, the decoders of its tables 2).
func expand(data []byte, kind uint16) []byte {
	out := make([]byte, 0, 2*len(data))
	for _, b := range data {
		out = binary.LittleEndian.AppendUint16(out, uint16(expanded(b, kind)))
	}
	return out
}

func expanded(b byte, kind uint16) int16 {
	if kind == uLaw {
		b = ^b
		v := (int(b&0x0f)<<3+0x84)<<(b>>4&7) - 0x84
		if b&0x80 != 0 {
			v = -v
		}
		return int16(v)
	}
	b ^= 0x55
	v := int(b&0x0f)<<4 + 8
	if e := b >> 4 & 7; e > 0 {
		v = (v + 0x100) << (e - 1)
	}
	if b&0x80 == 0 {
		v = -v
	}
	return int16(v)
}

func readSamples(data []byte, channels, rate int) ([]int16, error) {
	frames := len(data) / (2 * channels)
	if frames == 0 {
		return nil, errors.New("no samples")
	}
	if frames/rate > longest/Rate {
		return nil, errors.New("longer than an hour")
	}
	mono := make([]int16, frames)
	for i := range mono {
		var sum int
		for c := range channels {
			sum += int(int16(binary.LittleEndian.Uint16(data[2*(i*channels+c):])))
		}
		mono[i] = int16(sum / channels)
	}
	if rate == Rate {
		return mono, nil
	}
	return resample(mono, rate), nil
}

// resample brings samples down to 8 kHz: a windowed sinc below 3.6 kHz, so
// that nothing folds back into the telephone band.
func resample(in []int16, rate int) []int16 {
	const cutoff = 3600.0
	step := float64(rate) / Rate
	half := int(16 * step) // taps each side
	norm := 2 * cutoff / float64(rate)
	out := make([]int16, max(1, int(float64(len(in))/step)))
	for i := range out {
		centre := float64(i) * step
		first := int(math.Ceil(centre)) - half
		var sum float64
		for j := max(first, 0); j < min(first+2*half, len(in)); j++ {
			x := float64(j) - centre
			sum += float64(in[j]) * norm * sinc(norm*x) * (0.5 + 0.5*math.Cos(math.Pi*x/float64(half)))
		}
		out[i] = int16(max(-32768, min(32767, math.Round(sum))))
	}
	return out
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// Append writes 8 kHz mono samples as a WAV file at the end of b.
func Append(b []byte, samples []int16) []byte {
	b = appendHead(b, pcm, 2, len(samples))
	for _, s := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

// AppendULaw does so with samples in G.711 µ-law: half the size.
func AppendULaw(b, samples []byte) []byte {
	return append(appendHead(b, uLaw, 1, len(samples)), samples...)
}

// AppendG711 does so with samples in either law, as every player reads it: with
// the chunks that other forms than PCM are to have.
func AppendG711(b []byte, inALaw bool, samples []byte) []byte {
	kind := uint16(uLaw)
	if inALaw {
		kind = aLaw
	}
	le := binary.LittleEndian
	n := uint32(len(samples))
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, 50+n+n%2)
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 18)
	b = le.AppendUint16(b, kind)
	b = le.AppendUint16(b, 1) // one channel
	b = le.AppendUint32(b, Rate)
	b = le.AppendUint32(b, Rate)
	b = le.AppendUint16(b, 1)
	b = le.AppendUint16(b, 8)
	b = le.AppendUint16(b, 0) // nothing more of the format
	b = append(b, "fact"...)
	b = le.AppendUint32(b, 4)
	b = le.AppendUint32(b, n)
	b = append(b, "data"...)
	b = le.AppendUint32(b, n)
	b = append(b, samples...)
	if n%2 == 1 { // chunks begin at even places
		b = append(b, 0)
	}
	return b
}

func appendHead(b []byte, kind, octets uint16, samples int) []byte {
	size := uint32(octets) * uint32(samples)
	le := binary.LittleEndian
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, 36+size)
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, kind)
	b = le.AppendUint16(b, 1) // one channel
	b = le.AppendUint32(b, Rate)
	b = le.AppendUint32(b, Rate*uint32(octets))
	b = le.AppendUint16(b, octets)
	b = le.AppendUint16(b, 8*octets)
	b = append(b, "data"...)
	return le.AppendUint32(b, size)
}

package wav

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"
)

// file writes a WAV file of any format.
func file(kind, channels, bits uint16, rate uint32, samples []int16) []byte {
	b := Append(nil, samples)
	le := binary.LittleEndian
	le.PutUint16(b[20:], kind)
	le.PutUint16(b[22:], channels)
	le.PutUint32(b[24:], rate)
	le.PutUint16(b[34:], bits)
	return b
}

func sine(freq float64, rate, n, channels int) []int16 {
	pcm := make([]int16, 0, n*channels)
	for i := range n {
		s := int16(12000 * math.Sin(2*math.Pi*freq*float64(i)/float64(rate)))
		for range channels {
			pcm = append(pcm, s)
		}
	}
	return pcm
}

// amplitude of a frequency in 8 kHz samples.
func amplitude(pcm []int16, freq float64) float64 {
	var re, im float64
	for i, s := range pcm {
		w := 2 * math.Pi * freq * float64(i) / Rate
		re += float64(s) * math.Cos(w)
		im += float64(s) * math.Sin(w)
	}
	return 2 * math.Hypot(re, im) / float64(len(pcm))
}

func TestRoundTrip(t *testing.T) {
	in := sine(440, Rate, 1001, 1)
	out, err := Read(Append(nil, in))
	if err != nil || len(out) != len(in) {
		t.Fatalf("%d samples of %d, %v", len(out), len(in), err)
	}
	for i := range in {
		if in[i] != out[i] {
			t.Fatalf("sample %d is %d, was %d", i, out[i], in[i])
		}
	}
}

func TestResample(t *testing.T) {
	for _, rate := range []int{11025, 16000, 22050, 44100, 48000} {
		out, err := Read(file(1, 2, 16, uint32(rate), sine(440, rate, rate, 2)))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(out); n < Rate-2 || n > Rate+2 {
			t.Errorf("%d Hz: a second is %d samples", rate, n)
		}
		if a := amplitude(out, 440); a < 11500 || a > 12500 {
			t.Errorf("%d Hz: 440 Hz comes out at %.0f of 12000", rate, a)
		}
		// What a telephone cannot carry must vanish, not fold back.
		if rate < 16000 {
			continue
		}
		out, err = Read(file(1, 1, 16, uint32(rate), sine(5000, rate, rate, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if a := amplitude(out, 3000); a > 120 {
			t.Errorf("%d Hz: 5000 Hz folds back to 3000 Hz at %.0f of 12000", rate, a)
		}
	}
}

func TestRefuses(t *testing.T) {
	good := sine(440, Rate, 100, 1)
	tests := []struct {
		name string
		b    []byte
		want string
	}{
		{"no WAV", []byte("ID3 something else"), "not a WAV"},
		{"8 bits", file(1, 1, 8, Rate, good), "16-bit"},
		{"float", file(3, 1, 16, Rate, good), "16-bit"},
		{"five channels", file(1, 5, 16, Rate, good), "channels"},
		{"4 kHz", file(1, 1, 16, 4000, good), "8000"},
		{"no samples", Append(nil, nil), "no samples"},
		{"only a head", Append(nil, good)[:36], "no samples"},
		{"format cut", Append(nil, good)[:30], "cut short"},
	}
	for _, tt := range tests {
		if _, err := Read(tt.b); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q in it", tt.name, err, tt.want)
		}
	}
	if out, err := Read(Append(nil, good)[:44+50]); err != nil || len(out) != 25 {
		t.Errorf("a recording cut short: %d samples, %v", len(out), err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(Append(nil, sine(440, Rate, 50, 1)))
	f.Add(file(1, 2, 16, 44100, sine(440, Rate, 50, 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := Read(b)
		if err == nil && (len(out) == 0 || len(out) > longest+1) {
			t.Errorf("%d samples", len(out))
		}
	})
}

package siptest

import "math"

// toneLevel is the amplitude of the tones sent: -9 dBFS.
const toneLevel = 0.35 * 32767

// oscillator makes a sine tone of 8000 samples a second.
type oscillator struct{ freq, phase float64 }

// fill writes the next samples; silence at frequency 0.
func (o *oscillator) fill(dst []int16) {
	for i := range dst {
		if o.freq == 0 {
			dst[i] = 0
			continue
		}
		dst[i] = int16(toneLevel * math.Sin(o.phase))
		o.phase += 2 * math.Pi * o.freq / 8000
		if o.phase > 2*math.Pi {
			o.phase -= 2 * math.Pi
		}
	}
}

// Share is the part of a signal's power that lies at the frequency, from 0 to
// 1, by the Goertzel algorithm at 8000 samples a second. A pure tone gives
// nearly 1, silence 0.
func Share(pcm []int16, freq float64) float64 {
	var s1, s2, total float64
	coeff := 2 * math.Cos(2*math.Pi*freq/8000)
	for _, v := range pcm {
		x := float64(v)
		total += x * x
		s1, s2 = x+coeff*s1-s2, s1
	}
	if total == 0 {
		return 0
	}
	power := s1*s1 + s2*s2 - coeff*s1*s2
	return min(1, 2*power/(float64(len(pcm))*total))
}

// RMS is the root mean square of the samples: 0 for silence, 32767 at most.
func RMS(pcm []int16) float64 {
	if len(pcm) == 0 {
		return 0
	}
	var total float64
	for _, v := range pcm {
		total += float64(v) * float64(v)
	}
	return math.Sqrt(total / float64(len(pcm)))
}

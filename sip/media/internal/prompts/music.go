package main

import (
	"math"
	"math/rand/v2"

	"github.com/cordboard/cordboard/sip/media/internal/wav"
)

const (
	bar     = 30 * wav.Rate / 8 // eight bars in 30 s: 64 beats a minute
	loopLen = 8 * bar
)

// chords of the eight bars as MIDI notes, the bass first. All of it lies
// between 130 and 1400 Hz, where a telephone is at its best.
var chords = [8][5]int{
	{48, 60, 64, 67, 71}, // C maj7
	{57, 60, 64, 67, 72}, // A m7
	{53, 60, 64, 65, 69}, // F maj7
	{55, 59, 62, 64, 67}, // G 6
	{52, 59, 62, 64, 67}, // E m7
	{57, 60, 64, 67, 69}, // A m7
	{50, 60, 62, 65, 69}, // D m7
	{55, 60, 62, 65, 67}, // G 7sus4
}

// scale is what the melody is made of: C pentatonic.
var scale = []int{72, 74, 76, 79, 81, 84}

// music computes the hold music: slow chords broken upwards under a sparse
// melody, on a soft electric piano. Tails run over the end into the beginning,
// so that the loop has no seam. The same every time.
func music() []int16 {
	mix := make([]float64, loopLen)
	rng := rand.New(rand.NewPCG(1878, 1)) // the year of the first cord boards
	step := bar / 8                       // quavers
	at := 2
	for b, chord := range chords {
		start := b * bar
		strike(mix, start, chord[0], 0.55, 3.2)
		for i, n := range []int{1, 2, 3, 4, 3, 2, 4, 3} {
			strike(mix, start+i*step+rng.IntN(90), chord[n], 0.26+0.06*rng.Float64(), 1.6)
		}
		for _, q := range []int{0, 3, 6} {
			if rng.Float64() < 0.35 {
				continue
			}
			at = max(0, min(len(scale)-1, at+rng.IntN(5)-2))
			strike(mix, start+q*step+rng.IntN(120), scale[at], 0.30, 2.2)
		}
	}
	echo(mix)
	pcm := make([]int16, loopLen)
	var top float64
	for _, v := range mix {
		top = max(top, math.Abs(v))
	}
	for i, v := range mix {
		pcm[i] = int16(v / top * 0.40 * 32767)
	}
	return pcm
}

// strike adds one note: a few partials, each dying faster than the one below,
// with a soft attack and a slow tremolo.
func strike(mix []float64, start, note int, loud, seconds float64) {
	f := 440 * math.Pow(2, float64(note-69)/12)
	partials := []struct{ mult, amp, decay float64 }{{1, 1, 1}, {2, 0.28, 1.8}, {3, 0.10, 2.6}, {1.003, 0.35, 1}}
	n := int(2.2 * seconds * wav.Rate)
	for i := range n {
		t := float64(i) / wav.Rate
		var v float64
		for _, p := range partials {
			if f*p.mult < 3400 {
				v += p.amp * math.Exp(-t*p.decay*3/seconds) * math.Sin(2*math.Pi*f*p.mult*t)
			}
		}
		attack := min(1, t/0.018)
		release := min(1, float64(n-i)/(0.1*wav.Rate))
		tremolo := 1 + 0.06*math.Sin(2*math.Pi*4.2*t)
		mix[(start+i)%len(mix)] += loud * attack * release * tremolo * v
	}
}

// echo adds a quiet room. It goes round the loop, so that the seam stays closed.
func echo(mix []float64) {
	dry := append([]float64(nil), mix...)
	for _, e := range []struct{ seconds, amp float64 }{{0.117, 0.22}, {0.231, 0.15}, {0.389, 0.10}, {0.613, 0.06}} {
		d := int(e.seconds * wav.Rate)
		for i := range mix {
			mix[i] += e.amp * dry[(i-d+len(dry))%len(dry)]
		}
	}
}

// Package trend says of weekly counts whether they rise, fall or stay, and where
// there is too little to say. It is pure: no clock, no IO. Package statistics is its
// caller; docs/interest.md says what the words mean.
package trend

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// State is what is said of a series.
type State string

// States.
const (
	Rising  State = "rising"
	Falling State = "falling"
	Steady  State = "steady"
	Unclear State = "unclear" // too little to say
)

const (
	// FewestWeeks and FewestEvents are what a series needs to be tested.
	FewestWeeks, FewestEvents = 8, 20
	// FalseShare is the share of false ones among the trends that are told
	// (Benjamini-Hochberg, over all series tested together).
	FalseShare = 0.05
	// Noticeable is the least change of a month that is called a trend, Level the
	// most that the range of a steady series may reach either way.
	Noticeable, Level = 0.03, 0.10

	weeksOfMonth = 365.25 / 12 / 7
	confidence   = 0.95
)

// Trend is the change of a series in a month (0.1: a tenth more), and between what
// the true one lies with 95 % confidence.
type Trend struct {
	State            State
	Value, Low, High float64
	Known            bool // there was enough to test; else all but State is 0
	dispersion, p    float64
	rejected         bool
}

// Judge tests series of weekly counts, oldest first, together. Each is fitted by a
// quasi-Poisson regression on the week (Wedderburn 1974): counts that scatter more
// than Poisson's widen the range and weaken the test by as much. The test is of the
// slope, by Student's distribution; which of all the tests count is decided by
// Benjamini and Hochberg (1995).
func Judge(series [][]int) []Trend {
	out := make([]Trend, len(series))
	var tested []int
	for i, weeks := range series {
		if out[i] = fit(weeks); out[i].Known {
			tested = append(tested, i)
		}
	}
	slices.SortStableFunc(tested, func(a, b int) int {
		switch {
		case out[a].p < out[b].p:
			return -1
		case out[a].p > out[b].p:
			return 1
		}
		return 0
	})
	for rank := len(tested); rank > 0; rank-- {
		if out[tested[rank-1]].p <= FalseShare*float64(rank)/float64(len(tested)) {
			for _, i := range tested[:rank] {
				out[i].rejected = true
			}
			break
		}
	}
	for i := range out {
		out[i].State = out[i].state()
	}
	return out
}

func (t *Trend) state() State {
	switch {
	case !t.Known:
		return Unclear
	case t.rejected && t.Value >= Noticeable:
		return Rising
	case t.rejected && t.Value <= -Noticeable:
		return Falling
	case t.Low >= -Level && t.High <= Level:
		return Steady
	}
	return Unclear
}

// fit is the regression of one series: log(mean) = level + slope * week, by Newton's
// method (iteratively reweighted least squares).
func fit(weeks []int) (t Trend) {
	n, total := len(weeks), 0
	for _, y := range weeks {
		total += y
	}
	if n < FewestWeeks || total < FewestEvents {
		return t
	}
	level, slope := math.Log(float64(total)/float64(n)), 0.0
	var s0, s1, s2 float64 // the information: sums of mean, mean*x, mean*x*x
	for range 50 {
		var g0, g1 float64
		s0, s1, s2 = 0, 0, 0
		for i, y := range weeks {
			x := float64(i) - float64(n-1)/2
			mean := math.Exp(level + slope*x)
			rest := float64(y) - mean
			g0, g1 = g0+rest, g1+rest*x
			s0, s1, s2 = s0+mean, s1+mean*x, s2+mean*x*x
		}
		det := s0*s2 - s1*s1
		if !(det > 1e-9) {
			return Trend{} // all of it in a week or two: no slope can be told
		}
		up, turn := (s2*g0-s1*g1)/det, (s0*g1-s1*g0)/det
		step := min(1, 0.5/max(math.Abs(turn)*float64(n)/2, math.Abs(up), 1e-12)) // from afar it would leap too far
		level, slope = level+step*up, slope+step*turn
		if math.Abs(turn) < 1e-10 && math.Abs(up) < 1e-10 {
			return t.ranged(weeks, level, slope, s0/det)
		}
	}
	return Trend{}
}

// ranged is the trend of a fit whose slope has that variance by Poisson's law.
func (t Trend) ranged(weeks []int, level, slope, variance float64) Trend {
	n := len(weeks)
	for i, y := range weeks {
		mean := math.Exp(level + slope*(float64(i)-float64(n-1)/2))
		t.dispersion += (float64(y) - mean) * (float64(y) - mean) / mean / float64(n-2)
	}
	t.dispersion = max(1, t.dispersion) // scatters it less, that is chance
	student := distuv.StudentsT{Sigma: 1, Nu: float64(n - 2)}
	deviation := math.Sqrt(variance * t.dispersion)
	reach := student.Quantile((1+confidence)/2) * deviation
	t.p = 2 * student.CDF(-math.Abs(slope)/deviation)
	monthly := func(slope float64) float64 { return math.Expm1(slope * weeksOfMonth) }
	t.Value, t.Low, t.High, t.Known = monthly(slope), monthly(slope-reach), monthly(slope+reach), true
	return t
}

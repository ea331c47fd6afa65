package trend

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// A series and its mirror say the same the other way round; where the counts lie
// exactly on a line, the line is found.
func TestFit(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 59))
	for range 200 {
		weeks := make([]int, 8+r.IntN(45))
		for i := range weeks {
			weeks[i] = r.IntN(40)
		}
		mirror := slices.Clone(weeks)
		slices.Reverse(mirror)
		a, b := fit(weeks), fit(mirror)
		if a.Known != b.Known || math.Abs((1+a.Value)*(1+b.Value)-1) > 1e-6 || math.Abs(a.p-b.p) > 1e-6 {
			t.Fatalf("%v: %+v, mirrored %+v", weeks, a, b)
		}
		if a.Known && !(a.Low <= a.Value && a.Value <= a.High && a.dispersion >= 1 && a.p >= 0 && a.p <= 1) {
			t.Fatalf("%v: %+v", weeks, a)
		}
	}
	line := make([]int, 26)
	for i := range line {
		line[i] = int(math.Round(1e6 * math.Pow(1.1, float64(i)/weeksOfMonth)))
	}
	if got := fit(line); math.Abs(got.Value-0.1) > 1e-4 {
		t.Errorf("10 %% a month is %+v", got)
	}
}

func TestTooLittleToSay(t *testing.T) {
	for name, weeks := range map[string][]int{
		"none": nil, "seven weeks": {9, 9, 9, 9, 9, 9, 9}, "nothing": make([]int, 26), "nineteen": {19, 0, 0, 0, 0, 0, 0, 0, 0},
		"one burst": {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 400}, "few": {2, 3, 1, 4, 2, 3, 2, 4, 3, 2},
	} {
		if got := Judge([][]int{weeks})[0].State; got != Unclear {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := Judge([][]int{{200, 205, 198, 202, 199, 201, 203, 197, 200, 204, 199, 201}})[0].State; got != Steady {
		t.Errorf("level counts: %s", got)
	}
}

// service is one line of the synthetic year.
type service struct {
	weekly  float64 // contacts of a usual week in the middle of the year
	monthly float64 // the true change
	scatter float64 // variance of a week's level beside Poisson's
}

// year is synthetic: days of the week, twelve holidays with Christmas, weeks that
// scatter, and a trend that is known.
func year(r *rand.Rand, s service) []int {
	week := [7]float64{1.3, 1.15, 1.1, 1.05, 1.1, 0.8, 0.5}
	holidays := []int{0, 5, 92, 95, 120, 142, 230, 300, 358, 359, 360, 364}
	level := distuv.Gamma{Alpha: 1 / s.scatter, Beta: 1 / s.scatter, Src: r}
	out := make([]int, 52)
	for w := range out {
		mean := s.weekly / 7 * math.Pow(1+s.monthly, (float64(w)-25.5)/weeksOfMonth) * level.Rand()
		for d, usual := range week {
			today := mean * usual
			if slices.Contains(holidays, 7*w+d) {
				today *= 0.4
			}
			out[w] += int(distuv.Poisson{Lambda: today, Src: r}.Rand())
		}
	}
	return out
}

// outcome counts what is said of services of which the truth is known.
type outcome struct {
	flat, falseAlarms, trends, found, reversed int
	mistaken                                   float64 // share of those told in a centre, on the average
}

func (o *outcome) add(services []service, said []Trend) {
	told, wrong := 0, 0
	for i, s := range services {
		way := map[State]float64{Rising: 1, Falling: -1}[said[i].State]
		if way != 0 {
			told++
		}
		switch {
		case s.monthly == 0:
			o.flat++
			if way != 0 {
				o.falseAlarms++
				wrong++
			}
			continue
		case way*s.monthly > 0:
			o.found++
		case way != 0:
			o.reversed++
			wrong++
		}
		o.trends++
	}
	o.mistaken += float64(wrong) / float64(max(told, 1)) / centres
}

const centres = 20

// TestSyntheticYear: centres of 60 services, a third of which rise or fall by 10 % a
// month. docs/interest.md has the figures.
func TestSyntheticYear(t *testing.T) {
	for _, c := range []struct {
		weekly float64
		weeks  int
		finds  float64 // at least
	}{{3, 26, 0}, {10, 26, 0.18}, {30, 26, 0.75}, {100, 26, 0.93}, {3, 52, 0.90}, {10, 52, 0.98}, {30, 52, 0.99}, {100, 52, 0.99}} {
		var got outcome
		for centre := range centres {
			r := rand.New(rand.NewPCG(uint64(centre), 20261124))
			var services []service
			var series [][]int
			for i := range 60 {
				s := service{weekly: c.weekly, scatter: 0.02, monthly: [6]float64{0.1, -0.1}[i%6]}
				services = append(services, s)
				series = append(series, year(r, s)[52-c.weeks:])
			}
			got.add(services, Judge(series))
		}
		found, alarms := float64(got.found)/float64(got.trends), float64(got.falseAlarms)/float64(got.flat)
		t.Logf("%3.0f a week, %d weeks: found %d of %d, false alarms %d of %d flat ones, reversed %d; mistaken of those told %.1f %%", c.weekly, c.weeks, got.found, got.trends, got.falseAlarms, got.flat, got.reversed, 100*got.mistaken)
		if found < c.finds || alarms > 0.03 || got.mistaken > 0.06 || got.reversed > 0 {
			t.Errorf("%v a week over %d weeks: found %.3f, want %.2f; false alarms %.3f; mistaken %.3f; reversed %d", c.weekly, c.weeks, found, c.finds, alarms, got.mistaken, got.reversed)
		}
	}
}

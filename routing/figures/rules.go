// Package figures turns what happened to calls into the figures of the routing
// document, section 13: each is a fold over the ledger, so that it can be had
// again for any past day, by any formula. It knows calls by what they did in
// queues and nothing of agents, numbers or databases. It is pure: the engine
// counts by it live, reports count by it afterwards, and both say the same.
package figures

import "time"

// Formula is how the service level is worked out.
type Formula string

// The formulas. n: answered within T, m: abandoned within T, N: decided (an
// answer, an abandon, or T over), A: answered, B: abandoned, S: short abandons,
// F: moved on to another queue.
const (
	AbandonsIgnored  Formula = "abandons_ignored"  // n / (N - m)
	AbandonsNegative Formula = "abandons_negative" // n / N
	AbandonsPositive Formula = "abandons_positive" // (n + m) / N
	AnsweredOnly     Formula = "answered_only"     // n / A
	AsteriskSL2      Formula = "asterisk_sl2"      // (n + m) / (A + B)
	BySwitches       Formula = "switches"          // n / (A + B [+F] [-S] [-B])
)

// Formulas are all of them, the default first.
func Formulas() []Formula {
	return []Formula{AbandonsIgnored, AbandonsNegative, AbandonsPositive, AnsweredOnly, AsteriskSL2, BySwitches}
}

// Switches say which calls formula switches counts beside those answered: the
// ones that moved on, those who gave up at once, those who gave up at all.
type Switches struct{ FlowOuts, Short, Abandons bool }

// Rules are the statistics section of a document.
type Rules struct {
	Formula  Formula
	Switches Switches
	// ByArrival counts a call when it came to the queue; otherwise it counts at
	// its answer, its abandon or the end of T, whichever is first.
	ByArrival bool
	Short     time.Duration  // gave up sooner than this: counted apart
	Interval  time.Duration  // of reports
	Window    time.Duration  // of the live service level
	DayStarts int            // minutes after midnight
	Zone      *time.Location // whose midnight
}

// Defaults are the rules of a document that says nothing of statistics.
func Defaults() Rules {
	return Rules{
		Formula: AbandonsIgnored, Switches: Switches{Abandons: true},
		Short: 5 * time.Second, Interval: 15 * time.Minute, Window: 30 * time.Minute, Zone: time.UTC,
	}
}

// DefaultWithin is the answer_within of a queue whose document gives none.
const DefaultWithin = 20 * time.Second

// String is the formula as it stands beside a figure.
func (r *Rules) String() string {
	switch r.Formula {
	case AbandonsNegative:
		return "abandons_negative: answered in time / decided"
	case AbandonsPositive:
		return "abandons_positive: (answered + abandoned in time) / decided"
	case AnsweredOnly:
		return "answered_only: answered in time / answered"
	case AsteriskSL2:
		return "asterisk_sl2: (answered + abandoned in time) / (answered + abandoned)"
	case BySwitches:
		return "switches: answered in time / (" + r.switched() + ")"
	}
	return "abandons_ignored: answered in time / (decided - abandoned in time)"
}

func (r *Rules) switched() string {
	text := "answered"
	switch {
	case r.Switches.Abandons && r.Switches.Short:
		text += " + abandoned"
	case r.Switches.Abandons:
		text += " + abandoned - short"
	case r.Switches.Short:
		text += " + short"
	}
	if r.Switches.FlowOuts {
		text += " + moved on"
	}
	return text
}

// Level is the service level as a fraction; of 0 when nothing counts yet.
func (r *Rules) Level(c Counts) (part, of int) {
	switch r.Formula {
	case AbandonsNegative:
		return c.InTime, c.Decided
	case AbandonsPositive:
		return c.InTime + c.GaveUp, c.Decided
	case AnsweredOnly:
		return c.InTime, c.Answered
	case AsteriskSL2: // its own: short abandons are abandons
		return c.InTime + c.GaveUp + c.ShortInTime, c.Answered + c.Abandoned
	case BySwitches:
		of = c.Answered
		if r.Switches.Abandons {
			of += c.Abandoned - c.Short
		}
		if r.Switches.Short {
			of += c.Short
		}
		if r.Switches.FlowOuts {
			of += c.MovedOn
		}
		return c.InTime, of
	}
	return c.InTime, c.Decided - c.GaveUp
}

// Tenths is the service level in tenths of a percent, to the nearest; false
// when nothing counts yet, which is shown as a dash.
func (r *Rules) Tenths(c Counts) (int, bool) {
	part, of := r.Level(c)
	if of <= 0 {
		return 0, false
	}
	return (2000*part + of) / (2 * of), true
}

// Percent is the service level as conditions see it: rounded down, 100 when
// nothing is decided yet.
func (r *Rules) Percent(c Counts) int {
	part, of := r.Level(c)
	if of <= 0 {
		return 100
	}
	return 100 * part / of
}

// Day is the beginning of the day that holds an instant, by the rules' clock.
func (r *Rules) Day(at time.Time) time.Time {
	local := at.In(r.zone())
	day := r.on(local.Year(), local.Month(), local.Day())
	if at.Before(day) {
		day = r.on(local.Year(), local.Month(), local.Day()-1)
	}
	return day
}

// NextDay is the beginning of the day after the one that holds an instant.
func (r *Rules) NextDay(at time.Time) time.Time {
	day := r.Day(at).In(r.zone())
	return r.on(day.Year(), day.Month(), day.Day()+1)
}

// DayOf is the beginning of the day of a date, written 2026-04-15.
func (r *Rules) DayOf(date string) (time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly, date, r.zone())
	if err != nil {
		return time.Time{}, err
	}
	return r.on(t.Year(), t.Month(), t.Day()), nil
}

func (r *Rules) on(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, r.DayStarts/60, r.DayStarts%60, 0, 0, r.zone())
}

func (r *Rules) zone() *time.Location {
	if r.Zone == nil {
		return time.UTC
	}
	return r.Zone
}

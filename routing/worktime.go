package routing

import (
	"iter"
	"slices"
	"time"
)

// workDays is how far ahead an end of working time is looked for.
const workDays = 2 * 366

// WorkEnds is the instant at which a calendar has been open for so long since an
// instant, by the wall clock of its zone; that of nil is always open. It is false
// when that is not within two years.
func (c *Calendar) WorkEnds(from time.Time, work time.Duration) (time.Time, bool) {
	if c == nil || work <= 0 {
		return from.Add(max(work, 0)), true
	}
	for start, end := range c.openFrom(from) {
		if open := end.Sub(start); open < work {
			work -= open
			continue
		}
		return start.Add(work), true
	}
	return time.Time{}, false
}

// Worked is how long the calendar is open between two instants; 0 when they are the
// other way round.
func (c *Calendar) Worked(from, to time.Time) (work time.Duration) {
	if c == nil {
		return max(to.Sub(from), 0)
	}
	for start, end := range c.openFrom(from) {
		if !start.Before(to) {
			break
		}
		if end.After(to) {
			end = to
		}
		work += end.Sub(start)
	}
	return work
}

// openFrom are the times when the calendar is open, in order and none twice, as far
// as they lie after an instant.
func (c *Calendar) openFrom(at time.Time) iter.Seq2[time.Time, time.Time] {
	return func(yield func(start, end time.Time) bool) {
		y, m, d := at.In(c.Zone).Date()
		for day := -1; day < workDays; day++ { // yesterday's may pass midnight
			hours := slices.Clone(c.hours(time.Date(y, m, d+day, 12, 0, 0, 0, c.Zone)))
			slices.SortFunc(hours, func(a, b Interval) int { return a.From - b.From })
			for _, i := range hours {
				to := i.To
				if i.From >= i.To {
					to += 24 * 60
				}
				start, end := time.Date(y, m, d+day, 0, i.From, 0, 0, c.Zone), time.Date(y, m, d+day, 0, to, 0, 0, c.Zone)
				if start.Before(at) {
					start = at
				}
				if !start.Before(end) {
					continue
				}
				if !yield(start, end) {
					return
				}
				at = end
			}
		}
	}
}

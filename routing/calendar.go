package routing

import (
	"slices"
	"time"
)

// horizonDays is how far ahead a closing time is looked for.
const horizonDays = 8

// Open says whether the calendar is open at an instant: by the wall clock of
// its zone, so that an hour the clock repeats counts both times. The start of
// an interval is included, its end is not; an interval that passes midnight
// belongs to the day it begins.
func (c *Calendar) Open(at time.Time) bool {
	t := at.In(c.Zone)
	now := t.Hour()*60 + t.Minute()
	for _, i := range c.hours(t) {
		if i.From < i.To && i.From <= now && now < i.To || i.From >= i.To && now >= i.From {
			return true
		}
	}
	for _, i := range c.hours(t.AddDate(0, 0, -1)) {
		if i.From >= i.To && now < i.To {
			return true
		}
	}
	return false
}

// ClosesAfter is the first instant after at when the calendar is not open; ok
// is false when it does not close within the next week.
func (c *Calendar) ClosesAfter(at time.Time) (closes time.Time, ok bool) {
	t := at.In(c.Zone)
	y, m, d := t.Date()
	var ends []time.Time
	for day := -1; day < horizonDays; day++ {
		for _, i := range c.hours(time.Date(y, m, d+day, 12, 0, 0, 0, c.Zone)) {
			end := i.To
			if i.From >= i.To {
				end += 24 * 60
			}
			ends = append(ends, time.Date(y, m, d+day, 0, end, 0, 0, c.Zone))
		}
	}
	slices.SortFunc(ends, time.Time.Compare)
	for _, end := range ends {
		if end.After(at) && !c.Open(end) {
			return end, true
		}
	}
	return time.Time{}, false
}

// Holiday is the name of the exception that rules the day, "" for none.
func (c *Calendar) Holiday(at time.Time) string {
	if e := c.exception(at.In(c.Zone)); e != nil {
		return e.Name
	}
	return ""
}

func (c *Calendar) hours(day time.Time) []Interval {
	if e := c.exception(day); e != nil {
		return e.Hours
	}
	return c.Week[day.Weekday()]
}

func (c *Calendar) exception(day time.Time) *Exception {
	if len(c.Exceptions) == 0 {
		return nil
	}
	date := day.Format(time.DateOnly)
	for i := range c.Exceptions {
		e := &c.Exceptions[i]
		if e.Date == date || e.Every != "" && e.Every == date[5:] {
			return e
		}
	}
	return nil
}

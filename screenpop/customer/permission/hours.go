package permission

import (
	"slices"
	"time"
)

// Hours are when customers may be called, by their own clock.
type Hours struct {
	Week [7][]Interval `json:"week"` // by time.Weekday
}

// Interval is hours of one day, in minutes since its midnight; To is not in it.
type Interval struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// ahead is how many days are looked through for the next hours: two weeks of holidays
// are behind it.
const ahead = 21

func (h *Hours) of(day time.Time, holidays []string) []Interval {
	if slices.Contains(holidays, day.Format(time.DateOnly)) {
		return nil
	}
	return h.Week[day.Weekday()]
}

// open says whether somebody may be called whose clock shows that.
func (h *Hours) open(local time.Time, holidays []string) bool {
	minute := local.Hour()*60 + local.Minute()
	return slices.ContainsFunc(h.of(local, holidays), func(i Interval) bool { return i.From <= minute && minute < i.To })
}

// next is when hours begin after that; zero: not in three weeks.
func (h *Hours) next(local time.Time, holidays []string) time.Time {
	y, m, d := local.Date()
	for n := range ahead {
		day := time.Date(y, m, d+n, 12, 0, 0, 0, local.Location()) // noon is on every day, midnight is not
		for _, i := range h.of(day, holidays) {
			if at := time.Date(y, m, d+n, i.From/60, i.From%60, 0, 0, local.Location()); at.After(local) {
				return at
			}
		}
	}
	return time.Time{}
}

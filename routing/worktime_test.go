package routing

import (
	"testing"
	"time"
)

// Working time is that of the wall clock: nights, weekends and holidays do not
// count, and an hour that the clock skips or repeats is as long as it was.
func TestWorkingTime(t *testing.T) {
	sofia, err := time.LoadLocation("Europe/Sofia")
	if err != nil {
		t.Fatalf("no time-zone tables: %v", err)
	}
	office := &Calendar{Zone: sofia, Exceptions: []Exception{{Every: "12-25"}, {Date: "2026-12-24", Hours: []Interval{{8 * 60, 12 * 60}}}}}
	for d := time.Monday; d <= time.Friday; d++ {
		office.Week[d] = []Interval{{8 * 60, 12 * 60}, {13 * 60, 18 * 60}}
	}
	nights := &Calendar{Zone: sofia}
	for d := range nights.Week {
		nights.Week[d] = []Interval{{22 * 60, 6 * 60}}
	}
	for _, k := range []struct {
		what     string
		calendar *Calendar
		from     string
		work     time.Duration
		ends     string
	}{
		{"within the morning", office, "2026-04-15T09:00", 2 * time.Hour, "2026-04-15T11:00"},
		{"over lunch", office, "2026-04-15T11:00", 2 * time.Hour, "2026-04-15T14:00"},
		{"just until it closes", office, "2026-04-15T17:00", time.Hour, "2026-04-15T18:00"},
		{"over the weekend", office, "2026-04-17T17:30", time.Hour, "2026-04-20T08:30"},
		{"asked for at night", office, "2026-04-15T02:00", time.Hour, "2026-04-15T09:00"},
		{"over holidays", office, "2026-12-24T11:00", 2 * time.Hour, "2026-12-28T09:00"},
		{"a week's work", office, "2026-04-13T08:00", 45 * time.Hour, "2026-04-17T18:00"},
		{"across midnight", nights, "2026-04-15T23:00", 8 * time.Hour, "2026-04-16T23:00"},
		{"the night that is an hour short", nights, "2026-03-28T22:00", 8 * time.Hour, "2026-03-29T23:00"},
		{"the night that is an hour long", nights, "2026-10-24T22:00", 9 * time.Hour, "2026-10-25T06:00"},
		{"the week in which the clock goes back", office, "2026-10-23T17:00", 2 * time.Hour, "2026-10-26T09:00"},
		{"around the clock", nil, "2026-03-28T22:00", 8 * time.Hour, "2026-03-29T07:00"},
		{"none", office, "2026-04-15T02:00", 0, "2026-04-15T02:00"},
	} {
		from, err := time.ParseInLocation("2006-01-02T15:04", k.from, sofia)
		if err != nil {
			t.Fatal(err)
		}
		ends, ok := k.calendar.WorkEnds(from, k.work)
		if got := ends.In(sofia).Format("2006-01-02T15:04"); !ok || got != k.ends {
			t.Errorf("%s: ends %s %v, want %s", k.what, got, ok, k.ends)
		}
		if got := k.calendar.Worked(from, ends); got != k.work {
			t.Errorf("%s: %v until then, want %v", k.what, got, k.work)
		}
		if got := k.calendar.Worked(ends, from); got != 0 {
			t.Errorf("%s: %v the other way round", k.what, got)
		}
	}
	if at, ok := (&Calendar{Zone: sofia}).WorkEnds(tapeStart, time.Minute); ok {
		t.Errorf("never open, and an end at %s", at)
	}
}

package routing

import (
	"testing"
	"time"
	_ "time/tzdata" // a bare machine may have no tables
)

func TestCalendar(t *testing.T) {
	sofia, err := time.LoadLocation("Europe/Sofia")
	if err != nil {
		t.Fatalf("no time-zone tables: %v", err)
	}
	c := &Calendar{Zone: sofia, Exceptions: []Exception{
		{Date: "2026-12-24", Hours: []Interval{{8 * 60, 12 * 60}}, Name: "eve"}, {Every: "12-25", Name: "christmas"},
	}}
	for d := time.Monday; d <= time.Friday; d++ {
		c.Week[d] = []Interval{{8 * 60, 12 * 60}, {13 * 60, 18 * 60}}
	}
	c.Week[time.Saturday] = []Interval{{22 * 60, 6 * 60}} // the night to Sunday
	for _, k := range []struct {
		at     string
		open   bool
		closes string
	}{
		{"2026-04-15T07:59:59", false, "2026-04-15T12:00:00"},
		{"2026-04-15T08:00:00", true, "2026-04-15T12:00:00"},
		{"2026-04-15T12:00:00", false, "2026-04-15T18:00:00"},
		{"2026-04-15T17:59:59", true, "2026-04-15T18:00:00"},
		{"2026-04-18T23:00:00", true, "2026-04-19T06:00:00"},
		{"2026-04-19T05:59:00", true, "2026-04-19T06:00:00"},
		{"2026-04-19T06:00:00", false, "2026-04-20T12:00:00"},
		{"2026-12-24T12:30:00", false, "2026-12-27T06:00:00"},
		{"2026-12-25T09:00:00", false, "2026-12-27T06:00:00"},
		// The night in which the clock goes back: 03:00 to 04:00 comes twice.
		{"2026-10-25T03:30:00", true, "2026-10-25T06:00:00"},
	} {
		at, err := time.ParseInLocation("2006-01-02T15:04:05", k.at, sofia)
		if err != nil {
			t.Fatal(err)
		}
		if c.Open(at) != k.open {
			t.Errorf("%s: open %v", k.at, !k.open)
		}
		if closes, ok := c.ClosesAfter(at); !ok || closes.In(sofia).Format("2006-01-02T15:04:05") != k.closes {
			t.Errorf("%s: closes %s %v, want %s", k.at, closes.In(sofia), ok, k.closes)
		}
	}
	if name := c.Holiday(time.Date(2026, 12, 24, 5, 0, 0, 0, time.UTC)); name != "eve" {
		t.Errorf("holiday %q", name)
	}
	always := &Calendar{Zone: time.UTC}
	for d := range always.Week {
		always.Week[d] = []Interval{{0, 24 * 60}}
	}
	if at, ok := always.ClosesAfter(tapeStart); ok {
		t.Errorf("always open, but closes %s", at)
	}
}

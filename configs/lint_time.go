package configs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

const (
	maxOvertaking = 10 * time.Minute // O501 warns over it
	datesAhead    = 60               // days, T602
)

// orderSpot is where findings about the order stand: at it, else at the routes.
func (l *linter) orderSpot() (spot, string) {
	if child(l.root, "order").kind == kindNull {
		return l.key("route"), "route"
	}
	return l.key("order"), "order"
}

// pointsText writes thousandths of a point: 1, 0.5.
func pointsText(milli int64) string {
	s := fmt.Sprintf("%d.%03d", milli/1000, milli%1000)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// lintCalendars finds calendars that run out, and clock changes inside hours.
func (l *linter) lintCalendars() {
	for _, name := range l.names.calendars {
		cal := l.policy.Calendars[name]
		at, path := l.key("calendars", name), "calendars."+name
		l.lintDates(at, path, cal)
		if changes := clockChanges(cal, l.today.Year()); len(changes) > 0 {
			l.find(at, "T605", path, strings.Join(changes, ", "), "clock change inside opening hours")
		}
	}
}

func (l *linter) lintDates(at spot, path string, cal *routing.Calendar) {
	first, last := "", ""
	for _, e := range cal.Exceptions {
		if e.Date == "" {
			continue
		}
		last = max(last, e.Date)
		if first == "" || e.Date[5:] < first {
			first = e.Date[5:]
		}
	}
	if last == "" {
		return
	}
	end, err := time.Parse(time.DateOnly, last)
	if err != nil {
		return
	}
	y, m, d := l.today.Date()
	days := int(end.Sub(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)).Hours() / 24)
	if days > datesAhead {
		return
	}
	year := end.Year() + 1
	if today := l.today.Format(time.DateOnly); fmt.Sprintf("%04d-%s", year, first) < today {
		if year = y; today[5:] > first {
			year++
		}
	}
	next := fmt.Sprintf("%04d-%s", year, first)
	switch {
	case days < 0:
		l.find(at, "T602", path, "next: "+next, "dated exceptions ended on %s, %d days ago", last, -days)
	default:
		l.find(at, "T602", path, "next: "+next, "dated exceptions end on %s, in %d days", last, days)
	}
}

// clockChanges lists the days of a year when the calendar's clock changes while
// it is open.
func clockChanges(cal *routing.Calendar, year int) (days []string) {
	at := time.Date(year, 1, 1, 0, 0, 0, 0, cal.Zone)
	for at.Year() <= year {
		_, end := at.ZoneBounds()
		if end.IsZero() || end.In(cal.Zone).Year() > year {
			return days
		}
		_, before := end.Add(-time.Second).In(cal.Zone).Zone()
		_, after := end.In(cal.Zone).Zone()
		if before != after && cal.Open(end.Add(-time.Second)) && cal.Open(end) {
			days = append(days, end.In(cal.Zone).Format(time.DateOnly))
		}
		at = end
	}
	return days
}

// fortnight is how far ahead instants are looked for that show a finding.
const fortnight = 14 * 24 * time.Hour

// closed are the instants soon when a calendar is not open, a quarter of an
// hour apart.
func (l *linter) closed(name string) []time.Time {
	if list, known := l.shut[name]; known {
		return list
	}
	var out []time.Time
	cal := l.policy.Calendars[name]
	for d := time.Duration(0); d < fortnight; d += 15 * time.Minute {
		if at := l.today.Add(d); !cal.Open(at) {
			out = append(out, at.In(l.policy.Zone))
		}
	}
	if l.shut == nil {
		l.shut = map[string][]time.Time{}
	}
	l.shut[name] = out
	return out
}

// instantText writes an instant as the tests of a document do.
func instantText(at time.Time) string { return at.Format("2006-01-02T15:04") }

// lintHours finds routes that ask for a time at which their queue is closed.
func (l *linter) lintHours() {
	for _, f := range l.families() {
		for _, r := range f.list {
			q := l.policy.Queues[r.Queue]
			if q == nil || q.Hours == "" || r.Node.GoOn || r.Node.Then != nil || r.Node.When == nil || l.work <= 0 {
				continue
			}
			if terms := l.rules.TimeTerms(r.Node.When); len(terms) > 0 {
				l.lintRouteHours(r, q, terms)
			}
		}
	}
}

func (l *linter) lintRouteHours(r *routing.Routed, q *routing.Queue, terms []*rule.Condition) {
	env := rule.Env{}
	for _, at := range l.closed(q.Hours) {
		l.work -= len(terms)
		env.Clock = rule.NewClock(at, l.policy.Zone)
		env.IsOpen = func(name string) bool { return l.policy.Calendars[name].Open(at) }
		if !slices.ContainsFunc(terms, func(c *rule.Condition) bool { return !c.Eval(&env) }) {
			l.route(r, "T603", instantText(at), "asks for hours at which queue %s is closed (%s)", q.Name, q.Hours)
			return
		}
	}
}

package configs

import (
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
)

const dayMinutes = 24 * 60

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // as time.Weekday

func (c *compiler) calendars(n *node) {
	c.policy.Calendars = map[string]*routing.Calendar{}
	if n == nil {
		return
	}
	o := c.object(n)
	for _, p := range o.pairs {
		cal := &routing.Calendar{Name: p.key, Zone: c.policy.Zone}
		c.policy.Calendars[p.key] = cal
		k := c.object(p.value.in("calendar " + p.key))
		if z := k.get("zone"); z != nil {
			if z.kind == kindScalar && z.text == "caller" {
				cal.Caller = true
			} else {
				cal.Zone = c.zone(z, cal.Zone)
			}
		}
		c.week(k.must("week"), cal)
		for _, item := range c.list(k.get("exceptions"), maxExceptions) {
			cal.Exceptions = append(cal.Exceptions, c.exception(item))
		}
		k.close()
	}
}

// week reads {mon-fri: "08:00-20:00", sat: closed}. A day not named is closed.
func (c *compiler) week(n *node, cal *routing.Calendar) {
	if n == nil {
		return
	}
	o := c.object(n)
	var named [7]bool
	var from [7]*node
	for _, p := range o.pairs {
		o.adopt(p.value)
		days := dayRange(p.key)
		if days == nil {
			c.add(p.line, p.col, CodeUnknown, n.where, "%s is not a day or range of days: mon, mon-fri%s", quote(p.key), didYouMean(p.key, weekdays))
			continue
		}
		hours := c.hours(p.value)
		for _, d := range days {
			if named[d] {
				c.add(p.line, p.col, "T601", n.where, "%s is named twice", weekdays[d])
				break
			}
			named[d], cal.Week[d], from[d] = true, hours, p.value
		}
	}
	c.checkNights(cal, from)
}

// checkNights finds hours that run past midnight into the hours of the next day.
func (c *compiler) checkNights(cal *routing.Calendar, from [7]*node) {
	for day, hours := range cal.Week {
		next := (day + 1) % 7
		for _, h := range hours {
			if h.To >= h.From {
				continue
			}
			if i := slices.IndexFunc(cal.Week[next], func(n routing.Interval) bool { return n.From < h.To }); i >= 0 {
				c.errorf(from[day], "T601", "hours of %s run into those of %s", weekdays[day], weekdays[next])
			}
		}
	}
}

// dayRange lists the days of "mon" or "mon-fri", nil for anything else.
func dayRange(s string) []int {
	first, last, isRange := strings.Cut(s, "-")
	a, b := slices.Index(weekdays, first), slices.Index(weekdays, last)
	if !isRange {
		b = a
	}
	if a < 0 || b < 0 {
		return nil
	}
	days := []int{a}
	for d := a; d != b; {
		d = (d + 1) % 7
		days = append(days, d)
	}
	return days
}

// hours reads "08:00-12:00,13:00-17:00" or closed.
func (c *compiler) hours(n *node) []routing.Interval {
	if n.kind == kindNull {
		c.errorf(n, CodeMissing, "%s has no value", n.label())
		return nil
	}
	s, ok := c.scalar(n, `hours, such as "08:00-17:00", or closed`)
	if !ok || s == "closed" {
		return nil
	}
	if n.style == stylePlain {
		c.wrong(n, "hours stand in quotes: %s", quote(s))
		return nil
	}
	var out []routing.Interval
	for part := range strings.SplitSeq(s, ",") {
		a, b, _ := strings.Cut(strings.TrimSpace(part), "-")
		from, ok1 := clock(a)
		to, ok2 := clock(b)
		if !ok1 || !ok2 || from == dayMinutes {
			c.add(n.line, n.col, "T601", n.where, "%s: %s is not hours, such as \"08:00-12:00,13:00-17:00\"", n.label(), quote(part))
			return nil
		}
		if from == to {
			c.errorf(n, "T601", "%s: %s begins and ends at once; the whole day is \"00:00-24:00\"", n.label(), quote(part))
			return nil
		}
		h := routing.Interval{From: from, To: to}
		if slices.ContainsFunc(out, func(o routing.Interval) bool { return overlap(o, h) }) {
			c.errorf(n, "T601", "%s: hours overlap: %s", n.label(), quote(part))
			return nil
		}
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b routing.Interval) int { return a.From - b.From })
	return out
}

// overlap compares the hours of one day; past midnight they run to its end.
func overlap(a, b routing.Interval) bool {
	end := func(h routing.Interval) int {
		if h.To < h.From {
			return dayMinutes
		}
		return h.To
	}
	return a.From < end(b) && b.From < end(a)
}

func (c *compiler) exception(n *node) routing.Exception {
	var e routing.Exception
	o := c.object(n)
	if o.bad {
		return e
	}
	o.together("date", "every")
	o.together("hours", "closed")
	if d := o.get("date"); d != nil {
		e.Date = c.date(d, time.DateOnly, "")
	}
	if d := o.get("every"); d != nil {
		e.Every = c.date(d, "2006-01-02", "2024-") // a leap year: 02-29 is a date
	}
	if !o.has("date") && !o.has("every") {
		c.errorf(n, CodeMissing, "%s: say which day: date or every", n.label())
	}
	if h := o.get("hours"); h != nil {
		e.Hours = c.hours(h)
	}
	if k := o.get("closed"); k != nil && !c.flag(k, true) {
		c.wrong(k, "want true, or hours")
	}
	if !o.has("hours") && !o.has("closed") {
		c.errorf(n, CodeMissing, "%s: say hours or closed: true", n.label())
	}
	if name := o.get("name"); name != nil {
		e.Name = c.text(name, 80)
	}
	o.close()
	return e
}

// date reads YYYY-MM-DD, or MM-DD with a year put before it for the check.
func (c *compiler) date(n *node, layout, year string) string {
	s, ok := c.scalar(n, "a date")
	if !ok {
		return ""
	}
	if _, err := time.Parse(layout, year+s); err != nil {
		like := ", such as 2026-12-24"
		if year != "" {
			like = ", such as 12-24: month and day"
		}
		c.errorf(n, "T601", "%s: %s is not a date%s", n.label(), quote(s), like)
		return ""
	}
	return s
}

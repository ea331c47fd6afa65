package configs

import (
	"fmt"
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// maxShifts bounds one agent's.
const maxShifts = 64

// weekMinutes is how many minutes a week has.
const weekMinutes = 7 * dayMinutes

// shift is when an agent is at work, by the clock of the document's zone. Hours
// past midnight belong to the day they begin.
type shift struct {
	days  [7]bool // by time.Weekday
	hours []routing.Interval
}

// shiftsOf reads an agent's shifts, which stand in a directory only: the days
// people work are no rule of routing.
func (c *compiler) shiftsOf(o *object, id agents.ID) {
	n := o.get("shifts")
	if n == nil {
		return
	}
	if c.dir == nil || c.reader != c.dir.reader {
		o.conflict("shifts", "shifts stand in a directory only")
		return
	}
	for _, item := range c.list(n, maxShifts) {
		s := c.object(item)
		var out shift
		if days := s.must("days"); days != nil {
			text, ok := c.scalar(days, "days, such as mon-fri")
			list := dayRange(text)
			if ok && list == nil {
				c.wrong(days, "%s is no day or range of days, such as mon or mon-fri", quote(text))
			}
			for _, d := range list {
				out.days[d] = true
			}
		}
		if hours := s.must("hours"); hours != nil {
			out.hours = c.hours(hours)
			if hours.kind == kindScalar && hours.text == "closed" {
				c.wrong(hours, "want hours, such as \"08:00-17:00\": a day off is left out")
			}
		}
		s.close()
		c.dir.shifts[id] = append(c.dir.shifts[id], out)
	}
}

// onShift says whether one of the shifts holds, by the wall clock of t.
func onShift(shifts []shift, t time.Time) bool {
	day, minute := int(t.Weekday()), t.Hour()*60+t.Minute()
	before := (day + 6) % 7
	return slices.ContainsFunc(shifts, func(s shift) bool {
		return slices.ContainsFunc(s.hours, func(h routing.Interval) bool {
			if h.From < h.To {
				return s.days[day] && h.From <= minute && minute < h.To
			}
			return s.days[day] && h.From <= minute || s.days[before] && minute < h.To
		})
	})
}

// planned says that somebody has a shift: without any, nobody's are known.
func (c *compiler) planned() bool { return c.dir != nil && len(c.dir.shifts) > 0 }

// byShifts are the agents on shift at an instant, all of them Available. The
// others are not signed in.
func (c *compiler) byShifts(at time.Time) map[agents.ID]testAgent {
	out := map[agents.ID]testAgent{}
	for id, shifts := range c.dir.shifts {
		a, known := c.policy.Agents[id]
		if !known || !onShift(shifts, at.In(c.policy.Zone)) {
			continue
		}
		a.Desk = true // no phone signs anybody in here
		a.Phone = agents.Phone{URI: "sip:" + string(id) + "@192.0.2.1", AutoAnswer: true}
		out[id] = testAgent{Agent: a, state: "available"}
	}
	return out
}

// week holds something for each minute of a week, from midnight on sunday.
type week [weekMinutes/64 + 1]uint64

func (w *week) set(minute int)      { w[minute/64] |= 1 << (minute % 64) }
func (w *week) has(minute int) bool { return w[minute/64]&(1<<(minute%64)) != 0 }

func (w *week) add(o *week) {
	for i := range w {
		w[i] |= o[i]
	}
}

func (w *week) work(s shift) {
	for day, on := range s.days {
		if !on {
			continue
		}
		for _, h := range s.hours {
			to := h.To
			if h.To <= h.From {
				to += dayMinutes
			}
			for m := h.From; m < to; m++ {
				w.set((day*dayMinutes + m) % weekMinutes)
			}
		}
	}
}

// lintShifts finds queues that are open while nobody who fits is on shift
// (N304): in the default language first, else in another that somebody speaks.
// The week is one without holidays, by the document's clock; somebody without
// shifts is on none.
func (l *linter) lintShifts() {
	if !l.planned() {
		return
	}
	plan := make([]week, len(l.groups()))
	for i, g := range l.groups() {
		for _, id := range g.ids {
			for _, s := range l.dir.shifts[agents.ID(id)] {
				plan[i].work(s)
			}
		}
	}
	hours := map[string]*week{}
	for _, name := range l.names.queues {
		q := l.policy.Queues[name]
		if hours[q.Hours] == nil {
			hours[q.Hours] = l.openWeek(q.Hours)
		}
		l.lintUnstaffed(q, hours[q.Hours], plan)
	}
}

func (l *linter) lintUnstaffed(q *routing.Queue, open *week, plan []week) {
	f := l.fits(q, rule.Need{})
	order := make([]int, 0, len(f.languages))
	first := max(slices.Index(f.languages, l.policy.DefaultLanguage), 0)
	for i := range f.languages {
		order = append(order, i)
	}
	order = slices.Insert(slices.Delete(order, first, first+1), 0, first)
	for _, i := range order {
		fit := f.until(i, -1)
		if len(fit) == 0 {
			continue // N303 or N307
		}
		var there week
		for _, g := range fit {
			there.add(&plan[g])
		}
		gap, at := 0, 0
		for k := range weekMinutes { // from monday
			m := (k + dayMinutes) % weekMinutes
			if open.has(m) && !there.has(m) {
				if gap == 0 {
					at = m
				}
				gap++
			}
		}
		if gap == 0 {
			continue
		}
		need := needText(routing.StepRequirement(q, 0, rule.Need{}, f.callers[i]))
		l.queue(q, "", "N304", fmt.Sprintf("%s %02d:%02d, need %s", weekdays[at/dayMinutes], at%dayMinutes/60, at%60, need),
			"nobody who fits is on shift at some open hour: %s a week", durationText(time.Duration(gap)*time.Minute))
		return
	}
}

// openWeek is when a calendar is open in a week without holidays; a calendar
// that goes by the caller's clock, as for a caller in the document's zone.
func (l *linter) openWeek(name string) *week {
	out := &week{}
	var cal *routing.Calendar
	if c := l.policy.Calendars[name]; c != nil {
		plain := *c
		plain.Exceptions = nil
		cal = plain.For(l.policy.Zone)
	}
	y, m, d := l.today.Date()
	for minute := range weekMinutes {
		at := time.Date(y, m, d+minute/dayMinutes, 0, minute%dayMinutes, 0, 0, l.policy.Zone)
		if cal == nil || cal.Open(at) {
			out.set(int(at.Weekday())*dayMinutes + at.Hour()*60 + at.Minute())
		}
	}
	return out
}

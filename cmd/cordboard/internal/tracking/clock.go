package tracking

import (
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// A request's level counts what was done because of its clock: 0, its owner is to be
// warned; n, the n-th of the persons under late is next.

// begin starts a request's clock, with so much working time left.
func begin(p *routing.Policy, t *routing.RequestType, r *store.Request, now time.Time, left time.Duration) {
	hours := p.Calendars[t.Calendar]
	due, ok := hours.WorkEnds(now, left)
	if !ok { // the calendar does not open any more: nobody works on it otherwise
		due = now.Add(left)
	}
	r.DueAt, r.Left, r.Level = due.UTC(), 0, 0
	if t.Warn > 0 {
		if warn, ok := hours.WorkEnds(now, left-t.Warn); ok {
			r.NextAt = warn.UTC()
			return
		}
	}
	r.Level = 1
	r.NextAt = next(p, t, r)
}

// next is when the request is escalated next, by its level; zero: never.
func next(p *routing.Policy, t *routing.RequestType, r *store.Request) time.Time {
	i := r.Level - 1
	if i < 0 || i >= len(t.Late) {
		return time.Time{}
	}
	at, ok := p.Calendars[t.Calendar].WorkEnds(r.DueAt, t.Late[i].After)
	if !ok {
		return time.Time{}
	}
	return at.UTC()
}

// wait stops the clock: the customer is to do something.
func (d *deed) wait() {
	p, r := d.opt.Policy(), d.r
	var hours *routing.Calendar
	if t := p.Requests[r.Kind]; t != nil {
		hours = p.Calendars[t.Calendar]
	}
	r.State, r.Left, r.NextAt = store.RequestWaiting, hours.Worked(d.now, r.DueAt).Truncate(time.Microsecond), time.Time{}
}

// resume lets it go on with what was left. One that was late stays so.
func (d *deed) resume() {
	p, r := d.opt.Policy(), d.r
	t := p.Requests[r.Kind]
	r.State = store.RequestOpen
	switch {
	case t == nil:
		r.DueAt, r.Left = laterBy(r, d.now), 0
	case r.Left > 0:
		warned := r.Level > 0 && t.Warn >= r.Left
		begin(p, t, r, d.now, r.Left)
		if warned {
			r.Level = 1
			r.NextAt = next(p, t, r)
		}
	default:
		r.NextAt = next(p, t, r)
	}
}

// laterBy is when a request of a type that there is no more is due: nobody is told.
func laterBy(r *store.Request, now time.Time) time.Time {
	if r.Left == 0 {
		return r.DueAt
	}
	return now.Add(r.Left)
}

package configs

import (
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// lintCallbacks finds callbacks that come to nothing: callers who are cut off
// because they cannot be called back (Q705), and promises that are over before
// anybody is there to keep them (Q706).
func (l *linter) lintCallbacks(q *routing.Queue) {
	for _, way := range waysOut(q) {
		for t := &way.then; t != nil; t = t.Else {
			if t.Callback && t.Else == nil {
				l.queue(q, way.option, "Q705", "an anonymous caller", "callback without else: who declines, or cannot be called back, is cut off")
			}
		}
	}
	if night, ok := l.outlasts(q, q.Callback); ok {
		l.queue(q, "callback", "Q706", night.shows(l, q.Callback), "%s", night.says(l, q.Callback))
	}
}

// lintRouteCallback does so for what a route says of callbacks.
func (l *linter) lintRouteCallback(r *routing.Routed) {
	if night, ok := l.outlasts(l.policy.Queues[r.Queue], r.Node.Callback); ok {
		l.find(l.routeSpot(r), "Q706", routePath(r)+".callback", night.shows(l, r.Node.Callback), "%s (queue %s)", night.says(l, r.Node.Callback), r.Queue)
	}
}

// wayOut is one of a queue's treatments.
type wayOut struct {
	option string
	then   rule.Treatment
}

// waysOut are the treatments that a queue can come to.
func waysOut(q *routing.Queue) (out []wayOut) {
	if q.Hours != "" { // else closed is never asked
		out = append(out, wayOut{"closed", q.Closed})
	}
	if q.Full != nil {
		out = append(out, wayOut{"full", q.Full.Then})
	}
	if q.Late != nil {
		out = append(out, wayOut{"late", q.Late.Then})
	}
	if q.Nobody != nil {
		out = append(out, wayOut{"nobody", q.Nobody.Then})
	}
	return out
}

// night is a time in which a calendar is closed.
type night struct{ closes, opens time.Time }

func (n night) says(l *linter, b *rule.Callback) string {
	return "callback expires after " + durationText(b.Expires) + ", and it is closed from " +
		instantText(n.closes.In(l.policy.Zone)) + " to " + instantText(n.opens.In(l.policy.Zone))
}

// shows is a caller who is offered a callback shortly before.
func (n night) shows(l *linter, b *rule.Callback) string {
	return "a caller at " + instantText(n.closes.Add(-b.FirstOffer-time.Minute).In(l.policy.Zone))
}

// outlasts finds the first night of the next 12 months that is longer than
// callbacks are kept: one accepted as the queue closes is over before it opens.
func (l *linter) outlasts(q *routing.Queue, b *rule.Callback) (n night, found bool) {
	if q == nil || b == nil || q.Hours == "" {
		return n, false
	}
	for _, n = range l.nightsOf(q.Hours) {
		if n.opens.Sub(n.closes) > b.Expires {
			return n, true
		}
	}
	return n, false
}

// nightsOf are the times of the next 12 months in which a calendar is closed. One
// that is not over within a week counts as a week.
func (l *linter) nightsOf(name string) []night {
	if list, known := l.nights[name]; known {
		return list
	}
	var out []night
	cal := l.policy.Calendars[name]
	const week = 7 * 24 * time.Hour
	for at, end := l.today, l.today.AddDate(1, 0, 0); cal != nil && at.Before(end); {
		if !cal.Open(at) {
			opens, ok := cal.OpensAfter(at)
			if !ok {
				opens = at.Add(week)
			}
			at = opens
			continue
		}
		closes, ok := cal.ClosesAfter(at)
		if !ok {
			at = at.Add(week)
			continue
		}
		opens, ok := cal.OpensAfter(closes)
		if !ok {
			opens = closes.Add(week)
		}
		out, at = append(out, night{closes, opens}), opens
	}
	if l.nights == nil {
		l.nights = map[string][]night{}
	}
	l.nights[name] = out
	return out
}

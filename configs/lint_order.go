package configs

import (
	"fmt"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// extremes are the routes of the lowest and the highest priority.
func (l *linter) extremes() (least, top *routing.Routed) {
	l.eachRoute(func(r *routing.Routed) {
		if r.Node.GoOn || r.Node.Then != nil {
			return
		}
		if top == nil || r.Priority > top.Priority {
			top = r
		}
		if least == nil || r.Priority < least.Priority {
			least = r
		}
	})
	return least, top
}

// lintOrder prints the bound on overtaking, or that there is none.
func (l *linter) lintOrder() {
	at, path := l.orderSpot()
	p := l.policy
	least, top := l.extremes()
	low, added := least.Priority, l.additions()
	points, parts := top.Priority+added.sum(), added.with(top.Priority, "route")
	one, many := "one by "+routePath(top), "calls by "+routePath(top)
	if asked := added.ofQuestions(); p.Transfers.ConsultAdd+asked.sum() > points {
		points, parts = p.Transfers.ConsultAdd+asked.sum(), asked.with(p.Transfers.ConsultAdd, "question")
		one, many = "an agent's question", "agents' questions"
	}
	if p.MilliPoints == 0 {
		l.find(at, "O502", path, fmt.Sprintf("a call by %s (%d points) waits as long as %s (%d points) keep coming", routePath(least), low, many, points),
			"strict priority: a queue can starve")
		return
	}
	bound := l.headStart(points - low)
	span := fmt.Sprintf("%d - %d points", points, low)
	rate := pointsText(p.MilliPoints) + " per second"
	how := span + ", " + rate
	switch capped := l.headStart(p.Ceiling); {
	case p.ByDue:
		short, long := l.promises()
		how = fmt.Sprintf("%s: %s; promises %s - %s: %s", how, seconds(bound), seconds(long), seconds(short), seconds(long-short))
		bound += long - short
	case p.Ceiling > 0 && capped < bound:
		without := fmt.Sprint(points)
		if low > 0 {
			without = strings.TrimSuffix(span, " points")
		}
		how = fmt.Sprintf("%d points, the ceiling, %s; without it %s: %s", p.Ceiling, rate, without, parts)
		bound = capped
	}
	l.find(at, "O501", path, "", "overtaking bound H = %s (%s)", durationText(bound.Round(time.Millisecond)), how)
	if f := &l.said[len(l.said)-1]; bound > maxOvertaking {
		f.Severity = Warning
		f.Shows = fmt.Sprintf("a call by %s waits since +0s, %s comes at +%s: the first is passed", routePath(least), one, seconds(bound.Truncate(time.Second)-time.Second))
	}
	l.lintCeiling(least, top)
}

// lintCeiling: calls of different priority that stand at the ceiling from the
// first instant on.
func (l *linter) lintCeiling(least, top *routing.Routed) {
	c := l.policy.Ceiling
	if c == 0 || c > top.Priority {
		return
	}
	other := least
	l.eachRoute(func(r *routing.Routed) {
		if !r.Node.GoOn && r.Node.Then == nil && r.Priority < top.Priority && r.Priority > other.Priority {
			other = r
		}
	})
	shows := fmt.Sprintf("a call by %s (%d points) and one by %s (%d points) after %s: both at the ceiling, who came first goes first",
		routePath(top), top.Priority, routePath(other), other.Priority, seconds(l.headStart(c-other.Priority)))
	if other.Priority >= c {
		shows = fmt.Sprintf("a call by %s (%d points) and one by %s (%d points): both at the ceiling at once, who came first goes first",
			routePath(top), top.Priority, routePath(other), other.Priority)
	}
	l.find(l.key("order", "ceiling"), "O503", "order.ceiling", shows, "ceiling of %d not above the highest priority of a route, %d", c, top.Priority)
}

// headStart is how long a call must wait for so many points.
func (l *linter) headStart(points int) time.Duration {
	return time.Duration(points) * time.Second * 1000 / time.Duration(l.policy.MilliPoints)
}

// promises are the shortest and the longest answer_within.
func (l *linter) promises() (short, long time.Duration) {
	for i, name := range l.names.queues {
		within := l.policy.Queues[name].AnswerWithin
		if i == 0 || within < short {
			short = within
		}
		long = max(long, within)
	}
	return short, long
}

// added is what can be added to a route's priority: points by origin, and how
// many places there are that add.
type added []struct {
	points, places int
	one, many      string
}

func (a added) sum() (n int) {
	for _, part := range a {
		n += part.points
	}
	return n
}

// ofQuestions are those that an agent's question can be given: it is passed on by
// nobody, and no queue sends it elsewhere.
func (a added) ofQuestions() added { return a[1:3] }

// with writes the parts that a highest priority is made of, what it begins with first.
func (a added) with(points int, of string) string {
	parts := []string{fmt.Sprintf("%d %s", points, of)}
	for _, p := range a {
		switch {
		case p.points == 0:
		case p.places == 1:
			parts = append(parts, fmt.Sprintf("%d %s", p.points, p.one))
		default:
			parts = append(parts, fmt.Sprintf("%d %s", p.points, p.many))
		}
	}
	return strings.Join(parts, ", ")
}

// additions sums what can be added to a route's priority, each once.
func (l *linter) additions() added {
	out := added{{one: "first transfer"}, {one: "topic", many: "topics"}, {one: "step", many: "steps"}, {one: "overflow", many: "overflows"}}
	add := func(i, points int) {
		if points > 0 {
			out[i].points += points
			out[i].places++
		}
	}
	add(0, l.policy.Transfers.PriorityAdd)
	for _, t := range l.policy.Topics {
		add(1, t.PriorityAdd)
	}
	into := map[string]int{} // an overflow into one queue adds once
	for _, q := range l.policy.Queues {
		for _, s := range q.Steps {
			add(2, s.PriorityAdd)
		}
		for _, t := range overflows(q) {
			into[t.Queue] = max(into[t.Queue], t.PriorityAdd)
		}
	}
	l.eachRoute(func(r *routing.Routed) {
		if t := r.Node.Then; t != nil {
			into[t.Queue] = max(into[t.Queue], t.PriorityAdd)
		}
	})
	for _, points := range into {
		add(3, points)
	}
	return out
}

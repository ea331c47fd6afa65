package configs

import (
	"fmt"
	"slices"
	"time"

	"github.com/cordboard/cordboard/routing"
)

const (
	maxReserves = 4
	maxCalls    = 1_000_000
)

// reserves reads the teams that stand by for a queue.
func (c *compiler) reserves(n *node) []routing.Reserve {
	if n.isNone() {
		return nil
	}
	var out []routing.Reserve
	for _, item := range c.list(n, maxReserves) {
		o := c.object(item)
		r := routing.Reserve{Leave: routing.ReserveLeave{For: 2 * time.Minute}}
		if team := o.must("team"); team != nil {
			r.Team = c.reference(team, "team", c.names.teams)
			if r.Team != "" && slices.ContainsFunc(out, func(other routing.Reserve) bool { return other.Team == r.Team }) {
				c.errorf(team, CodeDuplicate, "%s: team %s stands by already", team.label(), r.Team)
			}
		}
		if join := o.must("join"); join != nil {
			r.Join = c.reserveJoin(c.object(join))
		}
		if leave := o.get("leave"); leave != nil {
			r.Leave = c.reserveLeave(c.object(leave))
		}
		r.Stay = c.duration(o.get("stay"), 0, 2*time.Hour, 5*time.Minute)
		o.close()
		out = append(out, r)
	}
	return out
}

func (c *compiler) reserveJoin(o *object) routing.ReserveJoin {
	j := routing.ReserveJoin{
		Oldest:  c.duration(o.get("oldest"), time.Second, 2*time.Hour, 0),
		EWT:     c.duration(o.get("ewt"), time.Second, 2*time.Hour, 0),
		Waiting: c.integer(o.get("waiting"), 1, maxCalls, 0),
		SLBelow: c.share(o.get("sl_below"), 0),
	}
	given := func(key string) bool { return o.has(key) }
	if !o.bad && !slices.ContainsFunc([]string{"oldest", "ewt", "waiting", "sl_below"}, given) {
		c.errorf(o.node, CodeMissing, "%s needs oldest, ewt, waiting or sl_below", o.label())
	}
	o.close()
	return j
}

func (c *compiler) reserveLeave(o *object) routing.ReserveLeave {
	optional := func(key string) *time.Duration {
		n := o.get(key)
		if n == nil {
			return nil
		}
		d := c.duration(n, 0, 2*time.Hour, 0)
		return &d
	}
	l := routing.ReserveLeave{
		Waiting: c.integer(o.get("waiting"), 0, maxCalls, 0), Oldest: optional("oldest"), EWT: optional("ewt"),
		For: c.duration(o.get("for"), 0, time.Hour, 2*time.Minute),
	}
	o.close()
	return l
}

// lintReserves finds reserves that leave while there is still trouble, to join
// again (A805).
func (l *linter) lintReserves(q *routing.Queue) {
	for i := range q.Reserve {
		r := &q.Reserve[i]
		leave, join := flaps(r)
		if join == "" {
			continue
		}
		team := ""
		if len(q.Reserve) > 1 {
			team = "team " + r.Team + ": "
		}
		l.queue(q, "reserve", "A805", leave+", "+join, "%sleave can hold while join does: flapping", team)
	}
}

// flaps gives a value of leave and one of join that hold together, "" for none.
func flaps(r *routing.Reserve) (leave, join string) {
	// Whether somebody can wait as long, while the other values of leave hold.
	lasts := func(name string, at time.Duration, most *time.Duration) (string, string) {
		switch {
		case at == 0 || r.Leave.Waiting == 0 || most != nil && *most < at:
			return "", ""
		case most != nil:
			return name + " " + seconds(*most), name + " " + seconds(at)
		}
		return fmt.Sprintf("waiting %d", r.Leave.Waiting), name + " " + seconds(at)
	}
	if leave, join = lasts("oldest", r.Join.Oldest, r.Leave.Oldest); join != "" {
		return leave, join
	}
	if leave, join = lasts("ewt", r.Join.EWT, r.Leave.EWT); join != "" {
		return leave, join
	}
	leave = fmt.Sprintf("waiting %d", r.Leave.Waiting)
	switch {
	case r.Join.Waiting > 0 && r.Join.Waiting <= r.Leave.Waiting:
		return leave, fmt.Sprintf("waiting %d", r.Join.Waiting)
	case r.Join.SLBelow > 0:
		return leave, fmt.Sprintf("service level under %d%%", r.Join.SLBelow)
	}
	return "", ""
}

// lintReserveStaff finds reserves that a need of their own queue asks for: they
// stand by all the same (A802).
func (l *linter) lintReserveStaff(q *routing.Queue) {
	for i := range q.Reserve {
		team := q.Reserve[i].Team
		for step := 0; step <= len(q.Steps); step++ {
			need := &q.Need
			if step > 0 {
				need = q.Steps[step-1].Need
			}
			if need == nil || !slices.Contains(need.Team, team) {
				continue
			}
			if id := l.firstOf(team); id != "" {
				l.queue(q, "reserve", "A802", id, "team %s stands by, and is regular in step %d", team, step+1)
				break
			}
		}
	}
}

// firstOf is the first agent of a team, "" for none.
func (l *linter) firstOf(team string) string {
	first := ""
	for _, g := range l.groups() {
		if g.team == team && (first == "" || g.ids[0] < first) {
			first = g.ids[0]
		}
	}
	return first
}

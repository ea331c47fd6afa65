package convert

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// write lays the document out.
func (c *centre) write() []byte {
	w := &writer{}
	w.line("# Made from %s. What could not be said stands in the notes of the conversion.", titleOf(c.file, "a file"))
	w.line("cordboard: routing/1")
	w.line("name: %s", text(c.o.Name))
	w.line("zone: %s", c.o.Zone)
	var short []string
	for _, n := range c.o.Dial {
		if !strings.HasPrefix(n, "+") {
			short = append(short, text(n))
		}
	}
	if slices.Sort(short); len(short) > 0 {
		w.line("short_codes: [%s]", strings.Join(slices.Compact(short), ", "))
	}
	w.line("")
	w.line("skills:")
	for _, q := range c.queues {
		w.line("  %s: {title: %s}", q.id, text(q.title))
	}
	if c.credit != "" {
		w.line("")
		w.line("transfers: {credit: %s}", c.credit)
	}
	if c.formula != "" {
		w.line("")
		w.line("statistics: {service_level: {formula: %s}}", c.formula)
	}
	w.line("")
	w.line("queues:")
	for _, q := range c.queues {
		q.write(w)
	}
	c.writeRoutes(w)
	c.writeAgents(w)
	return []byte(w.String())
}

func (q *queue) write(w *writer) {
	w.line("  %s:", q.id)
	w.line("    need: {all: {%s: %s}}", q.id, level(q.first))
	if len(q.steps) > 0 {
		w.line("    steps:")
	}
	for _, s := range q.steps {
		only := ""
		if s.only {
			only = ", only: true"
		}
		w.line("      - {after: %s, need: {all: {%s: %s}}%s}", dur(s.after), q.id, level(s.level), only)
	}
	if q.answerWithin >= 0 {
		w.line("    answer_within: %s", dur(q.answerWithin))
	}
	w.line("    choose: {policy: %s}", q.policy)
	strategy := "single"
	if q.group > 0 {
		strategy = "group, size: " + strconv.Itoa(q.group)
	}
	w.line("    ring: {strategy: %s, timeout: %s}", strategy, dur(q.ring))
	if q.ronaAfter > 0 {
		w.line("    rona: {agent: %s, after: %d}", q.rona, q.ronaAfter)
	} else {
		w.line("    rona: {agent: %s}", q.rona)
	}
	w.line("    wrap_up: {time: %s}", dur(max(0, q.wrapUp)))
	if q.full > 0 {
		w.line("    full: {waiting: %d, then: {play: busy, hangup: true}}", q.full)
	}
	if q.late >= 0 {
		w.line("    late: {after: %s, then: {play: sorry, hangup: true}}", dur(q.late))
	}
	if q.nobody >= 0 {
		w.line("    nobody: {for: %s, then: {play: sorry, hangup: true}}", dur(q.nobody))
	}
	if q.music != "" {
		w.line("    music: %s", q.music)
	}
	q.announce.write(w)
}

// writeRoutes sends each dialled number to its queue, and what is left to the
// first. Weights are head starts, a step of weight 60 points.
func (c *centre) writeRoutes(w *writer) {
	points := c.points()
	root := c.queues[0]
	w.line("")
	w.line("route:")
	w.line("  queue: %s", root.id)
	weighted := len(points) > 1
	if weighted && points[root.weight] > 0 {
		w.line("  priority: %d", points[root.weight])
	}
	first := true
	for _, q := range c.queues {
		number := c.o.Dial[q.was]
		if number == "" {
			continue
		}
		if q == root { // a route would change nothing (R205)
			w.line("  # %s: here, as every number that has no route of its own", number)
			continue
		}
		if first {
			w.line("  routes:")
			first = false
		}
		priority := ""
		if weighted {
			priority = fmt.Sprintf(", priority: %d", points[q.weight])
		}
		w.line("    - {name: %s, when: 'call.dnis == %s', queue: %s%s}", q.id, strconv.Quote(number), q.id, priority)
	}
}

// points are the head starts of the weights in use.
func (c *centre) points() map[int]int {
	var weights []int
	for _, q := range c.queues {
		weights = append(weights, q.weight)
	}
	slices.Sort(weights)
	out := map[int]int{}
	for i, w := range slices.Compact(weights) {
		out[w] = min(i*weightPoints, maxPriority)
	}
	return out
}

func (c *centre) writeAgents(w *writer) {
	if len(c.agents) == 0 {
		w.line("")
		w.line("# No queue of the file has a member. The agents stand in a directory, or here under agents.")
		return
	}
	w.line("")
	w.line("agents:")
	for _, a := range c.agents {
		var skills []string
		for _, q := range c.queues {
			for _, m := range q.members {
				if m.agent == a {
					skills = append(skills, fmt.Sprintf("%s: %d", q.id, m.level))
				}
			}
		}
		w.line("  %s: {name: %s, phone: %s, skills: {%s}}", text(a.id), text(a.name), text(a.phone), strings.Join(skills, ", "))
	}
}

type writer struct{ strings.Builder }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

// level writes a level, or a range of levels, which is text. Nobody has a
// level in a queue without members: then it is the lowest.
func level(l string) string {
	switch {
	case l == "":
		return "1"
	case strings.Contains(l, ".."):
		return strconv.Quote(l)
	}
	return l
}

var plain = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.]*$`)

// text writes a scalar so that it is read as text.
func text(s string) string {
	if plain.MatchString(s) && !slices.Contains([]string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}, strings.ToLower(s)) {
		return s
	}
	return strconv.Quote(s)
}

package convert

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rule is one section of queuerules.conf.
type rule struct {
	name    string
	line    int
	changes []change
}

// change is one penaltychange => seconds,max,min,raise. Relative values are
// resolved when the rule is followed.
type change struct {
	at       int // seconds after entering the queue
	max, min string
}

func (a *asterisk) readRules(f File) error {
	queues := a.file
	a.file = f.Name
	defer func() { a.file = queues }()
	sections, err := readINI(a.centre, f.Data)
	if err != nil {
		return err
	}
	a.rules = map[string]*rule{}
	for _, s := range sections {
		if s.name == "general" {
			for _, e := range s.entries {
				a.note(e.line, "general."+e.key, "left out: rules are read from the file")
			}
			continue
		}
		r := &rule{name: s.name, line: s.line}
		for _, e := range s.entries {
			if e.key != "penaltychange" {
				a.note(e.line, s.name+"."+e.key, "not known here: left out")
				continue
			}
			v := append(strings.Split(strings.ReplaceAll(e.value, " ", ""), ","), "", "", "", "")
			at, err := strconv.Atoi(v[0])
			if err != nil || at < 0 || at > 7200 {
				a.note(e.line, s.name+".penaltychange", "%q is no instant within two hours: left out", v[0])
				continue
			}
			if v[3] != "" {
				a.note(e.line, s.name+".penaltychange", "QUEUE_RAISE_PENALTY can't be said: those below it keep their own level, and so stay first")
			}
			r.changes = append(r.changes, change{at: at, max: v[1], min: v[2]})
		}
		slices.SortStableFunc(r.changes, func(x, y change) int { return x.at - y.at })
		a.rules[s.name] = r
	}
	return nil
}

// follow turns the rule that a queue follows into steps. What the dialplan
// sets QUEUE_MAX_PENALTY to at first is not in these files.
func (a *asterisk) follow(q *queue, e entry) {
	r := a.rules[e.value]
	if r == nil {
		a.note(e.line, q.was+".defaultrule", "no rule %q: %s", e.value, map[bool]string{true: "queuerules.conf is not given", false: "queuerules.conf does not have it"}[a.rules == nil])
		a.prefer(q)
		return
	}
	w := &widening{asterisk: a, q: q}
	changes := r.changes
	if len(changes) > 0 && changes[0].at == 0 {
		w.resolve(changes[0])
		changes = changes[1:]
	} else {
		a.note(e.line, q.was+".defaultrule", "QUEUE_MAX_PENALTY at first stands in the dialplan: taken as 0, only members without penalty")
	}
	w.begin()
	for _, ch := range changes {
		w.step(ch)
	}
}

// widening is a rule being followed: the penalties between which members are
// asked.
type widening struct {
	*asterisk
	q        *queue
	max, min int
}

// resolve takes a change's values, absolute or relative to those before.
func (w *widening) resolve(ch change) {
	w.max = w.value(ch, ch.max, w.max)
	w.min = w.value(ch, ch.min, w.min)
}

func (w *widening) value(ch change, text string, before int) int {
	if text == "" {
		return before
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		w.note(w.q.line, w.q.was+".defaultrule", "%q after %ds is no penalty: left out", text, ch.at)
		return before
	}
	if text[0] == '+' || text[0] == '-' {
		n += before
	}
	return max(0, n)
}

// within are the levels in use between the penalties, the highest first.
func (w *widening) within(from, to int) []int {
	var out []int
	for _, l := range w.q.levels() {
		if l <= levelOf(from) && l >= levelOf(to) {
			out = append(out, l)
		}
	}
	return out
}

// begin sets the queue's own need.
func (w *widening) begin() {
	w.q.first = between(w.max, w.min)
	if levels := w.within(w.min, w.max); w.min == 0 && len(levels) > 1 {
		w.q.first = strconv.Itoa(levels[0])
		w.widen(w.q, 0, levels[1:])
	}
}

// step adds what a change lets in. One that only lets more in widens; one that
// shuts members out takes the place of the steps before.
func (w *widening) step(ch change) {
	low, high := w.min, w.max
	w.resolve(ch)
	after := time.Duration(ch.at) * time.Second
	switch {
	case w.max == high && w.min == low:
		return
	case w.min <= low && w.max >= high:
		var levels []int
		for _, l := range w.within(w.min, w.max) {
			if l < levelOf(high) || l > levelOf(low) {
				levels = append(levels, l)
			}
		}
		w.widen(w.q, after, levels)
	case len(w.q.steps) == maxSteps:
		w.note(w.q.line, w.q.was+".defaultrule", "a queue has %d steps at most: the change after %ds is left out", maxSteps, ch.at)
	default:
		w.q.steps = append(w.q.steps, step{after: after, level: between(w.max, w.min), only: true})
	}
}

// between writes the levels of the penalties from low to high: "3", that is 3
// or more, or "3..6".
func between(high, low int) string {
	if low == 0 {
		return strconv.Itoa(levelOf(high))
	}
	return fmt.Sprintf("%d..%d", min(levelOf(high), levelOf(low)), levelOf(low))
}

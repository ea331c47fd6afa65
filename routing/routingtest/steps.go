package routingtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// asked is a condition of a step, compiled once everything is named.
type asked struct {
	step *routing.Step
	when string
}

// steps reads the steps of a queue: "20s:billing:1", "90s:+40",
// "20s:billing:1:+10:only:when(queue.waiting > 3)".
func (c *Case) steps(q *routing.Queue, text string) error {
	list := outside(text, ' ')
	q.Steps = make([]routing.Step, len(list))
	for i, one := range list {
		parts := outside(one, ':')
		s := &q.Steps[i]
		d, err := time.ParseDuration(parts[0])
		if err != nil {
			return err
		}
		s.After = d
		var needs []string
		for _, p := range parts[1:] {
			switch when, asks := strings.CutPrefix(p, "when("); {
			case asks:
				c.asked = append(c.asked, asked{s, strings.TrimSuffix(when, ")")})
			case p == "only":
				s.Only = true
			case strings.HasPrefix(p, "+"):
				if s.PriorityAdd, err = strconv.Atoi(p); err != nil {
					return err
				}
			default:
				needs = append(needs, p)
			}
		}
		if len(needs) == 0 {
			continue
		}
		if s.Need, err = need(strings.Join(needs, ":")); err != nil {
			return err
		}
	}
	return nil
}

// outside cuts a text at a separator, but not inside brackets.
func outside(s string, sep rune) []string {
	var out []string
	depth, from := 0, 0
	for i, r := range s {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == sep && depth == 0:
			out = append(out, s[from:i])
			from = i + 1
		}
	}
	return append(out, s[from:])
}

// name lists what conditions may mention.
func (c *Case) name(p *routing.Policy, o *rule.CompileOptions) {
	for name := range p.Queues {
		o.Queues = append(o.Queues, name)
	}
	for name := range p.Topics {
		o.Topics = append(o.Topics, name)
	}
	for id := range p.Agents {
		o.Agents = append(o.Agents, string(id))
	}
}

// compileSteps compiles the conditions of steps read so far.
func (c *Case) compileSteps(p *routing.Policy) error {
	o := rule.CompileOptions{Segments: p.Segments, Languages: p.Languages, OwnQueue: true, Fields: p.Fields, Predicates: &c.known}
	c.name(p, &o)
	for _, a := range c.asked {
		cond, err := rule.Compile(a.when, o)
		if err != nil {
			return fmt.Errorf("step: %w", err)
		}
		a.step.When = cond
	}
	c.asked = nil
	return c.compileOffers(o)
}

func span(v string) (*time.Duration, error) {
	d, err := time.ParseDuration(v)
	return &d, err
}

// recordOf reads "record.deadline= record.late= record.late_for=" of a route.
func recordOf(opts map[string]string) (*rule.RecordPolicy, error) {
	given := false
	r := rule.RecordPolicy{Deadline: 800 * time.Millisecond, Reconsider: true, LateFor: 30 * time.Second}
	for key, to := range map[string]*time.Duration{"record.deadline": &r.Deadline, "record.late_for": &r.LateFor} {
		if v := opts[key]; v != "" {
			d, err := time.ParseDuration(v)
			if err != nil {
				return nil, err
			}
			*to, given = d, true
		}
	}
	if v := opts["record.late"]; v != "" {
		r.Reconsider, given = v != "keep", true
	}
	if !given {
		return nil, nil
	}
	return &r, nil
}

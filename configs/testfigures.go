package configs

import (
	"slices"

	"github.com/cordboard/cordboard/routing/rule"
)

// testFigures reads what conditions of one test see of queues.
func (c *compiler) testFigures(o *object) map[string][]func(*rule.QueueFigures) {
	out := map[string][]func(*rule.QueueFigures){}
	for _, p := range o.pairs {
		o.adopt(p.value)
		if !slices.Contains(c.names.queues, p.key) {
			o.r.add(p.line, p.col, "N301", o.where, "queue %s is not declared%s", p.key, didYouMean(p.key, c.names.queues))
			continue
		}
		out[p.key] = c.testQueue(c.object(p.value))
	}
	return out
}

func (c *compiler) testQueue(o *object) (set []func(*rule.QueueFigures)) {
	number := func(key string, most int, to func(*rule.QueueFigures) *int) {
		if n := o.get(key); n != nil {
			v := c.integer(n, 0, most, 0)
			set = append(set, func(f *rule.QueueFigures) { *to(f) = v })
		}
	}
	flag := func(key string, to func(*rule.QueueFigures) *bool) {
		if n := o.get(key); n != nil {
			v := c.flag(n, false)
			set = append(set, func(f *rule.QueueFigures) { *to(f) = v })
		}
	}
	const many = 1_000_000
	number("waiting", many, func(f *rule.QueueFigures) *int { return &f.Waiting })
	number("oldest", many, func(f *rule.QueueFigures) *int { return &f.Oldest })
	number("talking", many, func(f *rule.QueueFigures) *int { return &f.Talking })
	number("staffed", many, func(f *rule.QueueFigures) *int { return &f.Staffed })
	number("available", many, func(f *rule.QueueFigures) *int { return &f.Available })
	number("sl", 100, func(f *rule.QueueFigures) *int { return &f.SL })
	number("ewt", many, func(f *rule.QueueFigures) *int { f.EWTKnown = true; return &f.EWT })
	flag("ewt_known", func(f *rule.QueueFigures) *bool { return &f.EWTKnown })
	flag("open", func(f *rule.QueueFigures) *bool { return &f.Open })
	o.close()
	return set
}

// pretend is what a condition of the test sees of a queue: what the test gives,
// else nothing, but for its hours and the test's own agents.
func (t *docTest) pretend(name string, own rule.QueueFigures) rule.QueueFigures {
	out := rule.QueueFigures{Open: own.Open, Staffed: own.Staffed, Available: own.Available}
	for _, set := range t.figures[name] {
		set(&out)
	}
	return out
}

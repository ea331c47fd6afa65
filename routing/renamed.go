package routing

import (
	"maps"
	"slices"

	"github.com/cordboard/cordboard/routing/figures"
)

// Renamed is what queues were called before, with the names they have now
// (was): nil when none was renamed.
func (p *Policy) Renamed() map[string]string {
	var out map[string]string
	for name, q := range p.Queues {
		if q.Was == "" {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[q.Was] = name
	}
	return out
}

// rename gives queues that a new version calls otherwise the figures they had.
// Calls of older versions count under the old name to the same figures, until a
// version has another queue of that name.
func (e *Engine) rename(p *Policy) {
	names := e.renamed(p)
	for _, was := range slices.Sorted(maps.Keys(names)) {
		name, f := names[was], e.figures[was]
		other := e.figures[name]
		if f == nil || other != nil && other != f && (e.plan.Queues[name] != nil || e.uses(name)) {
			continue // a queue of that name is there, and counts
		}
		f.name = name
		e.figures[name] = f
	}
	for name, f := range e.figures {
		if f.name != "" && f.name != name && p.Queues[name] != nil && !e.uses(name) {
			delete(e.figures, name)
		}
	}
}

// renamed is what queues of the live version are called in the next: as it says,
// and where it is the version from before a renaming, by their names of then.
func (e *Engine) renamed(p *Policy) map[string]string {
	names := p.Renamed()
	for was, name := range e.plan.Renamed() {
		if p.Queues[name] != nil || p.Queues[was] == nil || p.Queues[was].Was != "" {
			continue
		}
		if names == nil {
			names = map[string]string{}
		}
		names[name] = was
	}
	return names
}

// uses says that a call is, or was, in a queue of that name.
func (e *Engine) uses(name string) bool { return e.used[name] > 0 }

// use counts a call in (+1) or out of those that use a queue's name.
func (e *Engine) use(name string, n int) {
	if e.used[name] += n; e.used[name] == 0 {
		delete(e.used, name)
	}
}

// visitsQueue says that the call's figures have a visit to a queue of that name.
func (c *call) visitsQueue(name string) bool {
	return slices.ContainsFunc(c.visits.Visits, func(v figures.Visit) bool { return v.Queue == name })
}

// names are the names of queues that a call uses, each once.
func (c *call) names(yield func(string)) {
	if c.queue != nil && !c.visitsQueue(c.queue.Name) {
		yield(c.queue.Name)
	}
	for i, v := range c.visits.Visits {
		if !slices.ContainsFunc(c.visits.Visits[:i], func(o figures.Visit) bool { return o.Queue == v.Queue }) {
			yield(v.Queue)
		}
	}
}

// comeTo notes that a call is now of another queue.
func (e *Engine) comeTo(c *call, q *Queue) {
	if c.queue != nil && c.queue.Name != q.Name {
		c.from = c.queue.Name
	}
	if c.queue == nil || c.queue.Name != q.Name {
		if c.queue != nil && !c.visitsQueue(c.queue.Name) {
			e.use(c.queue.Name, -1)
		}
		if !c.visitsQueue(q.Name) {
			e.use(q.Name, 1)
		}
	}
	c.queue = q
}

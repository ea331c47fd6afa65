package routing

import (
	"slices"

	"github.com/cordboard/cordboard/routing/queue"
)

// gathering is what a reload has found that is to be routed again, and what it has
// yet to look through. Calls in classes are found by their demands (renewing).
type gathering struct {
	front []*call                      // calls that came back, in order
	alone queue.Tree[queue.Key, *call] // calls that hold, or stand nowhere yet
	lists []listing                    // still to be looked through
	calls []*call                      // likewise: that stand nowhere
	plans []search                     // likewise: versions, with their demands
}

// listing is how far an order of calls has been looked through.
type listing struct {
	of    *queue.Tree[queue.Key, *call]
	begun bool
	at    queue.Key
}

// search is how far the demands of a version have been.
type search struct {
	plan *plan
	next int
}

// gather begins to list what is to be routed again: the few calls that came back,
// hold, have yet to ask their preferred agents or are callbacks that rest, one by
// one, and the demands of all others. Calls being offered are looked at when their
// offer ends.
func (e *Engine) gather() {
	g := gathering{lists: []listing{{of: &e.front}, {of: &e.held}}}
	for _, p := range e.plans {
		if p.again || len(p.moves) > 0 {
			g.plans = append(g.plans, search{p, 0})
		}
	}
	if len(g.plans) > 0 {
		g.calls = slices.Clone(e.seekers.items)
		e.resting.Ascend(func(c *call) bool { g.calls = append(g.calls, c); return true })
	} else {
		g.lists = nil // no call is superseded
	}
	e.gathering, e.renewing = g, e.renewing[:0]
	e.gatherMore()
}

// gathers says that there is more to be looked through.
func (e *Engine) gathers() bool {
	g := &e.gathering
	return len(g.lists)+len(g.calls)+len(g.plans) > 0
}

// gatherMore goes on with that until the slice is over. No call is routed again
// before all are listed: the first in the one order may be anywhere.
func (e *Engine) gatherMore() {
	g := &e.gathering
	for !e.slice.over() {
		switch {
		case len(g.lists) > 0:
			if e.listMore(&g.lists[0]) {
				g.lists = g.lists[1:]
			}
		case len(g.calls) > 0:
			c := g.calls[0]
			g.calls = g.calls[1:]
			e.spend(2)
			if c.phase == waiting && c.spot == nowhere {
				e.listed(c)
			}
		case len(g.plans) > 0:
			s := &g.plans[0]
			if s.next == len(s.plan.demands) {
				g.plans = g.plans[1:]
				continue
			}
			e.outdate(s.plan.demands[s.next])
			s.next++
		default:
			return
		}
	}
}

// listMore looks through an order of calls; true when it has come to its end.
func (e *Engine) listMore(l *listing) (done bool) {
	done = true
	look := func(c *call) bool {
		if l.begun && c.key == l.at {
			return true // where the slice before this one ended
		}
		if e.slice.over() {
			done = false
			return false
		}
		l.begun, l.at = true, c.key
		e.spend(2)
		e.listed(c)
		return true
	}
	if l.begun {
		l.of.From(l.at, look)
	} else {
		l.of.Ascend(look)
	}
	return done
}

// listed keeps a call that is to be routed again.
func (e *Engine) listed(c *call) {
	g := &e.gathering
	switch {
	case !e.superseded(c):
	case c.spot == inFront:
		g.front = append(g.front, c)
	default:
		e.spend(indexUnits)
		g.alone.Put(c.key, c)
	}
}

// renews says that a reload is not done with all waiting calls.
func (e *Engine) renews() bool {
	return e.gathers() || len(e.gathering.front)+e.gathering.alone.Len()+len(e.renewing) > 0
}

// renewNext is the next call to be routed again: those in front, then by turn.
func (e *Engine) renewNext() *call {
	g := &e.gathering
	for len(g.front) > 0 {
		c := g.front[0]
		g.front = g.front[1:]
		switch {
		case c.phase != waiting || !e.superseded(c):
		case c.spot == inFront:
			return c
		default:
			g.alone.Put(c.key, c) // it stands elsewhere by now
		}
	}
	for g.alone.Len()+len(e.renewing) > 0 {
		if c, some := g.alone.First(); some {
			key, _ := g.alone.FirstKey()
			stale := c.phase != waiting || !e.superseded(c)
			if stale || len(e.renewing) == 0 || key.Compare(e.renewing[0].head) < 0 {
				g.alone.Delete(key)
				if stale {
					continue
				}
				return c
			}
		}
		// Calls come and go between slices: the head is looked at once more.
		top := e.renewing[0]
		e.dropOutdated()
		switch c := top.demand.first(e); {
		case c == nil:
		case c.key.Compare(top.head) > 0:
			e.outdate(top.demand)
		default:
			return c
		}
	}
	return nil
}

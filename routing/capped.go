package routing

import (
	"slices"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/queue"
)

// The bound on how many agents a queue occupies (max_talking of the routing
// document): those offered one of its calls, ringing, or talking. It stops that
// queue only.

// room is the trigger of a call that its queue's bound had kept waiting.
const room = "room"

// capped is what a queue under such a bound needs beside its figures.
type capped struct {
	demands []*demand                    // of its versions that have the bound
	holding queue.Tree[queue.Key, *call] // its calls that hold for an agent
}

// cap notes a demand of a queue that has a bound.
func (e *Engine) cap(d *demand) {
	if d.queue.MaxTalking == 0 {
		return
	}
	f := e.figure(d.queue.Name)
	if f.cap == nil {
		f.cap = &capped{}
	}
	f.cap.demands = append(f.cap.demands, d)
}

// full says that the queue may occupy no further agent.
func (e *Engine) full(q *Queue) bool {
	return q.MaxTalking > 0 && e.figure(q.Name).occupied >= q.MaxTalking
}

// vacate gives back the place of an agent whom a call of the queue occupied.
func (e *Engine) vacate(q *Queue) {
	e.figure(q.Name).occupied--
	e.reopen(q)
}

// reopen remembers a queue whose bound may have room, for the calls that were
// kept from an agent by nothing else.
func (e *Engine) reopen(q *Queue) {
	if e.figure(q.Name).cap != nil && !slices.Contains(e.opened, q.Name) {
		e.opened = append(e.opened, q.Name)
	}
}

// seekOpened has the first of these calls seek, in its turn among all that do,
// for the first queue that may occupy an agent again; no call seeks before all
// such queues are done.
func (e *Engine) seekOpened() {
	slices.Sort(e.opened)
	name := e.opened[0]
	e.opened = slices.Delete(e.opened, 0, 1)
	if c := e.firstStopped(e.figure(name)); c != nil {
		e.markSeeking(c, room)
		c.seeking.room = true
	}
}

// firstStopped is the first call of a queue that only its bound has kept from
// an agent, nil while it is full.
func (e *Engine) firstStopped(f *figure) (best *call) {
	if f.cap == nil || e.free == 0 {
		return nil
	}
	best = e.firstBack(f)
	back := best != nil
	f.cap.holding.Ascend(func(c *call) bool {
		e.spend(1)
		if back && best.key.Compare(c.key) < 0 {
			return false
		}
		// One that came back may hold too: it has taken over such a call's place.
		if (!back || c.front) && e.awaits(c) {
			best = c
			return false
		}
		return true
	})
	if back {
		return best
	}
	for _, d := range f.cap.demands {
		if d.indexed == 0 || e.full(d.queue) {
			continue
		}
		for step := range d.classes {
			d.classes[step].Ascend(func(c *call) bool {
				if best != nil && best.key.Compare(c.key) < 0 {
					return false
				}
				if e.finds(c) {
					best = c
					return false
				}
				return len(c.bars) > 0 || c.passedBy != nil // else nobody fits the class
			})
		}
	}
	return best
}

// firstBack is the first call of a queue that came back and would be offered to
// somebody at once.
func (e *Engine) firstBack(f *figure) (best *call) {
	e.front.Ascend(func(c *call) bool {
		e.spend(1)
		if e.figure(c.queue.Name) == f && e.finds(c) {
			best = c
		}
		return best == nil
	})
	return best
}

// backInFront is the call that goes before another which seeks, where their
// queue's bound has room again: it came back.
func (e *Engine) backInFront(c *call) *call {
	f := e.figure(c.queue.Name)
	if f.cap == nil || c.front || e.free == 0 || e.full(c.queue) {
		return nil
	}
	return e.firstBack(f)
}

// finds says that a call would be offered to somebody at once.
func (e *Engine) finds(c *call) bool {
	if e.full(c.queue) {
		return false
	}
	a, _ := e.bestAgent(c, nil)
	return a != nil
}

// wouldBeOffered says that a call which seeks would be offered to somebody at once: one
// of those it prefers, or anybody once it waits for none of them.
func (e *Engine) wouldBeOffered(c *call) bool {
	if c.preferring() != nil {
		for i := c.wish.at; i < len(c.wish.list); i++ {
			p := &c.wish.list[i]
			best, wanted := e.comesTo(c, p)
			if best != nil {
				return true
			}
			if len(wanted) > 0 && (p.until > e.now || p.until == 0 && p.wait > 0) {
				return false
			}
		}
	}
	return !c.toAgent && e.finds(c)
}

// awaits says that an agent for whom a call holds is free.
func (e *Engine) awaits(c *call) bool {
	if e.full(c.queue) {
		return false
	}
	return slices.ContainsFunc(c.wanted(), func(a *agent) bool {
		return a.state == agents.Available && !e.waitsToTake(a) && e.suits(c, c.preferring(), a) && e.mayTake(c, a)
	})
}

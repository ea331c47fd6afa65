package routing

import (
	"math"
	"time"

	"github.com/cordboard/cordboard/routing/rule"
)

// stepSet is which steps of its queue a visit can use, beside how many have
// come: the zero stepSet for a queue without conditional or replacing steps.
// Step numbers count from 1 for the first of Queue.Steps; bit n is step n.
type stepSet struct {
	unasked uint16 // their moment has not come
	skipped uint16 // they were asked, and did not hold
	base    int    // replaces all before it; 0 is the queue's own need
}

// set is the step set of a call's visit to a queue.
func (c *call) set(q *Queue) (s stepSet) {
	for i, step := range q.Steps {
		n := i + 1
		switch {
		case step.Need == nil: // admits nobody, asked or not
		case c.skipped>>n&1 == 1:
			s.skipped |= 1 << n
		case n > c.step && step.When != nil:
			s.unasked |= 1 << n
		case n <= c.step && step.Only:
			s.base = n
		}
	}
	return s
}

// layout orders the steps of a demand: those that count by clock or vacancy,
// then those whose condition is still to be asked, which only keep the queue
// from having nobody.
func (d *demand) layout(s stepSet) {
	at := make([]int, len(d.queue.Steps)+1)
	for n := range at {
		at[n] = max(len(d.numbers)-1, 0)
		if n >= s.base && (s.unasked|s.skipped)>>n&1 == 0 {
			at[n] = len(d.numbers)
			d.numbers = append(d.numbers, n)
		}
	}
	d.counted, d.index = len(d.numbers), at
	for n := range at {
		if n > s.base && s.unasked>>n&1 == 1 {
			d.numbers = append(d.numbers, n)
		}
	}
}

// number is a step as people count: 1 is the queue's own need.
func (d *demand) number(i int) int { return d.numbers[i] + 1 }

// stepNow is the last step that a call has reached by the clock, as people
// count; those that were skipped do not count.
func (c *call) stepNow() int {
	n := c.step
	for n > 0 && c.skipped>>n&1 == 1 {
		n--
	}
	return n + 1
}

// skippedSteps are the steps that this visit left out, as people count.
func (c *call) skippedSteps() (out []int) {
	for n := 1; c.skipped>>n != 0; n++ {
		if c.skipped>>n&1 == 1 {
			out = append(out, n+1)
		}
	}
	return out
}

// restep brings a call to the class of the steps it can use now. It must stand
// nowhere.
func (e *Engine) restep(c *call) {
	before, since := c.demand, c.aloneSince()
	if c.demand = e.demandFor(c, c.queue); c.demand == before {
		return
	}
	e.regroup(c, before, since)
}

// answer is what the condition of a step has said in a visit.
type answer struct {
	after time.Duration
	when  string
	holds bool
}

// answer asks the condition of a step, once in a visit: a reload that leaves
// the step as it was changes nothing.
func (e *Engine) answer(c *call, s *Step) bool {
	for _, a := range c.answers {
		if a.after == s.After && a.when == s.When.String() {
			return a.holds
		}
	}
	holds := e.stepHolds(c, s)
	c.answers = append(c.answers, answer{s.After, s.When.String(), holds})
	return holds
}

func (e *Engine) stepHolds(c *call, s *Step) bool {
	if c.given != nil {
		e.restep(c)
		return c.given.holds(c.step + 2)
	}
	holds := e.holdsNow(c, s.When)
	if !holds {
		e.watchFalse(c, s)
	}
	return holds
}

// holdsNow answers a condition about a call that waits, with the figures of
// this instant. The call must stand nowhere.
func (e *Engine) holdsNow(c *call, cond *rule.Condition) bool {
	e.restep(c) // what it has come to until now
	e.fillCall(c)
	e.env.Call.Language, e.env.Call.Topic = c.said.language, c.topic
	e.fillQueues(c.plan, cond.Queues())
	if cond.ReadsOwn() {
		e.env.Own = e.ownFigures(c)
	}
	return cond.Eval(&e.env)
}

// ownFigures is what a condition sees as queue: the figures of the queue that
// the call waits in, for this call.
func (e *Engine) ownFigures(c *call) rule.OwnQueue {
	d := c.demand
	out := e.plainFigures(c.plan, c.queue.Name)
	out.Staffed, out.Available = 0, 0
	for i := 0; i <= d.reach(c.step); i++ {
		out.Staffed += e.index.people(d, i, math.MaxInt)
		e.index.freeAt(d, i, func(slot int) bool {
			p := e.index.profiles[slot]
			out.Available += e.takers(c, p)
			return true
		})
	}
	x := e.expected(c, e.now)
	out.EWT, out.EWTKnown = x.Seconds, x.Known
	return rule.OwnQueue{QueueFigures: e.pretended(c.queue.Name, out), Position: e.position(c)}
}

// takers counts the free agents of a profile who may take the call.
func (e *Engine) takers(c *call, p *profile) int {
	if c.queue.Pop.Late != LateHold && len(c.bars) == 0 && c.passedBy == nil {
		return p.free.Len()
	}
	n := 0
	p.free.Ascend(func(a *agent) bool {
		e.spend(1)
		if e.mayTake(c, a) {
			n++
		}
		return true
	})
	return n
}

package routing

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cordboard/cordboard/routing/queue"
)

// The engine counts its work instead of reading a clock, so that a replay
// slices alike. One unit is a class, an agent or another candidate looked at:
// 30 ns while a centre's working set is in the processor's caches, up to 90 when
// it is not (docs/adr/0038). An index operation and a
// route's condition count indexUnits.
const (
	sliceUnits = 20_000
	indexUnits = 32
	// startShare is the part of a slice that may be used up when a decision begins
	// which could use up all of it.
	startShare = 8
)

// slice is the work of one Step: past its bounds no further decision begins,
// and what is left stays pending until the next Step.
type slice struct {
	units, decisions         int // done in this Step
	fills                    int // sets brought up to date in passing
	mostUnits, mostDecisions int // mostDecisions 0: no bound
}

func (s *slice) begin() { s.units, s.decisions, s.fills = 1, 0, 0 }

func (s *slice) over() bool {
	return s.units >= s.mostUnits || s.mostDecisions > 0 && s.decisions >= s.mostDecisions
}

// roomFor says that a decision of so many units at most may begin in this Step: it
// stays within the slice, or little of the slice is used. So a long one does not
// come on top of many short ones.
func (s *slice) roomFor(units int) bool {
	return s.units+units <= s.mostUnits || s.units <= max(s.mostUnits/startShare, 1)
}

// Slices bounds the work of each Step from now on, to show what is pending
// between two of them: no decision of settling begins past so many units (0:
// the product's 20,000; 1: none begins at all), nor after so many decisions
// (0: no bound). A journal is replayed with the bounds it was recorded with.
func (e *Engine) Slices(units, decisions int) {
	if units <= 0 {
		units = sliceUnits
	}
	e.slice.mostUnits, e.slice.mostDecisions = units, decisions
}

// spend counts work.
func (e *Engine) spend(units int) { e.slice.units += units }

// pending says that a Step has left decisions to the next.
func (e *Engine) pending() bool {
	return e.freed.len() > 0 || e.seekers.len() > 0 || len(e.wakes) > 0 || e.census != nil || e.measuring != nil || len(e.stirred)+len(e.opened) > 0 || e.renews() || e.rises() || len(e.gone) > 0
}

// due says that a deadline has come.
func (e *Engine) due() bool { return len(e.timers) > 0 && e.timers[0].due <= e.now }

// stands is a place among those that are pending, of an agent or a call.
type stands struct {
	at   int64 // since when
	step int64 // the Step it began in
	spot int   // place in the pile plus one; 0 for none
}

func (s *stands) pending() bool { return s.spot > 0 }

// seeking is the place of a call among those.
type seeking struct {
	stands
	key  queue.Key // its turn
	room bool      // its queue's bound has room for it
}

func (s *seeking) pending() bool { return s != nil && s.stands.pending() }

// pile is a binary heap of pending agents or calls, which can be taken out.
type pile[T any] struct {
	items  []T
	before func(a, b T) bool
	stands func(T) *stands
}

func (p *pile[T]) len() int { return len(p.items) }

func (p *pile[T]) put(v T) {
	p.items = append(p.items, v)
	p.stands(v).spot = len(p.items)
	p.up(len(p.items) - 1)
}

func (p *pile[T]) pop() T {
	v := p.items[0]
	p.remove(v)
	return v
}

// remove takes out what is in.
func (p *pile[T]) remove(v T) {
	s := p.stands(v)
	i, last := s.spot-1, len(p.items)-1
	p.swap(i, last)
	var none T
	p.items[last] = none
	p.items = p.items[:last]
	s.spot = 0
	if i < last {
		p.up(i)
		p.down(i)
	}
}

func (p *pile[T]) swap(i, j int) {
	p.items[i], p.items[j] = p.items[j], p.items[i]
	p.stands(p.items[i]).spot, p.stands(p.items[j]).spot = i+1, j+1
}

func (p *pile[T]) up(i int) {
	for i > 0 && p.before(p.items[i], p.items[(i-1)/2]) {
		p.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (p *pile[T]) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(p.items); child++ {
			if p.before(p.items[child], p.items[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		p.swap(i, least)
		i = least
	}
}

// Pending agents stand by the instant they became free, then by id; pending
// calls by the instant, then by turn.
func freedPile() pile[*agent] {
	return pile[*agent]{
		before: func(a, b *agent) bool {
			if c := cmp.Compare(a.freed.at, b.freed.at); c != 0 {
				return c < 0
			}
			return strings.Compare(string(a.id), string(b.id)) < 0
		},
		stands: func(a *agent) *stands { return &a.freed },
	}
}

func seekPile() pile[*call] {
	return pile[*call]{
		before: func(a, b *call) bool {
			if c := cmp.Compare(a.seeking.at, b.seeking.at); c != 0 {
				return c < 0
			}
			return a.seeking.key.Compare(b.seeking.key) < 0
		},
		stands: func(c *call) *stands { return &c.seeking.stands },
	}
}

// markFree remembers an agent who may now take a call.
func (e *Engine) markFree(a *agent) { e.markFreeSince(a, e.now, e.steps) }

func (e *Engine) markFreeSince(a *agent, at, step int64) {
	if a.freed.pending() {
		return
	}
	a.freed.at, a.freed.step = at, step
	e.freed.put(a)
	e.spend(indexUnits)
}

// unfree forgets it: the agent is not free any more.
func (e *Engine) unfree(a *agent) {
	if a.freed.pending() {
		e.freed.remove(a)
	}
}

// waitsToTake says that an earlier Step has freed the agent, whose turn to
// choose has not come: until then he or she is nobody's candidate.
func (e *Engine) waitsToTake(a *agent) bool {
	if a.freed.pending() {
		return a.freed.step < e.steps
	}
	return slices.ContainsFunc(e.wakes, func(w *wake) bool { return w.step < e.steps && a.id > w.after && w.has(a) })
}

// markSeeking remembers a call that may now find an agent.
func (e *Engine) markSeeking(c *call, trigger string) {
	if c.seeking.pending() {
		return
	}
	c.trigger = trigger
	c.seeking = &seeking{stands: stands{at: e.now, step: e.steps}, key: c.key}
	e.seekers.put(c)
	e.spend(indexUnits)
}

// unseek forgets it: the call is offered, or over.
func (e *Engine) unseek(c *call) {
	if c.seeking.pending() {
		e.leaveRoom(c)
		e.seekers.remove(c)
		c.seeking = nil
	}
}

// leaveRoom says that a call which was to seek in its queue's room does not: the
// room is another's.
func (e *Engine) leaveRoom(c *call) {
	if c.seeking.pending() && c.seeking.room {
		c.seeking.room = false
		e.reopen(c.queue)
	}
}

// nextSeeker is the first call that has yet to seek, and whether that is for its
// queue's room.
func (e *Engine) nextSeeker() (c *call, inRoom bool) {
	c = e.seekers.pop()
	inRoom = c.seeking.room
	c.seeking = nil
	return c, inRoom
}

// reseek keeps a pending call in its place after a change of its turn.
func (e *Engine) reseek(c *call) {
	if c.seeking.pending() && c.seeking.key != c.key {
		e.seekers.remove(c)
		c.seeking.key = c.key
		e.seekers.put(c)
	}
}

// settle lets the agents that became free take, in order of id, then the calls
// that became offerable seek, in order of turn, then the calls of a reload are
// routed again, until nothing is left or the slice is over. When nothing is left,
// no waiting call that is not holding, in a queue under its max_talking, stands
// beside a free agent who may take it.
func (e *Engine) settle() {
	e.lookAtStirred()
	for e.woken(); len(e.stirred) == 0 && e.rise() && e.pending() && e.mayDecide(); e.woken() {
		e.slice.decisions++
		e.spend(indexUnits)
		switch {
		case e.measuring != nil:
			e.measureMore() // nobody is chosen by what half of the agents have
		case e.freed.len() > 0:
			e.take(e.freed.pop())
		case len(e.opened) > 0:
			e.seekOpened()
		case e.seekers.len() > 0:
			c, inRoom := e.nextSeeker()
			e.seek(c)
			if inRoom && !e.full(c.queue) {
				e.reopen(c.queue) // for one more
			}
		case e.census != nil:
			e.enrolNext()
		case e.gathers():
			e.gatherMore()
		case e.renews():
			e.renewFirst()
		default:
			e.prune()
		}
		e.lookAtStirred()
	}
	e.callAhead()
}

// mayDecide says that one more decision may begin in this Step.
func (e *Engine) mayDecide() bool { return !e.slice.over() && e.slice.roomFor(e.longest()) }

// longest is how much the next decision may cost: an agent looks at every class
// that has calls, a call at every profile that has free agents, up to a bound.
func (e *Engine) longest() int {
	switch {
	case e.measuring != nil:
		return 0
	case e.freed.len() > 0:
		return len(e.index.demands)
	case len(e.opened) > 0, e.seekers.len() > 0:
		return 2 * min(e.free, maxFreeLooked)
	}
	return 0
}

// expire runs the deadlines that are due, in order, until the slice is over.
func (e *Engine) expire() {
	for e.due() && !e.slice.over() {
		e.fire(e.timers[0])
	}
}

// expireOf runs the due deadlines of the call and the agent that an event is
// about: however much is pending, the event finds them as they are.
func (e *Engine) expireOf(ev Event) {
	if !e.due() {
		return
	}
	id, _ := CallOf(ev)
	for {
		var next *timer
		look := func(t *timer) {
			if t.armed() && t.due <= e.now && (next == nil || t.before(next)) {
				next = t
			}
		}
		a := e.agents[agentOf(ev)]
		if c := e.calls[id]; c != nil {
			for t := c.timers; t != nil; t = t.next {
				look(t)
			}
			for _, t := range c.also {
				look(&t.tOffer)
			}
			for _, b := range c.bars {
				look(&b.timer)
			}
		}
		if a != nil {
			look(&a.tMain)
			look(&a.tProbe)
		}
		if next == nil {
			return
		}
		e.fire(next)
	}
}

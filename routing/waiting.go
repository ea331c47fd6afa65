package routing

import (
	"slices"
	"time"

	"github.com/cordboard/cordboard/routing/queue"
	"github.com/cordboard/cordboard/routing/rule"
)

// enter brings a call to a queue, unless the queue is closed or full and sends
// it elsewhere. prefer replaces the queue's own preferred agents when given.
func (e *Engine) enter(c *call, name, trigger string, prefer []rule.Prefer) {
	name = e.refresh(c, name)
	q := c.plan.Queues[name]
	if q == nil {
		// The document was checked; a queue that is missing all the same must
		// not leave a caller without an end.
		e.end(c, Failed, ByServer, "no_queue")
		return
	}
	away := c.isAway()
	if away {
		e.unpromise(c) // who rings in again finds it in the queue where it waits
	}
	e.comeTo(c, q)
	e.rekey(c)
	e.renewOffers(c)
	f := e.figure(name)
	if !slices.Contains(c.visited, name) {
		c.visited = append(c.visited, name)
	}
	if !e.open(c.plan, q, c.zone()) && e.turnAway(c, "closed", q.Closed) {
		return
	}
	old := e.promisedTo(c)
	if q.Full != nil && old == nil && f.waiting >= q.Full.Waiting && e.turnAway(c, "full", q.Full.Then) {
		return
	}
	c.entered, c.step, c.skipped, c.answers = e.now, 0, 0, nil
	c.failed, c.gaveUp, c.pending = 0, false, nil
	taken := old != nil && e.takeOver(c, old)
	c.askFirst(e.preferences(c, prefer))
	e.rekey(c)
	e.greet(c)
	e.join(c)
	if away {
		e.promise(c)
	}
	if c.guessed = unlike(); !taken {
		e.guess(c)
	}
	e.announce(c, trigger)
	e.welcome(c, trigger)
	e.reachSteps(c)
	e.markSeeking(c, trigger)
}

// turnAway treats a call that finds its queue closed or full. It says false
// when there is nowhere to send it.
func (e *Engine) turnAway(c *call, why string, t rule.Treatment) bool {
	if t = e.instead(c, t); !c.canGo(t) {
		return false
	}
	e.act(TurnedAway{Call: c.id, Queue: c.queue.Name, Since: instant(c.since), Why: why, Within: c.queue.promise(), Rule: c.rule(), Topic: c.topic, Tag: c.said.tag, Language: c.language(c.plan)})
	return e.treat(c, why, t)
}

// open says whether a queue is, for a caller of the zone.
func (e *Engine) open(p *plan, q *Queue, zone *time.Location) bool {
	cal := p.Calendars[q.Hours]
	return cal == nil || cal.For(zone).Open(instant(e.now))
}

// join puts a call among those that wait in its queue and sets the deadlines
// of this visit.
func (e *Engine) join(c *call) {
	e.spend(4 * indexUnits)
	e.unquiet(c.queue.Name)
	c.phase, c.agent = waiting, nil
	c.demand = e.demandFor(c, c.queue)
	e.await(c)
	c.plan.waiting++
	if f := e.figure(c.queue.Name); c.isAway() {
		f.callbacks++
	} else {
		f.waiting++
		if !c.isQuestion() {
			f.age.Put(c.age(), c)
		}
	}
	e.line(c)
	e.stir(c.queue.Name)
	e.armVisit(c)
	e.armStep(c)
	e.place(c)
}

// armVisit sets the deadlines of a visit to a queue, other than the next step.
func (e *Engine) armVisit(c *call) {
	if l := c.queue.Late; l != nil && !c.marked(lateMark+c.queue.Name) {
		e.arm(c, lateDue, max(c.entered+l.After.Microseconds(), e.now))
	}
	e.armNobody(c)
	e.armClose(c)
	e.armSite(c)
	e.armRelax(c)
	e.armOffers(c)
	e.armSay(c)
}

// leave takes a call out of its queue: answered, moved or over.
func (e *Engine) leave(c *call) {
	if c.demand == nil {
		return
	}
	e.spend(4 * indexUnits)
	e.leaveRoom(c)
	e.unsay(c, false)
	e.unplace(c)
	c.wants(nil)
	e.unawait(c, c.demand)
	c.demand.plan.waiting--
	e.unquiet(c.queue.Name)
	if f := e.figure(c.queue.Name); c.isAway() {
		f.callbacks--
	} else {
		f.waiting--
		if !c.isQuestion() {
			f.age.Delete(c.age())
		}
	}
	e.unline(c)
	e.stopNext(c)
	e.stir(c.queue.Name)
	c.demand = nil
	e.disarm(c, holdDue, stepDue, lateDue, nobodyDue, closeDue, siteDue, relaxDue)
}

// regroup moves a waiting call to another demand of the same queue. Where no one
// was there for it before (since alone, 0 for never) and no one is now, that has
// lasted without a break.
func (e *Engine) regroup(c *call, before *demand, alone int64) {
	e.unawait(c, before)
	e.await(c)
	e.disarm(c, nobodyDue)
	e.armNobody(c)
	if alone > 0 && c.deadline(nobodyDue).armed() {
		e.arm(c, nobodyDue, alone+c.queue.Nobody.After.Microseconds())
	}
}

// age orders the calls of a queue by when their waiting began.
func (c *call) age() queue.Key { return queue.Key{Since: c.since, ID: int64(c.id)} }

// rekey computes the call's place in the one order. It must stand nowhere.
func (e *Engine) rekey(c *call) {
	key, peak := e.keyOf(c)
	if key != c.key {
		e.unline(c)
	}
	c.key, c.peak = key, peak
	e.reseek(c)
	e.line(c)
}

// place puts a waiting call where agents find it. One that has yet to ask its
// preferred agents stands nowhere: it seeks in this very Step, and nobody else
// shall take it before.
func (e *Engine) place(c *call) {
	e.spend(indexUnits)
	e.line(c)
	switch {
	case len(c.wanted()) > 0 && !c.isPaused():
		c.spot = inHold
		for _, a := range c.wanted() {
			a.own.Put(c.key, c)
		}
		e.held.Put(c.key, c)
		c.demand.holding.Put(c.key, c)
		if f := e.figure(c.queue.Name); f.cap != nil {
			f.cap.holding.Put(c.key, c)
		}
	case c.preferring() != nil || c.isPaused():
	case c.front:
		c.spot = inFront
		e.front.Put(c.key, c)
	default:
		c.spot = inClass
		c.demand.classes[c.demand.index[c.step]].Put(c.key, c)
		c.demand.indexed++
		e.index.enqueue(c.demand)
		if e.renews() && e.superseded(c) {
			e.outdate(c.demand) // a reload that is not done finds it there
		}
	}
	if c.spot == nowhere {
		return
	}
	if c.spot != inClass && e.gathers() {
		e.listed(c) // it may stand before where the look through the order has come to
	}
	e.climb(c)
	if c.passedBy != nil {
		e.passed++
		c.demand.passed.Put(c.key, c)
	}
}

// unplace takes it out again; its key, step and wishes may change then.
func (e *Engine) unplace(c *call) {
	e.spend(indexUnits)
	switch c.spot {
	case inHold:
		for _, a := range c.wanted() {
			a.own.Delete(c.key)
		}
		e.held.Delete(c.key)
		c.demand.holding.Delete(c.key)
		if f := e.figure(c.queue.Name); f.cap != nil {
			f.cap.holding.Delete(c.key)
		}
	case inFront:
		e.front.Delete(c.key)
	case inClass:
		c.demand.classes[c.demand.index[c.step]].Delete(c.key)
		c.demand.indexed--
		e.index.enqueue(c.demand)
	}
	if c.spot != nowhere {
		e.unclimb(c)
	}
	if c.passedBy != nil && c.spot != nowhere {
		e.passed--
		c.demand.passed.Delete(c.key)
	}
	c.spot = nowhere
}

// armStep sets the deadline of the next step. The clock counts from entering
// the queue and never stops.
func (e *Engine) armStep(c *call) {
	if c.step < len(c.queue.Steps) {
		e.arm(c, stepDue, c.entered+c.queue.Steps[c.step].After.Microseconds())
	}
}

// stepDue is the moment of a step, also while an offer is out: should it fail,
// the wider need applies.
func (e *Engine) stepDue(c *call) {
	e.reachSteps(c)
	if c.phase == waiting {
		e.markSeeking(c, "step")
	}
}

// reachSteps takes all steps that are due.
func (e *Engine) reachSteps(c *call) {
	placed := c.spot != nowhere
	if placed {
		e.unplace(c)
	}
	for c.step < len(c.queue.Steps) && c.entered+c.queue.Steps[c.step].After.Microseconds() <= e.now {
		s := &c.queue.Steps[c.step]
		holds := s.When == nil || e.answer(c, s)
		c.step++
		if !holds {
			c.skipped |= 1 << c.step
			e.act(StepSkipped{c.id, c.step + 1})
			continue
		}
		c.add(stepMark(c.queue.Name, c.step), s.PriorityAdd)
		e.act(StepReached{Call: c.id, Step: c.step + 1})
	}
	e.restep(c)
	e.rekey(c)
	e.disarm(c, stepDue)
	e.armStep(c)
	if placed {
		e.place(c)
	}
}

func stepMark(queue string, step int) string {
	return "step:" + queue + ":" + string(rune('0'+step))
}

// armClose sets the deadline of the queue's closing time.
func (e *Engine) armClose(c *call) {
	cal := c.plan.Calendars[c.queue.Hours]
	if cal == nil || c.marked(closedMark+c.queue.Name) {
		return
	}
	cal = cal.For(c.zone())
	if !cal.Open(instant(e.now)) {
		return
	}
	closes, ok := cal.ClosesAfter(instant(e.now))
	if !ok {
		return
	}
	due := closes.UnixMicro()
	if !c.queue.AtClose.Treat {
		due += c.queue.AtClose.Grace.Microseconds()
	}
	e.arm(c, closeDue, due)
}

// closed: closing time and its grace are over, unless the queue has opened
// again meanwhile.
func (e *Engine) closed(c *call) {
	if e.open(c.plan, c.queue, c.zone()) {
		e.armClose(c)
		return
	}
	e.treatWhenFree(c, "closed", c.queue.Closed)
}

// announce tells of the entry and why nobody has the call yet.
func (e *Engine) announce(c *call, trigger string) {
	e.watchDecision(c, nil, Queued, Reason{Trigger: trigger})
	e.act(Enqueued{
		Call: c.id, Queue: c.queue.Name, Rule: c.rule(), Topic: c.topic, Tag: c.said.tag, Region: c.region(), Language: c.language(c.plan), Priority: c.priority(),
		Since: instant(c.since), Entered: instant(c.entered), Version: c.plan.Version, Within: c.queue.promise(), Consult: c.asksAbout(),
		Reason: Reason{Rule: c.rule(), Trigger: trigger, CameBack: int(c.came), Version: c.plan.Version, LeftOut: e.leftOut(c, nil, 0, maxExplained)},
	})
}

package routing

import (
	"slices"

	"github.com/cordboard/cordboard/routing/rule"
)

// adoptPlan makes the live version the call's own.
func (e *Engine) adoptPlan(c *call) {
	c.plan.calls--
	c.plan = e.plan
	c.plan.calls++
}

// refresh does so on the way to a queue when the call's version is not to be
// used any more, and says where the way leads now: a queue that is gone and not
// moved serves the call by its old version.
func (e *Engine) refresh(c *call, queue string) string {
	if c.plan == e.plan {
		return queue
	}
	if to := e.moved(c.plan, queue); to != "" {
		e.adoptPlan(c)
		return to
	}
	switch {
	case !c.plan.again:
	case e.plan.Queues[queue] != nil:
		e.adoptPlan(c)
	default:
		c.drains = e.plan
	}
	return queue
}

// renew routes one waiting call again by the live version, or moves it. When
// it began to wait stays; what agents and overflow made of it does too, as far
// as the new version has the queue.
func (e *Engine) renew(c *call) {
	if c.isAway() {
		e.resume(c)
		return
	}
	if c.isQuestion() {
		c.drains = e.plan // it is asked by the version that it was asked by
		return
	}
	name, to := c.queue.Name, e.moved(c.plan, c.queue.Name)
	if !c.plan.again || c.passedOn() || c.calledBack() {
		e.renewPassed(c, to)
		return
	}
	e.adoptPlan(c)
	t, _ := e.readAnyway(c)
	lead := t.leads(c.plan)
	then := t.route.node.Then
	switch {
	case then != nil && !c.canGo(*then) && c.plan.Queues[name] != nil:
		e.adopt(c, t) // where it is sent it has been: it stays
		e.stay(c, t.route.prefer)
	case lead == name || lead != "" && lead == c.home && c.plan.Queues[name] != nil:
		e.adopt(c, t) // there, or sent on from there by overflow
		e.stay(c, t.route.prefer)
	case lead != "" && lead == c.home && to != "":
		e.leave(c)
		e.adopt(c, t)
		e.enter(c, to, reloaded, t.route.prefer)
	default:
		e.leave(c)
		e.follow(c, t, reloaded)
	}
}

// leads is the queue that the routes lead to, "" when they end the call.
func (t target) leads(p *plan) string {
	if then := t.route.node.Then; then != nil {
		return then.Queue
	}
	return t.queue(p)
}

const reloaded = "reload"

// passedOn says that an agent sent the call where it is: the routes have no
// say in that.
func (c *call) passedOn() bool { return c.passed() > 0 }

// renewPassed keeps a call that is not routed again in its queue, or moves it.
func (e *Engine) renewPassed(c *call, to string) {
	switch {
	case c.toAgent || e.plan.Queues[c.queue.Name] == nil && to == "":
		c.drains = e.plan // it waits for one colleague, or its queue is gone
	case to != "":
		e.leave(c)
		e.adoptPlan(c)
		e.enter(c, to, reloaded, nil)
	default:
		e.adoptPlan(c)
		e.stay(c, nil)
	}
}

// stay goes on in the same queue by the live version. The step clock stays, and
// so do those of nobody and of closing time, and what a hold has used up; steps
// already due apply at once.
func (e *Engine) stay(c *call, prefer []rule.Prefer) {
	before := c.demand
	e.spend(2 * indexUnits)
	e.unplace(c)
	clocks := c.visitClocks()
	e.disarm(c, holdDue, stepDue, lateDue, nobodyDue, closeDue, relaxDue)
	c.wants(nil)
	c.queue = c.plan.Queues[c.queue.Name]
	reached := c.step
	c.step, c.skipped = 0, 0
	c.demand = e.demandFor(c, c.queue)
	e.unawait(c, before)
	before.plan.waiting--
	e.await(c)
	c.plan.waiting++
	if c.toAgent {
		c.wish.at = 0
	} else {
		c.askFirst(resume(e.preferences(c, prefer), c.prefer()))
	}
	e.rekey(c)
	e.greet(c) // the queue may leave that to the agent no longer
	e.announce(c, reloaded)
	e.armVisit(c)
	e.resumeClocks(c, clocks)
	e.catchUp(c, reached)
	e.place(c)
	e.markSeeking(c, reloaded)
}

// catchUp takes the steps that are due by the live version, and tells of those
// that were not reached before.
func (e *Engine) catchUp(c *call, reached int) {
	told := len(e.acts)
	e.reachSteps(c)
	out := e.acts[:told]
	for _, a := range e.acts[told:] {
		if s, ok := a.(StepReached); ok {
			if s.Step-1 <= reached {
				continue
			}
			s.Due = instant(c.entered + c.queue.Steps[s.Step-2].After.Microseconds())
			a = s
		}
		out = append(out, a)
	}
	clear(e.acts[len(out):])
	e.acts = out
}

// visitClocks are the clocks of a visit that began before the call was routed
// again; 0 for one that does not run.
type visitClocks struct{ nobody, closes int64 }

func (c *call) visitClocks() (v visitClocks) {
	v.nobody = c.aloneSince()
	if c.deadline(closeDue).armed() {
		v.closes = c.deadline(closeDue).due
	}
	return v
}

func (e *Engine) resumeClocks(c *call, v visitClocks) {
	if v.nobody > 0 && c.deadline(nobodyDue).armed() {
		e.arm(c, nobodyDue, max(v.nobody+c.queue.Nobody.After.Microseconds(), e.now))
	}
	// The queue is closed already and its grace runs: it ends when it was to.
	if v.closes > 0 && !c.deadline(closeDue).armed() && c.plan.Calendars[c.queue.Hours] != nil {
		e.arm(c, closeDue, max(v.closes, e.now))
	}
	// What fell due during an offer falls due by the new version.
	switch p := c.pending; {
	case p == nil:
	case p.why == "closed" && !e.open(c.plan, c.queue, c.zone()):
		p.then = c.queue.Closed
	default:
		c.pending = nil
	}
}

// resume gives a new list of preferences what has been waited for the same
// agents already.
func resume(list, before []preference) []preference {
	for i := range list {
		p := &list[i]
		for _, old := range before {
			if old.kind != p.kind || old.until == 0 || !slices.Equal(old.agents, p.agents) {
				continue
			}
			p.until = old.until - old.wait + p.wait
			p.told = old.told && p.until == old.until
		}
	}
	return list
}

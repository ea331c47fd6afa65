package routing

import "github.com/cordboard/cordboard/routing/rule"

// target is what reading the routes gives.
type target struct {
	route    *route
	language string
	topic    string
	tag      string
}

// callArrived opens a call and reads the routes. Only when the answer hangs on
// the customer's record does it wait for it.
func (e *Engine) callArrived(ev CallArrived) error {
	if e.calls[ev.Call] != nil {
		return ErrKnownCall
	}
	c := e.begin(ev.Call, e.now, ev.Attrs, ev.Caller)
	e.learn(c, ev.Rim)
	e.byLine(c)
	if m := e.menuFor(c); m != nil {
		e.act(ResolveCustomer{Call: c.id})
		e.openMenu(c, m)
		return nil
	}
	t, asks := e.read(c)
	if asks && t.route.record.Deadline > 0 {
		c.phase = resolving
		due := e.now + t.route.record.Deadline.Microseconds()
		e.act(ResolveCustomer{c.id, instant(due)})
		e.arm(c, recordDue, due)
		return nil
	}
	e.act(ResolveCustomer{Call: c.id})
	if asks {
		t, _ = e.readAnyway(c)
	}
	e.follow(c, t, "arrived")
	return nil
}

// begin takes a call in, on the live version.
func (e *Engine) begin(id CallID, arrived int64, attrs rule.Call, caller string) *call {
	c := newCall(id, arrived)
	e.describe(c, attrs)
	c.plan = e.plan
	c.plan.calls++
	e.calls[c.id] = c
	c.caller = caller
	return c
}

func (e *Engine) customerResolved(ev CustomerResolved) {
	c := e.calls[ev.Call]
	if ev.Ask != 0 {
		e.identified(c, ev)
		return
	}
	if c == nil || c.resolved {
		return
	}
	c.resolved, c.customerKey = true, ev.Key
	e.give(c, ev.Recorded)
	c.know(ev.Customer)
	if ev.Past != (rule.Past{}) {
		c.past = new(ev.Past)
	}
	e.learn(c, ev.Rim)
	if c.isAway() {
		e.unpromise(c)
		e.promise(c)
	}
	e.takeOverLate(c)
	if c.phase == resolving {
		e.disarm(c, recordDue)
		e.routed(c)
		return
	}
	if c.route == nil || c.reread {
		return
	}
	p := c.route.record
	asked := max(c.arrived, c.since) // of the routes: after a menu the waiting begins with them
	if !p.Reconsider || e.now > asked+p.LateFor.Microseconds() {
		return
	}
	switch {
	case c.phase == waiting:
		e.reconsider(c)
	case c.phase.offered():
		c.late = true
	}
}

// routed routes a call once its record has come, or did not come in time: then
// the customer is unknown to the routes.
func (e *Engine) routed(c *call) {
	if c.plan.again {
		e.adoptPlan(c)
	}
	t, _ := e.readAnyway(c)
	e.follow(c, t, "arrived")
}

// reconsider reads the routes once more, with the record that came late. In
// the same queue need and priority change and the step clock stays.
func (e *Engine) reconsider(c *call) {
	c.late, c.reread = false, true
	if e.superseded(c) {
		e.renew(c)
		return
	}
	t, _ := e.readAnyway(c)
	queue, then := t.queue(c.plan), t.route.node.Then
	if then != nil && c.canGo(*then) || then == nil && queue != c.queue.Name {
		e.leave(c)
		e.follow(c, t, "late_record")
		return
	}
	before, alone := c.demand, c.aloneSince()
	e.unplace(c)
	c.wants(nil)
	e.disarm(c, holdDue)
	e.adopt(c, t)
	c.demand = e.demandFor(c, c.queue)
	e.regroup(c, before, alone)
	e.armRelax(c)
	e.armSite(c)
	c.askFirst(e.preferences(c, t.route.prefer))
	e.rekey(c)
	e.announce(c, "late_record")
	e.place(c)
	e.markSeeking(c, "late_record")
}

// follow does what the routes say, with a call that is in no queue: where they
// send it back to one it has been in, it enters that.
func (e *Engine) follow(c *call, t target, trigger string) {
	e.adopt(c, t)
	if then := t.route.node.Then; then != nil {
		if !e.treat(c, "then", *then) {
			e.enter(c, then.Queue, trigger, t.route.prefer)
		}
		return
	}
	e.enter(c, t.queue(c.plan), trigger, t.route.prefer)
}

// adopt takes over what the routes set, other than the queue.
func (e *Engine) adopt(c *call, t target) {
	c.route, c.base = t.route, int32(t.route.priority)
	c.topic, c.home = t.topic, t.leads(c.plan)
	c.said = c.attrs.say(said{t.language, t.tag})
	adds := t.route.adds
	if topic := c.plan.Topics[t.topic]; topic != nil {
		adds = withAddition(adds, &topic.Need, topic.RelaxAfter)
		c.add("topic:"+topic.Name, topic.PriorityAdd)
	}
	c.demands(adds)
	e.watchRoute(c)
}

// queue is where the call goes: the topic's queue before the route's.
func (t target) queue(p *plan) string {
	if topic := p.Topics[t.topic]; topic != nil && topic.Queue != "" {
		return topic.Queue
	}
	return t.route.queue
}

// read walks the routes without the customer; asks says that the answer hangs
// on the record.
func (e *Engine) read(c *call) (t target, asks bool) {
	if c.given != nil {
		_, led := c.given.led()
		return c.given.target(c.plan), !c.resolved && !led
	}
	if c.resolved {
		return e.walk(c, true)
	}
	t, asks = e.walk(c, false)
	if asks || t.route.node.Then != nil {
		return t, asks
	}
	q := c.plan.Queues[t.queue(c.plan)]
	prefer := t.route.prefer
	if prefer == nil && q != nil {
		prefer = q.Prefer
	}
	for _, p := range prefer {
		if p.Who == whoManager || p.Who == whoLast {
			return t, true
		}
	}
	if q != nil && t.language == "" {
		firm := t.route.need
		if topic := c.plan.Topics[t.topic]; topic != nil {
			firm = mergeNeeds(firm, topic.Need)
		}
		return t, e.needsLanguage(q, firm) && len(c.plan.Languages) > 1
	}
	return t, false
}

// readAnyway walks the routes with what is known of the customer.
func (e *Engine) readAnyway(c *call) (target, bool) { return e.walk(c, true) }

// walk reads the tree from the top. A node whose condition holds claims the
// call; its children are tried in order, and no node hands a call back.
func (e *Engine) walk(c *call, known bool) (t target, asks bool) {
	if c.given != nil {
		return c.given.target(c.plan), false
	}
	e.fill(c)
	t = target{route: c.plan.root, language: c.attrs.Language, topic: c.attrs.Topic}
	for {
		next, asks := e.child(c, &t, known)
		if asks {
			return t, true
		}
		if next == nil {
			return t, false
		}
		t.route = next
	}
}

func (e *Engine) child(c *call, t *target, known bool) (next *route, asks bool) {
	t.route.try(&e.env.Call, func(r *route) bool {
		e.spend(indexUnits)
		holds, hangs := e.holds(r.node.When, known)
		if hangs || !holds {
			asks = hangs
			return !hangs
		}
		if r.node.SetLanguage != "" {
			t.language = r.node.SetLanguage
		}
		if r.node.SetTopic != "" {
			t.topic = r.node.SetTopic
		}
		if r.node.SetTag != "" {
			t.tag = r.node.SetTag
		}
		e.env.Call.Language, e.env.Call.Topic = t.language, t.topic
		if !r.node.GoOn {
			next = r
		}
		return next == nil
	})
	return next, asks
}

// holds answers one condition. Without the look-ups, a condition that awaits them
// is answered only when one of its other terms is false.
func (e *Engine) holds(cond *rule.Condition, known bool) (holds, asks bool) {
	switch {
	case cond == nil:
		return true, false
	case known || !cond.Awaits():
		return cond.Eval(&e.env), false
	}
	for _, term := range cond.Terms() {
		if !term.Eval(&e.env) {
			return false, false
		}
	}
	return false, true
}

// fill makes the environment of conditions for one call.
func (e *Engine) fill(c *call) {
	e.fillCall(c)
	e.fillQueues(c.plan, c.plan.reads)
}

// fillCall fills in all but figures of queues.
func (e *Engine) fillCall(c *call) {
	at := instant(e.now)
	e.reading, e.asking, e.zone = c.plan, c, c.zone()
	e.env.Call, e.env.Customer = c.asArrived(), c.known()
	e.env.Call.Region = c.region()
	e.env.Call.WaitedS += int((e.now - c.since) / 1e6)
	if c.from != "" {
		e.env.Call.FromQueue = c.from
	}
	e.env.Call.Offers += int(c.tries)
	if zone := c.plan.Zone; zone != nil {
		e.env.Clock = rule.NewClock(at, zone)
	} else {
		e.env.Clock = rule.NewClock(at, at.Location())
	}
	e.env.Clock.Holiday = c.plan.holiday(at)
}

func (e *Engine) fillQueues(p *plan, names []string) {
	if len(names) == 0 {
		return
	}
	e.env.Queues = make(map[string]rule.QueueFigures, len(names))
	for _, name := range names {
		e.env.Queues[name] = e.queueFigures(p, name)
	}
}

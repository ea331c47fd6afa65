package routing

import (
	"cmp"
	"slices"

	"github.com/cordboard/cordboard/routing/rule"
)

// One callback per customer and queue: the number called and the customer's id
// lead to it, both as keyed hashes.

// promise notes whose callback waits in the queue.
func (e *Engine) promise(c *call) {
	cb, f := c.callback, e.figure(c.queue.Name)
	cb.keys = cb.keys[:0]
	for _, who := range []string{c.caller, cb.caller, c.customerKey} {
		if who == "" || f.promised[who] != nil {
			continue
		}
		if f.promised == nil {
			f.promised = map[string]*call{}
		}
		f.promised[who] = c
		cb.keys = append(cb.keys, who)
	}
}

func (e *Engine) unpromise(c *call) {
	for _, who := range c.callback.keys {
		delete(e.figure(c.queue.Name).promised, who)
	}
	c.callback.keys = nil
}

// promisedTo is the callback that waits for the caller in the call's queue, nil
// for none.
func (e *Engine) promisedTo(c *call) *call {
	f := e.figure(c.queue.Name)
	if len(f.promised) == 0 {
		return nil
	}
	for _, who := range [2]string{c.caller, c.customerKey} {
		if old := f.promised[who]; who != "" && old != nil && old != c {
			return old
		}
	}
	return nil
}

// takesOver gives a caller who is passed on to a queue the place of a callback of
// hers that waits there: she need not be called any more.
func (e *Engine) takesOver(c *call) (taken bool) {
	if c.isQuestion() {
		return false
	}
	old := e.promisedTo(c)
	if old == nil {
		return false
	}
	front, came := c.front, c.came
	e.rekey(c)
	taken = e.takeOver(c, old)
	c.front, c.came = c.front || front, max(c.came, came)
	return taken
}

// takeOver gives a customer who rings again the place of the callback, which is
// gone, unless the call's own is the better, or that one's hour has not come. The call
// must stand nowhere yet.
func (e *Engine) takeOver(c, old *call) (taken bool) {
	defer e.endWith(old, EndCall{Call: old.id, Outcome: TakenOver, By: ByCaller, Into: c.id})
	if c.key.Compare(old.key) < 0 && !old.front || old.since > e.now { // asked for a later hour: nobody has waited for it
		return false
	}
	c.since, c.entered = old.since, old.entered
	c.answers = old.answers
	c.base, c.extra = old.base, old.extra
	mine := c.once
	c.once = slices.Clone(old.once)
	for _, done := range mine {
		if done.Points == 0 { // what she has heard, or been treated for
			c.mark(done.Origin)
		}
	}
	// A caller on the line is treated anew, but for late: she has waited that long
	// on purpose.
	c.unmark(nobodyMark + c.queue.Name)
	c.unmark(closedMark + c.queue.Name)
	c.front, c.came = old.front, old.came
	for _, name := range old.visited {
		if !slices.Contains(c.visited, name) {
			c.visited = append(c.visited, name)
		}
	}
	c.moves = max(c.moves, old.moves)
	return true
}

// takeOverLate does so when only the record tells who a waiting caller is, or
// one whom an agent is being asked to take.
func (e *Engine) takeOverLate(c *call) {
	if c.phase != waiting && !c.phase.offered() || c.demand == nil || c.isAway() || c.attrs.Kind == "callback" {
		return
	}
	old := e.figure(c.queue.Name).promised[c.customerKey]
	if c.customerKey == "" || old == nil || old.callback.taken > c.arrived {
		return // none, or asked for on another line since
	}
	e.unplace(c)
	e.unline(c)
	e.figure(c.queue.Name).age.Delete(c.age())
	if e.takeOver(c, old) {
		c.guessed = unlike()
	}
	e.figure(c.queue.Name).age.Put(c.age(), c)
	e.disarm(c, lateDue)
	if p := c.pending; p != nil && p.why == "late" {
		c.pending = nil
	}
	e.rekey(c)
	c.step, c.skipped = 0, 0
	e.restep(c)
	e.announce(c, "taken_over")
	e.reachSteps(c)
	if c.phase != waiting {
		return // it stands there should the offer fail
	}
	e.place(c)
	e.markSeeking(c, "taken_over")
	if e.superseded(c) { // a reload that is not done would look for it elsewhere
		e.renew(c)
	}
}

// dropCallback ends the call's callback with the call.
func (e *Engine) dropCallback(c *call, out *EndCall) {
	if c.callback == nil {
		return
	}
	why := "over"
	if out.Outcome == TakenOver {
		why = string(TakenOver)
	}
	e.undial(c, why)
	e.unpromise(c)
	e.rest(c, false)
}

// renewAway moves a place without a line to the live version, as far as that
// has its queue; the routes are not read again. What the caller was promised
// stays.
func (e *Engine) renewAway(c *call) {
	name := c.queue.Name
	to := e.moved(c.plan, name)
	if to == "" && e.plan.Queues[name] != nil {
		to = name
	}
	if to == "" {
		c.drains = e.plan
		return
	}
	e.unpromise(c)
	if to == name {
		e.adoptPlan(c)
		e.stay(c, nil)
		c.preferDone()
	} else {
		e.leave(c)
		e.adoptPlan(c)
		e.comeTo(c, c.plan.Queues[to])
		if !slices.Contains(c.visited, to) {
			c.visited = append(c.visited, to)
		}
		for _, once := range c.onceMarks() {
			c.mark(once)
		}
		c.entered, c.step, c.skipped, c.answers = e.now, 0, 0, nil
		c.askFirst(nil)
		e.rekey(c)
		e.join(c)
		e.announce(c, reloaded)
		e.reachSteps(c)
	}
	e.promise(c)
}

// kept is what of the place survives a restart.
func (c *call) kept() Kept {
	cb := c.callback
	return Kept{
		Queue: c.queue.Name, Rule: c.rule(), Topic: c.topic, Choice: c.attrs.Choice, Language: cmp.Or(c.said.language, c.attrs.Language, c.known().Language), Tag: c.said.tag,
		Trunk: c.attrs.Trunk, DNIS: c.attrs.DNIS, Country: c.attrs.Country, Region: c.region(), Customer: c.customerKey, Elsewhere: cb.caller != c.caller,
		Arrived: instant(c.arrived), Since: instant(c.since), Entered: instant(c.entered), Taken: instant(cb.taken),
		Priority: int(c.base), Additions: c.additions(), Visited: slices.Clone(c.visited), Moves: int(c.moves),
		Ahead: cb.terms.Ahead, Attempts: cb.terms.Attempts, Retry: cb.terms.Retry, Expires: instant(c.deadline(callbackOver).due),
		Tries: cb.tries, Missed: cb.missed, Again: instant(cb.again),
	}
}

// callbackRestored gives a callback its place again after a restart, by the
// version that is live. Its queue may be gone: then it waits where the routes
// lead.
func (e *Engine) callbackRestored(ev CallbackRestored) error {
	if e.calls[ev.Call] != nil {
		return ErrKnownCall
	}
	k := ev.Kept
	attrs := rule.Call{Kind: "callback", ANIKnown: true, Trunk: k.Trunk, DNIS: k.DNIS, Country: k.Country, Region: k.Region, Language: k.Language, Topic: k.Topic, Choice: k.Choice}
	c := e.begin(ev.Call, k.Arrived.UnixMicro(), attrs, ev.Caller)
	c.customerKey, c.answered, c.reread = k.Customer, true, true
	e.act(ResolveCustomer{Call: c.id})
	t := target{route: e.plan.routeAt(k.Rule), language: k.Language, topic: k.Topic, tag: k.Tag}
	e.adopt(c, t)
	c.base, c.extra, c.once = int32(k.Priority), 0, nil
	for _, a := range k.Additions {
		c.add(a.Origin, a.Points)
	}
	c.since, c.entered = k.Since.UnixMicro(), k.Entered.UnixMicro()
	c.visited, c.moves = slices.Clone(k.Visited), int32(k.Moves)
	q := e.plan.queueOnce(k.Queue)
	if q == nil {
		q, c.entered = e.plan.Queues[t.queue(e.plan)], e.now
	}
	if q == nil {
		e.end(c, Failed, ByServer, "no_queue")
		return nil
	}
	e.comeTo(c, q)
	cb := &callback{
		taken: k.Taken.UnixMicro(), away: true, caller: cmp.Or(ev.Called, ev.Caller), tries: k.Tries, missed: k.Missed,
		terms: &rule.Callback{Ahead: k.Ahead, Attempts: k.Attempts, Retry: k.Retry},
	}
	if !k.Again.IsZero() {
		cb.again = k.Again.UnixMicro()
	}
	c.callback = cb
	e.rest(c, true)
	e.arm(c, callbackOver, k.Expires.UnixMicro())
	for _, once := range c.onceMarks() {
		c.mark(once)
	}
	c.guessed = unlike()
	e.promise(c)
	e.rekey(c)
	e.join(c)
	e.reachSteps(c)
	e.resume(c)
	return nil
}

// routeAt is the route of a path, the root when there is none.
func (p *plan) routeAt(path string) *route {
	found := p.root
	var look func(r *route)
	look = func(r *route) {
		if r.path == path {
			found = r
		}
		for _, child := range r.children {
			look(child)
		}
	}
	look(p.root)
	return found
}

// queueOnce is the queue of a name, or the one that had it before.
func (p *plan) queueOnce(name string) *Queue {
	if q := p.Queues[name]; q != nil {
		return q
	}
	var found *Queue
	for _, q := range p.Queues {
		if q.Was == name { // one queue has
			found = q
		}
	}
	return found
}

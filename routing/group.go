package routing

import "slices"

// elsewhere is why an offer of a group is withdrawn when another was answered.
const elsewhere = "answered_elsewhere"

// Grouped is the Trigger of the offers of a group after the first.
const Grouped = "group"

// try is one offer of a call that has others out beside it (ring: group). The
// call itself holds the one that is being looked at; turn exchanges them.
type try struct {
	attempt Attempt
	agent   *agent
	phase   phase
	rang    bool
	tOffer  timer
}

// turn has the call look at another of its offers.
func (e *Engine) turn(c *call, t *try) {
	c.attempt, t.attempt = t.attempt, c.attempt
	c.agent, t.agent = t.agent, c.agent
	c.phase, t.phase = t.phase, c.phase
	c.rang, t.rang = t.rang, c.rang
	mine, other := e.disarmOffer(c), t.tOffer
	e.timers.disarm(&t.tOffer)
	if other.armed() {
		e.armOffer(c, other.kind, other.due)
	}
	t.tOffer.call, t.tOffer.agent = c, t.agent
	if mine != (deadline{}) {
		e.timers.arm(&t.tOffer, mine.kind, mine.due)
	}
}

// turnTo has the call look at the offer that an event names; false when that
// is over.
func (e *Engine) turnTo(c *call, o Offer) bool {
	if c.agent == nil {
		return false
	}
	if c.attempt == o.Attempt {
		return c.agent.id == o.Agent
	}
	for _, t := range c.also {
		if t.attempt == o.Attempt && t.agent.id == o.Agent {
			e.turn(c, t)
			return true
		}
	}
	return false
}

// turnToAgent does so for an agent who is offered the call.
func (e *Engine) turnToAgent(c *call, a *agent) {
	for _, t := range c.also {
		if t.agent == a {
			e.turn(c, t)
			return
		}
	}
}

// turnToTimer does so for the deadline of an offer.
func (e *Engine) turnToTimer(c *call, due *timer) {
	for _, t := range c.also {
		if &t.tOffer == due {
			e.turn(c, t)
			return
		}
	}
}

// carryOn has the call look at the next of its offers after one has ended;
// false when that was the last.
func (e *Engine) carryOn(c *call) bool {
	if len(c.also) == 0 {
		return false
	}
	next := 0
	for i, t := range c.also {
		if t.attempt < c.also[next].attempt {
			next = i
		}
	}
	t := c.also[next]
	c.also = slices.Delete(c.also, next, next+1)
	e.turn(c, t)
	return true
}

// pickGroup chooses who else is offered a call at once with the agent. It is
// nobody while another call waits that one of them may take.
func (e *Engine) pickGroup(c *call, first *agent, r *Reason) {
	e.picked = e.picked[:0]
	size := c.queue.RingSize
	if most := c.queue.MaxTalking; most > 0 {
		size = min(size, most-e.figure(c.queue.Name).occupied)
	}
	if size < 2 || c.isAway() || c.isQuestion() || r.Prefer != "" || c.toAgent {
		return
	}
	e.unplace(c)
	defer e.place(c)
	e.picked = append(e.picked, first)
	for len(e.picked) < size {
		a, _ := e.bestAgent(c, nil)
		if a == nil {
			break
		}
		e.picked = append(e.picked, a)
		if other := e.anyCall(a); other != nil {
			e.picked, r.HeldFor = e.picked[:0], other.id
			return
		}
	}
	e.picked = e.picked[1:]
	for _, a := range e.picked {
		r.Group = append(r.Group, a.id)
	}
}

// anyCall is a call that waits and that a free agent may take.
func (e *Engine) anyCall(a *agent) *call {
	if c := e.firstFront(a); c != nil {
		return c
	}
	if c := e.firstOwn(a); c != nil {
		return c
	}
	return e.firstWaiting(a)
}

// offerGroup offers the call to the others who were picked. It looks at the
// first of its offers then.
func (e *Engine) offerGroup(c *call, r Reason) {
	if len(e.picked) == 0 {
		return
	}
	first := c.offer()
	for len(e.picked) > 0 {
		a := e.picked[0]
		e.picked = e.picked[1:]
		t := &try{}
		t.tOffer.call = c
		c.also = append(c.also, t)
		e.turn(c, t)
		step := max(c.demand.fits(a.profile), 0)
		why := Reason{
			Rule: r.Rule, Step: c.demand.number(step), Skipped: r.Skipped, Policy: r.Policy, Trigger: Grouped, Ceiling: r.Ceiling,
			CameBack: r.CameBack, Version: r.Version, LeftOut: e.leftOut(c, a, step, maxExplained),
		}
		e.watchDecision(c, a, Given, why)
		e.send(c, a, why)
	}
	e.turnTo(c, first)
}

// dropOthers withdraws all offers but the one that was answered. Their agents
// keep their idle time.
func (e *Engine) dropOthers(c *call) {
	others := c.also
	c.also = nil
	slices.SortFunc(others, func(a, b *try) int { return int(a.attempt - b.attempt) })
	for _, t := range others {
		e.timers.disarm(&t.tOffer)
		e.act(Withdraw{Offer{c.id, t.attempt, t.agent.id}, elsewhere})
		t.agent.call = nil
		e.vacate(c.queue)
	}
	for _, t := range others {
		e.release(t.agent, false)
	}
}

// withdrawAll ends all offers of a call, and gives back their agents, who still
// stand as Offered or Ringing.
func (e *Engine) withdrawAll(c *call, why string) []*agent {
	first := c.shown()
	e.turnToAgent(c, first.agent)
	out := []*agent{e.withdraw(c, why)}
	for e.carryOn(c) {
		out = append(out, e.withdraw(c, why))
	}
	return out
}

// shown is the offer of the call that was made first, of those that are out.
func (c *call) shown() try {
	first := try{attempt: c.attempt, agent: c.agent, phase: c.phase}
	for _, t := range c.also {
		if t.attempt < first.attempt {
			first = try{attempt: t.attempt, agent: t.agent, phase: t.phase}
		}
	}
	return first
}

// offeredTo says that the agent is one of those the call is offered to, or
// talks to.
func (c *call) offeredTo(a *agent) bool {
	return c.agent == a || slices.ContainsFunc(c.also, func(t *try) bool { return t.agent == a })
}

// isOffer says of a deadline that it is one of an offer.
func (k timerKind) isOffer() bool { return k == popDue || k == leadDue || k == ringDue }

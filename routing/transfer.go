package routing

import (
	"slices"

	"github.com/cordboard/cordboard/agents"
)

// destination is where an agent passes a call on to.
type destination struct {
	topic *Topic
	queue *Queue
	agent *agent
	// number is a telephone outside the house; its country is "" when it is none.
	number Outside
}

// transferRequested passes a connected call on, blind. The routes are not read
// again: the target is what the agent chose.
func (e *Engine) transferRequested(c *call, ev TransferRequested) {
	d, refused := e.destination(c, ev)
	if refused != "" {
		e.act(Refused{c.offer(), ev.Kind(), refused})
		return
	}
	if d.number.Country != "" {
		e.passOut(c, d)
		return
	}
	e.act(Transferred{Offer: c.offer(), Topic: ev.Topic, Queue: d.queue.Name, ToAgent: ev.ToAgent})
	e.act(Release{c.offer(), "transferred"})
	e.act(Wait{Call: c.id, Music: d.queue.Music})
	adds := e.passOn(c)
	if d.topic != nil {
		c.topic = d.topic.Name
		adds = withAddition(adds, &d.topic.Need, d.topic.RelaxAfter)
		c.add("topic:"+d.topic.Name, d.topic.PriorityAdd)
	}
	c.demands(adds)
	c.askFirst(nil)
	e.arrive(c, d, "transferred")
	if d.topic == nil {
		c.blind, c.toAgent = true, d.agent != nil
		e.arm(c, returnDue, e.now+c.plan.Transfers.UnansweredAfter.Microseconds())
	}
}

// passOn takes the call from the agent who passes it on. From now on the live
// document holds for it; what its route and topic asked for does not, but for whom
// they shut out.
func (e *Engine) passOn(c *call) []addition {
	from := c.queue.Name
	a := e.leaveTalk(c)
	e.startWrapUp(c, a)
	c.plan.calls--
	c.plan = e.plan
	c.plan.calls++
	c.transfers++
	c.since = e.now
	if c.plan.Transfers.CreditWaited {
		c.since -= c.waited
	}
	c.add("transfer", c.plan.Transfers.PriorityAdd)
	c.topic = ""
	c.passedBy, c.backTo = a, from
	return c.shutOut()
}

// arrive brings a call that was passed on to its queue, open or not: that was
// looked at before.
func (e *Engine) arrive(c *call, d destination, trigger string) {
	e.comeTo(c, d.queue)
	e.renewOffers(c)
	c.entered, c.step, c.skipped, c.answers = e.now, 0, 0, nil
	c.failed, c.came, c.gaveUp, c.pending = 0, 0, false, nil
	if !slices.Contains(c.visited, d.queue.Name) {
		c.visited = append(c.visited, d.queue.Name)
	}
	taken := e.takesOver(c)
	if d.agent != nil {
		p := preference{kind: "agent", agents: []*agent{d.agent}, waived: true}
		if trigger == "transferred" || c.isQuestion() {
			p.wait = c.plan.Transfers.UnansweredAfter.Microseconds()
		}
		c.askFirst([]preference{p})
	} else {
		c.askFirst(e.preferences(c, nil))
	}
	e.rekey(c)
	e.join(c)
	if c.guessed = unlike(); !taken {
		e.guess(c)
	}
	e.announce(c, trigger)
	e.welcome(c, trigger)
	e.reachSteps(c)
	e.markSeeking(c, trigger)
}

// destination checks a transfer's target; refused is the code when it cannot
// be.
func (e *Engine) destination(c *call, ev TransferRequested) (d destination, refused string) {
	return e.target(c, ev, maxTransfers)
}

const tooMany = "too_many_transfers"

// target is destination for a call that may have been passed on so often.
func (e *Engine) target(c *call, ev TransferRequested, most int) (d destination, refused string) {
	if c.phase != talking || c.consult != nil {
		return d, "not_now"
	}
	switch {
	case ev.Topic != "" && ev.Queue == "" && ev.ToAgent == "":
		if d.topic = e.plan.Topics[ev.Topic]; d.topic != nil {
			d.queue = e.plan.Queues[d.topic.Queue]
		}
	case ev.Queue != "" && ev.Topic == "" && ev.ToAgent == "":
		d.queue = e.plan.Queues[ev.Queue]
	case ev.ToAgent != "" && ev.Topic == "" && ev.Queue == "":
		d.agent = e.agents[ev.ToAgent]
		if d.agent == nil || d.agent.gone || d.agent == c.agent {
			return d, "unknown_target"
		}
		// The call stays a call of its queue; a queue that a reload took away
		// serves it still.
		if d.queue = e.plan.Queues[c.queue.Name]; d.queue == nil {
			d.queue = c.queue
		}
		if d.agent.state == agents.SignedOut || d.agent.state == agents.NotReady {
			return d, "not_now"
		}
	}
	switch {
	case ev.Outside.Country != "":
		if ev.Topic != "" || ev.Queue != "" || ev.ToAgent != "" || !e.plan.Transfers.Numbers.Allows(c.agent.def.Team, ev.Outside.Country) {
			return d, numberNotAllowed
		}
		d.number = ev.Outside
		return d, ""
	case d.queue == nil:
		return d, "unknown_target"
	case c.passed() >= most && (ev.Queue == "" || d.queue.Name != c.queue.Name):
		return d, tooMany
	case d.agent == nil && !e.open(e.plan, d.queue, c.zone()):
		return d, "closed"
	}
	return d, ""
}

// unanswered ends a blind transfer that nobody took: back to the sender if
// free, else to the sender's queue in front.
func (e *Engine) unanswered(c *call) {
	if c.isQuestion() {
		e.nobodyAnswers(c)
		return
	}
	if c.phase.offered() || !c.blind {
		return // an offer that is out is finished first
	}
	sender := c.passedBy
	e.disarm(c, returnDue)
	c.blind, c.toAgent = false, false
	back := e.refresh(c, c.backTo)
	q := c.plan.Queues[back]
	if !c.plan.Transfers.UnansweredReturn || q == nil {
		e.markSeeking(c, "hold_ended")
		return
	}
	e.leave(c)
	e.giveBack(c, q, sender)
}

// giveBack has the sender of a call take it again, if he can, before all others of
// the queue.
func (e *Engine) giveBack(c *call, q *Queue, sender *agent) {
	c.passedBy = nil
	c.front = true
	e.arrive(c, destination{queue: q, agent: sender}, "returned")
}

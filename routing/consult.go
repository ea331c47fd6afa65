package routing

import (
	"cmp"
	"math"

	"github.com/cordboard/cordboard/agents"
)

// consult is a question that an agent asks about a call, while its caller holds. The
// two calls share it.
type consult struct {
	call     *call // which the question is about
	question *call
	why      string // what the question's last offer came to
}

// Why a question ends that no queue has treated.
const (
	consultStopped    = "stopped"     // by who asked
	consultLeft       = "left"        // by who was asked
	consultUnanswered = "unanswered"  // by nobody
	consultCallOver   = "call_over"   // the call that it was about
	consultDone       = "handed_over" // the call is now that of who was asked
	consulted         = "consult"     // what leads a question to its queue, and gives it its points
)

// isQuestion says that the call is an agent's question, and has no caller.
func (c *call) isQuestion() bool { return c.consult != nil && c.consult.question == c }

// asksAbout is the call that a question is about, 0 for a caller's call.
func (c *call) asksAbout() CallID {
	if !c.isQuestion() {
		return 0
	}
	return c.consult.call.id
}

// consultRequested asks somebody: a call of its own, which waits like any other. The
// routes are not read for it; it stands apart from what the caller was promised.
func (e *Engine) consultRequested(c *call, ev ConsultRequested) error {
	if ev.Consult == 0 || e.calls[ev.Consult] != nil {
		return ErrKnownCall
	}
	// However often the call was passed on: a question is not yet one time more.
	d, refused := e.target(c, TransferRequested{Offer: ev.Offer, Topic: ev.Topic, Queue: ev.Queue, ToAgent: ev.ToAgent}, math.MaxInt)
	if refused != "" {
		e.act(Refused{c.offer(), ev.Kind(), refused})
		return nil
	}
	q := e.question(c, ev.Consult, d)
	e.give(q, ev.Recorded)
	e.act(ConsultStarted{c.offer(), q.id, ev.Topic, d.queue.Name, ev.ToAgent})
	c.onHold = true
	e.act(Hold{Offer: c.offer(), On: true}) // though the phone holds already: its key must not bring the caller back
	e.setState(c.agent, agents.OnHold, "", 0)
	e.arrive(q, d, consulted)
	return nil
}

// question makes the call of a question.
func (e *Engine) question(c *call, id CallID, d destination) *call {
	q := newCall(id, e.now)
	attrs := c.asArrived()
	attrs.Kind, attrs.FromQueue = consulted, c.queue.Name
	e.describe(q, attrs)
	q.said = q.attrs.say(*c.said)
	q.plan = e.plan
	q.plan.calls++
	e.calls[q.id] = q
	q.consult = &consult{call: c, question: q}
	c.consult = q.consult
	q.customer, q.rim, q.route = c.customer, c.rim, c.route
	q.resolved, q.reread, q.answered = true, true, true
	q.passedBy, q.toAgent = c.agent, d.agent != nil
	q.add(consulted, q.plan.Transfers.ConsultAdd)
	adds := c.shutOut()
	if d.topic != nil {
		q.topic = d.topic.Name
		adds = withAddition(adds, &d.topic.Need, d.topic.RelaxAfter)
		q.add("topic:"+d.topic.Name, d.topic.PriorityAdd)
	}
	q.demands(adds)
	q.guessed = unlike()
	return q
}

// consultStopped takes the caller back.
func (e *Engine) consultStopped(c *call) {
	if c.consult == nil || c.isQuestion() {
		e.act(Refused{c.offer(), ConsultStopped{}.Kind(), "not_now"})
		return
	}
	e.consultOver(c.consult.question, ByAgent, consultStopped)
}

// consultOver ends a question.
func (e *Engine) consultOver(q *call, by Party, why string) {
	e.end(q, Consulted, by, why)
}

// nobodyAnswers ends a question to a colleague who did not take it.
func (e *Engine) nobodyAnswers(q *call) {
	if !q.phase.offered() {
		e.consultOver(q, ByServer, cmp.Or(q.consult.why, consultUnanswered))
	}
}

// endOfQuestion puts the end of a question into its words.
func (k *consult) endOfQuestion(out EndCall) EndCall {
	out.Outcome, out.Consult = Consulted, k.call.id
	out.Reason = cmp.Or(out.Reason, consultLeft)
	return out
}

// endQuestion ends the question that is asked about a call which is over.
func (e *Engine) endQuestion(c *call, by Party) {
	k := c.consult
	c.consult = nil
	e.endWith(k.question, EndCall{Call: k.question.id, By: by, Reason: consultCallOver})
}

// takeBack brings the agent who asked back to the caller, once the question has
// ended. Nobody is left on hold by what others do.
func (e *Engine) takeBack(k *consult, why string) {
	c := k.call
	if c.consult != k {
		return // the call is over, or has been handed over
	}
	c.consult = nil
	e.act(ConsultEnded{c.offer(), k.question.id, why})
	e.hold(c, "", false, false)
}

// consultCompleted hands the caller over to who was asked.
func (e *Engine) consultCompleted(c *call) {
	refused := ""
	switch k := c.consult; {
	case k == nil || c.isQuestion() || k.question.phase != talking || c.phase != talking:
		refused = "not_now"
	case c.passed() >= maxTransfers && k.question.queue.Name != c.queue.Name:
		refused = tooMany
	}
	if refused != "" {
		e.act(Refused{c.offer(), ConsultCompleted{}.Kind(), refused})
		return
	}
	e.handOver(c)
}

// handsOver says that an agent who has asked, and is gone, leaves the caller with
// who was asked: they talk, and nobody else is there for him.
func (c *call) handsOver() bool {
	return c.phase == talking && c.consult != nil && !c.isQuestion() && c.consult.question.phase == talking
}

// handOver makes the talk of the question that of the call. The caller has waited
// nowhere for it: it is no visit to the queue, and no answered call there.
func (e *Engine) handOver(c *call) {
	q := c.consult.question
	from, asked := c.offer(), q.offer()
	b := q.agent
	c.consult, q.consult = nil, nil
	sender := e.leaveTalk(c)
	c.tries++
	c.attempt = c.tries
	e.act(HandedOver{Offer: Offer{c.id, c.attempt, b.id}, From: from, Asked: asked, Queue: q.queue.Name, Topic: q.topic, Music: q.queue.Music})
	e.startWrapUp(c, sender)
	c.plan.calls--
	c.plan = q.plan
	c.plan.calls++
	e.comeTo(c, q.queue)
	c.transfers++
	c.add("transfer", c.plan.Transfers.PriorityAdd)
	c.topic, c.firmly, c.drains = q.topic, q.firmly, q.drains
	c.entered, c.step, c.skipped, c.answers = e.now, 0, 0, nil
	c.failed, c.came, c.gaveUp = 0, 0, false
	c.agent, b.call = b, c
	q.agent, q.phase = nil, waiting
	q.talked, q.last = true, &asked
	e.endWith(q, EndCall{Call: q.id, Outcome: Consulted, By: ByAgent, Reason: consultDone, Consult: c.id})
	e.setState(b, agents.Talking, "", 0)
}

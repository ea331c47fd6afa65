package routing

import (
	"cmp"

	"github.com/cordboard/cordboard/agents"
)

// phoneAnswered: the agent's 200 counts, if the phone was being called.
func (e *Engine) phoneAnswered(c *call) {
	switch c.phase {
	case talking:
		return // seen already
	case ringing:
	default:
		e.act(Release{c.offer(), "stale"})
		return
	}
	a := c.agent
	e.disarmOffer(c)
	e.disarm(c, returnDue)
	e.unsay(c, true)
	e.leave(c)
	c.phase = talking
	c.waited = e.now - c.since
	c.front, c.pending = false, nil
	c.blind, c.toAgent, c.passedBy = false, false, nil
	c.reread = true // from now on a late record is for the screen only
	a.rona = 0
	f := e.figure(c.queue.Name)
	f.talking++
	e.noteAnswer(a)
	c.answered = true
	if c.isQuestion() {
		e.hold(c.consult.call, "", true, false) // the agent who asked had gone back to the caller
	} else {
		f.pace.started(e.now, c.guessed, (e.now-c.entered)/1e6)
	}
	e.act(Connect{c.offer(), instant(e.now), c.queue.Music})
	e.setState(a, agents.Talking, "", 0)
	e.dropOthers(c)
}

// joinFailed: the legs could not be joined. The agent is free again and the
// caller back in front.
func (e *Engine) joinFailed(c *call) {
	if c.phase != talking {
		return
	}
	if c.isQuestion() {
		e.consultOver(c, ByServer, "join_failed")
		return
	}
	if c.consult != nil { // she asked before they were joined, and has nobody to come back to
		e.endQuestion(c, ByServer)
	}
	e.uncount(c)
	o := c.offer()
	a := e.withdraw(c, "join_failed")
	e.act(Release{o, "join_failed"})
	e.act(Wait{Call: c.id, Music: c.queue.Music})
	e.bar(c, a)
	e.release(a, false)
	e.join(c)
	e.unplace(c)
	e.back(c, true)
}

// uncount takes a talk out of the figures that was none.
func (e *Engine) uncount(c *call) {
	c.agent.answers.takeBack()
	e.figure(c.queue.Name).talking--
}

// unconnect makes an offer again of a talk whose caller was gone before he
// could be answered with the agent.
func (e *Engine) unconnect(c *call) {
	e.uncount(c)
	c.phase = ringing
}

// hold puts the caller on hold or takes him back.
func (e *Engine) hold(c *call, asked string, on, byPhone bool) {
	if c.consult != nil && byPhone {
		return // told again once the question is over
	}
	if c.phase != talking || c.isQuestion() {
		if asked != "" {
			e.act(Refused{c.offer(), asked, "not_now"})
		}
		return
	}
	if c.onHold == on {
		return
	}
	c.onHold = on
	e.act(Hold{c.offer(), on, byPhone})
	state := agents.Talking
	if on {
		state = agents.OnHold
	}
	e.setState(c.agent, state, "", 0)
}

func (e *Engine) hangupRequested(c *call) {
	if c.phase != talking {
		e.act(Refused{c.offer(), HangupRequested{}.Kind(), "not_now"})
		return
	}
	e.end(c, Answered, ByAgent, "")
}

// agentGone: the agent's leg of a connected call ended.
func (e *Engine) agentGone(c *call) {
	switch {
	case c.handsOver():
		e.handOver(c)
	case c.phase == talking:
		e.end(c, Answered, ByAgent, "")
	}
}

func (e *Engine) callerGone(ev CallerGone) {
	c := e.calls[ev.Call]
	switch {
	case c == nil || c.isAway(): // the line was released before
	case e.wishedAndGone(c):
	case c.phase == talking && ev.Unanswered && !c.talked:
		e.unconnect(c)
		e.end(c, Abandoned, ByCaller, "")
	case c.phase == talking:
		e.end(c, Answered, ByCaller, "")
	case c.outside && !c.blind:
		e.end(c, Answered, ByCaller, "")
	case c.talked:
		// He gave up in the queue of a transfer: an agent had talked to him.
		e.end(c, Answered, ByCaller, "abandoned_after_transfer")
	case c.phase == treated && c.treatment.Queue == "" && !c.treatment.Callback, c.phase == dialled, c.phase == recording:
		e.end(c, Treated, ByCaller, "")
	case c.phase == choosing:
		e.end(c, Abandoned, ByCaller, inMenu)
	default:
		e.end(c, Abandoned, ByCaller, "")
	}
}

func (e *Engine) callFailed(ev CallFailed) {
	c := e.calls[ev.Call]
	switch {
	case c == nil || c.isAway():
	case c.phase == talking && ev.Unanswered && !c.talked:
		e.unconnect(c)
		e.end(c, Failed, ByServer, ev.Reason)
	case c.phase == talking || c.talked:
		e.end(c, Answered, ByServer, ev.Reason)
	default:
		e.end(c, Failed, ByServer, ev.Reason)
	}
}

// end closes a call: exactly once, whatever state it is in. Its agent goes to
// wrap-up after a talk, and is free again after an offer.
func (e *Engine) end(c *call, outcome Outcome, by Party, reason string) {
	e.endWith(c, EndCall{Call: c.id, Outcome: outcome, By: by, Reason: reason})
}

func (e *Engine) endWith(c *call, out EndCall) {
	k := c.consult
	if c.isQuestion() {
		out = k.endOfQuestion(out)
	} else if k != nil {
		e.endQuestion(c, out.By)
	}
	talker, offered := (*agent)(nil), []*agent(nil)
	switch {
	case c.phase == talking:
		talker = e.leaveTalk(c)
	case c.phase.offered():
		why := "abandoned"
		if out.Outcome == Failed || out.By == ByServer {
			why = "call_failed"
		}
		if out.Outcome == TakenOver {
			why = string(TakenOver)
		}
		if out.Outcome == Consulted {
			why = consultStopped
		}
		offered = e.withdrawAll(c, why)
	}
	e.leave(c)
	e.dropCallback(c, &out)
	e.unseek(c)
	c.phase = over
	e.disarmAll(c)
	for _, b := range c.bars {
		e.dropBar(b)
	}
	delete(e.calls, c.id)
	c.names(func(name string) { e.use(name, -1) })
	e.forget(c)
	c.plan.calls--
	if c.queue != nil {
		out.Queue = c.queue.Name
	}
	if c.talked && (out.Outcome == Expired || out.Outcome == TakenOver) { // of a call that was passed on
		out.Outcome, out.Reason = Answered, cmp.Or(out.Reason, string(out.Outcome))
	}
	if c.last != nil {
		out.Agent, out.Attempt = c.last.Agent, c.last.Attempt
	}
	e.ending = c
	e.act(out)
	e.ending = nil
	if talker != nil {
		e.startWrapUp(c, talker)
	}
	for _, a := range offered {
		e.release(a, false)
	}
	if c.isQuestion() {
		e.takeBack(k, out.Reason)
	}
}

// leaveTalk takes the agent out of a talk.
func (e *Engine) leaveTalk(c *call) *agent {
	a := c.agent
	e.figure(c.queue.Name).talking--
	c.talked, c.last = true, new(c.offer())
	c.agent, a.call = nil, nil
	e.vacate(c.queue)
	c.onHold = false
	return a
}

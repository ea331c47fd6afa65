package routing

import (
	"github.com/cordboard/cordboard/routing/rule"
)

// callback is the offer to call a waiting caller back and, once it is accepted,
// the place that waits on without a line (10).
type callback struct {
	terms *rule.Callback

	// The offer.
	from   int64  // its first is counted from here
	asked  int    // moments of an offer so far
	made   bool   // one was offered
	owed   bool   // one fell due while an agent was being rung
	wished bool   // it was accepted then: taken once the agent has not answered
	action string // the action that offers it now; "" while the caller waits
	left   bool   // the call stood in its queue when the action began

	// The place, from the acceptance on.
	taken    int64
	away     bool   // the line is released
	paused   bool   // stands in no index: outside hours, between tries, being called ahead
	dialling bool   // the customer is being called
	caller   string // keyed hash of the number that is called
	keys     []string
	tries    int   // calls to the customer
	missed   int   // of these, the attempts that are over: not answered
	dropped  bool  // the last was ended by what an agent did: nobody was told yet
	again    int64 // not to be called before
	over     bool  // expired while an agent was asked
	auto     bool  // the agent has pressed Answer
	unacked  bool  // of the agent's pop
}

// isAway says that the call's line is released.
func (c *call) isAway() bool { return c.callback != nil && c.callback.away }

// asksBack says that an action is offering the callback.
func (c *call) asksBack() bool { return c.callback != nil && c.callback.action != "" }

// calledBack says that the call is a callback, whether its customer is there
// already or not.
func (c *call) calledBack() bool { return c.callback != nil && c.callback.taken > 0 }

// isPaused says that the call waits, but can be offered to nobody.
func (c *call) isPaused() bool { return c.callback != nil && c.callback.paused }

// callbackTerms are what the call's route says of callbacks, else its queue;
// nil where none is offered.
func (c *call) callbackTerms() *rule.Callback {
	at := c.route
	if c.queue == nil || at != nil && at.declined && c.queue.Name == c.home {
		return nil
	}
	if at != nil && at.callback != nil && c.queue.Name == c.home {
		return at.callback
	}
	return c.queue.Callback
}

// renewOffers forgets the offers made in a queue before; a callback that was
// accepted stays one.
func (e *Engine) renewOffers(c *call) {
	if cb := c.callback; cb != nil && cb.taken == 0 {
		e.disarm(c, callbackDue)
		c.callback = nil
	}
}

// offersOf is where the call's offers are counted, nil where none is made.
func (e *Engine) offersOf(c *call) *callback {
	if c.isQuestion() {
		return nil
	}
	terms := c.callbackTerms()
	if c.callback == nil && terms != nil {
		c.callback = &callback{from: e.now}
	}
	if c.callback != nil && c.callback.taken == 0 {
		c.callback.terms = terms
	}
	return c.callback
}

// armOffers sets the deadline of the next offer.
func (e *Engine) armOffers(c *call) {
	cb := e.offersOf(c)
	if cb == nil || cb.taken > 0 {
		return
	}
	e.disarm(c, callbackDue)
	if cb.terms == nil || !c.answered || cb.asked > 0 && cb.terms.Again == 0 {
		return
	}
	due := cb.from + cb.terms.FirstOffer.Microseconds() + int64(cb.asked)*cb.terms.Again.Microseconds()
	e.arm(c, callbackDue, max(due, e.now))
}

// stopNext takes the next offer out: the call leaves its queue.
func (e *Engine) stopNext(c *call) {
	if c.callback != nil {
		e.disarm(c, callbackDue)
	}
}

// callbackDue is the deadline of the next offer; of a place that waits on, the
// end of a pause, of the hours, or of a call to the customer.
func (e *Engine) callbackDue(c *call) {
	cb := c.callback
	switch {
	case cb.taken == 0:
		e.offerDue(c)
	case cb.dialling:
		e.act(DropCustomer{c.id, cb.tries, missedNoAnswer})
		e.missed(c, missedNoAnswer)
	case c.phase == waiting:
		e.resume(c)
	}
}

// offerDue offers the callback, unless an agent is being rung: then if nobody
// answers.
func (e *Engine) offerDue(c *call) {
	cb := c.callback
	if c.phase != waiting {
		cb.owed = true
		return
	}
	cb.owed = false
	if cb.terms == nil {
		return // a reload took them away while an agent was being rung
	}
	cb.asked++
	if again := cb.terms.Again; again > 0 {
		e.arm(c, callbackDue, e.now+again.Microseconds())
	}
	if e.mayOffer(c) {
		cb.made = true
		e.offerNow(c, "")
	}
}

// callbackOwed does what fell due while an agent was being rung, who has not
// answered.
func (e *Engine) callbackOwed(c *call) {
	cb := c.callback
	switch {
	case cb == nil || c.phase != waiting:
	case cb.away:
		if cb.dropped {
			cb.dropped = false
			e.actMissed(c, missedDropped)
		}
		if over := cb.spent(); over != "" {
			e.end(c, Expired, ByServer, over)
			return
		}
		e.resume(c)
	case cb.owed:
		e.offerDue(c)
	}
}

// grantWish takes the callback that was accepted while an agent was being rung,
// who has not answered; false where there is none to take.
func (e *Engine) grantWish(c *call) bool {
	cb := c.callback
	if cb == nil || !cb.wished || c.phase != waiting {
		return false
	}
	cb.wished = false
	if !e.possibleAt(c, cb.caller) {
		return false
	}
	e.takeCallback(c)
	return true
}

// wishedAndGone takes the callback of a caller who has accepted it while an agent
// was being rung, and hung up: nobody who will be called back stays on the line.
func (e *Engine) wishedAndGone(c *call) bool {
	if cb := c.callback; cb == nil || !cb.wished || !c.phase.offered() || !e.possibleAt(c, cb.caller) {
		return false
	}
	asked := e.withdrawAll(c, "abandoned")
	c.callback.wished = false
	e.takeCallback(c)
	for _, a := range asked {
		e.release(a, false)
	}
	return true
}

// possible says that the caller can be called back: there is a number, the
// record allows it, and no callback of the same customer waits in this queue.
func (e *Engine) possible(c *call) bool {
	cb := e.offersOf(c)
	return cb != nil && cb.terms != nil && cb.taken == 0 && c.attrs.ANIKnown && c.mayBeCalled() && e.promisedTo(c) == nil
}

// mayBeCalled says that the customer's record does not forbid it.
func (c *call) mayBeCalled() bool {
	if c.given != nil {
		return c.given.calledBack()
	}
	return !c.known().DoNotCall
}

// possibleAt notes the number that was keyed in, "" for the caller's own, and says
// that he can be called back there: whoever is called is called for one callback of a
// queue.
func (e *Engine) possibleAt(c *call, number string) bool {
	if !e.possible(c) || number != "" && e.figure(c.queue.Name).promised[number] != nil {
		return false
	}
	c.callback.caller = number
	return true
}

// mayOffer says that the callback may be offered now.
func (e *Engine) mayOffer(c *call) bool {
	if !e.possible(c) {
		return false
	}
	when := c.callback.terms.When
	if when == nil || c.given != nil {
		return true
	}
	if c.demand != nil {
		placed := c.spot != nowhere
		if placed {
			e.unplace(c)
		}
		holds := e.holdsNow(c, when)
		if placed {
			e.place(c)
		}
		return holds
	}
	e.fillCall(c)
	e.env.Call.Language, e.env.Call.Topic = c.said.language, c.topic
	e.fillQueues(c.plan, when.Queues())
	if when.ReadsOwn() { // it would be the last in line
		e.env.Own = rule.OwnQueue{QueueFigures: e.queueFigures(c.plan, c.queue.Name), Position: e.figure(c.queue.Name).line.Len() + 1}
	}
	return when.Eval(&e.env)
}

// instead is what an action comes to now: without a sound first, the else of a
// callback that is impossible.
func (e *Engine) instead(c *call, t rule.Treatment) rule.Treatment {
	for t.Callback && t.Play == "" && !e.mayOffer(c) {
		t = otherwise(t)
	}
	return t
}

// offerInstead is an action's offer, at once or once its sound was played.
func (e *Engine) offerInstead(c *call, why string, t rule.Treatment) {
	if !c.answered {
		c.answered = true
		e.act(AnswerCaller{c.id, c.music()})
	}
	cb := c.callback
	cb.action = why
	c.phase, c.treatment, c.trigger = treated, &t, why
	e.offerNow(c, why)
}

// offerNow has the caller told of the callback. why is the action that does; ""
// while the caller waits.
func (e *Engine) offerNow(c *call, why string) {
	terms := c.callback.terms
	e.act(OfferCallback{Call: c.id, Queue: c.queue.Name, Key: terms.Key, Entered: terms.Entered, Language: c.language(c.plan), Why: why, Rule: c.rule(), Topic: c.topic, Tag: c.said.tag})
}

// otherwise is what an action does in the place of a callback.
func otherwise(t rule.Treatment) rule.Treatment {
	if t.Else == nil {
		return rule.Treatment{Hangup: true}
	}
	return *t.Else
}

// refuseInstead goes on where a callback is declined or impossible. A call that
// can't go where it is sent stays in its queue, if it stood there.
func (e *Engine) refuseInstead(c *call, why string, t rule.Treatment) {
	next := otherwise(t)
	if e.treat(c, why, next) {
		return
	}
	if cb := c.callback; cb == nil || !cb.left {
		e.finishTreatment(c, why, rule.Treatment{Hangup: true})
		return
	}
	e.act(Wait{Call: c.id, Music: c.queue.Music})
	e.join(c)
	e.reachSteps(c)
	e.markSeeking(c, why)
	if e.superseded(c) { // by a reload while it was asked
		e.renew(c)
	}
}

// callbackAccepted: the caller has pressed the key. While an agent is being
// rung, the agent's answer comes first.
func (e *Engine) callbackAccepted(ev CallbackAccepted) {
	c := e.calls[ev.Call]
	if c == nil || c.callback == nil || c.callback.taken > 0 {
		return
	}
	cb := c.callback
	switch {
	case c.phase == treated && cb.action != "":
		if e.possibleAt(c, ev.Caller) {
			e.takeCallback(c)
			return
		}
		why := cb.action
		cb.action = ""
		e.refuseInstead(c, why, *c.treatment)
	case c.phase.offered():
		cb.caller, cb.wished = ev.Caller, true
	case c.phase == waiting && c.answered && (cb.made || e.mayOffer(c)) && e.possibleAt(c, ev.Caller):
		e.takeCallback(c)
	}
}

func (e *Engine) callbackDeclined(ev CallbackDeclined) {
	c := e.calls[ev.Call]
	if c == nil || c.callback == nil || c.phase != treated || c.callback.action == "" {
		return // declined while waiting: nothing follows
	}
	why := c.callback.action
	c.callback.action = ""
	e.refuseInstead(c, why, *c.treatment)
}

// onceMarks are what a place without a line is not treated for.
func (c *call) onceMarks() []string {
	return []string{lateMark + c.queue.Name, nobodyMark + c.queue.Name, closedMark + c.queue.Name}
}

// takeCallback releases the caller's line. The place waits on with turn,
// priority and steps.
func (e *Engine) takeCallback(c *call) {
	cb := c.callback
	e.disarm(c, callbackDue)
	e.disarm(c, returnDue)
	cb.taken, cb.action = e.now, ""
	if cb.caller == "" {
		cb.caller = c.caller
	}
	e.kind(c, "callback")
	c.blind, c.toAgent, c.late, c.reread, c.pending = false, false, false, true, nil
	c.guessed = unlike()
	joined := c.demand != nil
	if joined {
		e.uncountWaiting(c)
		e.unsay(c, false)
		e.disarm(c, holdDue, lateDue, nobodyDue, closeDue)
	} else if !cb.left {
		c.entered, c.step, c.skipped, c.answers = e.now, 0, 0, nil
		c.failed, c.gaveUp = 0, false
		c.askFirst(nil)
	}
	cb.away = true
	e.rest(c, true)
	for _, once := range c.onceMarks() {
		c.mark(once)
	}
	e.arm(c, callbackOver, e.now+cb.terms.Expires.Microseconds())
	e.promise(c)
	if joined {
		e.unplace(c)
		c.wants(nil)
		c.preferDone()
		e.unline(c)
	}
	e.act(CallbackTaken{c.id, c.kept()})
	if !joined {
		c.preferDone()
		e.rekey(c)
		e.join(c)
		e.reachSteps(c)
	}
	e.resume(c)
}

// uncountWaiting and countWaiting take a call out of the number of those who
// wait on the line, and count it in again.
func (e *Engine) uncountWaiting(c *call) {
	name := c.queue.Name
	e.unquiet(name)
	f := e.figure(name)
	f.waiting--
	f.age.Delete(c.age())
	f.callbacks++
	e.stir(name)
}

func (e *Engine) countWaiting(c *call) {
	name := c.queue.Name
	e.unquiet(name)
	f := e.figure(name)
	f.callbacks--
	f.waiting++
	f.age.Put(c.age(), c)
	e.stir(name)
}

package routing

import (
	"slices"
	"time"

	"github.com/cordboard/cordboard/routing/queue"
)

// dialFor is how long a customer's phone rings, in microseconds.
const dialFor = 30 * second

// Why a customer was not reached.
const (
	missedNoAnswer = "no_answer"
	missedBusy     = "busy"
	missedRefused  = "refused"
	missedFailed   = "failed"
	missedUncalled = "not_called" // by a fault of ours: none of the attempts
	missedDropped  = "dropped"    // by what the agent did who was reserved: none either
)

// A call to a customer that our side has ended or could not make is none of the
// attempts. Such calls have a bound of their own, and each waits twice as long as
// the one before: neither is the customer rung up again and again, nor an agent
// reserved, for nothing.
const (
	maxVain  = 10
	longVain = 3600 * second
)

// dropStale is why a call is ended that the engine knows nothing of any more.
const dropStale = "stale"

const (
	// maxAhead is how many customers of one queue one Step calls ahead.
	maxAhead = 8
	// maxNearing is how many queues one Step asks for such customers, in turn where
	// there are more: what a queue expects of the wait is no small question.
	maxNearing = 8
)

// aheadEvery is how often expected waits are looked at while nothing happens: they
// fall also because old starts are forgotten, and more customers than maxAhead may
// be due.
const aheadEvery = 5 * second

// resume puts the place where agents find it, or pauses it: outside hours until
// the next opening, and between two calls to the customer.
func (e *Engine) resume(c *call) {
	cb := c.callback
	if e.superseded(c) {
		if !cb.paused {
			e.pause(c, e.now)
		}
		e.renewAway(c)
	}
	next, open := e.nextOpening(c)
	switch {
	case !open:
		e.pause(c, next)
	case cb.again > e.now:
		e.pause(c, cb.again)
	default:
		e.disarm(c, callbackDue)
		if next > 0 {
			e.arm(c, callbackDue, next)
		}
		if cb.paused {
			e.rest(c, false)
			e.place(c)
			e.markSeeking(c, "callback")
		}
	}
}

// nextOpening is when the queue next opens, if it is closed now, else when it
// next closes; 0 for never.
func (e *Engine) nextOpening(c *call) (at int64, open bool) {
	cal := c.plan.Calendars[c.queue.Hours]
	if cal == nil {
		return 0, true
	}
	cal = cal.For(c.zone())
	now := instant(e.now)
	open = cal.Open(now)
	next, ok := cal.OpensAfter(now)
	if open {
		next, ok = cal.ClosesAfter(now)
	}
	if !ok { // neither within a week: look again then
		next = now.AddDate(0, 0, horizonDays-1)
	}
	return next.UnixMicro(), open
}

// pause takes the place out of the order of those who are served, until an
// instant.
func (e *Engine) pause(c *call, until int64) {
	cb := c.callback
	if !cb.paused {
		e.unplace(c)
		c.wants(nil)
		c.preferDone()
		e.disarm(c, holdDue)
		e.unseek(c)
		e.rest(c, true)
	}
	e.unline(c)
	e.arm(c, callbackDue, until)
}

// rest notes that a place stands in no index, or does again: a reload finds it
// among those.
func (e *Engine) rest(c *call, on bool) {
	c.callback.paused = on
	if on {
		e.resting.Put(queue.Key{ID: int64(c.id)}, c)
	} else {
		e.resting.Delete(queue.Key{ID: int64(c.id)})
	}
}

// dial calls the customer: an agent is reserved and has seen the record, or it
// is done ahead.
func (e *Engine) dial(c *call) {
	cb := c.callback
	cb.dialling = true
	cb.tries++
	out := CallCustomer{Call: c.id, Try: cb.tries, Queue: c.queue.Name, Music: c.queue.Music, Language: c.language(c.plan), Until: instant(e.now + dialFor)}
	if c.agent != nil {
		e.disarmOffer(c)
		c.phase = dialling
		out.Attempt, out.Agent = c.attempt, c.agent.id
	}
	e.arm(c, callbackDue, e.now+dialFor)
	e.act(out)
}

// callAhead calls the customers whose expected wait is nearly over. They keep
// their place in line meanwhile.
func (e *Engine) callAhead() {
	names := e.nearing
	if len(names) > maxNearing {
		from := e.nearingAt % len(names)
		e.nearingAt = from + maxNearing
		names = slices.Concat(names[from:], names[:from])[:maxNearing]
	}
	again := len(names) < len(e.nearing)
	for _, name := range names {
		var list []*call
		e.figure(name).ahead.Ascend(func(c *call) bool {
			e.spend(1)
			if c.phase == waiting && !e.near(c) {
				again = again || e.staffFor(c, 1) > 0
				return false
			}
			if c.phase == waiting {
				list = append(list, c)
			}
			again = again || len(list) == maxAhead
			return len(list) < maxAhead
		})
		for _, c := range list {
			e.spend(indexUnits)
			e.unplace(c)
			c.wants(nil)
			c.preferDone()
			e.disarm(c, holdDue)
			e.unseek(c)
			e.unline(c)
			e.rest(c, true)
			e.dial(c)
			e.line(c)
		}
	}
	e.nearing = slices.DeleteFunc(e.nearing, func(name string) bool { return e.figure(name).ahead.Len() == 0 })
	switch {
	case !again:
		e.timers.disarm(&e.tAhead)
	case !e.tAhead.armed():
		e.timers.arm(&e.tAhead, aheadDue, e.now+aheadEvery)
	}
}

// near says that what is left of the expected wait is under the callback's
// ahead. The age of the first in line is what a whole wait is expected to be;
// where others without a line stand in front it says nothing of them, so that a
// place further back than there are agents is not near.
func (e *Engine) near(c *call) bool {
	w := e.expected(c, e.now)
	if !w.Known {
		return false
	}
	left := time.Duration(w.Seconds) * time.Second
	if w.Method == ByHeadOfLine {
		if position := e.position(c); position > e.staffFor(c, position) {
			return false
		}
		left -= time.Duration(e.now-c.entered) * time.Microsecond
	}
	return left < c.callback.terms.Ahead
}

// followLine keeps the callbacks to be called ahead in the order of their line.
func (e *Engine) followLine(c *call, in bool) {
	cb := c.callback
	if cb == nil || !cb.away || cb.terms.Ahead == 0 {
		return
	}
	f := e.figure(c.queue.Name)
	if !in {
		f.ahead.Delete(c.lineKey())
		return
	}
	if cb.paused {
		return
	}
	f.ahead.Put(c.lineKey(), c)
	if i, found := slices.BinarySearch(e.nearing, c.queue.Name); !found {
		e.nearing = slices.Insert(e.nearing, i, c.queue.Name)
	}
}

// customerAnswered: the customer is on the line. The agent's phone is called,
// or the call returns to its very place.
func (e *Engine) customerAnswered(ev CustomerAnswered) {
	c := e.calls[ev.Call]
	if c == nil || !c.isAway() || !c.callback.dialling || c.callback.tries != ev.Try {
		e.act(DropCustomer{ev.Call, ev.Try, dropStale})
		return
	}
	cb := c.callback
	e.disarm(c, callbackDue)
	e.disarm(c, callbackOver)
	e.unpromise(c)
	e.unline(c)
	cb.dialling, cb.away = false, false
	e.rest(c, false)
	e.countWaiting(c)
	e.act(CallbackReached{c.id, ev.Try})
	e.line(c)
	// From now on there is a caller again who can be left alone, or closed upon.
	c.unmark(nobodyMark + c.queue.Name)
	c.unmark(closedMark + c.queue.Name)
	e.armNobody(c)
	e.armClose(c)
	e.armSay(c)
	switch {
	case c.phase != dialling:
		e.place(c)
		e.markSeeking(c, "callback")
		if e.superseded(c) {
			e.renew(c)
		}
	case cb.auto:
		cb.auto = false
		e.ringAccepted(c, e.now+c.queue.RingTimeout.Microseconds())
	default:
		e.ring(c, cb.unacked)
	}
}

// customerMissed: the customer could not be reached.
func (e *Engine) customerMissed(ev CustomerMissed) {
	c := e.calls[ev.Call]
	if c == nil || !c.isAway() || !c.callback.dialling || c.callback.tries != ev.Try {
		return
	}
	why := missedFailed
	switch ev.Code {
	case 486, 600:
		why = missedBusy
	case 408, 480, 487:
		why = missedNoAnswer
	case 603:
		why = missedRefused
	case 0:
		why = missedUncalled
	}
	e.missed(c, why)
}

// missed gives the reserved agent back, and calls again later: the turn stays.
func (e *Engine) missed(c *call, why string) {
	cb := c.callback
	cb.dialling = false
	e.disarm(c, callbackDue)
	cb.again = e.now + cb.terms.Retry.Microseconds()
	if why == missedUncalled {
		cb.again = e.now + cb.afterVain()
	} else {
		cb.missed++
	}
	a := c.agent
	if c.phase == dialling {
		e.withdraw(c, "customer_"+why)
	}
	over := cb.spent()
	e.actMissed(c, why)
	if over != "" {
		e.end(c, Expired, ByServer, over)
	}
	if a != nil {
		e.release(a, false) // no fault of hers
	}
	if over == "" {
		e.rest(c, true)
		e.unline(c)
		e.resume(c)
	}
}

// actMissed tells that the customer was not reached, and when he is called again.
func (e *Engine) actMissed(c *call, why string) {
	out := CallbackMissed{Call: c.id, Try: c.callback.tries, Why: why}
	if c.callback.spent() == "" {
		out.Again = instant(c.callback.again)
	}
	e.act(out)
}

// spent is why the customer is called no more, "" while he is.
func (cb *callback) spent() string {
	switch {
	case cb.over:
		return "expires"
	case cb.missed >= cb.terms.Attempts:
		return "attempts"
	case cb.vain() >= maxVain:
		return "our_side"
	}
	return ""
}

// vain is how many calls to the customer, all over, were none of the attempts.
func (cb *callback) vain() int { return cb.tries - cb.missed }

// afterVain is how long nobody calls the customer after the last of them.
func (cb *callback) afterVain() int64 {
	retry := cb.terms.Retry.Microseconds()
	return max(retry, min(retry<<(max(min(cb.vain(), maxVain), 1)-1), longVain))
}

// callbackExpired: the time that was promised is over. An agent who has the
// record, or a customer whose phone rings, is waited for.
func (e *Engine) callbackExpired(c *call) {
	if c.phase != waiting || c.callback.dialling {
		c.callback.over = true
		return
	}
	e.end(c, Expired, ByServer, "expires")
}

// callbackCancelled ends a place, wherever it stands: offered, or being dialled.
func (e *Engine) callbackCancelled(ev CallbackCancelled) {
	if c := e.calls[ev.Call]; c != nil && c.isAway() {
		e.end(c, Expired, ByServer, ev.Reason)
	}
}

// undial ends the call to the customer: the agent who was reserved is not there
// any more, or the place is over. That is none of the attempts, which are what the
// customer was promised; but his telephone may have rung, so it is left alone for
// as long as after one.
func (e *Engine) undial(c *call, why string) {
	cb := c.callback
	if cb == nil || !cb.dialling {
		return
	}
	cb.dialling, cb.auto, cb.dropped = false, false, true
	cb.again = e.now + cb.afterVain()
	e.disarm(c, callbackDue)
	e.act(DropCustomer{c.id, cb.tries, why})
}

package routing

import (
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
)

// Times of the table of section 11, in microseconds.
const (
	second       = int64(time.Second / time.Microsecond)
	barTime      = 60 * second
	busyTime     = 30 * second
	oursTime     = 5 * second // a fault of our own, that may pass
	probeEvery   = 10 * second
	refuseWindow = 600 * second
	maxRefusals  = 3
	answerGrace  = 5 * second // for the phone, once Answer was pressed
)

// offerTo reserves an agent for a call and sends the record ahead. The phone
// stays silent until the desk acks, or its time is over.
func (e *Engine) offerTo(c *call, a *agent, r Reason) {
	step := max(c.demand.fits(a.profile), 0)
	r.Step, r.Skipped = c.demand.number(step), c.skippedSteps()
	if c.key.Turn == ceilingTurn {
		r.Ceiling = instant(c.peak)
	}
	r.Rule, r.Policy, r.CameBack, r.Version = c.rule(), c.queue.Choose, int(c.came), c.plan.Version
	if r.Prefer == "" {
		r.Terms = e.terms(c, a, step, r.Trigger == "agent_free")
	}
	e.pickGroup(c, a, &r)
	r.LeftOut = e.leftOut(c, a, step, maxExplained)
	e.watchDecision(c, a, Given, r)
	e.unseek(c)
	e.unplace(c)
	c.wants(nil)
	e.disarm(c, holdDue)
	c.someFront = false // of a group before, which somebody answered
	e.send(c, a, r)
	e.offerGroup(c, r)
}

// send makes one offer: the record goes ahead.
func (e *Engine) send(c *call, a *agent, r Reason) {
	e.spend(16 * indexUnits)
	e.noteOffer(c, a)
	c.tries++
	c.attempt = c.tries
	c.agent, a.call = a, c
	e.figure(c.queue.Name).occupied++
	c.phase, c.rang, c.onHold = popped, false, false
	o := OfferCall{
		Offer: c.offer(), Queue: c.queue.Name, Topic: c.topic, Mode: RingAuto, NoDesk: !a.desk,
		Lead: c.queue.Pop.Lead, Ring: c.queue.RingTimeout, Reason: r,
	}
	if c.queue.Pop.OnAccept {
		o.Mode = RingOnAccept
	}
	o.Consult = c.asksAbout()
	if cb := c.callback; c.calledBack() {
		o.Callback = &CalledBack{instant(cb.taken), instant(c.since), cb.tries}
	}
	if !o.NoDesk {
		o.AckBy = instant(e.now + c.queue.Pop.Deadline.Microseconds())
	}
	e.act(o)
	e.setState(a, agents.Offered, "", 0)
	if o.NoDesk {
		e.ring(c, true)
		return
	}
	e.armOffer(c, popDue, e.now+c.queue.Pop.Deadline.Microseconds())
}

// popAcked: the record is on the agent's screen. The phone may ring, once the
// queue's lead is over.
func (e *Engine) popAcked(c *call, ev PopAcked) {
	if c.phase != popped {
		return // an ack again, or after the deadline: only counted
	}
	if c.queue.Pop.Painted && ev.Mode != Painted {
		return // hidden: it must first be looked at
	}
	if lead := c.queue.Pop.Lead.Microseconds(); lead > 0 {
		c.phase = leading
		e.armOffer(c, leadDue, e.now+lead)
		return
	}
	e.leadOver(c)
}

// leadOver rings the phone, or lets the agent press Answer.
func (e *Engine) leadOver(c *call) {
	if !c.queue.Pop.OnAccept || !c.agent.def.Phone.AutoAnswer {
		e.ring(c, false)
		return
	}
	c.phase = accepting
	due := e.now + c.queue.RingTimeout.Microseconds()
	e.armOffer(c, ringDue, due)
	e.act(MayAccept{c.offer(), instant(due)})
}

// ring calls the agent's phone, to ring as it always does.
func (e *Engine) ring(c *call, unacked bool) {
	if c.isAway() {
		c.callback.unacked = unacked
		e.dial(c)
		return
	}
	c.phase = ringing
	due := e.now + c.queue.RingTimeout.Microseconds()
	r := Ring{Offer: c.offer(), Unacked: unacked, Until: instant(due), Group: len(c.also) > 0}
	if c.queue.Pop.OnAccept {
		r.Why = "phone_cannot"
		if unacked {
			r.Why = "no_ack"
		}
	}
	e.armOffer(c, ringDue, due)
	e.act(r)
	e.setState(c.agent, agents.Ringing, "", 0)
}

// offerAccepted calls the phone with auto-answer.
func (e *Engine) offerAccepted(c *call) {
	if c.phase != accepting {
		e.act(Refused{c.offer(), OfferAccepted{}.Kind(), "not_now"})
		return
	}
	if c.isAway() {
		c.callback.auto = true
		e.dial(c)
		return
	}
	e.ringAccepted(c, max(c.offerDue(), e.now+answerGrace))
}

// ringAccepted calls the phone of an agent who has pressed Answer.
func (e *Engine) ringAccepted(c *call, due int64) {
	c.phase = ringing
	e.armOffer(c, ringDue, due)
	e.act(Ring{Offer: c.offer(), AutoAnswer: true, Until: instant(due), Group: len(c.also) > 0})
	e.setState(c.agent, agents.Ringing, "", 0)
}

// popLate: the desk has not acked in time.
func (e *Engine) popLate(c *call) {
	p := c.queue.Pop
	if p.Late == LateRingAnyway {
		e.ring(c, true)
		return
	}
	if p.Late == LateNextAgent && len(c.also) == 0 {
		if other, _ := e.bestAgent(c, c.agent); other == nil {
			e.ring(c, true)
			return
		}
	}
	a := e.withdraw(c, "desk_silent")
	b := e.bar(c, a)
	if p.Late == LateHold {
		b.untilDesk = true
		a.deskBars = append(a.deskBars, b)
	}
	e.release(a, true)
	e.back(c, false)
}

// noAnswer: the phone rang out, or Answer was never pressed.
func (e *Engine) noAnswer(c *call) {
	rona := c.queue.RONA
	a := e.withdraw(c, agents.ReasonRONA)
	a.rona++
	e.bar(c, a)
	if rona.NotReady && a.rona >= max(rona.After, 1) {
		a.rona = 0
		e.sideline(a, agents.ReasonRONA, e.backBy(a, rona.BackAfter))
	} else {
		e.release(a, true)
	}
	e.back(c, true)
}

// deskless is how long the phone of an agent who can't come back by hand is left
// alone.
const deskless = 60 * second

// backBy is when an agent made Not ready is Available again; 0: by hand.
func (e *Engine) backBy(a *agent, after time.Duration) int64 {
	switch {
	case after > 0:
		return e.now + after.Microseconds()
	case !a.def.Desk && !a.desk:
		return e.now + deskless
	}
	return 0
}

// offerRefused: the agent declined at the desk.
func (e *Engine) offerRefused(c *call) {
	if !c.phase.offered() {
		e.act(Refused{c.offer(), OfferRefused{}.Kind(), "not_now"})
		return
	}
	e.refused(c)
}

func (e *Engine) refused(c *call) {
	a := e.withdraw(c, "refused")
	e.bar(c, a)
	a.refusals = append(a.refusals, e.now)
	a.refusals = slices.DeleteFunc(a.refusals, func(at int64) bool { return at <= e.now-refuseWindow })
	if len(a.refusals) >= maxRefusals {
		a.refusals = nil
		e.sideline(a, agents.ReasonRefusing, e.backBy(a, 0))
	} else {
		e.release(a, true)
	}
	e.back(c, true)
}

// phoneFailed: the phone refused, is busy, or cannot be reached.
func (e *Engine) phoneFailed(c *call, ev PhoneFailed) {
	if c.phase != ringing {
		return
	}
	switch {
	case ev.Unconfirmed:
		e.noAnswer(c)
	case ev.Code == 603 || ev.Code == 486 && c.rang:
		e.refused(c)
	case ev.Code == 486 || ev.Code == 600:
		a := e.withdraw(c, agents.ReasonPhoneBusy)
		e.bar(c, a).until(e, busyTime)
		e.sideline(a, agents.ReasonPhoneBusy, e.now+busyTime)
		e.back(c, true)
	case ev.Code == 488 || ev.Code == 415 || ev.Code == 606:
		// The phone does not speak what this caller does; the next may.
		a := e.withdraw(c, "join_failed")
		e.bar(c, a)
		e.release(a, true)
		e.back(c, true)
	case ev.Code == 0:
		a := e.withdraw(c, "join_failed")
		e.bar(c, a).until(e, oursTime)
		e.release(a, true)
		e.back(c, true)
	default:
		a := e.withdraw(c, agents.ReasonUnreachable)
		e.sideline(a, agents.ReasonUnreachable, e.unreachableUntil(a))
		if a.reason == agents.ReasonUnreachable && e.asks(a, ev.Code) { // else she is away by her own wish
			e.timers.arm(&a.tProbe, probeDue, e.now+probeEvery)
		}
		e.back(c, true)
	}
}

// withdraw ends the offer that is out and gives back its agent, who still
// stands as Offered or Ringing.
func (e *Engine) withdraw(c *call, why string) *agent {
	a := c.agent
	e.disarmOffer(c)
	if c.phase == dialling {
		e.undial(c, why)
	}
	e.act(Withdraw{c.offer(), why})
	if c.isQuestion() {
		c.consult.why = why
	}
	c.agent, a.call = nil, nil
	e.vacate(c.queue)
	c.phase = waiting
	return a
}

// back returns a call whose offer failed to its queue: in front, up to three
// times, or in its place. While others of its group are out it stays with them.
func (e *Engine) back(c *call, front bool) {
	c.failed++
	front = front || c.someFront
	if c.someFront = front; e.carryOn(c) {
		return
	}
	c.someFront = false
	if front {
		c.came++
		c.front = c.came <= maxCameBack
	}
	c.preferDone()
	e.place(c)
	if e.grantWish(c) {
		return // whatever else fell due meanwhile
	}
	switch {
	case c.blind && (c.toAgent || !c.deadline(returnDue).armed()):
		e.unanswered(c)
	case e.superseded(c):
		e.renew(c)
	case c.late && !c.reread:
		e.reconsider(c)
	}
	if c.phase == waiting {
		e.overdue(c)
	}
	if c.phase == waiting {
		e.markSeeking(c, "came_back")
	}
	e.callbackOwed(c)
}

// overdue does what fell due while the offer was out, or after eight offers
// that failed.
func (e *Engine) overdue(c *call) {
	if p := c.pending; p != nil {
		c.pending = nil
		e.treatWhenFree(c, p.why, p.then)
	} else if c.failed >= maxFailed && !c.gaveUp && c.queue.Late != nil && !c.isAway() {
		c.gaveUp = true
		e.treatWhenFree(c, "late", c.queue.Late.Then)
	}
}

// bar keeps the agent from the call for a minute.
func (e *Engine) bar(c *call, a *agent) *bar {
	b := &bar{timer: timer{call: c, agent: a}}
	c.bars = append(c.bars, b)
	e.timers.arm(&b.timer, barDue, e.now+barTime)
	return b
}

func (b *bar) until(e *Engine, length int64) { e.timers.arm(&b.timer, barDue, e.now+length) }

// unbar ends the bars of an agent for a call.
func (e *Engine) unbar(c *call, a *agent, trigger string) {
	c.bars = slices.DeleteFunc(c.bars, func(b *bar) bool {
		if b.agent != a {
			return false
		}
		e.dropBar(b)
		return true
	})
	if c.phase == waiting {
		e.markSeeking(c, trigger)
	}
}

func (e *Engine) dropBar(b *bar) {
	e.timers.disarm(&b.timer)
	if b.untilDesk {
		b.agent.deskBars = slices.DeleteFunc(b.agent.deskBars, func(o *bar) bool { return o == b })
	}
}

package routing

import (
	"slices"

	"github.com/cordboard/cordboard/routing/rule"
)

// Marks of what a visit to a queue has done once.
const (
	lateMark   = "late:"
	nobodyMark = "nobody:"
	closedMark = "closed:"
)

// treatWhenFree treats a waiting call; an offer that is out is finished first.
func (e *Engine) treatWhenFree(c *call, why string, t rule.Treatment) {
	if c.phase.offered() {
		if c.pending == nil {
			c.pending = &pendingTreat{why, t}
		}
		return
	}
	if c.phase != waiting {
		return
	}
	c.mark(why + ":" + c.queue.Name)
	e.treat(c, why, t)
}

// treat sends a call where the treatment says. It says false, and does
// nothing, when that is a queue which the call has been in: no call goes in a
// circle.
func (e *Engine) treat(c *call, why string, t rule.Treatment) bool {
	if c.isQuestion() { // what a queue does to callers is not for agents
		e.consultOver(c, ByServer, why)
		return true
	}
	if t = e.instead(c, t); !c.canGo(t) {
		return false
	}
	if t.Queue != "" {
		c.moves++
	}
	if cb := c.callback; t.Callback && cb != nil {
		cb.left = c.demand != nil
	}
	e.leave(c)
	e.disarm(c, returnDue)
	c.blind, c.toAgent, c.passedBy = false, false, nil
	if t.Play != "" {
		e.hears(c)
		c.phase, c.treatment, c.trigger = treated, &t, why
		e.actTreat(c, Treat{Why: why, Play: t.Play})
		return true
	}
	if t.Callback { // possible: that was asked while it stood in its queue
		e.offerInstead(c, why, t)
		return true
	}
	e.finishTreatment(c, why, t)
	return true
}

// actTreat tells of a treatment, and of the route that the call has come by.
func (e *Engine) actTreat(c *call, out Treat) {
	out.Call, out.Rule, out.Topic, out.Tag, out.Language = c.id, c.rule(), c.topic, c.said.tag, c.language(c.plan)
	e.act(out)
}

// canGo is false for a queue that the call has been in, or one move too many.
func (c *call) canGo(t rule.Treatment) bool {
	return t.Queue == "" || !slices.Contains(c.visited, t.Queue) && c.moves < maxMoves
}

func (c *call) music() string {
	if c.queue == nil {
		return ""
	}
	return c.queue.Music
}

// treatmentPlayed: the announcement is over.
func (e *Engine) treatmentPlayed(ev TreatmentPlayed) {
	if c := e.calls[ev.Call]; c != nil && c.phase == treated && !c.asksBack() {
		e.finishTreatment(c, c.trigger, *c.treatment)
	}
}

func (e *Engine) finishTreatment(c *call, why string, t rule.Treatment) {
	switch {
	case t.Callback && e.mayOffer(c):
		e.offerInstead(c, why, t)
	case t.Callback:
		e.refuseInstead(c, why, t)
	case t.Queue != "":
		c.add("overflow:"+t.Queue, t.PriorityAdd)
		e.enter(c, t.Queue, why, nil)
	case t.Number != "":
		e.sendAway(c, why, t)
	case t.Voicemail != "":
		e.takeMessage(c, why, t)
	case t.Reject != 0 && !c.answered:
		e.actTreat(c, Treat{Why: why, Reject: t.Reject})
		e.endWith(c, EndCall{Call: c.id, Outcome: Rejected, By: ByServer, Reason: why, Code: t.Reject})
	default:
		if t.Play == "" {
			e.actTreat(c, Treat{Why: why})
		}
		outcome := Treated
		if c.talked {
			outcome = Answered
		}
		e.endWith(c, EndCall{Call: c.id, Outcome: outcome, By: ByServer, Reason: why})
	}
}

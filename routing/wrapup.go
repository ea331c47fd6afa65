package routing

import (
	"slices"

	"github.com/cordboard/cordboard/agents"
)

// wrap is an agent's after-call work. It belongs to the agent: no queue offers
// anything until it ends.
type wrap struct {
	offer  Offer
	policy WrapUpPolicy
	queue  string
	set    []Disposition
}

// startWrapUp begins when the agent leaves the call, also by transfer.
func (e *Engine) startWrapUp(c *call, a *agent) {
	q := c.queue
	p, set := q.WrapUp, q.Dispositions
	if c.isQuestion() { // there is nothing to tick
		p.Disposition, p.Hold, set = "off", false, ""
	}
	a.wrap = &wrap{*c.last, p, q.Name, c.plan.Sets[set]}
	due := e.now + p.Time.Microseconds()
	started := WrapUpStarted{Offer: *c.last, Disposition: p.Disposition, Set: set}
	if !p.Hold {
		started.Until = instant(due)
	}
	e.act(started)
	if !p.Hold && due == e.now {
		e.finishWrapUp(a, "")
		return
	}
	until := int64(0)
	if !p.Hold {
		until = due
		e.timers.arm(&a.tMain, agentDue, due)
	}
	e.setState(a, agents.WrapUp, "", until)
}

// wrapUpEnded: the agent is done, with the disposition given.
func (e *Engine) wrapUpEnded(ev WrapUpEnded) {
	a := e.agents[ev.Agent]
	switch {
	case a != nil && a.call != nil && a.call.id == ev.Call && a.call.attempt == ev.Attempt:
		e.act(Refused{ev.Offer, ev.Kind(), "not_now"})
	case a == nil || a.wrap == nil || a.wrap.offer != ev.Offer:
		e.act(Refused{ev.Offer, ev.Kind(), "stale"})
	case ev.Disposition == "" && a.wrap.policy.Disposition == "required":
		e.act(Refused{ev.Offer, ev.Kind(), "disposition_required"})
	case ev.Disposition != "" && !a.wrap.knows(ev.Disposition):
		e.act(Refused{ev.Offer, ev.Kind(), "unknown_target"})
	default:
		e.finishWrapUp(a, ev.Disposition)
	}
}

func (w *wrap) knows(id string) bool {
	return w.set == nil || slices.ContainsFunc(w.set, func(d Disposition) bool { return d.ID == id })
}

func (e *Engine) finishWrapUp(a *agent, disposition string) {
	o := a.wrap.offer
	a.wrap = nil
	e.timers.disarm(&a.tMain)
	e.act(WrapUpFinished{o, disposition})
	e.release(a, true)
}

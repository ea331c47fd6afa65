package routing

import (
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

// Who a route or queue may prefer besides agents by name.
const (
	whoManager = "account_manager"
	whoLast    = "last_agent"
)

// preference is one entry of a call's list: agents waited for.
type preference struct {
	kind   string // account_manager, last_agent, topic, agent
	agents []*agent
	wait   int64
	waived bool // the need is not asked, exclusions are
	hold   bool // also while they are away
	until  int64
	told   bool
}

// preferences resolves a call's list: the specialists of its topic first, then
// what the route prefers, else the queue.
func (e *Engine) preferences(c *call, list []rule.Prefer) []preference {
	var out []preference
	if t := c.plan.Topics[c.topic]; t != nil && len(t.Specialists) > 0 && t.Queue == c.queue.Name {
		p := preference{kind: "topic", wait: t.Wait.Microseconds()}
		for _, id := range t.Specialists {
			if a := e.agents[id]; a != nil {
				p.agents = append(p.agents, a)
			}
		}
		out = append(out, p)
	}
	if list == nil {
		list = c.queue.Prefer
	}
	for _, r := range list {
		kind, id := "agent", r.Who
		switch r.Who {
		case whoManager:
			kind, id = whoManager, c.known().AccountManager
		case whoLast:
			kind, id = whoLast, c.known().LastAgent
			days := c.known().LastContactDays
			if r.Within > 0 && days != rule.Missing && days > int(r.Within/(24*time.Hour)) {
				id = ""
			}
		}
		var until int64
		if c.given != nil && kind == r.Who { // whom the record named
			var asked agents.ID
			asked, until = c.given.preferred(kind)
			id = string(asked)
		}
		if a := e.agents[agents.ID(id)]; a != nil && id != "" {
			out = append(out, preference{kind: kind, agents: []*agent{a}, wait: r.Wait.Microseconds(), waived: r.Waived, hold: r.Hold, until: until})
		}
	}
	return out
}

// prefers says that the agent is one of those whom the call asks for now.
func (c *call) prefers(a *agent) bool {
	p := c.preferring()
	return p != nil && slices.Contains(p.agents, a)
}

// waives says that the call asks for the agent whatever its need: exclusions
// hold all the same.
func (c *call) waives(a *agent) bool {
	return c.prefers(a) && c.preferring().waived && !c.demand.reqs[0].Excludes(a.profile.skills)
}

// preferred asks the call's preferred agents, one entry after the other. It
// says whether the call is taken care of: offered, or holding.
func (e *Engine) preferred(c *call) bool {
	for c.preferring() != nil {
		p := c.preferring()
		if p.until == 0 {
			p.until = e.now + p.wait
		}
		best, wanted := e.comesTo(c, p)
		if best != nil {
			e.offerTo(c, best, Reason{Prefer: p.kind, Trigger: c.trigger})
			return true
		}
		if len(wanted) > 0 && e.now < p.until {
			e.holdFor(c, p, wanted)
			return true
		}
		c.wish.at++
		c.trigger = "hold_ended"
	}
	e.unplace(c)
	c.wants(nil)
	e.disarm(c, holdDue)
	e.place(c)
	return false
}

// comesTo is what an entry comes to now: who of its agents is free and has been
// idle longest, nil for nobody, and whom the call would wait for, busy ones first.
func (e *Engine) comesTo(c *call, p *preference) (best *agent, wanted []*agent) {
	full := e.full(c.queue) // then even who is free is waited for
	var back []*agent
	for _, a := range p.agents {
		if !e.suits(c, p, a) {
			continue
		}
		switch {
		case a.state == agents.Available:
			if full && e.mayTake(c, a) {
				wanted = append(wanted, a)
			} else if e.mayTake(c, a) && (best == nil || a.idle().Compare(best.idle()) < 0) {
				best = a
			}
		case a.state.Busy() && !a.asked.leaves() || p.hold && !c.barred(a):
			wanted = append(wanted, a)
		default: // who comes back while it holds for another is the first who is free
			back = append(back, a)
		}
	}
	if len(wanted) > 0 {
		wanted = append(wanted, back...)
	}
	return best, wanted
}

// suits says whether a preferred agent may be waited for: exclusions hold
// always, the need unless it is waived.
func (e *Engine) suits(c *call, p *preference, a *agent) bool {
	if a.gone || c.barred(a) || e.shuns(c, a) {
		return false
	}
	if p.waived {
		return !c.demand.reqs[0].Excludes(a.profile.skills)
	}
	fit := c.demand.fits(a.profile)
	return fit >= 0 && fit <= c.demand.reach(c.step)
}

// holdFor makes a call wait for some agents and nobody else, the first of whom is
// busy.
func (e *Engine) holdFor(c *call, p *preference, wanted []*agent) {
	e.unplace(c)
	c.wants(wanted)
	e.place(c)
	e.arm(c, holdDue, p.until)
	if !p.told {
		p.told = true
		e.watchDecision(c, nil, Holding, Reason{Prefer: p.kind, Trigger: c.trigger})
		e.act(Held{
			Call: c.id, Agent: wanted[0].id, Prefer: p.kind, Until: instant(p.until),
			Reason: Reason{Rule: c.rule(), Prefer: p.kind, Version: c.plan.Version, LeftOut: e.leftOut(c, nil, 0, maxExplained)},
		})
	}
}

// holdOver ends a hold by time: the next entry is asked.
func (e *Engine) holdOver(c *call) {
	if c.phase == waiting {
		e.markSeeking(c, "hold_ended")
	}
}

// recheckOwn asks again for the calls that hold for an agent who has gone away.
func (e *Engine) recheckOwn(a *agent) {
	a.own.Ascend(func(c *call) bool {
		e.markSeeking(c, "hold_ended")
		return true
	})
}

package routing

import (
	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/match"
)

// How many agents an explanation names: a decision must not cost the size of
// the centre.
const (
	maxExplained = 50
	maxBlocked   = 20
	maxTerms     = 5
)

// leftOut says of each signed-in agent, up to a limit and by id, why the call
// is not theirs. chosen is nil while nobody is chosen, step the one that
// admitted the chosen.
func (e *Engine) leftOut(c *call, chosen *agent, step, limit int) []LeftOut {
	var out []LeftOut
	for _, a := range e.roster {
		if a == chosen {
			continue
		}
		if len(out) == limit {
			break
		}
		if code := e.whyNot(c, a, chosen, step); code != "" {
			out = append(out, LeftOut{a.id, code})
		}
	}
	return out
}

// whyNot is the one code that keeps the agent from the call, "" for a free
// agent who may take it.
func (e *Engine) whyNot(c *call, a, chosen *agent, step int) string {
	fit := c.demand.fits(a.profile)
	if reach := c.demand.reach(c.step); fit < 0 || fit > reach {
		if _, code := c.demand.reqs[reach].Fits(a.profile.skills, a.profile.team); code != "" {
			return code
		}
		return "later_step"
	}
	switch a.state {
	case agents.NotReady:
		return "away:" + a.reason
	case agents.Offered, agents.Ringing:
		return "ringing"
	case agents.Talking, agents.OnHold:
		return "busy"
	case agents.WrapUp:
		return "wrap_up"
	}
	switch {
	case !a.desk && c.queue.Pop.Late == LateHold:
		return "no_desk"
	case !e.mayTake(c, a):
		return "barred"
	case len(c.wanted) > 0:
		return "held_for:" + string(c.wanted[0].id)
	case chosen == nil:
		return ""
	case fit > step:
		return "later_step"
	}
	return "policy"
}

// terms are the values that decided between the first candidates.
func (e *Engine) terms(c *call, chosen *agent, step int) []Term {
	out := e.term(nil, c, chosen, step)
	for _, p := range c.demand.profiles[step] {
		p.free.Ascend(func(a *agent) bool {
			if a != chosen && e.mayTake(c, a) && len(out) < maxTerms {
				out = e.term(out, c, a, step)
			}
			return len(out) < maxTerms
		})
	}
	return out
}

func (e *Engine) term(out []Term, c *call, a *agent, step int) []Term {
	k := e.candidate(c, a, step)
	switch c.queue.Choose {
	case match.MostSkilled:
		return append(out, Term{a.id, "levels", int64(k.Levels)})
	case match.LeastOccupied:
		return append(out, Term{a.id, "busy_share", int64(k.Share)})
	}
	return append(out, Term{a.id, "idle_s", (e.now - k.IdleSince) / 1e6})
}

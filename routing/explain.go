package routing

import (
	"slices"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/match"
)

// How many agents an explanation names: a decision must not cost the size of
// the centre.
const (
	maxExplained = 50
	maxLooked    = 200 // agents looked at for it
	maxCodes     = 1024
	maxBlocked   = 20
	maxTerms     = 5 // candidates whose terms are told
)

// leftOut says of each signed-in agent, up to a limit and by id, why the call
// is not theirs. chosen is nil while nobody is chosen, step the one that
// admitted the chosen.
func (e *Engine) leftOut(c *call, chosen *agent, step, limit int) []LeftOut {
	roster := e.roster[:min(len(e.roster), maxLooked)]
	e.spend(len(roster))
	out := make([]LeftOut, 0, min(len(roster), limit))
	for _, a := range roster {
		if a == chosen || slices.Contains(e.picked, a) {
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
	if reach := c.demand.reach(c.step); (fit < 0 || fit > reach) && !c.waives(a) {
		if code := c.demand.miss(a.profile, reach); code != "" {
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
	case e.standsBy(c.queue, a.profile.team) && !c.prefers(a):
		return "reserve"
	case !a.desk && c.queue.Pop.Late == LateHold:
		return "no_desk"
	case !e.mayTake(c, a):
		return "barred"
	case e.waitsToTake(a):
		return "pending"
	case c.holdsFor(chosen) && !slices.Contains(c.wanted(), a):
		return "held_for:" + string(c.wanted()[0].id)
	case chosen == nil && e.full(c.queue):
		return "max_talking"
	case chosen == nil:
		return ""
	case fit > step:
		return "later_step"
	case !c.queue.alongside(a.profile, chosen.profile):
		return "reserve"
	}
	return "policy"
}

// holdsFor says that the call waits for some agents and nobody else: it went to one
// of them, or to nobody yet. Where somebody else has it, that is over.
func (c *call) holdsFor(chosen *agent) bool {
	return len(c.wanted()) > 0 && (chosen == nil || slices.Contains(c.wanted(), chosen))
}

// codeKey is a profile and a step of a demand.
type codeKey struct{ profile, step int }

// miss is why a profile does not meet the requirement of a step. It is asked
// for many agents in every decision, and never changes.
func (d *demand) miss(p *profile, step int) string {
	if d.steps != nil {
		for _, l := range d.lacks[step] {
			if !l.holders.has(p.slot) {
				return l.code
			}
		}
	}
	k := codeKey{p.index, step}
	code, known := d.codes[k]
	if !known {
		_, code = d.reqs[step].Fits(p.skills, p.team, p.site)
		if d.codes == nil || len(d.codes) >= maxCodes {
			d.codes = map[codeKey]string{}
		}
		d.codes[k] = code
	}
	return code
}

// terms are the values that decided between the first candidates: an agent who
// takes a call was asked alone.
func (e *Engine) terms(c *call, chosen *agent, step int, takes bool) []Term {
	out, n := e.term(nil, c, chosen, step), 1
	if takes {
		return out
	}
	e.index.freeAt(c.demand, step, func(slot int) bool {
		p := e.index.profiles[slot]
		if !c.queue.alongside(p, chosen.profile) {
			return true
		}
		p.free.Ascend(func(a *agent) bool {
			if a != chosen && e.mayTake(c, a) && n < maxTerms {
				out, n = e.term(out, c, a, step), n+1
			}
			return n < maxTerms
		})
		return n < maxTerms
	})
	return out
}

func (e *Engine) term(out []Term, c *call, a *agent, step int) []Term {
	k := e.candidate(c, a, step)
	switch c.queue.Choose {
	case match.MostSkilled:
		return append(out, Term{a.id, "levels", int64(k.Levels)})
	case match.LeastSkilled:
		return append(out, Term{a.id, "levels", int64(k.Levels)}, Term{a.id, "skills", int64(k.Held)})
	case match.LeastOccupied:
		return append(out, Term{a.id, "busy_share", int64(k.Share)})
	case match.RoundRobin:
		if k.Offered == 0 {
			return append(out, Term{a.id, "offered_s", -1})
		}
		return append(out, Term{a.id, "offered_s", (e.now - k.Offered) / second})
	case match.FewestCalls:
		return append(out, Term{a.id, "calls", int64(k.Calls)})
	}
	return append(out, Term{a.id, "idle_s", (e.now - k.IdleSince) / 1e6})
}

package routing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cordboard/cordboard/agents"
)

// How far an agent is from a call, by what would have to be otherwise: what
// passes by itself before what somebody must do, and both before what must be
// learned or staffed.
const (
	farPolicy = 1 // free, and another was before
	farStep   = 2 // a later step admits
	farSoon   = 3 // ends by itself: wrap-up, a bar, an offer
	farBusy   = 4
	farRule   = 5 // a rule of the queue: held for another, no desk, ...
	farAway   = 6
	farLevel  = 1  // each level that is missing ...
	farSkill  = 10 // ... of a skill, once
	farFact   = 20 // a team, a site, an exclusion
)

// nearest is who of these would have had the call with the least change, and
// all that it takes; nil when nobody is left out.
func (e *Engine) nearest(c *call, chosen *agent, step int, among []*agent) *Counterfactual {
	var best *agent
	var missing []string
	far := 0
	for _, a := range among {
		if a == chosen {
			continue
		}
		m, f := e.missing(c, a, chosen, step)
		if f > 0 && (best == nil || f < far) {
			best, missing, far = a, m, f
		}
	}
	if best == nil {
		return nil
	}
	return &Counterfactual{best.id, missing}
}

// missing is all that keeps an agent from a call, and how far that is; 0 for an
// agent who may take it.
func (e *Engine) missing(c *call, a, chosen *agent, step int) (out []string, far int) {
	add := func(f int, format string, args ...any) {
		far += f
		out = append(out, fmt.Sprintf(format, args...))
	}
	fit, reach := c.demand.fits(a.profile), c.demand.reach(c.step)
	switch {
	case fit < 0:
		codes, f := lacking(c.demand.reqs[reach], a.profile)
		far += f
		out = append(out, codes...)
	case fit >= c.demand.counted:
		add(farStep, "later_step:%d if its condition holds", c.demand.number(fit))
	case fit > reach:
		due := c.entered + c.queue.Steps[c.demand.numbers[fit]-1].After.Microseconds()
		add(farStep, "later_step:%d in %s", c.demand.number(fit), untilText(e.now, max(due, e.now)))
	}
	switch a.state {
	case agents.NotReady:
		add(farAway, "away:%s", a.reason)
	case agents.Offered, agents.Ringing:
		add(farSoon, "ringing")
	case agents.Talking, agents.OnHold:
		add(farBusy, "busy")
	case agents.WrapUp:
		if a.until > e.now {
			add(farSoon, "wrap_up ends in %s", untilText(e.now, a.until))
		} else {
			add(farBusy, "wrap_up")
		}
	}
	for _, b := range c.bars {
		if b.agent == a && b.due > e.now {
			add(farSoon, "barred for %s", untilText(e.now, b.due))
		}
	}
	if far > 0 {
		return out, far
	}
	switch code := e.whyNot(c, a, chosen, step); code {
	case "":
		return nil, 0
	case "policy":
		add(farPolicy, "%s", e.behind(c, a, chosen, step))
	case "later_step":
		add(farStep, "later_step:%d", c.demand.number(fit))
	default:
		add(farRule, "%s", code)
	}
	return out, far
}

// behind says what put the chosen before an agent who was free too.
func (e *Engine) behind(c *call, a, chosen *agent, step int) string {
	mine, best := e.term(nil, c, a, step), e.term(nil, c, chosen, step)
	for i := range min(len(mine), len(best)) {
		if mine[i].Value != best[i].Value {
			return fmt.Sprintf("%s: %s %d, %s has %d", c.queue.Choose, mine[i].Name, mine[i].Value, chosen.id, best[i].Value)
		}
	}
	return c.queue.Choose + ": tie, by idle time and id"
}

// lacking is all that a profile does not have of a requirement.
func lacking(r agents.Requirement, p *profile) (out []string, far int) {
	levels := func(list []agents.Range) (out []string, far int) {
		for _, want := range list {
			has := p.skills.Level(want.Skill)
			switch {
			case has < want.Min:
				out = append(out, fmt.Sprintf("lacks:%s>=%d has %d", want.Skill, want.Min, has))
				far += farSkill + farLevel*int(want.Min-has)
			case want.Max > 0 && has > want.Max:
				out = append(out, fmt.Sprintf("lacks:%s<=%d has %d", want.Skill, want.Max, has))
				far += farSkill + farLevel*int(has-want.Max)
			}
		}
		return out, far
	}
	add := func(more []string, f int) { out, far = append(out, more...), far+f }
	add(levels(r.All))
	if len(r.Any) > 0 {
		var least []string
		best := -1
		for _, set := range r.Any {
			if codes, f := levels(set); best < 0 || f < best {
				least, best = codes, f
			}
		}
		add(least, best)
	}
	for _, skill := range r.None {
		if p.skills.Level(skill) > 0 {
			add([]string{"excluded:" + string(skill)}, farFact)
		}
	}
	if len(r.Speak) > 0 {
		var top agents.Level
		for _, code := range r.Speak {
			top = max(top, p.skills.Level(agents.LanguagePrefix+agents.Skill(code)))
		}
		if top < r.SpeakLevel {
			add([]string{fmt.Sprintf("language:%s>=%d has %d", strings.Join(r.Speak, "|"), r.SpeakLevel, top)}, farSkill+farLevel*int(r.SpeakLevel-top))
		}
	}
	if len(r.Team) > 0 && !slices.Contains(r.Team, p.team) {
		add([]string{"team:" + strings.Join(r.Team, "|")}, farFact)
	}
	if len(r.Site) > 0 && !slices.Contains(r.Site, p.site) {
		add([]string{"site:" + strings.Join(r.Site, "|")}, farFact)
	}
	if far == 0 {
		_, code := r.Fits(p.skills, p.team, p.site)
		add([]string{cmp.Or(code, "does_not_fit")}, farFact)
	}
	return out, far
}

// needWords writes a requirement as the document would: {all: {billing: 3}}.
func needWords(r agents.Requirement) string {
	var parts []string
	set := func(list []agents.Range) string {
		out := make([]string, 0, len(list))
		for _, k := range list {
			level := fmt.Sprint(k.Min)
			if k.Max > 0 {
				level = fmt.Sprintf(`"%d..%d"`, k.Min, k.Max)
			}
			out = append(out, string(k.Skill)+": "+level)
		}
		return "{" + strings.Join(out, ", ") + "}"
	}
	if len(r.All) > 0 {
		parts = append(parts, "all: "+set(r.All))
	}
	if len(r.Any) > 0 {
		sets := make([]string, 0, len(r.Any))
		for _, k := range r.Any {
			sets = append(sets, set(k))
		}
		parts = append(parts, "any: ["+strings.Join(sets, ", ")+"]")
	}
	if len(r.None) > 0 {
		none := make([]string, 0, len(r.None))
		for _, s := range r.None {
			none = append(none, string(s))
		}
		parts = append(parts, "none: ["+strings.Join(none, ", ")+"]")
	}
	if len(r.Speak) > 0 {
		parts = append(parts, fmt.Sprintf("speak: [%s] at %d", strings.Join(r.Speak, ", "), r.SpeakLevel))
	}
	if len(r.Team) > 0 {
		parts = append(parts, "team: ["+strings.Join(r.Team, ", ")+"]")
	}
	if len(r.Site) > 0 {
		parts = append(parts, "site: ["+strings.Join(r.Site, ", ")+"]")
	}
	if len(parts) == 0 {
		return "{}"
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

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

// nearest is who would have had the call with the least change, and all that
// it takes; nil when nobody is left out.
func (e *Engine) nearest(c *call, chosen *agent, step int) *Counterfactual {
	var best *agent
	far := 0
	for _, a := range e.roster {
		if a == chosen || slices.Contains(e.picked, a) {
			continue
		}
		if f := e.missing(c, a, chosen, step, nil); f > 0 && (best == nil || f < far) {
			best, far = a, f
		}
	}
	if best == nil {
		return nil
	}
	out := &Counterfactual{Agent: best.id}
	e.missing(c, best, chosen, step, &out.Missing)
	return out
}

// missing is how far an agent is from a call, 0 for one who may take it. words,
// if wanted, are all that keeps the agent from it.
func (e *Engine) missing(c *call, a, chosen *agent, step int, words *[]string) (far int) {
	add := func(f int, say func() string) {
		far += f
		if words != nil {
			*words = append(*words, say())
		}
	}
	word := func(text string) func() string { return func() string { return text } }
	d := c.demand
	fit, reach := d.fits(a.profile), d.reach(c.step)
	switch {
	case c.waives(a):
	case fit < 0:
		far += lacking(&d.reqs[reach], a.profile, words)
	case fit >= d.counted:
		add(farStep, func() string { return fmt.Sprintf("later_step:%d if its condition holds", d.number(fit)) })
	case fit > reach:
		add(farStep, func() string {
			due := c.entered + c.queue.Steps[d.numbers[fit]-1].After.Microseconds()
			return fmt.Sprintf("later_step:%d in %s", d.number(fit), untilText(e.now, max(due, e.now)))
		})
	}
	switch a.state {
	case agents.NotReady:
		add(farAway, func() string { return "away:" + a.reason })
	case agents.Offered, agents.Ringing:
		add(farSoon, word("ringing"))
	case agents.Talking, agents.OnHold:
		add(farBusy, word("busy"))
	case agents.WrapUp:
		if a.until > e.now {
			add(farSoon, func() string { return "wrap_up ends in " + untilText(e.now, a.until) })
		} else {
			add(farBusy, word("wrap_up"))
		}
	}
	for _, b := range c.bars {
		if b.agent == a && b.due > e.now {
			add(farSoon, func() string { return "barred for " + untilText(e.now, b.due) })
		}
	}
	switch {
	case c.prefers(a):
	case chosen == nil && c.holdsFor(nil) && !slices.Contains(c.wanted(), a):
		add(farRule, func() string { return "held_for:" + string(c.wanted()[0].id) })
	case e.standsBy(c.queue, a.profile.team):
		add(farRule, func() string { return e.standbyWords(c.queue, a.profile.team) })
	}
	if chosen == nil && e.full(c.queue) {
		add(farRule, func() string {
			return fmt.Sprintf("max_talking:%d now %d", c.queue.MaxTalking, e.figure(c.queue.Name).occupied)
		})
	}
	if !a.desk && c.queue.Pop.Late == LateHold {
		add(farRule, word("no_desk"))
	}
	if far > 0 {
		return far
	}
	switch code := e.whyNot(c, a, chosen, step); code {
	case "":
		return 0
	case "policy":
		add(farPolicy, func() string { return e.behind(c, a, chosen, step) })
	case "reserve": // it has joined, and a regular agent was free
		add(farPolicy, func() string { return "reserve: " + string(chosen.id) + " is regular" })
	case "later_step":
		add(farStep, func() string { return fmt.Sprintf("later_step:%d", d.number(fit)) })
	default:
		add(farRule, word(code))
	}
	return far
}

// behind says what put the chosen before an agent who was free too.
func (e *Engine) behind(c *call, a, chosen *agent, step int) string {
	if c.prefers(chosen) && !c.prefers(a) {
		return "preferred: " + string(chosen.id) + " is " + c.preferring().kind
	}
	mine, best := e.term(nil, c, a, step), e.term(nil, c, chosen, step)
	for i := range min(len(mine), len(best)) {
		if mine[i].Value != best[i].Value {
			return fmt.Sprintf("%s: %s %d, %s has %d", c.queue.Choose, mine[i].Name, mine[i].Value, chosen.id, best[i].Value)
		}
	}
	return c.queue.Choose + ": tie, by idle time and id"
}

// lacking is how far a profile is from a requirement that it does not meet, and
// all that it lacks.
func lacking(r *agents.Requirement, p *profile, words *[]string) (far int) {
	far = lackedLevels(r.All, p, words)
	if len(r.Any) > 0 {
		least, best := 0, -1
		for i, set := range r.Any {
			if f := lackedLevels(set, p, nil); best < 0 || f < best {
				least, best = i, f
			}
		}
		far += lackedLevels(r.Any[least], p, words)
	}
	add := func(f int, format string, args ...any) {
		far += f
		if words != nil {
			*words = append(*words, fmt.Sprintf(format, args...))
		}
	}
	for _, skill := range r.None {
		if p.skills.Level(skill) > 0 {
			add(farFact, "excluded:%s", skill)
		}
	}
	if len(r.Speak) > 0 {
		var top agents.Level
		for _, code := range r.Speak {
			top = max(top, p.skills.Level(agents.LanguagePrefix+agents.Skill(code)))
		}
		if top < r.SpeakLevel {
			add(farSkill+farLevel*int(r.SpeakLevel-top), "language:%s>=%d has %d", strings.Join(r.Speak, "|"), r.SpeakLevel, top)
		}
	}
	if len(r.Team) > 0 && !slices.Contains(r.Team, p.team) {
		add(farFact, "team:%s", strings.Join(r.Team, "|"))
	}
	if len(r.Site) > 0 && !slices.Contains(r.Site, p.site) {
		add(farFact, "site:%s", strings.Join(r.Site, "|"))
	}
	if far == 0 {
		_, code := r.Fits(p.skills, p.team, p.site)
		add(farFact, "%s", cmp.Or(code, "does_not_fit"))
	}
	return far
}

// lackedLevels is what a profile lacks of a list of levels.
func lackedLevels(list []agents.Range, p *profile, words *[]string) (far int) {
	for _, want := range list {
		has, say := p.skills.Level(want.Skill), ""
		switch {
		case has < want.Min:
			far += farSkill + farLevel*int(want.Min-has)
			say = ">="
		case want.Max > 0 && has > want.Max:
			far += farSkill + farLevel*int(has-want.Max)
			say = "<="
		}
		if say != "" && words != nil {
			bound := want.Min
			if say == "<=" {
				bound = want.Max
			}
			*words = append(*words, fmt.Sprintf("lacks:%s%s%d has %d", want.Skill, say, bound, has))
		}
	}
	return far
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

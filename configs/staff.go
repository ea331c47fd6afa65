package configs

import (
	"slices"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// checkStaff finds calls that would wait for ever: a queue that no agent of
// the document fits at any step, or for one of its topics, and that has no way
// out (N303). Whoever lists no agents at all is still drawing, and is left be.
func (c *compiler) checkStaff() {
	if len(c.policy.Agents) == 0 || len(c.findings) > 0 {
		return // a need with a mistake in it says nothing about staff
	}
	for _, name := range c.names.queues {
		q := c.policy.Queues[name]
		if q.Late != nil || q.Nobody != nil {
			continue
		}
		if !c.anybody(q, rule.Need{}) {
			c.errorf(c.queues[name].at("need"), "N303", "no agent fits at any step, and there is no way out (late, nobody): calls wait for ever")
			continue
		}
		for _, topic := range c.names.topics {
			t := c.policy.Topics[topic]
			if t.Queue == name && !c.anybody(q, t.Need) {
				c.errorf(c.topicNodes[topic], "N303", "no agent fits at any step of queue %s, which has no way out (late, nobody): calls wait for ever", name)
			}
		}
	}
}

// anybody says whether some agent fits some step of the queue, with what a
// topic adds.
func (c *compiler) anybody(q *routing.Queue, firm rule.Need) bool {
	needs := []agents.Requirement{c.requirement(q, overlay(q.Need, nil), firm)}
	for _, s := range q.Steps {
		needs = append(needs, c.requirement(q, overlay(q.Need, s.Need), firm))
	}
	extra := c.requirement(q, firm, rule.Need{})
	for _, a := range c.policy.Agents {
		if fits, _ := extra.Fits(a.Skills, a.Team); !fits {
			continue
		}
		for i := range needs {
			if fits, _ := needs[i].Fits(a.Skills, a.Team); fits {
				return true
			}
		}
	}
	return false
}

// overlay replaces a need key by key.
func overlay(need rule.Need, over *rule.Need) rule.Need {
	if over == nil {
		return need
	}
	if over.All != nil {
		need.All = over.All
	}
	if over.Any != nil {
		need.Any = over.Any
	}
	if over.None != nil {
		need.None = over.None
	}
	if over.Speak != nil {
		need.Speak = over.Speak
	}
	if over.Team != nil {
		need.Team = over.Team
	}
	return need
}

// requirement is what a need asks when the caller may speak any language of
// the centre. For a skill that the firm addition names too, the addition counts.
func (c *compiler) requirement(q *routing.Queue, need, firm rule.Need) agents.Requirement {
	r := agents.Requirement{Any: need.Any, None: need.None, Team: need.Team, SpeakLevel: q.SpeakLevel}
	for _, want := range need.All {
		if !slices.ContainsFunc(firm.All, func(f agents.Range) bool { return f.Skill == want.Skill }) {
			r.All = append(r.All, want)
		}
	}
	switch {
	case slices.Contains(need.Speak, "any"):
	case slices.Contains(need.Speak, "caller"):
		r.Speak = c.names.languages
	default:
		r.Speak = need.Speak
	}
	return r
}

package configs

import (
	"slices"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// group is every agent with the same skills, team and site: who fits is asked
// once for all of them.
type group struct {
	skills agents.Skills
	team   string
	site   string
	ids    []string // sorted
}

// groups are the agents of the document by what they can do, in order of their
// first id.
func (l *linter) groups() []*group {
	if l.staff != nil {
		return l.staff
	}
	ids := make([]string, 0, len(l.policy.Agents))
	for id := range l.policy.Agents {
		ids = append(ids, string(id))
	}
	slices.Sort(ids)
	by := map[string]*group{}
	l.staff = []*group{}
	for _, id := range ids {
		a := l.policy.Agents[agents.ID(id)]
		key := profileText(a)
		g := by[key]
		if g == nil {
			g = &group{skills: a.Skills, team: a.Team, site: a.Site}
			by[key] = g
			l.staff = append(l.staff, g)
		}
		g.ids = append(g.ids, id)
	}
	return l.staff
}

func profileText(a agents.Agent) string {
	b := append(make([]byte, 0, 64), a.Team...)
	b = append(append(b, 0), a.Site...)
	for _, s := range a.Skills {
		b = append(b, 0)
		b = append(b, s.Skill...)
		b = append(b, 0, byte(s.Level))
	}
	return string(b)
}

// callerLanguages are those a caller of the queue may be spoken to in.
func (l *linter) callerLanguages(q *routing.Queue, firm rule.Need) []string {
	asks := func(n *rule.Need) bool { return n != nil && slices.Contains(n.Speak, "caller") }
	all := asks(&q.Need) || asks(&firm)
	for _, s := range q.Steps {
		all = all || asks(s.Need)
	}
	if all && len(l.names.languages) > 0 {
		return l.names.languages
	}
	return []string{l.policy.DefaultLanguage}
}

// callers are those of a queue whom its calls' needs tell apart: by language,
// and behind these by the site of their region as well.
func (l *linter) callers(q *routing.Queue, firm rule.Need) []routing.Caller {
	var out []routing.Caller
	languages := l.callerLanguages(q, firm)
	sites := []string{""}
	if routing.NeedsSite(q, firm) {
		sites = append(sites, l.regionSites()...)
	}
	for _, site := range sites {
		for _, code := range languages {
			out = append(out, routing.Caller{Language: code, Site: site})
		}
	}
	return out
}

// regionSites are the sites that regions lead to, sorted.
func (l *linter) regionSites() []string {
	var out []string
	for _, name := range l.names.regions {
		if r := l.policy.Regions.Named(name); r != nil && r.Site != "" {
			out = append(out, r.Site)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// anybody says whether some agent fits some step, for a caller.
func (l *linter) anybody(q *routing.Queue, firm rule.Need, who routing.Caller) bool {
	for step := 0; step <= len(q.Steps); step++ {
		if step > 0 && q.Steps[step-1].Need == nil {
			continue
		}
		r := routing.StepRequirement(q, step, firm, who)
		for _, g := range l.groups() {
			if ok, _ := r.Fits(g.skills, g.team, g.site); ok {
				return true
			}
		}
	}
	return false
}

// lintStuck finds calls that would wait for ever: a queue that no agent of the
// document fits at any step, or for one of its topics, and that has no way out
// (N303). Whoever lists no agents at all is still drawing, and is left be.
func (l *linter) lintStuck() {
	if len(l.policy.Agents) == 0 {
		return
	}
	stuck := func(q *routing.Queue, firm rule.Need) bool {
		return !slices.ContainsFunc(l.callers(q, firm), func(who routing.Caller) bool { return l.anybody(q, firm, who) })
	}
	for _, name := range l.names.queues {
		q := l.policy.Queues[name]
		if q.Late != nil || q.Nobody != nil {
			continue
		}
		if stuck(q, rule.Need{}) {
			l.queue(q, "", "N303", "a call that waits for ever", "no agent fits at any step, and there is no way out (late, nobody)")
			continue
		}
		for _, topic := range l.names.topics {
			if t := l.policy.Topics[topic]; t.Queue == name && t.RelaxAfter == nil && stuck(q, t.Need) {
				l.find(l.key("topics", topic), "N303", "topics."+topic, "a call about it that waits for ever",
					"no agent fits at any step of queue %s, which has no way out (late, nobody)", name)
			}
		}
	}
}

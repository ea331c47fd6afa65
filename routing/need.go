package routing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

// mergeNeeds adds a need to another: for a skill named twice the addition's
// level counts, exclusions join, every other key given replaces.
func mergeNeeds(base, add rule.Need) rule.Need {
	out := base
	if add.All != nil {
		out.All = slices.Clone(base.All)
		for _, r := range add.All {
			i := slices.IndexFunc(out.All, func(o agents.Range) bool { return o.Skill == r.Skill })
			if i < 0 {
				out.All = append(out.All, r)
			} else {
				out.All[i] = r
			}
		}
	}
	for _, skill := range add.None {
		if !slices.Contains(out.None, skill) {
			out.None = append(slices.Clone(out.None), skill)
		}
	}
	if add.Any != nil {
		out.Any = add.Any
	}
	if add.Speak != nil {
		out.Speak = add.Speak
	}
	if add.Team != nil {
		out.Team = add.Team
	}
	if add.Site != nil {
		out.Site = add.Site
	}
	return out
}

// stepNeed is a step's need: it replaces the queue's own key by key.
func stepNeed(own rule.Need, step *rule.Need) rule.Need {
	if step == nil {
		return own
	}
	if step.All != nil {
		own.All = step.All
	}
	if step.Any != nil {
		own.Any = step.Any
	}
	if step.None != nil {
		own.None = step.None
	}
	if step.Speak != nil {
		own.Speak = step.Speak
	}
	if step.Team != nil {
		own.Team = step.Team
	}
	if step.Site != nil {
		own.Site = step.Site
	}
	return own
}

// requirement resolves a queue's need with what is firm for one call. Both
// lists of alternatives must be met, so they are multiplied out.
func requirement(need, firm rule.Need, who Caller, level agents.Level) agents.Requirement {
	n := mergeNeeds(need, firm)
	n.Any = product(need.Any, firm.Any)
	r := agents.Requirement{All: n.All, Any: n.Any, None: n.None, Team: n.Team, Site: sitesOf(n.Site, who.Site), SpeakLevel: level}
	for _, code := range n.Speak {
		switch code {
		case "any":
			r.Speak = nil
			return r
		case "caller":
			code = who.Language
		}
		if code != "" && !slices.Contains(r.Speak, code) {
			r.Speak = append(r.Speak, code)
		}
	}
	return r
}

func product(a, b [][]agents.Range) [][]agents.Range {
	if len(a) == 0 {
		return b
	}
	if len(b) == 0 {
		return a
	}
	out := make([][]agents.Range, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			out = append(out, slices.Concat(x, y))
		}
	}
	return out
}

// asksCaller says that the need hangs on the caller's own language.
func asksCaller(n rule.Need) bool { return slices.Contains(n.Speak, "caller") }

// needKey is equal for equal needs.
func needKey(n rule.Need) string {
	if n.All == nil && n.Any == nil && n.None == nil && n.Speak == nil && n.Team == nil && n.Site == nil {
		return ""
	}
	all := slices.Clone(n.All)
	slices.SortFunc(all, func(a, b agents.Range) int { return strings.Compare(string(a.Skill), string(b.Skill)) })
	return fmt.Sprint(all, n.Any, n.None, n.Speak, n.Team, n.Site)
}

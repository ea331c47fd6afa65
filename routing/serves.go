package routing

import (
	"slices"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

// Serves says whether an agent fits the need of a queue, or one of its steps, for
// a caller of the language: whose work its callers are. The site is not asked:
// what is left in a mailbox is not tied to one.
func (q *Queue) Serves(a agents.Agent, language string) bool {
	fits := func(need rule.Need) bool {
		r := agents.Requirement{All: need.All, Any: need.Any, None: need.None, Team: need.Team, SpeakLevel: q.SpeakLevel}
		if !slices.Contains(need.Speak, "any") {
			for _, code := range need.Speak {
				if code == "caller" {
					code = language
				}
				if code != "" {
					r.Speak = append(r.Speak, code)
				}
			}
		}
		ok, _ := r.Fits(a.Skills, a.Team, "")
		return ok
	}
	if fits(q.Need) {
		return true
	}
	return slices.ContainsFunc(q.Steps, func(s Step) bool { return s.Need != nil && fits(stepNeed(q.Need, s.Need)) })
}

package routing

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

// Whose work a queue's callers are: of who fits it or a step, in the caller's
// language, at whatever site.
func TestServes(t *testing.T) {
	q := &Queue{
		SpeakLevel: 5,
		Need:       rule.Need{All: []agents.Range{{Skill: "billing", Min: 5}}, None: []agents.Skill{"trainee"}, Speak: []string{"caller"}, Site: []string{"varna"}},
		Steps:      []Step{{After: time.Second, PriorityAdd: 5}, {After: time.Minute, Need: &rule.Need{All: []agents.Range{{Skill: "billing", Min: 1}}}}},
	}
	for _, c := range []struct {
		skills   agents.Skills
		language string
		want     bool
	}{
		{agents.Skills{{Skill: "billing", Level: 7}, {Skill: "lang_en", Level: 8}}, "en", true},
		{agents.Skills{{Skill: "billing", Level: 2}, {Skill: "lang_en", Level: 8}}, "en", true}, // the step
		{agents.Skills{{Skill: "billing", Level: 7}, {Skill: "lang_en", Level: 8}}, "ru", false},
		{agents.Skills{{Skill: "billing", Level: 7}}, "", true}, // not known: anybody
		{agents.Skills{{Skill: "billing", Level: 7}, {Skill: "lang_en", Level: 8}, {Skill: "trainee", Level: 1}}, "en", false},
		{agents.Skills{{Skill: "lang_en", Level: 8}}, "en", false},
	} {
		if got := q.Serves(agents.Agent{Skills: c.skills, Site: "sofia"}, c.language); got != c.want {
			t.Errorf("%v for %q: %v", c.skills, c.language, got)
		}
	}
}

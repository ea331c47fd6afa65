package app

import (
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
	"github.com/cordboard/cordboard/web"
)

// A message in a language that nobody who serves the queue has is theirs all the
// same; with the first who has it, it is hers.
func TestMessageInNobodysLanguage(t *testing.T) {
	t.Parallel()
	who := func(levels map[agents.Skill]agents.Level) agents.Agent {
		return agents.Agent{Skills: agents.NewSkills(levels)}
	}
	policy := func(more agents.Agent) *routing.Policy {
		return &routing.Policy{
			Route: &rule.Node{Queue: "desk"},
			Queues: map[string]*routing.Queue{"desk": {Name: "desk", SpeakLevel: 5, Need: rule.Need{
				All: []agents.Range{{Skill: "care", Min: 3}}, Speak: []string{"caller"},
			}}},
			Agents: map[agents.ID]agents.Agent{
				"ann": who(map[agents.Skill]agents.Level{"care": 5, agents.LanguagePrefix + "en": 9}),
				"bob": who(map[agents.Skill]agents.Level{"sales": 5, agents.LanguagePrefix + "zh": 9}),
				"mei": more,
			},
		}
	}
	app := &App{rim: &rim{}}
	b := mailboxes{app}
	app.rim.policy.Store(policy(who(map[agents.Skill]agents.Level{"care": 5, agents.LanguagePrefix + "en": 3})))
	for i, want := range map[agents.ID]bool{"ann": true, "mei": true, "bob": false, "eve": false} {
		if got := b.Serves(i, &web.Message{Queue: "desk", Language: "zh"}); got != want {
			t.Errorf("nobody speaks it: %s is shown it: %v", i, got)
		}
	}
	if b.Serves("mei", &web.Message{Queue: "desk", Language: "en"}) {
		t.Error("mei has no level of English, and ann has")
	}
	app.rim.policy.Store(policy(who(map[agents.Skill]agents.Level{"care": 5, agents.LanguagePrefix + "zh": 7})))
	for i, want := range map[agents.ID]bool{"ann": false, "mei": true} {
		if got := b.Serves(i, &web.Message{Queue: "desk", Language: "zh"}); got != want {
			t.Errorf("mei speaks it: %s is shown it: %v", i, got)
		}
	}
}

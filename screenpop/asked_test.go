package screenpop

import (
	"strings"
	"testing"

	"github.com/cordboard/cordboard/routing"
)

// What a desk may answer to a disposition, and how the contact keeps it.
func TestAsked(t *testing.T) {
	for want, answers := range map[string]map[string]string{
		"":                               nil,
		"ticket_id: T-17; when: Monday ": {"when": " Monday ", "ticket_id": "T-17", "why": "  "},
		"case_id: " + strings.Repeat("ш", maxAsked): {"case_id": strings.Repeat("ш", maxAsked)},
	} {
		if got, ok := asked(answers); !ok || got != strings.TrimSpace(want) {
			t.Errorf("%v: %q, %v", answers, got, ok)
		}
	}
	for name, answers := range map[string]map[string]string{
		"no such field": {"ticket": "T-17"}, "the card's own note": {"note": "x"}, "two lines": {"why": "a\nb"},
		"too long": {"why": strings.Repeat("x", maxAsked+1)}, "a control character": {"when": "\x07"},
	} {
		if got, ok := asked(answers); ok {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// Answers are read by the quick reader as by the other.
func TestAskedInAFrame(t *testing.T) {
	const text = `{"call":7,"attempt":1,"disposition":"ticket","answers":{"ticket_id":"T-17","when":"Monday"},"note":"x"}`
	var strictly, quickly wrapUpFrame
	p := simple{rest: []byte(text)}
	p.object(func(key []byte) { quickly.field(&p, key) })
	if !strict([]byte(text), &strictly) || !p.done() || quickly.Answers["ticket_id"] != "T-17" || len(quickly.Answers) != 2 || strictly.Answers["when"] != "Monday" {
		t.Errorf("%+v and %+v", strictly, quickly)
	}
	l := &leg{asked: "ticket_id: T-17"}
	if told(l, "") != "" || told(l, "ticket") != l.asked {
		t.Error("answers go with the disposition that asked for them")
	}
	if len(routing.AskFields) != 7 {
		t.Error("the desk's protocol lists the fields")
	}
}

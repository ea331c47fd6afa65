package web_test

import (
	"context"
	"errors"
	"testing"

	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/web"
)

// Where answers fall short is a supervisor's to see.
func TestAnswerGaps(t *testing.T) {
	var fails error
	s := newSite(t, func(o *web.Options) {
		o.AnswerGaps = func(context.Context) ([]byte, error) { return []byte(`{"unowned":7}`), fails }
	})
	c := s.browser()
	s.login(c, "priya")
	if code, _, _ := s.send(c, "GET", "/api/v1/answers/gaps", ""); code != 403 {
		t.Errorf("an agent: %d", code)
	}
	c = s.browser()
	s.login(c, "boss")
	if code, out, _ := s.send(c, "GET", "/api/v1/answers/gaps", ""); code != 200 || out["unowned"] != 7.0 {
		t.Errorf("a supervisor: %d %v", code, out)
	}
	fails = errors.New("disk full")
	if code, out, _ := s.send(c, "GET", "/api/v1/answers/gaps", ""); code != 500 {
		t.Errorf("from a full disk: %d %v", code, out)
	}
}

// An agent is told of the agent's own answers, and nobody else of any.
func TestDueAnswers(t *testing.T) {
	s := newSite(t, func(o *web.Options) {
		o.DueAnswers = func(_ context.Context, owner string) ([]screenpop.Answer, error) {
			return []screenpop.Answer{{ID: "of-" + owner}}, nil
		}
	})
	c := s.browser()
	if code, _, _ := s.send(c, "GET", "/api/v1/answers/due", ""); code != 401 {
		t.Errorf("nobody: %d", code)
	}
	s.login(c, "priya")
	code, out, _ := s.send(c, "GET", "/api/v1/answers/due", "")
	if list, _ := out["answers"].([]any); code != 200 || len(list) != 1 || list[0].(map[string]any)["id"] != "of-priya" {
		t.Errorf("an agent: %d %v", code, out)
	}
	c = s.browser()
	s.login(c, "boss")
	if code, _, _ := s.send(c, "GET", "/api/v1/answers/due", ""); code != 403 {
		t.Errorf("a supervisor: %d", code)
	}
}

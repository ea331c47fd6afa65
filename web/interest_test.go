package web_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/cordboard/cordboard/web"
)

// What is asked about is a supervisor's to see, over a stated number of weeks.
func TestInterest(t *testing.T) {
	asked := ""
	s := newSite(t, func(o *web.Options) {
		o.Interest = func(_ context.Context, weeks int, services []string) ([]byte, error) {
			asked = fmt.Sprint(weeks, services)
			return []byte(`{}`), nil
		}
	})
	c := s.browser()
	s.login(c, "priya")
	if code, _, _ := s.send(c, "GET", "/api/v1/interest?weeks=26", ""); code != 403 {
		t.Errorf("an agent: %d", code)
	}
	c = s.browser()
	s.login(c, "boss")
	for query, want := range map[string]string{
		"interest?weeks=26": "26 []", "interest?weeks=7": "", "interest?weeks=105": "", "interest": "", "interest?weeks=x": "",
		"interest/hints?weeks=52&service=fibre&service=tv": "52 [fibre tv]", "interest/hints?weeks=52": "", "interest/hints?service=fibre": "",
	} {
		asked = ""
		code, out, _ := s.send(c, "GET", "/api/v1/"+query, "")
		if asked != want || (code == 200) != (want != "") || code != 200 && code != 400 {
			t.Errorf("%s: %d %v, asked %q, want %q", query, code, out, asked, want)
		}
	}
}

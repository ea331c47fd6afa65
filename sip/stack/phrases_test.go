package stack

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// What is not done here is refused with Allow, and what Allow lists is done.
func TestAllowIsWhatIsDone(t *testing.T) {
	l := newLab(t)
	refuse := func(*Message) (int, string) { return 405, "" } // as call control does
	l.h.other.Store(&refuse)
	p := newPeer(t, l.Stack)
	p.ask(ask{method: "OPTIONS", cseq: 1})
	allowed := p.expect("200 OPTIONS").get("Allow")
	if !strings.Contains(allowed, "INVITE, ") {
		t.Fatalf("OPTIONS says Allow %q", allowed)
	}
	for i, method := range []string{"MESSAGE", "REFER", "SUBSCRIBE", "PUBLISH", "DANCE"} {
		p.ask(ask{method: method, cseq: 2 + i})
		no := p.expect("405 " + method)
		if no.get("Allow") != allowed {
			t.Errorf("405 to %s with Allow %q, OPTIONS says %q", method, no.get("Allow"), allowed)
		}
		if strings.Contains(allowed, method) {
			t.Errorf("Allow lists %s, which is refused", method)
		}
		if first := no.first; !strings.HasSuffix(first, " Method Not Allowed") {
			t.Errorf("%s answered %q", method, first)
		}
	}
	q := newPeer(t, l.Stack)
	c, ok := q.establish(l)
	for i, method := range strings.Split(allowed, ", ") {
		switch method {
		case "INVITE", "ACK", "CANCEL", "BYE":
			continue // what a call is made of
		case "PRACK": // of a provisional response alone
			q.ask(ask{method: method, cseq: 100 + i, to: ok.get("To"), extra: "RAck: 1 1 INVITE"})
			q.await("481 PRACK")
			continue
		}
		q.ask(ask{method: method, cseq: 100 + i, to: ok.get("To")})
		if asked := event[Requested](t, c); asked.Request.Method != method {
			t.Errorf("%s came as %s", method, asked.Request.Method)
		} else if err := c.Reply(asked.Request, 200, "", nil, nil); err != nil {
			t.Error(err)
		}
	}
}

// Every code that the program's text answers with has the phrase of its RFC.
func TestCodesHaveTheirPhrase(t *testing.T) {
	answers := regexp.MustCompile(`\b(?:refuse|answer|reply|respond|Reject|Reply)\((?:[a-z.]+, )*([1-6][0-9][0-9])\b`)
	seen := map[int]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range answers.FindAllSubmatch(text, -1) {
			code, _ := strconv.Atoi(string(m[1]))
			seen[code] = true
			if reasons[code] == "" {
				t.Errorf("%s: %d has no phrase", path, code)
			}
		}
		return err
	})
	if err != nil || len(seen) < 15 {
		t.Errorf("%d codes found: %v", len(seen), err)
	}
	for code, phrase := range map[int]string{401: "Unauthorized", 422: "Session Interval Too Small", 423: "Interval Too Brief"} {
		if reasonOf(code) != phrase {
			t.Errorf("%d is %q", code, reasonOf(code))
		}
	}
}

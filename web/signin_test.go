package web_test

import (
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/web"
)

// A sign-in that fails leaves a line with its source: who it was meant for
// stands there only when there is such a user. Guessing without end does not
// fill the log.
func TestFailedSignInsAreLogged(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	s := newSite(t, func(o *web.Options) { o.Log = zap.New(core) })
	fails := func(body string) string {
		t.Helper()
		before := logs.Len()
		s.send(s.browser(), "POST", "/api/v1/session", body)
		var text []string
		for _, e := range logs.All()[before:] {
			m := e.ContextMap()
			text = append(text, fmt.Sprint(e.Level, " ", e.Message, " ", m["source"], " ", m["reason"], " ", m["user"]))
		}
		return strings.Join(text, "\n")
	}
	const line = "warn a sign-in failed 127.0.0.1 "
	for body, want := range map[string]string{
		`{"user":"Priya","password":"wrong horse"}`:   line + "bad_login priya",
		`{"user":"correct horse","password":"priya"}`: line + "bad_login <nil>",
		`{"link":"open-says-me"}`:                     line + "bad_login <nil>",
		`{"user":"priya","password":"correct horse"}`: "",
	} {
		if got := fails(body); got != want {
			t.Errorf("%s logs %q, want %q", body, got, want)
		}
	}
	for _, e := range logs.All() {
		if strings.Contains(fmt.Sprint(e.ContextMap()), "horse") {
			t.Errorf("the log holds what was typed: %v", e.ContextMap())
		}
	}
	for range 300 {
		fails(`{"user":"boss","password":"guess"}`)
	}
	if n := logs.FilterField(zap.String("reason", "too_many")).Len(); n < 10 || logs.Len() > 65 {
		t.Errorf("%d lines of 304 tries, %d of them about too many", logs.Len(), n)
	}
}

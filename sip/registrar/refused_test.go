package registrar

import (
	"fmt"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/agents"
)

// A telephone whose credentials are refused leaves a line that says from where
// and why; the answer is one and the same. Guessing without end does not fill
// the log.
func TestRefusedCredentialsAreLogged(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	w := newWorld(t, func(o *Options) { o.Log = zap.New(core) })
	w.mu.Lock()
	w.agents["eve"] = agents.Agent{ID: "eve", Phone: agents.Phone{Registered: true}}
	w.mu.Unlock()
	for _, c := range []struct{ user, want string }{
		{"ann", "wrong_secret ann"}, {"eve", "no_secret eve"}, {"ann's secret", "unknown_user <nil>"}, {"mia", "unknown_user <nil>"},
	} {
		before := logs.Len()
		want(t, c.user, w.register(c.user, "guess", home), 403)
		said := logs.All()[before:]
		if len(said) != 1 {
			t.Errorf("%s: %d lines", c.user, len(said))
			continue
		}
		m := said[0].ContextMap()
		if got := fmt.Sprint(m["reason"], " ", m["agent"]); got != c.want || m["source"] != "198.51.100.7" || m["transport"] == "" {
			t.Errorf("%s: logged %v, want %s", c.user, m, c.want)
		}
	}
	for i := range 50 {
		for range 5 {
			w.register(fmt.Sprintf("user%d", i), "guess", office)
		}
	}
	if n := logs.FilterMessage("a telephone's credentials were refused").Len(); n > 64 {
		t.Errorf("%d lines of 254 guesses", n)
	}
}

package stack

import (
	"strconv"
	"testing"
	"time"
)

// An INVITE that was refused for load and is sent again, or read late, is refused
// again though there is room by then: its caller has gone on. What he tries anew
// is a call like any other.
func TestRefusedStaysRefused(t *testing.T) {
	l := newLab(t, func(o *Options) { o.MaxCalls = 1 })
	first := newPeer(t, l.Stack)
	c, ok := first.establish(l)
	p := newPeer(t, l.Stack)
	p.repeats() // the second refusal is the first, byte for byte, where chance gives it the same Retry-After
	invite := ask{method: "INVITE", cseq: 1, body: "v=0"}
	branch := p.ask(invite)
	refusal := p.expect("503 INVITE")
	p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: refusal.get("To")})
	first.ask(ask{method: "BYE", cseq: 2, to: ok.get("To")})
	first.expect("200 BYE")
	event[Ended](t, c)
	again := invite
	again.branch = branch
	p.ask(again)
	if m := p.expect("503 INVITE"); m.get("To") != refusal.get("To") {
		t.Errorf("refused again as %s, before as %s", m.get("To"), refusal.get("To"))
	}
	if l.Calls() != 0 || len(l.h.calls) > 0 {
		t.Error("a call that had been refused was taken")
	}
	newPeer(t, l.Stack).establish(l)
}

// What is remembered of refusals is bounded, in time and in number.
func TestRefusalsAreBounded(t *testing.T) {
	const life = 32 * time.Second
	r := newRefusals(life)
	at := time.Unix(1_700_000_000, 0)
	r.add("a", at)
	for _, c := range []struct {
		key   string
		after time.Duration
		want  bool
	}{{"b", 0, false}, {"a", 0, true}, {"a", life - 1, true}, {"a", 2*life - 1, true}, {"a", 2 * life, false}} {
		if got := r.has(c.key, at.Add(c.after)); got != c.want {
			t.Errorf("%s after %v: %v", c.key, c.after, got)
		}
	}
	at = at.Add(time.Hour)
	for i := range 3 * maxRefusals {
		r.add(strconv.Itoa(i), at)
	}
	if n := len(r.now) + len(r.last); n > 2*maxRefusals || n < maxRefusals {
		t.Errorf("%d are remembered", n)
	}
	if !r.has(strconv.Itoa(3*maxRefusals-1), at) || r.has("0", at) {
		t.Error("the newest is forgotten, or the oldest is not")
	}
	if r.has("1", at.Add(time.Hour)) || len(r.now)+len(r.last) > 0 {
		t.Error("an hour later they are still there")
	}
}

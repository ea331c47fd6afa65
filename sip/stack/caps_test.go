package stack

import (
	"net/netip"
	"testing"
	"time"
)

// A trunk over its own cap is refused, whatever room there is, told once in the log
// and counted; another trunk is not, and a call that ends makes room.
func TestCap(t *testing.T) {
	caps := NewCaps(map[string]Cap{"carrier": {Calls: 1}, "pbx": {}})
	l := newLab(t, func(o *Options) {
		o.Allow = netip.Addr.IsLoopback
		o.Caps, o.Groups = caps, 2
		o.Group = func(a netip.Addr) string {
			if a == netip.MustParseAddr("127.0.0.2") {
				return "pbx"
			}
			return "carrier"
		}
	})
	call, ok := newPeer(t, l.Stack).establish(l)
	over := newPeer(t, l.Stack)
	for range 3 {
		over.callID = newName("over")
		over.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
		if no := over.expect("503 INVITE"); no.get("Retry-After") == "" {
			t.Error(no.raw)
		}
	}
	other := peerFrom(t, l.Stack, "127.0.0.2")
	other.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	_ = l.call().Reject(486, "", nil)
	if got := caps.Refused(); got["carrier"] != 3 || len(got) != 1 {
		t.Errorf("refused: %v", got)
	}
	if logged := l.log.FilterMessage("a trunk's calls are refused with 503: it has as many as its cap lets it").All(); len(logged) != 1 || logged[0].ContextMap()["trunk"] != "carrier" {
		t.Errorf("logged: %+v", logged)
	}
	call.Bye(nil)
	_ = ok
	next := newPeer(t, l.Stack)
	next.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	_ = l.call().Reject(486, "", nil)
	if caps.of["carrier"].calls != 0 {
		t.Errorf("%d places are taken", caps.of["carrier"].calls)
	}
}

// So many new calls a second, a second's at once, counted in and out alike.
func TestCapRate(t *testing.T) {
	caps := NewCaps(map[string]Cap{"carrier": {Rate: 10}})
	now := time.Now()
	in := func(after time.Duration) (n int) {
		for range 50 {
			if caps.Enter("carrier", now.Add(after)) {
				n++
				caps.Leave("carrier")
			}
		}
		return n
	}
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{0, 10}, {0, 0}, {300 * time.Millisecond, 3}, {1300 * time.Millisecond, 10}, {time.Hour, 10}} {
		if got := in(c.after); got != c.want {
			t.Errorf("after %v: %d calls, want %d", c.after, got, c.want)
		}
	}
	if none := (*Caps)(nil); !none.Enter("x", now) || len(none.Refused()) != 0 {
		t.Error("no caps refuse")
	}
	if !caps.Enter("of no cap", now) {
		t.Error("a trunk of no cap is refused")
	}
}

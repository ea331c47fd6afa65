package registrar

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/sip/digest"
	"github.com/cordboard/cordboard/sip/stack"
)

// calls is an INVITE of a user from an address.
func (w *world) calls(user string, from netip.AddrPort, headers ...string) *stack.Message {
	m := w.request(user, from, headers...)
	m.Method, m.URI = "INVITE", "sip:bob@desk.example"
	return m
}

// authorized is one that answers a challenge of its own.
func (w *world) authorized(from, user, password string, at netip.AddrPort) *stack.Message {
	w.t.Helper()
	_, a, _ := w.Caller(w.calls(from, at), false)
	return w.calls(from, at, "Authorization: "+authorize(challenged(w.t, a, digest.MD5), user, password, 1, "INVITE", "sip:bob@desk.example"))
}

// Whose phone calls is known by its secret and by where it is registered, never by one
// of the two alone.
func TestCaller(t *testing.T) {
	w := newWorld(t)
	moved := netip.AddrPortFrom(home.Addr(), home.Port()+1)
	want(t, "ann", w.register("ann", "ann's secret", home, "Contact: <sip:ann@198.51.100.7>"), 200)
	want(t, "bob", w.register("bob", "bob's secret", office, "Contact: <sip:bob@192.0.2.20>"), 200)
	for _, c := range []struct {
		name  string
		m     *stack.Message
		trunk bool
		code  int // 0: ann calls
		phone bool
	}{
		{"no credentials", w.calls("ann", home), false, 401, true},
		{"ann", w.authorized("ann", "ann", "ann's secret", home), false, 0, true},
		{"ann, from another port of hers", w.authorized("ann", "ann", "ann's secret", moved), false, 0, true},
		{"a guess", w.authorized("ann", "ann", "guess", home), false, 403, true},
		{"ann's secret, from where she is not", w.authorized("ann", "ann", "ann's secret", office), false, 403, true},
		{"ann in the name of bob", w.authorized("bob", "ann", "ann's secret", home), false, 403, true},
		{"no agent", w.authorized("mia", "mia", "mia's secret", home), false, 403, true},
		{"nobody is told apart from ann by the challenge", w.calls("nobody", home), false, 401, true},
		{"ann, where a trunk is as well", w.authorized("ann", "ann", "ann's secret", home), true, 0, true},
		{"ann's port, where a trunk is as well", w.calls("ann", home), true, 401, true},
		{"another port, where a trunk is as well", w.calls("ann", moved), true, 0, false},
		{"a caller of the trunk that is there as well", w.calls("+447700900417", home), true, 0, false},
	} {
		agent, a, phone := w.Caller(c.m, c.trunk)
		if a.Code != c.code || phone != c.phone || (agent == "ann") != (c.code == 0 && c.phone) {
			t.Errorf("%s: %q %d, a phone: %v", c.name, agent, a.Code, phone)
		}
		if (a.Code == 401) != (len(a.Headers) > 0 && strings.HasPrefix(a.Headers[0].Value, "Digest ")) {
			t.Errorf("%s: %+v", c.name, a)
		}
	}

	// No count of a nonce is taken twice, and one that is old is asked for anew.
	m := w.authorized("ann", "ann", "ann's secret", home)
	if _, a, _ := w.Caller(m, false); a.Code != 0 {
		t.Fatalf("ann: %+v", a)
	}
	if agent, a, _ := w.Caller(m, false); a.Code != 401 || agent != "" {
		t.Errorf("the same once more: %q %+v", agent, a)
	}
	m = w.authorized("ann", "ann", "ann's secret", home)
	w.pass(replayWindow)
	if agent, a, _ := w.Caller(m, false); a.Code != 401 || !strings.Contains(a.Headers[0].Value, "stale=true") || agent != "" {
		t.Errorf("an old nonce: %q %+v", agent, a)
	}

	// Credentials of a REGISTER are none of a call.
	_, a, _ := w.Caller(w.calls("ann", home), false)
	other := w.calls("ann", home, "Authorization: "+authorize(challenged(t, a, digest.MD5), "ann", "ann's secret", 1, "REGISTER", "sip:bob@desk.example"))
	if agent, a, _ := w.Caller(other, false); a.Code != 403 || agent != "" {
		t.Errorf("with a REGISTER's response: %q %+v", agent, a)
	}

	// A registration that has run out is none.
	w.pass(10*time.Minute - replayWindow)
	if agent, a, _ := w.Caller(w.authorized("ann", "ann", "ann's secret", home), false); a.Code != 403 || agent != "" {
		t.Errorf("no longer registered: %q %+v", agent, a)
	}
}

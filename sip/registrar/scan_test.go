package registrar

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/sip/stack"
)

// Who looks for extensions from one address, and has no credentials, keeps no
// telephone from registering, and is named once.
func TestAskingWithoutEnd(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	w := newWorld(t, func(o *Options) { o.Rate, o.Log = 50, zap.New(core) })
	scanner, late, refused := office, 0, 0
	for second := range 20 {
		for i := range 200 {
			switch a := w.Register(w.request(fmt.Sprintf("user%d", i), scanner)); {
			case a.Code != 401 && a.Code != 503:
				t.Fatalf("a scan is answered %+v", a)
			case a.Code == 401 && second > maxAsked:
				late++
			}
		}
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(second)}), 5060)
		if w.Register(w.request("ann", from)).Code != 401 {
			refused++
		}
		w.pass(time.Second)
	}
	if refused > maxAsked+1 {
		t.Errorf("%d of 20 telephones were sent away for it", refused)
	}
	if late > 6*16 {
		t.Errorf("the scan had %d challenges in 16 seconds, after it was found out", late)
	}
	if n := logs.FilterMessageSnippet("asks to register without end").Len(); n != 1 {
		t.Errorf("told %d times", n)
	}
	// Somebody's telephone is behind that address after all.
	w.pass(time.Second)
	want(t, "ann, from there", w.register("ann", "ann's secret", scanner, "Contact: <sip:ann@192.0.2.20>"), 200)
	for i := range 40 {
		want(t, "her office", w.Register(w.request(fmt.Sprintf("user%d", i), scanner)), 401)
	}
}

// A whole office that comes at once, behind one address, is no scan.
func TestOfficeAtOnce(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	w := newWorld(t, func(o *Options) { o.Rate, o.Log = 50, zap.New(core) })
	waiting := map[int]bool{}
	for i := range 400 {
		id := agents.ID(fmt.Sprintf("a%d", i))
		w.agents[id] = agents.Agent{ID: id, Phone: agents.Phone{Registered: true}}
		w.Registrar.secrets.all[string(id)] = NewSecret(string(id), realm, "x")
		waiting[i] = true
	}
	for second := 0; len(waiting) > 0 && second < 20; second++ {
		challenges := map[int]stack.Answer{}
		for i := range waiting { // all of them ask before one answers
			if a := w.Register(w.request(fmt.Sprintf("a%d", i), office)); a.Code == 401 {
				challenges[i] = a
			}
		}
		for i, a := range challenges {
			user := fmt.Sprintf("a%d", i)
			m := w.request(user, office, fmt.Sprintf("Contact: <sip:a@10.0.0.%d:%d>", i%250, 5000+i))
			m.Headers = append(m.Headers, stack.Header{Name: "Authorization", Value: authorize(challenged(t, a, "MD5"), user, "x", 1, "REGISTER", m.URI)})
			want(t, user, w.Register(m), 200)
			delete(waiting, i)
		}
		w.pass(time.Second)
	}
	if len(waiting) > 0 || logs.FilterMessageSnippet("asks to register without end").Len() > 0 {
		t.Errorf("%d still wait; %v", len(waiting), logs.All())
	}
}

// A scan with credentials from one address has some lines, the last of which
// says that it is not heard; one of an IPv6 network has one address.
func TestScanIsNamedOnce(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	w := newWorld(t, func(o *Options) { o.Log = zap.New(core) })
	address := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.MustParseAddr(fmt.Sprintf("2001:db8:1::%x", i+1)), 5060)
	}
	for i := range maxOfSource {
		want(t, "a guess", w.register(fmt.Sprintf("user%d", i), "guess", address(i)), 403)
	}
	if w.Hears(address(1000).Addr(), "REGISTER") {
		t.Error("another address of the same network is heard")
	}
	if !w.Hears(netip.MustParseAddr("2001:db8:2::1"), "REGISTER") {
		t.Error("another network is not heard")
	}
	told := logs.FilterMessageSnippet("not heard for a while").All()
	if len(told) != 1 || told[0].ContextMap()["source"] != address(maxOfSource-1).Addr().String() {
		t.Errorf("told: %v", told)
	}
	if n := logs.Len(); n > maxTold+2 {
		t.Errorf("%d lines", n)
	}
}

package registrar

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/sip/digest"
	"github.com/cordboard/cordboard/sip/stack"
)

func (w *world) ann(from netip.AddrPort, headers ...string) stack.Answer {
	w.t.Helper()
	return w.register("ann", "ann's secret", from, headers...)
}

// RFC 3261 10.3, step by step: what a REGISTER asks for and what it gets.
func TestBindings(t *testing.T) {
	for _, c := range []struct {
		name    string
		headers []string
		code    int
		want    string // the bindings after it, of which there is sip:ann@198.51.100.7 before
	}{
		{"nothing asked", nil, 200, "<sip:ann@198.51.100.7>;expires=600;q=1"},
		{"a second phone", []string{"Contact: <sip:ann@198.51.100.8:5062;transport=tcp>;q=0.5;expires=120"}, 200,
			"<sip:ann@198.51.100.7>;expires=600;q=1, <sip:ann@198.51.100.8:5062;transport=tcp>;expires=120;q=0.5"},
		{"again, longer than granted", []string{`Contact: "Ann \"A\"" <sip:ann@198.51.100.7>`, "Expires: 7200"}, 200, "<sip:ann@198.51.100.7>;expires=600;q=1"},
		{"equal by case", []string{"Contact: <SIP:ann@198.51.100.7>;expires=90"}, 200, "<SIP:ann@198.51.100.7>;expires=90;q=1"},
		{"its own expires before Expires", []string{"Contact: sip:ann@198.51.100.7;expires=100", "Expires: 500"}, 200, "<sip:ann@198.51.100.7>;expires=100;q=1"},
		{"Expires that cannot be read", []string{"Contact: <sip:ann@198.51.100.7>", "Expires: soon"}, 200, "<sip:ann@198.51.100.7>;expires=600;q=1"},
		{"more than fits", []string{"Contact: <sip:ann@198.51.100.7>;expires=99999999999"}, 200, "<sip:ann@198.51.100.7>;expires=600;q=1"},
		{"too short", []string{"Contact: <sip:ann@198.51.100.7>;expires=59"}, 423, "<sip:ann@198.51.100.7>;expires=600;q=1"},
		{"all or none", []string{"Contact: <sip:ann@198.51.100.9>", "Contact: <sip:ann@198.51.100.7>;expires=1"}, 423, "<sip:ann@198.51.100.7>;expires=600;q=1"},
		{"taken back", []string{"Contact: <sip:ann@198.51.100.7>;expires=0"}, 200, ""},
		{"never there", []string{"Contact: <sip:ann@198.51.100.99>", "Expires: 0"}, 200, "<sip:ann@198.51.100.7>;expires=600;q=1"},
		{"all taken back", []string{"Contact: *", "Expires: 0"}, 200, ""},
		{"all, but not back", []string{"Contact: *", "Expires: 60"}, 400, "<sip:ann@198.51.100.7>;expires=600;q=1"},
		{"all, without Expires", []string{"Contact: *"}, 400, "<sip:ann@198.51.100.7>;expires=600;q=1"},
		{"all and one", []string{"Contact: *", "Contact: <sip:ann@198.51.100.7>", "Expires: 0"}, 400, "<sip:ann@198.51.100.7>;expires=600;q=1"},
		{"no SIP URI", []string{"Contact: <tel:+15550100>"}, 400, "<sip:ann@198.51.100.7>;expires=600;q=1"},
		{"a URI that could end a header", []string{"Contact: <sip:ann@198.51.100.7;x=\"\r\n>"}, 400, "<sip:ann@198.51.100.7>;expires=600;q=1"},
		{"no host", []string{"Contact: <sip:ann@>"}, 400, "<sip:ann@198.51.100.7>;expires=600;q=1"},
		{"a bad q", []string{"Contact: <sip:ann@198.51.100.7>;q=2"}, 400, "<sip:ann@198.51.100.7>;expires=600;q=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			want(t, "first", w.ann(home, "Contact: <sip:ann@198.51.100.7>"), 200)
			a := w.ann(home, c.headers...)
			want(t, "second", a, c.code)
			if c.code == 423 && (len(a.Headers) != 1 || a.Headers[0] != stack.Header{Name: "Min-Expires", Value: "60"}) {
				t.Errorf("423 with %v", a.Headers)
			}
			now := w.ann(home)
			if got := contacts(now); got != c.want {
				t.Errorf("bindings %q, want %q", got, c.want)
			}
			if len(w.rows) != len(strings.Split(c.want, ", ")) && c.want != "" || c.want == "" && len(w.rows) > 0 {
				t.Errorf("rows %v", w.rows)
			}
		})
	}
}

// An older request of the same call changes nothing (10.3 step 7), whichever
// way it came late; one of another call counts.
func TestOrder(t *testing.T) {
	w := newWorld(t)
	late := w.request("ann", home, "Contact: *", "Expires: 0")
	other := w.request("ann", home, "Contact: <sip:ann@198.51.100.7>;expires=0")
	want(t, "now", w.ann(home, "Contact: <sip:ann@198.51.100.7>"), 200)
	for name, m := range map[string]*stack.Message{"late *": late, "late removal": other} {
		p := challenged(t, w.Register(w.request("ann", home)), digest.MD5)
		m.Headers = append(m.Headers, stack.Header{Name: "Authorization", Value: authorize(p, "ann", "ann's secret", 1, "REGISTER", m.URI)})
		want(t, name, w.Register(m), 500)
	}
	if got := contacts(w.ann(home)); got == "" {
		t.Error("a late request took the binding back")
	}
	w.cseq = 0 // the phone has started anew
	m := w.request("ann", home, "Contact: <sip:ann@198.51.100.7>;expires=0")
	m.Headers[2].Value = "another call"
	p := challenged(t, w.Register(w.request("ann", home)), digest.MD5)
	m.Headers = append(m.Headers, stack.Header{Name: "Authorization", Value: authorize(p, "ann", "ann's secret", 1, "REGISTER", m.URI)})
	want(t, "another call", w.Register(m), 200)
	if got := contacts(w.ann(home)); got != "" {
		t.Errorf("left: %s", got)
	}
}

// A phone is called where it registered from, not where its Contact says.
func TestFind(t *testing.T) {
	w := newWorld(t)
	is := func(what, uri, transport string, next netip.AddrPort) {
		t.Helper()
		u, tp, n := w.Find("ann")
		if u != uri || tp != transport || n != next {
			t.Errorf("%s: %s %s %s", what, u, tp, n)
		}
	}
	is("nobody", "", "", netip.AddrPort{})
	want(t, "behind NAT", w.ann(home, "Contact: <sip:ann@10.0.0.5:5060>;q=0.5"), 200)
	is("behind NAT", "sip:ann@10.0.0.5:5060", "udp", home)
	m := []string{"Contact: <sip:ann@192.0.2.20:5061;transport=tls>;q=0.9"}
	want(t, "over TLS", w.registerBy(digest.SHA256, "tls", "ann", "ann's secret", office, m...), 200)
	is("the preferred one", "sip:ann@192.0.2.20:5061;transport=tls", "tls", office)
	w.Closed(office)
	is("one that is there", "sip:ann@10.0.0.5:5060", "udp", home)
	w.pass(11 * time.Minute)
	is("all have run out", "", "", netip.AddrPort{})
	// One instance that moves is one phone.
	w.start()
	for port := range 3 {
		from := netip.AddrPortFrom(home.Addr(), uint16(50000+port))
		want(t, "moves", w.ann(from, fmt.Sprintf(`Contact: <sip:ann@10.0.0.5:%d>;+sip.instance="<urn:uuid:1>"`, 6000+port)), 200)
	}
	if got := contacts(w.ann(home)); strings.Count(got, "<sip:") != 1 {
		t.Errorf("an instance has %s", got)
	}
	for n := range 3 * maxBindings {
		want(t, "many", w.ann(home, fmt.Sprintf("Contact: <sip:ann@10.0.0.6:%d>", 7000+n)), 200)
		w.pass(time.Second)
	}
	if got := contacts(w.ann(home)); strings.Count(got, "<sip:") != maxBindings || !strings.Contains(got, ":7014>") {
		t.Errorf("many: %s", got)
	}
	if n := w.heard[home.Addr()]; n != maxBindings {
		t.Errorf("%d bindings counted of the source", n)
	}
}

// Routing hears of a phone once for each change, and again where it waits.
func TestTells(t *testing.T) {
	w := newWorld(t)
	says := func(what, want string) {
		t.Helper()
		if got := w.says(); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	w.ann(home, "Contact: <sip:ann@198.51.100.7>")
	says("registered", "ann true")
	w.ann(home, "Contact: <sip:ann@198.51.100.7>")
	says("refreshed", "")
	w.Awaits("ann", true)
	w.ann(home, "Contact: <sip:ann@198.51.100.7>")
	says("refreshed while routing waits", "ann true")
	w.ann(home, "Contact: <sip:ann@198.51.100.7>")
	says("and no longer", "")
	w.ann(home, "Contact: *", "Expires: 0")
	says("gone", "ann false")
	w.registerBy(digest.MD5, "tcp", "ann", "ann's secret", home, "Contact: <sip:ann@198.51.100.7;transport=tcp>")
	says("over TCP", "ann true")
	w.Closed(office)
	says("another's connection", "")
	w.Closed(home)
	says("its connection", "ann false")
	w.registerBy(digest.MD5, "tcp", "ann", "ann's secret", home, "Contact: <sip:ann@198.51.100.7;transport=tcp>")
	says("again", "ann true")
	w.pass(10 * time.Minute)
	w.look(0)
	says("run out", "ann false")
	w.ann(home, "Contact: <sip:ann@198.51.100.7>")
	w.says()
	w.Reload()
	says("a new document with ann", "ann true")
	w.agents["ann"] = agents.Agent{ID: "ann", Phone: agents.Phone{URI: "sip:ann@192.0.2.1"}}
	w.Reload()
	says("a new document without", "ann false")
	w.look(0)
	says("while nobody asks for it", "")
	w.pass(10 * time.Minute)
	w.look(0)
	says("run out meanwhile", "")
	if len(w.at)+len(w.rows)+len(w.heard)+len(w.up) != 0 {
		t.Errorf("left: %v %v %v %v", w.at, w.rows, w.heard, w.up)
	}
}

// An agent who is taken out of the routing document and put back has the phone
// that registered before, without waiting for its next REGISTER; taken out, it
// is not called, and the registration ends when it runs out, over a restart too.
func TestTakenOutAndPutBack(t *testing.T) {
	ann := agents.Agent{ID: "ann", Phone: agents.Phone{Registered: true}}
	for name, without := range map[string]func(map[agents.ID]agents.Agent){
		"gone": func(m map[agents.ID]agents.Agent) { delete(m, "ann") },
		"another phone": func(m map[agents.ID]agents.Agent) {
			m["ann"] = agents.Agent{ID: "ann", Phone: agents.Phone{URI: "sip:x@192.0.2.1"}}
		},
		"and restarted": func(m map[agents.ID]agents.Agent) { delete(m, "ann") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			want(t, "ann", w.ann(home, "Contact: <sip:ann@198.51.100.7>", "Expires: 300"), 200)
			w.says()
			without(w.agents)
			w.Reload()
			if uri, _, _ := w.Find("ann"); uri != "" || w.says() != "ann false" {
				t.Errorf("taken out: found at %q", uri)
			}
			want(t, "taken out, she registers", w.ann(home, "Contact: <sip:ann@198.51.100.7>"), 403)
			w.pass(2 * time.Minute)
			if name == "and restarted" {
				w.Close()
				w.start()
			}
			w.look(0)
			w.agents["ann"] = ann
			w.Reload()
			if name == "and restarted" {
				w.ping = w
				w.pass(time.Minute)
				for _, b := range w.look(1) { // it must answer once
					w.qualify(b)
				}
			}
			if uri, _, next := w.Find("ann"); uri != "sip:ann@198.51.100.7" || next != home {
				t.Errorf("put back: found at %q %v", uri, next)
			}
			if got := w.says(); got != "ann true" {
				t.Errorf("routing was told %q", got)
			}
			w.pass(3 * time.Minute)
			w.look(0)
			if got := w.says(); got != "ann false" || len(w.at)+len(w.rows) != 0 {
				t.Errorf("after its time: %q, %v", got, w.rows)
			}
		})
	}
}

// A phone that falls silent is found out, and found again.
func TestQualify(t *testing.T) {
	w := newWorld(t)
	w.ann(home, "Contact: <sip:ann@198.51.100.7>")
	w.says()
	w.ping = w
	ask := func(code int) string {
		w.mu.Lock()
		w.life["sip:ann@198.51.100.7"] = code
		w.mu.Unlock()
		w.pass(45 * time.Second)
		w.ann(office) // does not count as a sign of life
		for _, b := range w.look(1) {
			w.qualify(b)
		}
		return w.says()
	}
	for i, c := range []struct {
		code int
		want string
	}{
		{200, ""}, {404, ""}, {486, ""}, {501, ""}, {405, ""},
		{408, ""}, {408, "ann false"}, {408, ""}, {200, "ann true"},
		{408, ""}, {200, ""}, {408, ""}, {503, "ann false"}, {480, ""}, {481, "ann true"},
	} {
		if got := ask(c.code); got != c.want {
			t.Fatalf("%d: %d: %q, want %q", i, c.code, got, c.want)
		}
		w.ann(home)
		w.at["ann"][0].Expires = w.now().Add(time.Hour)
	}
	ask(408)
	ask(408)
	w.ann(home, "Contact: <sip:ann@198.51.100.7>")
	if got := w.says(); got != "ann false, ann true" && got != "ann true" {
		t.Errorf("registered again: %q", got)
	}
	// Each waits a while of its own, and there are never more than asked for.
	due := map[time.Time]bool{}
	for range 100 {
		due[w.nextPing(w.now())] = true
	}
	if len(due) < 50 {
		t.Errorf("100 phones are asked at %d instants", len(due))
	}
	w.pass(2 * time.Minute)
	if n := len(w.look(0)); n != 0 {
		t.Errorf("%d asked, none wanted", n)
	}
}

// A restart keeps the bindings: a phone on UDP must answer once, what came over
// a connection must come again.
func TestRestart(t *testing.T) {
	w := newWorld(t)
	w.ann(home, "Contact: <sip:ann@198.51.100.7>")
	w.registerBy(digest.MD5, "tcp", "bob", "bob's secret", office, "Contact: <sip:bob@192.0.2.20;transport=tcp>")
	w.says()
	<-w.news
	w.Close()
	w.start()
	if _, _, next := w.Find("ann"); next != home {
		t.Errorf("ann is at %v", next)
	}
	if uri, _, _ := w.Find("bob"); uri != "" || len(w.rows) != 1 {
		t.Errorf("bob is at %q, rows %v", uri, w.rows)
	}
	w.life["sip:ann@198.51.100.7"] = 408
	w.Start(w)
	if got := <-w.asked; got != "sip:ann@198.51.100.7" {
		t.Errorf("asked %s", got)
	}
	w.mu.Lock()
	w.life["sip:ann@198.51.100.7"] = 200
	if len(w.told) > 0 {
		t.Errorf("before its answer: %q", w.told)
	}
	w.mu.Unlock()
	w.untilMissed("ann") // when it is asked next is counted from then
	w.pass(time.Minute)
	<-w.asked
	<-w.news
	if got := w.says(); got != "ann true" {
		t.Errorf("after its answer: %q", got)
	}
	w.Close()
	w.pass(time.Hour)
	w.start()
	if len(w.rows)+len(w.at) != 0 {
		t.Errorf("what ran out meanwhile came back: %v", w.rows)
	}
}

// untilMissed waits until the phone's silence has been noted.
func (w *world) untilMissed(id agents.ID) {
	for {
		w.Registrar.mu.Lock()
		noted := w.at[id][0].misses > 0
		w.Registrar.mu.Unlock()
		if noted {
			return
		}
		runtime.Gosched()
	}
}

// Another realm makes every secret void, and says so by name.
func TestRealm(t *testing.T) {
	w := newWorld(t)
	_, err := New(t.Context(), Options{Realm: "new.example", MaxExpires: time.Hour, Qualify: time.Second, Rate: 1, Agents: w, Secrets: w, Changed: w.changed})
	var wrong *RealmError
	if !errors.As(err, &wrong) || wrong.Have != realm || wrong.Want != "new.example" || !strings.Contains(err.Error(), "cordboard user phone") {
		t.Errorf("%v", err)
	}
	w.secrets["bob"] = NewSecret("bob", "old.example", "bob's secret")
	w.start()
	want(t, "bob", w.register("bob", "bob's secret", home), 403)
	want(t, "ann", w.ann(home), 200)
}

// F-41: more than the rate are sent away for a while, each for another while;
// who has been challenged goes on.
func TestStorm(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Rate = 50 })
	for i := range 400 {
		id := agents.ID(fmt.Sprintf("a%d", i))
		w.agents[id] = agents.Agent{ID: id, Phone: agents.Phone{Registered: true}}
		w.Registrar.secrets.all[string(id)] = NewSecret(string(id), realm, "x")
	}
	waits, in := map[string]bool{}, 0
	waiting := map[int]bool{}
	for i := range 400 {
		waiting[i] = true
	}
	for second := 0; len(waiting) > 0 && second < 60; second++ {
		for i := range waiting {
			user := fmt.Sprintf("a%d", i)
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 5060)
			first := w.Register(w.request(user, from))
			if first.Code == 503 {
				waits[first.Headers[0].Value] = true
				continue
			}
			want(t, "challenge", first, 401)
			m := w.request(user, from, "Contact: <sip:x@10.0.0.1>")
			m.Headers = append(m.Headers, stack.Header{Name: "Authorization", Value: authorize(challenged(t, first, digest.MD5), user, "x", 1, "REGISTER", m.URI)})
			want(t, "who has been challenged", w.Register(m), 200)
			in++
			delete(waiting, i)
		}
		w.pass(time.Second)
	}
	if in != 400 || w.Stats().Registered != 400 || len(waits) < 10 {
		t.Errorf("%d registered, %d different waits: %v", in, len(waits), w.Stats())
	}
}

// A flood of REGISTER from forged addresses lets no registration run out.
func TestForgedStorm(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Rate = 50 })
	want(t, "ann", w.register("ann", "ann's secret", home, "Contact: <sip:ann@198.51.100.7>"), 200)
	w.pass(time.Minute)
	sent := 0
	for i := range 1000 {
		from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 5060)
		if w.Register(w.request("ann", from)).Code == 503 {
			sent++
		}
	}
	if sent != 950 {
		t.Errorf("%d of 1000 were sent away", sent)
	}
	want(t, "ann again", w.register("ann", "ann's secret", home, "Contact: <sip:ann@198.51.100.7>"), 200)
}

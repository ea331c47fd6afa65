package registrar

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/sip/digest"
	"github.com/cordboard/cordboard/sip/stack"
)

// The example of RFC 7616 3.9.1, both algorithms (its user, its password).
func TestDigestOfTheRFC(t *testing.T) {
	s := NewSecret("Mufasa", "http-auth@example.org", "Circle of Life")
	for alg, want := range map[string]string{
		digest.MD5:    "8ca523f5e9506fed4657c9700eebdbec",
		digest.SHA256: "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
	} {
		ha1 := s.MD5
		if alg == digest.SHA256 {
			ha1 = s.SHA256
		}
		got := digest.Sum(digest.New(alg), ha1, "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "00000001",
			"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "auth", digest.Sum(digest.New(alg), "GET", "/dir/index.html"))
		if got != want {
			t.Errorf("%s: %s, want %s", alg, got, want)
		}
	}
}

// Which algorithm stands in front, by transport and by the phone's setting.
func TestChallengeOrder(t *testing.T) {
	w := newWorld(t)
	set := func(d agents.Digest) {
		w.agents["ann"] = agents.Agent{ID: "ann", Phone: agents.Phone{Registered: true, Digest: d}}
	}
	for _, c := range []struct {
		transport string
		digest    agents.Digest
		want      string
	}{
		{"udp", "", "MD5"}, {"tcp", "", "MD5"}, {"tls", "", "SHA-256 MD5"},
		{"tls", agents.DigestMD5, "MD5"}, {"udp", agents.DigestSHA256, "SHA-256"},
	} {
		set(c.digest)
		m := w.request("ann", home)
		m.Transport = c.transport
		var got []string
		for _, h := range w.Register(m).Headers {
			_, v, _ := strings.Cut(h.Value, "algorithm=")
			alg, _, _ := strings.Cut(v, ",")
			got = append(got, alg)
			if !strings.Contains(h.Value, `qop="auth"`) || !strings.Contains(h.Value, `realm="desk.example"`) {
				t.Errorf("challenge %s", h.Value)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s %q: %v, want %s", c.transport, c.digest, got, c.want)
		}
	}
	// SHA-256 only is taken as said.
	set(agents.DigestSHA256)
	p := challenged(t, w.Register(w.request("ann", home)), digest.SHA256)
	p["algorithm"] = digest.MD5
	m := w.request("ann", home, "Authorization: "+authorize(p, "ann", "ann's secret", 1, "REGISTER", "sip:desk.example"))
	want(t, "MD5 where SHA-256 is asked", w.Register(m), 403)
	want(t, "SHA-256", w.registerBy(digest.SHA256, "udp", "ann", "ann's secret", home), 200)
}

// A nonce counts for its source, for a minute, each nc once.
func TestNonce(t *testing.T) {
	w := newWorld(t)
	ask := func(from netip.AddrPort) map[string]string {
		return challenged(t, w.Register(w.request("ann", from)), digest.MD5)
	}
	with := func(p map[string]string, nc int, from netip.AddrPort) (int, bool) {
		m := w.request("ann", from, "Authorization: "+authorize(p, "ann", "ann's secret", nc, "REGISTER", "sip:desk.example"))
		a := w.Register(m)
		if a.Code == 401 {
			return a.Code, challenged(t, a, digest.MD5)["stale"] == "true"
		}
		return a.Code, false
	}
	p := ask(home)
	for _, c := range []struct {
		name  string
		do    func() (int, bool)
		code  int
		stale bool
	}{
		{"first use", func() (int, bool) { return with(p, 1, home) }, 200, false},
		{"nc rises", func() (int, bool) { return with(p, 2, home) }, 200, false},
		{"replayed", func() (int, bool) { return with(p, 2, home) }, 401, true},
		{"nc falls", func() (int, bool) { return with(p, 1, home) }, 401, true},
		{"another port of the source", func() (int, bool) { return with(p, 3, netip.AddrPortFrom(home.Addr(), 9)) }, 200, false},
		{"another source", func() (int, bool) { return with(p, 4, office) }, 401, true},
		{"forged", func() (int, bool) {
			return with(map[string]string{"realm": realm, "nonce": strings.Repeat("A", 43), "algorithm": digest.MD5}, 1, home)
		}, 401, true},
		{"59 s later", func() (int, bool) { w.pass(59 * time.Second); return with(p, 5, home) }, 200, false},
		{"old", func() (int, bool) { w.pass(time.Second); return with(p, 6, home) }, 401, true},
		{"replayed over the change of generations", func() (int, bool) {
			q := ask(home)
			w.pass(50 * time.Second)
			with(q, 1, home)
			w.pass(9 * time.Second)
			with(ask(home), 1, home)
			return with(q, 1, home)
		}, 401, true},
	} {
		if code, stale := c.do(); code != c.code || stale != c.stale {
			t.Errorf("%s: %d stale %v, want %d %v", c.name, code, stale, c.code, c.stale)
		}
	}
}

// AST-2018-008: nothing in the answers tells who exists.
func TestUnknownUserLooksTheSame(t *testing.T) {
	w := newWorld(t)
	shape := func(a stack.Answer) string {
		var b strings.Builder
		fmt.Fprint(&b, a.Code, a.Reason)
		for _, h := range a.Headers {
			v := h.Value
			if i := strings.Index(v, "nonce="); i >= 0 {
				v = v[:i] + v[i+len(`nonce=""`)+43:]
			}
			fmt.Fprint(&b, " ", h.Name, v)
		}
		return b.String()
	}
	var got [2][]string
	for i, user := range []string{"ann", "zoe"} {
		got[i] = append(got[i], shape(w.Register(w.request(user, home))))
		got[i] = append(got[i], shape(w.register(user, "guess", home)))
		got[i] = append(got[i], shape(w.registerBy(digest.SHA256, "tls", user, "guess", home)))
	}
	for i := range got[0] {
		if got[0][i] != got[1][i] {
			t.Errorf("known %q, unknown %q", got[0][i], got[1][i])
		}
	}
	// Even who guesses the secret that stands for nobody's is nobody.
	mac := hmac.New(sha256.New, w.key)
	mac.Write([]byte("zoe"))
	c := credentials{user: "zoe", algorithm: digest.SHA256, nonce: "n", uri: "u", qop: "auth", ncText: "1"}
	c.response = digest.Sum(sha256.New(), hex.EncodeToString(mac.Sum(nil)), "n", "1", "", "auth", digest.Sum(sha256.New(), "REGISTER", "u"))
	if w.verify(c, "REGISTER") {
		t.Error("a user who does not exist was taken")
	}
	// The same work, too: one digest of each, whoever it is.
	work := func(user string) float64 {
		c := credentials{user: user, algorithm: digest.MD5, response: strings.Repeat("0", 32)}
		return testing.AllocsPerRun(100, func() { w.verify(c, "REGISTER") })
	}
	if a, b := work("ann"), work("zoe"); a != b {
		t.Errorf("%v allocations for a known user, %v for an unknown one", a, b)
	}
}

// CVE-2025-47779: good credentials speak for nobody else.
func TestOnlyForOneself(t *testing.T) {
	w := newWorld(t)
	for name, header := range map[string]string{"To": "To", "From": "From"} {
		m := w.request("ann", home, "Contact: <sip:ann@198.51.100.7>")
		first := w.Register(m)
		for i := range m.Headers {
			if m.Headers[i].Name == header {
				m.Headers[i].Value = "<sip:bob@desk.example>;tag=1"
			}
		}
		m.Headers = append(m.Headers, stack.Header{Name: "Authorization", Value: authorize(challenged(t, first, digest.MD5), "ann", "ann's secret", 1, "REGISTER", m.URI)})
		want(t, "another's "+name, w.Register(m), 403)
	}
	want(t, "no agent", w.register("mia", "mia's secret", home, "Contact: <sip:mia@198.51.100.7>"), 403)
	w.agents["bob"] = agents.Agent{ID: "bob", Phone: agents.Phone{URI: "sip:bob@192.0.2.9"}}
	want(t, "an agent with a static phone", w.register("bob", "bob's secret", home, "Contact: <sip:bob@198.51.100.7>"), 403)
	if len(w.rows) > 0 || w.says() != "" {
		t.Errorf("bound: %v", w.rows)
	}
}

// Who guesses is not heard for a while; forged addresses and phones that are
// registered from the same place are not in it.
func TestGuessing(t *testing.T) {
	w := newWorld(t)
	want(t, "bob", w.register("bob", "bob's secret", home, "Contact: <sip:bob@198.51.100.7>"), 200)
	for range 3 * maxOfSource { // no nonce of ours: the source may be forged
		m := w.request("ann", home, `Authorization: Digest username="ann", realm="desk.example", nonce="x", uri="sip:desk.example", response="00000000000000000000000000000000", cnonce="c", qop=auth, nc=00000001`)
		want(t, "forged", w.Register(m), 401)
	}
	for range maxOfPair {
		want(t, "a guess", w.register("ann", "guess", home), 403)
	}
	want(t, "right, but too late", w.register("ann", "ann's secret", home), 403)
	w.pass(banOfPair)
	want(t, "a minute later", w.register("ann", "ann's secret", home), 200)
	want(t, "from elsewhere", w.register("ann", "ann's secret", office), 200)
	for i := range maxOfSource {
		w.register(fmt.Sprintf("user%d", i), "guess", home)
	}
	if !w.Hears(home.Addr(), "REGISTER") || !w.Hears(office.Addr(), "REGISTER") {
		t.Error("a place with a registered phone is not heard any more")
	}
	want(t, "bob again", w.register("bob", "bob's secret", home, "Contact: <sip:bob@198.51.100.7>"), 200)
	want(t, "bob leaves", w.register("bob", "bob's secret", home, "Contact: *", "Expires: 0"), 200)
	if w.Hears(home.Addr(), "REGISTER") {
		t.Error("a source that guesses is heard")
	}
	w.pass(banOfSource)
	if !w.Hears(home.Addr(), "REGISTER") {
		t.Error("a ban does not end")
	}
	want(t, "after the ban", w.register("ann", "ann's secret", home), 200)
	for i := range 2 * maxFailures {
		w.sources.fail(fmt.Sprint("source", i), maxOfSource, banOfSource, w.now())
	}
	if n := len(w.sources.all); n > maxFailures {
		t.Errorf("%d failures remembered", n)
	}
}

// What else is heard from strangers: nothing.
func TestHears(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.From = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")} })
	for _, method := range []string{"INVITE", "MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "OPTIONS", "REFER", "BYE", "", "register"} {
		if w.Hears(home.Addr(), method) {
			t.Errorf("%q of a stranger is heard", method)
		}
	}
	if w.Hears(office.Addr(), "REGISTER") || !w.Hears(home.Addr(), "REGISTER") {
		t.Error("REGISTER is heard from the wrong networks")
	}
	want(t, "from the wrong network", w.Register(w.request("ann", office)), 403)
	want(t, "ann", w.register("ann", "ann's secret", home, "Contact: <sip:ann@198.51.100.7>"), 200)
	for method, heard := range map[string]bool{"OPTIONS": true, "INVITE": true, "CANCEL": true, "MESSAGE": false, "SUBSCRIBE": false, "REFER": false, "BYE": false} {
		if w.Hears(home.Addr(), method) != heard {
			t.Errorf("%s from where a phone is registered is heard: %v", method, !heard)
		}
	}
}

// The Authorization header: cases first, then whatever the fuzzer finds.
var authorizations = map[string]bool{
	`Digest username="a", realm="r", nonce="n", uri="u", response="0123456789abcdef0123456789abcdef", cnonce="c", qop=auth, nc=00000001`:                     true,
	`digest   username = "a" , realm="r",nonce="n",uri="u",response="0123456789ABCDEF0123456789abcdef",cnonce="c",qop="auth",nc=00000001 , opaque=""`:        true,
	`Digest username="a\"b", realm="r", nonce="n", uri="u", response="0123456789abcdef0123456789abcdef", cnonce="c", qop=auth, nc=0000000f, algorithm=md5`:   true,
	`Digest username="a", realm="r", nonce="n", uri="u", response="0123456789abcdef0123456789abcdef", cnonce="c", qop=auth, nc=00000000`:                     false,
	`Digest username="a", realm="r", nonce="n", uri="u", response="0123456789abcdef0123456789abcdef", cnonce="c", qop=auth, nc=1`:                            false,
	`Digest username="a", realm="r", nonce="n", uri="u", response="0123456789abcdef0123456789abcdef", cnonce="c", qop=auth-int, nc=00000001`:                 false,
	`Digest username="a", realm="r", nonce="n", uri="u", response="0123456789abcdef0123456789abcdef"`:                                                        false,
	`Digest username="a", realm="r", nonce="n", uri="u", response="0123", cnonce="c", qop=auth, nc=00000001`:                                                 false,
	`Digest username="a", realm="r", nonce="n", uri="u", response="0123456789abcdef0123456789abcdef", cnonce="c", qop=auth, nc=00000001, algorithm=SHA-256`:  false,
	`Digest username="a", realm="r", nonce="n", uri="u", response="0123456789abcdef0123456789abcdef", cnonce="c", qop=auth, nc=00000001, algorithm=MD5-sess`: false,
	`Digest username="a", username="b", realm="r", nonce="n", uri="u", response="0123456789abcdef0123456789abcdef", cnonce="c", qop=auth, nc=00000001`:       false,
	`Digest username="a, realm="r", nonce="n", uri="u", response="0123456789abcdef0123456789abcdef", cnonce="c", qop=auth, nc=00000001`:                      false,
	`Digest username="a`: false, `Digest username=`: false, `Digest ,`: false, `Digest =`: false, `Digest "`: false, `Digest`: false, ``: false, `Basic YTpi`: false,
	`Digest username="a\`: false, `Digest username="a"x, realm="r"`: false, "Digest username=\"" + strings.Repeat("a", 1<<20) + `"`: false,
	`Digest ` + strings.Repeat(`a="b",`, 200): false,
}

func TestAuthorizationHeader(t *testing.T) {
	for v, ok := range authorizations {
		if c, got := parseCredentials(v); got != ok {
			t.Errorf("%.120q: %v %+v", v, got, c)
		}
	}
	// None of them, as a whole request, does more than ask again.
	w := newWorld(t)
	for v := range authorizations {
		want(t, v[:min(len(v), 60)], w.Register(w.request("ann", home, "Authorization: "+v)), 401)
	}
	good := challenged(t, w.Register(w.request("ann", home)), digest.MD5)
	auth := authorize(good, "ann", "ann's secret", 1, "REGISTER", "sip:desk.example")
	want(t, "two Authorizations", w.Register(w.request("ann", home, "Authorization: "+auth, "Authorization: "+auth)), 401)
	other := strings.Replace(auth, `realm="desk.example"`, `realm="elsewhere"`, 1)
	want(t, "one for another realm beside it", w.Register(w.request("ann", home, "Authorization: "+other, "Authorization: "+auth)), 200)
}

func FuzzAuthorization(f *testing.F) {
	for v := range authorizations {
		if len(v) < 1000 {
			f.Add(v)
		}
	}
	f.Fuzz(func(t *testing.T, v string) {
		c, ok := parseCredentials(v)
		if ok && (c.user == "" || c.nonce == "" || c.nc == 0 || c.qop == "" || c.algorithm != digest.MD5 && c.algorithm != digest.SHA256) {
			t.Errorf("%q is taken as %+v", v, c)
		}
		_, _ = parseContact(v)
		_ = userOf(v)
	})
}

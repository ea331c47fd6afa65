package stack

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/sip/digest"
)

const (
	loginRealm    = "carrier.example"
	loginPassword = "not in any log"
)

// asks is a challenge's parameters.
func asks(realm, nonce, alg, more string) string {
	return fmt.Sprintf(`Digest realm="%s", nonce="%s", algorithm=%s, qop="auth"%s`, realm, nonce, alg, more)
}

// challenge refuses a request with challenges, in the order given.
func (p *peer) challenge(req packet, code int, values ...string) {
	p.t.Helper()
	name := "WWW-Authenticate"
	if code == 407 {
		name = "Proxy-Authenticate"
	}
	var b strings.Builder
	for _, v := range values {
		b.WriteString("\n" + name + ": " + v)
	}
	p.reply(req, code, "c", strings.TrimPrefix(b.String(), "\n"), "")
}

// callByLogin makes a call to a peer that will ask for a password.
func (l *lab) callByLogin(p *peer, from ...netip.Prefix) *call {
	l.t.Helper()
	login := NewLogin("carrier", "office", loginRealm, loginPassword)
	login.Sources = from
	c := &call{events: make(chan Event, 1000)}
	d, err := l.Invite(Outgoing{
		URI: p.uri(), From: "<sip:+441632960000@cordboard.example>", To: "<sip:+441632960012@carrier.example>", Body: []byte("v=0"),
		Login: login,
	}, func(e Event) { c.events <- e })
	if err != nil {
		l.t.Fatal(err)
	}
	c.Dialog = d
	return c
}

// shows checks a request's credentials by their definition (RFC 7616 3.4.1).
func (p *peer) shows(req packet, header, nonce, alg, nc string) map[string]string {
	p.t.Helper()
	given := req.all(header)
	if len(given) != 1 {
		p.t.Fatalf("%d %s headers in %s", len(given), header, req.raw)
	}
	v, ok := digest.Parameters(given[0])
	method, rest, _ := strings.Cut(req.first, " ")
	uri, _, _ := strings.Cut(rest, " ")
	h := func(parts ...string) string { return digest.Sum(digest.New(alg), parts...) }
	want := h(h("office", loginRealm, loginPassword), nonce, nc, v["cnonce"], "auth", h(method, uri))
	if !ok || v["username"] != "office" || v["realm"] != loginRealm || v["nonce"] != nonce || v["algorithm"] != alg || v["uri"] != uri ||
		v["nc"] != nc || v["qop"] != "auth" || v["cnonce"] == "" || v["response"] != want {
		p.t.Errorf("%s: %s", method, given[0])
	}
	return v
}

func (l *lab) hidesPassword() {
	l.t.Helper()
	for _, e := range l.log.All() {
		if s := fmt.Sprint(e.Message, e.ContextMap()); strings.Contains(s, loginPassword) {
			l.t.Errorf("the log holds the password: %s", s)
		}
	}
}

// A challenge is answered in the same dialog, the best algorithm of it; what
// follows is shown the password unasked, and is asked anew when the nonce has run out.
func TestLogin(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.callByLogin(p)
	first := p.expect("INVITE")
	if first.get("Authorization") != "" {
		t.Errorf("unasked: %s", first.raw)
	}
	p.challenge(first, 401, asks(loginRealm, "m", "MD5", ""), asks(loginRealm, "s", "SHA-256", `, opaque="o\"p"`), asks(loginRealm, "x", "SHA-512-256", ""))
	got := p.awaitAll("ACK", "INVITE")
	ack, inv := got["ACK"], got["INVITE"]
	if ack.get("CSeq") != "1 ACK" || ack.branch() != first.branch() {
		t.Errorf("ACK of the refusal: %s", ack.raw)
	}
	if inv.get("CSeq") != "2 INVITE" || inv.get("Call-ID") != first.get("Call-ID") || inv.tag("From") != first.tag("From") ||
		inv.tag("To") != "" || inv.branch() == first.branch() || inv.body != first.body {
		t.Errorf("second INVITE: %s", inv.raw)
	}
	if v := p.shows(inv, "Authorization", "s", digest.SHA256, "00000001"); v["opaque"] != `o"p` {
		t.Errorf("opaque %q", v["opaque"])
	}
	p.reply(inv, 200, "x", "", "v=0")
	event[Answered](t, c)
	_ = c.Ack(nil)
	if ack = p.expect("ACK"); ack.get("CSeq") != "2 ACK" || ack.get("Authorization") != inv.get("Authorization") {
		t.Errorf("ACK: %s", ack.raw)
	}

	cseq, err := c.Reinvite(nil, []byte("v=0 again"))
	if err != nil {
		t.Fatal(err)
	}
	re := p.expect("INVITE")
	p.shows(re, "Authorization", "s", digest.SHA256, "00000002")
	p.challenge(re, 401, asks(loginRealm, "s2", "SHA-256", `, stale=TRUE`))
	got = p.awaitAll("ACK", "INVITE")
	p.shows(got["INVITE"], "Authorization", "s2", digest.SHA256, "00000001")
	p.reply(got["INVITE"], 200, "x", "", "v=0")
	if r := event[Replied](t, c); r.CSeq != cseq || r.Code != 200 {
		t.Errorf("%+v, want the outcome of %d", r, cseq)
	}
	_ = c.Ack(nil)
	p.expect("ACK")

	if cseq, err = c.Request("UPDATE", nil, "", nil); err != nil {
		t.Fatal(err)
	}
	update := p.expect("UPDATE")
	p.shows(update, "Authorization", "s2", digest.SHA256, "00000002")
	p.challenge(update, 401, asks(loginRealm, "u", "SHA-256", `, stale=true`))
	update = p.expect("UPDATE")
	p.shows(update, "Authorization", "u", digest.SHA256, "00000001")
	p.reply(update, 200, "x", "", "")
	if r := event[Replied](t, c); r.CSeq != cseq || r.Method != "UPDATE" || r.Code != 200 {
		t.Errorf("%+v, want the outcome of UPDATE %d", r, cseq)
	}

	c.Bye(nil)
	bye := p.expect("BYE")
	p.shows(bye, "Authorization", "u", digest.SHA256, "00000002")
	p.challenge(bye, 401, asks(loginRealm, "s3", "SHA-256", "")) // run out, and not called stale
	bye = p.expect("BYE")
	p.shows(bye, "Authorization", "s3", digest.SHA256, "00000001")
	p.reply(bye, 200, "", "", "")
	if r := event[Replied](t, c); r.Method != "BYE" || r.Code != 200 {
		t.Errorf("%+v", r)
	}
	l.hidesPassword()
}

// A proxy and the one behind it both ask.
func TestLoginOfProxyAndServer(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.callByLogin(p)
	p.challenge(p.expect("INVITE"), 407, asks(loginRealm, "proxy", "MD5", ""))
	inv := p.awaitAll("ACK", "INVITE")["INVITE"]
	p.shows(inv, "Proxy-Authorization", "proxy", digest.MD5, "00000001")
	p.challenge(inv, 401, asks(loginRealm, "server", "MD5", ""))
	inv = p.awaitAll("ACK", "INVITE")["INVITE"]
	p.shows(inv, "Proxy-Authorization", "proxy", digest.MD5, "00000002")
	p.shows(inv, "Authorization", "server", digest.MD5, "00000001")
	p.reply(inv, 180, "x", "", "")
	event[Progress](t, c)
	c.Cancel()
	p.reply(p.expect("CANCEL"), 200, "x", "", "")
	p.reply(inv, 487, "x", "", "")
	if f := event[Failed](t, c); f.Code != 487 {
		t.Errorf("%+v", f)
	}
}

// A peer that knows no qop is answered as RFC 2069 has it.
func TestLoginWithoutQop(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	l.callByLogin(p)
	p.challenge(p.expect("INVITE"), 401, fmt.Sprintf(`Digest realm=%q, nonce="n"`, loginRealm))
	inv := p.awaitAll("ACK", "INVITE")["INVITE"]
	v, _ := digest.Parameters(inv.get("Authorization"))
	h := func(parts ...string) string { return digest.Sum(digest.New(digest.MD5), parts...) }
	uri, _, _ := strings.Cut(strings.TrimPrefix(inv.first, "INVITE "), " ")
	if want := h(h("office", loginRealm, loginPassword), "n", h("INVITE", uri)); v["response"] != want || v["qop"] != "" || v["nc"] != "" {
		t.Errorf("%v, want the response %s", v, want)
	}
	p.reply(inv, 486, "x", "", "")
	p.expect("ACK")
}

// What is not answered, or not again: the attempt ends, and why is in the log.
func TestLoginRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		asks []string // one after the other
		says string
	}{
		{"wrong password", []string{asks(loginRealm, "n1", "MD5", ""), asks(loginRealm, "n2", "MD5", "")}, "refused"},
		{"same nonce", []string{asks(loginRealm, "n1", "MD5", ""), asks(loginRealm, "n1", "MD5", "")}, "refused"},
		{"stale for ever", []string{
			asks(loginRealm, "n1", "MD5", ", stale=true"), asks(loginRealm, "n2", "MD5", ", stale=true"), asks(loginRealm, "n3", "MD5", ", stale=true"),
			asks(loginRealm, "n4", "MD5", ", stale=true"), asks(loginRealm, "n5", "MD5", ", stale=true"),
		}, "again and again"},
		{"another realm", []string{asks("crack.example", "n", "MD5", "")}, `"crack.example"`},
		{"unknown algorithm", []string{asks(loginRealm, "n", "SHA-512-256", "")}, "can be answered"},
		{"integrity alone", []string{fmt.Sprintf(`Digest realm=%q, nonce="n", qop="auth-int"`, loginRealm)}, "can be answered"},
		{"no digest", []string{`Basic realm="carrier.example"`}, "can be answered"},
		{"garbled", []string{`Digest realm="carrier.example`}, "can be answered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			p := newPeer(t, l.Stack)
			call := l.callByLogin(p)
			inv := p.expect("INVITE")
			for i, v := range c.asks {
				p.challenge(inv, 401, v)
				if i == len(c.asks)-1 {
					p.expect("ACK")
					break
				}
				inv = p.awaitAll("ACK", "INVITE")["INVITE"]
			}
			if f := event[Failed](t, call); f.Code != 401 {
				t.Errorf("%+v", f)
			}
			call.none(t)
			logged := l.log.FilterMessage("a trunk refuses our password").All()
			if len(logged) != 1 || logged[0].ContextMap()["trunk"] != "carrier" || !strings.Contains(fmt.Sprint(logged[0].ContextMap()["error"]), c.says) {
				t.Errorf("logged: %+v", logged)
			}
			l.hidesPassword()
		})
	}
}

// A caller who hangs up ends it, whatever the peer goes on asking (CVE-2020-28242).
func TestLoginOfGivenUp(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.callByLogin(p)
	inv := p.expect("INVITE")
	c.Cancel()
	p.challenge(inv, 401, asks(loginRealm, "n", "MD5", ""))
	p.expect("ACK")
	if f := event[Failed](t, c); f.Code != 401 {
		t.Errorf("%+v", f)
	}
	c.none(t)
	if n := l.log.FilterMessage("a trunk refuses our password").Len(); n != 0 {
		t.Errorf("%d complaints", n)
	}
}

// The ACK of a challenge that comes again is sent again, beside the INVITE that
// has taken its place.
func TestLoginChallengeRepeated(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	l.callByLogin(p)
	first := p.expect("INVITE")
	p.challenge(first, 401, asks(loginRealm, "n", "MD5", ""))
	inv := p.awaitAll("ACK", "INVITE")["INVITE"]
	p.repeats()
	p.reply(inv, 100, "", "", "")
	p.challenge(first, 401, asks(loginRealm, "n", "MD5", ""))
	if ack := p.await("ACK"); ack.get("CSeq") != "1 ACK" {
		t.Errorf("%s", ack.raw)
	}
	p.reply(inv, 486, "x", "", "")
	if ack := p.await("ACK"); ack.get("CSeq") != "2 ACK" {
		t.Errorf("%s", ack.raw)
	}
}

// An answer to the INVITE that was challenged is nobody's: the one that took its
// place is the call. Nor is a re-INVITE sent anew when the call is over.
func TestLoginAnsweredBehindTheChallenge(t *testing.T) {
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.callByLogin(p)
	first := p.expect("INVITE")
	p.challenge(first, 401, asks(loginRealm, "n", "MD5", ""))
	inv := p.awaitAll("ACK", "INVITE")["INVITE"]
	p.reply(first, 200, "fork", "", "v=0")
	got := p.awaitAll("ACK", "BYE")
	if got["ACK"].tag("To") != "fork" || got["BYE"].tag("To") != "fork" {
		t.Errorf("ACK: %s BYE: %s", got["ACK"].raw, got["BYE"].raw)
	}
	p.reply(got["BYE"], 200, "", "", "")
	c.none(t)
	p.reply(inv, 200, "x", "", "v=0")
	if a := event[Answered](t, c); a.Response.toTag != "x" {
		t.Errorf("answered by %s", a.Response.toTag)
	}
	_ = c.Ack(nil)
	if ack := p.expect("ACK"); ack.tag("To") != "x" || ack.get("CSeq") != "2 ACK" {
		t.Errorf("%s", ack.raw)
	}

	_, _ = c.Reinvite(nil, []byte("v=0 again"))
	re := p.expect("INVITE")
	c.Bye(nil)
	p.reply(p.await("BYE"), 200, "", "", "")
	p.challenge(re, 401, asks(loginRealm, "n2", "MD5", ", stale=true"))
	p.expect("ACK")
	for range 2 { // of the BYE, and of the re-INVITE
		if r := event[Replied](t, c); r.Method == "INVITE" && r.Code != 401 {
			t.Errorf("%+v", r)
		}
	}
	c.none(t)
}

func TestLoginIsNotPrinted(t *testing.T) {
	login := NewLogin("carrier", "office", loginRealm, loginPassword)
	for _, s := range []string{fmt.Sprint(login), fmt.Sprintf("%+v %#v %s", login, login, login)} {
		if strings.Contains(s, login.ha1[digest.MD5]) || strings.Contains(s, "ha1") {
			t.Error(s)
		}
	}
}

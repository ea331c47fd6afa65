package stack

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/sip/digest"
)

// elsewhere makes a call by login that is challenged, and answered with the Contact
// of another host without a route.
func (l *lab) elsewhere(from ...netip.Prefix) (c *call, p, other *peer) {
	l.t.Helper()
	p, other = newPeer(l.t, l.Stack), peerFrom(l.t, l.Stack, "127.0.0.2")
	c = l.callByLogin(p, from...)
	p.challenge(p.expect("INVITE"), 401, asks(loginRealm, "n", "MD5", ""))
	inv := p.awaitAll("ACK", "INVITE")["INVITE"]
	p.shows(inv, "Authorization", "n", digest.MD5, "00000001")
	p.contact = "<" + other.uri() + ">"
	p.reply(inv, 200, "x", "", "v=0")
	event[Answered](l.t, c)
	_ = c.Ack(nil)
	return c, p, other
}

func (p *peer) shownNothing(req packet) {
	p.t.Helper()
	if strings.Contains(strings.ToLower(req.raw), "authorization:") {
		p.t.Errorf("%s is shown where the trunk is not: %s", req.first, req.raw)
	}
}

// The host that the far end's Contact names gets no answer to a challenge: neither
// the trunk's, nor one of its own that gives the trunk's realm (CVE-2021-41158).
func TestLoginElsewhere(t *testing.T) {
	l := newLab(t)
	c, _, other := l.elsewhere()
	other.shownNothing(other.expect("ACK"))
	if _, err := c.Reinvite(nil, []byte("v=0 again")); err != nil {
		t.Fatal(err)
	}
	re := other.expect("INVITE")
	other.shownNothing(re)
	other.challenge(re, 401, asks(loginRealm, "mine", "MD5", ""))
	other.expect("ACK")
	if r := event[Replied](t, c); r.Method != "INVITE" || r.Code != 401 {
		t.Errorf("%+v", r)
	}
	c.Bye(nil)
	bye := other.expect("BYE")
	other.shownNothing(bye)
	other.challenge(bye, 407, asks(loginRealm, "mine", "MD5", ""))
	if r := event[Replied](t, c); r.Method != "BYE" || r.Code != 407 {
		t.Errorf("%+v", r)
	}
	c.none(t)
	logged := l.log.FilterMessage("a trunk refuses our password").All()
	if len(logged) != 2 || !strings.Contains(logged[0].ContextMap()["error"].(string), "127.0.0.2 asks for it") {
		t.Errorf("logged: %+v", logged)
	}
	l.hidesPassword()
}

// A provider's gateway that asks for nothing is served, and one of the trunk's own
// addresses is shown the password.
func TestLoginAtAnotherGateway(t *testing.T) {
	for name, from := range map[string][]netip.Prefix{"not the trunk's": nil, "the trunk's": {netip.MustParsePrefix("127.0.0.2/32")}} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			c, _, other := l.elsewhere(from...)
			ack := other.expect("ACK")
			_, _ = c.Reinvite(nil, []byte("v=0 again"))
			re := other.expect("INVITE")
			if from == nil {
				other.shownNothing(ack)
				other.shownNothing(re)
			} else {
				other.shows(re, "Authorization", "n", digest.MD5, "00000002")
				other.challenge(re, 401, asks(loginRealm, "n2", "MD5", ", stale=true"))
				re = other.awaitAll("ACK", "INVITE")["INVITE"]
				other.shows(re, "Authorization", "n2", digest.MD5, "00000001")
			}
			other.reply(re, 200, "x", "", "v=0")
			if r := event[Replied](t, c); r.Code != 200 {
				t.Errorf("%+v", r)
			}
			_ = c.Ack(nil)
			if ack := other.expect("ACK"); ack.get("Authorization") != re.get("Authorization") {
				t.Errorf("ACK: %s", ack.raw)
			}
			c.Bye(nil)
			other.reply(other.expect("BYE"), 200, "", "", "")
			if r := event[Replied](t, c); r.Method != "BYE" || r.Code != 200 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// A Contact that the trunk's own host gives, at another port or by its name, is the
// trunk; but not without TLS what was asked over it.
func TestLoginHome(t *testing.T) {
	addr := netip.MustParseAddrPort
	login := &Login{Sources: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	over := func(tp, a string) way { return way{flow: &flow{transport: tp, peer: addr(a)}} }
	udp := func(a string) way { return way{to: addr(a)} }
	for _, c := range []struct {
		called, to way
		named      bool
		shown      bool
	}{
		{udp("198.51.100.7:5060"), udp("198.51.100.7:5080"), false, true},
		{udp("198.51.100.7:5060"), udp("198.51.100.8:5060"), false, false},
		{udp("198.51.100.7:5060"), udp("198.51.100.8:5060"), true, true},
		{udp("198.51.100.7:5060"), over("tcp", "198.51.100.7:5060"), false, true},
		{udp("198.51.100.7:5060"), udp("192.0.2.9:5060"), false, true},
		{over("tls", "198.51.100.7:5061"), over("tls", "198.51.100.7:5071"), false, true},
		{over("tls", "198.51.100.7:5061"), udp("198.51.100.7:5060"), true, false},
		{over("tls", "198.51.100.7:5061"), over("tcp", "192.0.2.9:5060"), false, false},
		{way{}, udp("198.51.100.7:5060"), true, true},
		{way{}, udp("198.51.100.7:5060"), false, false},
	} {
		if got := (home{way: c.called}).holds(login, c.to, c.named); got != c.shown {
			t.Errorf("called at %v, then %v, named %v: shown %v", c.called.addr(), c.to.addr(), c.named, got)
		}
	}
}

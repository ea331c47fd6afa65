package sip

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/stack"
)

const trunkRealm = "carrier.example"

func withLogin() Outward {
	return Outward{Login: stack.NewLogin("carrier", "office", trunkRealm, "forgotten")}
}

// asksPassword refuses a call with a challenge.
func asksPassword(c *peerCall, realm, nonce string) {
	_ = c.d.Reject(401, "", []stack.Header{{Name: "WWW-Authenticate", Value: fmt.Sprintf("Digest realm=%q, nonce=%q, qop=%q", realm, nonce, "auth")}})
}

// refuses has the trunk refuse the password that an INVITE shows.
func (p *peer) refuses(c *peerCall) {
	p.t.Helper()
	asksPassword(c, trunkRealm, "one")
	again := get(p.t, "INVITE with the password", p.calls)
	if again.invite.Get("Authorization") == "" {
		p.t.Error("the second INVITE shows no password")
	}
	asksPassword(again, trunkRealm, "two")
}

// lapse ends a trunk's pause, which was to be so long.
func (w *world) lapse(trunk string, want time.Duration) {
	w.t.Helper()
	w.gw.mu.Lock()
	defer w.gw.mu.Unlock()
	b := w.gw.barred[trunk]
	if b == nil || b.pause != want {
		w.t.Fatalf("%s is barred by %+v, want for %v", trunk, b, want)
	}
	b.until = time.Now()
}

// A trunk that refuses our password is not asked again and again: the next takes the
// calls, and once the pause is over one call tries it and no other.
func TestRefusedPasswordBarsTheTrunk(t *testing.T) {
	t.Parallel()
	first, second, trunk := newPeer(t), newPeer(t), newPeer(t)
	w := newWorld(t, worldOptions{tune: func(g *Gateway) {
		out(g, "second", second, Outward{})
		out(g, "carrier", first, withLogin())
	}})
	over := func(id routing.CallID, code int) {
		t.Helper()
		w.expect(routing.NumberFailed{Call: id, Code: code})
		w.do(routing.EndCall{Call: id, Outcome: routing.Treated, By: routing.ByServer})
	}
	sent := func() routing.CallID {
		_, a := w.arrives(trunk)
		w.do(sendTo(a.Call))
		return a.Call
	}
	takes := func(id routing.CallID) {
		t.Helper()
		_ = get(t, "INVITE by the next trunk", second.calls).d.Reject(603, "", nil)
		over(id, 603)
	}
	id := sent()
	first.refuses(get(t, "INVITE", first.calls))
	takes(id)
	takes(sent())
	if len(first.calls) > 0 {
		t.Error("a trunk that has just refused the password is asked again")
	}

	w.lapse("carrier", barLeast)
	id = sent()
	tries := get(t, "INVITE when the pause is over", first.calls)
	takes(sent()) // only one tries
	first.refuses(tries)
	takes(id)
	takes(sent())
	if len(first.calls) > 0 {
		t.Error("a trunk that refuses the password still is asked again")
	}
	if got := w.gw.Barred(); !slices.Equal(got, []string{"carrier"}) {
		t.Errorf("barred: %v", got)
	}

	w.lapse("carrier", 2*barLeast)
	id = sent()
	asksPassword(get(t, "INVITE when the pause is over again", first.calls), trunkRealm, "one")
	_ = get(t, "INVITE with the password", first.calls).d.Reject(486, "", nil)
	over(id, 486)
	if got := w.gw.Barred(); len(got) > 0 {
		t.Errorf("barred though the password was taken: %v", got)
	}
	id = sent()
	_ = get(t, "INVITE by the trunk that the caller came by", first.calls).d.Reject(486, "", nil)
	over(id, 486)
}

// The pause doubles, and calls that left before it do not lengthen it.
func TestBarDoubles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{})
	at := time.Now()
	w.gw.bar("carrier", at)
	w.gw.bar("carrier", at.Add(time.Second))
	for want := barLeast; ; want = min(2*want, barMost) {
		b := w.gw.barred["carrier"]
		if b.pause != want {
			t.Fatalf("a pause of %v, want %v", b.pause, want)
		}
		if last := b.until.Add(-1); !b.holds(last) || b.holds(b.until) || !b.holds(last.Add(2)) {
			t.Fatalf("after %v not one call, and one alone, tries", want)
		}
		if want == barMost {
			return
		}
		w.gw.bar("carrier", b.until)
	}
}

// Where the only trunk is barred a mobile is not called, and its agent is out of
// reach for that reason.
func TestMobileBehindABarredTrunk(t *testing.T) {
	t.Parallel()
	w, far := outWorld(t, MediaRelay, withLogin())
	w.gw.bar("carrier", time.Now())
	caller, _, id := w.queued(newPeer(t), 8)
	w.hasMobile()
	o := offerOf(id, 1)
	w.do(routing.Ring{Offer: o})
	w.expect(routing.PhoneFailed{Offer: o, Code: passwordRefused})
	if len(far.calls) > 0 {
		t.Error("the barred trunk was called")
	}
	w.hangUp(caller, id)
}

// A telephone that is called may ask for a password too. That bars no trunk.
func TestForeignChallengeBarsNobody(t *testing.T) {
	t.Parallel()
	w, far := outWorld(t, MediaRelay, withLogin())
	_, a := w.arrives(newPeer(t))
	w.do(sendTo(a.Call))
	asksPassword(get(t, "INVITE", far.calls), "crack.example", "one")
	w.expect(routing.NumberFailed{Call: a.Call, Code: 401})
	if got := w.gw.Barred(); len(got) > 0 {
		t.Errorf("barred: %v", got)
	}
	w.do(routing.EndCall{Call: a.Call, Outcome: routing.Treated, By: routing.ByServer})
}

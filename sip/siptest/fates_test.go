package siptest_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip"
	"github.com/cordboard/cordboard/sip/siptest"
)

// An answer that crosses our CANCEL and came through proxies that stay in the
// path: ACK and BYE go their way, not straight to the phone (drachtio#255).
func TestLateAnswerKeepsItsRoute(t *testing.T) {
	t.Parallel()
	x := newCrossing(t, sip.MediaRelay)
	proxy, err := siptest.NewScript("proxy", x.st.Addr("udp"))
	x.must(err)
	t.Cleanup(proxy.Close)
	near, far := fmt.Sprintf("<sip:%s;lr>", proxy.Addr()), "<sip:far.example;lr>"
	x.queued()
	x.rings()
	x.opened()
	x.do(routing.Withdraw{Offer: x.offer, Why: "rona"})
	cancel := x.await(x.phone, "CANCEL")
	if cancel.Get("Route") != "" {
		t.Errorf("CANCEL with Route %q, which its INVITE did not have (RFC 3261 9.1)", cancel.Get("Route"))
	}
	x.send(x.phone, x.agent.Reply(x.ring, 200, x.phone.Audio(1, "sendrecv"),
		siptest.Header{Name: "Record-Route", Value: far}, siptest.Header{Name: "Record-Route", Value: near}),
		x.agent.Reply(cancel, 200, nil))
	for _, what := range []string{"ACK", "BYE"} {
		m := x.await(proxy, what)
		if got := strings.Join(m.All("Route"), ", "); got != near+", "+far || m.URI != x.phone.URI() {
			t.Errorf("%s %s with Route %s", what, m.URI, got)
		}
		if what == "BYE" {
			x.send(proxy, x.agent.Reply(m, 200, nil))
		}
	}
	x.hangsUp()
	x.check(want{"200 BYE", "CANCEL", "CallerGone"})
}

// A phone that says yes to the CANCEL and never ends its INVITE: that is over
// after 64*T1, and an answer even later is ended by BYE.
func TestPhoneThatNeverSays487(t *testing.T) {
	t.Parallel()
	x := newCrossing(t, sip.MediaRelay)
	x.arrives(false)
	x.accepted() // and no ACK: its 64*T1 are the clock of this test
	x.rings()
	x.opened()
	x.do(routing.Withdraw{Offer: x.offer, Why: "rona"})
	x.send(x.phone, x.agent.Reply(x.await(x.phone, "CANCEL"), 200, nil))
	x.hears("CallFailed no_ack")
	x.send(x.phone, x.agent.Reply(x.ring, 200, x.phone.Audio(1, "sendrecv")))
	x.await(x.phone, "ACK")
	x.check(want{"BYE", "CANCEL, ACK, BYE", "CallFailed no_ack"})
}

// A CANCEL whose Via names another host than the INVITE's, as some proxies
// and NATs make it, still ends the call, and the phone stops (drachtio#480).
func TestCancelWithOtherSentByStopsThePhone(t *testing.T) {
	t.Parallel()
	x := newCrossing(t, sip.MediaRelay)
	x.arrives(false)
	x.rings()
	x.opened()
	cancel := x.caller.Hop("CANCEL", x.invite, nil)
	for i, h := range cancel.Headers {
		if h.Name == "Via" {
			cancel.Headers[i].Value = strings.Replace(h.Value, x.trunk.Addr().String(), "192.0.2.7:5060", 1)
		}
	}
	x.send(x.trunk, cancel)
	x.await(x.trunk, "200 CANCEL")
	x.send(x.trunk, x.caller.Hop("ACK", x.invite, x.await(x.trunk, "487 INVITE")))
	x.gone()
	x.canceled()
	x.check(want{"200 CANCEL, 487 INVITE", "CANCEL, ACK", "CallerGone unanswered"})
}

// We have no password for anybody: a challenge is a failure, not a reason to
// try again, and certainly not for ever (CVE-2020-28242).
func TestChallengeIsOneFailure(t *testing.T) {
	for code, header := range map[int]string{401: "WWW-Authenticate", 407: "Proxy-Authenticate"} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			x := newCrossing(t, sip.MediaRelay)
			x.queued()
			x.invited()
			x.opened()
			x.send(x.phone, x.agent.Reply(x.ring, code, nil, siptest.Header{Name: header, Value: `Digest realm="pbx.example", nonce="n1"`}))
			x.await(x.phone, "ACK")
			x.hears(fmt.Sprint("PhoneFailed ", code))
			x.hangsUp()
			x.check(want{"200 BYE", "ACK", fmt.Sprintf("PhoneFailed %d, CallerGone", code)})
			for _, m := range []string{"Authorization", "Proxy-Authorization"} {
				if x.await(x.phone, "ACK").Get(m) != "" {
					t.Errorf("%s without a password", m)
				}
			}
		})
	}
}

// Where a phone sends its calls is not ours to follow: it may be a number that
// costs (toll fraud). It counts as a phone that cannot be had.
func TestRedirectIsNotFollowed(t *testing.T) {
	for _, code := range []int{300, 301, 302, 305, 380} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			x := newCrossing(t, sip.MediaRelay)
			elsewhere, err := siptest.NewScript("premium", x.st.Addr("udp"))
			x.must(err)
			t.Cleanup(elsewhere.Close)
			x.queued()
			x.rings()
			x.opened()
			x.send(x.phone, x.agent.Reply(x.ring, code, nil, siptest.Header{Name: "Contact", Value: "<" + elsewhere.URI() + ">"}))
			x.await(x.phone, "ACK")
			x.hears(fmt.Sprint("PhoneFailed ", code))
			x.hangsUp()
			x.check(want{"200 BYE", "ACK", fmt.Sprintf("PhoneFailed %d, CallerGone", code)})
			if saw := elsewhere.Saw(); len(saw) != 0 {
				t.Errorf("the address of the redirection got %q", saw)
			}
		})
	}
}

// Without an ACK the 200 is repeated for 64*T1; then the call is ended by BYE
// and told as failed, once (RFC 3261 13.3.1.4).
func TestLostAck(t *testing.T) {
	t.Parallel()
	x := newCrossing(t, sip.MediaRelay)
	x.arrives(false)
	x.accepted()
	x.opened()
	x.hears("CallFailed no_ack")
	// At T1, 3*T1, 7*T1, then each T2 up to 64*T1: ten. A machine that stands
	// still leaves some out.
	if n := x.trunk.Repeats("200 INVITE"); n < 3 || n > 10 {
		t.Errorf("200 repeated %d times", n)
	}
	x.await(x.trunk, "BYE")
	x.send(x.trunk, x.caller.Ack(x.invite, nil)) // too late, and absorbed
	x.check(want{"BYE", "", "CallFailed no_ack"})
}

// An ACK that comes late or twice, after some repetitions of the 200, is an
// ACK all the same, and it ends them.
func TestLateAndRepeatedAck(t *testing.T) {
	t.Parallel()
	x := newCrossing(t, sip.MediaRelay)
	x.arrives(false)
	x.accepted()
	x.opened()
	x.must(x.trunk.AwaitRepeat(x.ctx, "200 INVITE", 2))
	ack := x.caller.Ack(x.invite, nil)
	x.send(x.trunk, ack, ack)
	x.rings() // goes its way
	x.picksUp()
	x.connects()
	x.hears("Joined relay")
	x.send(x.trunk, ack)
	x.hangsUp()
	x.check(want{"200 BYE", "INVITE, ACK, BYE", "PhoneRinging, PhoneAnswered, Joined relay, CallerGone"})
}

// A re-INVITE that overtakes the ACK with the answer waits for it: no glare.
func TestReinviteOvertakesAck(t *testing.T) {
	t.Parallel()
	x := newCrossing(t, sip.MediaRelay)
	x.arrives(true)
	x.accepted()
	x.opened()
	again := x.caller.Request("INVITE", x.trunk.Audio(2, "sendonly"))
	x.send(x.trunk, again, x.caller.Ack(x.invite, x.trunk.Audio(1, "sendrecv")))
	x.await(x.trunk, "200 INVITE")
	x.send(x.trunk, x.caller.Ack(again, nil))
	x.hangsUp()
	x.check(want{"200 INVITE, 200 BYE", "", "CallerGone"})
}

// A re-INVITE that its sender takes back, while it waits for the other leg in
// a direct call, is forgotten: the next one is no glare.
func TestReinviteTakenBack(t *testing.T) {
	for _, leg := range []string{"caller", "agent"} {
		t.Run(leg, func(t *testing.T) {
			t.Parallel()
			x := newCrossing(t, sip.MediaDirect)
			x.talksDirectly()
			x.opened()
			from, side, other, otherSide := x.trunk, x.caller, x.phone, x.agent
			if leg == "agent" {
				from, side, other, otherSide = other, otherSide, from, side
			}
			again := side.Request("INVITE", moved(from))
			x.send(from, again)
			onward := x.await(other, "INVITE")
			x.send(from, side.Hop("CANCEL", again, nil))
			x.await(from, "200 CANCEL")
			x.refused(from, side, again, "487 INVITE")
			// The next one, before the other leg has said anything.
			again = side.Request("INVITE", moved(from))
			x.send(from, again, side.Request("INFO", nil))
			x.await(from, "200 INFO") // so the call has seen both
			x.agrees(other, otherSide, onward, 1)
			x.await(from, "200 INVITE")
			x.send(from, side.Ack(again, nil))
			x.hangsUp()
			w := want{"200 CANCEL, 487 INVITE, 200 INFO, 200 INVITE", "INVITE, ACK", "CallerGone"}
			if leg == "agent" {
				w.trunk, w.phone = w.phone, w.trunk
			}
			w.trunk, w.phone = w.trunk+", 200 BYE", w.phone+", BYE"
			x.check(w)
		})
	}
}

// A CANCEL that is a moment ahead of our 200 to a re-INVITE: what we were about
// to agree on was not agreed, and the phone is told what stood before.
func TestReinviteTakenBackAsItIsAnswered(t *testing.T) {
	t.Parallel()
	x := newCrossing(t, sip.MediaDirect)
	x.talksDirectly()
	x.opened()
	again := x.caller.Request("INVITE", moved(x.trunk))
	x.send(x.trunk, again)
	onward := x.await(x.phone, "INVITE")
	// The call stands still behind the phone's yes, before it answers.
	busy, free := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(free) })
	t.Cleanup(release)
	var once sync.Once
	x.rows.saving.Store(new(func() { once.Do(func() { close(busy); <-free }) }))
	x.agrees(x.phone, x.agent, onward, 1)
	select {
	case <-busy:
	case <-x.ctx.Done():
		t.Fatal("the call does not save its dialog")
	}
	x.send(x.trunk, x.caller.Hop("CANCEL", again, nil))
	x.await(x.trunk, "200 CANCEL")
	x.refused(x.trunk, x.caller, again, "487 INVITE")
	release()
	back := x.awaitNth(x.phone, "INVITE", 2)
	if bytes.Contains(back.Body, []byte("127.0.0.9")) {
		t.Errorf("the phone is left with\n%s", back.Body)
	}
	x.agrees(x.phone, x.agent, back, 2)
	x.hangsUp()
	x.check(want{"200 CANCEL, 487 INVITE, 200 BYE", "INVITE, ACK, INVITE, ACK, BYE", "CallerGone"})
}

// Phones that say nothing, not even 100, until the INVITE has been sent
// several times: a library once followed a nil timer there (sipgo#298).
func TestLateTryingUnderLoad(t *testing.T) {
	t.Parallel()
	const calls = 200
	w := newLossyWorld(t, time.Minute, siptest.Behaviour{Ring: true, DeafFor: 7 * shortT1, AnswerAfter: shortT1}, nil)
	w.office.mu.Lock()
	w.office.quiet = true
	w.office.mu.Unlock()
	var all []*siptest.Call
	every := time.NewTicker(time.Second / 200)
	defer every.Stop()
	for range calls {
		<-every.C
		all = append(all, w.place(siptest.Behaviour{}))
	}
	for n := range calls {
		agent, err := w.phone.WaitCall(w.ctx, n+1)
		w.must(err)
		w.waits(agent, siptest.AckReceived)
	}
	for i, c := range all {
		if i%2 == 0 {
			c.Hangup()
		}
	}
	for _, c := range w.phone.Calls() {
		c.Hangup() // crosses the BYE of half of them
	}
	for _, c := range all {
		w.waits(c, siptest.Over)
	}
	w.ended(calls)
	w.office.mu.Lock()
	defer w.office.mu.Unlock()
	for id, e := range w.office.ledger {
		if e.attempt != 1 {
			t.Errorf("call %d: %d attempts", id, e.attempt)
		}
	}
	if n, m := len(w.office.ledger), len(w.phone.Calls()); n != calls || m != calls {
		t.Errorf("%d calls arrived, %d rang, want %d", n, m, calls)
	}
}

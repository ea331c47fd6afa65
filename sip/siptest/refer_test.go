package siptest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip"
	"github.com/cordboard/cordboard/sip/siptest"
)

// refers has the agent's phone ask to pass the call on.
func (x *crossing) refers(to string, more ...siptest.Header) *siptest.Message {
	x.t.Helper()
	m := x.agent.Request("REFER", nil, append([]siptest.Header{{Name: "Refer-To", Value: to}}, more...)...)
	x.send(x.phone, m)
	return m
}

// takes is the engine's word on it: the call is boris's, the phone's leg over.
func (x *crossing) takes() {
	x.t.Helper()
	x.hears("TransferRequested")
	x.do(routing.Transferred{Offer: x.offer, Queue: "care", ToAgent: "boris"}, routing.Release{Offer: x.offer, Why: "transferred"}, routing.Wait{Call: x.id, Music: "default"})
}

// passed is a call that the phone has passed on: up to our BYE.
func (x *crossing) passed() {
	x.t.Helper()
	x.refers("<sip:boris@192.0.2.1>")
	x.takes()
	x.told(200)
	x.await(x.phone, "BYE")
}

// told has the phone answer both NOTIFYs.
func (x *crossing) told(code int) {
	x.t.Helper()
	for i := range 2 {
		x.send(x.phone, x.agent.Reply(x.awaitNth(x.phone, "NOTIFY", i+1), code, nil))
	}
}

// declines sends REFERs that come to nothing; the agent has the caller still.
func (x *crossing) declines(code string, tos ...[]siptest.Header) {
	x.t.Helper()
	for i, h := range tos {
		x.send(x.phone, x.agent.Request("REFER", nil, h...))
		no := x.awaitNth(x.phone, code+" REFER", i+1)
		if !strings.Contains(no.Get("Reason"), "SIP;cause="+code) {
			x.t.Errorf("%v: no reason in %+v", h, no.Headers)
		}
	}
}

func referTo(values ...string) (h []siptest.Header) {
	for _, v := range values {
		h = append(h, siptest.Header{Name: "Refer-To", Value: v})
	}
	return h
}

// TestRefer: the cases of Asterisk's blind transfers and of OpenSIPS's b2b REFERs, as
// the phone and the engine see them.
func TestRefer(t *testing.T) {
	all := "202 REFER, NOTIFY, NOTIFY, BYE"
	for _, c := range []struct {
		name   string
		play   func(*crossing)
		want   want
		refers []string
	}{
		{"accepted", func(x *crossing) {
			x.refers("<sip:boris@192.0.2.1>")
			x.takes()
			x.notified(x.await(x.phone, "NOTIFY"), "active;expires=60", "SIP/2.0 100 Trying\r\n")
			x.notified(x.awaitNth(x.phone, "NOTIFY", 2), "terminated;reason=noresource", "SIP/2.0 200 OK\r\n")
			if ok := x.await(x.phone, "202 REFER"); ok.Get("Contact") == "" || ok.Get("Refer-Sub") != "" {
				x.t.Errorf("202 with %+v", ok.Headers)
			}
			if may := x.ring.Get("Allow"); !strings.Contains(may, "REFER") || strings.Contains(x.ok.Get("Allow"), "REFER") {
				x.t.Errorf("the phone is told Allow %q, the caller %q", may, x.ok.Get("Allow"))
			}
			x.told(200)
			x.await(x.phone, "BYE")
			x.ends()
		}, want{"BYE", all, "TransferRequested"}, []string{"passed_on"}},
		{"no subscription", func(x *crossing) {
			x.refers("<sip:boris@192.0.2.1>", siptest.Header{Name: "Refer-Sub", Value: "false"}, siptest.Header{Name: "Require", Value: "norefersub"})
			x.takes()
			if ok := x.await(x.phone, "202 REFER"); ok.Get("Refer-Sub") != "false" {
				x.t.Errorf("202 with %+v", ok.Headers)
			}
			x.await(x.phone, "BYE")
			x.ends()
		}, want{"BYE", "202 REFER, BYE", "TransferRequested"}, []string{"passed_on"}},
		{"from hold", func(x *crossing) {
			hold := x.agent.Request("INVITE", x.phone.Audio(2, "sendonly"))
			x.send(x.phone, hold)
			x.await(x.phone, "200 INVITE")
			x.send(x.phone, x.agent.Ack(hold, nil))
			x.hears("PhoneHeld")
			x.do(routing.Hold{Offer: x.offer, On: true, ByPhone: true})
			x.passed()
			x.ends()
		}, want{"BYE", "200 INVITE, " + all, "PhoneHeld, TransferRequested"}, []string{"passed_on"}},
		{"NOTIFY refused", func(x *crossing) {
			x.refers("<sip:boris@192.0.2.1>")
			x.takes()
			x.told(481)
			x.await(x.phone, "BYE")
			x.ends()
		}, want{"BYE", all, "TransferRequested"}, []string{"passed_on"}},
		{"NOTIFY never answered", func(x *crossing) {
			x.refers("<sip:boris@192.0.2.1>")
			x.takes()
			x.await(x.phone, "BYE")
			x.ends()
		}, want{"BYE", all, "TransferRequested"}, []string{"passed_on"}},
		{"NOTIFY refused, and the caller hangs up", func(x *crossing) {
			x.refers("<sip:boris@192.0.2.1>")
			x.takes()
			x.told(408)
			x.await(x.phone, "BYE")
			x.hangsUp()
		}, want{"200 BYE", all, "TransferRequested, CallerGone"}, []string{"passed_on"}},
		{"the phone hangs up after it", func(x *crossing) {
			x.passed()
			x.send(x.phone, x.agent.Request("BYE", nil))
			x.await(x.phone, "200 BYE")
			x.ends()
		}, want{"BYE", all + ", 200 BYE", "TransferRequested"}, []string{"passed_on"}},
		{"the phone offers again after it", func(x *crossing) {
			x.passed()
			again := x.agent.Request("INVITE", x.phone.Audio(2, "sendrecv"))
			x.send(x.phone, again)
			x.send(x.phone, x.agent.Hop("ACK", again, x.await(x.phone, "481 INVITE")))
			x.ends()
		}, want{"BYE", all + ", 481 INVITE", "TransferRequested"}, []string{"passed_on"}},
		{"the phone hangs up before the engine speaks", func(x *crossing) {
			x.refers("<sip:boris@192.0.2.1>")
			x.hears("TransferRequested")
			x.send(x.phone, x.agent.Request("BYE", nil))
			x.hears("AgentGone")
			x.do(routing.Refused{Offer: x.offer, Asked: "transfer_requested", Code: "stale"})
			x.ends()
		}, want{"BYE", "487 REFER, 200 BYE", "TransferRequested, AgentGone"}, nil},
		{"refused by the engine, and once more", func(x *crossing) {
			for i, c := range []struct {
				code, says string
				nth        int
			}{{"closed", "480 REFER", 1}, {"too_many_transfers", "603 REFER", 1}, {"unknown_target", "404 REFER", 1}, {"number_not_allowed", "603 REFER", 2}} {
				x.refers("<sip:boris@192.0.2.1>")
				x.hearsTimes("TransferRequested", i+1)
				x.do(routing.Refused{Offer: x.offer, Asked: "transfer_requested", Code: c.code})
				x.awaitNth(x.phone, c.says, c.nth)
			}
			again := x.refers("<sip:boris@192.0.2.1>")
			x.hearsTimes("TransferRequested", 5)
			x.do(routing.Transferred{Offer: x.offer, Queue: "care", ToAgent: "boris"}, routing.Release{Offer: x.offer, Why: "transferred"})
			number, _, _ := strings.Cut(again.Get("CSeq"), " ")
			if e := x.await(x.phone, "NOTIFY").Get("Event"); e != "refer;id="+number {
				x.t.Errorf("NOTIFY of %q, the REFER was number %s", e, number)
			}
			x.told(200)
			x.await(x.phone, "BYE")
			x.ends()
		}, want{"BYE", "480 REFER, 603 REFER, 404 REFER, 603 REFER, " + all, strings.Repeat("TransferRequested, ", 4) + "TransferRequested"},
			[]string{"closed", "too_many_transfers", "unknown_target", "number_not_allowed", "passed_on"}},
		{"two at once", func(x *crossing) {
			x.refers("<sip:boris@192.0.2.1>")
			x.hears("TransferRequested")
			x.refers("<sip:boris@192.0.2.1>")
			x.await(x.phone, "491 REFER")
			x.takes()
			x.told(200)
			x.await(x.phone, "BYE")
			x.ends()
		}, want{"BYE", "491 REFER, " + all, "TransferRequested"}, []string{"pending", "passed_on"}},
		{"no target", func(x *crossing) {
			x.declines("400", nil, referTo("<sip:boris@192.0.2.1>", "<sip:boris@192.0.2.1>"), referTo("<sip:boris@192.0.2.1"), referTo("boris"))
			x.ends()
		}, want{"BYE", "400 REFER, 400 REFER, 400 REFER, 400 REFER, BYE", ""}, []string{"bad_refer_to", "bad_refer_to", "bad_refer_to", "bad_refer_to"}},
		{"a target that is none", func(x *crossing) {
			x.declines("404", referTo("<sip:nobody@192.0.2.1>"))
			x.declines("416", referTo("<http://192.0.2.1/boris>"))
			x.declines("481", referTo("<sip:boris@192.0.2.1?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2>"))
			x.declines("603", referTo("<sip:boris@192.0.2.1;method=BYE>"), referTo("<sip:09098790000@192.0.2.1>"))
			x.ends()
		}, want{"BYE", "404 REFER, 416 REFER, 481 REFER, 603 REFER, 603 REFER, BYE", ""},
			[]string{"unknown_target", "unknown_scheme", "unknown_dialog", "not_allowed", "number_not_allowed"}},
		{"by the caller", func(x *crossing) {
			x.send(x.trunk, x.caller.Request("REFER", nil, referTo("<sip:boris@192.0.2.1>")...))
			x.await(x.trunk, "603 REFER")
			x.ends()
		}, want{"603 REFER, BYE", "BYE", ""}, []string{"not_allowed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newCrossing(t, sip.MediaRelay)
			x.talksRelayed()
			x.opened()
			c.play(x)
			x.check(c.want)
			x.engine.mu.Lock()
			defer x.engine.mu.Unlock()
			if !slices.Equal(x.engine.refers, c.refers) {
				t.Errorf("counted %q, want %q", x.engine.refers, c.refers)
			}
		})
	}
}

// notified checks a NOTIFY.
func (x *crossing) notified(m *siptest.Message, state, body string) {
	x.t.Helper()
	if m.Get("Event") != "refer" || m.Get("Subscription-State") != state || m.Get("Content-Type") != "message/sipfrag;version=2.0" || m.Get("Contact") == "" || string(m.Body) != body {
		x.t.Errorf("NOTIFY with %q and %q", m.Headers, m.Body)
	}
}

// hearsTimes waits until the engine has heard the event so often.
func (x *crossing) hearsTimes(name string, n int) {
	x.t.Helper()
	for {
		x.engine.mu.Lock()
		changed := x.engine.changed
		x.engine.mu.Unlock()
		seen := 0
		for _, e := range x.engine.heard() {
			if e == name {
				seen++
			}
		}
		if seen >= n {
			return
		}
		select {
		case <-changed:
		case <-x.ctx.Done():
			x.t.Fatalf("the engine did not hear %s %d times but %q", name, n, x.engine.heard())
		}
	}
}

// An INVITE that would take a dialog over gets nobody in, whatever it names.
func TestInviteWithReplaces(t *testing.T) {
	t.Parallel()
	x := newCrossing(t, sip.MediaRelay)
	x.talksRelayed()
	thief := x.trunk.Opens("sip:02079460100@" + x.st.Addr("udp").String())
	for i, replaces := range []string{
		x.caller.CallID + ";to-tag=1;from-tag=2",
		x.agent.CallID + ";to-tag=" + tagOf(x.ring.Get("From")) + ";from-tag=" + tagOf(x.answered.Get("To")),
		"rubbish",
	} {
		m := thief.Request("INVITE", x.trunk.Audio(1, "sendrecv"), siptest.Header{Name: "Replaces", Value: replaces})
		x.send(x.trunk, m)
		x.send(x.trunk, thief.Hop("ACK", m, x.awaitNth(x.trunk, "481 INVITE", i+1)))
	}
	if n := x.gw.Live(); n != 1 {
		t.Errorf("%d calls", n)
	}
	x.opened()
	x.ends()
	x.check(want{"BYE", "BYE", ""})
}

func tagOf(v string) string {
	_, tag, _ := strings.Cut(v, ";tag=")
	return tag
}

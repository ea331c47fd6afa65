package siptest_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip"
	"github.com/cordboard/cordboard/sip/siptest"
	"github.com/cordboard/cordboard/sip/stack"
)

// Caller has everybody who says so be anna's phone: who may is the registrar's, and
// tested there.
func (e *engine) Caller(req *stack.Message, _ bool) (agents.ID, stack.Answer, bool) {
	return anna, stack.Answer{}, strings.Contains(req.Get("From"), "sip:anna@")
}

// calls has anna's phone, which has a caller, call somebody by a dialog of its own.
func (x *crossing) calls(to string, body []byte, more ...siptest.Header) (*siptest.Side, *siptest.Message) {
	x.t.Helper()
	d := x.phone.Opens("sip:" + to + "@" + x.st.Addr("udp").String())
	d.Local = strings.Replace(d.Local, "+447700900123", "anna", 1)
	m := d.Request("INVITE", body, more...)
	x.send(x.phone, m)
	return d, m
}

// asked is the number of the question that the engine was asked last.
func (x *crossing) asked() (id routing.CallID) {
	x.t.Helper()
	x.hears("ConsultRequested")
	x.engine.mu.Lock()
	defer x.engine.mu.Unlock()
	for _, ev := range x.engine.events {
		if c, ok := ev.(routing.ConsultRequested); ok {
			if c.Offer != x.offer || c.ToAgent != "boris" || c.Consult == 0 {
				x.t.Errorf("asked %+v", c)
			}
			id = c.Consult
		}
	}
	return id
}

// starts is the engine's word on it: the question waits.
func (x *crossing) starts(q routing.CallID) {
	x.do(routing.ConsultStarted{Offer: x.offer, Consult: q, Queue: "care", ToAgent: "boris"}, routing.Hold{Offer: x.offer, On: true})
}

// over is the end of the question.
func (x *crossing) over(q routing.CallID, why string) {
	x.do(routing.EndCall{Call: q, Outcome: routing.Consulted, By: routing.ByAgent, Reason: why, Consult: x.id},
		routing.ConsultEnded{Offer: x.offer, Consult: q, Why: why}, routing.Hold{Offer: x.offer})
}

// given takes a refusal of the phone's call.
func (x *crossing) given(d *siptest.Side, m *siptest.Message, code, reason string, nth int) {
	x.t.Helper()
	no := x.awaitNth(x.phone, code+" INVITE", nth)
	if reason != "" && !strings.Contains(no.Get("Reason"), `text="`+reason+`"`) {
		x.t.Errorf("%s because of %q, want %s", code, no.Get("Reason"), reason)
	}
	x.send(x.phone, d.Hop("ACK", m, no))
}

// TestSecondCallRaces: what the phone does with its second call crosses what is decided
// of it. Every dialog ends, and no question is left.
func TestSecondCallRaces(t *testing.T) {
	for _, c := range []struct {
		name string
		play func(*crossing)
		want want
	}{
		{"CANCEL before the engine speaks", func(x *crossing) {
			d, m := x.calls("boris", x.phone.Audio(1, "sendrecv"))
			q := x.asked()
			x.send(x.phone, d.Hop("CANCEL", m, nil))
			x.given(d, m, "487", "", 1)
			x.starts(q)
			x.hears("ConsultStopped")
			x.over(q, "stopped")
			x.ends()
		}, want{"BYE", "200 CANCEL, 487 INVITE, BYE", "ConsultRequested, ConsultStopped"}},
		{"no PRACK", func(x *crossing) {
			d, m := x.calls("boris", x.phone.Audio(1, "sendrecv"), siptest.Header{Name: "Require", Value: "100rel"})
			q := x.asked()
			x.starts(q)
			x.await(x.phone, "180 INVITE")
			x.given(d, m, "504", "", 1) // after 64*T1
			x.hears("ConsultStopped")   // at once, not with the next 180
			x.over(q, "stopped")
			x.ends()
		}, want{"BYE", "180 INVITE, 504 INVITE, BYE", "ConsultRequested, ConsultStopped"}},
		{"CANCEL before the engine refuses", func(x *crossing) {
			d, m := x.calls("boris", x.phone.Audio(1, "sendrecv"))
			x.asked()
			x.send(x.phone, d.Hop("CANCEL", m, nil))
			x.given(d, m, "487", "", 1)
			x.do(routing.Refused{Offer: x.offer, Asked: "consult_requested", Code: "not_now"})
			d, m = x.calls("boris", x.phone.Audio(1, "sendrecv")) // and the next is heard
			x.hearsTimes("ConsultRequested", 2)
			x.do(routing.Refused{Offer: x.offer, Asked: "consult_requested", Code: "closed"})
			x.given(d, m, "480", "closed", 1)
			x.ends()
		}, want{"BYE", "200 CANCEL, 487 INVITE, 480 INVITE, BYE", "ConsultRequested, ConsultRequested"}},
		{"asked at the desk meanwhile", func(x *crossing) {
			d, m := x.calls("boris", x.phone.Audio(1, "sendrecv"))
			x.asked()
			x.starts(900)
			x.do(routing.Refused{Offer: x.offer, Asked: "consult_requested", Code: "not_now"})
			x.given(d, m, "480", "not_now", 1)
			d, m = x.calls("boris", x.phone.Audio(1, "sendrecv"))
			x.given(d, m, "486", "asking", 1)
			x.over(900, "stopped")
			x.ends()
		}, want{"BYE", "480 INVITE, 486 INVITE, BYE", "ConsultRequested"}},
		{"two second calls", func(x *crossing) {
			d, m := x.calls("boris", x.phone.Audio(1, "sendrecv"))
			q := x.asked()
			x.starts(q)
			x.await(x.phone, "180 INVITE")
			d2, m2 := x.calls("boris", x.phone.Audio(1, "sendrecv"))
			x.given(d2, m2, "486", "asking", 1)
			x.over(q, "phone_busy")
			x.given(d, m, "486", "", 2)
			x.ends()
		}, want{"BYE", "180 INVITE, 486 INVITE, 486 INVITE, BYE", "ConsultRequested"}},
		{"the first call ends while it rings", func(x *crossing) {
			d, m := x.calls("boris", x.phone.Audio(1, "sendrecv"))
			q := x.asked()
			x.starts(q)
			x.await(x.phone, "180 INVITE")
			x.send(x.phone, x.agent.Request("BYE", nil))
			x.hears("AgentGone")
			x.do(routing.EndCall{Call: q, Outcome: routing.Consulted, By: routing.ByAgent, Reason: "call_over", Consult: x.id})
			x.given(d, m, "487", "", 1)
			x.ends()
		}, want{"BYE", "180 INVITE, 200 BYE, 487 INVITE", "ConsultRequested, AgentGone"}},
		{"the caller hangs up before the engine speaks", func(x *crossing) {
			d, m := x.calls("boris", x.phone.Audio(1, "sendrecv"))
			x.asked()
			x.send(x.trunk, x.caller.Request("BYE", nil))
			x.hears("CallerGone")
			x.given(d, m, "487", "", 1)
			x.do(routing.Refused{Offer: x.offer, Asked: "consult_requested", Code: "stale"})
			x.ends()
		}, want{"200 BYE", "487 INVITE, BYE", "ConsultRequested, CallerGone"}},
		{"REFER before the engine refuses, and CANCEL", func(x *crossing) {
			d, m := x.calls("boris", x.phone.Audio(1, "sendrecv"))
			q := x.asked()
			x.starts(q)
			ring := x.await(x.phone, "180 INVITE")
			x.refers("<sip:boris@192.0.2.1?Replaces=" + d.CallID + "%3Bto-tag%3D" + tagOf(ring.Get("To")) + "%3Bfrom-tag%3D" + tagOf(d.Local) + ">")
			x.hears("ConsultCompleted")
			x.send(x.phone, d.Hop("CANCEL", m, nil))
			x.given(d, m, "487", "", 1)
			x.hears("ConsultStopped")
			x.do(routing.Refused{Offer: x.offer, Asked: "consult_completed", Code: "not_now"})
			x.await(x.phone, "480 REFER") // what it was for is gone
			x.over(q, "stopped")
			x.ends()
		}, want{"BYE", "180 INVITE, 200 CANCEL, 487 INVITE, 480 REFER, BYE", "ConsultRequested, ConsultCompleted, ConsultStopped"}},
		{"offers that are none", func(x *crossing) {
			d, m := x.calls("boris", nil)
			x.given(d, m, "488", "offer", 1)
			ulaw := x.phone.Audio(1, "sendrecv")
			ulaw = bytes.ReplaceAll(bytes.ReplaceAll(ulaw, []byte("RTP/AVP 8"), []byte("RTP/AVP 0")), []byte("rtpmap:8 PCMA"), []byte("rtpmap:0 PCMU"))
			d, m = x.calls("boris", ulaw)
			x.given(d, m, "488", "codec", 2)
			d, m = x.calls("boris", x.phone.Audio(1, "sendrecv"), siptest.Header{Name: "Replaces", Value: x.caller.CallID + ";to-tag=1;from-tag=2"})
			x.given(d, m, "481", "replaces", 1)
			d, m = x.calls("nobody", x.phone.Audio(1, "sendrecv"))
			x.given(d, m, "404", "unknown_target", 1)
			x.ends()
			x.await(x.phone, "BYE")
			x.noCalls()
			d, m = x.calls("boris", x.phone.Audio(1, "sendrecv"))
			x.given(d, m, "403", "no_call", 1)
		}, want{"BYE", "488 INVITE, 488 INVITE, 481 INVITE, 404 INVITE, BYE, 403 INVITE", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := newCrossing(t, sip.MediaRelay)
			x.talksRelayed()
			x.opened()
			c.play(x)
			x.check(c.want)
		})
	}
}

// A phone that is gone with its second call unacknowledged leaves no question behind.
func TestSecondCallUnacknowledged(t *testing.T) {
	t.Parallel()
	x := newCrossing(t, sip.MediaRelay)
	x.talksRelayed()
	x.opened()
	x.calls("boris", x.phone.Audio(1, "sendrecv"))
	q := x.asked()
	x.starts(q)
	boris, err := siptest.NewScript("boris", x.st.Addr("udp"))
	x.must(err)
	t.Cleanup(boris.Close)
	x.engine.mu.Lock()
	x.engine.phone = boris.URI()
	x.engine.mu.Unlock()
	o := routing.Offer{Call: q, Attempt: 1, Agent: "boris"}
	x.do(routing.Ring{Offer: o})
	invite, err := boris.Await(x.ctx, "INVITE", 1)
	x.must(err)
	asked := boris.Called(invite)
	x.send(boris, asked.Reply(invite, 200, boris.Audio(1, "sendrecv")))
	x.hearsTimes("PhoneAnswered", 2)
	x.do(routing.Connect{Offer: o, Answered: time.Now()})
	x.await(x.phone, "200 INVITE")
	x.hears("ConsultStopped") // after 64*T1
	x.over(q, "stopped")
	bye, err := boris.Await(x.ctx, "BYE", 1)
	x.must(err)
	x.send(boris, asked.Reply(bye, 200, nil))
	bye = x.await(x.phone, "BYE")
	x.send(x.phone, x.agent.Reply(bye, 200, nil))
	x.hangsUp()
	x.noCalls()
}

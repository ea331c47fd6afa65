package sip

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/siptest"
)

// Callers who require that our provisional responses be acknowledged (RFC 3262), by
// SIPp: the answer in a 183, our offer in a 180, another offer in the PRACK or by
// UPDATE before the call is answered, over a network that loses and doubles.
func TestCallerWhoAcknowledges(t *testing.T) {
	t.Parallel()
	narrowed := func(l *leg) bool { return len(l.can) == 2 } // by the second offer
	for _, c := range []struct {
		name, scenario string
		faults         siptest.Faults
		calls          int
		late           bool
		agreed         func(*leg) bool
	}{
		{name: "UPDATE", scenario: "caller_prack", calls: 1, agreed: narrowed},
		{name: "offer in the PRACK", scenario: "caller_prack_offer", calls: 1, agreed: narrowed},
		{name: "late offer", scenario: "caller_prack_late", calls: 1, late: true, agreed: func(l *leg) bool { return l.agreed }},
		{name: "UPDATE, bad network", scenario: "caller_prack", calls: 4, faults: siptest.Faults{Loss: 0.15, Duplicate: 0.15}, agreed: narrowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			w := newWorld(t, worldOptions{t1: 100 * time.Millisecond, sounds: tones(t)})
			net, err := siptest.NewLossy(7, w.stack.Addr("udp"))
			if err != nil {
				t.Fatal(err)
			}
			defer net.Close()
			net.Set(c.faults)
			caller := sipp(ctx, t, c.scenario, freePort(t), "-m", strconv.Itoa(c.calls), "-l", "1", "-d", "50", "-s", "02079460000", net.Server().String())
			for range c.calls {
				id := get(t, "arrival", w.router.arrivals).Call
				if !c.late {
					w.do(routing.EarlyMedia{Call: id, Music: "default"})
				}
				w.until(id, func(k *call) bool { return c.agreed(k.caller) })
				w.do(routing.AnswerCaller{Call: id, Music: "default"})
				w.expect(routing.CallerGone{Call: id})
				w.do(routing.EndCall{Call: id, Outcome: routing.Abandoned, By: routing.ByCaller})
			}
			if err := get(t, "SIPp's end", caller); err != nil {
				t.Error(err)
			}
		})
	}
}

// until waits until the call is as it should be.
func (w *world) until(id routing.CallID, is func(*call) bool) {
	w.t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for deadline := time.After(patience); ; {
		var ok bool
		w.inside(id, func(c *call) { ok = is(c) })
		if ok {
			return
		}
		select {
		case <-again.C:
		case <-deadline:
			w.t.Fatalf("call %d does not become what it should", id)
		}
	}
}

// A caller who acknowledges nothing: 504 after 64*T1, and the engine hears of it.
func TestCallerWhoNeverAcknowledges(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	w := newWorld(t, worldOptions{t1: 20 * time.Millisecond})
	caller := sipp(ctx, t, "caller_no_prack", freePort(t), "-m", "1", "-s", "02079460000", w.stack.Addr("udp").String())
	id := get(t, "arrival", w.router.arrivals).Call
	w.do(routing.EarlyMedia{Call: id, Music: "default"}, routing.AnswerCaller{Call: id, Music: "default"})
	w.expect(routing.CallFailed{Call: id, Reason: "no_prack"})
	if err := get(t, "SIPp's end", caller); err != nil {
		t.Error(err)
	}
}

// What goes into a description is counted once: the caller who acknowledged ours in a
// 183 hears music from then on, and is joined with the agent like any other.
func TestAcknowledgedCallerIsJoined(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	w := newWorld(t, worldOptions{media: MediaRelay})
	caller := sipp(ctx, t, "caller_prack_late", freePort(t), "-m", "1", "-d", "300", "-s", "02079460000", w.stack.Addr("udp").String())
	id := get(t, "arrival", w.router.arrivals).Call
	w.until(id, func(c *call) bool { return c.caller.agreed })
	o := offerOf(id, 1)
	agent := w.ringing(newPeer(t), o)
	d, offer := agent.sdpOf(agent.invite.Body)
	if _, err := agent.side.Answer(d, agent.audio(media.SendRecv, 8, 101)); err != nil || len(offer.Formats) != 2 {
		t.Errorf("the phone is offered %+v, the caller speaks PCMA: %v", offer.Formats, err)
	}
	w.accepts(agent, o, 8, 101)
	w.do(routing.Connect{Offer: o, Music: "default"})
	w.expect(routing.Joined{Offer: o, Media: MediaRelay})
	w.expect(routing.CallerGone{Call: id})
	w.do(routing.EndCall{Call: id, Outcome: routing.Answered, By: routing.ByCaller})
	if err := get(t, "SIPp's end", caller); err != nil {
		t.Error(err)
	}
}

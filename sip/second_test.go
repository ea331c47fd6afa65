package sip

import (
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// ownPhone has who says so be anna's phone.
type ownPhone struct{}

func (ownPhone) Caller(req *stack.Message, _ bool) (agents.ID, stack.Answer, bool) {
	return anna, stack.Answer{}, strings.Contains(req.Get("From"), "sip:anna@")
}

// A question may wait in its queue for long: the phone is told again that it rings.
func TestSecondCallRingsOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaRelay, tune: func(g *Gateway) {
		g.callers, g.targets, g.ringbackEvery = ownPhone{}, colleagues{}, 5*time.Millisecond
	}})
	phone := newPeer(t)
	caller, _, o, _, _ := w.joined(newPeer(t), phone)
	c := newPeerCall(t)
	d, err := phone.st.Invite(stack.Outgoing{
		URI: "sip:boris@" + w.stack.Addr("udp").String(), From: "<sip:anna@desk.example>", To: "<sip:boris@desk.example>",
		Body: c.side.Offer(c.audio(media.SendRecv, 8, 101)),
	}, c.sink)
	if err != nil {
		t.Fatal(err)
	}
	c.d = d
	ask, ok := get(t, "question", w.router.events).(routing.ConsultRequested)
	if !ok || ask.Offer != o || ask.ToAgent != "boris" {
		t.Fatalf("asked %+v", ask)
	}
	w.do(routing.ConsultStarted{Offer: o, Consult: ask.Consult, Queue: "experts"}, routing.Hold{Offer: o, On: true})
	for range 3 {
		if p := event[stack.Progress](c); p.Response.Status != 180 {
			t.Errorf("told %d", p.Response.Status)
		}
	}
	w.do(routing.EndCall{Call: ask.Consult, Outcome: routing.Consulted, By: routing.ByServer, Reason: "refused", Consult: o.Call},
		routing.ConsultEnded{Offer: o, Consult: ask.Consult, Why: "refused"}, routing.Hold{Offer: o})
	for {
		ev := get(t, "refusal", c.events)
		if _, again := ev.(stack.Progress); again {
			continue
		}
		if f, ok := ev.(stack.Failed); !ok || f.Code != 603 {
			t.Errorf("the end is %+v", ev)
		}
		break
	}
	w.hangUp(caller, o.Call)
}

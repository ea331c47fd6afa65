package sip

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// A caller who waits hangs up in the same moment as the agent picks up, in all
// orders: nobody is left on the line, and the engine hears one end
// (freeswitch#1973: callers who stayed "Answered" for hours).
func TestHangUpRacesTheAnswer(t *testing.T) {
	t.Parallel()
	const rounds = 100
	for _, way := range []string{MediaRelay, MediaDirect} {
		t.Run(way, func(t *testing.T) {
			w := newWorld(t, worldOptions{media: way})
			trunk, phone := newPeer(t), newPeer(t)
			rnd := rand.New(rand.NewPCG(3, 4))
			outcomes := map[string]int{}
			for range rounds {
				outcomes[w.hangUpRace(trunk, phone, time.Duration(rnd.IntN(3000)-1500)*time.Microsecond)]++
			}
			t.Log(outcomes)
			if len(outcomes) < 2 {
				t.Errorf("only %v: that is no race", outcomes)
			}
		})
	}
}

// hangUpRace lets the phone answer and the caller hang up, the one so long
// after the other, and says how far the call came.
func (w *world) hangUpRace(trunk, phone *peer, hangUpAfter time.Duration) string {
	w.t.Helper()
	caller, _, id := w.queued(trunk, 8, 101)
	o := offerOf(id, 1)
	agent := w.ringing(phone, o)
	body := agent.answerTo(agent.invite.Body, agent.audio(media.SendRecv, 8, 101))
	late, soon := func() { caller.d.Bye(nil) }, func() { _ = agent.d.Accept(nil, body) } // refused when our CANCEL is there
	if hangUpAfter < 0 {
		late, soon, hangUpAfter = soon, late, -hangUpAfter
	}
	done := make(chan struct{})
	time.AfterFunc(hangUpAfter, func() { late(); close(done) })
	soon()

	came := "ringing"
	for gone := false; !gone; {
		switch ev := get(w.t, "the caller's end", w.router.events).(type) {
		case routing.PhoneAnswered:
			came = "answered"
			w.do(routing.Connect{Offer: o, Music: "default"})
		case routing.Joined:
			came = "joined"
		case routing.CallerGone:
			gone = true
			if ev.Unanswered {
				w.t.Fatal("a caller who heard music was not answered")
			}
		default:
			w.t.Fatalf("engine heard %T%+v", ev, ev)
		}
	}
	get(w.t, "both", done)
	w.do(routing.EndCall{Call: id, Outcome: routing.Abandoned, By: routing.ByCaller})
	w.untilOver("phone", agent)
	if n := len(w.router.events); n != 0 {
		w.t.Fatalf("engine heard %T after the end", <-w.router.events)
	}
	return came
}

// untilOver reads a peer's events to the end of its dialog; the re-INVITE of a
// direct join may come on the way.
func (w *world) untilOver(who string, c *peerCall) {
	w.t.Helper()
	for {
		switch ev := get(w.t, "end of the "+who+"'s leg", c.events).(type) {
		case stack.Acked, stack.Requested:
		case stack.Canceled, stack.Ended:
			return
		default:
			w.t.Fatalf("%s saw %T", who, ev)
		}
	}
}

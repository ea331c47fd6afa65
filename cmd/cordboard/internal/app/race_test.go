package app

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/sip/siptest"
)

const races = 50

// racer is a caller who gives up in the instant in which the phone answers.
type racer interface {
	ripe(n int) // waits until the n-th call, from 1, is what the race is about
	giveUp(n int)
	gone(n int) // waits for its end
	// talked reports whether the server took the n-th call for a talk, as far as
	// the caller can tell; the desk's view is given.
	talked(n int, desk bool) bool
	over()
}

// sippRacer is SIPp, one call after the other.
type sippRacer struct {
	*caller
	word string
}

func (r sippRacer) ripe(n int)   { r.w.Helper(); r.sees(n, r.word) }
func (r sippRacer) giveUp(n int) { r.told(n, hangUp) }
func (r sippRacer) gone(n int)   { r.w.Helper(); r.sees(n, "gone") }

// talked: one who is answered with the agent has had a 200, or there was no
// talk, whatever stood on the desk for a moment.
func (r sippRacer) talked(n int, desk bool) bool {
	if r.word == "up" {
		return desk
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.logged(n, "up") || r.logged(n, "crossed")
}

// robotRacer is a robot. SIPp cannot take a re-INVITE that crosses its BYE.
type robotRacer struct {
	w     *world
	trunk *siptest.Trunk
	to    string
	call  *siptest.Call
}

func (r *robotRacer) ripe(int) {
	r.w.Helper()
	r.w.heard(r.call, siptest.AckSent)
}

func (r *robotRacer) giveUp(int) { r.call.Hangup() }

// gone asks after the dialog as SIPp does, and places the next call.
func (r *robotRacer) gone(n int) {
	r.w.Helper()
	r.w.heard(r.call, siptest.Over)
	if code, err := r.call.Ask(r.w.ctx, "OPTIONS"); err != nil || code != 481 {
		r.w.Errorf("OPTIONS in the caller's dialog of a call that is over: %d, %v", code, err)
	}
	if n < races {
		r.place()
	}
}

func (r *robotRacer) place() {
	r.w.Helper()
	r.w.calls++
	var err error
	r.call, err = r.trunk.Call(r.w.ctx, siptest.CallOptions{From: "trunk", PAI: "<sip:" + dana + "@trunk.example>", To: r.to})
	r.w.must(err)
}

func (r *robotRacer) talked(_ int, desk bool) bool { return desk }

func (r *robotRacer) over() { r.trunk.Close() }

func (w *world) robotRacer(to string) *robotRacer {
	w.Helper()
	trunk, err := siptest.NewTrunk(w.ctx, siptest.TrunkOptions{Target: w.app.SIPAddr().String()})
	w.must(err)
	w.Cleanup(trunk.Close)
	r := &robotRacer{w: w, trunk: trunk, to: to}
	r.place()
	return r
}

// TestRaces has the caller give up in the very instant in which the agent's
// phone answers, again and again: BYE against the 200, and, where the caller is
// answered with the agent, CANCEL against it.
func TestRaces(t *testing.T) {
	for _, on := range Databases {
		testRaces(t, on)
	}
}

func testRaces(t *testing.T, on Database) {
	for _, c := range []struct {
		name   string
		direct bool
		racer  func(*world) racer
	}{
		{"BYE and 200, relayed", false, func(w *world) racer { return sippRacer{w.dial(dial{calls: races}), "up"} }},
		{"BYE and 200, direct", true, func(w *world) racer { return w.robotRacer(toCare) }},
		{"CANCEL and 200, relayed", false, func(w *world) racer { return sippRacer{w.dial(dial{to: toTogether, calls: races}), "ringing"} }},
		{"CANCEL and 200, direct", true, func(w *world) racer { return sippRacer{w.dial(dial{to: toTogether, calls: races}), "ringing"} }},
	} {
		t.Run(on.Case(c.name), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{at: []agents.ID{anna}, direct: c.direct, store: on})
			w.phones[anna].Set(rings(anna))
			baseline, was := w.goroutines()
			r := c.racer(w)
			talks := make([]bool, races)
			var edges [2]edge // of what the phone did, and of what the server made of it
			for n := 1; n <= races; n++ {
				e := &edges[n%2]
				sent, talk := w.race(r, n, e.offset)
				e.next(n%2 == 0 && sent || talk)
				talks[n-1] = talk
			}
			r.over()
			rows := w.settled()
			outcomes := map[routing.Outcome]int{}
			for i, r := range rows {
				outcomes[r.Outcome]++
				want := abandoned(1)
				if talks[i] {
					want = answeredByCaller
				}
				if got := rowOf(r); got != want {
					w.Errorf("call %d in the ledger: %+v, want %+v", i+1, got, want)
				}
			}
			w.Logf("%v", outcomes)
			w.takesNext(anna)
			w.settled()
			w.quiet(baseline, was)
		})
	}
}

// race lets the end of the n-th call and the answer of anna's phone meet, the
// end later by the offset. It reports whether the phone had sent its 200 before
// it heard of the end, and whether there was a talk.
func (w *world) race(r racer, n int, offset time.Duration) (sent, talk bool) {
	w.Helper()
	leg := w.rung(anna, n)
	w.screen(anna, "ringing", func(desktest.State) bool { s := w.desks[anna].Seen(); return len(s) == n && !s[n-1].RingingAt.IsZero() })
	r.ripe(n)
	var both sync.WaitGroup
	begin := time.Now()
	both.Go(func() {
		waitFor(begin, -offset)
		_ = leg.Answer() // too late when the CANCEL was first
	})
	both.Go(func() {
		waitFor(begin, offset)
		r.giveUp(n)
	})
	both.Wait()
	r.gone(n)
	w.heard(leg, siptest.Over)
	var seen desktest.Seen
	w.screen(anna, "end of the offer or of the talk", func(desktest.State) bool {
		seen = w.desks[anna].Seen()[n-1]
		return !seen.WithdrawnAt.IsZero() || !seen.DoneAt.IsZero()
	})
	_, sent = leg.At(siptest.OKSent)
	return sent, r.talked(n, !seen.TalkingAt.IsZero())
}

// waitFor waits more finely than the system's timers do.
func waitFor(begin time.Time, d time.Duration) {
	for time.Since(begin) < d {
		runtime.Gosched()
	}
}

// edge looks for the offset at which neither side is first, and stays about it.
type edge struct {
	offset time.Duration
	step   time.Duration
	before bool
}

func (e *edge) next(answered bool) {
	switch {
	case e.step == 0:
		e.step = 2 * time.Millisecond
	case answered != e.before:
		e.step = max(e.step/2, 20*time.Microsecond)
	default:
		e.step = min(e.step*5/4, 4*time.Millisecond)
	}
	e.before = answered
	if answered {
		e.offset -= e.step
	} else {
		e.offset += e.step
	}
}

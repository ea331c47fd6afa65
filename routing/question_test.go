package routing

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
)

// ask answers a question in pieces of so many units.
func ask(t *testing.T, e *Engine, call CallID, units int) (Waits, int) {
	t.Helper()
	q := NewQuestion(call)
	pieces := 1
	for ; !e.Answer(q, units); pieces++ {
		if pieces > 10_000 {
			t.Fatal("a question without an end")
		}
	}
	w, known := q.Result()
	if !known {
		t.Fatalf("call %d is not there", call)
	}
	return w, pieces
}

// serving is the event that makes a change true, nil for one that no single
// event does.
func serving(e *Engine, ch Change) Event {
	a := e.agents[ch.Agent]
	if len(ch.Missing) != 1 || a.asked.leaves() {
		return nil
	}
	switch what, why, _ := strings.Cut(ch.Missing[0], ":"); {
	case what == "away" && why != agents.ReasonUnreachable:
		return AgentStateAsked{ch.Agent, agents.Available, ""}
	case strings.HasPrefix(what, "wrap_up"):
		return WrapUpEnded{a.wrap.offer, "done"}
	}
	return nil
}

// TestWaits: asked why a call waits, the engine names everyone who is signed in
// once, whatever the pieces; and the change that it says would serve the call
// does, in a day decided again up to then, as one that would not does not.
func TestWaits(t *testing.T) {
	t.Parallel()
	served, not := 0, 0
	for seed := range uint64(4) {
		p, days := tapeOf(t, nil), day{}
		p.data = noise(seed+500, 1500)
		for n := 0; len(p.data) > 0; n++ {
			if b := p.byte(); b < 60 {
				p.now = p.now.Add(time.Duration(b) * 50 * time.Millisecond)
			} else if due, ok := p.e.Deadline(); b < 120 && ok && due.After(p.now) {
				p.now = due
			}
			ev := p.event()
			p.e.Slices(0, 0)
			days.note(t, p, ev)
			acts, _ := p.e.Step(p.now, ev)
			for _, a := range acts {
				p.action(ev, a)
			}
			if n%11 != 0 {
				continue
			}
			for id := max(1, p.next-4); id <= p.next; id++ {
				c := p.e.calls[id]
				if c == nil || c.phase != waiting {
					continue
				}
				w, pieces := ask(t, p.e, id, 5)
				whole, one := ask(t, p.e, id, 1_000_000)
				if !reflect.DeepEqual(w, whole) || one != 1 || len(p.e.roster) > 2 && pieces < 3 {
					t.Fatalf("in %d pieces %+v, in %d %+v", pieces, w, one, whole)
				}
				checkRecord(t, p.e, w.Record)
				for _, ch := range w.Changes {
					change := serving(p.e, ch)
					if change == nil || !p.e.agents[ch.Agent].reachable() || p.e.pending() {
						continue
					}
					if given := days.then(t, p.now, change, id, ch.Agent); given != ch.Serves {
						t.Fatalf("seed %d, call %d: %+v, and given: %v", seed, id, ch, given)
					} else if given {
						served++
					} else {
						not++
					}
				}
				if i := slices.IndexFunc(w.Changes, func(ch Change) bool { return !ch.Serves }); i >= 0 {
					if slices.ContainsFunc(w.Changes[i:], func(ch Change) bool { return ch.Serves }) {
						t.Fatalf("%+v: one that serves stands behind", w.Changes)
					}
				}
			}
		}
	}
	if served < 5 || not < 5 {
		t.Errorf("%d changes served, %d did not", served, not)
	}
}

// then decides the day again and has one more event come: does it give the call
// to the agent?
func (d *day) then(t *testing.T, now time.Time, ev Event, call CallID, agent agents.ID) (given bool) {
	e := d.engine(t, nil)
	acts, err := e.Step(now, ev)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(acts, func(a Action) bool {
		o, ok := a.(OfferCall)
		return ok && o.Call == call && o.Agent == agent
	})
}

// TestQuestionOfACallThatMovesOn: a call that is served while its question is
// being answered is told as it is then, and one that has ended is not there.
func TestQuestionOfACallThatMovesOn(t *testing.T) {
	t.Parallel()
	e := centreOf(t, 50)
	for id := CallID(1); id <= 50; id++ { // one more than can take it
		step(t, e, CallArrived{Call: id})
	}
	q := NewQuestion(50)
	if e.Answer(q, 40) {
		t.Fatal("done at once")
	}
	step(t, e, AgentStateAsked{"a00049", agents.NotReady, "lunch"})
	step(t, e, CallerGone{Call: 1})
	for !e.Answer(q, 40) {
	}
	if w, ok := q.Result(); !ok || w.Phase != "offered" || w.Agent == "" || w.Record.Kind != "" || len(w.Changes) != 0 {
		t.Errorf("offered meanwhile: %+v", w)
	}
	q = NewQuestion(1)
	if !e.Answer(q, 1) {
		t.Error("a call that has ended takes time")
	}
	if _, ok := q.Result(); ok {
		t.Error("a call that has ended is there")
	}
}

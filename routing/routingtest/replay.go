package routingtest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/sim"
)

// tape is all that engines were told in a case, and what they did.
type tape struct {
	fed    []fed
	next   fed            // what is to be fed, but for the event
	erased map[string]int // customers, by how much had been fed when they were erased
}

// fed is one event that an engine was fed.
type fed struct {
	at               time.Time
	ev               routing.Event
	begins           *routing.Policy // of a new engine that it is the first of
	units, decisions int             // as it was sliced
	acts             []routing.Action
}

// begin takes a new engine.
func (r *runner) begin(p *routing.Policy) {
	r.engine, r.next.begins = routing.New(p), p
	r.slices(0, 0)
}

func (r *runner) slices(units, decisions int) {
	r.engine.Slices(units, decisions)
	r.next.units, r.next.decisions = units, decisions
}

func (t *tape) keep(at time.Time, ev routing.Event, acts []routing.Action) {
	f := t.next
	f.at, f.ev, f.acts = at, ev, acts
	t.fed = append(t.fed, f)
	t.next.begins = nil
}

// erase erases a customer by id; one who is in no record, by the number.
func (r *runner) erase(who string) error {
	if who == "" || !slices.ContainsFunc(r.fed, func(f fed) bool { ev, ok := f.ev.(routing.CustomerResolved); return ok && r.subject(ev) == who }) {
		return fmt.Errorf("nobody of that name has called")
	}
	if r.erased == nil {
		r.erased = map[string]int{}
	}
	r.erased[who] = len(r.fed)
	return nil
}

// subject is whom a record is of.
func (r *runner) subject(ev routing.CustomerResolved) string {
	return first(ev.Key, r.hashes[ev.Call])
}

// forget are the calls of customers who were erased, by how much had been fed then.
func (r *runner) forget() map[routing.CallID]int {
	out := map[routing.CallID]int{}
	for i, f := range r.fed {
		if ev, ok := f.ev.(routing.CustomerResolved); ok {
			if end := r.erased[r.subject(ev)]; i < end {
				out[ev.Call] = end
			}
		}
	}
	return out
}

// without is the tape without what is not known any more of some calls' customers.
func (t *tape) without(calls map[routing.CallID]int) []fed {
	out := slices.Clone(t.fed)
	for i, f := range out {
		switch ev := f.ev.(type) {
		case routing.CustomerResolved:
			if i < calls[ev.Call] {
				out[i].ev = routing.CustomerResolved{Call: ev.Call, Ask: ev.Ask, Key: ev.Key, Erased: true}
			}
		case routing.RimRead:
			if i < calls[ev.Call] {
				out[i].ev = routing.RimRead{Call: ev.Call, Erased: true}
			}
		}
	}
	return out
}

// replay decides the case again and shows how its calls come out.
func (r *runner) replay() error {
	line, err := r.replayed(r.forget())
	if err == nil {
		r.out = append(r.out, "         replay: "+line)
	}
	return err
}

// replayed decides the tape again by engines of its own, which know of some calls
// only what was decided, and says how the calls come out.
func (r *runner) replayed(forget map[routing.CallID]int) (string, error) {
	before := perCall(r.fed)
	recall := sim.Recall{Recorded: func(call routing.CallID) (*routing.Recorded, error) {
		out := &routing.Recorded{}
		for _, d := range before[call] {
			out.Follow(d.at, d.act)
		}
		return out, nil
	}}
	again := r.without(forget)
	var e *routing.Engine
	for i := range again {
		f := &again[i]
		if f.begins != nil {
			e = routing.New(f.begins)
		}
		e.Slices(f.units, f.decisions)
		ev, err := recall.Complete(f.at, f.ev)
		if err != nil {
			return "", err
		}
		acts, _ := e.Step(f.at, ev) // what is refused was refused before
		f.acts = slices.Clone(acts)
		recall.Did(f.at, f.acts)
	}
	return r.compare(before, perCall(again), &recall)
}

// did is an action when it was done.
type did struct {
	at  time.Time
	act routing.Action
}

// perCall are the actions by the call that they are about, those about none
// under 0.
func perCall(list []fed) map[routing.CallID][]did {
	out := map[routing.CallID][]did{}
	for _, f := range list {
		for _, a := range f.acts {
			of, _ := routing.About(a)
			out[of.Call] = append(out[of.Call], did{f.at, a})
		}
	}
	return out
}

func alike(a, b did) bool {
	x, err := routing.AppendAction([]byte(a.act.Kind()), a.act)
	y, also := routing.AppendAction([]byte(b.act.Kind()), b.act)
	return err == nil && also == nil && a.at.Equal(b.at) && bytes.Equal(x, y)
}

func (r *runner) compare(before, after map[routing.CallID][]did, recall *sim.Recall) (string, error) {
	if !slices.EqualFunc(before[0], after[0], alike) {
		return "", fmt.Errorf("agents find another day: %s", difference(before[0], after[0]))
	}
	calls, same, different := 0, 0, 0
	var erased []string
	for i, name := range r.order {
		id := routing.CallID(i + 1)
		if len(before[id]) == 0 && len(after[id]) == 0 {
			continue
		}
		calls++
		switch {
		case recall.Erased(id):
			erased = append(erased, name+": "+asRecorded(before[id], after[id]))
		case slices.EqualFunc(before[id], after[id], alike):
			same++
		default:
			different++
		}
	}
	s := fmt.Sprintf("%d calls, %d the same, %d different, %d erased", calls, same, different, len(erased))
	if len(erased) > 0 {
		s += " (" + strings.Join(erased, ", ") + ")"
	}
	return s, nil
}

// asRecorded is where an erased call waited last, and whether all that others
// notice of it is as it was.
func asRecorded(before, after []did) string {
	last := "in no queue"
	for _, d := range after {
		if a, ok := d.act.(routing.Enqueued); ok {
			last = fmt.Sprintf("queue %s priority=%d", a.Queue, a.Priority)
		}
	}
	if was, is := unreasoned(before), unreasoned(after); !slices.EqualFunc(was, is, alike) {
		return last + ", but recorded: " + difference(was, is)
	}
	return last + " as recorded"
}

// unreasoned are a call's actions without their reasons: of an erased call these are
// not known.
func unreasoned(list []did) []did {
	out := slices.Clone(list)
	for i, d := range out {
		switch a := d.act.(type) {
		case routing.Enqueued:
			a.Reason = routing.Reason{}
			out[i].act = a
		case routing.OfferCall:
			a.Reason = routing.Reason{}
			out[i].act = a
		case routing.Held:
			a.Reason = routing.Reason{}
			out[i].act = a
		}
	}
	return out
}

// difference is the first action that differs.
func difference(before, after []did) string {
	for i := range min(len(before), len(after)) {
		if !alike(before[i], after[i]) {
			return fmt.Sprintf("%s %+v, then %s %+v", before[i].act.Kind(), before[i], after[i].act.Kind(), after[i])
		}
	}
	return fmt.Sprintf("%d actions, then %d", len(before), len(after))
}

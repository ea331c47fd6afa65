package routing

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/match"
)

// tapeOf is the tape of FuzzEngine over some bytes.
func tapeOf(t *testing.T, data []byte) *tape {
	return &tape{
		t: t, e: New(tapePolicy(1)), now: tapeStart, data: data, offers: map[CallID]Offer{}, beside: map[CallID][]Offer{}, holder: map[agents.ID]CallID{},
		ended: map[CallID]bool{}, arrived: map[CallID]bool{}, greeted: map[CallID]bool{}, rung: map[Offer]bool{}, talks: map[CallID][]Offer{}, version: 1,
	}
}

// checkRecord holds one record against the engine as the decision found it.
func checkRecord(t *testing.T, e *Engine, r Record) {
	t.Helper()
	seen := map[agents.ID]int{}
	if r.Chosen != "" {
		seen[r.Chosen]++
	}
	for _, id := range r.Group {
		seen[id]++
	}
	for _, id := range r.Free {
		seen[id]++
	}
	for _, l := range r.LeftOut {
		seen[l.Agent]++
		if l.Code == "" {
			t.Fatalf("%+v: %s is left out without a reason", r, l.Agent)
		}
	}
	if len(seen) != len(e.roster) || r.SignedIn != len(e.roster) {
		t.Fatalf("%+v names %d agents, %d are signed in", r, len(seen), len(e.roster))
	}
	for _, a := range e.roster {
		if seen[a.id] != 1 {
			t.Fatalf("%+v names %s %d times", r, a.id, seen[a.id])
		}
	}
	if got := r.Decide(); got != r.Chosen {
		t.Fatalf("%+v: decided again it is %s", r, got)
	}
	sum := 0
	for _, p := range r.Points {
		sum += p.Points
	}
	if sum != r.Priority {
		t.Fatalf("%+v: the additions make %d", r, sum)
	}
	if r.Chosen != "" && r.Kind == Given && r.Prefer == "" && len(r.Terms) == 0 {
		t.Fatalf("%+v: no values of the chosen", r)
	}
	if c := r.Counterfactual; c != nil && (seen[c.Agent] != 1 || c.Agent == r.Chosen || len(c.Missing) == 0) {
		t.Fatalf("%+v: counterfactual %+v", r, c)
	}
	if r.Counterfactual == nil && len(r.LeftOut) > 0 {
		t.Fatalf("%+v: nobody is nearest", r)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Record
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(back); !bytes.Equal(again, b) {
		t.Fatalf("%s is read as %s", b, again)
	}
}

// TestRecords: over random days every record names each agent who is signed in
// exactly once, decides again as it did, and stands beside its action; and an
// engine that is watched does what one does that is not.
func TestRecords(t *testing.T) {
	t.Parallel()
	kinds := map[string]int{}
	for seed := range uint64(24) {
		p, data := tapeOf(t, nil), noise(seed+100, 1500)
		p.data = data
		plain := New(tapePolicy(1))
		if seed%2 == 1 {
			p.e.Slices(200, 1)
		}
		var told []Record
		all, days := map[CallID][]Record{}, day{}
		p.e.Watch(0, func(r Record) {
			checkRecord(t, p.e, r)
			told = append(told, r)
			all[r.Call] = append(all[r.Call], r)
		})
		for len(p.data) > 0 {
			if b := p.byte(); b < 60 {
				p.now = p.now.Add(time.Duration(b) * 50 * time.Millisecond)
			} else if due, ok := p.e.Deadline(); b < 120 && ok && due.After(p.now) {
				p.now = due
			}
			ev := p.event()
			told = told[:0]
			plain.slice.mostUnits, plain.slice.mostDecisions = p.e.slice.mostUnits, p.e.slice.mostDecisions
			days.note(t, p, ev)
			acts, _ := p.e.Step(p.now, ev)
			again, _ := plain.Step(p.now, ev)
			for i := range max(len(acts), len(again)) {
				if i >= len(acts) || i >= len(again) || !reflect.DeepEqual(acts[i], again[i]) {
					t.Fatalf("seed %d, %s: the action %d of %d and %d is another when watched (%d units, %d without)",
						seed, ev.Kind(), i, len(acts), len(again), p.e.slice.units, plain.slice.units)
				}
			}
			for _, a := range acts {
				p.action(ev, a)
			}
			kinds[Given] += recordsBesideActions(t, acts, told)
			for _, r := range told {
				kinds[r.Kind+" "+r.Trigger]++
			}
		}
		for id := CallID(seed + 1); id <= p.next; id += 31 {
			if got := days.again(t, id); !reflect.DeepEqual(got, all[id]) {
				t.Fatalf("seed %d: call %d decided again: %+v, was %+v", seed, id, got, all[id])
			}
		}
	}
	for _, want := range []string{"queued arrived", "offered agent_free", "offered arrived", "offered came_back", "offered step", "holding arrived"} {
		if kinds[want] == 0 {
			t.Errorf("no record %s: %v", want, kinds)
		}
	}
}

// day is what a journal keeps of a tape.
type day struct {
	at       []int64
	kinds    []string
	lines    [][]byte
	policies []*Policy
	slices   [][2]int
}

func (d *day) note(t *testing.T, p *tape, ev Event) {
	line, err := AppendEvent(nil, ev)
	if err != nil {
		t.Fatal(err)
	}
	switch changed := ev.(type) {
	case PolicyChanged:
		d.policies = append(d.policies, changed.Policy)
	case DirectoryChanged:
		d.policies = append(d.policies, changed.Policy)
	}
	d.at, d.kinds, d.lines = append(d.at, p.now.UnixMicro()), append(d.kinds, ev.Kind()), append(d.lines, line)
	d.slices = append(d.slices, [2]int{p.e.slice.mostUnits, p.e.slice.mostDecisions})
}

// again decides a day again, watching one call of it.
func (d *day) again(t *testing.T, call CallID) (out []Record) {
	d.engine(t, func(e *Engine) { e.Watch(call, func(r Record) { out = append(out, r) }) })
	return out
}

// engine is one that has decided the day again.
func (d *day) engine(t *testing.T, begin func(*Engine)) *Engine {
	e, policies := New(tapePolicy(1)), d.policies
	if begin != nil {
		begin(e)
	}
	for i, line := range d.lines {
		ev, err := DecodeEvent(d.kinds[i], line)
		if err != nil {
			t.Fatal(err)
		}
		switch changed := ev.(type) {
		case PolicyChanged:
			changed.Policy, policies = policies[0], policies[1:]
			ev = changed
		case DirectoryChanged:
			changed.Policy, policies = policies[0], policies[1:]
			ev = changed
		}
		e.slice.mostUnits, e.slice.mostDecisions = d.slices[i][0], d.slices[i][1]
		_, _ = e.Step(time.UnixMicro(d.at[i]).UTC(), ev) // refused as it was then
	}
	return e
}

// recordsBesideActions: one record for each action that a decision makes, in
// order, with the same answer.
func recordsBesideActions(t *testing.T, acts []Action, told []Record) (offers int) {
	t.Helper()
	for _, a := range acts {
		var want Record
		switch a := a.(type) {
		case Enqueued:
			want = Record{Kind: Queued, Call: a.Call}
		case Held:
			want = Record{Kind: Holding, Call: a.Call}
		case OfferCall:
			want = Record{Kind: Given, Call: a.Call, Attempt: a.Attempt, Chosen: a.Agent}
			offers++
		default:
			continue
		}
		if len(told) == 0 || told[0].Kind != want.Kind || told[0].Call != want.Call || told[0].Attempt != want.Attempt || told[0].Chosen != want.Chosen {
			t.Fatalf("%+v has the record %+v", a, told)
		}
		if o, ok := a.(OfferCall); ok && len(o.Reason.LeftOut) > 0 && !reflect.DeepEqual(o.Reason.LeftOut, told[0].LeftOut) {
			t.Fatalf("the ledger says %v, the record %v", o.Reason.LeftOut, told[0].LeftOut)
		}
		told = told[1:]
	}
	if len(told) > 0 {
		t.Fatalf("%+v have no action", told)
	}
	return offers
}

// TestRecordCounts: of more agents than a record names it counts the codes.
func TestRecordCounts(t *testing.T) {
	t.Parallel()
	for _, people := range []int{MaxNamed, MaxNamed + 1} {
		e := centreOf(t, people)
		var told []Record
		e.Watch(1, func(r Record) { told = append(told, r) })
		step(t, e, CallArrived{Call: 1})
		step(t, e, CallArrived{Call: 2})
		r := told[len(told)-1]
		if r.Call != 1 || len(told) != 2 {
			t.Fatalf("told of %+v", told)
		}
		named, counted := len(r.LeftOut), 0
		for _, n := range r.Counts {
			counted += n
		}
		if (named > 0) == (people > MaxNamed) || named+counted != people-1 || r.SignedIn != people {
			t.Errorf("%d agents: %d named, %d counted: %v", people, named, counted, r.Counts)
		}
		if people > MaxNamed && !reflect.DeepEqual(r.Counts, map[string]int{"policy": people - 2, "lacks:x>=1": 1}) {
			t.Errorf("counts %v", r.Counts)
		}
		if !slices.Equal(r.Counterfactual.Missing, []string{"longest_idle: tie, by idle time and id"}) {
			t.Errorf("counterfactual %+v", r.Counterfactual)
		}
	}
}

// What decided between candidates decides again from the record alone, for each
// policy.
func TestDecideAgain(t *testing.T) {
	for policy, c := range map[string]struct {
		terms []Term
		want  agents.ID
	}{
		match.LeastSkilled: {[]Term{{"a", "levels", 4}, {"a", "skills", 9}, {"b", "levels", 4}, {"b", "skills", 3}, {"c", "levels", 5}, {"c", "skills", 1}}, "b"},
		match.MostSkilled:  {[]Term{{"a", "levels", 4}, {"b", "levels", 5}}, "b"},
		match.RoundRobin:   {[]Term{{"a", "offered_s", 9}, {"b", "offered_s", 70}, {"c", "offered_s", -1}, {"d", "offered_s", -1}}, "c"},
		match.FewestCalls:  {[]Term{{"a", "calls", 9}, {"b", "calls", 7}, {"c", "calls", 7}}, "b"},
	} {
		r := Record{Policy: policy, Terms: c.terms}
		if got := r.Decide(); got != c.want {
			t.Errorf("%s: %s, want %s", policy, got, c.want)
		}
	}
}

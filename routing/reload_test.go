package routing

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

// tapeVersions are documents that follow one another on a tape: the third has
// no queue b.
const tapeVersions = 3

// reload makes another document live, in one of the ways there are.
func (p *tape) reload() Event {
	p.version++
	ev := PolicyChanged{Version: p.version, Policy: tapeVersion(1 + p.byte()%tapeVersions)}
	ev.Policy.Version = p.version
	switch p.byte() % 4 {
	case 0, 1:
		ev.Waiting = ApplyWaiting
	case 2:
		ev.Waiting = KeepWaiting
	}
	if ev.Policy.Queues["b"] == nil && p.byte()%2 == 0 {
		ev.Moves = map[string]string{"b": []string{"a", "c"}[p.byte()%2]}
	}
	p.e.Slices([]int{0, 100, 1000}[p.byte()%3], 0)
	return ev
}

// relist has the directory say other things of the agents, or not list one.
func (p *tape) relist() Event {
	ev := DirectoryChanged{SHA256: "d", Policy: tapeVersion(1 + p.byte()%tapeVersions)}
	if p.byte()%2 == 0 {
		delete(ev.Policy.Agents, p.agent())
	}
	p.e.Slices([]int{0, 100, 1000}[p.byte()%3], 0)
	return ev
}

func tapeVersion(n int) *Policy {
	if n < tapeVersions {
		return tapePolicy(n)
	}
	p := tapePolicy(2)
	delete(p.Queues, "b")
	p.Queues["a"].Late = nil
	p.Queues["c"].Nobody.Then = rule.Treatment{Queue: "a"}
	p.Route.Children[0].Queue = "a"
	return p
}

// checkReloads: versions are counted right, and what is to be routed again is
// noted somewhere until it is.
func checkReloads(t *testing.T, e *Engine) {
	t.Helper()
	inUse, calls, held := map[*plan]int{}, map[*plan]int{}, 0
	for _, c := range e.calls {
		calls[c.plan]++
		if c.demand != nil {
			inUse[c.demand.plan]++
			if c.demand.plan != c.plan || c.demand.queue != c.queue {
				t.Fatalf("call %d of version %d waits by version %d", c.id, c.plan.Version, c.demand.plan.Version)
			}
		}
		if c.spot == inHold {
			held++
		}
	}
	if held != e.held.Len() {
		t.Fatalf("%d calls hold, counted %d", held, e.held.Len())
	}
	for p, n := range calls {
		if p.calls != n || p.waiting != inUse[p] {
			t.Fatalf("version %d: %d calls, %d waiting, counted %d, %d", p.Version, n, inUse[p], p.calls, p.waiting)
		}
		if p != e.plan && !slices.Contains(e.plans, p) {
			t.Fatalf("version %d has calls and is not in use", p.Version)
		}
	}
	kept := 0
	for p, n := range inUse {
		if n > 0 && !p.again {
			kept++
		}
	}
	if kept > maxVersions {
		t.Fatalf("%d versions are in use", kept)
	}
	if e.renews() {
		return
	}
	for _, c := range e.calls {
		if c.phase == waiting && (!c.isPaused() || !c.callback.dialling) && e.superseded(c) {
			t.Fatalf("call %d of version %d was not routed again: queue %s, spot %d, trigger %s", c.id, c.plan.Version, c.queue.Name, c.spot, c.trigger)
		}
	}
}

// checkApplied: once the slices are done, an applied version has all calls that
// wait, but for those that drain.
func checkApplied(p *tape) {
	p.t.Helper()
	p.version++
	ev := PolicyChanged{Version: p.version, Policy: tapePolicy(1), Waiting: ApplyWaiting}
	ev.Policy.Version = p.version
	p.e.Slices(200, 0)
	figures := map[string]figure{}
	for name, f := range p.e.figures {
		figures[name] = *f
	}
	since := map[CallID]int64{}
	for id, c := range p.e.calls {
		since[id] = c.since
	}
	p.step(ev)
	p.drain()
	p.e.Slices(0, 0)
	for _, c := range p.e.calls {
		if c.phase == waiting && (!c.isPaused() || !c.callback.dialling) && c.plan != p.e.plan && c.drains != p.e.plan {
			p.t.Fatalf("call %d is of version %d still", c.id, c.plan.Version)
		}
		if c.phase == waiting && c.since > since[c.id] { // earlier: it has taken over a callback's place
			p.t.Fatalf("call %d has lost what it waited", c.id)
		}
	}
	for name, before := range figures {
		f := p.e.figures[name]
		if f.total.Answered != before.total.Answered || f.total.Abandoned != before.total.Abandoned || f.total.Offered < before.total.Offered {
			p.t.Fatalf("queue %s counted %+v, now %+v", name, before, *f)
		}
	}
}

// A reload that makes no sense changes nothing.
func TestReloadRefused(t *testing.T) {
	e := New(tapePolicy(1))
	live := e.plan
	for _, ev := range []PolicyChanged{
		{},
		{Policy: tapeVersion(2), Waiting: "later"},
		{Policy: tapeVersion(2), Moves: map[string]string{"a": "b"}},
		{Policy: tapeVersion(3), Moves: map[string]string{"b": "d"}},
	} {
		if acts, err := e.Step(tapeStart, ev); err == nil || len(acts) > 0 || e.plan != live {
			t.Errorf("%q %v: %v, %d actions", ev.Waiting, ev.Moves, err, len(acts))
		}
	}
}

// The calls of a reload are done in slices, in order of turn, with other events
// in between.
func TestApplyInSlices(t *testing.T) {
	e := New(tapePolicy(1))
	p := tapePolicy(1)
	p.Record.Deadline = 0
	step := func(ev Event) []Action {
		t.Helper()
		acts, err := e.Step(tapeStart, ev)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(acts)
	}
	step(PolicyChanged{Version: 1, Policy: p})
	const calls = 1000
	for id := range CallID(calls) {
		step(CallArrived{Call: calls - id, Attrs: rule.Call{Trunk: "f"}})
	}
	next := *p
	next.Queues = maps.Clone(p.Queues)
	next.Version = 2
	acts := step(PolicyChanged{Version: 2, Policy: &next, Waiting: ApplyWaiting})
	var order []CallID
	steps := 0
	for n := 0; ; n++ {
		routed := 0
		for _, a := range acts {
			if q, ok := a.(Enqueued); ok && q.Version == 2 && q.Reason.Trigger == reloaded {
				order = append(order, q.Call)
				routed++
			}
		}
		if steps++; e.slice.units > sliceUnits+5_000 {
			t.Fatalf("%d calls in one Step of %d units", routed, e.slice.units)
		}
		due, ok := e.Deadline()
		if len(order) == calls {
			if ok && !due.After(tapeStart) {
				t.Fatal("nothing is left, and the engine wants a step")
			}
			if steps < 4 {
				t.Fatalf("%d calls in %d Steps", calls, steps)
			}
			break
		}
		if !ok || due.After(tapeStart) || n > calls {
			t.Fatalf("%d of %d calls done, the next step at %v", len(order), calls, due)
		}
		if n == 1 { // one of those to come hangs up
			acts = step(CallerGone{Call: calls})
			order = append(order, calls)
			continue
		}
		acts = step(Tick{})
	}
	for i, id := range order {
		if i == 0 || id == calls || order[i-1] == calls {
			continue
		}
		if a, b := e.calls[order[i-1]], e.calls[id]; a.key.Compare(b.key) >= 0 {
			t.Fatalf("call %d before call %d", a.id, b.id)
		}
	}
}

// Agents' states, idle times and wrap-up are no matter of a reload.
func TestReloadLeavesAgentsAlone(t *testing.T) {
	e := New(tapePolicy(1))
	at := tapeStart
	step := func(ev Event) []Action {
		t.Helper()
		acts, err := e.Step(at, ev)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(acts)
	}
	for _, id := range []agents.ID{"a0", "a1"} {
		step(PhoneChanged{Agent: id, Up: true})
		step(DeskChanged{Agent: id, Up: true})
		step(AgentSignedIn{Agent: id, State: agents.Available})
		at = at.Add(time.Minute)
	}
	for id := range CallID(2) {
		step(CallArrived{Call: id + 1, Attrs: rule.Call{Trunk: "f"}})
		step(CustomerResolved{Call: id + 1})
	}
	for id := range CallID(2) {
		c := e.calls[id+1]
		if c.agent == nil {
			t.Fatalf("call %d has nobody", c.id)
		}
		step(PopAcked{Offer: c.offer(), Mode: Painted})
		step(PhoneAnswered{Offer: c.offer()})
	}
	at = at.Add(time.Minute)
	step(CallerGone{Call: 1}) // one agent in wrap-up, one talking
	before := e.Snapshot(at)
	next := tapePolicy(1)
	next.Version = 2
	for _, a := range step(PolicyChanged{Version: 2, Policy: next, Waiting: ApplyWaiting}) {
		if _, ok := a.(PolicyLive); !ok {
			t.Errorf("a reload does %+v", a)
		}
	}
	after := e.Snapshot(at)
	if before.Version != 1 || after.Version != 2 {
		t.Errorf("versions %d, %d", before.Version, after.Version)
	}
	after.Version = before.Version
	if d := difference(before, after); len(before.Agents) != len(after.Agents) || !slices.Equal(before.Agents, after.Agents) || !slices.Equal(before.Queues, after.Queues) {
		t.Error(d)
	}
}

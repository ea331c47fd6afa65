package routing

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/match"
	"github.com/cordboard/cordboard/routing/rule"
)

// tapeWho adds queues that choose by what is measured of each agent.
func tapeWho(p *Policy, version int) {
	d, e := tapeQueue("u", tapeNeed("x", 6)), tapeQueue("v", tapeNeed("lang_en", 1))
	anyone := tapeNeed("x", 1)
	d.Steps = []Step{{After: 5 * time.Second, Need: &anyone}}
	d.Choose, d.ChooseWindow = match.FewestCalls, 5*time.Minute
	e.Choose = match.RoundRobin
	if version > 1 {
		d.ChooseWindow, e.Choose = time.Hour, match.LeastSkilled
	}
	quick, calm := 20*time.Second, ReserveLeave{For: 10 * time.Second}
	calm.Oldest = &quick
	d.Reserve = []Reserve{
		{Team: "t1", Join: ReserveJoin{Oldest: 15 * time.Second, Waiting: 4}, Leave: calm, Stay: 15 * time.Second},
		{Team: "t0", Join: ReserveJoin{Oldest: 40 * time.Second}, Leave: ReserveLeave{Waiting: 2, For: time.Second}},
	}
	d.RingSize, e.RingSize = 3, 2
	e.MaxTalking, e.Prefer = 2, []rule.Prefer{{Who: "last_agent", Wait: 10 * time.Second, Within: time.Hour}}
	if version > 1 {
		d.Reserve, e.MaxTalking = d.Reserve[:1], 3
	}
	for id, a := range p.Agents {
		if n := id[1] - '0'; n < 3 {
			a.Team = "t" + string('0'+n%2)
			p.Agents[id] = a
		}
	}
	for _, q := range []*Queue{d, e} {
		p.Queues[q.Name] = q
		p.Route.Children = append(p.Route.Children, &rule.Node{Name: q.Name, When: tapeWhen(`call.trunk == "` + q.Name + `"`), Queue: q.Name})
	}
}

// checkCounts: whoever is signed in stands in the order of each window, with
// the count measured last, and nobody else does.
func checkCounts(t *testing.T, e *Engine) {
	t.Helper()
	for i := range e.callWin {
		n := 0
		e.present[i].Ascend(func(a *agent) bool {
			n++
			if !a.state.SignedIn() || len(a.answers.count) != len(e.callWin) {
				t.Fatalf("agent %s is %s and stands among those present with %d counts", a.id, a.state, len(a.answers.count))
			}
			return true
		})
		if n != len(e.roster) && e.measuring == nil {
			t.Fatalf("window %d: %d present, %d signed in", i, n, len(e.roster))
		}
	}
}

// checkReserves: whoever stands by has the deadline of the oldest call, whoever
// has joined that of the quiet, and nobody stays beyond the time. No call holds
// for an agent who is free, unless its queue is at its bound.
func checkReserves(t *testing.T, e *Engine) {
	t.Helper()
	if e.pending() || e.due() {
		return
	}
	for name, list := range e.reserved {
		for _, s := range list {
			first, waits := e.figure(name).age.First()
			due := int64(0)
			if waits && !s.joined && s.Join.Oldest > 0 {
				due = max(first.since+s.Join.Oldest.Microseconds()-e.now, 0)
			}
			if s.tJoin.armed() != (due > 0) || s.tLeave.armed() != (s.quiet != 0) || s.quiet != 0 && !s.joined {
				t.Fatalf("reserve %s of %s: joined %v, join armed %v, leave armed %v, quiet %d", s.Team, name, s.joined, s.tJoin.armed(), s.tLeave.armed(), s.quiet)
			}
			if s.quiet != 0 && e.now >= max(s.quiet+s.Leave.For.Microseconds(), s.since+s.Stay.Microseconds()) {
				t.Fatalf("reserve %s of %s stays on", s.Team, name)
			}
		}
	}
	if n := e.figure("v").occupied; n > 3 {
		t.Fatalf("queue v occupies %d agents, and no version lets it have more than 3", n)
	}
	for _, c := range e.calls {
		if c.phase == waiting && c.spot == inHold && !e.full(c.queue) && e.awaits(c) {
			t.Fatalf("call %d holds although the agent is free", c.id)
		}
	}
}

// A newcomer starts at the lowest count then present, the more so when it is
// not his own first sign-in of the hour, and only for as long as the window.
func TestNewcomerStartsAtTheLowest(t *testing.T) {
	p := tapePolicy(2)
	e := New(p)
	at := tapeStart
	step := func(ev Event) []Action {
		t.Helper()
		acts, err := e.Step(at, ev)
		if err != nil {
			t.Fatal(err)
		}
		return acts
	}
	count := func(id agents.ID) int { return e.callsOf(e.agents[id], p.Queues["u"]) }
	step(AgentSignedIn{Agent: "a0", State: agents.Available})
	e.Given("a0", Measures{Calls: 3})
	step(AgentSignedIn{Agent: "a1", State: agents.NotReady})
	if count("a1") != 3 {
		t.Fatalf("a1 starts at %d, want 3", count("a1"))
	}
	e.Given("a1", Measures{Calls: 1})
	step(AgentSignedIn{Agent: "a3", State: agents.NotReady})
	at = at.Add(59 * time.Minute)
	step(AgentStateAsked{Agent: "a3", State: agents.Available})
	if count("a3") != 1 {
		t.Fatalf("a3 has %d within the window, want the 1 it started at", count("a3"))
	}
	step(PolicyChanged{Version: 3, Policy: tapePolicy(2)})
	if count("a0") != 3 || count("a3") != 1 {
		t.Fatalf("a reload with the same window changed the counts to %d and %d", count("a0"), count("a3"))
	}
	at = at.Add(time.Minute)
	step(AgentStateAsked{Agent: "a3", State: agents.NotReady})
	step(AgentStateAsked{Agent: "a3", State: agents.Available})
	if count("a3") != 0 {
		t.Fatalf("a3 has %d an hour after the sign-in, want 0", count("a3"))
	}
}

package routing

import (
	"testing"

	"github.com/cordboard/cordboard/agents"
)

// TestDirectoryInSlices: a directory that changes everybody's skills is taken
// over in slices, while an event finds its own agent as the new one says; who
// is not listed any more is signed out.
func TestDirectoryInSlices(t *testing.T) {
	const people = 4000
	e := New(massPolicy(people, nil))
	now := tapeStart
	do := func(ev Event) (acts []Action) {
		acts, err := e.Step(now, ev)
		if err != nil {
			t.Fatal(err)
		}
		if e.slice.units > sliceUnits+70_000 {
			t.Fatalf("%s: a Step of %d units", ev.Kind(), e.slice.units)
		}
		return acts
	}
	for i := range people {
		do(AgentSignedIn{massAgent(i), agents.NotReady, "meeting"})
	}
	q := massPolicy(people-1, func(q *Queue) { q.Need = tapeNeed("x", 5) })
	for id, a := range q.Agents {
		a.Skills = agents.NewSkills(map[agents.Skill]agents.Level{"x": 5, agents.Skill(id): 1})
		q.Agents[id] = a
	}
	q.Version = 2
	q.Prepare()
	do(PolicyChanged{Version: 2, Policy: q})
	if e.census == nil || !e.pending() {
		t.Fatal("everybody was changed in one Step")
	}
	last, gone := massAgent(people-2), massAgent(people-1)
	do(CallArrived{Call: 1})
	do(DeskChanged{last, true})
	offered := false
	for _, a := range do(AgentStateAsked{last, agents.Available, ""}) {
		o, ok := a.(OfferCall)
		offered = offered || ok && o.Agent == last
	}
	if !offered {
		t.Fatal("the agent was taken for what she was before the reload")
	}
	steps := 0
	for due, ok := e.Deadline(); ok && !due.After(now); due, ok = e.Deadline() {
		do(Tick{})
		steps++
	}
	if steps < 2 || len(e.roster) != people-1 || e.agents[gone].state != agents.SignedOut {
		t.Fatalf("%d Steps, %d signed in, %s is %s", steps, len(e.roster), gone, e.agents[gone].state)
	}
	checkWorld(t, e)
	if n := len(e.index.by); n > people {
		t.Fatalf("%d profiles of %d agents", n, people)
	}
}

// TestListedAgainWhileTalking: a directory that forgot an agent who talks, put
// right before the end of that call, costs nobody the work; her own wish to sign
// out stays.
func TestListedAgainWhileTalking(t *testing.T) {
	for _, leaves := range []bool{false, true} {
		e := New(massPolicy(2, nil))
		do := func(ev Event) (acts []Action) {
			t.Helper()
			acts, err := e.Step(tapeStart, ev)
			if err != nil {
				t.Fatal(err)
			}
			return acts
		}
		id := massAgent(1)
		do(DeskChanged{id, true})
		do(AgentSignedIn{id, agents.Available, ""})
		do(CallArrived{Call: 1})
		o := Offer{Call: 1, Attempt: 1, Agent: id}
		do(PopAcked{Offer: o, Mode: Painted})
		do(PhoneAnswered{o})
		if s := e.agents[id].state; s != agents.Talking {
			t.Fatalf("the agent is %s", s)
		}
		for _, n := range []int{1, 1, 2} {
			do(DirectoryChanged{Policy: massPolicy(n, nil)})
			if leaves && n == 1 {
				do(AgentSignedOut{id})
			}
		}
		do(HangupRequested{o})
		do(WrapUpEnded{Offer: o})
		if s := e.agents[id].state; s.SignedIn() == leaves || e.agents[id].gone {
			t.Errorf("wants to leave: %v; after the call the agent is %s", leaves, s)
		}
		checkWorld(t, e)
	}
}

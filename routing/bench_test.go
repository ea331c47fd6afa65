package routing

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

// BenchmarkStep is a large centre at its worst hour: 10,000 agents of 200
// profiles, all with a call, and 100,000 callers waiting in 50 queues. One
// round: a talk ends, the agent takes the next call, the desk acks, the phone
// answers, and a new caller comes.
func BenchmarkStep(b *testing.B) {
	const people, callers, queues = 10_000, 100_000, 50
	p := &Policy{
		Version: 1, Zone: time.UTC, MilliPoints: 1000, Queues: map[string]*Queue{}, Agents: map[agents.ID]agents.Agent{},
		Route: &rule.Node{Queue: "q0"},
	}
	for i := range queues {
		name := fmt.Sprintf("q%d", i)
		wide := rule.Need{All: []agents.Range{{Skill: agents.Skill(name), Min: 1}}}
		p.Queues[name] = &Queue{
			Name: name, Need: rule.Need{All: []agents.Range{{Skill: agents.Skill(name), Min: 5}}}, Choose: "longest_idle", RingTimeout: time.Hour,
			Steps: []Step{{After: time.Hour, Need: &wide}}, Pop: PopPolicy{Deadline: time.Hour}, AnswerWithin: 20 * time.Second,
		}
		cond, err := rule.Compile(fmt.Sprintf("call.trunk == %q", name), rule.CompileOptions{})
		if err != nil {
			b.Fatal(err)
		}
		p.Route.Children = append(p.Route.Children, &rule.Node{Name: name, When: cond, Queue: name})
	}
	for i := range people {
		id := agents.ID(fmt.Sprintf("agent%05d", i))
		k := i % 200
		p.Agents[id] = agents.Agent{ID: id, Skills: agents.NewSkills(map[agents.Skill]agents.Level{
			agents.Skill(fmt.Sprintf("q%d", k%queues)): 8, agents.Skill(fmt.Sprintf("q%d", k*7%queues)): agents.Level(1 + k%10), agents.Skill(fmt.Sprintf("q%d", k*13%queues)): 3,
		})}
	}
	e, now := New(p), tapeStart
	talks := make([]Offer, 0, people)
	next := CallID(0)
	do := func(ev Event) {
		now = now.Add(time.Microsecond)
		acts, err := e.Step(now, ev)
		if err != nil {
			b.Fatal(err)
		}
		for _, a := range acts {
			if o, ok := a.(OfferCall); ok {
				talks = append(talks, o.Offer)
			}
		}
	}
	arrive := func() {
		next++
		do(CallArrived{Call: next, Attrs: rule.Call{Trunk: fmt.Sprintf("q%d", next%queues)}})
	}
	for i := range people {
		id := agents.ID(fmt.Sprintf("agent%05d", i))
		do(DeskChanged{id, true})
		do(AgentSignedIn{id, agents.Available, ""})
	}
	for len(e.calls) < callers+people {
		arrive()
	}
	for _, o := range slices.Clone(talks) {
		do(PopAcked{Offer: o, Mode: Painted})
		do(PhoneAnswered{o})
	}
	took := make([]time.Duration, 0, 1<<20)
	timed := func(ev Event) {
		begin := time.Now()
		do(ev)
		took = append(took, time.Since(begin))
	}
	b.ReportAllocs()
	for b.Loop() {
		o := talks[0]
		talks = talks[1:]
		timed(CallerGone{Call: o.Call})
		o = talks[len(talks)-1]
		timed(PopAcked{Offer: o, Mode: Painted})
		timed(PhoneAnswered{o})
		next++
		timed(CallArrived{Call: next, Attrs: rule.Call{Trunk: fmt.Sprintf("q%d", next%queues)}})
	}
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50-us/step")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-us/step")
	b.ReportMetric(float64(took[len(took)-1].Nanoseconds())/1e3, "max-us/step")
	b.ReportMetric(float64(len(e.calls)), "calls")
}

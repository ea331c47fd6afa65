package main

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/bench"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// loads are made to hurt, each under its own name: the design's adversarial
// cases (21).
var loads = []struct {
	name string
	size size
	hurt func(*centre) error
}{
	{"meeting_ends", size{agents: 100_000, profiles: 5000, queues: 1000, skills: 1000, waiting: 100_000, choose: "longest_idle"}, meetingEnds},
	{"reload_keep_100000", large, reload(routing.KeepWaiting, false)},
	{"reload_100000", large, reload(routing.ApplyWaiting, false)},
	{"profiles_changed_100000", large, reload(routing.KeepWaiting, true)},
	{"closing_100000", size{agents: 1000, profiles: 1000, queues: 1, skills: 1000, waiting: 100_000, choose: "longest_idle"}, closing},
	{"vacancy_flips", size{agents: 1000, profiles: 1000, queues: 1, skills: 1, waiting: 100_000, choose: "longest_idle"}, flips},
	{"needs_20000", size{agents: 100_000, profiles: 5000, queues: 1000, skills: 1000, waiting: 100_000, choose: "longest_idle", needs: 20_000}, ordinaryRounds},
	{"needs_65000", size{agents: 100_000, profiles: 100_000, queues: 1000, skills: 1000, waiting: 130_000, choose: "longest_idle", needs: 65_000}, ordinaryRounds},
	{"reload_needs_65000", size{agents: 1000, profiles: 1000, queues: 1000, skills: 1000, waiting: 130_000, choose: "longest_idle", needs: 65_000}, reload(routing.ApplyWaiting, false)},
	{"ageing_100000", size{agents: 1000, profiles: 1000, queues: 1000, skills: 1000, waiting: 100_000, choose: "longest_idle"}, ageing},
	{"profiles_100000", size{agents: 100_000, profiles: 100_000, queues: 1000, skills: 1000, waiting: 100_000, choose: "longest_idle"}, ordinaryRounds},
	{"all_free_profiles_100000", size{agents: 100_000, profiles: 100_000, queues: 1000, skills: 1000, choose: "most_skilled"}, quiet},
	{"all_free", size{agents: 100_000, profiles: 5000, queues: 1000, skills: 1000, choose: "most_skilled"}, quiet},
	{"all_free_one_profile", size{agents: 100_000, profiles: 1, queues: 1, skills: 1, choose: "least_occupied"}, quiet},
	{"windows_100000", counting, otherwise(func(q *routing.Queue) { q.ChooseWindow = 20 * time.Minute })},
	{"renamed_100000", large, otherwise(func(q *routing.Queue) { q.Was, q.Name = q.Name, q.Name+"_new" })},
	{"holding_100000", size{agents: 1000, profiles: 1000, queues: 1000, skills: 1000, waiting: 100_000, choose: "longest_idle"}, holding},
}

// counting has every agent measured by what he or she has answered.
var counting = size{agents: 100_000, profiles: 5000, queues: 1000, skills: 1000, waiting: 100_000, choose: "fewest_calls"}

// hurt runs every load twice and prints the longest Step of each, how many there
// were, and the median and the 99th percentile.
func (b *bencher) hurt(r *bench.Report) error {
	for _, l := range loads {
		if b.only != "" && b.only != l.name {
			continue
		}
		var c *centre
		var before []step
		for range 2 {
			if c != nil {
				before = slices.Clone(c.took)
			}
			var err error
			if c, err = newCentre(l.size); err != nil {
				return err
			}
			if err = l.hurt(c); err == nil {
				err = c.failed
			}
			if err != nil {
				return fmt.Errorf("%s: %w", l.name, err)
			}
		}
		if err := lesser(c.took, before); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		c.tell(l.name, b.longest)
		var ns, cpu []float64
		for _, s := range c.took {
			ns, cpu = append(ns, float64(s.took.Nanoseconds())), append(cpu, float64(s.cpu.Nanoseconds()))
		}
		r.Line("step_ns_p50_"+l.name, bench.Quantile(ns, 0.5), "ns")
		r.Line("step_ns_p99_"+l.name, bench.Quantile(ns, 0.99), "ns")
		r.Line("step_ms_max_"+l.name, slices.Max(ns)/1e6, "ms")
		r.Line("step_cpu_ms_max_"+l.name, slices.Max(cpu)/1e6, "ms")
		r.Line("steps_"+l.name, float64(len(ns)), "steps")
	}
	return nil
}

func (c *centre) measure() { c.took = c.room[:0] }

// meetingEnds: everybody is free at one instant, with callers waiting.
func meetingEnds(c *centre) error {
	c.signIn(agents.NotReady)
	for range c.waiting {
		c.arrive()
	}
	c.engine.Slices(1, 0) // one instant, as when the network is back
	for i := range c.agents {
		c.step(routing.AgentStateAsked{Agent: agentID(i), State: agents.Available})
	}
	c.engine.Slices(0, 0)
	c.measure()
	c.settle()
	return nil
}

// reload makes a new version live in a full centre.
func reload(waiting string, learn bool) func(*centre) error {
	return func(c *centre) error {
		c.signIn(agents.Available)
		c.fill()
		next := c.size
		if learn {
			next.profiles = c.profiles + 1 // whose skills are others
		}
		p, err := next.policy()
		if err != nil {
			return err
		}
		p.Version = 2
		p.Prepare()
		c.measure()
		c.now = c.now.Add(time.Millisecond)
		c.step(routing.PolicyChanged{Version: 2, Waiting: waiting, Policy: p})
		c.settle()
		return nil
	}
}

// otherwise makes a version live in a full centre that has its queues otherwise.
func otherwise(change func(*routing.Queue)) func(*centre) error {
	return func(c *centre) error {
		c.signIn(agents.Available)
		c.fill()
		p, err := c.size.policy()
		if err != nil {
			return err
		}
		p.Version = 2
		moves := map[string]string{}
		for _, q := range slices.Collect(maps.Values(p.Queues)) {
			before := q.Name
			delete(p.Queues, before)
			if change(q); q.Name != before {
				moves[before] = q.Name
			}
			p.Queues[q.Name] = q
		}
		for _, n := range append(p.Route.Children, p.Route) {
			if to := moves[n.Queue]; to != "" {
				n.Queue = to
			}
		}
		p.Prepare()
		c.measure()
		c.now = c.now.Add(time.Millisecond)
		c.step(routing.PolicyChanged{Version: 2, Waiting: routing.ApplyWaiting, Moves: moves, Policy: p})
		c.settle()
		return nil
	}
}

// holding: everybody waits for one agent who is away, a reload comes, and then the
// wait is over for all at once.
func holding(c *centre) error {
	prefer := []rule.Prefer{{Who: string(agentID(0)), Wait: 2 * time.Minute, Waived: true, Hold: true}}
	hold := func(p *routing.Policy) {
		for _, q := range p.Queues {
			q.Prefer = prefer
		}
	}
	hold(c.policy)
	c.engine = routing.New(c.policy)
	c.signIn(agents.NotReady)
	for range c.waiting {
		c.arrive()
	}
	p, err := c.size.policy()
	if err != nil {
		return err
	}
	p.Version = 2
	hold(p)
	p.Prepare()
	c.measure()
	c.step(routing.PolicyChanged{Version: 2, Waiting: routing.ApplyWaiting, Policy: p})
	c.settle()
	c.now = c.now.Add(2 * time.Minute)
	c.settle()
	return nil
}

// closing: a queue closes with all its callers, at once.
func closing(c *centre) error {
	q := c.policy.Queues[queueName(0)]
	q.Hours, q.AtClose = "day", routing.AtClose{Treat: true}
	day := &routing.Calendar{Name: "day", Zone: time.UTC}
	for d := range day.Week {
		day.Week[d] = []routing.Interval{{From: 0, To: 11 * 60}}
	}
	c.policy.Calendars = map[string]*routing.Calendar{"day": day}
	for range c.waiting {
		c.arrive()
	}
	c.now = start.Add(time.Hour)
	c.measure()
	c.settle()
	return nil
}

// ageing: every caller's points and age come to the ceiling within one second,
// and agents are free meanwhile.
func ageing(c *centre) error {
	c.policy.Ceiling = 1000
	c.engine = routing.New(c.policy)
	c.signIn(agents.Available)
	for int(c.next)-len(c.talks) < c.waiting && c.failed == nil {
		c.now = c.now.Add(-8 * time.Microsecond) // so that all come within the second
		c.arrive()
		c.answer()
	}
	c.now = c.now.Add(700 * time.Second) // 300 points are the most
	c.settle()
	c.measure()
	for range 4000 {
		c.now = c.now.Add(100 * time.Millisecond)
		c.round()
	}
	return nil
}

// flips: the last agent of a need goes and comes while everybody waits for it.
func flips(c *centre) error {
	for i := 1; i < c.agents; i++ {
		c.do(routing.AgentSignedIn{Agent: agentID(i), State: agents.NotReady, Reason: "lunch"})
	}
	wide := rule.Need{All: []agents.Range{{Skill: "own_0", Min: 1}}}
	q := c.policy.Queues[queueName(0)]
	q.Need, q.Steps = wide, nil
	q.Nobody = &routing.AfterPolicy{After: time.Minute, Then: rule.Treatment{Hangup: true}}
	for range c.waiting {
		c.arrive()
	}
	c.measure()
	for range 1000 {
		c.do(routing.AgentSignedIn{Agent: agentID(0), State: agents.NotReady, Reason: "lunch"})
		c.do(routing.AgentSignedOut{Agent: agentID(0)})
	}
	return nil
}

// ordinaryRounds is ordinary work in an unusual centre.
func ordinaryRounds(c *centre) error {
	c.signIn(agents.Available)
	c.fill()
	c.measure()
	for range 20_000 {
		c.round()
	}
	return nil
}

// quiet: all agents are free, and each caller is served at once.
func quiet(c *centre) error {
	c.signIn(agents.Available)
	c.measure()
	for range 20_000 {
		c.arrive()
		if len(c.offers) == 0 {
			c.do(routing.CallerGone{Call: c.next}) // nobody speaks so
			continue
		}
		o := c.offers[0]
		c.offers = c.offers[1:]
		c.do(routing.PopAcked{Offer: o, Mode: routing.Painted})
		c.do(routing.PhoneAnswered{Offer: o})
		c.do(routing.HangupRequested{Offer: o})
	}
	return nil
}

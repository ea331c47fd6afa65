package main

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/bench"
)

// Sizes of issue and design: the large centre, the same with ten times the
// callers, and a small one beside them.
var (
	large = size{agents: 100_000, profiles: 5000, queues: 1000, skills: 1000, waiting: 100_000, choose: "longest_idle"}
	more  = size{agents: 100_000, profiles: 5000, queues: 1000, skills: 1000, waiting: 1_000_000, choose: "longest_idle"}
	small = size{agents: 1000, profiles: 1000, queues: 1000, skills: 1000, waiting: 100_000, choose: "longest_idle"}
)

// decides are the events in whose Step a decision is made: an agent is free,
// or a call has come.
var decides = []string{"hangup_requested", "call_arrived"}

// ordinary measures rounds of a full centre, and what it weighs. As the loads made
// to hurt, it is run twice, and of each Step's time the lesser counts; what the
// clock says is of the first run.
func (b *bencher) ordinary(r *bench.Report, s size, rounds int, weigh bool) error {
	var weighing *bench.Report
	if weigh {
		weighing = r
	}
	first, err := full(s, weighing)
	if err != nil {
		return err
	}
	took := slices.Clone(first.rounds(rounds))
	if weigh {
		if err := first.explain(r); err != nil {
			return err
		}
	}
	if first.failed != nil {
		return first.failed
	}
	first = nil // the second has its room
	c, err := full(s, nil)
	if err != nil {
		return err
	}
	if err := lesser(took, c.rounds(rounds)); err != nil {
		return err
	}
	c.took = took
	c.tell(fmt.Sprint(s.agents, "_", s.waiting), b.longest)
	c.print(r, fmt.Sprintf("_%d_%d", s.agents, s.waiting))
	return c.failed
}

// full is a centre whose agents are signed in and whose queues are full. With a
// report it is weighed.
func full(s size, r *bench.Report) (*centre, error) {
	c, err := newCentre(s)
	if err != nil {
		return nil, err
	}
	var empty, staffed uint64
	if r != nil {
		empty = heapInUse()
	}
	c.signIn(agents.Available)
	if r != nil {
		staffed = heapInUse()
	}
	c.fill()
	if c.failed != nil {
		return nil, fmt.Errorf("filling the centre: %w", c.failed)
	}
	if r == nil {
		return c, nil
	}
	held := heapInUse()
	// What an agent's talk keeps is the agent's; so the calls are those that wait.
	signedOut, err := weighEmpty(s)
	if err != nil {
		return nil, err
	}
	talks := float64(len(c.talks))
	r.Line("engine_bytes_per_call", (float64(held)-float64(staffed))/(float64(c.waiting)+talks), "B")
	r.Line("engine_bytes_per_agent", float64(signedOut+int64(staffed)-int64(empty))/float64(s.agents), "B")
	return c, nil
}

// rounds measures so many rounds, after a tenth of them to get warm.
func (c *centre) rounds(n int) []step {
	for range n / 10 {
		c.round()
	}
	c.measure()
	for range n {
		c.round()
	}
	return c.took
}

// lesser leaves each Step the lesser of its thread's times in two runs of one load.
// The engine does the same both times, to the Step, and a machine of others' takes
// some milliseconds away now and then, which even the thread's own clock counts.
func lesser(took, again []step) error {
	if len(took) != len(again) {
		return fmt.Errorf("%d Steps, and %d the second time", len(took), len(again))
	}
	for i := range took {
		took[i].cpu = min(took[i].cpu, again[i].cpu)
	}
	return nil
}

// weighEmpty is what an engine takes for a policy's agents before they sign in.
func weighEmpty(s size) (int64, error) {
	p, err := s.policy()
	if err != nil {
		return 0, err
	}
	before := heapInUse()
	c := &centre{size: s, policy: p}
	c.engine = newEngine(p)
	after := heapInUse()
	runtime.KeepAlive(c)
	return int64(after) - int64(before), nil
}

// print gives the median and the 99th percentile of all Steps, of those that
// decide, and the longest.
func (c *centre) print(r *bench.Report, of string) {
	var all, deciding, cpu []float64
	for _, s := range c.took {
		ns := float64(s.took.Nanoseconds())
		all, cpu = append(all, ns), append(cpu, float64(s.cpu.Nanoseconds()))
		if slices.Contains(decides, s.event) {
			deciding = append(deciding, ns)
		}
	}
	r.Line("step_ns_p50"+of, bench.Quantile(all, 0.5), "ns")
	r.Line("step_ns_p99"+of, bench.Quantile(all, 0.99), "ns")
	r.Line("decision_ns_p50"+of, bench.Quantile(deciding, 0.5), "ns")
	r.Line("decision_ns_p99"+of, bench.Quantile(deciding, 0.99), "ns")
	r.Line("step_cpu_ns_p50"+of, bench.Quantile(cpu, 0.5), "ns")
	r.Line("step_cpu_ns_p99"+of, bench.Quantile(cpu, 0.99), "ns")
	r.Line("step_ms_max"+of, slices.Max(all)/1e6, "ms")
	r.Line("step_cpu_ms_max"+of, slices.Max(cpu)/1e6, "ms")
}

// heapInUse is what is in use after a collection.
func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// tell says what the longest Steps were.
func (c *centre) tell(load string, n int) {
	order := make([]int, len(c.took))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(c.took[b].cpu, c.took[a].cpu) })
	for _, i := range order[:min(n, len(order))] {
		fmt.Printf("# %s: Step %d of %d, %s: %v, of that %v of its thread\n", load, i+1, len(order), c.took[i].event, c.took[i].took, c.took[i].cpu)
	}
}

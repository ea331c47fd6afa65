package main

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/bench"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// A day in a centre whose agents hold from one to eight of its skills: who holds
// many is asked for more. How much more is what a policy is chosen for.
const (
	fairAgents = 200
	fairQueues = 20
	fairTalk   = 180 * time.Second
	fairLoad   = 0.75 // of what all agents together could talk
	fairDay    = 8 * time.Hour
	fairFrom   = 2 * time.Hour // not counted: the centre fills
)

// fair prints how far the agents' busy shares lie apart under two policies with the
// same callers.
func fair(r *bench.Report) error {
	var spread []float64
	for _, choose := range []string{"longest_idle", "least_occupied"} {
		d, err := newDay(choose)
		if err != nil {
			return err
		}
		if err := d.run(); err != nil {
			return fmt.Errorf("%s: %w", choose, err)
		}
		mean, deviation := d.shares()
		r.Line("occupancy_mean_"+choose, mean, "%")
		r.Line("occupancy_spread_"+choose, deviation, "points")
		spread = append(spread, deviation)
	}
	r.Line("occupancy_spread_ratio", spread[1]/spread[0], "")
	return nil
}

// due is what happens at an instant of a day: a caller comes, or a talk ends.
type due struct {
	at    time.Time
	offer routing.Offer // the zero Offer: a caller comes
	n     int
}

type diary []due

func (d diary) Len() int { return len(d) }
func (d diary) Less(i, j int) bool {
	return d[i].at.Before(d[j].at) || d[i].at.Equal(d[j].at) && d[i].n < d[j].n
}
func (d diary) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *diary) Push(v any)   { *d = append(*d, v.(due)) }
func (d *diary) Pop() any {
	old := *d
	last := old[len(old)-1]
	*d = old[:len(old)-1]
	return last
}

// day plays one.
type day struct {
	engine *routing.Engine
	rng    *rand.Rand
	now    time.Time
	diary  diary
	next   routing.CallID
	since  map[agents.ID]time.Time
	free   map[agents.ID]bool
	busy   map[agents.ID]time.Duration
	idle   map[agents.ID]time.Duration
}

func newDay(choose string) (*day, error) {
	s := size{queues: fairQueues, skills: fairQueues, choose: choose}
	p, err := s.policy()
	if err != nil {
		return nil, err
	}
	for i := range fairQueues {
		q := p.Queues[queueName(i)]
		q.Need, q.Steps = rule.Need{All: []agents.Range{{Skill: s.skill(i), Min: 1}}}, nil
	}
	for i := range fairAgents {
		levels := map[agents.Skill]agents.Level{}
		for n := range 1 + i%8 {
			levels[s.skill(i+n*3)] = 5
		}
		p.Agents[agentID(i)] = agents.Agent{ID: agentID(i), Name: "Agent", Skills: agents.NewSkills(levels), Desk: true, Phone: agents.Phone{URI: "sip:agent@192.0.2.1"}}
	}
	return &day{
		engine: routing.New(p), rng: rand.New(rand.NewPCG(8, 15)), now: start,
		since: map[agents.ID]time.Time{}, free: map[agents.ID]bool{}, busy: map[agents.ID]time.Duration{}, idle: map[agents.ID]time.Duration{},
	}, nil
}

func (d *day) run() error {
	for i := range fairAgents {
		for _, ev := range []routing.Event{routing.DeskChanged{Agent: agentID(i), Up: true}, routing.AgentSignedIn{Agent: agentID(i), State: agents.Available}} {
			if err := d.step(ev); err != nil {
				return err
			}
		}
	}
	d.later(d.gap(), routing.Offer{})
	for d.now.Before(start.Add(fairDay)) {
		next, _ := heap.Pop(&d.diary).(due)
		for at, ok := d.engine.Deadline(); ok && !at.After(next.at); at, ok = d.engine.Deadline() {
			d.now = at
			if err := d.step(routing.Tick{}); err != nil {
				return err
			}
		}
		d.now = next.at
		ev := routing.Event(routing.HangupRequested{Offer: next.offer})
		if next.offer == (routing.Offer{}) {
			d.next++
			ev = routing.CallArrived{Call: d.next, Attrs: rule.Call{DNIS: number(d.rng.IntN(fairQueues)), ANIKnown: true}}
			d.later(d.gap(), routing.Offer{})
		}
		if err := d.step(ev); err != nil {
			return err
		}
	}
	return nil
}

// gap is the time to the next caller.
func (d *day) gap() time.Duration {
	return time.Duration(d.rng.ExpFloat64() * float64(fairTalk) / (fairAgents * fairLoad))
}

func (d *day) later(in time.Duration, o routing.Offer) {
	heap.Push(&d.diary, due{d.now.Add(in), o, int(d.next)})
}

// step applies an event; whoever is offered a call takes it at once.
func (d *day) step(ev routing.Event) error {
	acts, err := d.engine.Step(d.now, ev)
	if err != nil {
		return err
	}
	var offers []routing.Offer
	for _, a := range acts {
		switch a := a.(type) {
		case routing.AgentChanged:
			d.changed(a.Status)
		case routing.OfferCall:
			offers = append(offers, a.Offer)
		}
	}
	for _, o := range offers {
		for _, ev := range []routing.Event{routing.PopAcked{Offer: o, Mode: routing.Painted}, routing.PhoneRinging{Offer: o}, routing.PhoneAnswered{Offer: o}} {
			if err := d.step(ev); err != nil {
				return err
			}
		}
		d.later(time.Duration(d.rng.ExpFloat64()*float64(fairTalk)), o)
	}
	return nil
}

// changed counts the time in the state that an agent leaves.
func (d *day) changed(s agents.Status) {
	from := d.since[s.Agent]
	if first := start.Add(fairFrom); from.Before(first) {
		from = first
	}
	if lasted := d.now.Sub(from); !d.since[s.Agent].IsZero() && lasted > 0 {
		if d.free[s.Agent] {
			d.idle[s.Agent] += lasted
		} else {
			d.busy[s.Agent] += lasted
		}
	}
	d.since[s.Agent], d.free[s.Agent] = d.now, s.State == agents.Available
}

// shares is the mean of the agents' busy shares and their standard deviation, in
// percent and points of it.
func (d *day) shares() (mean, deviation float64) {
	var all []float64
	for i := range fairAgents {
		id := agentID(i)
		share := 100 * float64(d.busy[id]) / float64(d.busy[id]+d.idle[id])
		all = append(all, share)
		mean += share / fairAgents
	}
	for _, share := range all {
		deviation += (share - mean) * (share - mean) / fairAgents
	}
	return mean, math.Sqrt(deviation)
}

package main

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"
	"unsafe"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// size is a centre to measure.
type size struct {
	agents, profiles, queues, skills, waiting int
	choose                                    string
	// needs makes so many routes with an addition of their own: each is a class.
	needs int
}

// mostSteps is more than any load measures.
const mostSteps = 1 << 20

// mostSkills is how many skills an agent holds at most.
const mostSkills = 64

var start = time.Date(2026, 4, 15, 10, 0, 0, 0, time.UTC)

// policy is a document of that size: each queue asks one skill at level 5 and
// the caller's language, from 20 s on at level 1, and has routes of its own.
func (s size) policy() (*routing.Policy, error) {
	p := &routing.Policy{
		Version: 1, Zone: time.UTC, MilliPoints: 1000, Languages: []string{"en", "ru", "bg", "de"}, DefaultLanguage: "en",
		Queues: map[string]*routing.Queue{}, Agents: map[agents.ID]agents.Agent{}, Route: &rule.Node{Queue: queueName(0)},
	}
	for i := range s.queues {
		p.Queues[queueName(i)] = s.queue(i)
	}
	compile := rule.NewCompiler(rule.CompileOptions{})
	for i := range max(s.queues, s.needs) {
		when, err := compile.Compile(fmt.Sprintf("call.dnis == %q", number(i)))
		if err != nil {
			return nil, err
		}
		points := i % 7 * 50
		n := &rule.Node{Name: fmt.Sprintf("r%d", i), When: when, Queue: queueName(i % s.queues), Priority: &points}
		if s.needs > 0 {
			n.Need = &rule.Need{None: []agents.Skill{s.skill(i / s.queues), s.skill(i/s.queues + 1 + i%17)}}
		}
		p.Route.Children = append(p.Route.Children, n)
	}
	rng := rand.New(rand.NewPCG(4, 21))
	kinds := make([]agents.Skills, s.profiles)
	for i := range kinds {
		kinds[i] = s.skillSet(rng, i)
	}
	for i := range s.agents {
		id := agentID(i)
		p.Agents[id] = agents.Agent{ID: id, Name: "Agent", Skills: kinds[i%s.profiles], Desk: true, Phone: agents.Phone{URI: "sip:agent@192.0.2.1"}}
	}
	return p, nil
}

func (s size) queue(i int) *routing.Queue {
	need := func(level agents.Level) rule.Need {
		return rule.Need{All: []agents.Range{{Skill: s.skill(i), Min: level}}, Speak: []string{"caller"}}
	}
	wide := need(1)
	return &routing.Queue{
		Name: queueName(i), Need: need(5), SpeakLevel: 5, Choose: s.choose, ChooseWindow: 30 * time.Minute, AnswerWithin: 20 * time.Second,
		RingTimeout: time.Hour, Steps: []routing.Step{{After: 20 * time.Second, Need: &wide}}, Pop: routing.PopPolicy{Deadline: time.Hour, Late: routing.LateRingAnyway},
		WrapUp: routing.WrapUpPolicy{Disposition: "off"}, Closed: rule.Treatment{Hangup: true}, Music: "default",
	}
}

// skillSet is what the agents of a profile hold: two languages, the skill of
// one queue for certain, and others by chance.
func (s size) skillSet(rng *rand.Rand, i int) agents.Skills {
	levels := map[agents.Skill]agents.Level{"lang_en": 8, agents.Skill("lang_" + []string{"ru", "bg", "de"}[i%3]): 6, s.skill(i): 9}
	for range 8 + rng.IntN(mostSkills-12) {
		levels[s.skill(rng.IntN(s.skills))] = agents.Level(1 + rng.IntN(10))
	}
	levels[agents.Skill(fmt.Sprintf("own_%d", i))] = 1 // no two profiles are alike
	return agents.NewSkills(levels)
}

func (s size) skill(i int) agents.Skill { return agents.Skill(fmt.Sprintf("skill_%d", i%s.skills)) }

func queueName(i int) string  { return fmt.Sprintf("queue_%d", i) }
func agentID(i int) agents.ID { return agents.ID(fmt.Sprintf("agent%06d", i)) }
func number(i int) string     { return fmt.Sprintf("+1555%07d", i) }

// centre is an engine under load.
type centre struct {
	size
	engine *routing.Engine
	policy *routing.Policy
	rng    *rand.Rand
	now    time.Time
	next   routing.CallID
	offers []routing.Offer // out, not acked
	talks  []routing.Offer
	room   []step // for those, made at the start: a benchmark's own memory is not to wake the collector
	took   []step // of the Steps that are measured; nil: none are
	failed error
}

// step is one Step measured.
type step struct {
	event string
	took  time.Duration
	cpu   time.Duration // of the engine's thread: what a busy machine does besides is not in it
}

// threadTime is the CPU time of this thread, to which the program is locked.
func threadTime() time.Duration {
	var ts syscall.Timespec
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, 3, uintptr(unsafe.Pointer(&ts)), 0); errno != 0 { // CLOCK_THREAD_CPUTIME_ID
		return 0
	}
	return time.Duration(ts.Nano())
}

func newCentre(s size) (*centre, error) {
	p, err := s.policy()
	if err != nil {
		return nil, err
	}
	return &centre{size: s, engine: routing.New(p), policy: p, rng: rand.New(rand.NewPCG(1, 2)), now: start, room: make([]step, 0, mostSteps)}, nil
}

// do applies an event and, where it leaves decisions pending, all that follows
// at the same instant.
func (c *centre) do(ev routing.Event) {
	c.now = c.now.Add(10 * time.Microsecond)
	c.step(ev)
	c.settle()
}

// settle has the engine do what is due now.
func (c *centre) settle() {
	for due, ok := c.engine.Deadline(); ok && !due.After(c.now) && c.failed == nil; due, ok = c.engine.Deadline() {
		c.step(routing.Tick{})
	}
}

func (c *centre) step(ev routing.Event) {
	began := threadTime()
	begin := time.Now()
	acts, err := c.engine.Step(c.now, ev)
	took, cpu := time.Since(begin), threadTime()-began
	if err != nil && c.failed == nil {
		c.failed = err
	}
	if c.took != nil {
		c.took = append(c.took, step{ev.Kind(), took, cpu})
	}
	for _, a := range acts {
		if o, ok := a.(routing.OfferCall); ok {
			c.offers = append(c.offers, o.Offer)
		}
	}
}

func (c *centre) signIn(state agents.State) {
	for i := range c.agents {
		c.do(routing.DeskChanged{Agent: agentID(i), Up: true})
		c.do(routing.AgentSignedIn{Agent: agentID(i), State: state, Reason: "meeting"})
	}
}

// arrive brings one caller, to a queue by chance.
func (c *centre) arrive() {
	c.next++
	to := c.rng.IntN(len(c.policy.Route.Children))
	c.do(routing.CallArrived{Call: c.next, Attrs: rule.Call{DNIS: number(to), Language: c.policy.Languages[to%2], ANIKnown: true}})
}

// answer has every offered agent answer.
func (c *centre) answer() {
	for len(c.offers) > 0 {
		o := c.offers[0]
		c.offers = c.offers[1:]
		c.do(routing.PopAcked{Offer: o, Mode: routing.Painted})
		c.do(routing.PhoneRinging{Offer: o})
		c.do(routing.PhoneAnswered{Offer: o})
		c.talks = append(c.talks, o)
	}
}

// fill gives every agent a call and has so many more wait.
func (c *centre) fill() {
	for int(c.next)-len(c.talks) < c.waiting && c.failed == nil {
		c.arrive()
		c.answer()
	}
	// Those who came first have reached their second step since.
	c.now = c.now.Add(time.Minute)
	c.settle()
}

// round is one call's end and another's begin: the agent takes the next who
// waits, answers, and one more caller comes.
func (c *centre) round() {
	i := c.rng.IntN(len(c.talks))
	o := c.talks[i]
	c.talks[i] = c.talks[len(c.talks)-1]
	c.talks = c.talks[:len(c.talks)-1]
	c.do(routing.HangupRequested{Offer: o})
	c.answer()
	c.arrive()
	c.answer()
}

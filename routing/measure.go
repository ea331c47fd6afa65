package routing

import (
	"cmp"
	"slices"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/match"
)

// What the policies round_robin and fewest_calls measure (routing document,
// section 8).

// answers is when an agent answered calls lately, and what was measured of it.
type answers struct {
	at []int64 // oldest first, within the longest window
	// Who signs in within a window starts at the lowest count then present: head
	// is what that added, by window of the plan, and began the sign-in.
	head  []int
	began int64
	count []int // by window of the plan, measured when last Available
}

// since counts the answers after an instant.
func (s *answers) since(from int64) int {
	i, _ := slices.BinarySearch(s.at, from+1)
	return len(s.at) - i
}

// takeBack forgets the last answer: it came to no talk.
func (s *answers) takeBack() {
	if n := len(s.at); n > 0 {
		s.at = s.at[:n-1]
	}
}

// countKey orders the agents who are signed in by one of their counts.
type countKey struct {
	count int
	id    agents.ID
}

func (k countKey) Compare(o countKey) int {
	return cmp.Or(cmp.Compare(k.count, o.count), cmp.Compare(k.id, o.id))
}

func (k countKey) Hash() uint64 { return idleKey{int64(k.count), k.id}.Hash() }

// callWindows are those of the queues that choose by fewest_calls, sorted.
func callWindows(p *Policy) []int64 {
	var out []int64
	for _, q := range p.Queues {
		if w := q.ChooseWindow.Microseconds(); q.Choose == match.FewestCalls && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	slices.Sort(out)
	return out
}

// noteOffer notes that a queue which asks in turn has asked an agent.
func (e *Engine) noteOffer(c *call, a *agent) {
	if c.queue.Choose != match.RoundRobin {
		return
	}
	f := e.figure(c.queue.Name)
	if f.lastOffer == nil {
		f.lastOffer = map[agents.ID]int64{}
	}
	f.lastOffer[a.id] = e.now
}

// noteAnswer notes that an agent answers a call, as long as a policy asks.
func (e *Engine) noteAnswer(a *agent) {
	windows := e.callWin
	if len(windows) == 0 {
		return
	}
	s := &a.answers
	if old := len(s.at) - s.since(e.now-windows[len(windows)-1]); old > 0 {
		s.at = slices.Delete(s.at, 0, old)
	}
	s.at = append(s.at, e.now)
}

// start gives an agent who signs in the lowest count of those present, where
// the agent's own is lower: a newcomer shall not be flooded.
func (e *Engine) start(a *agent) {
	a.answers.began, a.by = e.now, e.by
	e.headStart(a)
	if m := e.measuring; m != nil {
		m.newcomers = append(m.newcomers, a) // once all others are counted
	}
}

// headStart looks for the lowest counts of those present.
func (e *Engine) headStart(a *agent) {
	s := &a.answers
	s.head = s.head[:0]
	for i, w := range e.callWin {
		head := 0
		if first, ok := e.present[i].First(); ok {
			head = max(first.answers.count[i]-s.since(e.now-w), 0)
		}
		s.head = append(s.head, head)
	}
	e.countCalls(a)
}

// countCalls measures an agent who is signed in.
func (e *Engine) countCalls(a *agent) {
	e.uncountCalls(a)
	s := &a.answers
	for i, w := range e.callWin {
		n := s.since(e.now - w)
		if i < len(s.head) && e.now-s.began < w {
			n += s.head[i]
		}
		e.setCount(a, n, i)
	}
}

func (e *Engine) setCount(a *agent, n, window int) {
	a.answers.count = append(a.answers.count, n)
	e.present[window].Put(countKey{n, a.id}, a)
}

// uncountCalls takes an agent out of those present.
func (e *Engine) uncountCalls(a *agent) {
	for i, n := range a.answers.count {
		if a.by.present == e.by.present { // else those were of other windows
			e.present[i].Delete(countKey{n, a.id})
		}
	}
	a.answers.count = a.answers.count[:0]
}

// setWindows has agents measured over the windows of the live version and of those before it that still
// have calls, which choose as they always did.
func (e *Engine) setWindows() {
	e.windows, e.callWin = slices.Clone(e.plan.windows), slices.Clone(e.plan.callWin)
	for _, p := range e.plans {
		e.windows = append(e.windows, p.windows...)
		e.callWin = append(e.callWin, p.callWin...)
	}
	for _, list := range []*[]int64{&e.windows, &e.callWin} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
}

// window is how much of an agent's past the policies look at.
func (e *Engine) window() int64 {
	if len(e.windows) == 0 {
		return 0
	}
	return e.windows[len(e.windows)-1]
}

// callsOf is how many calls the agent had answered in the queue's window, when
// last Available.
func (e *Engine) callsOf(a *agent, q *Queue) int {
	if i := slices.Index(e.callWin, q.ChooseWindow.Microseconds()); i >= 0 && i < len(a.answers.count) {
		return a.answers.count[i]
	}
	return 0
}

// Measures are an agent's own, for the policies: what the tests of a document
// say of one.
type Measures struct {
	Busy  int // busy share in hundredths of a percent (least_occupied)
	Calls int // answered lately (fewest_calls)
}

// Given takes an agent's measures as said, for every window, until the agent
// becomes Available the next time. It is for tests of a document only: a server
// measures.
func (e *Engine) Given(id agents.ID, m Measures) {
	a := e.agents[id]
	if a == nil || !a.state.SignedIn() {
		return
	}
	for i := range a.shares {
		a.shares[i] = m.Busy
	}
	e.uncountCalls(a)
	for i := range e.callWin {
		e.setCount(a, m.Calls, i)
	}
}

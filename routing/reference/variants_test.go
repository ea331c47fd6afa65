package reference

import (
	"slices"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// What the centres of the tape differ in, by the seed.
const (
	plain     = iota
	inTurn    // the policies that count: round_robin, least_skilled, fewest_calls
	byDue     // the promise that runs out first is kept first
	ceilinged // points and age count up to a ceiling

	atMost     // queues that occupy few agents at once
	inReserve  // teams that stand by until their queue is in trouble
	placed     // callers who ask for an agent of their region, at sites that close
	grouped    // several phones ring at once
	variations // how many there are
)

const (
	ceiling = 60 // points
	lastDue = 65 * time.Second
)

// vary makes a document of a kind.
func vary(p *routing.Policy, kind uint64) {
	a, b, c := p.Queues["a"], p.Queues["b"], p.Queues["c"]
	switch kind {
	case inTurn:
		a.Choose, b.Choose, c.Choose = "round_robin", "least_skilled", "fewest_calls"
	case byDue:
		p.ByDue = true
		b.AnswerWithin, c.AnswerWithin = 70*time.Second, 70*time.Second-lastDue
	case ceilinged:
		p.Ceiling = ceiling
	case atMost:
		a.MaxTalking, b.MaxTalking = 3, 2
	case inReserve:
		withReserves(p)
	case placed:
		withPlaces(p)
	case grouped:
		a.RingSize, c.RingSize = 3, 2
	}
}

// boundOf is how much later a call may come and still be served first (7).
func boundOf(kind uint64) time.Duration {
	switch kind {
	case byDue:
		return gold*time.Second + lastDue
	case ceilinged:
		return ceiling * time.Second
	}
	return gold * time.Second
}

// risen says that a call's points and age have come to the ceiling.
func (m *matcher) risen(c *caller) bool {
	top := c.policy.Ceiling
	return top > 0 && !c.turn().After(m.now.Add(-time.Duration(top)*time.Second*1000/time.Duration(c.policy.MilliPoints)))
}

// full says that the call's queue occupies as many agents as it may.
func (m *matcher) full(c *caller) bool {
	if c.queue.MaxTalking == 0 {
		return false
	}
	n := 0
	for _, p := range m.people {
		if o := m.call(p.call); o != nil && o.queue.Name == c.queue.Name {
			n++
		}
	}
	return n >= c.queue.MaxTalking
}

// answersAt notes that a person answers a call.
func (p *person) answersAt(now time.Time) { p.answered = append(p.answered, now) }

// lately is how many calls a person has answered within the window.
func (p *person) lately(now time.Time) (n int) {
	for _, at := range p.answered {
		if at.After(now.Add(-window)) {
			n++
		}
	}
	return n
}

// count measures what fewest_calls asks of a person.
func (p *person) count(now time.Time) {
	p.calls = p.lately(now)
	if now.Sub(p.began) < window {
		p.calls += p.head
	}
}

// start gives a person who signs in the lowest count of those present.
func (m *matcher) start(p *person) {
	p.began, p.head = m.now, 0
	first := true
	least := 0
	for _, o := range m.people {
		if o != p && o.signedIn() && (first || o.calls < least) {
			first, least = false, o.calls
		}
	}
	if !first {
		p.head = max(least-p.lately(m.now), 0)
	}
	p.count(m.now)
}

// asked notes that a queue offers a person a call.
func (p *person) askedBy(queue string, now time.Time) {
	if p.turns == nil {
		p.turns = map[string]time.Time{}
	}
	p.turns[queue] = now
}

// inTurnBefore says that a queue which asks in turn asks a before b: whoever it
// has never asked first, by id, then whoever it asked longest ago.
func inTurnBefore(queue string, a, b *person) bool {
	x, y := a.turns[queue], b.turns[queue]
	switch {
	case x.IsZero() && y.IsZero():
		return a.id < b.id
	case !x.Equal(y):
		return x.Before(y)
	}
	return longer(a, b)
}

// held is how many skills a person holds.
func (p *person) held() (n int) {
	for _, level := range p.levels {
		if level > 0 {
			n++
		}
	}
	return n
}

// sooner says that o seeks before c: by turn, but of one queue that has room
// again first those that came back and have done with whom they prefer.
func (m *matcher) sooner(o, c *caller, trigger string) bool {
	if c.queue.MaxTalking > 0 && o.queue.Name == c.queue.Name && o.front != c.front {
		return o.front && o.at >= len(o.list)
	}
	return m.before(o, c) < 0 && (!c.front || trigger != "room" || !m.givesWay(o, c))
}

// givesWay says that a call which came back is served instead of one of its
// queue, whose turn is before o's: the bound of the queue had kept both waiting.
func (m *matcher) givesWay(o, c *caller) bool {
	return slices.ContainsFunc(m.calls, func(x *caller) bool {
		return x != c && x.waiting && x.queue != nil && x.queue.Name == c.queue.Name && !x.front && m.before(x, o) < 0 && !m.holds(x) && m.finds(x)
	})
}

// anothersRoom says that the room in o's queue is for a call which came back.
func (m *matcher) anothersRoom(o, c *caller) bool {
	return o.queue.MaxTalking > 0 && o.queue.Name != c.queue.Name && !o.front && slices.ContainsFunc(m.calls, func(x *caller) bool {
		return x.waiting && x.front && x.queue.Name == o.queue.Name && !m.holds(x) && m.finds(x)
	})
}

// finds says that somebody free may take the call.
func (m *matcher) finds(c *caller) bool {
	return slices.ContainsFunc(m.people, func(p *person) bool { return p.free() && m.fits(c, p) >= 0 && m.may(c, p) && !m.standsBy(c, p) })
}

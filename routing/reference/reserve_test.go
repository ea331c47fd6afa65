package reference

import (
	"fmt"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// withReserves has a team stand by for two queues.
func withReserves(p *routing.Policy) {
	p.Queues["a"].Reserve = []routing.Reserve{{Team: "t1", Join: routing.ReserveJoin{Waiting: 3, Oldest: 25 * time.Second}, Leave: routing.ReserveLeave{Waiting: 1, For: 6 * time.Second}, Stay: 9 * time.Second}}
	p.Queues["b"].Reserve = []routing.Reserve{{Team: "t0", Join: routing.ReserveJoin{Waiting: 2}, Leave: routing.ReserveLeave{For: 3 * time.Second}, Stay: 5 * time.Second}}
}

// reserved says that the person's team is a reserve of the queue.
func reserved(q *routing.Queue, p *person) bool {
	for _, r := range q.Reserve {
		if r.Team == p.team {
			return true
		}
	}
	return false
}

// standsBy says that it is one which has not joined the call's queue.
func (m *matcher) standsBy(c *caller, p *person) bool {
	return reserved(c.queue, p) && m.joined[c.queue.Name+"/"+p.team].IsZero()
}

// lineUp follows who waits in a queue: a call being offered does, one that is
// talking, treated, or without a line does not.
func (m *matcher) lineUp(a routing.Action) {
	switch a := a.(type) {
	case routing.Enqueued:
		m.call(a.Call).inLine = true
	case routing.Wait:
		if c := m.call(a.Call); c.chooses {
			c.inLine = true
		}
	case routing.OfferCallback:
		if a.Why != "" {
			m.call(a.Call).inLine = false
		}
	case routing.CallbackTaken:
		c := m.call(a.Call)
		c.inLine, c.away = false, true
	case routing.CallbackReached:
		c := m.call(a.Call)
		c.inLine, c.away = true, false
	case routing.Connect:
		m.call(a.Call).inLine = false
	case routing.Withdraw:
		if c := m.call(a.Call); c != nil {
			c.inLine = !c.away
		}
	case routing.HandedOver:
		m.call(a.Call).inLine = false
	}
}

// trouble is how many wait in a queue, and since when the oldest of them has.
func (m *matcher) trouble(queue string) (n int, oldest time.Duration) {
	for _, c := range m.calls {
		if !c.inLine || c.queue == nil || c.queue.Name != queue {
			continue
		}
		if n++; !c.question {
			oldest = max(oldest, m.now.Sub(c.since))
		}
	}
	return n, oldest
}

// reserve follows a reserve, and holds it to its values.
func (m *matcher) reserve(a routing.ReserveChanged) error {
	var r routing.Reserve
	for _, c := range m.live.Queues[a.Queue].Reserve {
		if c.Team == a.Team {
			r = c
		}
	}
	n, oldest := m.trouble(a.Queue)
	key := a.Queue + "/" + a.Team
	since := m.joined[key]
	switch {
	case a.Joined && (!since.IsZero() || n < r.Join.Waiting && (r.Join.Oldest == 0 || oldest < r.Join.Oldest)):
		return fmt.Errorf("team %s joins %s with %d waiting, the oldest for %s", a.Team, a.Queue, n, oldest)
	case a.Joined:
		m.joined[key] = m.now
		m.tally("joined")
		return nil
	case since.IsZero() || n > r.Leave.Waiting || m.now.Sub(since) < r.Stay || m.now.Sub(a.Quiet) < r.Leave.For:
		return fmt.Errorf("team %s leaves %s with %d waiting, after %s, quiet for %s", a.Team, a.Queue, n, m.now.Sub(since), m.now.Sub(a.Quiet))
	}
	delete(m.joined, key)
	m.tally("left")
	return nil
}

// late is a reserve that should have joined.
func (m *matcher) late() error {
	for name, q := range m.live.Queues {
		for _, r := range q.Reserve {
			if n, _ := m.trouble(name); n >= r.Join.Waiting && m.joined[name+"/"+r.Team].IsZero() {
				return fmt.Errorf("%d wait in %s, and team %s stands by", n, name, r.Team)
			}
		}
	}
	return nil
}

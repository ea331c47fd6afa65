package reference

import (
	"fmt"
	"slices"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// beside checks an offer to another of a group: in the order in which they were
// chosen, to who is free.
func (m *matcher) beside(c *caller, p *person, a routing.OfferCall) error {
	if len(c.out) == 0 || len(c.group) == 0 || c.group[0] != p.id || !p.free() {
		return fmt.Errorf("call %d is offered to %s (%s) beside %v, who were to be %v", c.id, p.id, p.state, c.out, c.group)
	}
	if step := m.fits(c, p); step != a.Reason.Step-1 || !m.may(c, p) || m.standsBy(c, p) {
		return fmt.Errorf("%s of a group fits call %d at step %d (not %d), may take it: %v", p.id, c.id, step+1, a.Reason.Step, m.may(c, p))
	}
	c.group = c.group[1:]
	c.out = append(c.out, a.Offer)
	p.call = c.id
	p.askedBy(c.queue.Name, m.now)
	m.tally(routing.Grouped)
	return nil
}

// groups checks who is offered a call at once with the first: the next best, unless
// another call waits that one of them may take.
func (m *matcher) groups(c *caller, first *person, a routing.OfferCall) error {
	var want []agents.ID
	if c.queue.RingSize > 1 && !c.away && !c.question && a.Reason.Prefer == "" {
		want = m.group(c, first)
	}
	if !m.sliced && !slices.Equal(want, a.Reason.Group) {
		return fmt.Errorf("call %d is offered to %s and at once to %v, not %v", c.id, first.id, a.Reason.Group, want)
	}
	return nil
}

func (m *matcher) group(c *caller, first *person) (out []agents.ID) {
	picked := []*person{first}
	for len(picked) < c.queue.RingSize {
		p := m.nextBest(c, picked)
		if p == nil {
			break
		}
		for _, o := range m.calls {
			if o != c && o.waiting && !m.full(o) && m.may(o, p) && (m.own(o, p) || m.open(o, nil) && m.fits(o, p) >= 0 && !m.standsBy(o, p)) {
				return nil
			}
		}
		picked = append(picked, p)
		out = append(out, p.id)
	}
	return out
}

// nextBest is the best free person of the earliest step who is not picked yet.
func (m *matcher) nextBest(c *caller, picked []*person) (best *person) {
	for _, n := range m.steps(c) {
		for _, q := range m.people {
			if q.free() && !slices.Contains(picked, q) && m.fits(c, q) == n && m.may(c, q) && !m.standsBy(c, q) && (best == nil || m.better(c, n, q, best)) {
				best = q
			}
		}
		if best != nil {
			return best
		}
	}
	return nil
}

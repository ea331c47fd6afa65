// Package reference decides who gets which call by looking at everybody and
// everything, in the words of the routing document and with none of the
// engine's indexes, and holds the engine to it: every offer (which call, which
// agent, by which step), that nobody free is left beside a call he or she may
// take, and that no caller is passed beyond the bound. What it knows it knows
// from events and actions alone. It is made of tests only.
package reference

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// matcher follows an engine.
type matcher struct {
	now    time.Time
	people []*person // by id
	calls  []*caller // by number
	sliced bool
	bound  time.Duration // of overtaking (7)
	offers map[string]int
	out    agents.ID            // who signs out with this event
	joined map[string]time.Time // reserves, by queue and team: since when
	live   *routing.Policy
}

func (m *matcher) person(id agents.ID) *person {
	i := slices.IndexFunc(m.people, func(p *person) bool { return p.id == id })
	if i < 0 {
		return nil
	}
	return m.people[i]
}

func (m *matcher) call(id routing.CallID) *caller {
	i := slices.IndexFunc(m.calls, func(c *caller) bool { return c.id == id })
	if i < 0 {
		return nil
	}
	return m.calls[i]
}

// before is the one order: calls at the ceiling first, then turn, then since,
// then number.
func (m *matcher) before(a, b *caller) int {
	switch x, y := m.risen(a), m.risen(b); {
	case x && !y:
		return -1
	case y && !x:
		return 1
	case !x:
		if c := a.turn().Compare(b.turn()); c != 0 {
			return c
		}
	}
	if c := a.since.Compare(b.since); c != 0 {
		return c
	}
	return cmp.Compare(a.id, b.id)
}

func (c *caller) turn() time.Time {
	due := time.Duration(0)
	if c.policy.ByDue {
		due = c.queue.AnswerWithin
	}
	return c.since.Add(due).Add(-time.Duration(c.priority) * time.Second * 1000 / time.Duration(c.policy.MilliPoints))
}

// steps are those that count for a call now, the earliest first: all that the
// clock has brought, and the next while nobody signed in fits any of them.
func (m *matcher) steps(c *caller) (out []int) {
	vacant := true
	for n := 0; n <= len(c.queue.Steps); n++ {
		came := n <= c.step
		if n > 0 && c.queue.Steps[n-1].Need == nil || came && c.skipped[n] || !came && (!vacant || c.queue.Steps[n-1].When != nil) {
			continue
		}
		if came && n > 0 && c.queue.Steps[n-1].Only {
			out, vacant = nil, true
		}
		out = append(out, n)
		for _, p := range m.people {
			if p.signedIn() && needOf(c, n).met(p) {
				vacant = false
			}
		}
	}
	return out
}

// fits is the earliest step that counts and that the person fits, -1 for none.
func (m *matcher) fits(c *caller, p *person) int {
	for _, n := range m.steps(c) {
		if needOf(c, n).met(p) {
			return n
		}
	}
	return -1
}

// may says that nothing but the need keeps the person from the call.
func (m *matcher) may(c *caller, p *person) bool {
	if b, ok := c.bars[p.id]; ok && m.now.Before(b.until) {
		return false
	}
	if !p.desk && c.queue.Pop.Late == routing.LateHold {
		return false
	}
	return c.sender != p.id || !c.question && !slices.ContainsFunc(m.people, func(o *person) bool { return o != p && o.signedIn() && m.fits(c, o) >= 0 })
}

// suits says that a preferred agent may be waited for.
func (m *matcher) suits(c *caller, e entry, p *person) bool {
	if b, ok := c.bars[p.id]; ok && m.now.Before(b.until) {
		return false
	}
	if c.sender == p.id && !m.may(c, p) {
		return false
	}
	if e.waived {
		return !needOf(c, 0).excludes(p)
	}
	return m.fits(c, p) >= 0
}

// holds says that the call waits for an entry's agents and nobody else.
func (m *matcher) holds(c *caller) bool {
	if c.until.IsZero() || !m.now.Before(c.until) || c.at >= len(c.list) {
		return false
	}
	e := c.list[c.at]
	return slices.ContainsFunc(e.who, func(id agents.ID) bool {
		p := m.person(id)
		return m.suits(c, e, p) && (p.busy() && !p.leaves() || e.stays && !p.free() || m.full(c) && p.free() && m.may(c, p))
	})
}

// own says that the call holds for this very person.
func (m *matcher) own(c *caller, p *person) bool {
	return c.at < len(c.list) && m.now.Before(c.until) && slices.Contains(c.list[c.at].who, p.id) && m.suits(c, c.list[c.at], p)
}

// open says that the call stands in the order, for everybody who fits: it has
// done with those it prefers. One whose hold has just ended has first to ask
// the next of them. In slices that cannot be seen, so the engine is believed.
func (m *matcher) open(c, taken *caller) bool {
	return c.waiting && (c.at >= len(c.list) || c == taken && m.sliced && !m.holds(c))
}

// offered checks one offer: a person who became free takes a call, or a call
// finds a person.
func (m *matcher) offered(a routing.OfferCall) error {
	c, p := m.call(a.Call), m.person(a.Agent)
	if c != nil && p != nil && a.Reason.Trigger == routing.Grouped {
		return m.beside(c, p, a)
	}
	switch {
	case c == nil || p == nil || !c.waiting:
		return fmt.Errorf("call %d does not wait", a.Call)
	case !p.free():
		return fmt.Errorf("%s is %s", p.id, p.state)
	case m.full(c):
		return fmt.Errorf("call %d is offered although its queue occupies %d agents", c.id, c.queue.MaxTalking)
	}
	if a.Reason.Prefer == "" {
		if step := m.fits(c, p); step != a.Reason.Step-1 || !m.may(c, p) || m.standsBy(c, p) {
			return fmt.Errorf("%s fits call %d at step %d (not %d), may take it: %v (%+v)", p.id, c.id, step+1, a.Reason.Step, m.may(c, p), *c)
		}
	}
	err := error(nil)
	if a.Reason.Trigger == "agent_free" {
		err = m.taken(c, p, a.Reason.Prefer)
	} else {
		err = m.found(c, p, a.Reason)
	}
	if err == nil {
		err = m.groups(c, p, a)
	}
	m.offers[a.Reason.Trigger]++
	c.out, c.group, c.back = []routing.Offer{a.Offer}, a.Reason.Group, false
	c.waiting, c.asked, c.attempt = false, true, a.Offer
	p.call = c.id
	p.askedBy(c.queue.Name, m.now)
	return err
}

// taken: who became free takes a call that came back, else an own one, unless
// two were taken in a row and another fits, else the first of all.
func (m *matcher) taken(c *caller, p *person, prefer string) error {
	var front, own, other *caller
	first := func(best **caller, o *caller) {
		if *best == nil || m.before(o, *best) < 0 {
			*best = o
		}
	}
	for _, o := range m.calls {
		switch {
		case !o.waiting || !m.may(o, p) || m.full(o):
		case m.own(o, p):
			first(&own, o)
		case !m.open(o, c) || m.fits(o, p) < 0 || m.standsBy(o, p):
		case o.front:
			first(&front, o)
		default:
			first(&other, o)
		}
	}
	want := other
	switch {
	case front != nil:
		want = front
	case own != nil && (p.row < 2 || other == nil):
		want = own
	}
	if want != c || (want == own && own != nil) != (prefer != "") {
		return fmt.Errorf("%s takes call %d (%q), not %d (front %d, own %d, other %d, row %d)\n%+v\n%+v", p.id, c.id, prefer, number(want), number(front), number(own), number(other), p.row, c, want)
	}
	if prefer != "" {
		p.row++
	} else {
		p.row = 0
	}
	if front == nil && prefer == "" {
		for _, o := range m.calls {
			if o != c && m.open(o, nil) && !m.full(o) && m.fits(o, p) >= 0 && m.may(o, p) && !m.standsBy(o, p) && c.since.Sub(o.since) > m.bound {
				return fmt.Errorf("call %d passes %d, which came %s before it", c.id, o.id, c.since.Sub(o.since))
			}
		}
	}
	return nil
}

func number(c *caller) routing.CallID {
	if c == nil {
		return 0
	}
	return c.id
}

// found: a call that may be offered finds its preferred agent, or the best of
// the earliest step.
func (m *matcher) found(c *caller, p *person, r routing.Reason) error {
	for _, o := range m.calls { // those before it have sought already
		if o != c && o.waiting && m.sooner(o, c, r.Trigger) && !m.full(o) && !m.anothersRoom(o, c) && !m.holds(o) && m.fits(o, p) >= 0 && m.may(o, p) && !m.standsBy(o, p) && (o.asked || !m.sliced) {
			return fmt.Errorf("call %d finds %s before call %d, whose turn is earlier", c.id, p.id, o.id)
		}
	}
	if r.Prefer != "" {
		return m.foundPreferred(c, p, r.Prefer)
	}
	p.row = 0
	for i := c.at; i < len(c.list); i++ {
		if q := m.preferred(c, c.list[i]); q != nil {
			return fmt.Errorf("call %d is offered to %s although %s, whom it prefers, is free", c.id, p.id, q.id)
		}
	}
	if m.holds(c) {
		return fmt.Errorf("call %d is offered to %s while it holds", c.id, p.id)
	}
	for _, n := range m.steps(c) {
		var best *person
		for _, q := range m.people {
			if q.free() && m.fits(c, q) == n && m.may(c, q) && !m.standsBy(c, q) && (best == nil || m.better(c, n, q, best)) {
				best = q
			}
		}
		if best != nil && best != p {
			return fmt.Errorf("call %d finds %s, not %s", c.id, p.id, best.id)
		}
		if best != nil {
			return nil
		}
	}
	return fmt.Errorf("call %d finds %s, nobody fits", c.id, p.id)
}

// preferred is the free agent of an entry who has been idle longest.
func (m *matcher) preferred(c *caller, e entry) (best *person) {
	if m.full(c) {
		return nil // even who is free is waited for
	}
	for _, id := range e.who {
		q := m.person(id)
		if q.free() && m.suits(c, e, q) && m.may(c, q) && (best == nil || longer(q, best)) {
			best = q
		}
	}
	return best
}

func (m *matcher) foundPreferred(c *caller, p *person, kind string) error {
	for i := c.at; i < len(c.list); i++ {
		best := m.preferred(c, c.list[i])
		if best == nil {
			continue
		}
		if best != p || c.list[i].kind != kind {
			return fmt.Errorf("call %d prefers %s (%s), not %s (%s)", c.id, best.id, c.list[i].kind, p.id, kind)
		}
		return nil
	}
	return fmt.Errorf("call %d prefers nobody who is free, and is offered to %s", c.id, p.id)
}

// better says that the queue's policy prefers a to b.
func (m *matcher) better(c *caller, step int, a, b *person) bool {
	if x, y := reserved(c.queue, a), reserved(c.queue, b); x != y {
		return y // regular before reserve
	}
	switch c.queue.Choose {
	case "most_skilled":
		if x, y := needOf(c, step).levelsNamed(a), needOf(c, step).levelsNamed(b); x != y {
			return x > y
		}
	case "least_skilled":
		if x, y := needOf(c, step).levelsNamed(a), needOf(c, step).levelsNamed(b); x != y {
			return x < y
		}
		if x, y := a.held(), b.held(); x != y {
			return x < y
		}
	case "round_robin":
		return inTurnBefore(c.queue.Name, a, b)
	case "fewest_calls":
		if a.calls != b.calls {
			return a.calls < b.calls
		}
	case "least_occupied":
		if a.share != b.share {
			return a.share < b.share
		}
	}
	return longer(a, b)
}

func longer(a, b *person) bool {
	if !a.idle.Equal(b.idle) {
		return a.idle.Before(b.idle)
	}
	return a.id < b.id
}

// settled says what is left that should not be: a call and a free agent who may
// take it.
func (m *matcher) settled() error {
	for _, c := range m.calls {
		if !c.waiting || m.holds(c) {
			continue
		}
		c.asked, c.at = true, len(c.list) // nobody it prefers is to be waited for
		if m.full(c) {
			continue
		}
		for _, p := range m.people {
			if p.free() && m.fits(c, p) >= 0 && m.may(c, p) && !m.standsBy(c, p) {
				return fmt.Errorf("call %d waits although %s is free", c.id, p.id)
			}
		}
	}
	return m.late()
}

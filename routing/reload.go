package routing

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cordboard/cordboard/routing/queue"
)

// What a PolicyChanged does with the calls that wait.
const (
	KeepWaiting  = "keep"  // they finish this visit by their version
	ApplyWaiting = "apply" // they are routed again by the new one
)

// Errors of a PolicyChanged: the version before it stays live.
var (
	ErrBadWaiting = errors.New("waiting is keep or apply")
	ErrBadMove    = errors.New("a move leads from a queue that is gone to one that is there")
)

// maxVersions is how many versions waiting calls may use at once, the live one
// among them (21).
const maxVersions = 8

// policyChanged makes a new document live. Agents' states, counters and clocks
// stay as they are.
func (e *Engine) policyChanged(ev PolicyChanged) error {
	if err := checkReload(ev); err != nil {
		return err
	}
	e.retire(ev)
	e.rename(ev.Policy)
	e.plan = newPlan(ev.Policy)
	e.setWindows()
	e.rewindow()
	if ev.Policy.Agents != nil {
		e.directory(ev.Policy)
		e.enrol()
	}
	e.reserves()
	e.act(e.live(ev))
	e.gather()
	e.prune()
	return nil
}

// PolicyLive: a version decides from now on.
type PolicyLive struct {
	Version int    `json:"version"`
	SHA256  string `json:"sha256"`
	Waiting string `json:"waiting"` // KeepWaiting or ApplyWaiting
	// Stay is the waiting calls that finish by the version they came with, the
	// oldest first. With ApplyWaiting there are none.
	Stay []Staying `json:"stay,omitempty"`
}

// Kind implements Action.
func (PolicyLive) Kind() string { return "policy_live" }

// Staying is how many waiting calls stay with a version.
type Staying struct {
	Version int `json:"version"`
	Calls   int `json:"calls"`
}

func checkReload(ev PolicyChanged) error {
	switch {
	case ev.Policy == nil:
		return ErrNoPolicy
	case ev.Waiting != "" && ev.Waiting != KeepWaiting && ev.Waiting != ApplyWaiting:
		return fmt.Errorf("%w, not %q", ErrBadWaiting, ev.Waiting)
	}
	return CheckMoves(ev.Policy, ev.Moves)
}

// CheckMoves says whether waiting calls can be moved so when the policy goes
// live: from queues that it does not have to queues that it has.
func CheckMoves(p *Policy, moves map[string]string) error {
	var errs []error
	names := make([]string, 0, len(moves))
	for from := range moves {
		names = append(names, from)
	}
	slices.Sort(names)
	for _, from := range names {
		switch to := moves[from]; {
		case p.Queues[from] != nil:
			errs = append(errs, fmt.Errorf("%w: queue %s is still there", ErrBadMove, from))
		case p.Queues[to] == nil:
			errs = append(errs, fmt.Errorf("%w: there is no queue %s", ErrBadMove, to))
		}
	}
	return errors.Join(errs...)
}

// retire says of the versions still in use what becomes of their waiting calls.
func (e *Engine) retire(ev PolicyChanged) {
	e.plans = append(e.plans, e.plan)
	e.plans = slices.DeleteFunc(e.plans, func(p *plan) bool {
		if p.calls == 0 {
			e.gone = append(e.gone, p)
		}
		return p.calls == 0
	})
	used := 0
	for _, p := range e.plans {
		if p.waiting > 0 && !p.again {
			used++
		}
	}
	for _, p := range e.plans {
		over := used >= maxVersions && p.waiting > 0 && !p.again
		if over {
			used--
		}
		p.again = p.again || over || ev.Waiting == ApplyWaiting
		for from, to := range ev.Moves {
			if p.moves == nil {
				p.moves = map[string]string{}
			}
			p.moves[from] = to
		}
	}
}

// live tells which version decides from now on, and how many calls stay with
// which.
func (e *Engine) live(ev PolicyChanged) PolicyLive {
	out := PolicyLive{Version: ev.Version, SHA256: ev.SHA256, Waiting: ev.Waiting}
	if out.Waiting == "" {
		out.Waiting = KeepWaiting
	}
	moving := map[*plan]int{}
	for _, p := range e.plans {
		if len(p.moves) == 0 {
			continue
		}
		leads := map[*Queue]bool{} // a version has far more demands than queues
		for _, d := range p.demands {
			moves, known := leads[d.queue]
			if !known {
				moves = e.moved(p, d.queue.Name) != ""
				leads[d.queue] = moves
			}
			if moves {
				moving[p] += d.calls
			}
		}
	}
	for _, p := range e.plans {
		if n := p.waiting - moving[p]; n > 0 && !p.again {
			out.Stay = append(out.Stay, Staying{p.Version, n})
		}
	}
	return out
}

// superseded says that the call is to be routed again, or moved.
func (e *Engine) superseded(c *call) bool {
	switch {
	case c.plan == e.plan || c.drains == e.plan, c.isAway() && c.callback.dialling: // looked at when that is over
		return false
	case c.plan.again:
		return true
	}
	return e.moved(c.plan, c.queue.Name) != ""
}

// moved is where the moves of reloads lead the calls of an older version from a
// queue, "" for nowhere. A queue may have been moved and gone again.
func (e *Engine) moved(p *plan, from string) string {
	name := from
	for range len(p.moves) {
		if e.plan.Queues[name] != nil {
			break
		}
		to, ok := p.moves[name]
		if !ok {
			return ""
		}
		name = to
	}
	if name == from || e.plan.Queues[name] == nil {
		return ""
	}
	return name
}

// outdated is one index with calls that are to be routed again: the classes of
// a demand.
type outdated struct {
	demand *demand
	head   queue.Key
}

// Compare orders the heap by the earliest turn.
func (o outdated) Compare(other outdated) int { return o.head.Compare(other.head) }

// outdate puts a demand in its place of the heap, by the first of its calls.
func (e *Engine) outdate(d *demand) {
	c := d.first(e)
	if c == nil {
		return
	}
	e.spend(indexUnits)
	e.renewing = append(e.renewing, outdated{d, c.key})
	for i := len(e.renewing) - 1; i > 0; {
		parent := (i - 1) / 2
		if e.renewing[parent].Compare(e.renewing[i]) <= 0 {
			return
		}
		e.renewing[parent], e.renewing[i] = e.renewing[i], e.renewing[parent]
		i = parent
	}
}

// dropOutdated takes the first demand off the heap.
func (e *Engine) dropOutdated() {
	h := e.renewing
	last := len(h) - 1
	h[0] = h[last]
	h[last] = outdated{}
	h = h[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h[child].Compare(h[least]) < 0 {
				least = child
			}
		}
		if least == i {
			break
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
	e.renewing = h
}

// first is the demand's first call in the one order that is to be routed again.
func (d *demand) first(e *Engine) (best *call) {
	e.spend(len(d.classes))
	for step := range d.classes {
		d.classes[step].Ascend(func(c *call) bool {
			if !e.superseded(c) {
				return true
			}
			if best == nil || c.key.Compare(best.key) < 0 {
				best = c
			}
			return false
		})
	}
	return best
}

// renewFirst routes the first call again that is to be, if one is left.
func (e *Engine) renewFirst() {
	c := e.renewNext()
	if c == nil {
		return
	}
	d := c.demand
	e.spend(4 * indexUnits)
	e.renew(c)
	e.outdate(d)
}

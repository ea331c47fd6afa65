package routing

import (
	"slices"
	"time"

	"github.com/cordboard/cordboard/routing/rule"
)

// addition is what a route or a topic adds to the need: firm, in every step,
// unless its time is over.
type addition struct {
	need  rule.Need
	relax *time.Duration // firm so long, from entering the queue it led to; nil: for good
	until int64          // 0: not counted yet
}

// Relaxed: the time of an addition to the call's need is over. From now on the
// call asks for it no longer.
type Relaxed struct {
	Call CallID `json:"call"`
}

// Kind implements Action.
func (Relaxed) Kind() string { return "relaxed" }

// withAddition makes a list longer without touching those it is shared with.
func withAddition(list []addition, need *rule.Need, relax *time.Duration) []addition {
	if need == nil {
		return list
	}
	return append(slices.Clip(list), addition{need: *need, relax: relax})
}

// demands sets what is added to the need of the call's queues.
func (c *call) demands(list []addition) {
	c.additional = slices.Clone(list)
	c.firmUp(0)
}

// firmUp works out what is firm at an instant, and when that changes next.
func (c *call) firmUp(now int64) {
	c.firm, c.relaxes = rule.Need{}, 0
	for i := range c.additional {
		a := &c.additional[i]
		if a.relax != nil && a.until == 0 && now > 0 {
			a.until = max(c.entered+a.relax.Microseconds(), 1)
		}
		if a.until > 0 && a.until <= now {
			continue
		}
		if a.until > 0 && (c.relaxes == 0 || a.until < c.relaxes) {
			c.relaxes = a.until
		}
		c.firm = mergeNeeds(c.firm, a.need)
	}
	c.firmKey = needKey(c.firm)
}

// shutOut is what stays of the additions when an agent passes the call on: who
// was shut out stays out.
func (c *call) shutOut() []addition {
	var out []addition
	for _, a := range c.additional {
		if len(a.need.None) > 0 {
			a.need = rule.Need{None: a.need.None}
			out = append(out, a)
		}
	}
	return out
}

// countRelax begins the time of additions that a waiting call has brought along.
func (e *Engine) countRelax(c *call) {
	if slices.ContainsFunc(c.additional, func(a addition) bool { return a.relax != nil }) {
		c.firmUp(e.now)
	}
}

// armRelax sets the deadline of the next addition.
func (e *Engine) armRelax(c *call) {
	if c.relaxes > 0 {
		e.timers.arm(&c.tRelax, relaxDue, c.relaxes)
	} else {
		e.timers.disarm(&c.tRelax)
	}
}

// relaxed brings a call to the class of what it still asks; an offer that is
// out stays out.
func (e *Engine) relaxed(c *call) {
	placed := c.spot != nowhere
	if placed {
		e.unplace(c)
	}
	e.act(Relaxed{c.id})
	e.restep(c)
	e.armRelax(c)
	e.armSite(c)
	if placed {
		e.place(c)
	}
	if c.phase == waiting {
		e.markSeeking(c, "relaxed")
	}
}

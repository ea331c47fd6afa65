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

// firmness is what is added to the need of a call's queues, and until when.
type firmness struct {
	list    []addition
	need    rule.Need // of those whose time is not over
	key     string    // of need
	relaxes int64     // when need changes next; 0: never
}

// firm is what the call's route and topic add to the need of its queues now.
func (c *call) firm() rule.Need {
	if c.firmly == nil {
		return rule.Need{}
	}
	return c.firmly.need
}

// demands sets what is added to the need of the call's queues.
func (c *call) demands(list []addition) {
	c.firmly = nil
	if len(list) > 0 {
		c.firmly = &firmness{list: slices.Clone(list)}
		c.firmUp(0)
	}
}

// firmUp works out what is firm at an instant, and when that changes next.
func (c *call) firmUp(now int64) {
	f := c.firmly
	if f == nil {
		return
	}
	f.need, f.relaxes = rule.Need{}, 0
	for i := range f.list {
		a := &f.list[i]
		if a.relax != nil && a.until == 0 && now > 0 {
			a.until = max(c.entered+a.relax.Microseconds(), 1)
		}
		if a.until > 0 && a.until <= now {
			continue
		}
		if a.until > 0 && (f.relaxes == 0 || a.until < f.relaxes) {
			f.relaxes = a.until
		}
		f.need = mergeNeeds(f.need, a.need)
	}
	f.key = needKey(f.need)
}

func (c *call) additional() []addition {
	if c.firmly == nil {
		return nil
	}
	return c.firmly.list
}

// firmKey tells the firm additions of calls apart.
func (c *call) firmKey() string {
	if c.firmly == nil {
		return ""
	}
	return c.firmly.key
}

// shutOut is what stays of the additions when an agent passes the call on: who
// was shut out stays out.
func (c *call) shutOut() []addition {
	var out []addition
	for _, a := range c.additional() {
		if len(a.need.None) > 0 {
			a.need = rule.Need{None: a.need.None}
			out = append(out, a)
		}
	}
	return out
}

// countRelax begins the time of additions that a waiting call has brought along.
func (e *Engine) countRelax(c *call) {
	if slices.ContainsFunc(c.additional(), func(a addition) bool { return a.relax != nil }) {
		c.firmUp(e.now)
	}
}

// armRelax sets the deadline of the next addition.
func (e *Engine) armRelax(c *call) {
	if c.firmly != nil && c.firmly.relaxes > 0 {
		e.arm(c, relaxDue, c.firmly.relaxes)
	} else {
		e.disarm(c, relaxDue)
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

package routing

import (
	"slices"

	"github.com/cordboard/cordboard/routing/rule"
)

// AtRim is what the rim read of a call for one version of the document: names
// and numbers stop there (16).
type AtRim struct {
	Version int    `json:"version"`
	Region  string `json:"region,omitempty"` // the caller's, of that version
	// True are the predicates that hold, by number; those that compare keyed
	// hashes are not among them.
	True []int `json:"true,omitempty"`
}

// RimRead: what the rim reads of a call for a version that is about to be live.
// It comes before PolicyChanged, for each call in hand.
type RimRead struct {
	Call CallID  `json:"call"`
	Rim  []AtRim `json:"rim"`
	// Erased, Recorded and Subject are as in CustomerResolved.
	Erased   bool      `json:"-"`
	Recorded *Recorded `json:"-"`
	Subject  string    `json:"-"`
}

// Kind implements Event.
func (RimRead) Kind() string { return "rim_read" }

// ReadRim answers the predicates of the policy from what the rim knows of a
// call, and tells the caller's region. It reports false when the version needs
// nothing of it that does not stand in the call's attributes.
func (p *Policy) ReadRim(env *rule.Env, number string) (AtRim, bool) {
	out := AtRim{Version: p.Version, Region: p.Regions.Of(number, env.Call.Trunk)}
	asked := out.Region != env.Call.Region
	for i, q := range p.Predicates {
		if q.Field != "" {
			continue
		}
		asked = true
		if q.Eval(env) {
			out.True = append(out.True, i)
		}
	}
	return out, asked
}

// ReadsRim says whether conditions of the policy read what stays at the rim,
// other than by keyed hashes.
func (p *Policy) ReadsRim() bool {
	return slices.ContainsFunc(p.Predicates, func(q *rule.Predicate) bool { return q.Field == "" })
}

// ReadsPast says whether conditions of the policy read what the ledger says of the
// caller's other calls.
func (p *Policy) ReadsPast() bool {
	asks := func(when *rule.Condition) bool { return when != nil && when.ReadsPast() }
	offers := func(c *rule.Callback) bool { return c != nil && asks(c.When) }
	var reads func(*rule.Node) bool
	reads = func(n *rule.Node) bool {
		return n != nil && (asks(n.When) || offers(n.Callback) || slices.ContainsFunc(n.Children, reads))
	}
	if reads(p.Route) {
		return true
	}
	for _, q := range p.Queues {
		if offers(q.Callback) || slices.ContainsFunc(q.Steps, func(s Step) bool { return asks(s.When) }) {
			return true
		}
	}
	return false
}

// Keyed is the policy with the literals of its predicates as the keyed hashes
// that stand for them behind the rim. Without it the literals count themselves.
func (p *Policy) Keyed(hash func(field, literal string) string) *Policy {
	out := *p
	out.keys = make([][]string, len(p.Predicates))
	for i, q := range p.Predicates {
		for _, literal := range q.Literals {
			out.keys[i] = append(out.keys[i], hash(q.Field, literal))
		}
	}
	return &out
}

// rimRead takes over what the rim read of a call.
func (e *Engine) rimRead(ev RimRead) {
	if c := e.calls[ev.Call]; c != nil {
		e.give(c, ev.Recorded)
		e.learn(c, ev.Rim)
	}
}

// learn keeps what the rim read for a version, and forgets versions that the
// call can no longer come to.
func (e *Engine) learn(c *call, rim []AtRim) {
	for _, r := range rim {
		i := slices.IndexFunc(c.rim, func(known AtRim) bool { return known.Version == r.Version })
		if i < 0 {
			c.rim = append(c.rim, r)
		} else {
			c.rim[i] = r
		}
	}
	c.rim = slices.DeleteFunc(c.rim, func(r AtRim) bool {
		return r.Version < min(c.plan.Version, e.plan.Version) && !slices.ContainsFunc(rim, func(n AtRim) bool { return n.Version == r.Version })
	})
}

// atRim is what the rim read of a call for its version, nil for nothing.
func (c *call) atRim() *AtRim {
	for i := range c.rim {
		if c.rim[i].Version == c.plan.Version {
			return &c.rim[i]
		}
	}
	return nil
}

// region is the caller's, of the call's version.
func (c *call) region() string {
	if r := c.atRim(); r != nil {
		return r.Region
	}
	if c.given != nil {
		if region, known := c.given.regions[c.plan.Version]; known {
			return region
		}
	}
	return c.attrs.Region
}

// predicate answers one predicate of the version that is being read.
func (e *Engine) predicate(i int) bool {
	c, p := e.asking, e.reading
	if c == nil || i >= len(p.Predicates) {
		return false
	}
	q := p.Predicates[i]
	if q.Field == "" {
		r := c.atRim()
		return r != nil && slices.Contains(r.True, i)
	}
	keys := q.Literals
	if i < len(p.keys) {
		keys = p.keys[i]
	}
	key := c.caller
	if q.ReadsCustomer() {
		key = c.customerKey
	}
	return slices.Contains(keys, key) != q.Differs
}

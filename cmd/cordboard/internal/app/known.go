package app

import (
	"slices"
	"sync"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/sip/identity"
)

// known is what the rim knows of a call in hand and nobody behind it may: the
// number, and of the record the id and what names a person.
type known struct {
	number   string
	trunk    string
	attrs    rule.Call
	customer rule.Customer
	id       string
	fields   map[string]any
	ask      int               // for which a customer's number was keyed in last; 0: none was
	versions []*routing.Policy // that were live since it came, the newest last

	caller  identity.Caller
	dialled identity.Dialled
	back    string // keyed in to be called back at; "" for number
	awaits  bool   // a call to there keeps its place

	outside []keptNumber // the newest last
	refs    int64        // given so far
}

// knownCalls are those of all calls in hand.
type knownCalls struct {
	mu sync.Mutex
	by map[routing.CallID]*known
}

func (c *knownCalls) put(call routing.CallID, who *known) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[routing.CallID]*known{}
	}
	c.by[call] = who
}

// counts says whether a look-up still tells who the caller is: one by a number that
// was keyed in counts more than those before it.
func (c *knownCalls) counts(call routing.CallID, ask int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.by[call]
	if p == nil {
		return true // a call that is over; the engine knows
	}
	p.ask = max(p.ask, ask)
	return ask == p.ask
}

// know adds the record that a look-up found.
func (c *knownCalls) know(call routing.CallID, attrs rule.Customer, r *customer.Record) (who known, there bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.by[call]
	if p == nil {
		return known{}, false
	}
	p.customer = attrs
	if r != nil {
		p.id, p.fields = r.ID, r.Fields
	}
	return *p, true
}

func (c *knownCalls) forget(call routing.CallID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.by, call)
}

// keptVersions is how many versions a call is read for once its record comes
// late: it may be on any that went live since it came, and a record that comes
// later than so many reloads is for the screen only.
const keptVersions = 16

// turn notes that a version goes live, and is a copy of all calls in hand.
func (c *knownCalls) turn(live *routing.Policy) map[routing.CallID]known {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[routing.CallID]known, len(c.by))
	for call, who := range c.by {
		list := append(slices.Clip(who.versions), live) // copies may be read meanwhile
		if len(list) > keptVersions {
			list = slices.Delete(list, 1, 2)
		}
		who.versions = list
		out[call] = *who
	}
	return out
}

// read answers the predicates of some versions for a call; versions that need
// nothing have no entry.
func (w *known) read(versions ...*routing.Policy) (out []routing.AtRim) {
	for i, p := range versions {
		if slices.Contains(versions[:i], p) {
			continue
		}
		if !p.ReadsRim() && p.Regions.Of(w.number, w.attrs.Trunk) == w.attrs.Region {
			continue // as most do: an environment to read nothing in takes 2 kB
		}
		own := rule.ReadOwn(p.Fields, w.fields)
		env := &rule.Env{Call: w.attrs, Customer: w.customer, ANI: w.number, CustomerID: w.id, Persons: own.Persons}
		own.Customer(&env.Customer)
		if rim, asked := p.ReadRim(env, w.number); asked {
			out = append(out, rim)
		}
	}
	return out
}

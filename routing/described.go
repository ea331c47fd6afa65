package routing

import (
	"reflect"

	"github.com/cordboard/cordboard/routing/rule"
)

// described is what calls that arrive alike have in common: the line, the trunk,
// the country and the language, but not what the ledger says of the caller. A
// centre has many calls and few such descriptions.
type described struct {
	rule.Call
	unsaid said // nothing, in the call's language
	calls  int
}

// said is what the routes have made of a call besides its queue.
type said struct{ language, tag string }

// describe notes what a call is like as it arrives.
func (e *Engine) describe(c *call, attrs rule.Call) {
	if attrs.Kind == "" {
		attrs.Kind = "inbound"
	}
	if attrs.Past != (rule.Past{}) {
		c.past = new(attrs.Past)
		attrs.Past = rule.Past{}
	}
	d := e.described[attrs]
	if d == nil {
		d = &described{Call: attrs, unsaid: said{language: attrs.Language}}
		e.described[attrs] = d
	}
	d.calls++
	c.attrs, c.said = d, &d.unsaid
}

// kind changes what kind of call it is.
func (e *Engine) kind(c *call, kind string) {
	said := *c.said
	e.redescribe(c, func(a *rule.Call) { a.Kind = kind })
	c.said = c.attrs.say(said)
}

// redescribe changes what the call is like as it comes to the routes, which have
// said nothing of it yet.
func (e *Engine) redescribe(c *call, change func(*rule.Call)) {
	attrs := c.asArrived()
	attrs.Transfers = c.attrs.Transfers
	change(&attrs)
	e.forget(c)
	e.describe(c, attrs)
}

// forget is the end of describe.
func (e *Engine) forget(c *call) {
	if c.attrs.calls--; c.attrs.calls == 0 {
		delete(e.described, c.attrs.Call)
	}
}

// say keeps what routes say of a call; most say nothing.
func (d *described) say(s said) *said {
	if s == d.unsaid {
		return &d.unsaid
	}
	return &s
}

// asArrived are the call's attributes, how often it was passed on counted.
func (c *call) asArrived() rule.Call {
	out := c.attrs.Call
	if c.past != nil {
		out.Past = *c.past
	}
	out.Transfers = c.passed()
	return out
}

// passed is how often the call was passed on.
func (c *call) passed() int { return c.attrs.Transfers + int(c.transfers) }

// know keeps the record of the call's customer, if there is one.
func (c *call) know(r rule.Customer) {
	if !reflect.ValueOf(&r).Elem().IsZero() {
		c.customer = new(r)
	}
}

// known is the customer's record, empty where nobody is known.
func (c *call) known() (out rule.Customer) {
	if c.customer != nil {
		out = *c.customer
	}
	return out
}

// wish is the agents whom a call prefers to all others.
type wish struct {
	list   []preference
	at     int      // the entry it is at
	wanted []*agent // it holds for these
}

// askFirst sets whom the call asks first.
func (c *call) askFirst(list []preference) {
	switch {
	case c.wish != nil:
		c.wish.list, c.wish.at = list, 0
	case len(list) > 0:
		c.wish = &wish{list: list}
	}
}

func (c *call) prefer() []preference {
	if c.wish == nil {
		return nil
	}
	return c.wish.list
}

// preferring is the entry that the call is at, nil after the last.
func (c *call) preferring() *preference {
	if w := c.wish; w != nil && w.at < len(w.list) {
		return &w.list[w.at]
	}
	return nil
}

// preferDone ends the list: the call is for anyone.
func (c *call) preferDone() {
	if c.wish != nil {
		c.wish.at = len(c.wish.list)
	}
}

// wants makes the call hold for some agents, nil for nobody.
func (c *call) wants(who []*agent) {
	if c.wish != nil {
		c.wish.wanted = who
	}
}

func (c *call) wanted() []*agent {
	if c.wish == nil {
		return nil
	}
	return c.wish.wanted
}

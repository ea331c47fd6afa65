package screenpop

import (
	"slices"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// Beside asks outside systems what they know of a customer (customer.Beside).
type Beside interface {
	Ask(who customer.Subject, tell func(customer.Told)) []customer.Told
}

// know makes r the card's customer, with what outside systems have said of him so far.
func (c *card) know(r *customer.Record) {
	if r == nil || r.ID != c.besideOf.ID {
		c.beside, c.besideOf = nil, customer.Subject{}
	}
	c.own, c.rec = r, r.With(c.beside)
}

// askBeside asks the outside systems of a card's customer. What they say later is put
// on the card when it comes: neither pop nor ring waits for it, and routing is not told.
func (h *Hub) askBeside(c *card) {
	if h.opt.Beside == nil || c.own == nil || c.about != nil {
		return
	}
	who := customer.Subject{ID: c.own.ID, Number: c.new.Lookup}
	if c.new.Caller.Restricted || c.keyed != nil && c.keyed.Found || !slices.ContainsFunc(c.own.Numbers, func(n customer.Number) bool { return n.E164 == who.Number }) {
		who.Number = "" // it is nobody's business, or not his
	}
	c.besideOf = who
	c.beside = h.opt.Beside.Ask(who, func(t customer.Told) {
		h.post(func() { h.besideTold(c, who, t) })
	})
	c.know(c.own)
}

// besideTold puts what a system has said on the card.
func (h *Hub) besideTold(c *card, who customer.Subject, t customer.Told) {
	i := slices.IndexFunc(c.beside, func(other customer.Told) bool { return other.Source == t.Source })
	if c.besideOf != who || i < 0 {
		return // it is another customer by now
	}
	if was := c.beside[i]; was.State == t.State && was.At.Equal(t.At) {
		return // it fails again: the desk has that
	}
	c.beside = slices.Clone(c.beside) // a question's card may share it
	c.beside[i] = t
	c.know(c.own)
	for _, l := range c.legs {
		if !h.popHeld(c, l) {
			h.patchLeg(c, l)
		}
	}
	h.knownToQuestions(c)
}

// sourceView is an outside system as a desk is told of it: what it adds to, and how
// it does.
type sourceView struct {
	Name   string   `json:"name"`
	State  string   `json:"state"` // ok, loading, stale, failed
	At     int64    `json:"at"`    // when it said what is shown; 0: nothing is
	Panels []string `json:"panels"`
}

func (c *card) sources() []sourceView {
	out := make([]sourceView, len(c.beside))
	for i, t := range c.beside {
		out[i] = sourceView{t.Source, t.State, micro(t.At), t.Panels}
	}
	return out
}

// takeOver has the card of a question show what the call's does.
func (c *card) takeOver(of *card) {
	c.match, c.own, c.rec, c.recAt, c.stale, c.candidates = of.match, of.own, of.rec, of.recAt, of.stale, of.candidates
	c.beside, c.besideOf = of.beside, of.besideOf
}

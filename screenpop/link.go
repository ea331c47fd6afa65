package screenpop

import (
	"context"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/screenpop/customer"
)

// Link is what an agent says of a number: that it is a customer's, or, to undo that
// somebody said so, that nobody has.
type Link struct {
	Number   string // E.164
	Customer string
	Agent    agents.ID
	Name     string // the agent's
	Undo     bool
}

// link teaches whose the caller's number is. The call is that customer's from now on.
// Who has not talked to the caller can't have asked, and a number that the caller
// withholds is not kept with anybody.
func (h *Hub) link(r request, f linkFrame) string {
	if f.Customer == "" || !word(f.Customer) {
		return codeBadRequest
	}
	if !r.leg.in(phaseTalking, phaseHold, phaseWrapUp) {
		return codeNotNow
	}
	c := r.card
	if c.about != nil || c.linking || c.new.Lookup == "" || c.new.Caller.Restricted || h.opt.Link == nil || f.Undo && f.Customer != c.customerID() {
		return codeNotNow
	}
	l := Link{Number: c.new.Lookup, Customer: f.Customer, Agent: r.leg.Agent, Name: h.name(r.leg.Agent), Undo: f.Undo}
	c.linking = true
	h.wg.Go(func() {
		ctx, cancel := context.WithTimeout(h.ctx, h.opt.AskTimeout)
		defer cancel()
		rec, err := h.opt.Link(ctx, l)
		h.post(func() {
			c.linking = false
			r.conn.result(r.id, h.linked(r, l, rec, err))
		})
	})
	return pending
}

// linked puts the customer on the card.
func (h *Hub) linked(r request, l Link, rec *customer.Record, err error) string {
	switch {
	case err != nil:
		h.lookupFailed(r.card, err)
		return codeFailed
	case rec == nil:
		return codeUnknown
	}
	c, now, how := r.card, h.now(), "linked"
	switch {
	case l.Undo:
		how = "undone"
	case c.customerID() == l.Customer || c.candidate(l.Customer):
		how = "confirmed"
	}
	h.opt.Observe(c.new.Call, "number_linked", l.Agent, r.leg.Attempt, now, map[string]any{"how": how})
	if c.customerID() != rec.ID {
		c.told, c.candidates = true, nil
		if c.expiry != nil {
			c.expiry.Stop()
		}
		h.opt.Chosen(c.new.Call, rec.ID)
	}
	c.match, c.recAt, c.stale = matchExact, now, false
	c.know(rec)
	h.askBeside(c)
	h.knownToQuestions(c)
	for _, other := range c.legs {
		h.fetchAnswers(c, other)
	}
	h.patch(c, nil)
	return ""
}

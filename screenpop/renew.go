package screenpop

import "github.com/cordboard/cordboard/screenpop/customer"

// Renew brings the desks that have a customer's call in hand up to date: his record
// has changed. It does not block.
func (h *Hub) Renew(id string) {
	h.post(func() {
		h.noteChanged(id)
		for _, c := range h.cards {
			if c.customerID() == id {
				h.renew(c)
			}
		}
	})
}

// noteChanged remembers who has changed for as long as a look-up may take that has
// read him before.
func (h *Hub) noteChanged(id string) {
	now := h.now()
	for other, at := range h.changed {
		if now.Sub(at) > h.opt.LookupTimeout {
			delete(h.changed, other)
		}
	}
	h.changed[id] = now
}

// renewIfChanged reads a card's record again that may have been read before it
// changed.
func (h *Hub) renewIfChanged(c *card) {
	if at, there := h.changed[c.customerID()]; there && h.now().Sub(at) <= h.opt.LookupTimeout {
		h.renew(c)
	}
}

// renew has a card's customer read again. However often he changes, one such
// look-up waits at a time.
func (h *Hub) renew(c *card) {
	if c.renewing || c.customerID() == "" || len(h.jobs) >= maxJobs {
		return
	}
	c.renewing = true
	h.jobs = append(h.jobs, job{card: c, id: c.customerID(), again: true})
	h.startJobs()
}

// renewed puts what was read again in the place of the older record. Routing is not
// told: a call is routed by what was known when it came. Where it could not be read
// the desk keeps what it has.
func (h *Hub) renewed(c *card, m customer.Match, err error) {
	if err != nil || m.Record == nil || m.Record.ID != c.customerID() || m.Record.Version <= c.version() {
		return
	}
	if c.new.Caller.Restricted {
		m = withoutNumber(m, c.new.Lookup)
	}
	c.recAt, c.stale = h.now(), false
	c.know(m.Record)
	for _, l := range c.legs {
		h.patchLeg(c, l)
	}
	h.knownToQuestions(c)
}

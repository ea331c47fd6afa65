package screenpop

import (
	"context"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
)

// enteredTime is how long a caller who has keyed in a number hears nothing: then the
// call goes on without.
const enteredTime = 5 * time.Second

// enteredView is the customer's number that a caller has keyed in last. It proves
// nothing: the agent is told that it was keyed in, and whose telephone it is.
type enteredView struct {
	Number string `json:"number"`
	Found  bool   `json:"found"`
	// Instead is the customer who is known by the telephone number, when it is another.
	Instead *insteadView `json:"instead,omitempty"`
}

type insteadView struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Identify looks up the customer whose number a caller has keyed in.
func (h *Hub) Identify(call routing.CallID, ask int, id string) {
	h.post(func() {
		c := h.cards[call]
		if c == nil {
			return // it is over
		}
		j := job{card: c, ask: ask, id: id}
		c.asking = ask
		if len(h.jobs) >= maxJobs {
			h.entered(j, customer.Match{}, context.DeadlineExceeded)
			return
		}
		c.entering = time.AfterFunc(enteredTime, func() {
			h.post(func() { h.entered(j, customer.Match{}, context.DeadlineExceeded) })
		})
		h.jobs = append(h.jobs, j)
		h.startJobs()
	})
}

// entered puts the outcome on the card and tells routing. A customer who is found is
// the call's from now on, and what the look-up by telephone number may still find is
// not waited for.
func (h *Hub) entered(j job, m customer.Match, err error) {
	c := j.card
	if c.asking != j.ask {
		return
	}
	c.asking = 0
	if c.entering != nil {
		c.entering.Stop()
	}
	if err != nil {
		h.lookupFailed(c, err)
		m = customer.Match{}
	}
	before := c.rec
	if c.keyed != nil && c.keyed.Found {
		before = nil // of a number keyed in, and not of the telephone
	}
	c.keyed = &enteredView{Number: j.id, Found: m.Record != nil}
	if m.Record != nil {
		c.told = true
		if c.expiry != nil {
			c.expiry.Stop()
		}
		c.candidates = nil
		c.found(m, nil, h.now())
		if before != nil && before.ID != m.Record.ID {
			c.keyed.Instead = &insteadView{before.ID, before.Name}
		}
		h.opt.Observe(c.new.Call, "resolved", "", 0, h.now(), map[string]any{"match": "keyed_in"})
		h.askBeside(c)
		h.fetchAhead(c)
		h.renewIfChanged(c)
	}
	h.opt.Entered(c.new.Call, j.ask, m, err)
}

package screenpop

import (
	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// InHand is a call on an agent's desk, from the offer to the end of the wrap-up.
type InHand struct {
	Call     routing.CallID
	Number   string // the caller's, E.164; "" when withheld
	Customer string // id, "" while unknown
}

// InHand are the calls on an agent's desk; none once the hub is closed.
func (h *Hub) InHand(agent agents.ID) (out []InHand) {
	h.call(func() {
		d := h.desks[agent]
		if d == nil {
			return
		}
		for l, c := range d.legs {
			if !l.live() {
				continue
			}
			in := InHand{Call: c.new.Call, Customer: c.customerID()}
			if !c.new.Caller.Restricted {
				in.Number = c.new.Lookup
			}
			out = append(out, in)
		}
	})
	return out
}

// AtWork says whether an agent is signed in and has not pressed Not ready.
func (h *Hub) AtWork(agent agents.ID) (at bool) {
	h.call(func() {
		if d := h.desks[agent]; d != nil {
			at = d.status.State.SignedIn() && d.status.State != agents.NotReady
		}
	})
	return at
}

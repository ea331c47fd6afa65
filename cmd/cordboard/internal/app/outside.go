package app

import (
	"errors"
	"slices"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/identity"
)

// mostOutside is how many numbers are kept that a call is to be passed on to: the
// engine may still be deciding about one while the next is asked for.
const mostOutside = 8

// keptNumber is a number that an agent wants to pass a call on to. It stays here:
// the engine has its reference and its country.
type keptNumber struct {
	ref    int64
	number identity.Number
}

// passedTo keeps the number for the call and gives its reference.
func (c *knownCalls) passedTo(call routing.CallID, n identity.Number) (ref int64, there bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.by[call]
	if p == nil {
		return 0, false
	}
	p.refs++
	kept := p.outside[max(0, len(p.outside)+1-mostOutside):]
	p.outside = append(slices.Clone(kept), keptNumber{p.refs, n}) // copies are read meanwhile
	return p.refs, true
}

// Outside implements screenpop's: a number that an agent has typed. One without its
// country is of the first that calls are passed on to.
func (r *rim) Outside(call routing.CallID, typed string) (to routing.Outside, code string) {
	allowed := r.policy.Load().Transfers.Numbers.To
	if len(allowed) == 0 {
		return to, "number_not_allowed"
	}
	n, err := identity.ParseOutside(typed, allowed[0])
	switch {
	case errors.Is(err, identity.ErrPaysOwner):
		return to, "number_not_allowed"
	case err != nil:
		return to, "not_a_number"
	case r.isOurs(call, n):
		return to, "number_not_allowed" // it would only ring here again
	}
	ref, there := r.callers.passedTo(call, n)
	if !there {
		return to, "stale"
	}
	return routing.Outside{Ref: ref, Country: identity.Country(n)}, ""
}

// isOurs says that a call to the number would come back to us.
func (r *rim) isOurs(call routing.CallID, n identity.Number) bool {
	who, _ := r.callers.get(call)
	_, line := r.policy.Load().Lines[n.E164()]
	return line || n.E164() == who.dialled.Number || slices.Contains(r.numbers, n.E164())
}

// PassedTo implements sip.Numbers.
func (r *rim) PassedTo(call routing.CallID, ref int64) (identity.Number, bool) {
	who, _ := r.callers.get(call)
	for _, o := range who.outside {
		if o.ref == ref {
			return o.number, true
		}
	}
	return identity.Number{}, false
}

package app

import (
	"context"
	"errors"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// Entered implements sip.Customers: the number goes to the desks' hub, which looks it
// up, and to nobody else.
func (r *rim) Entered(call routing.CallID, ask int, number string) {
	r.hub.Identify(call, ask, number)
}

// identified tells the engine whether a number that was keyed in is a customer's.
func (r *rim) identified(call routing.CallID, ask int, m customer.Match, err error) {
	switch {
	case err != nil:
		r.driver.Submit(routing.NumberKeyed{Call: call, Ask: ask, Got: routing.GotNoAnswer})
	case m.Record == nil:
		r.driver.Submit(routing.NumberKeyed{Call: call, Ask: ask, Got: routing.GotUnknown})
	default:
		r.past.then(call, func(past rule.Past) { r.lookedUp(call, ask, m, past) })
	}
}

// byID finds a customer by id.
func (a *App) byID(ctx context.Context, id string) (customer.Match, error) {
	r, err := a.store.Customer(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return customer.Match{}, nil
	}
	if err != nil {
		return customer.Match{}, err
	}
	return customer.Match{Record: &r}, nil
}

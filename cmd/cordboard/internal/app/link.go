package app

import (
	"context"
	"errors"
	"time"

	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// link writes whose a number is, as an agent says, and forgets what was found by it
// before.
func (a *App) link(ctx context.Context, l screenpop.Link) (*customer.Record, error) {
	var err error
	if l.Undo {
		err = a.store.UnlinkNumber(ctx, l.Number, l.Customer, time.Now())
	} else {
		err = a.store.LinkNumber(ctx, l.Number, l.Customer, customer.Colleague{Agent: string(l.Agent), Name: l.Name}, time.Now())
	}
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	a.finder.Erase("", []string{l.Number})
	a.finder.Forget(l.Customer)
	m, err := a.byID(ctx, l.Customer)
	return m.Record, err
}

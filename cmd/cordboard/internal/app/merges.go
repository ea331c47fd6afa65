package app

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// merges has customers be one, and shows it on the desks that have one in hand.
type merges struct{ app *App }

// Merges implements web.Merges.
func (m merges) Merges(ctx context.Context, most int) ([]web.Merge, error) {
	all, err := m.app.store.Merges(ctx, most)
	if err != nil {
		return nil, err
	}
	out := make([]web.Merge, 0, len(all))
	for i := range all {
		out = append(out, m.named(ctx, &all[i]))
	}
	return out, nil
}

// named is a merge with the names of both, as far as they can be read.
func (m merges) named(ctx context.Context, of *store.Merge) web.Merge {
	out := web.Merge{ID: of.ID, Whole: of.Whole, Other: of.Other, By: of.By.Name, At: of.At}
	r, err := m.app.store.Customer(ctx, of.Whole)
	if err != nil {
		return out
	}
	out.WholeName = r.Name
	for _, a := range r.Accounts {
		if a.ID == of.Other {
			out.OtherName = a.Name
		}
	}
	return out
}

// Merge implements web.Merges.
func (m merges) Merge(ctx context.Context, keep, other string, by web.User) (web.Merge, error) {
	done, err := m.app.store.Merge(ctx, keep, other, said(by), time.Now())
	if err != nil {
		return web.Merge{}, mergeRefused(err)
	}
	m.changed(&done)
	m.app.log.Info("two customers were merged", zap.Int64("merge", done.ID), zap.String("user", by.ID))
	return m.named(ctx, &done), nil
}

// Undo implements web.Merges.
func (m merges) Undo(ctx context.Context, id int64, by web.User) (bool, error) {
	gone, err := m.app.store.UndoMerge(ctx, id, time.Now())
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	m.changed(&gone)
	m.app.log.Info("a merge was undone", zap.Int64("merge", id), zap.String("user", by.ID))
	return true, nil
}

// changed has look-ups and desks read both anew.
func (m merges) changed(of *store.Merge) {
	for _, id := range []string{of.Whole, of.Other} {
		m.app.finder.Forget(id)
		m.app.hub.Renew(id)
	}
}

// sideBySide are how many of one group are compared at a time.
const sideBySide = 8

// Duplicates implements web.DuplicateFinder.
func (m merges) Duplicates(ctx context.Context, most int) (out []web.Duplicates, more int, err error) {
	all, err := m.app.store.Duplicates(ctx)
	if err != nil {
		return nil, 0, err
	}
	more = max(len(all)-most, 0)
	for _, d := range all[:len(all)-more] {
		found := web.Duplicates{Numbers: d.Numbers}
		for _, id := range d.Customers[:min(len(d.Customers), sideBySide)] {
			r, err := m.app.store.Customer(ctx, id)
			if errors.Is(err, store.ErrNotFound) {
				continue // gone since
			}
			if err != nil {
				return nil, 0, err
			}
			found.Customers = append(found.Customers, r)
		}
		if len(found.Customers) > 1 {
			out = append(out, found)
		}
	}
	return out, more, nil
}

// KeepApart implements web.DuplicateFinder.
func (m merges) KeepApart(ctx context.Context, a, b string, by web.User) error {
	return mergeRefused(m.app.store.KeepApart(ctx, a, b, said(by), time.Now()))
}

func said(by web.User) customer.Colleague { return customer.Colleague{Agent: by.ID, Name: by.Name} }

// mergeRefused is an error of the store in web's words.
func mergeRefused(err error) error {
	var refused *store.MergeRefused
	var nobody *store.NoCustomerError
	switch {
	case errors.As(err, &nobody):
		return &web.MergeRefused{Code: "no_customer", Why: nobody.Error()}
	case errors.As(err, &refused):
		return &web.MergeRefused{Code: refused.Code, Why: refused.Why}
	}
	return err
}

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer/permission"
)

const (
	qSuppress   = `INSERT INTO suppressions (number_key, at) VALUES ($1, $2) ON CONFLICT (number_key) DO NOTHING`
	qSuppressed = `SELECT COUNT(*) FROM suppressions WHERE number_key = $1`
)

// Suppressed says whether somebody who had the number has objected to being called, and
// was erased since.
func (s *Store) Suppressed(ctx context.Context, number string) (bool, error) {
	if s.opts.NumberKey == nil {
		return false, nil
	}
	var n int
	if err := s.read.row(ctx, qSuppressed, []any{s.opts.NumberKey(number)}, &n); err != nil {
		return false, fmt.Errorf("store: suppressions: %w", err)
	}
	return n > 0, nil
}

// objects says whether a customer who is to be erased, of whatever accounts, has
// objected to being called.
func (s *Store) objects(ctx context.Context, accounts []string) (bool, error) {
	for _, id := range accounts {
		r, _, _, err := s.assembleOwn(ctx, id, 1)
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return false, err
		case r.DoNotCall || r.Consent.Phone != nil && !*r.Consent.Phone:
			return true, nil
		}
	}
	said, err := s.consentsOf(ctx, accounts)
	if err != nil {
		return false, err
	}
	words := make([]permission.Said, len(said))
	for i := range said {
		words[i] = said[i].Said
	}
	return slices.ContainsFunc(permission.Standing(words), func(w permission.Said) bool {
		return w.State != permission.Given && (w.Channel == permission.Call || w.Channel == permission.SMS)
	}), nil
}

// suppress keeps that whoever had the numbers has objected, and nothing else of him.
func (s *Store) suppress(t *tx, numbers []string, at time.Time) error {
	if s.opts.NumberKey == nil {
		return nil
	}
	for _, n := range numbers {
		if err := t.put(qSuppress, s.opts.NumberKey(n), at.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

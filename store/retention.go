package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const (
	// From the call after the last that was forgotten: the first that is too young, or
	// that lives.
	qFirstKept = `SELECT call FROM calls WHERE call > $1 AND (arrived_at >= $2 OR outcome = '') ORDER BY call LIMIT 1`
	qForgetOld = `UPDATE calls SET number = '', callback_number = '', customer = ''
		WHERE call > $1 AND call <= $2 AND (number <> '' OR callback_number <> '' OR customer <> '')`
	qConsentPage   = `SELECT MAX(id), COUNT(*) FROM (SELECT id FROM consents WHERE id > $1 ORDER BY id LIMIT $2) page`
	qDropOvertaken = `DELETE FROM consents WHERE id > $1 AND id <= $2 AND EXISTS (SELECT 1 FROM consents n
		WHERE n.customer = consents.customer AND n.purpose = consents.purpose AND n.channel = consents.channel AND n.at > consents.at AND n.at < $3)`
	qDecisionPage     = `SELECT MAX(id), MAX(at) FROM (SELECT id, at FROM contact_decisions WHERE id > $1 ORDER BY id LIMIT $2) page`
	qDropOldDecisions = `DELETE FROM contact_decisions WHERE id > $1 AND id <= $2 AND contact_at < $3`
	// Their steps and notices go with them.
	qDropClosed = `DELETE FROM requests WHERE ref IN (SELECT ref FROM requests WHERE state = 'closed' AND closed_at < $1 LIMIT CAST($2 AS INTEGER))`
	// Together: whoever else writes waits for one slice at most.
	retainTogether = 1000
	// counterForgotten is the last call whose caller was forgotten.
	counterForgotten = "forgotten_calls"
)

// ForgetCallers removes number and customer from the calls that arrived before an
// instant and are over, as an erasure does: they stay, for the figures. It says of how
// many.
func (s *Store) ForgetCallers(ctx context.Context, before time.Time) (gone int, err error) {
	gone, err = s.forgetCallers(ctx, before)
	if err != nil {
		err = fmt.Errorf("store: forget callers: %w", err)
	}
	return gone, err
}

func (s *Store) forgetCallers(ctx context.Context, before time.Time) (gone int, err error) {
	var from, end int64
	if err := s.read.row(ctx, qCounter, []any{counterForgotten}, &from); err != nil && !errors.Is(err, ErrNotFound) {
		return 0, err
	}
	err = s.read.row(ctx, qFirstKept, []any{from, before.UnixMicro()}, &end)
	if errors.Is(err, ErrNotFound) { // no call is too young
		err = s.read.row(ctx, qHighestCall, nil, &end)
		end++
	}
	for err == nil && from < end-1 {
		to := min(from+retainTogether, end-1)
		err = s.write.inTx(ctx, func(t *tx) error {
			n, err := t.exec(qForgetOld, from, to)
			if err != nil {
				return err
			}
			gone += int(n)
			return t.put(qRaiseCounter, counterForgotten, to)
		})
		from = to
	}
	return gone, err
}

// DropConsents removes what customers have said where they have said something else of
// the same before an instant. It says how many.
func (s *Store) DropConsents(ctx context.Context, before time.Time) (gone int, err error) {
	gone, err = s.dropPages(ctx, qConsentPage, qDropOvertaken, before, func(n int64) bool { return n < retainTogether })
	if err != nil {
		err = fmt.Errorf("store: drop old consents: %w", err)
	}
	return gone, err
}

// DropDecisions removes decisions about contacts before an instant. It says how many.
func (s *Store) DropDecisions(ctx context.Context, before time.Time) (gone int, err error) {
	gone, err = s.dropPages(ctx, qDecisionPage, qDropOldDecisions, before, func(last int64) bool { return last >= before.UnixMicro() })
	if err != nil {
		err = fmt.Errorf("store: drop old contact decisions: %w", err)
	}
	return gone, err
}

// DropRequests removes requests that were closed before an instant, with all that was
// done about them. It says how many.
func (s *Store) DropRequests(ctx context.Context, before time.Time) (gone int, err error) {
	for {
		var n int64
		err = s.write.inTx(ctx, func(t *tx) (err error) {
			n, err = t.exec(qDropClosed, before.UnixMicro(), retainTogether)
			return err
		})
		if err != nil {
			return gone, fmt.Errorf("store: drop old requests: %w", err)
		}
		if gone += int(n); n < retainTogether {
			return gone, nil
		}
	}
}

// dropPages goes through a table by its ids. A page gives its last id and what end asks
// of it.
func (s *Store) dropPages(ctx context.Context, page, drop string, before time.Time, end func(int64) bool) (gone int, err error) {
	for from := int64(0); ; {
		var to, what sql.NullInt64
		if err := s.read.row(ctx, page, []any{from, retainTogether}, &to, &what); err != nil || !to.Valid {
			return gone, err
		}
		err := s.write.inTx(ctx, func(t *tx) error {
			n, err := t.exec(drop, from, to.Int64, before.UnixMicro())
			gone += int(n)
			return err
		})
		if err != nil || end(what.Int64) {
			return gone, err
		}
		from = to.Int64
	}
}

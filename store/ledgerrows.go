package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// writeRow writes a row; settled when its outcome is the one it has.
// Not several in one statement: SQLite then keeps a copy of each page that it
// changes.
func writeRow(t *tx, r *LedgerRow, settled bool) error {
	query := qSaveCallAll
	if settled {
		query = qSaveCall
	}
	err := t.put(query, int64(r.Call), r.PublicID, r.Trunk, r.Number, r.Dialled, r.Customer,
		r.Queue, r.Rule, r.Topic, string(r.Agent),
		r.ArrivedAt.UnixMicro(), micros(r.AnsweredAt), micros(r.QueuedAt), micros(r.TalkAt), micros(r.EndedAt),
		r.Wait.Microseconds(), r.Talk.Microseconds(), string(r.Outcome), string(r.EndedBy), r.Reason,
		r.Transfers, r.Offers, r.Disposition, flag(r.Note), r.PolicyVersion, r.CallBack)
	if err != nil {
		return fmt.Errorf("call %d: %w", r.Call, err)
	}
	return nil
}

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(...any) error }

func scanRow(from scanner) (LedgerRow, error) {
	var r LedgerRow
	var arrived, answered, queued, talk, ended sql.NullInt64
	var wait, talked int64
	err := from.Scan(&r.Call, &r.PublicID, &r.Trunk, &r.Number, &r.Dialled, &r.Customer, &r.Queue, &r.Rule, &r.Topic, &r.Agent,
		&arrived, &answered, &queued, &talk, &ended, &wait, &talked, &r.Outcome, &r.EndedBy, &r.Reason,
		&r.Transfers, &r.Offers, &r.Disposition, &r.Note, &r.PolicyVersion, &r.CallBack)
	r.ArrivedAt, r.AnsweredAt, r.QueuedAt, r.TalkAt, r.EndedAt =
		instant(arrived), instant(answered), instant(queued), instant(talk), instant(ended)
	r.Wait, r.Talk = time.Duration(wait)*time.Microsecond, time.Duration(talked)*time.Microsecond
	return r, err
}

func readRow(ctx context.Context, p *pool, call routing.CallID) (row LedgerRow, err error) {
	rows, err := p.query(ctx, qCall, int64(call))
	if err != nil {
		return LedgerRow{}, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if !rows.Next() {
		return LedgerRow{}, cmp.Or(rows.Err(), ErrNotFound)
	}
	return scanRow(rows)
}

// LedgerRow reads one call as written; ErrNotFound when there is none.
func (s *Store) LedgerRow(ctx context.Context, call routing.CallID) (LedgerRow, error) {
	r, err := readRow(ctx, s.read, call)
	if err != nil {
		return LedgerRow{}, fmt.Errorf("store: call %d: %w", call, err)
	}
	return r, nil
}

// OpenCalls reads the calls that have not ended, in order of their numbers.
func (s *Store) OpenCalls(ctx context.Context) ([]LedgerRow, error) {
	return s.rows(ctx, qOpenCalls)
}

// Calls reads the calls that arrived in [from, to), in order of their numbers,
// at most limit.
func (s *Store) Calls(ctx context.Context, from, to time.Time, limit int) ([]LedgerRow, error) {
	return s.rows(ctx, qCallsBetween, from.UnixMicro(), to.UnixMicro(), limit)
}

func (s *Store) rows(ctx context.Context, query string, args ...any) (out []LedgerRow, err error) {
	rows, err := s.read.query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("store: calls: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			return nil, fmt.Errorf("store: calls: %w", err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// Outcomes counts the ledger's calls. Total is always Open plus the sum of By.
type Outcomes struct {
	Total int64
	Open  int64
	By    map[routing.Outcome]int64
}

// CountOutcomes counts the whole ledger.
func (s *Store) CountOutcomes(ctx context.Context) (out Outcomes, err error) {
	out.By = map[routing.Outcome]int64{}
	rows, err := s.read.query(ctx, qCountOutcomes)
	if err != nil {
		return out, fmt.Errorf("store: outcomes: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var outcome routing.Outcome
		var n int64
		if err := rows.Scan(&outcome, &n); err != nil {
			return out, fmt.Errorf("store: outcomes: %w", err)
		}
		out.Total += n
		if outcome == "" {
			out.Open += n
		} else {
			out.By[outcome] += n
		}
	}
	return out, rows.Err()
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

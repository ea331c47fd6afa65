package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// foldedAtOnce is how many calls FoldCalls reads at once, with their events.
const foldedAtOnce = 200

// longestCall is how long before a period a call may have arrived and still be
// found in it.
const longestCall = 48 * time.Hour

const (
	qFoldCalls = `SELECT ` + callColumns + ` FROM calls
		WHERE arrived_at >= $1 AND NOT (arrived_at = $1 AND call <= $2) AND arrived_at < $3 AND (ended_at IS NULL OR ended_at >= $4)
		ORDER BY arrived_at, call LIMIT CAST($5 AS INTEGER)`
	qFoldEvents = `SELECT call, seq, at, kind, agent, attempt, data FROM call_events WHERE call IN `
)

// FoldCalls gives the calls that lived in [from, to), each with its events, in
// order of arrival: those that arrived in it, and those that arrived up to two
// days before and had not ended. It holds a few hundred calls at a time, and
// other statements come in between. Events is nil for calls that do not want
// them. The first error that do returns ends it.
func (s *Store) FoldCalls(ctx context.Context, from, to time.Time, want func(*LedgerRow) bool, do func(LedgerRow, []Event) error) error {
	after, last := from.Add(-longestCall).UnixMicro(), int64(0)
	for {
		rows, err := s.rows(ctx, qFoldCalls, after, last, to.UnixMicro(), from.UnixMicro(), foldedAtOnce)
		if err != nil || len(rows) == 0 {
			return err
		}
		events, err := s.eventsOf(ctx, rows, want)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := do(r, events[r.Call]); err != nil {
				return err
			}
		}
		end := rows[len(rows)-1]
		after, last = end.ArrivedAt.UnixMicro(), int64(end.Call)
	}
}

// eventsOf reads the events of the calls that want them.
func (s *Store) eventsOf(ctx context.Context, rows []LedgerRow, want func(*LedgerRow) bool) (map[routing.CallID][]Event, error) {
	ids := make([]any, 0, len(rows))
	for i := range rows {
		if want == nil || want(&rows[i]) {
			ids = append(ids, int64(rows[i].Call))
		}
	}
	out := make(map[routing.CallID][]Event, len(ids))
	for list := range inLists(ids) {
		query := qFoldEvents + placeholders(1, len(list), false) + ` ORDER BY call, seq`
		err := each(ctx, s.read, query, list, func(rows *sql.Rows) error {
			var r eventRow
			if err := rows.Scan(&r.call, &r.seq, &r.at, &r.kind, &r.agent, &r.attempt, &r.data); err != nil {
				return err
			}
			events, err := r.unpack(out[r.call])
			out[r.call] = events
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("store: events: %w", err)
		}
	}
	return out, nil
}

package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// InterestKey is a line of interest: a service, or a part of it.
type InterestKey struct {
	Division, Service string
	Queue             bool // the service is a queue
	Segment, Region   string
}

// InterestState is which way a line goes, as far as it was ever certain.
type InterestState struct {
	InterestKey
	State, Was string // Was is "" for the first
	Since      time.Time
	Told       bool // or there was nobody to tell
}

const (
	qInterestStates = `SELECT division, service, queue, segment, region, state, was, since, told FROM interest_states`
	qSaveInterest   = `INSERT INTO interest_states (division, service, queue, segment, region, state, was, since, told)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (division, service, queue, segment, region) DO UPDATE SET state = excluded.state, was = excluded.was, since = excluded.since, told = excluded.told`
)

// InterestStates are those of all lines.
func (s *Store) InterestStates(ctx context.Context) (map[InterestKey]InterestState, error) {
	out := map[InterestKey]InterestState{}
	err := each(ctx, s.read, qInterestStates, nil, func(rows *sql.Rows) error {
		var r InterestState
		var queue, told int64
		var since sql.NullInt64
		err := rows.Scan(&r.Division, &r.Service, &queue, &r.Segment, &r.Region, &r.State, &r.Was, &since, &told)
		r.Queue, r.Told, r.Since = queue != 0, told != 0, instant(since)
		out[r.InterestKey] = r
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: states of interest: %w", err)
	}
	return out, nil
}

// SaveInterestStates writes those that are new or have changed.
func (s *Store) SaveInterestStates(ctx context.Context, states ...InterestState) error {
	if len(states) == 0 {
		return nil
	}
	err := s.write.inTx(ctx, func(t *tx) error {
		for _, r := range states {
			if err := t.put(qSaveInterest, r.Division, r.Service, flag(r.Queue), r.Segment, r.Region, r.State, r.Was, r.Since.UnixMicro(), flag(r.Told)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: states of interest: %w", err)
	}
	return nil
}

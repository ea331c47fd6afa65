package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

const qFirstArrival = `SELECT MIN(arrived_at) FROM calls WHERE arrived_at >= $1`

// FirstArrival is when the first call since then arrived; zero when none did.
func (s *Store) FirstArrival(ctx context.Context, since time.Time) (time.Time, error) {
	var at sql.NullInt64
	if err := s.read.row(ctx, qFirstArrival, []any{since.UnixMicro()}, &at); err != nil {
		return time.Time{}, fmt.Errorf("store: first arrival: %w", err)
	}
	return instant(at), nil
}

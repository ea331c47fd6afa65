package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// mostPast bounds the calls of one number that are looked at: who calls more
// often is a machine.
const mostPast = 200

// Past is what a number has called before.
type Past struct {
	Calls, Abandoned int       // that arrived since the instant asked for
	LastAbandoned    time.Time // when the last one that was abandoned ended, however long ago; zero: none
	LastAnswered     time.Time // the same of those answered
}

// PastOf looks at the last calls of a number, as written, but for one; "" has
// none. It is for a caller who is waiting: the context bounds it.
func (s *Store) PastOf(ctx context.Context, number string, but routing.CallID, since time.Time) (p Past, err error) {
	if number == "" {
		return p, nil
	}
	err = each(ctx, s.read, qPast, []any{number, int64(but), mostPast}, func(row *sql.Rows) error {
		var arrived int64
		var outcome routing.Outcome
		var ended sql.NullInt64
		if err := row.Scan(&arrived, &outcome, &ended); err != nil {
			return err
		}
		p.add(arrived >= since.UnixMicro(), outcome, instant(ended))
		return nil
	})
	if err != nil {
		return Past{}, fmt.Errorf("store: calls of a number: %w", err)
	}
	return p, nil
}

func (p *Past) add(counts bool, outcome routing.Outcome, ended time.Time) {
	if counts {
		p.Calls++
		if outcome == routing.Abandoned {
			p.Abandoned++
		}
	}
	switch {
	case outcome == routing.Abandoned && ended.After(p.LastAbandoned):
		p.LastAbandoned = ended
	case outcome == routing.Answered && ended.After(p.LastAnswered):
		p.LastAnswered = ended
	}
}

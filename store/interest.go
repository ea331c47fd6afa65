package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// ContactCount is how many calls of callers were about something, by whose they were.
type ContactCount struct {
	Topic, Queue string
	Segment      string // the customer's today; "": nobody knows
	Trunk        string
	Prefix       string // the number's first characters; "": it is not known
	Calls        int
}

// Agents' questions are no calls of callers, and of a callback whose customer rang in
// the next call counts.
const qContactCounts = `SELECT calls.topic, calls.queue, COALESCE(customers.segment, ''), calls.trunk, substr(calls.number, 1, CAST($1 AS INTEGER)), COUNT(*)
	FROM calls LEFT JOIN customers ON customers.id = calls.customer
	WHERE calls.arrived_at >= $2 AND calls.arrived_at < $3 AND calls.outcome NOT IN ('consulted', 'taken_over') AND (calls.trunk <> '' OR calls.dialled <> '')
	GROUP BY 1, 2, 3, 4, 5`

// ContactCounts counts the calls that arrived in [from, to), by as many characters of
// their number as asked for.
func (s *Store) ContactCounts(ctx context.Context, from, to time.Time, prefix int, do func(ContactCount)) error {
	err := each(ctx, s.read, qContactCounts, []any{prefix, from.UnixMicro(), to.UnixMicro()}, func(rows *sql.Rows) error {
		var c ContactCount
		err := rows.Scan(&c.Topic, &c.Queue, &c.Segment, &c.Trunk, &c.Prefix, &c.Calls)
		if err == nil {
			do(c)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store: contacts of a week: %w", err)
	}
	return nil
}

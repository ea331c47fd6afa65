// Package statistics makes the figures of the routing document, section 13,
// from the ledger: reports of past days, and the present day's counters. The
// folds themselves are in routing/figures; this package reads what they fold
// and prints what comes of it. Commands and the composition root are its
// callers.
package statistics

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/store"
)

// Ledger is where calls are read: those that lived in a period, with their
// events (store.Store.FoldCalls).
type Ledger interface {
	FoldCalls(ctx context.Context, from, to time.Time, want func(*store.LedgerRow) bool, do func(store.LedgerRow, []store.Event) error) error
}

// ErrTooManyCalls ends a report that would count more calls than it may.
var ErrTooManyCalls = errors.New("too many calls for one report: ask for a shorter period")

// visitsOf folds a call of the ledger into its visits, to queues by the names
// that a document has for them.
func visitsOf(p *routing.Policy, row *store.LedgerRow, events []store.Event) (figures.Call, error) {
	var c figures.Call
	c.Rename(p.Renamed())
	for i := range events {
		e := &events[i]
		at := e.At
		if !row.EndedAt.IsZero() && at.After(row.EndedAt) {
			at = row.EndedAt // a restart closes a call at its last sign of life
		}
		if err := routing.FoldStored(&c, at, e.Kind, e.Attempt, e.Data); err != nil {
			return c, fmt.Errorf("call %d: event %d: %w", row.Call, e.Seq, err)
		}
	}
	return c, nil
}

// within gives T of the queues of a document, 0 for others: calls that were in
// a queue which is gone count by what they were promised there.
func within(p *routing.Policy) func(string) time.Duration {
	return func(queue string) time.Duration {
		if q := p.Queues[queue]; q != nil {
			return q.AnswerWithin
		}
		return 0
	}
}

// wasQueued tells whether a call can have been in a queue at all.
func wasQueued(row *store.LedgerRow) bool { return row.Queue != "" || row.EndedAt.IsZero() }

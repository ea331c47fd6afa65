package statistics

import (
	"context"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/store"
)

// Query is what a report is asked for. From and To are instants; the zero To
// is now.
type Query struct {
	From, To  time.Time
	Intervals bool
	Pain      bool   // the pain, measured, too
	Queue     string // "" for all
	MaxCalls  int    // 0 for no bound
}

// Report is the figures of a period, by one document.
type Report struct {
	From, To, Now time.Time
	Rules         figures.Rules
	Version       int
	Lines         []figures.Line // the centre first
	Intervals     []figures.Line
	// NotQueued are calls that came to no queue: rejected by a route, or over
	// before the routes were read.
	NotQueued int
	Pain      *Pain // nil when it was not asked for
	within    func(string) time.Duration
}

// Build counts the calls of a period by a document's rules as they are now,
// whatever they were then.
func Build(ctx context.Context, from Ledger, p *routing.Policy, q Query, now time.Time) (*Report, error) {
	if q.To.IsZero() || q.To.After(now) {
		q.To = now.Add(time.Microsecond) // what waits counts now
	}
	if !q.From.Before(q.To) {
		return nil, fmt.Errorf("the period ends before it begins")
	}
	r := &Report{From: q.From, To: q.To, Now: now, Rules: p.Service, Version: p.Version, within: within(p)}
	sheet := figures.NewSheet(figures.SheetOptions{
		Rules: p.Service, Within: r.within, From: q.From, To: q.To, Now: now, Intervals: q.Intervals,
	})
	calls := 0
	err := from.FoldCalls(ctx, q.From, q.To, wasQueued, func(row store.LedgerRow, events []store.Event) error {
		if calls++; q.MaxCalls > 0 && calls > q.MaxCalls {
			return ErrTooManyCalls
		}
		visits, err := visitsOf(p, &row, events)
		if err != nil {
			return err
		}
		if len(visits.Visits) == 0 && !row.ArrivedAt.Before(q.From) {
			r.NotQueued++
		}
		sheet.Add(&visits)
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.Lines = only(sheet.Lines(), q.Queue)
	if q.Intervals {
		r.Intervals = only(sheet.Intervals(), q.Queue)
	}
	if q.Pain {
		if r.Pain, err = buildPain(ctx, from, p, q, now); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// only leaves the lines of one queue, if one is asked for.
func only(lines []figures.Line, queue string) []figures.Line {
	if queue == "" {
		return lines
	}
	out := lines[:0]
	for _, l := range lines {
		if l.Queue == queue {
			out = append(out, l)
		}
	}
	return out
}

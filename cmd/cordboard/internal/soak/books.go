package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// books reads the whole ledger after the server's end and holds it against
// itself and against what the callers saw.
func (o *office) books(ctx context.Context) (bad []string, err error) {
	s, err := store.Open(ctx, o.server.db)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	sum, err := s.CountOutcomes(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.Calls(ctx, time.Now().Add(-48*time.Hour), time.Now().Add(time.Hour), 1<<30)
	if err != nil {
		return nil, err
	}
	c := o.callers
	fmt.Printf("soak: ledger: %d calls, %d open, %v; callers: %s\n", sum.Total, sum.Open, sum.By, c)
	wrong := func(ok bool, format string, args ...any) {
		if !ok && len(bad) < 40 {
			bad = append(bad, fmt.Sprintf(format, args...))
		}
	}
	total := int64(0)
	for _, n := range sum.By {
		total += n
	}
	wrong(sum.Open == 0, "%d calls are open in the ledger", sum.Open)
	wrong(total+sum.Open == sum.Total && int(sum.Total) == len(rows), "%d calls, %d outcomes, %d rows", sum.Total, total, len(rows))
	// Every call that a caller heard anything of is in the books, and no more
	// calls are than were placed: none twice.
	wrong(sum.Total >= c.heard.Load() && sum.Total <= c.placed.Load(), "%d calls in the ledger; callers placed %d, and %d were taken",
		sum.Total, c.placed.Load(), c.heard.Load())
	wrong(c.overdue.Load() == 0, "%d calls did not end within %v", c.overdue.Load(), longest)
	// A server that was stopped for two seconds, or a trunk that loses a tenth,
	// may cost a call here and there.
	if lost := c.silent.Load() + c.refused.Load(); !o.overload {
		wrong(lost*100 <= c.placed.Load(), "%d of %d calls were not taken", lost, c.placed.Load())
	}
	talks, order, failures := newTalks(), &turns{}, &failures{during: o.faults.between}
	for _, r := range rows {
		events, err := s.Events(ctx, r.Call)
		if err != nil {
			return bad, err
		}
		wrong(!r.EndedAt.IsZero() && !r.EndedAt.Before(r.ArrivedAt), "call %d: arrived %v, ended %v", r.Call, r.ArrivedAt, r.EndedAt)
		wrong((r.Outcome == routing.Answered) == !r.TalkAt.IsZero() || r.Outcome == routing.Failed || r.Outcome == routing.Consulted, "call %d: %s, and talked at %v", r.Call, r.Outcome, r.TalkAt)
		ends := 0
		for i, e := range events {
			wrong(e.Seq == int64(i+1), "call %d: event %d has the number %d", r.Call, i+1, e.Seq)
			if e.Kind == (routing.EndCall{}).Kind() {
				ends++
			}
		}
		wrong(ends <= 1, "call %d: %d ends", r.Call, ends)
		failures.add(r, events)
		talks.add(r, events)
		order.add(r, events)
	}
	if o.reloads > 0 {
		outcomes := map[string]int64{}
		for what, n := range sum.By {
			outcomes[string(what)] = n
		}
		bad = append(bad, o.turning.verdict(outcomes, order)...)
	}
	if o.overload {
		bad = append(bad, goodput(sum, c.silent.Load(), o.rated, o.length)...)
	}
	bad = append(bad, failures.verdict()...)
	return append(bad, talks.clashes()...), nil
}

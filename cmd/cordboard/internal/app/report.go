package app

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/statistics"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// reportCalls is how many calls a report over HTTP counts at most: a day at the
// rated load of a large centre, and what can be read before the answer is due.
const reportCalls = 200_000

// report implements web.Options.Report, by the document that is live.
func (a *App) report(ctx context.Context, ask web.ReportQuery) ([]byte, error) {
	p, now := a.Policy(), time.Now()
	q := statistics.Query{From: ask.From, To: ask.To, Queue: ask.Queue, Intervals: ask.Intervals, Pain: ask.Pain, MaxCalls: reportCalls}
	if q.From.IsZero() {
		q.From = p.Service.Day(now)
		if ask.Day != "" {
			var err error
			if q.From, err = p.Service.DayOf(ask.Day); err != nil {
				return nil, web.ErrReportPeriod
			}
		}
		q.To = p.Service.NextDay(q.From)
	}
	if !q.From.Before(now) {
		return nil, web.ErrReportPeriod
	}
	r, err := statistics.Build(ctx, a.store, p, q, now)
	switch {
	case errors.Is(err, statistics.ErrTooManyCalls):
		return nil, web.ErrReportTooLarge
	case err != nil:
		return nil, err
	}
	return json.Marshal(r)
}

// afterCall implements web.Options.AfterCall.
func (a *App) afterCall(ctx context.Context, from, to time.Time) ([]byte, error) {
	now := time.Now()
	if !from.Before(now) {
		return nil, web.ErrReportPeriod
	}
	r, err := statistics.BuildAfterCall(ctx, a.store, a.Policy(), [2]time.Time{from, to}, now, reportCalls)
	switch {
	case errors.Is(err, statistics.ErrTooManyCalls):
		return nil, web.ErrReportTooLarge
	case err != nil:
		return nil, err
	}
	return json.Marshal(r)
}

// interest implements web.Options.Interest.
func (a *App) interest(ctx context.Context, weeks int, services []string) ([]byte, error) {
	q := statistics.InterestQuery{Weeks: weeks, Callers: a.opt.Server.Retention.Calls}
	r, err := statistics.BuildInterest(ctx, a.store, a.Policy(), q, time.Now())
	if err == nil && weeks == statistics.WatchedWeeks {
		var states map[store.InterestKey]store.InterestState
		states, err = a.store.InterestStates(ctx)
		r.Remember(states)
	}
	switch {
	case err != nil:
		return nil, err
	case services != nil:
		return json.Marshal(map[string]any{"hints": r.Hints(services)})
	}
	return json.Marshal(r)
}

// today implements web.Options.Day.
func (a *App) today(now time.Time) (web.Day, bool) {
	day, lines, known := a.book.Day(now)
	return web.Day{Starts: day, Rules: a.book.Rules(), Lines: lines}, known
}

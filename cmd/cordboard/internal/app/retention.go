package app

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// The hour of the night, by the document's clock, at which what is kept too long is
// removed, and how long that may take.
const (
	retentionHour = 3
	retentionTime = 2 * time.Hour
)

// retain looks which way interest goes, and removes what is kept too long: at the start,
// and each night.
func (a *App) retain(ctx context.Context) {
	for {
		a.watchInterest(ctx, time.Now())
		a.retainOnce(ctx, time.Now())
		wait := time.NewTimer(time.Until(nextNight(time.Now(), a.Policy().Zone)))
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-wait.C:
		}
	}
}

// nextNight is when it is that hour next.
func nextNight(now time.Time, zone *time.Location) time.Time {
	local := now.In(zone)
	y, m, d := local.Date()
	at := time.Date(y, m, d, retentionHour, 0, 0, 0, zone)
	if !at.After(now) {
		at = time.Date(y, m, d+1, retentionHour, 0, 0, 0, zone)
	}
	return at
}

// retainOnce does each class that has a span, and tells what was removed.
func (a *App) retainOnce(ctx context.Context, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, retentionTime)
	defer cancel()
	spans := a.opt.Server.Retention
	for _, class := range []struct {
		name string
		span time.Duration
		drop func(ctx context.Context, before time.Time) (int, error)
	}{
		{"calls", spans.Calls, a.store.ForgetCallers},
		{"consents", spans.Consents, a.store.DropConsents},
		{"decisions", spans.Decisions, a.store.DropDecisions},
		{"requests", spans.Requests, a.store.DropRequests},
	} {
		if class.span == 0 {
			continue
		}
		n, err := class.drop(ctx, now.Add(-class.span))
		if err != nil && ctx.Err() == nil {
			a.log.Warn("what is kept too long cannot be removed", zap.String("class", class.name), zap.Int("removed", n), zap.Error(err))
		} else if n > 0 {
			a.log.Info("kept long enough and removed", zap.String("class", class.name), zap.Int("removed", n))
		}
	}
}

package app

import (
	"context"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/statistics"
	"github.com/cordboard/cordboard/store"
)

// watchTime bounds the nightly look at what customers ask about.
const watchTime = 30 * time.Minute

// watchInterest remembers which way each service goes, and tells what has changed: in
// the log, and by the webhook that notices go by. What that does not take is told the
// next night.
func (a *App) watchInterest(ctx context.Context, now time.Time) {
	within, cancel := context.WithTimeout(ctx, watchTime)
	defer cancel()
	if err := a.interestChanged(within, now); err != nil && ctx.Err() == nil {
		a.log.Warn("which way interest goes cannot be told: it is tried again the next night", zap.Error(err))
	}
}

func (a *App) interestChanged(ctx context.Context, now time.Time) error {
	q := statistics.InterestQuery{Weeks: statistics.WatchedWeeks, Callers: a.opt.Server.Retention.Calls}
	r, err := statistics.BuildInterest(ctx, a.store, a.Policy(), q, now)
	if err != nil {
		return err
	}
	states, err := a.store.InterestStates(ctx)
	if err != nil {
		return err
	}
	changes := r.Changes(states)
	if err := a.store.SaveInterestStates(ctx, changes...); err != nil {
		return err
	}
	for _, c := range changes {
		states[c.InterestKey] = c
		if !c.Told {
			a.log.Info("interest has changed", zap.String("service", c.Service), zap.String("segment", c.Segment), zap.String("region", c.Region), zap.String("state", c.State), zap.String("was", c.Was))
		}
	}
	for _, s := range states {
		if s.Told {
			continue
		}
		if err := a.tracking.Post(ctx, tellOf(s, a.Policy().Zone)); err != nil {
			return err
		}
		s.Told = true
		if err := a.store.SaveInterestStates(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// interestWire is a change as the webhook has it.
type interestWire struct {
	ID      string    `json:"id"` // the same each time it is sent
	What    string    `json:"what"`
	By      string    `json:"by"`
	Service string    `json:"service"`
	Queue   bool      `json:"queue"`
	Segment string    `json:"segment"`
	Region  string    `json:"region"`
	State   string    `json:"state"`
	Was     string    `json:"was"`
	Since   time.Time `json:"since"`
}

func tellOf(s store.InterestState, zone *time.Location) interestWire {
	kind := "topic"
	if s.Queue {
		kind = "queue"
	}
	id := strings.Join([]string{"interest", s.Since.In(zone).Format(time.DateOnly), s.Division, kind, s.Service, s.Segment, s.Region}, "/")
	return interestWire{id, "interest", s.Division, s.Service, s.Queue, s.Segment, s.Region, s.State, s.Was, s.Since.UTC()}
}

package app

import (
	"context"
	"errors"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/why"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/live"
	"github.com/cordboard/cordboard/web"
)

// mostDecided bounds the events that a running server decides again to explain
// a call: some ten seconds beside its calls. The command explain has no bound.
const mostDecided = 2_000_000

// explainer answers why a call waits, or went where it went (web.Explainer).
type explainer struct {
	driver  func() *live.Driver
	sources why.Sources
	turn    chan struct{} // holds one while a call is decided again
}

func (a *App) newExplainer() *explainer {
	s := a.opt.Server
	return &explainer{
		driver: func() *live.Driver { return a.rim.driver }, turn: make(chan struct{}, 1),
		sources: why.Sources{
			Ledger: a.store, Journal: s.Store.Journal, MostEvents: mostDecided,
			Policy: why.Documents{Versions: a.store, File: s.Routes, Keys: a.rim.key}.Policy,
		},
	}
}

// explanation is EXPLANATION of docs/http-api.md: Live of a call that lives, and
// Recorded unless nobody has been asked yet.
type explanation struct {
	Live     *routing.Waits `json:"live"`
	Recorded *why.Explained `json:"recorded"`
}

// Explain implements web.Explainer.
func (x *explainer) Explain(ctx context.Context, call routing.CallID) (any, bool, error) {
	var out explanation
	switch w, lives, err := x.driver().Waits(ctx, call); {
	case errors.Is(err, live.ErrBusy):
		return nil, false, web.ErrBusy
	case err != nil && !errors.Is(err, live.ErrStopped):
		return nil, false, err
	case lives:
		out.Live = &w
		if w.Record.Kind == routing.Waiting && w.Record.CameBack == 0 {
			return out, true, nil
		}
	}
	select {
	case x.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, false, web.ErrBusy
	}
	defer func() { <-x.turn }()
	recorded, err := x.sources.Call(ctx, call)
	switch {
	case errors.Is(err, why.ErrNoCall):
		return out, out.Live != nil, nil // not written yet
	case err != nil:
		return nil, false, err
	}
	out.Recorded = recorded
	return out, true, nil
}

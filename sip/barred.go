package sip

import (
	"errors"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/sip/stack"
)

// A trunk that refuses our password is called by nobody for a while: each further
// try counts as one more at the provider, which shuts out whoever has too many, and
// then takes no calls of ours at all (docs/adr/0052).
const (
	barLeast = time.Minute
	barMost  = 30 * time.Minute
)

// bar keeps calls from a trunk. After it one call tries, and the others are kept
// off until that has shown that the password is taken.
type bar struct {
	pause time.Duration
	until time.Time
	tried bool // since the last refusal
}

// holds reports whether a trunk is barred; the one call that may try, once the
// pause is over, is let through.
func (b *bar) holds(now time.Time) bool {
	if b == nil {
		return false
	}
	if now.Before(b.until) {
		return true
	}
	b.until, b.tried = now.Add(b.pause), true
	return false
}

// heardOf takes what a trunk has said to an INVITE. Any answer but a refusal of the
// password and a fault shows that it is taken.
func (g *Gateway) heardOf(trunk string, ev stack.Event) {
	switch ev := ev.(type) {
	case stack.Progress, stack.Answered:
		g.unbar(trunk)
	case stack.Failed:
		switch {
		case errors.Is(ev.Err, stack.ErrPassword):
			g.bar(trunk, time.Now())
		case ev.Response != nil && !trunkFault(ev.Code):
			g.unbar(trunk)
		}
	}
}

func (g *Gateway) bar(trunk string, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := g.barred[trunk]
	switch {
	case b == nil:
		b = &bar{pause: barLeast}
		g.barred[trunk] = b
	case !b.tried:
		return // it left before the bar
	default:
		b.pause = min(2*b.pause, barMost)
	}
	b.until, b.tried = now.Add(b.pause), false
	g.log.Error("a trunk refuses our password: no call leaves by it for a while", zap.String("trunk", trunk), zap.Duration("for", b.pause))
}

func (g *Gateway) unbar(trunk string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.barred[trunk] != nil {
		delete(g.barred, trunk)
		g.log.Info("a trunk takes our password again", zap.String("trunk", trunk))
	}
}

// Barred lists the trunks that are not called, since they refuse our password.
func (g *Gateway) Barred() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Sorted(maps.Keys(g.barred))
}

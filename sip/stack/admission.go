package stack

import (
	"sync"

	"golang.org/x/time/rate"
)

// gate decides whether a new call may come in.
type gate struct {
	mu    sync.Mutex
	calls int
	max   int
	rate  *rate.Limiter
}

func newGate(maxCalls, perSecond int) *gate {
	limit := rate.Inf
	if perSecond > 0 {
		limit = rate.Limit(perSecond)
	}
	return &gate{max: maxCalls, rate: rate.NewLimiter(limit, max(perSecond, 1))}
}

// enter takes a place for a call; leave gives it back.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.max > 0 && g.calls >= g.max || !g.rate.Allow() {
		return false
	}
	g.calls++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	g.calls--
	g.mu.Unlock()
}

func (g *gate) live() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls
}

package stack

import (
	"net/netip"
	"sync"
	"time"
)

// gate decides whether a new call may come in: so many at once, so many a
// second, and no neighbour's flood at another's expense. A neighbour within
// its equal share is always let in; over it, only into what the others leave.
type gate struct {
	mu     sync.Mutex
	max    int     // calls at once, 0 for no limit
	rate   float64 // calls a second, 0 for no limit
	keep   int     // of max, for neighbours below their share
	groups int     // neighbours there are

	calls  int
	tokens float64 // of all; in debt by what was let in by right of a share
	at     time.Time
	group  map[string]*share
	counts time.Time // when active was counted
	active int       // groups that called of late
}

// share is one neighbour's part.
type share struct {
	calls  int
	tokens float64
	at     time.Time
}

// standstill is how many seconds' calls may come at once. On a machine that others
// share the process stands still now and then, and reads in one instant what was
// sent meanwhile: that is no flood.
const standstill = 2

// lately is how long a neighbour that has called counts as one who calls.
const lately = 2 * time.Second

// newGate makes a gate for so many calls, from so many known neighbours.
func newGate(maxCalls, perSecond, groups int) *gate {
	g := &gate{
		max: maxCalls, rate: float64(perSecond), groups: max(groups, 1),
		tokens: standstill * float64(perSecond), group: map[string]*share{},
	}
	if groups > 1 {
		g.keep = maxCalls / 10
	}
	return g
}

// enter takes a place for a call of the group; leave gives it back.
func (g *gate) enter(group string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.of(group, now)
	if g.max > 0 {
		left := g.max - g.calls
		if left <= 0 || left <= g.keep && s.calls >= g.max/g.groups {
			return false
		}
	}
	if g.rate > 0 && !g.take(s, now) {
		return false
	}
	g.calls++
	s.calls++
	return true
}

// take spends a token of the group's, or a spare one of all.
func (g *gate) take(s *share, now time.Time) bool {
	g.count(s, now)
	n := float64(max(g.active, 1))
	g.tokens = refill(g.tokens, g.rate, standstill*g.rate, g.at, now)
	g.at = now
	part := max(standstill*g.rate/n, 1)
	s.tokens = refill(min(s.tokens, part), g.rate/n, part, s.at, now)
	s.at = now
	// By right, though others have spent what there was: a debt of one burst
	// at most, which those over their share repay.
	byRight := s.tokens >= 1 && (g.tokens >= 1 || n > 1 && g.tokens > -g.rate)
	if !byRight && g.tokens < 1 {
		return false
	}
	s.tokens = max(s.tokens-1, 0)
	g.tokens--
	return true
}

func refill(tokens, rate, burst float64, since, now time.Time) float64 {
	if d := now.Sub(since).Seconds(); d > 0 {
		tokens += d * rate
	}
	return min(tokens, burst)
}

// of finds the group's share. A new one begins full.
func (g *gate) of(group string, now time.Time) *share {
	s := g.group[group]
	if s == nil {
		s = &share{tokens: standstill * g.rate}
		g.group[group] = s
		g.counts = time.Time{}
	}
	if now.Sub(s.at) > lately {
		g.counts = time.Time{} // it is back
	}
	return s
}

// count counts who calls, a few times a second at most.
func (g *gate) count(asks *share, now time.Time) {
	if now.Sub(g.counts) < 250*time.Millisecond {
		return
	}
	g.counts, g.active = now, 0
	for name, s := range g.group {
		switch age := now.Sub(s.at); {
		case s == asks || age <= lately:
			g.active++
		case s.calls == 0 && age > time.Minute && len(g.group) > 64:
			delete(g.group, name)
		}
	}
}

func (g *gate) leave(group string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls--
	if s := g.group[group]; s != nil {
		s.calls--
	}
}

func (g *gate) live() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls
}

const (
	maxSources = 4096 // addresses with a bucket of their own
	sourceRate = 500  // requests a second outside any dialog that one may send
)

// sources is a token bucket for each address, for what a flood is made of:
// requests outside any dialog. Its memory is bounded: a bucket that is full
// again is as good as none, and who finds no room shares one with the rest.
type sources struct {
	mu    sync.Mutex
	rate  float64
	all   map[netip.Addr]*bucket
	rest  bucket
	swept time.Time
}

type bucket struct {
	tokens float64
	at     time.Time
}

// newSources sizes the buckets so that one neighbour may send all of the rated
// calls, and OPTIONS and the like besides.
func newSources(callsPerSecond int) *sources {
	rate := float64(sourceRate + 20*callsPerSecond)
	return &sources{rate: rate, all: map[netip.Addr]*bucket{}, rest: bucket{tokens: rate}}
}

// take spends a token of the address. What may belong to a dialog is urgent:
// it may overdraw.
func (s *sources) take(a netip.Addr, urgent bool, now time.Time) bool {
	a = subscriber(a)
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.all[a]
	if b == nil {
		if len(s.all) >= maxSources {
			s.sweep(now)
		}
		if b = &s.rest; len(s.all) < maxSources {
			b = &bucket{tokens: 2 * s.rate}
			s.all[a] = b
		}
	}
	b.tokens = refill(b.tokens, s.rate, 2*s.rate, b.at, now)
	b.at = now
	if b.tokens < 1 && !(urgent && b.tokens > -s.rate) {
		return false
	}
	b.tokens--
	return true
}

// sweep drops the buckets that are full again, ten times a second at most.
func (s *sources) sweep(now time.Time) {
	if now.Sub(s.swept) < 100*time.Millisecond {
		return
	}
	s.swept = now
	for a, b := range s.all {
		if refill(b.tokens, s.rate, 2*s.rate, b.at, now) >= 2*s.rate {
			delete(s.all, a)
		}
	}
}

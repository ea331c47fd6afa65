package customer

import (
	"sync"
	"time"
)

// breaker spares callers the wait for a source that is down: after several
// failures in a row it lets nobody through for a while, then one to try.
type breaker struct {
	after int           // failures in a row that open it
	first time.Duration // how long it is open at first; doubled up to most
	most  time.Duration

	mu       sync.Mutex
	failures int
	open     time.Duration // 0: closed
	until    time.Time
	trying   bool
}

// allow tells whether the source may be asked now. Whoever is let through must
// report with done.
func (b *breaker) allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open == 0 {
		return true
	}
	if b.trying || now.Before(b.until) {
		return false
	}
	b.trying = true
	return true
}

func (b *breaker) done(now time.Time, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
	if ok {
		b.failures, b.open = 0, 0
		return
	}
	b.failures++
	switch {
	case b.open > 0:
		b.open = min(2*b.open, b.most)
	case b.failures >= b.after:
		b.open = b.first
	default:
		return
	}
	b.until = now.Add(b.open)
}

// undone takes an allow back: the source was asked and not let finish.
func (b *breaker) undone() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trying = false
}

func (b *breaker) isOpen() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open > 0
}

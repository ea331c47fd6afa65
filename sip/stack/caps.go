package stack

import (
	"sync"
	"time"
)

// Cap is how much one neighbour may carry, in and out; 0 is as much as it likes.
type Cap struct {
	Calls int // at once
	Rate  int // new ones a second
}

// Caps counts the calls of the neighbours that have one. The stack enters those
// that come in, the owner of those that leave does so himself. nil has no cap. Safe
// for concurrent use.
type Caps struct {
	mu sync.Mutex
	of map[string]*capped
}

type capped struct {
	Cap
	calls   int
	tokens  float64
	at      time.Time
	refused uint64
	told    time.Time
}

// tellCap is how often a neighbour over its cap is logged.
const tellCap = 10 * time.Second

// NewCaps makes the caps of the neighbours by name.
func NewCaps(of map[string]Cap) *Caps {
	c := &Caps{of: map[string]*capped{}}
	for name, limit := range of {
		if limit != (Cap{}) {
			c.of[name] = &capped{Cap: limit, tokens: float64(limit.Rate)}
		}
	}
	return c
}

// Enter takes a place for a call; Leave gives it back.
func (c *Caps) Enter(name string, now time.Time) bool {
	if c == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.of[name]
	if n == nil {
		return true
	}
	if n.Calls > 0 && n.calls >= n.Calls {
		return false
	}
	if n.Rate > 0 {
		n.tokens = refill(n.tokens, float64(n.Rate), float64(n.Rate), n.at, now)
		if n.at = now; n.tokens < 1 {
			return false
		}
		n.tokens--
	}
	n.calls++
	return true
}

// Leave gives a place back that Enter has given.
func (c *Caps) Leave(name string) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.of[name]; n != nil {
		n.calls--
	}
}

// refuse counts a call that came in over the cap, and says whether to log it.
func (c *Caps) refuse(name string, now time.Time) (limit Cap, calls int, tell bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.of[name]
	n.refused++
	if tell = now.Sub(n.told) >= tellCap; tell {
		n.told = now
	}
	return n.Cap, n.calls, tell
}

// Refused is how many calls came in over each neighbour's cap and were refused.
func (c *Caps) Refused() map[string]uint64 {
	out := map[string]uint64{}
	if c == nil {
		return out
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, n := range c.of {
		out[name] = n.refused
	}
	return out
}

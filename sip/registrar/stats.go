package registrar

import (
	"maps"
	"sync"

	"github.com/cordboard/cordboard/agents"
)

// Stats is how the registrar stands. Requests counts REGISTERs by what became
// of them: registered, removed, read, challenged, stale, failed, banned,
// forbidden, refused, overload.
type Stats struct {
	Registered int // agents with a binding
	Reachable  int // agents whose phone can be called
	Requests   map[string]int64
}

// counts are REGISTERs by their result.
type counts struct {
	mu      sync.Mutex
	by      map[string]int64
	foreign int // secrets of another realm, as told last
}

func (c *counts) add(result string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[string]int64{}
	}
	c.by[result]++
}

// setForeign notes the number; 0 when it is no news.
func (c *counts) setForeign(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.foreign == n {
		return 0
	}
	c.foreign = n
	return n
}

// Stats tells how the registrar stands.
func (r *Registrar) Stats() Stats {
	r.mu.Lock()
	s := Stats{Registered: len(r.at)}
	for _, up := range r.up {
		if up {
			s.Reachable++
		}
	}
	r.mu.Unlock()
	r.counts.mu.Lock()
	defer r.counts.mu.Unlock()
	s.Requests = maps.Clone(r.counts.by)
	return s
}

// Up reports whether an agent's phone can be called.
func (r *Registrar) Up(agent agents.ID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.up[agent]
}

package sip

import (
	"sync"
	"time"

	"github.com/cordboard/cordboard/sip/stack"
)

// Setup is what became of an INVITE that left by a trunk: a session request, as
// RFC 6076 counts them. One that the trunk challenged (401, 407) and that was sent
// again with the password is one.
type Setup struct {
	Trunk string
	// Code is the final response's: 408 where none came, 487 where we gave up
	// before, 503 where the INVITE could not be sent.
	Code int
	// Delay is the session request delay (section 4.3): until the first response
	// that says more than 100 Trying. 0: none came.
	Delay time.Duration
}

// setup follows one INVITE for Options.Setups; nil follows none.
type setup struct {
	tell  func(Setup)
	began time.Time

	mu   sync.Mutex
	told bool
	Setup
}

// watched has the INVITE of a leg that leaves by a trunk followed to its final
// response, also when the call no longer waits for it.
func (c *call) watched(l *leg) stack.Sink {
	sink := c.sink(l)
	if l.setup = nil; l.out == nil {
		return sink
	}
	s := &setup{tell: c.gw.setups, began: time.Now(), Setup: Setup{Trunk: l.out.trunk.Name}}
	l.setup = s
	return func(ev stack.Event) {
		c.gw.heardOf(s.Trunk, ev)
		switch ev := ev.(type) {
		case stack.Progress:
			s.heard(0)
		case stack.Answered:
			s.heard(ev.Response.Status)
		case stack.Failed:
			if ev.Response != nil {
				s.heard(ev.Code)
			} else {
				s.ended(ev.Code)
			}
		}
		sink(ev)
	}
}

// heard notes a response, of a code that is 0 while it is provisional.
func (s *setup) heard(code int) {
	s.mu.Lock()
	if s.Delay == 0 {
		s.Delay = max(time.Since(s.began), 1)
	}
	s.mu.Unlock()
	if code != 0 {
		s.ended(code)
	}
}

// ended tells the first end of all: what comes after it says nothing new.
func (s *setup) ended(code int) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told {
		return
	}
	if s.told, s.Code = true, code; s.tell != nil {
		s.tell(s.Setup)
	}
}

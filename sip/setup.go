package sip

import (
	"sync"
	"time"

	"github.com/cordboard/cordboard/sip/stack"
)

// Setup is what became of an INVITE that left by a trunk: a session request, as
// RFC 6076 counts them. One that the trunk challenged (401, 407) and that was sent
// again with the password is one, and so is one that was too short a session for
// somebody (422) and was sent again as a longer one.
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

	mu      sync.Mutex
	told    bool
	again   bool // refused with 422, and the call may send it again
	resumed bool // it has
	left    bool // the call does not wait for it any more
	Setup
}

// watched has the INVITE of a leg that leaves by a trunk followed to its final
// response, also when the call no longer waits for it.
func (c *call) watched(l *leg) stack.Sink {
	sink := c.sink(l)
	if l.out == nil {
		return sink
	}
	if !l.setup.goesOn() {
		l.setup = &setup{tell: c.gw.setups, began: time.Now(), Setup: Setup{Trunk: l.out.trunk.Name}}
	}
	s, proposed := l.setup, l.vigil.session
	return func(ev stack.Event) {
		c.gw.heardOf(s.Trunk, ev)
		switch ev := ev.(type) {
		case stack.Progress:
			s.heard(0)
		case stack.Answered:
			s.heard(ev.Response.Status)
		case stack.Failed:
			switch {
			case ev.Response == nil:
				s.ended(ev.Code)
			case ev.Code != 422 || !proposed.raise(ev.Response) || !s.waits():
				s.heard(ev.Code)
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

// waits takes a 422 that the call may answer by the same INVITE with a longer
// session; false when the call waits for nothing any more.
func (s *setup) waits() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.again = !s.left && !s.told
	return s.again
}

// goesOn reports whether the next INVITE of the leg is the same session request.
func (s *setup) goesOn() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.again
	s.again, s.resumed = false, was
	return was
}

// unsent says that the INVITE did not leave after all: the 422 was the end of it.
func (s *setup) unsent() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.again = s.resumed && !s.told
}

// over says that the call sends it no more: a 422 was the end of it.
func (s *setup) over() {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.left = true
	again := s.again
	s.mu.Unlock()
	if again {
		s.heard(422)
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

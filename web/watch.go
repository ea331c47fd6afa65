package web

import (
	"context"
	"sync"
	"time"
)

// watched are the logins that have been given a ticket. A desk socket asks for
// nothing once it is open, so they are looked at from time to time: a desk ends
// with its login, whether that expires, is ended beside us, or its user may no
// longer have one.
type watched struct {
	mu   sync.Mutex
	keys map[string]bool
}

// watch looks at a login until it ends.
func (s *Server) watch(who *seat) {
	s.watched.mu.Lock()
	defer s.watched.mu.Unlock()
	if !s.watched.keys[who.key] {
		s.watched.keys[who.key] = true
		s.lookLater(who.ID, who.key)
	}
}

func (s *Server) lookLater(user, key string) {
	time.AfterFunc(s.opt.Recheck, func() {
		if s.ctx.Err() != nil {
			return
		}
		ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
		defer cancel()
		who, err := s.find(ctx, user, key)
		if err != nil || who != nil && who.Role == RoleAgent {
			s.lookLater(user, key) // what cannot be read is not ended
			return
		}
		s.watched.mu.Lock()
		delete(s.watched.keys, key)
		s.watched.mu.Unlock()
		s.opt.Desk.EndSession(key)
	})
}

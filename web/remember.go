package web

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"
)

// remembered are the logins as they were last read. While the database is away
// those read shortly before are taken as they were, until they expire: nobody
// could end one elsewhere meanwhile, and desks and the board are needed as long
// as there are calls.
type remembered struct {
	mu     sync.Mutex
	logins map[string]login // by session key
	failed time.Time        // when a reading failed last; zero once one has not
	since  time.Time        // when the first one did, by the logins' own clock
	drops  int              // counts those that were dropped
}

type login struct {
	user    User
	expires time.Time
	read    time.Time // as if no time had passed while none could be read
}

const (
	loginTime    = 2 * time.Second // that a login may take to be read
	loginPause   = 2 * time.Second // between two readings while they fail
	loginsAtMost = 10_000
	// Whose login was not looked at for so long before the database went away is
	// not taken as it was: it may have been ended elsewhere since. Those of open
	// desks and boards are looked at twice a minute.
	loginFresh = 5 * time.Minute
)

// dropped counts; what is read from here on is kept while the count stays.
func (m *remembered) dropped() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.drops
}

// keep notes a login as it was read, begun when so many had been dropped; nil is
// none.
func (m *remembered) keep(key string, l *login, drops int, now time.Time) (back bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if back = !m.failed.IsZero(); back {
		away := now.Sub(m.since)
		for k, old := range m.logins {
			old.read = old.read.Add(away)
			m.logins[k] = old
		}
	}
	m.failed = time.Time{}
	if l == nil {
		delete(m.logins, key)
		return back
	}
	if drops != m.drops { // it may have been this one, after it was read
		return back
	}
	if len(m.logins) >= loginsAtMost {
		for k, old := range m.logins {
			if !now.Before(old.expires) || len(m.logins) >= loginsAtMost {
				delete(m.logins, k)
			}
		}
	}
	m.logins[key] = login{l.user, l.expires, now}
	return back
}

func (m *remembered) drop(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.logins, key)
	m.drops++
}

// fail notes that a login could not be read, and says whether that is news.
func (m *remembered) fail(tried, now time.Time) (first bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if first = m.failed.IsZero(); first {
		m.since = now
	}
	m.failed = tried
	return first
}

// pausing says that a reading has failed only just now.
func (m *remembered) pausing(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.failed.IsZero() && now.Sub(m.failed) < loginPause
}

func (m *remembered) recall(user, key string, now time.Time) *seat {
	m.mu.Lock()
	defer m.mu.Unlock()
	l, ok := m.logins[key]
	if ok && l.user.ID == user && now.Before(l.expires) && m.since.Sub(l.read) <= loginFresh {
		return &seat{User: l.user, key: key}
	}
	return nil
}

// find finds who a login speaks for; nil when it is none. While logins cannot
// be read those known just before are taken as they were, and of others nothing
// is said (problemUnavailable).
func (s *Server) find(ctx context.Context, user, key string) (*seat, error) {
	now := s.opt.Clock()
	if tried := time.Now(); !s.remembered.pausing(tried) {
		drops := s.remembered.dropped()
		within, cancel := context.WithTimeout(ctx, loginTime)
		l, err := s.readLogin(within, user, key)
		cancel()
		if err == nil {
			if s.remembered.keep(key, l, drops, now) {
				s.log.Info("logins can be read again")
			}
			if l == nil {
				return nil, nil
			}
			return &seat{User: l.user, key: key}, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err() // whoever asked has gone
		}
		if s.remembered.fail(tried, now) {
			s.log.Error("logins cannot be read, those known are taken as they were", zap.Error(err))
		}
	}
	if who := s.remembered.recall(user, key, now); who != nil {
		return who, nil
	}
	return nil, problemUnavailable
}

// readLogin reads a session and its user; nil when either is gone.
func (s *Server) readLogin(ctx context.Context, user, key string) (*login, error) {
	session, ok, err := s.opt.Sessions.Session(ctx, key)
	if err != nil {
		return nil, err
	}
	if !ok || session.User != user || !s.opt.Clock().Before(session.Expires) {
		return nil, nil
	}
	u, ok, err := s.opt.Users.User(ctx, user)
	if err != nil || !ok {
		return nil, err
	}
	return &login{user: u, expires: session.Expires}, nil
}

package registrar

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

// secrets is everybody's secret, in memory: a REGISTER waits for no database,
// looks the same for a user who exists and one who does not, and goes on while
// the database is away.
type secrets struct {
	wake chan struct{}

	mu  sync.RWMutex
	all map[string]Secret
}

const (
	secretsEvery = 15 * time.Second // a new secret counts after this at the latest
	secretsTime  = 5 * time.Second
	secretsPause = time.Second // between two readings that failures ask for
)

func (s *secrets) of(user string) (Secret, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	x, ok := s.all[user]
	return x, ok
}

// RealmError says that all secrets were made with another realm.
type RealmError struct{ Have, Want string }

func (e *RealmError) Error() string {
	return fmt.Sprintf("the telephones' secrets were made with the realm %q and the server file says %q: "+
		"set the old realm again, or every secret anew (cordboard user phone)", e.Have, e.Want)
}

// readSecrets reads all secrets of our realm. That there are only others is
// an error: no phone could register.
func (r *Registrar) readSecrets(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, secretsTime)
	defer cancel()
	all, err := r.o.Secrets.Secrets(ctx)
	if err != nil {
		return fmt.Errorf("registrar: read the telephones' secrets: %w", err)
	}
	foreign, other := 0, ""
	for user, s := range all {
		if s.Realm != r.o.Realm {
			foreign, other = foreign+1, s.Realm
			delete(all, user)
		}
	}
	if foreign > 0 && len(all) == 0 {
		return fmt.Errorf("registrar: %w", &RealmError{Have: other, Want: r.o.Realm})
	}
	r.secrets.mu.Lock()
	r.secrets.all = all
	r.secrets.mu.Unlock()
	if n := r.counts.setForeign(foreign); n > 0 {
		r.log.Warn("secrets made with another realm are of no use", zap.Int("users", n), zap.String("realm", other))
	}
	return nil
}

// refreshSecrets asks for a reading soon: somebody's secret did not fit.
func (r *Registrar) refreshSecrets() {
	select {
	case r.secrets.wake <- struct{}{}:
	default:
	}
}

// keepSecrets reads them again and again until Close.
func (r *Registrar) keepSecrets() {
	every := time.NewTicker(secretsEvery)
	defer every.Stop()
	failing := false
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-every.C:
		case <-r.secrets.wake:
		}
		err := r.readSecrets(r.ctx)
		if err != nil && !failing && r.ctx.Err() == nil {
			r.log.Error("the telephones' secrets stay as they were read last", zap.Error(err))
		}
		failing = err != nil
		pause := time.NewTimer(secretsPause)
		select {
		case <-r.ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

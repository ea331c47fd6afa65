// Package registration keeps trunks registered that want to be: a REGISTER at the
// start, another before the binding runs out (RFC 3261 10.2.4), and growing pauses
// between the tries while none succeeds (RFC 5626 4.5). A trunk that is not
// registered still carries calls as far as its provider lets it.
package registration

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/sip/stack"
)

// Pauses between tries that fail: the first, doubled up to the longest.
const (
	firstPause   = 30 * time.Second
	longestPause = 30 * time.Minute
	// tryFor bounds one REGISTER: a transaction's time (RFC 3261 Timer F).
	tryFor = 33 * time.Second
	// leastLife keeps a registrar that binds for no time at all from being asked
	// without end.
	leastLife = 10 * time.Second
)

// Trunk is one that is registered.
type Trunk struct {
	Name    string
	Expires time.Duration // asked for
	stack.Registering
}

// State is how a trunk's registration stands.
type State struct {
	Trunk string
	Until time.Time // the binding holds; zero: none
	Code  int       // of the last try that failed, 0 when it did not
}

// Keeper keeps them.
type Keeper struct {
	log    *zap.Logger
	stop   context.CancelFunc
	ctx    context.Context
	leave  context.Context // bounds taking the bindings back
	over   context.CancelFunc
	work   sync.WaitGroup
	pause  time.Duration // the first
	mu     sync.Mutex
	states []State
}

// New makes a keeper of no trunks yet.
func New(log *zap.Logger) *Keeper {
	k := &Keeper{log: log.Named("registration"), pause: firstPause}
	k.ctx, k.stop = context.WithCancel(context.Background())
	k.leave, k.over = context.WithCancel(context.Background())
	return k
}

// Start registers the trunks through the stack, which must be started.
func (k *Keeper) Start(s *stack.Stack, trunks []Trunk) error {
	for i, t := range trunks {
		r, err := s.NewRegistration(t.Registering)
		if err != nil {
			return err
		}
		k.mu.Lock()
		k.states = append(k.states, State{Trunk: t.Name})
		k.mu.Unlock()
		k.work.Add(1)
		go func() {
			defer k.work.Done()
			defer r.Close()
			k.keep(i, t, r)
		}()
	}
	return nil
}

// Close takes the bindings back, as far as that is done before ctx ends.
func (k *Keeper) Close(ctx context.Context) {
	k.stop()
	done := make(chan struct{})
	go func() { k.work.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
	k.over()
	<-done
}

// States tells how each trunk stands, in their order.
func (k *Keeper) States() []State {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]State(nil), k.states...)
}

// keep registers one trunk until Close.
func (k *Keeper) keep(i int, t Trunk, r *stack.Registration) {
	log := k.log.With(zap.String("trunk", t.Name))
	ask, failed, wait, raised := t.Expires, 0, k.pause, false
	for {
		ctx, cancel := context.WithTimeout(k.ctx, tryFor)
		got := r.Register(ctx, ask)
		cancel()
		if k.ctx.Err() != nil {
			break
		}
		var next time.Duration
		switch {
		case got.Code/100 == 2 && got.Expires > 0:
			if failed != 0 || k.until(i).IsZero() {
				log.Info("a trunk is registered", zap.Duration("for", got.Expires))
			}
			failed, wait, raised = 0, k.pause, false
			life := max(got.Expires, leastLife)
			next = life*4/5 - time.Duration(rand.Int64N(int64(life)/20+1))
			k.note(i, time.Now().Add(got.Expires), 0)
		case got.Code == 423 && got.Least > ask && got.Least <= 24*time.Hour && !raised:
			ask, raised = got.Least, true // RFC 3261 10.2.8; one that wants ever more is asked like one that refuses
			continue
		default:
			if got.Code/100 == 2 {
				got.Code = 200 // bound for no time at all
			}
			if failed != got.Code {
				log.Error("a trunk is not registered", zap.Int("code", got.Code), zap.Error(got.Err))
			}
			failed, raised = got.Code, false
			k.note(i, k.until(i), got.Code)
			next = max(min(got.After, longestPause), wait/2+time.Duration(rand.Int64N(int64(wait)/2+1)))
			wait = min(2*wait, longestPause)
		}
		select {
		case <-time.After(next):
		case <-k.ctx.Done():
		}
		if k.ctx.Err() != nil {
			break
		}
	}
	if k.until(i).After(time.Now()) {
		ctx, cancel := context.WithTimeout(k.leave, tryFor)
		defer cancel()
		if got := r.Register(ctx, 0); got.Code/100 != 2 {
			log.Warn("a trunk's registration was not taken back", zap.Int("code", got.Code))
		}
		k.note(i, time.Time{}, 0)
	}
}

func (k *Keeper) until(i int) time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.states[i].Until
}

func (k *Keeper) note(i int, until time.Time, code int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !until.After(time.Now()) {
		until = time.Time{}
	}
	k.states[i].Until, k.states[i].Code = until, code
}

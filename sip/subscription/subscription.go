// Package subscription has PBXs tell us of the calls of telephones: it subscribes to
// the dialog events of each (RFC 4235), renews that before it runs out, and begins
// anew, with growing pauses, when the PBX refuses, is silent or has forgotten us (RFC
// 6665 4.1). It reads what the PBX tells and gives on what changes; what becomes of
// that is its caller's business, the composition root's.
package subscription

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/sip/stack"
)

// Pauses between tries that fail: the first, doubled up to the longest.
const (
	firstPause   = 5 * time.Second
	longestPause = 10 * time.Minute
	// tryFor bounds one SUBSCRIBE: a transaction's time (RFC 3261 Timer F).
	tryFor = 33 * time.Second
	// leastLife keeps a PBX that grants no time at all from being asked without end.
	leastLife = 10 * time.Second
	// startEach spreads the first SUBSCRIBEs: a PBX has a limit too.
	startEach = 10 * time.Millisecond
)

// Phone is a telephone whose calls we want to be told of.
type Phone struct {
	Source, Extension string
	Expires           time.Duration // asked for
	stack.Subscribing               // Event and Accept are set here
}

// Status is how a telephone's subscription stands.
type Status struct {
	Source, Extension string
	Until             time.Time // zero: we are not told of its calls
	Code              int       // of the last try that failed, 0 when it did not
}

// Keeper keeps them.
type Keeper struct {
	log  *zap.Logger
	told func(Call)

	ctx   context.Context
	stop  context.CancelFunc
	leave context.Context // bounds taking the subscriptions back
	over  context.CancelFunc
	work  sync.WaitGroup
	calls atomic.Int64  // given a number
	pause time.Duration // the first
	first time.Duration // for the first NOTIFY
	least time.Duration // of a subscription

	mu     sync.Mutex
	states []Status
}

// New makes a keeper of no telephones yet. told gets what changes, of one telephone
// in order; it must not block for long.
func New(told func(Call), log *zap.Logger) *Keeper {
	k := &Keeper{log: log.Named("subscription"), told: told, pause: firstPause, first: tryFor, least: leastLife}
	k.ctx, k.stop = context.WithCancel(context.Background())
	k.leave, k.over = context.WithCancel(context.Background())
	return k
}

// Start subscribes through the stack, which must be started.
func (k *Keeper) Start(s *stack.Stack, phones []Phone) {
	for i, p := range phones {
		k.mu.Lock()
		k.states = append(k.states, Status{Source: p.Source, Extension: p.Extension})
		k.mu.Unlock()
		p.Event, p.Accept = "dialog", mediaType
		k.work.Go(func() {
			if k.wait(time.Duration(i) * startEach) {
				k.keep(s, i, p)
			}
		})
	}
}

// Close takes the subscriptions back, as far as that is done before ctx ends.
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

// States tells how each telephone's subscription stands, in their order.
func (k *Keeper) States() []Status {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]Status(nil), k.states...)
}

// keep has one telephone's calls told until Close, by one subscription after another.
func (k *Keeper) keep(s *stack.Stack, i int, p Phone) {
	t := &telephone{
		keeper: k, i: i, Phone: p, ask: p.Expires,
		known: &phone{source: p.Source, extension: p.Extension, number: func() int64 { return k.calls.Add(1) }, calls: map[string]*Call{}},
		log:   k.log.With(zap.String("source", p.Source), zap.String("extension", p.Extension)),
	}
	pause := k.pause
	for {
		end := t.subscribe(s)
		if k.ctx.Err() != nil {
			return
		}
		if end.stood {
			pause = k.pause
		}
		k.ended(t, end)
		next := pause/2 + time.Duration(rand.Int64N(int64(pause)/2+1))
		if end.slow {
			next = longestPause
		}
		if !k.wait(max(next, min(end.after, longestPause))) {
			return
		}
		pause = min(2*pause, longestPause)
	}
}

// wait waits; false: Close was first.
func (k *Keeper) wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-k.ctx.Done():
		return false
	}
}

// stands notes that we are told until then.
func (k *Keeper) stands(t *telephone, until time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	was := k.states[t.i].Code
	k.states[t.i].Until, k.states[t.i].Code = until, 0
	if was != 0 && !k.likewise(t, was) {
		k.log.Info("a PBX tells of its telephones' calls again", zap.String("source", t.Source), zap.Int("was", was))
	}
}

// ended notes that a subscription is over, and says why: once for all of a PBX's
// telephones that it is so with.
func (k *Keeper) ended(t *telephone, end end) {
	k.mu.Lock()
	defer k.mu.Unlock()
	was := k.states[t.i].Code
	k.states[t.i].Until, k.states[t.i].Code = time.Time{}, end.code
	if was != end.code && !k.likewise(t, end.code) {
		t.log.Error("a PBX does not tell of a telephone's calls", zap.Int("code", end.code), zap.String("reason", end.why), zap.Error(end.err))
	}
}

// likewise reports whether another telephone of the PBX has failed so; k.mu is held.
func (k *Keeper) likewise(t *telephone, code int) bool {
	for i, s := range k.states {
		if i != t.i && s.Source == t.Source && s.Code == code {
			return true
		}
	}
	return false
}

package customer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Source finds customers by number. No customer is an empty Match, not an
// error. It must heed the context's deadline.
type Source interface {
	Lookup(ctx context.Context, e164 string) (Match, error)
}

// SourceOptions describe one source of a Resolver.
type SourceOptions struct {
	Name   string // in logs and figures
	Source Source
	// Timeout is the longest it may take, 2 s when 0. It is cut to what the
	// deadline of the look-up leaves.
	Timeout time.Duration
	// Fresh is how long a match is given again without asking; 0 asks always,
	// which suits our own store.
	Fresh time.Duration
}

// Results of a look-up at one source.
const (
	Found     = "found"
	Nobody    = "nobody"
	Failed    = "failed"
	Skipped   = "skipped" // the circuit breaker is open
	FromCache = "cached"  // fresh in the cache, the source was not asked
	Stale     = "stale"   // no source answered, the cache did
	cacheMin  = 16        // smallest cache
	wholeFor  = 30 * time.Second
)

// ResolverOptions of NewResolver.
type ResolverOptions struct {
	Sources []SourceOptions // asked in this order; the first that knows somebody wins
	Log     *zap.Logger     // nil: silent
	Cache   int             // matches kept, 10,000 when 0
	// CacheBytes is what they may take in memory, in bytes, about; 64 MiB when 0.
	CacheBytes int
	// KeepStale is how old a match may be that is given when no source answers,
	// 24 h when 0.
	KeepStale time.Duration
	// Breaker: failures in a row that keep a source from being asked for a
	// while (5 when 0), and that while (1 s when 0, doubled up to 30 s).
	BreakAfter int
	BreakFor   time.Duration
	// Observe is told how each source did; it must not block. May be nil.
	Observe func(source, result string, took time.Duration)
}

// ErrUnavailable says that no source could answer and none is remembered.
var ErrUnavailable = errors.New("customer: no source answered")

// Resolver finds who is calling. One look-up per number runs at a time however
// many ask; it goes on for whoever asks next when its first caller's deadline
// has passed.
type Resolver struct {
	opts    ResolverOptions
	log     *zap.Logger
	sources []*source
	ctx     context.Context // of all look-ups; ends with Close
	stop    context.CancelFunc
	running sync.WaitGroup // of workers
	work    chan job       // taken by a worker that has nothing to do
	idle    chan struct{}  // as many as wait for work

	mu      sync.Mutex
	closed  bool
	cache   *cache
	flights map[string]*flight
	epoch   uint64 // grows with every Forget: look-ups begun before are not given out
}

type source struct {
	SourceOptions
	breaker breaker
}

// job is a look-up to make.
type job struct {
	e164   string
	flight *flight
}

// maxIdle workers wait for the next look-up. A new goroutine would grow its
// stack anew for each.
const maxIdle = 16

// flight is one look-up under way.
type flight struct {
	epoch uint64
	done  chan struct{}
	match Match
	err   error
}

// NewResolver makes a resolver. Close it when done.
func NewResolver(opts ResolverOptions) *Resolver {
	if opts.Log == nil {
		opts.Log = zap.NewNop()
	}
	if opts.Cache <= 0 {
		opts.Cache = 10_000
	}
	if opts.CacheBytes <= 0 {
		opts.CacheBytes = 64 << 20
	}
	if opts.KeepStale <= 0 {
		opts.KeepStale = 24 * time.Hour
	}
	if opts.BreakAfter <= 0 {
		opts.BreakAfter = 5
	}
	if opts.BreakFor <= 0 {
		opts.BreakFor = time.Second
	}
	if opts.Observe == nil {
		opts.Observe = func(string, string, time.Duration) {}
	}
	r := &Resolver{
		opts: opts, log: opts.Log.Named("customer"),
		cache: newCache(max(opts.Cache, cacheMin), opts.CacheBytes), flights: map[string]*flight{},
		work: make(chan job), idle: make(chan struct{}, maxIdle),
	}
	r.ctx, r.stop = context.WithCancel(context.Background())
	for _, s := range opts.Sources {
		if s.Timeout <= 0 {
			s.Timeout = 2 * time.Second
		}
		r.sources = append(r.sources, &source{
			SourceOptions: s,
			breaker:       breaker{after: opts.BreakAfter, first: opts.BreakFor, most: max(30*time.Second, opts.BreakFor)},
		})
	}
	return r
}

// Close ends the look-ups under way and waits for them.
func (r *Resolver) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.stop()
	r.running.Wait()
}

// Kept is how many matches are remembered and what they take in memory, in bytes,
// about: at most ResolverOptions.Cache and CacheBytes.
func (r *Resolver) Kept() (matches, bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cache.order.Len(), r.opts.CacheBytes - r.cache.room
}

// Find finds the customers of a number before the context's deadline. When the
// sources fail or do not answer in time, the last known match is given, marked
// Stale; without one the error is ErrUnavailable or the context's. The records
// of a Match are shared: nobody changes them.
func (r *Resolver) Find(ctx context.Context, e164 string) (Match, error) {
	if e164 == "" {
		return Match{}, nil
	}
	f, hit := r.flight(e164)
	if hit != nil {
		return *hit, nil
	}
	if f == nil {
		return Match{}, fmt.Errorf("%w: resolver is closed", ErrUnavailable)
	}
	old, have := r.stale(e164)
	early, cancel := soonEnough(ctx, have)
	defer cancel()
	var err error
	select {
	case <-f.done:
		if f.err == nil {
			return f.match, nil
		}
		err = f.err
	case <-early.Done():
		err = fmt.Errorf("customer: look-up: %w", early.Err())
	}
	if have {
		r.opts.Observe("", Stale, 0)
		return old, nil
	}
	return Match{}, err
}

// soonEnough ends a little before the caller's deadline when there is a stale
// match to give: given at the deadline it would come too late.
func soonEnough(ctx context.Context, have bool) (context.Context, context.CancelFunc) {
	deadline, bounded := ctx.Deadline()
	if !have || !bounded {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/8))
}

// Forget makes the next look-up ask again: the customer's record has changed.
// The old one is kept for the case that no source answers.
func (r *Resolver) Forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.epoch++
	r.cache.outdate(id)
}

// Erase forgets a customer, and what was found for some numbers, for good: nobody is
// given what was known of them, and look-ups under way are not remembered.
func (r *Resolver) Erase(id string, numbers []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.epoch++
	r.cache.erase(id, numbers)
}

// flight gives a match still fresh, or the look-up to wait for.
func (r *Resolver) flight(e164 string) (*flight, *Match) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.cache.get(e164); e != nil && time.Since(e.at) < e.ttl {
		m := e.match
		r.opts.Observe("", FromCache, 0)
		return nil, &m
	}
	if f := r.flights[e164]; f != nil && f.epoch == r.epoch {
		return f, nil
	}
	if r.closed {
		return nil, nil
	}
	f := &flight{epoch: r.epoch, done: make(chan struct{})}
	r.flights[e164] = f
	select {
	case r.work <- job{e164, f}:
	default: // all are busy: a source that takes its time holds up nobody else
		r.running.Go(func() { r.worker(job{e164, f}) })
	}
	return f, nil
}

// worker makes one look-up after the other, until enough others wait for the
// next.
func (r *Resolver) worker(j job) {
	for {
		r.fly(j.e164, j.flight)
		select {
		case r.idle <- struct{}{}:
		default:
			return
		}
		select {
		case j = <-r.work:
			<-r.idle
		case <-r.ctx.Done():
			return
		}
	}
}

func (r *Resolver) fly(e164 string, f *flight) {
	match, ttl, err := r.ask(e164, time.Now().Add(wholeFor))
	r.mu.Lock()
	if r.flights[e164] == f {
		delete(r.flights, e164)
	}
	if err == nil && f.epoch == r.epoch {
		r.cache.put(&cached{number: e164, match: match, at: time.Now(), ttl: ttl})
	}
	r.mu.Unlock()
	f.match, f.err = match, err
	close(f.done)
}

// ask goes through the sources. Somebody known to a later source is a good
// answer even when an earlier one failed; nobody is an answer only when all
// have said so.
func (r *Resolver) ask(e164 string, until time.Time) (Match, time.Duration, error) {
	var failures []error
	ttl := time.Duration(-1)
	for _, s := range r.sources {
		m, err := r.askOne(s, e164, until)
		switch {
		case err != nil:
			failures = append(failures, err)
			continue
		case m.Record != nil || len(m.Candidates) > 0:
			return m, s.Fresh, nil
		}
		if ttl < 0 || s.Fresh < ttl {
			ttl = s.Fresh
		}
	}
	if len(failures) > 0 {
		return Match{}, 0, fmt.Errorf("%w: %w", ErrUnavailable, errors.Join(failures...))
	}
	return Match{}, max(ttl, 0), nil
}

func (r *Resolver) askOne(s *source, e164 string, until time.Time) (m Match, err error) {
	start := time.Now()
	if !s.breaker.allow(start) {
		r.opts.Observe(s.Name, Skipped, 0)
		return Match{}, fmt.Errorf("%s: not asked, it failed too often just now", s.Name)
	}
	if most := start.Add(s.Timeout); most.Before(until) {
		until = most
	}
	m, err = s.lookup(r.ctx, e164, until)
	took := time.Since(start)
	if r.ctx.Err() != nil && errors.Is(err, context.Canceled) {
		s.breaker.undone() // we are closing: says nothing about the source
		return Match{}, fmt.Errorf("%s: %w", s.Name, err)
	}
	wasOpen := s.breaker.isOpen()
	s.breaker.done(time.Now(), err == nil)
	switch {
	case err != nil:
		r.opts.Observe(s.Name, Failed, took)
		if !wasOpen && s.breaker.isOpen() {
			r.log.Warn("customer source fails, it is not asked for a while", zap.String("source", s.Name), zap.Error(err))
		}
		return Match{}, fmt.Errorf("%s: %w", s.Name, err)
	case m.Record == nil && len(m.Candidates) == 0:
		r.opts.Observe(s.Name, Nobody, took)
	default:
		r.opts.Observe(s.Name, Found, took)
	}
	if wasOpen {
		r.log.Info("customer source answers again", zap.String("source", s.Name))
	}
	return m, nil
}

// lookup asks one source. A source that panics has failed: it is somebody
// else's code as often as not, and this call is not the only one.
func (s *source) lookup(ctx context.Context, e164 string, until time.Time) (m Match, err error) {
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			m, err = Match{}, fmt.Errorf("panic: %T", p)
		}
	}()
	if m, err = s.Source.Lookup(ctx, e164); err != nil {
		return Match{}, err
	}
	if len(m.Candidates) == 1 && m.Record == nil {
		m = Match{Record: &m.Candidates[0]}
	}
	return m, nil
}

// stale is the last known match, marked so.
func (r *Resolver) stale(e164 string) (Match, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.cache.get(e164)
	if e == nil || time.Since(e.at) > r.opts.KeepStale || e.match.Record == nil && len(e.match.Candidates) == 0 {
		return Match{}, false
	}
	m := e.match
	m.Stale = true
	return m, true
}

package customer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"
)

// BesideOptions describe one outside system of a Beside.
type BesideOptions struct {
	Name      string // stands on desks, in logs and figures
	Connector Connector
	Panels    []string // of the desk, that it adds to
	// Timeout is the longest it may take, waiting for its turn included; 2 s when 0.
	Timeout time.Duration
	// Fresh is how long an answer is given again without asking, Keep how long it is
	// shown as stale when the system fails; 1 min and 24 h when 0.
	Fresh, Keep time.Duration
	AtOnce      int // questions at once; 8 when 0
	PerSecond   int // questions a second; 50 when 0
}

// What is remembered of each system: so many answers, of so many bytes, about.
const (
	besideKept  = 10_000
	besideBytes = 32 << 20
)

// Beside asks outside systems what they know of a customer whom our own store has
// found. Nothing waits for them: what is remembered is told at once, and what they
// say when it comes. A system that is dead, slow or hung costs its own panels and
// nothing else: each has so many questions at once and a second, a time limit, and a
// circuit breaker.
type Beside struct {
	log     *zap.Logger
	systems []*system
	observe func(source, result string, took time.Duration)
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
}

// system is one outside system.
type system struct {
	BesideOptions
	breaker breaker
	slots   chan struct{}
	rate    *rate.Limiter

	mu      sync.Mutex
	closed  bool
	asking  map[Subject]*asked // under way
	kept    map[Subject]reply  // what it has said
	bytes   int                // of kept
	waiting int
}

// asked is a question under way, and who waits for what comes of it.
type asked struct {
	erased bool // meanwhile: what he was is shown to nobody anew
	tell   []func(Told)
}

type reply struct {
	part  *Part
	at    time.Time
	bytes int
}

// asOf is when it was so, by what the system says of it.
func (k *reply) asOf() time.Time {
	if k.part != nil && !k.part.AsOf.IsZero() {
		return k.part.AsOf
	}
	return k.at
}

// maxWaiting questions of a system wait for their turn; it fails for the others.
const maxWaiting = 1000

// NewBeside makes one of systems in the order in which desks show them. observe may
// be nil; it must not block. Close it when done.
func NewBeside(systems []BesideOptions, log *zap.Logger, observe func(source, result string, took time.Duration)) *Beside {
	if log == nil {
		log = zap.NewNop()
	}
	if observe == nil {
		observe = func(string, string, time.Duration) {}
	}
	b := &Beside{log: log.Named("sources"), observe: observe}
	b.ctx, b.stop = context.WithCancel(context.Background())
	for _, o := range systems {
		orElse(&o.Timeout, 2*time.Second)
		orElse(&o.Fresh, time.Minute)
		orElse(&o.Keep, 24*time.Hour)
		orElse(&o.AtOnce, 8)
		orElse(&o.PerSecond, 50)
		b.systems = append(b.systems, &system{
			BesideOptions: o, slots: make(chan struct{}, o.AtOnce), rate: rate.NewLimiter(rate.Limit(o.PerSecond), o.PerSecond),
			breaker: breaker{after: 5, first: time.Second, most: 30 * time.Second},
			asking:  map[Subject]*asked{}, kept: map[Subject]reply{},
		})
	}
	return b
}

func orElse[T ~int | ~int64](v *T, otherwise T) {
	if *v <= 0 {
		*v = otherwise
	}
}

// Close ends the questions under way and waits for them. Nobody is told any more.
func (b *Beside) Close() {
	for _, s := range b.systems {
		s.mu.Lock()
		s.closed = true
		clear(s.asking)
		s.mu.Unlock()
	}
	b.stop()
	b.running.Wait()
	for _, s := range b.systems {
		if c, ok := s.Connector.(io.Closer); ok {
			_ = c.Close()
		}
	}
}

// Ask gives what there is of each system now, in order, and has tell told of each
// that changes by what it then says; tell must not block, and may be called from any
// goroutine.
func (b *Beside) Ask(who Subject, tell func(Told)) []Told {
	out := make([]Told, len(b.systems))
	for i, s := range b.systems {
		out[i] = b.askOne(s, who, tell)
	}
	return out
}

func (b *Beside) askOne(s *system, who Subject, tell func(Told)) Told {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	k, have := s.kept[who]
	if have && now.Sub(k.at) < s.Fresh {
		return s.told(PartOK, k)
	}
	if have = have && now.Sub(k.at) < s.Keep; !have {
		k = reply{}
	}
	a := s.asking[who]
	switch {
	case a != nil:
		a.tell = append(a.tell, tell)
	case s.closed, s.waiting >= maxWaiting, !s.breaker.allow(now):
		b.observe(s.Name, Skipped, 0)
		return s.failed(k)
	default:
		a = &asked{tell: []func(Told){tell}}
		s.asking[who] = a
		s.waiting++
		b.running.Go(func() { b.question(s, who, a) })
	}
	if have {
		return s.told(PartStale, k)
	}
	return s.told(PartLoading, reply{})
}

// question puts one question, keeps what comes of it, and tells who waits for it.
func (b *Beside) question(s *system, who Subject, a *asked) {
	start := time.Now()
	part, err := b.put(s, who)
	if b.ctx.Err() != nil {
		return
	}
	wasOpen := s.breaker.isOpen()
	if errors.Is(err, errBusy) {
		s.breaker.undone() // it was not asked
	} else {
		s.breaker.done(time.Now(), err == nil)
	}
	b.report(s, part, err, wasOpen, time.Since(start))
	s.mu.Lock()
	s.waiting--
	if s.asking[who] == a {
		delete(s.asking, who)
	}
	var t Told
	switch {
	case a.erased:
		t = s.told(PartFailed, reply{})
	case err != nil:
		t = s.failed(s.kept[who])
	default:
		k := reply{part, time.Now(), part.weigh()}
		s.keep(who, k)
		t = s.told(PartOK, k)
	}
	tell := a.tell
	s.mu.Unlock()
	for _, f := range tell {
		f(t)
	}
}

// put waits for the system's turn, and asks it. Who does not heed its time is left
// behind, with its slot.
func (b *Beside) put(s *system, who Subject) (*Part, error) {
	ctx, cancel := context.WithTimeout(b.ctx, s.Timeout)
	defer cancel()
	if err := s.rate.Wait(ctx); err != nil {
		return nil, errBusy
	}
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, errBusy
	}
	type outcome struct {
		part *Part
		err  error
	}
	done := make(chan outcome, 1)
	go func() { // nobody waits for who does not heed the context
		defer func() { <-s.slots }()
		part, err := s.ask(ctx, who)
		done <- outcome{part, err}
	}()
	select {
	case o := <-done:
		return o.part, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

var errBusy = errors.New("too many questions at once")

// ask asks the connector. One that panics has failed.
func (s *system) ask(ctx context.Context, who Subject) (part *Part, err error) {
	defer func() {
		if p := recover(); p != nil {
			part, err = nil, fmt.Errorf("panic: %T", p)
		}
	}()
	said, err := s.Connector.Ask(ctx, who)
	if err != nil {
		return nil, err
	}
	k := reply{part: &said, at: time.Now()}
	said.from(s.Name, k.asOf())
	return &said, nil
}

func (b *Beside) report(s *system, part *Part, err error, wasOpen bool, took time.Duration) {
	switch {
	case err != nil:
		b.observe(s.Name, Failed, took)
		if !wasOpen && s.breaker.isOpen() {
			b.log.Warn("source fails, it is not asked for a while", zap.String("source", s.Name), zap.Error(err))
		}
		return
	case part.empty():
		b.observe(s.Name, Nobody, took)
	default:
		b.observe(s.Name, Found, took)
	}
	if wasOpen {
		b.log.Info("source answers again", zap.String("source", s.Name))
	}
}

// weigh is about what it takes in memory, in bytes.
func (p *Part) weigh() int {
	if p == nil {
		return 0
	}
	return weighRecord(&Record{Billing: p.Billing, Products: p.Products, Tickets: p.Tickets, Interactions: p.Interactions, Facts: p.Facts})
}

func (p *Part) empty() bool {
	return p.Billing == nil && len(p.Products)+len(p.Tickets)+len(p.Interactions)+len(p.Facts) == 0
}

// keep remembers what was said; the lock is held. When there is too much, the oldest
// quarter goes.
func (s *system) keep(who Subject, k reply) {
	s.drop(who)
	if len(s.kept) >= besideKept || s.bytes+k.bytes > besideBytes && len(s.kept) > 0 {
		times := make([]time.Time, 0, len(s.kept))
		for _, other := range s.kept {
			times = append(times, other.at)
		}
		slices.SortFunc(times, time.Time.Compare)
		oldest := times[len(times)/4]
		for w, other := range s.kept {
			if !other.at.After(oldest) {
				s.drop(w)
			}
		}
	}
	s.kept[who], s.bytes = k, s.bytes+k.bytes
}

func (s *system) drop(who Subject) {
	s.bytes -= s.kept[who].bytes
	delete(s.kept, who)
}

func (s *system) told(state string, k reply) Told {
	return Told{Source: s.Name, State: state, Panels: s.Panels, At: k.asOf(), Part: k.part}
}

// failed is what is shown of a system that fails: its last word, while it is not too old.
func (s *system) failed(k reply) Told {
	if k.part != nil && time.Since(k.at) < s.Keep {
		return s.told(PartStale, k)
	}
	return s.told(PartFailed, reply{})
}

// Erase forgets what was said of a customer, and of numbers, for good.
func (b *Beside) Erase(id string, numbers []string) {
	his := func(who Subject) bool { return id != "" && who.ID == id || slices.Contains(numbers, who.Number) }
	for _, s := range b.systems {
		s.mu.Lock()
		for who := range s.kept {
			if his(who) {
				s.drop(who)
			}
		}
		for who, a := range s.asking {
			if his(who) {
				a.erased = true
				delete(s.asking, who)
			}
		}
		s.mu.Unlock()
	}
}

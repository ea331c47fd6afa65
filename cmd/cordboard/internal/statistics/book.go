package statistics

import (
	"context"
	"maps"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/store"
)

// Book counts the present day live (live.Port), by the same folds as a report:
// what it says equals what Build would say of the ledger. What was counted
// before the server started, or by rules that have changed since, it reads from
// the ledger beside the calls; until that is done the day is not known.
type Book struct {
	ledger Ledger
	flush  func(context.Context) error
	log    *zap.Logger

	mu      sync.Mutex
	policy  *routing.Policy
	live    map[routing.CallID]*figures.Call
	settled map[dayLine]*figures.Counts // by calls that have ended
	seed    int                         // the reading of the ledger that counts; an older one is dropped
	known   bool                        // that reading is done
	own     map[routing.CallID]struct{} // while it is not: calls that this book counts itself
	cancel  context.CancelFunc
	reading sync.WaitGroup
}

type dayLine struct {
	day   int64
	queue string
}

// BookOptions are what a Book works with.
type BookOptions struct {
	Ledger Ledger
	// Flush waits until the ledger holds what was handed to it.
	Flush func(context.Context) error
	Log   *zap.Logger
}

// NewBook makes a book by a document. Begin reads the day so far.
func NewBook(p *routing.Policy, o BookOptions) *Book {
	return &Book{
		ledger: o.Ledger, flush: o.Flush, log: o.Log.Named("statistics"), policy: p,
		live: map[routing.CallID]*figures.Call{}, settled: map[dayLine]*figures.Counts{}, own: map[routing.CallID]struct{}{},
	}
}

// Do implements live.Port.
func (b *Book) Do(at time.Time, actions []routing.Action) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, action := range actions {
		of, ok := routing.About(action)
		if !ok || of.Call == 0 {
			continue
		}
		c := b.live[of.Call]
		if c == nil {
			if !first(action) {
				continue // after its end
			}
			c = &figures.Call{}
			c.Rename(b.policy.Renamed())
			b.live[of.Call] = c
		}
		routing.Fold(c, at, action)
		if _, end := action.(routing.EndCall); end {
			delete(b.live, of.Call)
			b.settle(c)
			if !b.known {
				b.own[of.Call] = struct{}{}
			}
		}
	}
}

// first tells of the actions that a call can begin with.
func first(action routing.Action) bool {
	switch action.(type) {
	case routing.ResolveCustomer, routing.Enqueued, routing.TurnedAway, routing.EndCall:
		return true
	}
	return false
}

// settle counts a call that has ended.
func (b *Book) settle(c *figures.Call) { b.add(b.settled, c, 0) }

// add counts a call into the days that it counts in.
func (b *Book) add(to map[dayLine]*figures.Counts, c *figures.Call, now int64) {
	one := func(queue string, v *figures.Visit) {
		at, counts := b.policy.Service.Count(v, within(b.policy)(v.Queue), now)
		key := dayLine{b.policy.Service.Day(time.UnixMicro(at)).UnixMicro(), queue}
		sum := to[key]
		if sum == nil {
			sum = &figures.Counts{}
			to[key] = sum
		}
		sum.Add(counts, 1)
	}
	for i := range c.Visits {
		one(c.Visits[i].Queue, &c.Visits[i])
	}
	if whole, ok := c.Whole(); ok {
		one(figures.Centre, &whole)
	}
}

// Begin reads from the ledger what was counted today before now, by the rules
// of a document: at the start, and again when a document goes live that counts
// otherwise. It does not block.
func (b *Book) Begin(p *routing.Policy, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	same := b.seed > 0 && sameRules(b.policy, p)
	b.policy = p
	if same {
		return
	}
	b.seed++
	b.known = false
	clear(b.settled)
	clear(b.own)
	for call, c := range b.live {
		b.own[call] = struct{}{}
		c.Rename(p.Renamed())
	}
	if b.cancel != nil {
		b.cancel()
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	b.reading.Add(1)
	go func(seed int) {
		defer b.reading.Done()
		if err := b.read(ctx, seed, p, now); err != nil && ctx.Err() == nil {
			b.log.Error("the day so far cannot be read, it stays unknown", zap.Error(err))
		}
	}(b.seed)
}

// Restore takes up a call that an earlier run has left to be called back, as the
// ledger has it so far. It comes before Begin.
func (b *Book) Restore(row *store.LedgerRow, events []store.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, err := visitsOf(b.policy, row, events)
	if err == nil {
		b.live[row.Call] = &c
	}
	return err
}

// Close ends what reads the ledger.
func (b *Book) Close() {
	b.mu.Lock()
	if b.cancel != nil {
		b.cancel()
	}
	b.mu.Unlock()
	b.reading.Wait()
}

// sameRules tells whether two documents count alike.
func sameRules(a, b *routing.Policy) bool {
	ra, rb := a.Service, b.Service
	if ra.Zone == nil || rb.Zone == nil || ra.Zone.String() != rb.Zone.String() {
		return false
	}
	ra.Zone, rb.Zone = nil, nil
	if ra != rb || !maps.Equal(a.Renamed(), b.Renamed()) {
		return false
	}
	for name := range a.Queues {
		if within(a)(name) != within(b)(name) {
			return false
		}
	}
	for name := range b.Queues {
		if within(a)(name) != within(b)(name) {
			return false
		}
	}
	return true
}

// read counts the calls of today that ended before the book began to count.
func (b *Book) read(ctx context.Context, seed int, p *routing.Policy, until time.Time) error {
	if err := b.flush(ctx); err != nil {
		return err
	}
	var calls []figures.Call
	var ids []routing.CallID
	day := p.Service.Day(until)
	err := b.ledger.FoldCalls(ctx, day, until, wasQueued, func(row store.LedgerRow, events []store.Event) error {
		if row.EndedAt.IsZero() || row.EndedAt.After(until) {
			return nil // counted live
		}
		c, err := visitsOf(p, &row, events)
		if err == nil && len(c.Visits) > 0 {
			calls, ids = append(calls, c), append(ids, row.Call)
		}
		return err
	})
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if seed != b.seed {
		return nil
	}
	for i := range calls {
		if _, mine := b.own[ids[i]]; !mine {
			b.settle(&calls[i])
		}
	}
	b.known = true
	clear(b.own)
	return nil
}

// Day is what has been counted on the day of an instant: the lines of the
// centre ("") and of the queues. False while it is not known.
func (b *Book) Day(now time.Time) (day time.Time, lines map[string]figures.Counts, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	day = b.policy.Service.Day(now)
	if !b.known {
		return day, nil, false
	}
	key := day.UnixMicro()
	lines = map[string]figures.Counts{}
	take := func(from map[dayLine]*figures.Counts) {
		for k, c := range from {
			if k.day == key {
				sum := lines[k.queue]
				sum.Add(*c, 1)
				lines[k.queue] = sum
			}
		}
	}
	for k := range b.settled {
		if k.day < key-48*time.Hour.Microseconds() {
			delete(b.settled, k) // nobody asks for it live
		}
	}
	take(b.settled)
	open := map[dayLine]*figures.Counts{}
	for _, c := range b.live {
		b.add(open, c, now.UnixMicro())
	}
	take(open)
	return day, lines, true
}

// Rules are those of the document that is counted by.
func (b *Book) Rules() figures.Rules {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.policy.Service
}

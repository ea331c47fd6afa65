package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
)

const (
	// How long the first of a group waits for others after a quiet time, and how
	// long one group comes after another when there is none. A commit takes what
	// ten rows take, look-ups read anew what they had in memory, and a row that
	// changes twice meanwhile is written once.
	groupWait  = 20 * time.Millisecond
	groupEvery = 100 * time.Millisecond
	groupSize  = 4096
	// How long changes wait in memory alone for a database that has failed, and
	// for one that says nothing: it may only be slow, or the processor busy.
	spillAfter  = 250 * time.Millisecond
	spillSilent = time.Second
	retryMin    = 20 * time.Millisecond
	retryMax    = time.Second
	tryFor      = 10 * time.Second // one attempt to commit
)

// Stats of the writing side.
type Stats struct {
	Queued  int   // handed over, not yet written
	Dropped int64 // given up: over the memory bound, or refused by the database for good
	Failing bool  // the last attempt to write failed; it is being tried again
	Spilled int   // of those queued, safe in the spill file
	// Exposed says that changes wait in memory alone, since the spill file
	// cannot be written either.
	Exposed bool
}

// input is something handed to the writer. fold runs on its goroutine, once. It
// is false, and has done nothing, when it needs a row that the database does not
// give just now.
type input interface {
	fold(*writer, *batch) bool
}

// writer writes what must not wait, on two goroutines: one folds inputs into
// batches of rows, each input once; the other tries each batch until it is in.
// While the database keeps the second waiting, the first goes on and spills the
// batches to a file (docs/adr/0021).
type writer struct {
	s      *Store
	wake   chan struct{} // something to fold, or a batch was written
	ripe   chan struct{} // something to commit
	quit   chan struct{}
	folded chan struct{} // closed when there is no more to fold
	done   chan struct{}

	mu       sync.Mutex
	queue    []input
	hurry    bool // somebody waits: do not gather a group
	stopped  bool
	stats    Stats
	giveUp   time.Time // once stopping: no retry after this
	line     []*batch  // folded, not yet written
	lining   int       // inputs in line
	kept     int       // the first so many of the line are in the spill file
	keeping  int       // inputs in these
	finished []routing.CallID
	dropped  []routing.CallID // whose rows the database refused

	// on the folding goroutine only
	calls    map[routing.CallID]*callState
	ended    []routing.CallID // states kept a while for what comes after the end
	deferred []input          // need rows that the database does not give just now
	retry    time.Time        // when they are tried again
	n        int64            // of the last batch
	gathered time.Time        // when it was made
	legs     legSlots
	spill    *spill // nil: none

	turning turning
}

func newWriter(s *Store) *writer {
	w := &writer{
		s: s, wake: make(chan struct{}, 1), ripe: make(chan struct{}, 1), quit: make(chan struct{}),
		folded: make(chan struct{}), done: make(chan struct{}),
		calls: map[routing.CallID]*callState{}, legs: legSlots{of: map[dialogKey]int64{}}, spill: s.spill,
		turning: turning{away: map[routing.CallID]struct{}{}},
	}
	go func() {
		defer close(w.folded)
		w.foldAll()
	}()
	go func() {
		defer close(w.done)
		w.commitAll()
	}()
	return w
}

// put hands over an input. bounded inputs may be dropped when memory is full.
func (w *writer) put(in input, bounded bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped || bounded && len(w.queue)+w.lining >= w.s.opts.MaxQueued {
		w.stats.Dropped++
		return false
	}
	w.queue = append(w.queue, in)
	signal(w.wake)
	return true
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// barrier is an input that tells when all before it has been written.
type barrier chan struct{}

func (b barrier) fold(_ *writer, out *batch) bool {
	out.barriers = append(out.barriers, b)
	return true
}

// Flush waits until everything handed over before it is written.
func (s *Store) Flush(ctx context.Context) error {
	done := make(barrier)
	if !s.w.put(done, false) {
		return ErrClosed
	}
	s.w.mu.Lock()
	s.w.hurry = true
	s.w.mu.Unlock()
	signal(s.w.wake)
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("store: flush: %w", ctx.Err())
	case <-s.w.done:
		select {
		case <-done:
			return nil
		default:
			return ErrClosed
		}
	}
}

// Stats tells how the writing side stands.
func (s *Store) Stats() Stats {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	st := s.w.stats
	st.Failing = st.Failing || s.fence.ended()
	st.Queued, st.Spilled = len(s.w.queue)+s.w.lining, s.w.keeping
	return st
}

// stop writes what is queued, trying for so long, and ends the goroutines. What
// could not be written is in the spill file for the next start, or it is lost,
// which is an error.
func (w *writer) stop(within time.Duration) error {
	w.mu.Lock()
	if !w.stopped {
		w.stopped, w.hurry, w.giveUp = true, true, time.Now().Add(within)
		close(w.quit)
	}
	w.mu.Unlock()
	signal(w.wake)
	<-w.done
	w.spillLine()
	if w.keeping > 0 {
		w.s.log.Warn("changes are in the spill file, for the next start to write", zap.Int("changes", w.keeping))
	}
	if lost := len(w.queue) + len(w.deferred) + w.lining - w.keeping; lost > 0 {
		return fmt.Errorf("store: %d changes could not be written before the end", lost)
	}
	return nil
}

// foldAll makes batches of inputs. One batch at a time waits for the database,
// so that a slow one gets larger groups; but once it keeps the first waiting too
// long, more are made and spilled.
func (w *writer) foldAll() {
	for {
		at := w.look()
		if at.late {
			w.spillLine()
		}
		switch {
		case at.queued && (!at.waiting || at.late):
			w.foldGroup()
		case at.stopped && !at.queued:
			return
		default:
			w.await(at)
		}
	}
}

// standing is what the folding goroutine has to know.
type standing struct {
	queued  bool          // there is something to fold
	waiting bool          // a batch waits for the database
	late    bool          // and has for too long
	left    time.Duration // until there is something to do again, 0: until told
	stopped bool
}

func (w *writer) look() (at standing) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at.queued = len(w.queue) > 0 || w.again()
	at.stopped = w.stopped
	switch at.waiting = len(w.line) > 0; {
	case at.waiting:
		at.left = spillSilent - time.Since(w.line[0].at)
		if w.stats.Failing {
			at.left -= spillSilent - spillAfter
		}
		if at.late = at.left <= 0; at.late {
			at.left = retryMax
		}
	case len(w.deferred) > 0:
		at.left = time.Until(w.retry)
	}
	return at
}

// again tells whether it is time to try what was deferred; the lock is held.
func (w *writer) again() bool {
	return len(w.deferred) > 0 && len(w.line) == 0 && !time.Now().Before(w.retry)
}

// await returns when something may have changed.
func (w *writer) await(at standing) {
	if at.left <= 0 {
		<-w.wake
		return
	}
	t := time.NewTimer(at.left)
	defer t.Stop()
	select {
	case <-w.wake:
	case <-t.C:
	}
}

// foldGroup makes a batch of what is queued and puts it in line.
func (w *writer) foldGroup() {
	group := w.gather()
	w.forget()
	w.n++
	b := newBatch()
	b.n, b.at = w.n, w.gathered
	for _, in := range group {
		switch {
		case w.turnsAway(in, b.inputs):
		case in.fold(w, b):
			b.inputs++
		default:
			w.deferred = append(w.deferred, in)
		}
	}
	w.settleLegs(b)
	if b.empty() && len(b.barriers) == 0 {
		return
	}
	b.orderContacts()
	b.settle(w.calls)
	w.mu.Lock()
	w.line = append(w.line, b)
	w.lining += b.inputs
	w.mu.Unlock()
	signal(w.ripe)
}

// gather takes the next group, giving it a moment to fill.
func (w *writer) gather() (group []input) {
	w.mu.Lock()
	wait := !w.hurry && len(w.queue) > 0 && len(w.queue) < groupSize
	w.mu.Unlock()
	if wait {
		t := time.NewTimer(max(groupWait, groupEvery-time.Since(w.gathered)))
		select {
		case <-t.C:
		case <-w.quit:
		}
		t.Stop()
	}
	w.gathered = time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.again() {
		group, w.deferred = append(group, w.deferred...), nil
	}
	n := min(len(w.queue), groupSize)
	group = append(group, w.queue[:n]...)
	clear(w.queue[:n])
	w.queue = w.queue[n:]
	if len(w.queue) == 0 {
		w.queue, w.hurry = nil, false
	}
	return group
}

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
	groupWait = 5 * time.Millisecond // how long the first of a group waits for others
	groupSize = 256
	retryMin  = 20 * time.Millisecond
	retryMax  = time.Second
	tryFor    = 10 * time.Second // one attempt to commit
)

// Stats of the writing side.
type Stats struct {
	Queued  int   // handed over, not yet written
	Dropped int64 // given up: over the memory bound, or refused by the database for good
	Failing bool  // the last attempt to write failed; it is being tried again
}

// input is something handed to the writer. fold runs on its goroutine, once.
type input interface{ fold(*writer, *batch) }

// writer is the one goroutine that writes what must not wait. Each input is
// folded once into a batch of rows; the batch is what is tried until it is in.
type writer struct {
	s    *Store
	wake chan struct{}
	quit chan struct{}
	done chan struct{}

	mu      sync.Mutex
	queue   []input
	hurry   bool // somebody waits: do not gather a group
	stopped bool
	stats   Stats
	giveUp  time.Time // once stopping: no retry after this

	// on the writer's goroutine only
	calls map[routing.CallID]*callState
	ended []routing.CallID // states kept a while for what comes after the end
}

func newWriter(s *Store) *writer {
	w := &writer{
		s: s, wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
		calls: map[routing.CallID]*callState{},
	}
	go w.run()
	return w
}

// put hands over an input. bounded inputs may be dropped when memory is full.
func (w *writer) put(in input, bounded bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped || bounded && len(w.queue) >= w.s.opts.MaxQueued {
		w.stats.Dropped++
		return false
	}
	w.queue = append(w.queue, in)
	w.signal()
	return true
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// barrier is an input that tells when all before it has been written.
type barrier chan struct{}

func (b barrier) fold(_ *writer, out *batch) { out.barriers = append(out.barriers, b) }

// Flush waits until everything handed over before it is written.
func (s *Store) Flush(ctx context.Context) error {
	done := make(barrier)
	if !s.w.put(done, false) {
		return ErrClosed
	}
	s.w.mu.Lock()
	s.w.hurry = true
	s.w.mu.Unlock()
	s.w.signal()
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
	st.Queued = len(s.w.queue)
	return st
}

// stop writes what is queued, trying for so long, and ends the goroutine.
func (w *writer) stop(within time.Duration) error {
	w.mu.Lock()
	if !w.stopped {
		w.stopped, w.hurry, w.giveUp = true, true, time.Now().Add(within)
		close(w.quit)
	}
	w.mu.Unlock()
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.queue); n > 0 {
		return fmt.Errorf("store: %d changes could not be written before the end", n)
	}
	return nil
}

func (w *writer) run() {
	defer close(w.done)
	for {
		select {
		case <-w.wake:
		case <-w.quit:
		}
		for {
			group, more := w.gather()
			if len(group) == 0 {
				break
			}
			b := newBatch()
			for _, in := range group {
				in.fold(w, b)
			}
			if !w.commit(b) {
				w.mu.Lock()
				w.queue = append(group, w.queue...) // counted as lost by stop
				w.mu.Unlock()
				return
			}
			if !more {
				break
			}
		}
		w.mu.Lock()
		over := w.stopped && len(w.queue) == 0
		w.mu.Unlock()
		if over {
			return
		}
	}
}

// gather takes the next group, giving it a moment to fill.
func (w *writer) gather() (group []input, more bool) {
	w.mu.Lock()
	wait := !w.hurry && len(w.queue) > 0 && len(w.queue) < groupSize
	w.mu.Unlock()
	if wait {
		t := time.NewTimer(groupWait)
		select {
		case <-t.C:
		case <-w.quit:
		}
		t.Stop()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.queue), groupSize)
	group = append(group, w.queue[:n]...)
	clear(w.queue[:n])
	w.queue = w.queue[n:]
	if len(w.queue) == 0 {
		w.queue, w.hurry = nil, false
	}
	return group, len(w.queue) > 0
}

// commit tries until the batch is in; false when the store closes first.
func (w *writer) commit(b *batch) bool {
	pause := retryMin
	for {
		err := w.try(b)
		if err == nil {
			break
		}
		if w.s.db.refuses(err) {
			w.commitSingly(b, err)
			break
		}
		w.failing(err)
		if !w.pause(pause) {
			return false
		}
		pause = min(2*pause, retryMax)
	}
	w.mu.Lock()
	recovered := w.stats.Failing
	w.stats.Failing = false
	w.mu.Unlock()
	if recovered {
		w.s.log.Info("database can be written again")
	}
	w.s.pending.written(b.contacts)
	w.forget(b)
	for _, done := range b.barriers {
		close(done)
	}
	return true
}

func (w *writer) try(b *batch) error {
	if b.empty() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), tryFor)
	defer cancel()
	return w.s.write.inTx(ctx, b.write)
}

// commitSingly writes the parts of a batch that the database refused as a
// whole one by one, so that one bad part costs no other.
func (w *writer) commitSingly(b *batch, whole error) {
	for _, part := range b.parts() {
		for {
			err := w.try(part)
			if err != nil && !w.s.db.refuses(err) && w.pause(retryMax) {
				continue
			}
			if err != nil {
				w.mu.Lock()
				w.stats.Dropped++
				w.mu.Unlock()
				w.s.log.Error("change refused by the database, dropped", zap.Error(err), zap.NamedError("whole", whole))
			}
			break
		}
	}
}

func (w *writer) failing(err error) {
	w.mu.Lock()
	first := !w.stats.Failing
	w.stats.Failing = true
	w.mu.Unlock()
	if first {
		w.s.log.Error("database cannot be written, calls go on and it is tried again", zap.Error(err))
	}
}

// pause waits before the next attempt; false when there shall be none.
func (w *writer) pause(d time.Duration) bool {
	select {
	case <-w.quit:
		w.mu.Lock()
		left := time.Until(w.giveUp)
		w.mu.Unlock()
		if left <= 0 {
			return false
		}
		time.Sleep(min(d, left))
	default:
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
		case <-w.quit:
		}
	}
	return true
}

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
)

// commitAll writes the batches in line, one after the other, until there will be
// no more, or the store closes and the database stays away.
func (w *writer) commitAll() {
	for {
		b := w.head()
		if b == nil {
			select {
			case <-w.ripe:
				continue
			case <-w.folded:
			}
			if b = w.head(); b == nil {
				return
			}
		}
		if !w.commit(b) {
			<-w.folded
			return
		}
		w.pop(b)
	}
}

func (w *writer) head() *batch {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.line) == 0 {
		return nil
	}
	return w.line[0]
}

// pop takes a written batch out of the line, and empties the spill file with the
// last.
func (w *writer) pop(b *batch) {
	w.mu.Lock()
	w.line[0] = nil
	w.line = w.line[1:]
	w.lining -= b.inputs
	if w.kept > 0 {
		w.kept--
		w.keeping -= b.inputs
	}
	w.stats.Exposed = w.stats.Exposed && len(w.line) > 0
	for _, call := range b.order {
		if !b.rows[call].EndedAt.IsZero() {
			w.finished = append(w.finished, call)
		}
	}
	w.mu.Unlock()
	signal(w.wake)
	if err := w.spill.clear(w.drained); err != nil {
		w.s.log.Error("spill file cannot be emptied", zap.Error(err))
	}
	for _, done := range b.barriers {
		close(done)
	}
}

// drained tells that nothing waits for the database.
func (w *writer) drained() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.line) == 0
}

// spillLine brings what waits for the database into the spill file. After hours
// the line is long: nothing here walks all of it while others wait for the lock.
func (w *writer) spillLine() {
	w.mu.Lock()
	out := slices.Clone(w.line[w.kept:])
	w.mu.Unlock()
	if len(out) == 0 || w.spill == nil {
		return
	}
	err := w.spill.add(out)
	w.mu.Lock()
	first := err != nil && !w.stats.Exposed
	w.stats.Exposed = err != nil
	for _, b := range out {
		if err == nil && w.kept < len(w.line) && w.line[w.kept] == b { // else it was written meanwhile
			w.kept++
			w.keeping += b.inputs
		}
	}
	if errors.Is(err, errGivenUp) {
		w.kept, w.keeping = 0, 0
	}
	w.mu.Unlock()
	if first {
		w.s.log.Error("spill file cannot be written: what waits for the database is in memory alone", zap.Error(err))
	}
}

// commit tries until the batch is in; false when the store closes first, or when
// another server has the database.
func (w *writer) commit(b *batch) bool {
	pause := retryMin
	for {
		err := w.try(b)
		if err == nil {
			break
		}
		if w.s.db.refuses(err) {
			if !w.commitSingly(b, err) {
				return false
			}
			break
		}
		w.failing(err)
		if errors.Is(err, ErrFenced) || !w.pause(pause) {
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
	return true
}

func (w *writer) try(b *batch) error {
	if b.empty() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), tryFor)
	defer cancel()
	again := b.tried
	b.tried = true
	return w.s.write.inTx(ctx, func(t *tx) error {
		if done, err := w.s.fence.stamp(t, b.n, again); done || err != nil {
			return err
		}
		return b.write(t)
	})
}

// commitSingly writes the parts of a batch that the database refused as a
// whole one by one, so that one bad part costs no other.
func (w *writer) commitSingly(b *batch, whole error) bool {
	parts := b.parts()
	parts[len(parts)-1].n = b.n // a crash before the last leaves the whole to be done again
	for _, part := range parts {
		err := w.try(part)
		for err != nil && !w.s.db.refuses(err) {
			w.failing(err)
			if errors.Is(err, ErrFenced) || !w.pause(retryMax) {
				return false
			}
			err = w.try(part)
		}
		if err != nil {
			w.mu.Lock()
			w.stats.Dropped++
			w.dropped = append(w.dropped, part.order...)
			w.mu.Unlock()
			w.s.log.Error("change refused by the database, dropped", zap.Error(err), zap.NamedError("whole", whole))
		}
	}
	return true
}

func (w *writer) failing(err error) {
	w.mu.Lock()
	first := !w.stats.Failing
	w.stats.Failing = true
	w.mu.Unlock()
	if first {
		signal(w.wake) // what waits is spilled sooner now
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

// state is the call's state: known, or new when the ledger has not heard of it.
func (w *writer) state(call routing.CallID, at time.Time) *callState {
	c := w.calls[call]
	if c == nil {
		c = &callState{row: LedgerRow{Call: call, PublicID: newPublicID(), ArrivedAt: at}}
		w.calls[call] = c
	}
	return c
}

// known is the call's state from memory, else from its row, else nil. It is not
// ok when the database does not say.
func (w *writer) known(call routing.CallID) (c *callState, ok bool) {
	if c := w.calls[call]; c != nil {
		return c, true
	}
	if w.turning.has(call) {
		return nil, true
	}
	if time.Now().Before(w.retry) {
		return nil, false
	}
	c, err := w.load(call)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, true
	case err != nil && w.s.db.refuses(err):
		w.s.log.Error("ledger row cannot be read back", zap.Int64("call", int64(call)), zap.Error(err))
		return nil, true
	case err != nil:
		w.retry = time.Now().Add(retryMax)
		return nil, false
	}
	w.calls[call] = c
	if !c.row.EndedAt.IsZero() {
		c.listed = true
		w.ended = append(w.ended, call)
	}
	return c, true
}

// loadFor is how long the folding goroutine waits for a row.
const loadFor = time.Second

func (w *writer) load(call routing.CallID) (*callState, error) {
	ctx, cancel := context.WithTimeout(context.Background(), loadFor)
	defer cancel()
	row, err := readRow(ctx, w.s.read, call)
	if err != nil {
		return nil, err
	}
	c := &callState{row: row}
	if err := w.s.read.row(ctx, qLastSeq, []any{int64(call)}, &c.seq); err != nil {
		return nil, fmt.Errorf("events of call %d: %w", call, err)
	}
	return c, nil
}

// forget drops the states of calls that ended, and were written, long ago, and
// what was thought to be written of rows that were refused.
func (w *writer) forget() {
	w.mu.Lock()
	finished, dropped := w.finished, w.dropped
	w.finished, w.dropped = nil, nil
	w.mu.Unlock()
	for _, call := range dropped {
		if c := w.calls[call]; c != nil {
			c.saved = nil
		}
	}
	for _, call := range finished {
		if c := w.calls[call]; c != nil && !c.listed {
			c.listed = true
			w.ended = append(w.ended, call)
		}
	}
	if over := len(w.ended) - w.s.opts.KeepEnded; over > 0 {
		for _, call := range w.ended[:over] {
			delete(w.calls, call)
		}
		w.ended = append(w.ended[:0], w.ended[over:]...)
	}
	w.turning.forget(w.s.opts.KeepEnded)
}

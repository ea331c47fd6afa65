package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrFenced says that another server has taken the database over: this one may
// write no more.
var ErrFenced = errors.New("another server has taken over the database")

// fence keeps a server whose lock was lost from writing beside its successor.
type fence struct {
	epoch int64 // ours; 0 for a tool, which is never fenced
	once  sync.Once
	lost  chan struct{} // closed when a later epoch was seen
}

// take begins this server's epoch. It waits for the transactions of the server
// before, which then has none left that could pass.
func (f *fence) take(ctx context.Context, p *pool) error {
	err := p.inTx(ctx, func(t *tx) error { return t.row(qTakeEpoch, nil, &f.epoch) })
	if err != nil {
		return fmt.Errorf("take the database over: %w", err)
	}
	return nil
}

// check begins a transaction: it goes on only in our own epoch.
func (f *fence) check(t *tx) error {
	var now int64
	if err := t.row(qShareEpoch, nil, &now); err != nil {
		return err
	}
	if now != f.epoch {
		f.once.Do(func() { close(f.lost) })
		return ErrFenced
	}
	return nil
}

// Fenced is closed when another server has taken the database over: nothing
// can be written any more, and this server should end.
func (s *Store) Fenced() <-chan struct{} { return s.fence.lost }

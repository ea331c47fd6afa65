package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"go.uber.org/zap"
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
func (f *fence) take(ctx context.Context, p *pool) error { return f.takeAbove(ctx, p, 0) }

// takeAbove begins an epoch that is above another one, too: a database put back
// from a copy counts anew from where the copy was made.
func (f *fence) takeAbove(ctx context.Context, p *pool, other int64) error {
	err := p.inTx(ctx, func(t *tx) error {
		if other > 0 {
			if _, err := t.exec(qRaiseCounter, counterEpoch, other); err != nil {
				return err
			}
		}
		return t.row(qTakeEpoch, nil, &f.epoch)
	})
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
		f.end()
		return ErrFenced
	}
	return nil
}

func (f *fence) end() { f.once.Do(func() { close(f.lost) }) }

// ended tells whether a later epoch was seen.
func (f *fence) ended() bool {
	select {
	case <-f.lost:
		return true
	default:
		return false
	}
}

// outlived asks the database for the epoch, when the lock was lost: a server that
// writes nothing would go on to take calls that it cannot record. An error says
// that it could not be asked.
func (s *Store) outlived(ctx context.Context) (bool, error) {
	var now int64
	if err := s.read.row(ctx, qCounter, []any{counterEpoch}, &now); err != nil {
		return false, fmt.Errorf("whose epoch it is: %w", err)
	}
	if now == s.fence.epoch {
		return false, nil
	}
	s.log.Error("another server has had the database in between", zap.Error(ErrFenced))
	s.fence.end()
	return true, nil
}

// counterEpoch is the counter of the epochs, and stamps of the last keepStamps of
// them are kept.
const (
	counterEpoch = "epoch"
	keepStamps   = 1000
)

// stampName is the counter that holds the number of a server's last batch.
func stampName(epoch int64) string { return "written/" + strconv.FormatInt(epoch, 10) }

// stamp notes in the transaction which batch it writes, before anything else.
// again is set when it was tried before: of a commit that broke off nobody else
// knows whether it was done, or is being done even now, which is waited for. It
// is done then and need not be written. 0 is a part of a batch.
func (f *fence) stamp(t *tx, n int64, again bool) (done bool, err error) {
	if f.epoch == 0 || n == 0 {
		return false, nil
	}
	if !again {
		return false, t.put(qRaiseCounter, stampName(f.epoch), n)
	}
	raised, err := t.exec(qRaiseCounter, stampName(f.epoch), n)
	return err == nil && raised == 0, err
}

// Fenced is closed when another server has taken the database over: nothing
// can be written any more, and this server should end.
func (s *Store) Fenced() <-chan struct{} { return s.fence.lost }

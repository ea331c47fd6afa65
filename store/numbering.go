package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/cordboard/cordboard/routing"
)

const (
	counterCalls = "calls"
	numberBlock  = 1000 // call numbers reserved at once
)

// numbering gives out call numbers from blocks reserved in the database. A
// crash loses the rest of a block: numbers may have gaps and never repeat.
type numbering struct {
	mu       sync.Mutex
	next     int64 // the next to give out
	reserved int64 // numbers up to this are ours, or are being reserved
	over     bool
}

func (n *numbering) start(ctx context.Context, s *Store) error {
	if s.opts.Tool {
		n.over = true
		return nil
	}
	var last, highest int64
	err := s.write.inTx(ctx, func(t *tx) error {
		if err := t.row(qCounter, []any{counterCalls}, &last); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err := t.row(qHighestCall, nil, &highest); err != nil {
			return err
		}
		last = max(last, highest)
		_, err := t.exec(qRaiseCounter, counterCalls, last+numberBlock)
		return err
	})
	if err != nil {
		return fmt.Errorf("call numbers: %w", err)
	}
	n.next, n.reserved = last+1, last+numberBlock
	return nil
}

// NextCall gives out the next call number. It does not block: the next block is
// reserved when half of this one is used, and should the database be away for
// longer than that lasts, numbers go on rising (one server has the store), to
// be reserved when it is back. A store opened as a tool gives none: 0.
func (s *Store) NextCall() routing.CallID {
	n := &s.numbers
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.over {
		return 0
	}
	call := n.next
	n.next++
	if n.next+numberBlock/2 > n.reserved {
		n.reserved += numberBlock
		s.w.put(reserve(n.reserved), false)
	}
	return routing.CallID(call)
}

// reserve is the new value of the counter.
type reserve int64

func (r reserve) fold(_ *writer, b *batch) bool {
	b.counter = max(b.counter, int64(r))
	return true
}

// giveBack ends the numbering and, when nothing is under way, returns what is
// left of the block, so that an orderly restart leaves no gap.
func (n *numbering) giveBack(s *Store) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.over {
		return
	}
	n.over = true
	s.w.put(returned{last: n.next - 1}, false)
}

// returned lowers the counter to the last number given out.
type returned struct{ last int64 }

func (r returned) fold(_ *writer, b *batch) bool {
	b.returned = &r.last
	return true
}

package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
)

// ReasonCallback is the reason of an open call whose caller is to be called
// back: it has no line, and outlives a restart.
const ReasonCallback = "callback"

// Callback is a place that waits for its customer to be called back.
type Callback struct {
	LedgerRow
	At     string // the number to call, E.164
	Kept   routing.Kept
	Events []Event // of the call so far
}

// Callbacks are the places that an earlier run has left, in order of their
// calls, as the events of the ledger have them; one that cannot be read is logged
// and left out. It is asked before calls come.
func (s *Store) Callbacks(ctx context.Context) ([]Callback, error) {
	open, err := s.OpenCalls(ctx)
	if err != nil {
		return nil, err
	}
	open = slices.DeleteFunc(open, func(r LedgerRow) bool { return r.Reason != ReasonCallback })
	var out []Callback
	for some := range slices.Chunk(open, foldedAtOnce) {
		events, err := s.eventsOf(ctx, some, nil)
		if err != nil {
			return nil, err
		}
		for i := range some {
			row := &some[i]
			b := Callback{LedgerRow: *row, At: cmp.Or(row.CallBack, row.Number), Events: events[row.Call]}
			if err := followKept(&b.Kept, events[row.Call]); err != nil {
				s.log.Error("a place cannot be read: nobody will be called back for it", zap.Int64("call", int64(row.Call)), zap.Error(err))
				continue
			}
			s.w.put(waitsSince{row.Call, b.Kept.Since}, false)
			out = append(out, b)
		}
	}
	return out, nil
}

// waitsSince is when the waiting of a place began, which its row does not say: the
// ledger counts its wait from there on, whatever server it is that calls.
type waitsSince struct {
	call  routing.CallID
	since time.Time
}

func (s waitsSince) fold(w *writer, _ *batch) bool {
	c, ok := w.known(s.call)
	if c != nil {
		c.since = s.since
	}
	return ok
}

// followKept folds the events of a call into its place.
func followKept(k *routing.Kept, events []Event) error {
	taken := false
	for i := range events {
		a, err := keptAction(&events[i])
		if err != nil {
			return fmt.Errorf("event %d: %w", events[i].Seq, err)
		}
		_, now := a.(routing.CallbackTaken)
		if taken = taken || now; a != nil && taken {
			k.Follow(a)
		}
	}
	if !taken {
		return fmt.Errorf("%w: nobody has accepted it", ErrNotFound)
	}
	return nil
}

// keptAction is the action of an event that a place follows, else nil.
func keptAction(e *Event) (routing.Action, error) {
	switch e.Kind {
	case routing.CallbackTaken{}.Kind():
		return decoded[routing.CallbackTaken](e)
	case routing.CallCustomer{}.Kind():
		return decoded[routing.CallCustomer](e)
	case routing.DropCustomer{}.Kind():
		return decoded[routing.DropCustomer](e)
	case routing.CallbackMissed{}.Kind():
		return decoded[routing.CallbackMissed](e)
	case routing.Enqueued{}.Kind():
		return decoded[routing.Enqueued](e)
	}
	return nil, nil
}

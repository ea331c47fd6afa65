package store

import (
	"context"
	"fmt"

	"github.com/cordboard/cordboard/routing"
)

// ReasonCallback is the reason of an open call whose caller is to be called
// back: it has no line, and outlives a restart.
const ReasonCallback = "callback"

// Callback is a place that waits for its customer to be called back.
type Callback struct {
	Call    routing.CallID
	Number  string // E.164; "" when it was withheld
	Dialled string
	Trunk   string
	Kept    routing.Kept
}

// Callbacks are the places that an earlier run has left, in order of their
// calls, as the events of the ledger have them. It is asked before calls come.
func (s *Store) Callbacks(ctx context.Context) ([]Callback, error) {
	open, err := s.OpenCalls(ctx)
	if err != nil {
		return nil, err
	}
	var out []Callback
	for i := range open {
		row := &open[i]
		if row.Reason != ReasonCallback {
			continue
		}
		events, err := s.Events(ctx, row.Call)
		if err != nil {
			return nil, err
		}
		b := Callback{Call: row.Call, Number: row.Number, Dialled: row.Dialled, Trunk: row.Trunk}
		if err := followKept(&b.Kept, events); err != nil {
			return nil, fmt.Errorf("store: callback of call %d: %w", row.Call, err)
		}
		out = append(out, b)
	}
	return out, nil
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
	case routing.CallbackMissed{}.Kind():
		return decoded[routing.CallbackMissed](e)
	case routing.Enqueued{}.Kind():
		return decoded[routing.Enqueued](e)
	}
	return nil, nil
}

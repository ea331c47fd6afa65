package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
)

// ReasonRestart is the reason of calls that an earlier process left open.
const ReasonRestart = "restart"

// takeOver ends what an earlier process left behind: it can no longer be
// carried on. A talk's end is the last sign of life the ledger has of it; who
// waited did so until the last sign of life of the run.
func (s *Store) takeOver(ctx context.Context) error {
	now := time.Now()
	talked, err := s.talksCutOff(ctx)
	if err != nil {
		return fmt.Errorf("talks of the last run: %w", err)
	}
	var closed int64
	err = s.write.inTx(ctx, func(t *tx) error {
		var last int64
		if err := t.row(qLastSign, nil, &last); err != nil {
			return err
		}
		if _, err := t.exec(qRestartWaits, last); err != nil {
			return err
		}
		if _, err := t.exec(qRestartEvents, now.UnixMicro()); err != nil {
			return err
		}
		var err error
		if closed, err = t.exec(qRestartCalls, last); err != nil {
			return err
		}
		for call, talk := range talked {
			if err := t.put(qSetTalk, int64(call), talk.Microseconds()); err != nil {
				return err
			}
		}
		if _, err := t.exec(qDropStamps, s.fence.epoch-keepStamps); err != nil {
			return err
		}
		_, err = t.exec(qRemoveAllDialogs)
		return err
	})
	if err != nil {
		return fmt.Errorf("close calls of the last run: %w", err)
	}
	if closed > 0 {
		s.log.Warn("calls of the last run closed as failed", zap.Int64("calls", closed), zap.String("reason", ReasonRestart))
	}
	return nil
}

// talksCutOff is how long the callers of open calls talked, as far as the events
// say: a row learns of a talk when it ends.
func (s *Store) talksCutOff(ctx context.Context) (map[routing.CallID]time.Duration, error) {
	open, err := s.OpenCalls(ctx)
	if err != nil {
		return nil, err
	}
	talked := map[routing.CallID]time.Duration{}
	for _, row := range open {
		if row.TalkAt.IsZero() {
			continue
		}
		events, err := s.Events(ctx, row.Call)
		if err != nil {
			return nil, err
		}
		talk, err := talkIn(events)
		if err != nil {
			s.log.Error("events of a call cannot be read", zap.Int64("call", int64(row.Call)), zap.Error(err))
			continue
		}
		talked[row.Call] = talk
	}
	return talked, nil
}

// talkIn folds the events that begin and end talks.
func talkIn(events []Event) (time.Duration, error) {
	var c callState
	var last time.Time
	for i := range events {
		e := &events[i]
		a, err := talkAction(e)
		if err != nil {
			return 0, fmt.Errorf("event %d: %w", e.Seq, err)
		}
		if a != nil {
			c.apply(e.At, a)
		}
		if e.At.After(last) {
			last = e.At
		}
	}
	c.talkEnds(last)
	return c.row.Talk, nil
}

// talkAction is the action of an event that begins or ends a talk, else nil.
func talkAction(e *Event) (routing.Action, error) {
	switch e.Kind {
	case routing.Connect{}.Kind():
		return decoded[routing.Connect](e)
	case routing.Withdraw{}.Kind():
		return decoded[routing.Withdraw](e)
	case routing.Release{}.Kind():
		return decoded[routing.Release](e)
	case routing.Transferred{}.Kind():
		return decoded[routing.Transferred](e)
	case routing.HandedOver{}.Kind():
		return decoded[routing.HandedOver](e)
	}
	return nil, nil
}

func decoded[A routing.Action](e *Event) (routing.Action, error) {
	var a A
	if len(e.Data) == 0 {
		return nil, errors.New("it has lost its data")
	}
	err := json.Unmarshal(e.Data, &a)
	return a, err
}

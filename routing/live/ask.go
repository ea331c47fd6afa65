package live

import (
	"context"
	"errors"
	"fmt"

	"github.com/cordboard/cordboard/routing"
)

// ErrBusy says that as many questions are being answered as may be at once.
var ErrBusy = errors.New("too many questions at once")

const (
	maxAsked = 8
	// pieceUnits is the work on a question between two looks at the mailbox:
	// some 1,000 agents, about a millisecond.
	pieceUnits = 4_000
)

// inquiry is a question and who waits for its answer.
type inquiry struct {
	ctx      context.Context
	question *routing.Question
	reply    chan error
}

// Waits asks why a live call waits; false when there is no such call. The
// answer is worked out in pieces: no event waits for longer than one of them.
func (d *Driver) Waits(ctx context.Context, call routing.CallID) (routing.Waits, bool, error) {
	q := inquiry{ctx, routing.NewQuestion(call), make(chan error, 1)}
	d.mu.Lock()
	switch {
	case d.stopped:
		d.mu.Unlock()
		return routing.Waits{}, false, ErrStopped
	case len(d.asked) >= maxAsked:
		d.mu.Unlock()
		return routing.Waits{}, false, ErrBusy
	}
	d.asked = append(d.asked, q)
	d.mu.Unlock()
	d.ring()
	select {
	case err := <-q.reply:
		w, known := q.question.Result()
		return w, known, err
	case <-ctx.Done():
		return routing.Waits{}, false, fmt.Errorf("why call %d waits: %w", call, ctx.Err())
	}
}

// answer works on the first question for one piece.
func (d *Driver) answer() {
	d.mu.Lock()
	if len(d.asked) == 0 {
		d.mu.Unlock()
		return
	}
	q := d.asked[0]
	d.mu.Unlock()
	done, err := true, q.ctx.Err() // nobody waits any more
	if err == nil {
		done, err = d.work(q.question)
	}
	if !done {
		d.ring() // on with it, after what has come meanwhile
		return
	}
	d.mu.Lock()
	d.asked = d.asked[1:]
	more := len(d.asked) > 0
	d.mu.Unlock()
	q.reply <- err
	if more {
		d.ring()
	}
}

// work survives a panic: a question must not end routing.
func (d *Driver) work(q *routing.Question) (done bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			done, err = true, fmt.Errorf("question failed: %v", v)
		}
	}()
	return d.engine.Answer(q, pieceUnits), nil
}

// dismiss answers what is left when the driver has stopped.
func (d *Driver) dismiss() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, q := range d.asked {
		q.reply <- ErrStopped
	}
	d.asked = nil
}

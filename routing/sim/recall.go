package sim

import (
	"errors"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// ErrNothingRecorded says that what was decided of a call is not known.
var ErrNothingRecorded = errors.New("its customer was erased, and nothing is recorded of its decisions")

// Recall gives the events whose customer was erased what was recorded of the call,
// which an engine then takes as it was (routing.Recorded). That begins with the
// event that brought the record, and needs no look ahead: what was decided before
// did not hang on it, and comes out again by itself.
type Recall struct {
	// Recorded is what was decided of a call.
	Recorded func(routing.CallID) (*routing.Recorded, error)

	erased map[routing.CallID]bool
	count  int // of these, those that are no questions about another
	at     time.Time
	told   map[routing.CallID]*routing.Recorded // at that instant
}

// Calls is how many calls were erased so far, agents' questions about them not
// counted.
func (r *Recall) Calls() int { return r.count }

// Erased says whether a call's customer was erased, as far as was read.
func (r *Recall) Erased(call routing.CallID) bool { return r.erased[call] }

// Complete is an event before the engine has it.
func (r *Recall) Complete(at time.Time, ev routing.Event) (_ routing.Event, err error) {
	switch e := ev.(type) {
	case routing.CustomerResolved:
		if e.Erased {
			r.erase(e.Call, true)
			e.Recorded, err = r.recorded(at, e.Call)
		}
		return e, err
	case routing.RimRead:
		if e.Erased {
			r.erase(e.Call, true)
			e.Recorded, err = r.recorded(at, e.Call)
		}
		return e, err
	case routing.ConsultRequested:
		if r.erased[e.Call] {
			r.erase(e.Consult, false)
			e.Recorded, err = r.recorded(at, e.Consult)
			if errors.Is(err, ErrNothingRecorded) {
				err = nil // it was refused: there is no such call
			}
		}
		return e, err
	}
	return ev, nil
}

func (r *Recall) erase(call routing.CallID, counts bool) {
	if r.erased[call] {
		return
	}
	if r.erased == nil {
		r.erased = map[routing.CallID]bool{}
	}
	r.erased[call] = true
	if counts {
		r.count++
	}
}

func (r *Recall) recorded(at time.Time, call routing.CallID) (*routing.Recorded, error) {
	if r.Recorded == nil {
		return nil, fmt.Errorf("call %d: %w", call, ErrNothingRecorded)
	}
	all, err := r.Recorded(call)
	if err != nil {
		return nil, fmt.Errorf("call %d: %w", call, err)
	}
	r.begin(at)
	return all.Since(at, r.told[call]), nil
}

// Did is told what an event led to, so that of an instant nothing is taken twice.
func (r *Recall) Did(at time.Time, acts []routing.Action) {
	r.begin(at)
	for _, a := range acts {
		of, ok := routing.About(a)
		if !ok || !routing.IsDecision(a) {
			continue
		}
		if r.told == nil {
			r.told = map[routing.CallID]*routing.Recorded{}
		}
		if r.told[of.Call] == nil {
			r.told[of.Call] = &routing.Recorded{}
		}
		r.told[of.Call].Follow(at, a)
	}
}

func (r *Recall) begin(at time.Time) {
	if !at.Equal(r.at) {
		r.at = at
		clear(r.told)
	}
}

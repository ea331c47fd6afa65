// Package sim drives the routing engine without a server: Replay feeds it a
// journal, so that what was decided is decided again, with its reasons. Like
// the engine it reads no clock and does no IO; who has the journal and the
// documents hands them in. The command explain and the HTTP edge's explanation
// of a call are its callers.
package sim

import (
	"errors"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// ErrNoStart says that a journal was not read from where a run began.
var ErrNoStart = errors.New("the journal does not begin with the start of a run")

// Replay decides again what a journal's events led to. Each run of a server
// begins with a new engine, as the server did.
type Replay struct {
	// Policy finds the compiled document of a version, with the agents of the
	// directory of that SHA-256; "" for one that lists them itself.
	Policy func(version int, sha256, directory string) (*routing.Policy, error)
	// Call is whose records are told to Tell; 0: those of all calls.
	Call routing.CallID
	Tell func(routing.Record)
	// Done is told what each event led to; nil: nobody wants to know. The slice
	// is valid until it returns.
	Done func(at time.Time, ev routing.Event, actions []routing.Action)
	// Recall brings what was recorded of calls whose customer was erased.
	Recall

	engine  *routing.Engine
	version int    // that is live
	sha256  string // its document's
	// Events counts those that were applied.
	Events int
}

// Event applies one event of the journal, in order. An error is of a document
// that is not there, or of a journal that does not begin with a start; an event
// that the engine refuses was refused then too, and is none.
func (r *Replay) Event(at time.Time, ev routing.Event) error {
	ev, err := r.complete(ev)
	if err != nil {
		return fmt.Errorf("version %d: %w", r.version, err)
	}
	if r.engine == nil {
		return ErrNoStart
	}
	if ev, err = r.Complete(at, ev); err != nil {
		return err
	}
	r.Events++
	acts := r.step(at, ev)
	r.Did(at, acts)
	if r.Done != nil {
		r.Done(at, ev, acts)
	}
	return nil
}

// complete gives an event the document that the journal names by its hash.
func (r *Replay) complete(ev routing.Event) (routing.Event, error) {
	switch e := ev.(type) {
	case routing.Started:
		r.version, r.sha256 = e.Version, e.SHA256
		p, err := r.Policy(e.Version, e.SHA256, e.Directory)
		if err != nil {
			return nil, err
		}
		r.engine = routing.New(p)
		r.engine.Watch(r.Call, r.Tell)
	case routing.PolicyChanged:
		r.version, r.sha256 = e.Version, e.SHA256
		p, err := r.Policy(e.Version, e.SHA256, e.Directory)
		e.Policy = p
		return e, err
	case routing.DirectoryChanged:
		p, err := r.Policy(r.version, r.sha256, e.SHA256)
		e.Policy = p
		return e, err
	}
	return ev, nil
}

// step does what the server did when Step failed: the call that the event is
// about was ended.
func (r *Replay) step(at time.Time, ev routing.Event) []routing.Action {
	acts, failed := r.try(at, ev)
	if !failed {
		return acts
	}
	call, ok := routing.CallOf(ev)
	if _, again := ev.(routing.CallFailed); !ok || again {
		return nil
	}
	acts, _ = r.try(at, routing.CallFailed{Call: call, Reason: "internal"})
	return acts
}

func (r *Replay) try(at time.Time, ev routing.Event) (acts []routing.Action, failed bool) {
	defer func() {
		if recover() != nil {
			acts, failed = nil, true
		}
	}()
	acts, _ = r.engine.Step(at, ev)
	return acts, false
}

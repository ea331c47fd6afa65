// Package why says why a recorded call went where it went. It reads the ledger
// and decides the call again from the journal, by the engine that serves, so
// that a record of a decision costs nothing while calls are routed. It changes
// nothing and writes nothing; the command explain and the HTTP edge are its
// callers.
package why

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/sim"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/store/journal"
)

// Ledger reads the calls that were.
type Ledger interface {
	LedgerRow(ctx context.Context, call routing.CallID) (store.LedgerRow, error)
	Events(ctx context.Context, call routing.CallID) ([]store.Event, error)
}

// Sources is where the truth lies.
type Sources struct {
	Ledger Ledger
	// Journal is the folder of the server's journal; "" for none.
	Journal string
	// Policy finds the compiled document of a version, with the agents of a
	// directory ("" for none).
	Policy func(ctx context.Context, version int, sha256, directory string) (*routing.Policy, error)
	// MostEvents bounds the events of the journal that are decided again, all since
	// the start of the run in which the call arrived; 0: no bound.
	MostEvents int
}

// What deciding again came to.
const (
	Same        = "same"         // each decision came out as the ledger has it
	Differs     = "differs"      // one did not: the records are the ledger's
	NotPossible = "not_possible" // likewise, for the reason given
	Erased      = "erased"       // likewise: what the decisions rested on can't be read any more
)

// Explained is a recorded call with the reasons of its decisions.
type Explained struct {
	Call    routing.CallID  `json:"call"`
	Arrived time.Time       `json:"arrived"`
	Ended   time.Time       `json:"ended,omitzero"`
	Queue   string          `json:"queue"`
	Agent   agents.ID       `json:"agent,omitempty"` // who talked last
	Outcome routing.Outcome `json:"outcome,omitempty"`
	// Again says whether the decisions came out the same when taken again; Reason
	// why not. Records that were not decided again have only what the ledger
	// keeps: no attributes, no routes tried, at most fifty agents left out.
	Again  string `json:"decided_again"`
	Reason string `json:"decided_again_reason,omitempty"`
	// Events of the journal that were decided again, in so many microseconds.
	Events int `json:"events,omitempty"`
	// ErasedCalls of other customers were taken as recorded on the way.
	ErasedCalls int              `json:"erased_calls,omitempty"`
	TookUS      int64            `json:"took_us,omitempty"`
	Records     []routing.Record `json:"records"`
	Moments     []Moment         `json:"moments"`
}

// Moment is one thing that became of the call.
type Moment struct {
	At     time.Time `json:"at"`
	What   string    `json:"what"`
	Record int       `json:"record,omitempty"` // its record, from 1
}

// ErrNoCall says that the ledger has no such call.
var ErrNoCall = errors.New("no such call")

var (
	errOver    = errors.New("the call is over")
	errTooMany = errors.New("too many events since the server started")
	errPBX     = errors.New("a PBX chose the agent: nothing was decided here")
	errErased  = errors.New("its customer was erased: what its decisions rested on can't be read any more")
)

// Call explains one call of the ledger.
func (s *Sources) Call(ctx context.Context, call routing.CallID) (*Explained, error) {
	out, row, events, err := read(ctx, s.Ledger, call)
	if err != nil {
		return nil, err
	}
	if row.OfPBX() {
		out.moments(events)
		return out, nil
	}
	kept := out.Records
	began := time.Now()
	again, r, err := s.again(ctx, row)
	switch {
	case errors.Is(err, errErased):
		out.Again, out.Reason = Erased, err.Error()
	case err != nil:
		out.Reason = err.Error()
	case !sameDecisions(kept, again):
		out.Again, out.Reason = Differs, "the journal leads to other decisions than the ledger has"
	default:
		out.Again, out.Events, out.ErasedCalls, out.TookUS = Same, r.Events, r.Calls(), time.Since(began).Microseconds()
		kept = again[:len(kept)]
	}
	out.Records = kept
	out.moments(events)
	return out, nil
}

// Told is a call as the ledger tells it, without its decisions taken again.
func Told(ctx context.Context, from Ledger, call routing.CallID) (*Explained, error) {
	out, _, events, err := read(ctx, from, call)
	if err != nil {
		return nil, err
	}
	out.moments(events)
	return out, nil
}

// read gives what the ledger has of a call, its moments not yet told.
func read(ctx context.Context, from Ledger, call routing.CallID) (out *Explained, row store.LedgerRow, events []store.Event, err error) {
	row, err = from.LedgerRow(ctx, call)
	if errors.Is(err, store.ErrNotFound) {
		err = ErrNoCall
	}
	if err == nil {
		events, err = from.Events(ctx, call)
	}
	if err != nil {
		return nil, row, nil, err
	}
	out = &Explained{Call: call, Arrived: row.ArrivedAt, Ended: row.EndedAt, Queue: row.Queue, Agent: row.Agent, Outcome: row.Outcome, Again: NotPossible}
	if row.OfPBX() {
		out.Reason = errPBX.Error()
	} else if out.Records, err = keptRecords(events); err != nil {
		err = fmt.Errorf("events of call %d: %w", call, err)
	}
	return out, row, events, err
}

// again decides the call's decisions again from the journal.
func (s *Sources) again(ctx context.Context, row store.LedgerRow) (records []routing.Record, r *sim.Replay, err error) {
	if s.Journal == "" {
		return nil, nil, errors.New("no journal is kept")
	}
	policies := map[string]*routing.Policy{}
	r = &sim.Replay{
		Recall: sim.Recall{Recorded: func(call routing.CallID) (*routing.Recorded, error) { return recorded(ctx, s.Ledger, call) }},
		Call:   row.Call,
		Tell:   func(rec routing.Record) { records = append(records, rec) },
		Policy: func(version int, sha, directory string) (*routing.Policy, error) {
			key := fmt.Sprint(version, " ", sha, " ", directory)
			if p := policies[key]; p != nil {
				return p, nil
			}
			p, err := s.Policy(ctx, version, sha, directory)
			policies[key] = p
			return p, err
		},
	}
	err = journal.ReadFrom(s.Journal, row.ArrivedAt, func(at time.Time, ev routing.Event) error {
		switch {
		case !row.EndedAt.IsZero() && at.After(row.EndedAt):
			return errOver
		case s.MostEvents > 0 && r.Events >= s.MostEvents:
			return errTooMany
		case r.Events%4096 == 0 && ctx.Err() != nil:
			return ctx.Err()
		}
		if err := r.Event(at, ev); err != nil {
			return err
		}
		if r.Erased(row.Call) {
			return errErased // there is nothing to judge
		}
		return nil
	})
	if errors.Is(err, errOver) {
		err = nil
	}
	return records, r, err
}

// recorded is what the ledger has of a call's decisions.
func recorded(ctx context.Context, from Ledger, call routing.CallID) (*routing.Recorded, error) {
	_, err := from.LedgerRow(ctx, call)
	if errors.Is(err, store.ErrNotFound) {
		return nil, sim.ErrNothingRecorded
	}
	if err != nil {
		return nil, err
	}
	events, err := from.Events(ctx, call)
	if err != nil {
		return nil, err
	}
	out := &routing.Recorded{}
	for _, e := range events {
		if err := out.FollowStored(e.At, e.Kind, e.Data); err != nil {
			return nil, fmt.Errorf("event %d: %w", e.Seq, err)
		}
	}
	return out, nil
}

// sameDecisions says that the ledger's decisions are the first of those decided
// again: the ledger of a call that lives may be behind.
func sameDecisions(kept, again []routing.Record) bool {
	if len(kept) > len(again) {
		return false
	}
	for i := range kept {
		k, a := &kept[i], &again[i]
		if k.Kind != a.Kind || k.Attempt != a.Attempt || k.Chosen != a.Chosen || k.Queue != a.Queue || !k.At.Equal(a.At) {
			return false
		}
	}
	return true
}

// Only leaves one offer and what became of it; false when there is none.
func (x *Explained) Only(attempt routing.Attempt) bool {
	i := slices.IndexFunc(x.Records, func(r routing.Record) bool { return r.Kind == routing.Given && r.Attempt == attempt })
	if i < 0 {
		return false
	}
	at := slices.IndexFunc(x.Moments, func(m Moment) bool { return m.Record == i+1 })
	end := len(x.Moments)
	if next := slices.IndexFunc(x.Moments[at+1:], func(m Moment) bool { return m.Record > 0 }); next >= 0 {
		end = at + 1 + next
	}
	x.Records, x.Moments = x.Records[i:i+1], x.Moments[at:end]
	x.Moments[0].Record = 1
	return true
}

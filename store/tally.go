package store

import (
	"time"

	"github.com/cordboard/cordboard/routing"
)

// Tally folds the engine's actions into the rows of the calls that live, as
// the ledger does, for whoever must know how a call ended without asking the
// database. It is for one goroutine.
type Tally struct{ live map[routing.CallID]*callState }

// NewTally makes an empty one.
func NewTally() *Tally { return &Tally{live: map[routing.CallID]*callState{}} }

// Restore takes up a call that an earlier run has left to be called back.
func (t *Tally) Restore(b *Callback) {
	t.live[b.Call] = &callState{row: b.LedgerRow, since: b.Kept.Since}
}

// Live is how many calls it holds.
func (t *Tally) Live() int { return len(t.live) }

// Do folds actions and gives the rows of calls that have ended with them. What
// comes at the arrival (trunk, numbers) and after the end is not in them.
func (t *Tally) Do(at time.Time, actions []routing.Action) (ended []LedgerRow) {
	for _, action := range actions {
		of, ok := routing.About(action)
		if !ok || of.Call == 0 {
			continue
		}
		c := t.live[of.Call]
		begins := false
		switch a := action.(type) {
		case routing.ResolveCustomer, routing.EndCall: // the first of a call, and one that may be the first
			begins = true
		case routing.Enqueued:
			begins = a.Consult != 0 // nobody is looked up for an agent's question
		}
		if begins && c == nil {
			c = &callState{row: LedgerRow{Call: of.Call, ArrivedAt: at}}
			t.live[of.Call] = c
		}
		if c == nil {
			continue // after its end
		}
		c.apply(at, action)
		if !c.row.EndedAt.IsZero() {
			delete(t.live, of.Call)
			ended = append(ended, c.row)
		}
	}
	return ended
}

// Package live drives the routing engine in the server: one goroutine, its
// mailbox, one timer, the journal and the ports. For each event it appends to
// the journal, calls Step, and hands the actions to the ports. Nothing here
// waits for a port, a store or a disk.
package live

import (
	"time"

	"github.com/cordboard/cordboard/routing"
)

// Port does actions: call control, the desk hub, the ledger, the resolver. Do
// is called on the engine's goroutine, in order; it must not block and must not
// call back into the driver other than by Submit and TrySubmit.
type Port interface {
	Do(at time.Time, actions []routing.Action)
}

// Journal keeps the engine's inputs, in order. Append must not block on the
// disk: durability follows by group commit.
type Journal interface {
	Append(at time.Time, ev routing.Event) error
}

// Package sip is call control: it answers callers, plays music while they
// wait, rings the agents' phones when the engine says so, joins the two legs
// and ends them. One goroutine (the actor) owns each call; the engine's
// actions and the stack's events reach it through its mailbox, so that a
// panic in one call ends that call and no other.
//
// It never decides who gets a call, waits for no store and no desk, and
// transcodes nothing. A call has at most one agent's leg; every leg ends in
// ACK, BYE, CANCEL or a final response, whatever happens. A phone's own
// transfer (REFER) is what the desk's is, so that the record goes along
// (refer.go), and so is the call that it makes to a colleague (second.go); a caller's
// REFER is declined. The engine's driver calls it (Do), and
// the SIP stack.
package sip

import (
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/stack"
)

// Arrival is a new call at the rim. Caller holds a number and never passes
// into the engine.
type Arrival struct {
	Call    routing.CallID
	Caller  identity.Caller
	Dialled identity.Dialled
	Trunk   string
	At      time.Time
}

// Router is the engine's side of call control.
type Router interface {
	// NextCall gives out the next call number.
	NextCall() routing.CallID
	// Arrive hands over a new call; false means that the engine's mailbox is
	// full and the caller gets 503 with Retry-After.
	Arrive(Arrival) bool
	// Submit posts an event of a call that has arrived. It never blocks and
	// never loses the event.
	Submit(routing.Event)
}

// Phones finds an agent's telephone.
type Phones interface {
	Phone(agents.ID) (agents.Phone, bool)
}

// Numbers knows the telephone numbers that calls are passed on to. None passes into
// the engine, which gives out the reference.
type Numbers interface {
	PassedTo(call routing.CallID, ref int64) (identity.Number, bool)
}

// Targets knows whom a phone's REFER names.
type Targets interface {
	// Named reads the user part of its Refer-To: the event that passes the offer's
	// call on there. code says why it can't be, "" when it can: "unknown_target",
	// "number_not_allowed", "not_allowed", "stale".
	Named(o routing.Offer, user string) (to routing.TransferRequested, code string)
}

// Callers knows the telephones that register here, by which agents call.
type Callers interface {
	// Caller says whose telephone an INVITE comes from. An answer with a Code is its
	// answer: a challenge, or a refusal. phone is false of a call that is no telephone's
	// but a trunk's, which has the address as well.
	Caller(req *stack.Message, trunk bool) (agent agents.ID, a stack.Answer, phone bool)
}

// DialogRow is one leg's dialog as stored: handed over when the leg is answered,
// after each re-INVITE, and taken back when it ends. Whoever stores it may wait
// whether the leg stands.
type DialogRow struct {
	Call      routing.CallID
	Leg       string // "caller", or "agent/ATTEMPT", which a question has too, or "agent/second"
	Agent     agents.ID
	State     stack.DialogState
	LocalSDP  []byte
	RemoteSDP []byte
	UpdatedAt time.Time
}

// Dialogs stores the dialogs of live legs. Calls must not block: they queue.
type Dialogs interface {
	SaveDialog(DialogRow)
	RemoveDialog(call routing.CallID, leg string)
}

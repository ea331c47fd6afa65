// Package routing decides who gets which call, and when. Engine.Step applies
// one Event at a given instant and returns the Actions that must now be done;
// it never blocks, reads no clock and starts nothing. Two drivers feed it:
// routing/live in the server and the transcript runner in routing/routingtest.
//
// The words of the package are in events.go (what happened), actions.go (what
// to do) and policy.go (the compiled routing document).
package routing

import "github.com/cordboard/cordboard/agents"

// CallID is the call number: unique in a store, given out in rising order.
type CallID int64

// Attempt numbers the offers of one call, from 1. An event that carries an
// older attempt than the call's present one is stale and changes nothing.
type Attempt int

// Offer names one try to give one call to one agent.
type Offer struct {
	Call    CallID    `json:"call"`
	Attempt Attempt   `json:"attempt"`
	Agent   agents.ID `json:"agent"`
}

// Outcome is how a call ended: exactly one for each call.
type Outcome string

const (
	Answered  Outcome = "answered"   // an agent talked to the caller
	Abandoned Outcome = "abandoned"  // the caller gave up while waiting
	Treated   Outcome = "treated"    // closed, full, late: announcement, then hung up
	Rejected  Outcome = "rejected"   // refused with a SIP code before any answer
	Failed    Outcome = "failed"     // our fault or the network's, see the reason
	TakenOver Outcome = "taken_over" // a callback: the customer rang in again and has its place
	Expired   Outcome = "expired"    // a callback: the customer could not be reached in time
	// Consulted: an agent asked a colleague; no caller's call. The reason says what
	// came of it.
	Consulted Outcome = "consulted"
)

// Party says who ended a call.
type Party string

const (
	ByCaller Party = "caller"
	ByAgent  Party = "agent"
	ByServer Party = "server"
)

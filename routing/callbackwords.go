package routing

import (
	"time"

	"github.com/cordboard/cordboard/agents"
)

// CallbackAccepted: the caller has pressed the key of an offer to be called
// back. The number to call stays at the rim.
type CallbackAccepted struct {
	Call CallID `json:"call"`
	// Caller is the keyed hash of the number that was keyed in; "" when it is the
	// one the call came from.
	Caller string `json:"caller,omitempty"`
}

// CallbackDeclined: an offer was heard to its end, and the key was not pressed.
type CallbackDeclined struct {
	Call CallID `json:"call"`
}

// CallbackCancelled: nobody is to be called back for this place, as the reason says;
// one whose customer is on the line again goes on.
type CallbackCancelled struct {
	Call   CallID `json:"call"`
	Reason string `json:"reason"`
}

// CustomerAnswered: the customer of a callback has picked up. Try is that of
// CallCustomer.
type CustomerAnswered struct {
	Call CallID `json:"call"`
	Try  int    `json:"try"`
}

// CustomerMissed: the customer of a callback could not be reached. Code is the
// SIP status; 0 for a fault of our own (no place on a trunk, no port).
type CustomerMissed struct {
	Call CallID `json:"call"`
	Try  int    `json:"try"`
	Code int    `json:"code"`
}

// CallbackRestored: a server has begun to run, and this callback was accepted
// before. It takes its place again.
type CallbackRestored struct {
	Call   CallID `json:"call"`
	Caller string `json:"caller,omitempty"` // keyed hash of the number it came from
	Called string `json:"called,omitempty"` // of the one that is called, "" when that is Caller
	Kept   Kept   `json:"kept"`
}

func (CallbackAccepted) Kind() string  { return "callback_accepted" }
func (CallbackDeclined) Kind() string  { return "callback_declined" }
func (CallbackCancelled) Kind() string { return "callback_cancelled" }
func (CustomerAnswered) Kind() string  { return "customer_answered" }
func (CustomerMissed) Kind() string    { return "customer_missed" }
func (CallbackRestored) Kind() string  { return "callback_restored" }

// OfferCallback: offer the caller to be called back: play the offer and listen
// for the key. CallbackAccepted or CallbackDeclined follows.
type OfferCallback struct {
	Call  CallID `json:"call"`
	Queue string `json:"queue"`
	Key   string `json:"key"` // one digit
	// Entered: the caller may key in another number.
	Entered bool `json:"entered,omitempty"`
	// Language is the caller's, "" where the document names none.
	Language string `json:"language,omitempty"`
	// Why is the action that offers it (closed, full, late, nobody); "" while the
	// caller waits.
	Why string `json:"why,omitempty"`
	// Rule, Topic and Tag are as in Enqueued.
	Rule  string `json:"rule,omitempty"`
	Topic string `json:"topic,omitempty"`
	Tag   string `json:"tag,omitempty"`
}

// CallbackTaken: the caller will be called back. The line is released without
// an end of the call; its place waits on.
type CallbackTaken struct {
	Call CallID `json:"call"`
	Kept Kept   `json:"kept"`
}

// Kept is the place of a callback, as it survives a restart.
type Kept struct {
	Queue    string    `json:"queue"`
	Rule     string    `json:"rule"`
	Topic    string    `json:"topic,omitempty"`
	Choice   string    `json:"choice,omitempty"`   // in a menu
	Language string    `json:"language,omitempty"` // set by a route, else the caller's as far as known
	Tag      string    `json:"tag,omitempty"`
	Trunk    string    `json:"trunk,omitempty"`
	DNIS     string    `json:"dnis,omitempty"`
	Country  string    `json:"country,omitempty"`
	Region   string    `json:"region,omitempty"`
	Customer string    `json:"customer,omitempty"` // keyed hash of the id
	Arrived  time.Time `json:"arrived"`
	Since    time.Time `json:"since"` // when its waiting began
	Entered  time.Time `json:"entered"`
	Taken    time.Time `json:"taken"` // accepted
	// Priority is that of the route, Additions what came to it, each once.
	Priority  int        `json:"priority"`
	Additions []Addition `json:"additions,omitempty"`
	Visited   []string   `json:"visited,omitempty"`
	Moves     int        `json:"moves,omitempty"`
	// What the caller was promised. Ahead 0 is dial: at_turn.
	Ahead    time.Duration `json:"ahead,omitzero"`
	Attempts int           `json:"attempts"`
	Retry    time.Duration `json:"retry"`
	Expires  time.Time     `json:"expires"`
	Tries    int           `json:"tries,omitempty"`  // calls to the customer so far
	Missed   int           `json:"missed,omitempty"` // of these, the attempts that are over: not answered
	Again    time.Time     `json:"again,omitzero"`   // not to be called before
	// Elsewhere: the number to call is not the one that the call came from.
	Elsewhere bool `json:"elsewhere,omitempty"`
}

// CallCustomer: call the customer of a callback. CustomerAnswered or
// CustomerMissed follows; until then the agent, if one is reserved, has the
// record and a silent phone.
type CallCustomer struct {
	Call CallID `json:"call"`
	Try  int    `json:"try"` // from 1
	// Attempt and Agent are of the agent who is reserved; none when the customer
	// is called ahead.
	Attempt Attempt   `json:"attempt,omitempty"`
	Agent   agents.ID `json:"agent,omitempty"`
	Queue   string    `json:"queue"`
	Music   string    `json:"music,omitempty"`
	// Language is the customer's, "" where the document names none.
	Language string    `json:"language,omitempty"`
	Until    time.Time `json:"until"` // no answer after this
}

// DropCustomer: end the call to the customer, answered or not. Why is
// no_answer, stale, taken_over, or what the agent who was reserved has done, as
// in Withdraw.
type DropCustomer struct {
	Call CallID `json:"call"`
	Try  int    `json:"try"`
	Why  string `json:"why"`
}

// CallbackMissed: the customer was not reached. Why is no_answer, busy, refused,
// failed; or, which uses up none of the attempts, not_called: by a fault of ours, or
// dropped: by what the agent did who was reserved.
type CallbackMissed struct {
	Call CallID `json:"call"`
	Try  int    `json:"try"`
	Why  string `json:"why"`
	// Again is when the customer may be called again; zero: no more.
	Again time.Time `json:"again,omitzero"`
}

// CallbackReached: the customer of a callback is on the line again.
type CallbackReached struct {
	Call CallID `json:"call"`
	Try  int    `json:"try"`
}

func (OfferCallback) Kind() string   { return "offer_callback" }
func (CallbackTaken) Kind() string   { return "callback_taken" }
func (CallCustomer) Kind() string    { return "call_customer" }
func (DropCustomer) Kind() string    { return "drop_customer" }
func (CallbackMissed) Kind() string  { return "callback_missed" }
func (CallbackReached) Kind() string { return "callback_reached" }

// CalledBack is what the agent is told of a call that is a callback.
type CalledBack struct {
	Accepted time.Time `json:"accepted"` // by the caller
	Since    time.Time `json:"since"`    // when the waiting began
	Tries    int       `json:"tries"`    // calls to the customer before this one
}

package routing

import (
	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

// Event is something that happened outside the engine. Events are what the
// journal holds: every type here has a JSON form and a stable Kind.
// No name, number or text of a person ever stands in one.
type Event interface {
	// Kind is the event's name in the journal, for instance "call_arrived".
	Kind() string
}

// CallArrived: an INVITE passed the guards and its caller was read.
type CallArrived struct {
	Call   CallID    `json:"call"`
	Attrs  rule.Call `json:"attrs"`
	Caller string    `json:"caller,omitempty"` // keyed hash of the number, "" when withheld
	Rim    []AtRim   `json:"rim,omitempty"`    // by version, for those that need it
}

// CustomerResolved: the look-up has ended, in time or late.
type CustomerResolved struct {
	Call CallID `json:"call"`
	// Ask is the AskMenu for which the caller has keyed in the customer's number; 0:
	// the look-up was by telephone number.
	Ask      int           `json:"ask,omitempty"`
	Customer rule.Customer `json:"customer"`      // Known false: nobody, several, or the source failed
	Key      string        `json:"key,omitempty"` // keyed hash of the customer's id
	// Past is what the ledger says of the caller's other calls.
	Past rule.Past `json:"past,omitzero"`
	// Rim replaces what CallArrived brought, now that the record is known.
	Rim []AtRim `json:"rim,omitempty"`
	// Erased: the customer was erased since, and all but Call, Ask and Key can't be read
	// any more. Only what reads a journal sets it, and a replay Recorded beside it,
	// which the call is decided by from now on: what came before did not hang on
	// the record.
	Erased   bool      `json:"-"`
	Recorded *Recorded `json:"-"`
	// Subject is under whose key the journal seals the event: the keyed hash of the
	// customer's id, or of the number of one who is no customer; "" seals it for the
	// call alone.
	Subject string `json:"-"`
}

// CallerGone: the caller hung up or gave up (BYE, CANCEL, media or flow lost).
type CallerGone struct {
	Call CallID `json:"call"`
	// Unanswered: he has had no 200, even if an order to answer was under way.
	Unanswered bool `json:"unanswered,omitempty"`
}

// CallFailed: call control could not carry on with the caller's leg.
type CallFailed struct {
	Call       CallID `json:"call"`
	Reason     string `json:"reason"`
	Unanswered bool   `json:"unanswered,omitempty"` // as in CallerGone
}

// Ack modes of a pop.
const (
	Painted = "painted" // on a visible page, after paint
	Hidden  = "hidden"  // committed to a page whose tab is not visible
)

// PopAcked: the agent's desk shows the record.
type PopAcked struct {
	Offer
	Mode string `json:"mode"` // Painted or Hidden
	// Version of the record shown and the panels with their states
	// ("shown", "late", "failed", "empty").
	Version int64             `json:"version"`
	Panels  map[string]string `json:"panels,omitempty"`
}

// OfferAccepted: the agent pressed Answer on the desk.
type OfferAccepted struct{ Offer }

// OfferRefused: the agent declined at the desk. Reason is a code.
type OfferRefused struct {
	Offer
	Reason string `json:"reason,omitempty"`
}

// PhoneRinging: the agent's phone sent 180 (or 183).
type PhoneRinging struct{ Offer }

// PhoneAnswered: the agent's phone sent 200. It waits for Connect or Release.
type PhoneAnswered struct{ Offer }

// PhoneFailed: the agent's phone, or the way to it, refused. Code is the SIP
// status; 408 stands for no response at all, 503 for a transport error, 0 for
// a fault of our own (no RTP port is free): the phone is not to blame.
type PhoneFailed struct {
	Offer
	Code int `json:"code"`
	// Unconfirmed: a mobile was picked up and the call not accepted by key, as a
	// mailbox does it. It counts as no answer.
	Unconfirmed bool `json:"unconfirmed,omitempty"`
}

// AgentGone: the agent's leg of a connected call ended (BYE, flow lost).
type AgentGone struct{ Offer }

// JoinFailed: the two legs could not be joined, neither direct nor by relay.
type JoinFailed struct {
	Offer
	Reason string `json:"reason"`
}

// Joined: both legs carry the same media session.
type Joined struct {
	Offer
	Media string `json:"media"` // "direct" or "relay"
}

// HoldRequested: the agent puts the caller on hold, or takes the caller back.
type HoldRequested struct {
	Offer
	On bool `json:"on"`
}

// PhoneHeld: the agent's phone itself put the caller on hold, or took back.
type PhoneHeld struct {
	Offer
	On bool `json:"on"`
}

// HangupRequested: the agent pressed End on the desk.
type HangupRequested struct{ Offer }

// TransferRequested: the agent passes the call on, blind. Exactly one target
// field is set.
type TransferRequested struct {
	Offer
	Topic   string    `json:"topic,omitempty"`
	Queue   string    `json:"queue,omitempty"`
	ToAgent agents.ID `json:"to_agent,omitempty"`
	Outside Outside   `json:"outside,omitzero"`
}

// WrapUpEnded: the agent is done with the call, with the disposition given
// ("" for none).
type WrapUpEnded struct {
	Offer
	Disposition string `json:"disposition,omitempty"`
}

// AgentSignedIn: the agent is at work. State is Available or NotReady.
type AgentSignedIn struct {
	Agent  agents.ID    `json:"agent"`
	State  agents.State `json:"state"`
	Reason string       `json:"reason,omitempty"`
}

// AgentSignedOut: a call in hand goes on; nothing new is offered.
type AgentSignedOut struct {
	Agent agents.ID `json:"agent"`
}

// AgentStateAsked: the agent asks to be Available or NotReady. During a call
// it is remembered for its end.
type AgentStateAsked struct {
	Agent  agents.ID    `json:"agent"`
	State  agents.State `json:"state"`
	Reason string       `json:"reason,omitempty"`
}

// DeskChanged: a desk of the agent connected (or resumed), or the last one
// was lost.
type DeskChanged struct {
	Agent agents.ID `json:"agent"`
	Up    bool      `json:"up"`
}

// PhoneProbed: the answer to a Probe (OPTIONS).
type PhoneProbed struct {
	Agent agents.ID `json:"agent"`
	Code  int       `json:"code"`
}

// PhoneChanged: a phone that registers here (agents.Phone.Registered) can be
// reached, or no longer: it registered, answered after a silence, took its
// registration back, let it run out, or fell silent. Up may be said again when
// it registers anew.
type PhoneChanged struct {
	Agent agents.ID `json:"agent"`
	Up    bool      `json:"up"`
}

// NumberAnswered: the number of a Treat or PassOut action has answered; it and the caller
// are being joined.
type NumberAnswered struct {
	Call CallID `json:"call"`
}

// NumberFailed: the number of a Treat or PassOut action is busy, or cannot be reached, or
// the two could not be joined. Code is as in PhoneFailed.
type NumberFailed struct {
	Call CallID `json:"call"`
	Code int    `json:"code"`
}

// NumberGone: the number that the caller was connected to has hung up.
type NumberGone struct {
	Call CallID `json:"call"`
}

// TreatmentPlayed: the announcement of a Treat action has been played to its end.
type TreatmentPlayed struct {
	Call CallID `json:"call"`
}

// Tick: a deadline of the engine has come. It stands in the journal because
// what follows from a deadline follows at the instant it was looked at.
type Tick struct{}

// Started: a server has begun to run with a new engine, by this version of the
// routing document. It is the first event of a run: whoever replays a journal
// begins there.
type Started struct {
	Version int    `json:"version"`
	SHA256  string `json:"sha256"`
	// Directory is the SHA-256 of the agents' directory beside the document, ""
	// when the document lists them itself.
	Directory string `json:"directory,omitempty"`
}

// PolicyChanged: a new compiled routing document is live. Nothing is dropped,
// and agents, counters and clocks stay as they are.
type PolicyChanged struct {
	Version int    `json:"version"`
	SHA256  string `json:"sha256"`
	// Waiting says what becomes of the calls that wait: KeepWaiting ("" too) or
	// ApplyWaiting.
	Waiting string `json:"waiting,omitempty"`
	// Moves leads the calls that wait in a queue which is gone to another.
	Moves map[string]string `json:"moves,omitempty"`
	// Directory is as in Started.
	Directory string  `json:"directory,omitempty"`
	Policy    *Policy `json:"-"`
}

// DirectoryChanged: the directory beside the live document lists other agents,
// or says other things of them. It takes effect at once, for calls that wait
// too; no call changes its version. Who is no longer listed finishes the call in
// hand.
type DirectoryChanged struct {
	SHA256 string  `json:"sha256"` // of the directory
	Policy *Policy `json:"-"`      // the live document with these agents; nothing else of it is looked at
}

func (CallArrived) Kind() string       { return "call_arrived" }
func (CustomerResolved) Kind() string  { return "customer_resolved" }
func (CallerGone) Kind() string        { return "caller_gone" }
func (CallFailed) Kind() string        { return "call_failed" }
func (PopAcked) Kind() string          { return "pop_acked" }
func (OfferAccepted) Kind() string     { return "offer_accepted" }
func (OfferRefused) Kind() string      { return "offer_refused" }
func (PhoneRinging) Kind() string      { return "phone_ringing" }
func (PhoneAnswered) Kind() string     { return "phone_answered" }
func (PhoneFailed) Kind() string       { return "phone_failed" }
func (AgentGone) Kind() string         { return "agent_gone" }
func (JoinFailed) Kind() string        { return "join_failed" }
func (Joined) Kind() string            { return "joined" }
func (HoldRequested) Kind() string     { return "hold_requested" }
func (PhoneHeld) Kind() string         { return "phone_held" }
func (HangupRequested) Kind() string   { return "hangup_requested" }
func (TransferRequested) Kind() string { return "transfer_requested" }
func (WrapUpEnded) Kind() string       { return "wrap_up_ended" }
func (AgentSignedIn) Kind() string     { return "agent_signed_in" }
func (AgentSignedOut) Kind() string    { return "agent_signed_out" }
func (AgentStateAsked) Kind() string   { return "agent_state_asked" }
func (DeskChanged) Kind() string       { return "desk_changed" }
func (PhoneProbed) Kind() string       { return "phone_probed" }
func (PhoneChanged) Kind() string      { return "phone_changed" }
func (NumberAnswered) Kind() string    { return "number_answered" }
func (NumberFailed) Kind() string      { return "number_failed" }
func (NumberGone) Kind() string        { return "number_gone" }
func (TreatmentPlayed) Kind() string   { return "treatment_played" }
func (Started) Kind() string           { return "started" }
func (Tick) Kind() string              { return "tick" }
func (PolicyChanged) Kind() string     { return "policy_changed" }
func (DirectoryChanged) Kind() string  { return "directory_changed" }

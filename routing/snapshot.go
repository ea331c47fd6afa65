package routing

import (
	"time"

	"github.com/cordboard/cordboard/agents"
)

// Snapshot is the engine's state at an instant, by value: what the board shows.
// Slices are sorted: queues by name, agents by id, calls by turn. Waiting
// counts calls being offered.
type Snapshot struct {
	At time.Time `json:"at"`
	// Version is that of the policy that is live.
	Version int `json:"version"`

	Queues []QueueState `json:"queues"`
	Agents []AgentState `json:"agents"`
	Calls  []CallState  `json:"calls"`
	// Pending counts the agents and calls whose turn in the present slice of work
	// has not come: usually none.
	Pending int `json:"pending,omitempty"`
}

// QueueState is one queue of a Snapshot. Offered, Answered and Abandoned count
// since the engine started.
type QueueState struct {
	Name         string    `json:"name"`
	Waiting      int       `json:"waiting"`
	OldestSince  time.Time `json:"oldest_since,omitzero"`
	Talking      int       `json:"talking"`
	Staffed      int       `json:"staffed"`   // signed in and fit step one, in whatever state
	Available    int       `json:"available"` // free and fit step one
	AnswerWithin int       `json:"answer_within_s"`
	Open         bool      `json:"open"`
	Offered      int       `json:"offered"`
	Answered     int       `json:"answered"`
	Abandoned    int       `json:"abandoned"`
	InTime       int       `json:"answered_in_time"` // answered within AnswerWithin
	// ServiceLevel is queue.sl: by the document's formula, over its window, in
	// whole percent. Expected is the wait of the last in line.
	ServiceLevel int      `json:"sl"`
	Expected     Expected `json:"expected"`
	// Callbacks is the places that wait without a line, apart from Waiting.
	Callbacks int `json:"callbacks,omitempty"`
	// Told counts callers who were told how long they would wait and have been
	// answered, or waited longer; Kept those of them who waited no longer than told.
	Told int `json:"told_wait,omitempty"`
	Kept int `json:"told_wait_kept,omitempty"`
}

// AgentState is one agent of a Snapshot.
type AgentState struct {
	agents.Status
	Name  string `json:"name"`
	Queue string `json:"queue,omitempty"` // of the call in hand
	Desk  bool   `json:"desk"`            // a desk is connected
	// Phone of an agent whose phone registers here or is watched: PhoneUp or
	// PhoneDown; PhoneMobile; "" for a static contact, which is known only while it
	// is asked.
	Phone string `json:"phone,omitempty"`
}

// Words of AgentState.Phone.
const (
	PhoneUp     = "up"
	PhoneDown   = "down"
	PhoneMobile = "mobile" // a number that is called through a trunk
)

// CallState is one live call of a Snapshot. Phase is resolving, waiting,
// holding (waits for a preferred agent), offered, ringing, talking, hold,
// treated (an announcement plays), number (the caller was sent to one),
// menu (the caller is asked, and does not wait yet), callback (its line is
// released, the place waits on), dialling (its customer is
// being called).
type CallState struct {
	Call     CallID    `json:"call"`
	Phase    string    `json:"phase"`
	Queue    string    `json:"queue,omitempty"`
	Topic    string    `json:"topic,omitempty"`
	Agent    agents.ID `json:"agent,omitempty"` // who has it, or for whom it is held
	Attempt  Attempt   `json:"attempt,omitempty"`
	Since    time.Time `json:"since"`   // when its waiting began
	Entered  time.Time `json:"entered"` // this phase
	Priority int       `json:"priority"`
	Version  int       `json:"version"` // of the policy it waits by
	Step     int       `json:"step"`
	// Consult is the call that an agent's question is about, or the question about
	// the call; 0 for none.
	Consult CallID `json:"consult,omitempty"`
	// Blocked says why a waiting call waits: each signed-in agent and a code,
	// at most 20, as in Reason.LeftOut.
	Blocked []LeftOut `json:"blocked,omitempty"`
}

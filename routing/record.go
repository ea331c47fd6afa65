package routing

import (
	"time"

	"github.com/cordboard/cordboard/agents"
)

// What a Record is about.
const (
	Queued  = "queued"  // the call has entered a queue, or its route was read anew
	Holding = "holding" // it waits for a preferred agent and for nobody else
	Given   = "offered" // it is offered to an agent
	Waiting = "waiting" // nothing was decided: it was asked why the call waits
)

// Record is why one decision about a call came out as it did, in codes and
// values (routing document, section 17). What a decision does not have is left
// out. It names no caller and no number of one.
type Record struct {
	Kind    string    `json:"kind"` // Queued, Holding, Given, Waiting
	Call    CallID    `json:"call"`
	Attempt Attempt   `json:"attempt,omitempty"` // of an offer
	At      time.Time `json:"at"`
	Version int       `json:"version"`           // of the routing document that it was routed by
	Trigger string    `json:"trigger,omitempty"` // arrived, agent_free, step, came_back, late_record, hold_ended, bar_ended, ...

	Route      Route       `json:"route"`
	Attributes []Attribute `json:"attributes"`

	Queue    string     `json:"queue"`
	Topic    string     `json:"topic,omitempty"`
	Language string     `json:"language,omitempty"` // the caller's, as resolved
	Entered  time.Time  `json:"entered"`            // this queue
	Since    time.Time  `json:"since"`              // when its waiting began
	Priority int        `json:"priority"`
	Points   []Addition `json:"priority_of,omitempty"` // what Priority is the sum of
	Turn     time.Time  `json:"turn,omitzero"`         // none under strict priority
	CameBack int        `json:"came_back,omitempty"`   // times, from agents who did not take it
	// Position in the line of its queue, 1 being served first, and the call right
	// before it.
	Position int           `json:"position,omitempty"`
	Ahead    CallID        `json:"ahead,omitempty"`
	EWT      *ExpectedWait `json:"ewt,omitempty"` // nil: not known

	Step    int           `json:"step"`         // whose need counts; 1 is the queue's own
	ByClock int           `json:"step_by_time"` // reached by time
	Skipped []SkippedStep `json:"steps_skipped,omitempty"`
	Need    string        `json:"need"` // of Step, language and site resolved, as the document writes it
	Steps   []StepNeed    `json:"steps"`
	Firm    []FirmNeed    `json:"firm,omitempty"` // what route and topic add to every step's need

	Policy  string      `json:"policy,omitempty"`
	Chosen  agents.ID   `json:"chosen,omitempty"`
	Prefer  string      `json:"prefer,omitempty"`   // the preference that chose: account_manager, last_agent, topic, agent
	HeldFor CallID      `json:"held_for,omitempty"` // waits for one of those a group would have taken too
	Group   []agents.ID `json:"group,omitempty"`    // offered the call at once with the chosen
	Terms   []Term      `json:"terms,omitempty"`    // of the first five candidates, best first
	Free    []agents.ID `json:"free,omitempty"`     // who may take it, while nobody is chosen
	LeftOut LeftOuts    `json:"left_out,omitempty"`
	// Counts stand for LeftOut, by code, where more than MaxNamed agents are
	// signed in. SignedIn is the chosen, the free and the left out together.
	Counts         map[string]int  `json:"left_out_counts,omitempty"`
	SignedIn       int             `json:"signed_in"`
	Counterfactual *Counterfactual `json:"counterfactual,omitempty"`
	Preferred      []Preferred     `json:"preferred,omitempty"`
	// MaxTalking is the queue's bound on the agents it may occupy, and Reserve its
	// teams that stand by or have joined.
	MaxTalking *Occupied `json:"max_talking,omitempty"`
	Reserve    []Standby `json:"reserve,omitempty"`

	// Among is how many waiting calls the agent who became free could take, up to
	// 10,000, and Next which of them is first but for this one.
	Among int    `json:"among,omitempty"`
	Next  CallID `json:"next,omitempty"`

	// Units of work that the Step had done by then: about 30 ns each.
	Units int `json:"units"`

	Pop  *PopRecord  `json:"pop,omitempty"`
	Ring *RingRecord `json:"ring,omitempty"`
}

const (
	// MaxNamed is how many agents a record names; of more it counts codes.
	MaxNamed = 1000
	maxAmong = 10_000
)

// Route is how the routes were read.
type Route struct {
	Path  string  `json:"path"` // without root; "root" for the root
	Tried []Tried `json:"tried,omitempty"`
}

// Tried is a route that was asked before the one that claimed the call.
type Tried struct {
	Route string `json:"route"`
	// False is its first term that did not hold; "" for one with go_on that
	// applied.
	False string `json:"false,omitempty"`
}

// Attribute is one thing that the routing document asks of calls.
type Attribute struct {
	Name    string `json:"name"` // call.dnis, customer.segment
	Value   any    `json:"value"`
	Source  string `json:"source"` // signalling, record, route, routing, rim
	Missing bool   `json:"missing,omitempty"`
}

// Addition is one part of a call's priority.
type Addition struct {
	Origin string `json:"origin"` // route, topic:NAME, step:QUEUE:N, overflow:QUEUE, transfer
	Points int    `json:"points"`
}

// StepNeed is what one step of the queue asks for this call.
type StepNeed struct {
	Step  int    `json:"step"`
	After string `json:"after,omitempty"` // from entering the queue, as the document writes it: 20s
	When  string `json:"when,omitempty"`  // the condition that is still to be asked
	Need  string `json:"need"`
	// Staffed are the agents signed in who fit this step and none before it.
	Staffed int `json:"staffed"`
}

// ExpectedWait is how long the call will wait, by which estimate (ByQueueLength,
// ByHeadOfLine, ByGuess).
type ExpectedWait struct {
	Method  string `json:"method"`
	Seconds int    `json:"value_s"`
}

// SkippedStep is a step that gave nobody, and why: "vacant" (nobody who fits it
// is signed in), "condition" (it did not hold at its moment).
type SkippedStep struct {
	Step int    `json:"step"`
	Why  string `json:"why"`
	When string `json:"when,omitempty"` // the condition
	// False is its first term that did not hold, and Saw what the condition read,
	// where that was watched.
	False string      `json:"false,omitempty"`
	Saw   []Attribute `json:"saw,omitempty"`
}

// FirmNeed is what a route or a topic adds to the need of every step.
type FirmNeed struct {
	Need  string    `json:"need"`
	Until time.Time `json:"until,omitzero"` // firm no longer from then on; zero: for good
	Over  bool      `json:"over,omitempty"` // that time has come
}

// Occupied is how many agents the calls of a queue occupy, and may.
type Occupied struct {
	Limit int `json:"limit"`
	Now   int `json:"now"`
}

// Standby is a reserve of the queue: its team, and each value of its join with
// what it is now.
type Standby struct {
	Team   string    `json:"team"`
	Joined bool      `json:"joined"`
	Since  time.Time `json:"since,omitzero"` // joined
	Join   []Measure `json:"join"`
}

// Measure is a figure beside the value at which it counts: oldest_s, waiting,
// ewt_s, and sl_below, which counts under its value.
type Measure struct {
	Name string `json:"name"`
	At   int    `json:"at"`
	Now  int    `json:"now"` // -1: not known
}

// Counterfactual is the agent who was nearest to getting the call, and all that
// was missing.
type Counterfactual struct {
	Agent   agents.ID `json:"agent"`
	Missing []string  `json:"missing"` // codes, with what was there: "lacks:billing>=3 has 2", "away:lunch"
}

// Preferred is one entry of those waited for.
type Preferred struct {
	Entry   string      `json:"entry"` // account_manager, last_agent, topic, agent
	Agents  []agents.ID `json:"agents"`
	WaitS   int         `json:"wait_s"`
	Outcome string      `json:"outcome"` // pending, held, passed, chosen
}

// PopRecord is what the agent's desk said to an offer.
type PopRecord struct {
	Ack    string            `json:"ack"` // painted, hidden, none, no_desk
	At     time.Time         `json:"at,omitzero"`
	Panels map[string]string `json:"panels,omitempty"`
	LeadMS int64             `json:"lead_ms,omitempty"`
}

// RingRecord is how the agent's phone was called.
type RingRecord struct {
	Mode string    `json:"mode"` // auto, on_accept
	Why  string    `json:"why,omitempty"`
	At   time.Time `json:"at"`
}

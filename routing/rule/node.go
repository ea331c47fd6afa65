package rule

import (
	"time"

	"github.com/cordboard/cordboard/agents"
)

// Need is a requirement before language is resolved for a call: Speak may hold
// the word "caller". A nil slice means "not given" and is inherited; an empty
// one that is not nil means "none asked".
type Need struct {
	All   []agents.Range
	Any   [][]agents.Range
	None  []agents.Skill
	Speak []string // "caller", codes; ["any"]: no language asked
	Team  []string
	Site  []string // "caller", names; ["any"]: no site asked
}

// Prefer is an agent waited for (9). Who is "account_manager", "last_agent" or
// an agent id.
type Prefer struct {
	Who    string
	Wait   time.Duration
	Within time.Duration // last_agent: at most so long ago
	Waived bool          // fit: waived
	Hold   bool          // if_away: wait
}

// Treatment is where a call can go instead of an agent (10): Play first when
// set, then exactly one of Queue, Reject and Hangup.
type Treatment struct {
	Play        string
	Queue       string
	PriorityAdd int
	Reject      int
	Hangup      bool
}

// RecordPolicy: how long routing waits for the customer's record (16).
type RecordPolicy struct {
	Deadline   time.Duration
	Reconsider bool // a late record is considered once more while the call waits
	LateFor    time.Duration
}

// Node is one route (5). Nil pointers and empty values are inherited.
type Node struct {
	Name        string
	When        *Condition // nil: always
	GoOn        bool
	SetLanguage string
	SetTopic    string
	SetTag      string
	Queue       string
	Then        *Treatment
	Priority    *int
	PriorityAdd int
	Need        *Need // merged, firm
	// RelaxAfter ends the firmness of Need, counted from entering the queue; nil:
	// it is firm for good.
	RelaxAfter *time.Duration
	Record     *RecordPolicy // nil: inherited
	Prefer     []Prefer
	Children   []*Node
}

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
// set, then exactly one of Queue, Number, Callback, Reject and Hangup.
type Treatment struct {
	Play        string
	Queue       string
	PriorityAdd int
	Number      string // E.164: called through a trunk
	Voicemail   string // mailbox that takes a message
	Reject      int
	Hangup      bool
	// Callback offers one; Else is taken when it is declined or impossible (nil:
	// hang up).
	Callback bool
	Else     *Treatment
}

// Callback is how a queue, or a route, offers to call a caller back (10). It is
// never changed once it is read.
type Callback struct {
	// When says whether it may be offered, asked at each offer; nil: always.
	When       *Condition
	FirstOffer time.Duration // counted from entering the queue
	Again      time.Duration // between offers; 0: one offer
	Key        string        // one digit: accepts
	Entered    bool          // number: entered, the caller may key in another
	// Ahead is how much expected wait is left when the customer is called (dial:
	// ahead); 0: once an agent is reserved (dial: at_turn).
	Ahead    time.Duration
	Attempts int // calls to the customer
	Retry    time.Duration
	Expires  time.Duration // counted from the acceptance
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
	Callback   *Callback // nil: inherited, then the queue's
	NoCallback bool      // callback: none
	Children   []*Node
}

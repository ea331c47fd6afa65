package routing

import (
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/routing/rule"
)

// Policy is one compiled version of the routing document. It is made by
// package configs, checked there, and never changed afterwards. Defaults are
// already filled in; maps are read by key only, never ranged in a decision.
type Policy struct {
	Version         int
	SHA256          string
	Name            string
	Zone            *time.Location
	Languages       []string
	DefaultLanguage string
	Segments        []string
	ShortCodes      []string
	SkillTitles     map[agents.Skill]Title
	Teams           []string
	Sites           map[string]*Site
	Regions         *Regions          // nil: none
	Fields          map[string]string // own customer fields, with their types
	// Predicates are what conditions ask of the rim, by number.
	Predicates []*rule.Predicate
	keys       [][]string // hashed literals, by predicate

	// MilliPoints is order.points_per_second in thousandths; 0 is "off"
	// (strict priority).
	MilliPoints int64
	// ByDue orders by when the queue's promise runs out (order.by: due).
	ByDue bool
	// Ceiling is what points and age count at most; 0: no ceiling.
	Ceiling   int
	Record    RecordPolicy
	Calendars map[string]*Calendar
	Topics    map[string]*Topic
	Menus     map[string]*Menu
	Lines     map[string]Line // by dialled number
	Queues    map[string]*Queue
	Sets      map[string][]Disposition // disposition sets by name
	Requests  map[string]*RequestType  // what is tracked to its closure; no decision reads it
	Route     *rule.Node               // the root; names a queue
	Transfers TransferPolicy
	Service   figures.Rules
	// Agents are those of the document or of the directory it was compiled
	// beside; nil when neither was there.
	Agents map[agents.ID]agents.Agent
	// Directory is the SHA-256 of that directory, "" when the document lists its
	// agents itself.
	Directory string

	order   []agents.ID // of Agents, by Prepare
	made    *made       // of Route and the queues, by Prepare
	ordered uintptr     // which Agents they are
}

// Title is a text by language code; "" is the text for every other language.
type Title map[string]string

// RecordPolicy: how long routing waits for the customer's record (16).
type RecordPolicy = rule.RecordPolicy

// TransferPolicy (12).
type TransferPolicy struct {
	CreditWaited     bool
	PriorityAdd      int
	ConsultAdd       int // points of a question
	UnansweredAfter  time.Duration
	UnansweredReturn bool // back to the sender; false: stay in the queue
	Numbers          NumberPolicy
}

// Topic is a hard question and who can answer it (9).
type Topic struct {
	Name        string
	Title       Title
	Queue       string
	Need        rule.Need
	Specialists []agents.ID
	Wait        time.Duration
	PriorityAdd int
	RelaxAfter  *time.Duration // ends the firmness of Need; nil: firm for good
}

// Disposition is one thing an agent ticks after a call (11).
type Disposition struct {
	ID    string
	Title Title
	Asks  []string // of AskFields, in the document's order: what the desk asks with it
	Final bool
}

// RequestType is a kind of request: by when it is to be done, by whom, and who hears
// of it when it is not.
type RequestType struct {
	Name     string
	Title    Title
	Within   time.Duration // working time
	Calendar string        // whose hours are working time, "" for all
	Owner    agents.ID     // this, or
	Team     string
	Warn     time.Duration // so much working time before it is due the owner is told; 0: never
	Late     []Escalation  // in order
}

// Escalation makes a late request a task for a named person.
type Escalation struct {
	After time.Duration // working time since it was due
	Who   string        // a user
}

// AskFields are the fields that a disposition may ask for. The note is the one that
// every card has.
var AskFields = []string{"ticket_id", "when", "topic", "why", "offer", "case_id", "note"}

// Queue is a promise to callers (3).
type Queue struct {
	Name         string
	Was          string // its name before; "" when it was not renamed
	Need         rule.Need
	SpeakLevel   agents.Level
	Steps        []Step
	Prefer       []rule.Prefer
	Reserve      []Reserve
	MaxTalking   int // agents it may occupy at once; 0 for any number
	AnswerWithin time.Duration
	Choose       string        // a policy of package match
	ChooseWindow time.Duration // of least_occupied and fewest_calls
	RingTimeout  time.Duration
	RingSize     int // phones rung at once (ring: group); 0 and 1 are one
	RONA         RONA
	Pop          PopPolicy
	WrapUp       WrapUpPolicy
	Dispositions string // name of the set, "" for none
	Hours        string // calendar, "" = always open
	Closed       rule.Treatment
	AtClose      AtClose
	Full         *FullPolicy // nil: none
	Late, Nobody *AfterPolicy
	// AnswerWithAgent: the caller hears the network's ringing and is answered
	// together with the agent (answer: with_agent); false is at_queue (10).
	AnswerWithAgent bool
	// EarlyMedia: the caller hears us and is answered with the agent (answer:
	// early_media).
	EarlyMedia bool
	Music      string
	Announce   AnnouncePolicy
	Callback   *rule.Callback // nil: none is offered
}

// Step is a later, wider need of a queue (6). The queue's own need is step 1
// and does not stand here.
type Step struct {
	After       time.Duration
	When        *rule.Condition // asked once, at that moment; nil: always
	Need        *rule.Need      // replaces key by key; nil leaves the need as it is
	PriorityAdd int
	Only        bool // replaces the earlier steps
}

// RONA says what becomes of an agent who lets the phone ring out.
type RONA struct {
	NotReady  bool
	After     int
	BackAfter time.Duration // 0: by hand only
}

// Values of PopPolicy.Late.
const (
	LateRingAnyway = "ring_anyway"
	LateNextAgent  = "next_agent"
	LateHold       = "hold"
)

// PopPolicy (11).
type PopPolicy struct {
	Deadline time.Duration
	Late     string
	Lead     time.Duration
	OnAccept bool
	Painted  bool // require: painted
}

// WrapUpPolicy (11).
type WrapUpPolicy struct {
	Time        time.Duration
	Disposition string // off, optional, required
	Hold        bool   // overtime: hold
}

// AtClose: the queue closes while callers wait (10).
type AtClose struct {
	Treat bool
	Grace time.Duration
}

// FullPolicy: that many wait at entry.
type FullPolicy struct {
	Waiting int
	Then    rule.Treatment
}

// AfterPolicy: late and nobody.
type AfterPolicy struct {
	After time.Duration
	Then  rule.Treatment
}

// Interval is part of a day, in minutes since midnight; To may be 1440, and is
// under From when the interval passes midnight.
type Interval struct{ From, To int }

// Calendar is opening hours (10). Week is indexed by time.Weekday.
type Calendar struct {
	Name string
	Zone *time.Location
	// Caller says that the clock is that of the caller's region (zone: caller);
	// Zone is for callers of none.
	Caller     bool
	Week       [7][]Interval
	Exceptions []Exception
}

// Exception is a day with other hours. The first that matches the date wins.
type Exception struct {
	Date  string     // YYYY-MM-DD, or
	Every string     // MM-DD
	Hours []Interval // empty: closed
	Name  string
}

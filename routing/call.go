package routing

import (
	"slices"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/routing/queue"
	"github.com/cordboard/cordboard/routing/rule"
)

// phase is where a call stands in its life.
type phase uint8

const (
	resolving phase = iota // routing waits for the record
	waiting                // in a queue, nobody asked
	popped                 // the record is out to an agent's desk, no ack yet
	leading                // acked, the agent reads
	accepting              // Answer may be pressed (on_accept)
	dialling               // the customer of a callback is called, the agent has the record
	ringing                // the agent's phone is called
	talking
	treated   // an announcement plays, then the call moves on or ends
	dialled   // a number is called for the caller, or has the caller
	recording // the caller leaves a message
	choosing  // a menu asks the caller
	over
)

func (p phase) offered() bool { return p >= popped && p <= ringing }

// spot is the index that holds a waiting call.
type spot uint8

const (
	nowhere spot = iota
	inClass
	inFront
	inHold
)

// call is one live call.
type call struct {
	id          CallID
	attrs       *described     // as it arrived
	past        *rule.Past     // likewise; nil: nothing is known of it
	customer    *rule.Customer // nil before the look-up has ended
	caller      string         // keyed hash of the number, "" when withheld
	customerKey string         // keyed hash of the customer's id, "" while nobody is known
	rim         []AtRim
	given       *given // nil, but in the replay of a call whose customer was erased
	plan        *plan
	drains      *plan // the live version that left it to its own

	// What the routes and transfers made of it.
	route     *route // nil before they were read
	said      *said
	topic     string
	firmly    *firmness       // nil: nothing is added to the needs of queues
	home      string          // the queue that the routes led to
	base      int32           // priority of the route
	extra     int32           // additions, each once
	once      []Addition      // what is done or added once: without points, a mark
	treatment *rule.Treatment // of a route with then, or while one plays

	// Waiting.
	arrived int64
	since   int64 // waiting began
	waited  int64 // of former visits, before talks
	entered int64
	key     queue.Key
	peak    int64 // when points and age reach the ceiling; 0: never
	queue   *Queue
	from    string // the queue before this one
	demand  *demand
	step    int
	answers []answer // of the conditions of steps, in this visit
	trigger string
	seeking *seeking // has yet to seek
	visited []string
	pending *pendingTreat // falls due once the offer that is out has ended

	// What the figures of its queues count of it.
	visits  figures.Call
	tallies []tally
	guessed estimates
	saying  *saying // nil: has not been told of the wait in this visit

	menu     *menuing  // nil: not in one
	callback *callback // nil: none was accepted, nor can be offered here
	consult  *consult  // an agent's question about the call, or the question; nil: none
	wish     *wish     // nil: no agents are preferred
	alone    int       // the vacancy it came into

	// The offer, or the talk.
	attempt  Attempt
	agent    *agent
	tries    Attempt // offers so far
	also     []*try  // others that are out at once
	passedBy *agent  // who passed the call on, barred while others fit
	backTo   string  // the sender's queue
	bars     []*bar

	last   *Offer // that became a talk
	timers *timer // its deadlines (clocks.go)

	// Small things side by side: a centre has a million calls.
	came      int32 // back from an agent
	failed    int32 // offers
	moves     int32
	transfers int32
	phase     phase
	spot      spot
	lined     lined
	skipped   uint16 // steps whose condition did not hold at their moment
	resolved  bool   // the look-up has ended
	front     bool
	gaveUp    bool // eight failed: the overflow was tried
	someFront bool // one of the group that failed brings the call to the front
	rang      bool // the phone sent 180
	onHold    bool
	blind     bool // a blind transfer is not answered yet
	toAgent   bool // it was to one agent
	outside   bool // an agent has passed it on to a telephone number
	answered  bool // the caller's leg was answered by us, or is with this Connect
	early     bool // the caller hears us before that
	silent    bool // answered without a queue, and so without music
	talked    bool // an agent has talked
	late      bool // a late record waits to be considered
	reread    bool // it was, or may not be any more
}

type pendingTreat struct {
	why  string
	then rule.Treatment
}

// bar keeps one agent from one call for a while.
type bar struct {
	timer
	untilDesk bool // ends when the agent's desk is back
}

func newCall(id CallID, at int64) *call { return &call{id: id, arrived: at, since: at} }

func (c *call) priority() int { return int(c.base + c.extra) }

// rule is the path of its route, "" before the routes were read.
func (c *call) rule() string {
	if c.route == nil {
		return ""
	}
	return c.route.path
}

// add gives an addition of priority, once for each origin.
func (c *call) add(origin string, points int) {
	if points == 0 || c.marked(origin) {
		return
	}
	c.once = append(c.once, Addition{origin, points})
	c.extra += int32(points)
}

// mark notes what is done once.
func (c *call) mark(what string) {
	if !c.marked(what) {
		c.once = append(c.once, Addition{Origin: what})
	}
}

func (c *call) unmark(what string) {
	c.once = slices.DeleteFunc(c.once, func(a Addition) bool { return a.Points == 0 && a.Origin == what })
}

// additions are those of priority.
func (c *call) additions() []Addition {
	return slices.DeleteFunc(slices.Clone(c.once), func(a Addition) bool { return a.Points == 0 })
}

func (c *call) marked(what string) bool {
	return slices.ContainsFunc(c.once, func(a Addition) bool { return a.Origin == what })
}

// language is the caller's: set by a route, else the record's, else the
// region's, else the default; one that is not declared counts as the default.
func (c *call) language(p *plan) string {
	if c.given != nil {
		if code := c.given.language(); slices.Contains(p.Languages, code) {
			return code
		}
	}
	region := ""
	if r := p.Regions.Named(c.region()); r != nil {
		region = r.Language
	}
	for _, code := range []string{c.said.language, c.attrs.Language, c.known().Language, region} {
		if code == "" {
			continue
		}
		if slices.Contains(p.Languages, code) {
			return code
		}
		break
	}
	return p.DefaultLanguage
}

func (c *call) offer() Offer {
	o := Offer{Call: c.id, Attempt: c.attempt}
	if c.agent != nil {
		o.Agent = c.agent.id
	}
	return o
}

func (c *call) barred(a *agent) bool {
	for _, b := range c.bars {
		if b.agent == a {
			return true
		}
	}
	return false
}

// agent is one person of the directory.
type agent struct {
	id      agents.ID
	def     agents.Agent
	profile *profile
	state   agents.State
	reason  string
	since   int64
	until   int64
	desk    bool
	gone    bool // no longer in the directory
	phoneUp bool // the phone that registers, or is watched, can be reached

	idleSince int64
	shares    []int // busy share by window of the plan, measured when last Available
	log       occupancy
	answers   answers
	by        *measured // what shares and answers are measured by
	call      *call
	wrap      *wrap
	own       queue.Tree[queue.Key, *call] // calls that hold for this agent
	ownRow    int
	rona      int
	refusals  []int64
	asked     asked
	freed     stands // has yet to take
	deskBars  []*bar

	tMain, tProbe, tWatch timer

	// dismissed: signs out after the talk in hand because he or she is gone from the
	// directory, and for nothing else.
	dismissed bool
}

// asked is what the agent asked for during a call, for its end.
type asked struct {
	state  agents.State // "" for nothing
	reason string
}

// leaves says that the agent will not be Available at the end of the call.
func (w asked) leaves() bool { return w.state == agents.NotReady || w.state == agents.SignedOut }

// occupancy is an agent's recent past, for the least occupied.
type occupancy struct {
	spans []span // oldest first
}

type span struct {
	from int64
	kind spanKind
}

type spanKind uint8

const (
	away spanKind = iota
	free
	busy
)

func kindOf(s agents.State) spanKind {
	switch {
	case s == agents.Available:
		return free
	case s.Busy():
		return busy
	}
	return away
}

// note begins a span, and forgets those that ended before the horizon.
func (o *occupancy) note(at int64, k spanKind, horizon int64) {
	if n := len(o.spans); n > 0 && o.spans[n-1].kind == k {
		return
	}
	drop := 0
	for drop+1 < len(o.spans) && o.spans[drop+1].from <= horizon {
		drop++
	}
	o.spans = append(o.spans[drop:], span{at, k})
}

// share is busy over busy and free since an instant, in hundredths of a
// percent.
func (o *occupancy) share(from, at int64) int {
	var sum [3]int64
	for i, s := range o.spans {
		end := at
		if i+1 < len(o.spans) {
			end = o.spans[i+1].from
		}
		if begin := max(s.from, from); begin < end {
			sum[s.kind] += end - begin
		}
	}
	if sum[busy] == 0 {
		return 0
	}
	return int(sum[busy] * 10_000 / (sum[busy] + sum[free]))
}

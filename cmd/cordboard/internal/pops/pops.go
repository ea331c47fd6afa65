// Package pops holds the calls of PBXs that keep their queues and only tell us of
// them: whom a call rings, who has answered it, that it is over. It puts the record
// on those agents' desks and the call into the ledger, and keeps queue calls from
// agents meanwhile. To the desks' hub it is what the engine is for calls that are
// routed here: it speaks in the engine's actions, and the engine knows nothing of
// its calls. The composition root is its caller.
package pops

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/store"
)

// Ledger is where the calls are written down.
type Ledger interface {
	NextCall() routing.CallID
	Arrived(store.Arrival)
	Do(at time.Time, actions []routing.Action)
}

// Desks are the agents' (screenpop.Hub).
type Desks interface {
	OpenCard(screenpop.NewCall)
	Do(at time.Time, actions []routing.Action)
}

// Options are what Calls work with; all but the times must be set.
type Options struct {
	Sources []configs.Pops
	Ledger  Ledger
	// Engine takes what is not about these calls.
	Engine screenpop.Engine
	Policy func() *routing.Policy
	Log    *zap.Logger

	AckWithin time.Duration // a new call's answer waits for the desks so long; 1 s
	RingsFor  time.Duration // a call that nobody answers, and whose end is never told, is over; 5 min
}

// Bounds of what is held.
const (
	maxCalls = 10_000           // at once
	maxOver  = 50_000           // calls that are over and still known
	keepOver = 10 * time.Minute // what is told of a call so long after its end changes nothing
)

// reasonLost is of a call whose end was never told.
const reasonLost = "hangup_not_told"

// answeredElsewhere is why a call leaves the desks of agents who did not answer it.
const answeredElsewhere = "answered_elsewhere"

// Calls are those in hand. It is a live.Port, the hub's Engine and web's PBXCalls.
type Calls struct {
	opt     Options
	desks   Desks
	log     *zap.Logger
	sources map[string]configs.Pops

	mu     sync.Mutex
	live   int // calls that are not over
	byKey  map[callKey]*call
	byID   map[routing.CallID]*call
	rung   map[int64]*leg // by the number of the telephone's dialog
	over   map[callKey]time.Time
	ended  []callKey // those of over, oldest first
	staff  map[agents.ID]*agent
	names  directory
	tally  *store.Tally
	closed bool
}

// callKey is a call as its PBX names it.
type callKey struct{ source, id string }

// call is one that a PBX has told of.
type call struct {
	source   string
	names    []callKey // none: dialog events alone told of it
	from     screenpop.CallerInfo
	id       routing.CallID
	legs     []*leg // by attempt, from 1
	talker   *leg   // nil: nobody has answered
	over     bool   // the PBX has ended it; agents may still write
	timer    *time.Timer
	deadline time.Time
}

// leg is one agent's part in a call.
type leg struct {
	routing.Offer
	phase  phase
	acked  chan struct{} // closed with the first pop-ack, or when none is to be awaited
	timer  *time.Timer   // of wrap-up
	dialog int64         // that of the telephone, while it lasts; 0: none is told of
	late   bool          // the telephone rang before we knew
	rang   bool          // that it rings has been told
}

type phase int

const (
	ringing phase = iota
	talking
	wrapUp
	done
)

// New makes them; Seat must follow before anything is told.
func New(opt Options) *Calls {
	if opt.AckWithin <= 0 {
		opt.AckWithin = time.Second
	}
	if opt.RingsFor <= 0 {
		opt.RingsFor = 5 * time.Minute
	}
	c := &Calls{
		opt: opt, log: opt.Log.Named("pops"), sources: map[string]configs.Pops{},
		byKey: map[callKey]*call{}, byID: map[routing.CallID]*call{}, over: map[callKey]time.Time{},
		rung: map[int64]*leg{}, staff: map[agents.ID]*agent{}, tally: store.NewTally(),
	}
	for _, s := range opt.Sources {
		c.sources[s.Name] = s
	}
	return c
}

// Seat names the desks, whose Engine this is.
func (c *Calls) Seat(d Desks) { c.desks = d }

// Has says whether the call is one of these.
func (c *Calls) Has(id routing.CallID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byID[id] != nil
}

// Live counts the calls in hand.
func (c *Calls) Live() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.live
}

// Close ends all calls: what the PBX tells of them reaches nobody any more.
func (c *Calls) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, k := range c.byID {
		c.end(k, routing.ByServer, "stopped")
		for _, l := range k.legs {
			c.finish(k, l, "")
		}
	}
}

// act tells the ledger, then the desks.
func (c *Calls) act(at time.Time, a routing.Action) {
	one := []routing.Action{a}
	c.opt.Ledger.Do(at, one)
	c.desks.Do(at, one)
	for _, r := range c.tally.Do(at, one) {
		c.log.Info("call ended", zap.Int64("call", int64(r.Call)), zap.String("agent", string(r.Agent)), zap.String("outcome", string(r.Outcome)),
			zap.String("by", string(r.EndedBy)), zap.String("reason", r.Reason), zap.Int64("talk_ms", r.Talk.Milliseconds()))
	}
}

// leg is the agent's part in the call that is not over; nil: none.
func (k *call) leg(id agents.ID) *leg {
	for _, l := range k.legs {
		if l.Agent == id && (l.phase == ringing || l.phase == talking) {
			return l
		}
	}
	return nil
}

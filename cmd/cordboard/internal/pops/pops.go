// Package pops holds the calls of PBXs that keep their queues and only tell us of
// them: whom a call rings, who has answered it, that it is over. It puts the record
// on those agents' desks and the call into the ledger, and keeps queue calls from
// agents meanwhile. To the desks' hub it is what the engine is for calls that are
// routed here: it speaks in the engine's actions, and the engine knows nothing of
// its calls. The composition root is its caller.
package pops

import (
	"context"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
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

// Calls are those in hand. It is a live.Port, the hub's Engine and web's PBXCalls.
type Calls struct {
	opt     Options
	desks   Desks
	log     *zap.Logger
	sources map[string]configs.Pops

	mu     sync.Mutex
	byKey  map[callKey]*call
	byID   map[routing.CallID]*call
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
	callKey
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
	phase phase
	acked chan struct{} // closed with the first pop-ack, or when none is to be awaited
	timer *time.Timer   // of wrap-up
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
		staff: map[agents.ID]*agent{}, tally: store.NewTally(),
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
	return len(c.byKey)
}

// Close ends all calls: what the PBX tells of them reaches nobody any more.
func (c *Calls) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, k := range c.byKey {
		c.end(k, routing.ByServer, "stopped")
	}
	for _, k := range c.byID {
		for _, l := range k.legs {
			c.finish(k, l, "")
		}
	}
}

// Told implements web.PBXCalls. Of a new call it returns when the desks have painted
// the record, or had the time for it: a PBX that waits for the answer before it rings
// the phones has the record there before the ring.
func (c *Calls) Told(ctx context.Context, source string, e web.PBXEvent) web.PBXAnswer {
	answer, wait := c.told(source, e)
	if len(wait) == 0 {
		return answer
	}
	patience := time.NewTimer(c.opt.AckWithin)
	defer patience.Stop()
	defer patience.Stop()
	for _, l := range wait {
		select {
		case <-l.acked:
		case <-patience.C:
			patience.Reset(0) // no more for the others
		case <-ctx.Done(): // the PBX waits no more
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range wait {
		c.rings(l)
	}
	return answer
}

func (c *Calls) told(source string, e web.PBXEvent) (web.PBXAnswer, []*leg) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, known := c.sources[source]
	key := callKey{source, e.CallID}
	c.forgetOver(time.Now())
	switch {
	case c.closed || !known:
		return ignored("stopping"), nil
	case e.Direction == web.PBXOut:
		return ignored("outbound"), nil
	}
	if _, over := c.over[key]; over {
		return ignored("call_over"), nil
	}
	k := c.byKey[key]
	if k == nil && e.Event != web.PBXHangup && len(c.byKey) >= maxCalls {
		c.log.Warn("a PBX has too many calls in hand: the record of one pops nowhere", zap.String("source", source))
		return ignored("too_many_calls"), nil
	}
	switch e.Event {
	case web.PBXNewCall:
		return c.newCall(k, s, e)
	case web.PBXAnswered:
		return c.answered(k, s, e), nil
	default:
		return c.hungUp(k, key, e), nil
	}
}

func ignored(why string) web.PBXAnswer { return web.PBXAnswer{Ignored: []web.PBXIgnored{{Why: why}}} }

func told(k *call, rest []web.PBXIgnored) web.PBXAnswer {
	a := web.PBXAnswer{Call: k.id, Agents: []agents.ID{}, Ignored: rest}
	for _, l := range k.legs {
		if l.phase == ringing || l.phase == talking {
			a.Agents = append(a.Agents, l.Agent)
		}
	}
	return a
}

// newCall offers the call to whom it rings. Told of again, it rings others too.
func (c *Calls) newCall(k *call, s configs.Pops, e web.PBXEvent) (web.PBXAnswer, []*leg) {
	who, rest := c.whom(e.Users, e.To)
	if len(who) == 0 {
		return web.PBXAnswer{Ignored: rest}, nil
	}
	if k != nil && k.talker != nil {
		return told(k, append(rest, web.PBXIgnored{Why: "answered_already"})), nil
	}
	if k == nil {
		k = c.open(s, e)
	}
	var fresh []*leg
	for _, id := range who {
		if k.leg(id) == nil {
			fresh = append(fresh, c.offer(k, id))
		}
	}
	if len(fresh) == 0 {
		rest = append(rest, web.PBXIgnored{Why: "repeated"})
	}
	return told(k, rest), fresh
}

// open begins a call: the ledger first, then the card, then the look-up.
func (c *Calls) open(s configs.Pops, e web.PBXEvent) *call {
	now := time.Now()
	from := caller(e.From, s.Region)
	k := &call{callKey: callKey{s.Name, e.CallID}, id: c.opt.Ledger.NextCall()}
	c.byKey[k.callKey], c.byID[k.id] = k, k
	dialled, trunk := dialled(e.To, s.Region), store.PBXTrunk+s.Name
	c.opt.Ledger.Arrived(store.Arrival{Call: k.id, Trunk: trunk, Number: from.Number, Dialled: dialled, At: now})
	c.desks.OpenCard(screenpop.NewCall{Call: k.id, Caller: from, Lookup: from.Number, Dialled: dialled, Trunk: trunk, At: now, PBX: true})
	c.act(now, routing.ResolveCustomer{Call: k.id})
	c.endIn(k, c.opt.RingsFor)
	return k
}

func (c *Calls) offer(k *call, id agents.ID) *leg {
	now := time.Now()
	l := &leg{Offer: routing.Offer{Call: k.id, Attempt: routing.Attempt(len(k.legs) + 1), Agent: id}, acked: make(chan struct{})}
	k.legs = append(k.legs, l)
	a := c.agent(id)
	if !a.desk {
		close(l.acked)
	}
	// The desk is given half of that to learn who calls: see screenpop.
	c.act(now, routing.OfferCall{Offer: l.Offer, Mode: routing.RingAuto, NoDesk: !a.desk, AckBy: now.Add(c.opt.AckWithin)})
	a.legs++
	c.keepFree(id)
	return l
}

// rings tells that the phone rings, or is about to.
func (c *Calls) rings(l *leg) {
	if l.phase == ringing {
		c.act(time.Now(), routing.Ring{Offer: l.Offer, Unacked: !isClosed(l.acked)})
	}
}

func isClosed(ch chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// answered connects the agent who has answered, withdraws the call from the others,
// and lets who talked before write: the call was passed on at the PBX.
func (c *Calls) answered(k *call, s configs.Pops, e web.PBXEvent) web.PBXAnswer {
	id, rest := c.whoAnswered(k, e)
	if id == "" {
		if k == nil {
			return web.PBXAnswer{Ignored: rest}
		}
		if len(rest) > 0 && rest[0].Why == whyUnknownAgent && k.talker == nil { // a phone that is no agent's has it
			c.end(k, routing.ByServer, "answered_elsewhere")
		} else {
			c.endIn(k, s.Longest)
		}
		return web.PBXAnswer{Call: k.id, Agents: []agents.ID{}, Ignored: rest}
	}
	if k == nil {
		k = c.open(s, e)
	}
	l := k.leg(id)
	if l != nil && l == k.talker {
		return told(k, append(rest, web.PBXIgnored{Why: "repeated"}))
	}
	now := time.Now()
	before := k.talker
	if before != nil { // first of all, so that the next agent sees who passed it on
		c.act(now, routing.Transferred{Offer: before.Offer, ToAgent: id})
	}
	if l == nil {
		l = c.offer(k, id)
	}
	for _, other := range k.legs {
		if other != l && other.phase == ringing {
			c.act(now, routing.Withdraw{Offer: other.Offer, Why: "answered_elsewhere"})
			c.gone(other)
		}
	}
	l.phase, k.talker = talking, l
	c.act(now, routing.Connect{Offer: l.Offer, Answered: now})
	if before != nil {
		c.wrapUp(k, before)
	}
	c.endIn(k, s.Longest)
	return told(k, rest)
}

func (c *Calls) hungUp(k *call, key callKey, e web.PBXEvent) web.PBXAnswer {
	if k == nil {
		c.remember(key) // its newCall, should it come late, pops nowhere
		return ignored("unknown_call")
	}
	by := routing.ByServer // a PBX does not tell who has hung up
	if k.talker == nil && (e.Cause == "" || e.Cause == "cancel" || e.Cause == "normalClearing") {
		by = routing.ByCaller
	}
	c.end(k, by, e.Cause)
	return web.PBXAnswer{Call: k.id, Agents: []agents.ID{}}
}

// end ends a call. Who talked has time for a note.
func (c *Calls) end(k *call, by routing.Party, reason string) {
	if k.over {
		return
	}
	k.over = true
	k.timer.Stop()
	now := time.Now()
	over := routing.EndCall{Call: k.id, Outcome: routing.Abandoned, By: by, Reason: reason}
	switch {
	case k.talker != nil:
		over.Outcome, over.Agent, over.Attempt = routing.Answered, k.talker.Agent, k.talker.Attempt
	case by == routing.ByServer:
		over.Outcome = routing.Failed
	}
	if reason == "answered_elsewhere" {
		over.Outcome = routing.Treated
	}
	for _, l := range k.legs {
		switch l.phase {
		case ringing:
			why := "abandoned"
			if over.Outcome == routing.Treated {
				why = reason
			}
			c.act(now, routing.Withdraw{Offer: l.Offer, Why: why})
			c.gone(l)
		case talking:
			c.wrapUp(k, l)
		}
	}
	c.act(now, over)
	delete(c.byKey, k.callKey)
	c.remember(k.callKey)
	c.forget(k)
}

// wrapUp gives an agent time for a note.
func (c *Calls) wrapUp(k *call, l *leg) {
	now, long := time.Now(), c.sources[k.source].WrapUp
	l.phase = wrapUp
	c.act(now, routing.WrapUpStarted{Offer: l.Offer, Until: now.Add(long), Disposition: "off"})
	l.timer = time.AfterFunc(long, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.finish(k, l, "")
	})
}

// finish ends an agent's part in a call.
func (c *Calls) finish(k *call, l *leg, disposition string) {
	if l.phase != wrapUp {
		return
	}
	l.timer.Stop()
	c.act(time.Now(), routing.WrapUpFinished{Offer: l.Offer, Disposition: disposition})
	c.gone(l)
	c.forget(k)
}

// gone says that the agent has no more to do with the call.
func (c *Calls) gone(l *leg) {
	if l.phase == done {
		return
	}
	l.phase = done
	if !isClosed(l.acked) {
		close(l.acked)
	}
	c.agent(l.Agent).legs--
	c.keepFree(l.Agent)
}

// forget drops a call that nobody writes about any more.
func (c *Calls) forget(k *call) {
	for _, l := range k.legs {
		if l.phase != done {
			return
		}
	}
	if k.over {
		delete(c.byID, k.id)
	}
}

// endIn bounds how long the call may go on without a word of its PBX.
func (c *Calls) endIn(k *call, long time.Duration) {
	if k.timer != nil {
		k.timer.Stop()
	}
	due := time.Now().Add(long)
	k.deadline = due
	k.timer = time.AfterFunc(long, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !k.over && k.deadline.Equal(due) {
			c.log.Warn("the end of a call was never told", zap.Int64("call", int64(k.id)), zap.String("source", k.source))
			c.end(k, routing.ByServer, reasonLost)
		}
	})
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

// remember keeps in mind that a call is over.
func (c *Calls) remember(key callKey) {
	if _, there := c.over[key]; !there {
		c.ended = append(c.ended, key)
	}
	c.over[key] = time.Now()
}

func (c *Calls) forgetOver(now time.Time) {
	for len(c.ended) > 0 && (len(c.ended) > maxOver || now.Sub(c.over[c.ended[0]]) > keepOver) {
		delete(c.over, c.ended[0])
		c.ended = c.ended[1:]
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

// numberOf is what is dialled of a text: a name in the place of a number is nobody's
// business in the ledger.
func numberOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || strings.ContainsRune("+*#", r) {
			return r
		}
		return -1
	}, text)
}

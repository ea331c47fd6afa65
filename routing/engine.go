package routing

import (
	"errors"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/queue"
	"github.com/cordboard/cordboard/routing/rule"
)

// Errors of Step. The event was not applied; deadlines that were due were.
var (
	ErrUnknownAgent  = errors.New("agent is not in the directory")
	ErrKnownCall     = errors.New("call has arrived already")
	ErrNoPolicy      = errors.New("change of policy or directory without a policy")
	ErrUnknownEvent  = errors.New("event of an unknown type")
	ErrBadAgentState = errors.New("agents sign in as available or not_ready")
)

// Engine decides who gets which call, and when. It is a value of one
// goroutine: Step, Deadline and Snapshot must not be called at once.
type Engine struct {
	now    int64 // microseconds since 1970
	plan   *plan
	agents map[agents.ID]*agent
	roster []*agent // signed in, by id
	known  []*agent // all, in the order in which they became known
	census *census  // of a directory that is being taken over
	calls  map[CallID]*call

	demandBy  map[demandKey]*demand
	index     index
	front     queue.Tree[queue.Key, *call] // calls that came back
	rising    queue.Tree[queue.Key, *call] // waiting calls by when they reach the ceiling
	passed    int                          // waiting calls whose sender is barred
	nearing   []string                     // queues whose callbacks may be due to be called ahead
	nearingAt int                          // of those: whose turn it is to be asked, where they are many
	held      queue.Tree[queue.Key, *call] // waiting calls that hold for agents
	resting   queue.Tree[queue.Key, *call] // callbacks that stand in no index (paused), by call
	figures   map[string]*figure
	used      map[string]int // calls by the queues that they are, or were, in
	// windows and callWin are what least_occupied and fewest_calls look at,
	// microseconds, sorted.
	windows, callWin []int64
	by               *measured  // these windows
	measuring        *measuring // nil: everyone signed in is measured by them
	free             int        // agents Available
	// present is everyone signed in by calls answered lately, for each window of
	// fewest_calls.
	present []queue.Tree[countKey, *agent]

	reserved map[string][]*standby // reserves, by queue
	stirred  []string              // queues whose calls have changed, for them
	tMinute  timer                 // when their service level is looked at
	tAhead   timer                 // when expected waits are looked at, for callbacks
	opened   []string              // queues whose bound has room again

	timers    timers
	freed     pile[*agent] // who have yet to take
	seekers   pile[*call]  // which have yet to seek
	slice     slice
	wakes     []*wake
	described map[rule.Call]*described // attributes that calls share
	picked    []*agent                 // others whom the call in hand is offered to at once
	steps     int64                    // Steps so far
	env       rule.Env
	reading   *plan          // whose conditions are being read
	asking    *call          // that they are read for
	zone      *time.Location // of its caller
	acts      []Action
	ending    *call // its end is being told
	pretend   func(string, rule.QueueFigures) rule.QueueFigures

	// Of a reload (reload.go).
	plans     []*plan // versions before the live one with calls, oldest first
	gathering gathering
	renewing  []outdated // a heap of demands with calls to be routed again
	gone      []*plan    // versions that no call uses any more, to be forgotten
	watch     *watch     // nil: nobody wants records
	gives     bool       // some calls are decided as they were recorded
}

// New makes an engine that decides by the policy. All its agents are signed
// out.
func New(p *Policy) *Engine {
	e := &Engine{
		plan: newPlan(p), agents: map[agents.ID]*agent{}, calls: map[CallID]*call{},
		demandBy: map[demandKey]*demand{}, figures: map[string]*figure{}, used: map[string]int{}, described: map[rule.Call]*described{},
		freed: freedPile(), seekers: seekPile(), slice: slice{mostUnits: sliceUnits},
	}
	e.env.Rim = e.predicate
	e.env.IsOpen = func(name string) bool {
		c := e.reading.Calendars[name]
		return c != nil && c.For(e.zone).Open(instant(e.now))
	}
	e.index = newIndex(&e.slice)
	e.reserved = map[string][]*standby{}
	e.setWindows()
	e.rewindow()
	e.reserves()
	e.directory(p)
	for e.census != nil {
		e.enrolNext()
	}
	return e
}

// Step applies one event at the given instant and returns what must now be
// done. It never blocks, reads no clock and starts nothing. Deadlines due at
// or before the instant come first, in order; Tick is the event that brings
// nothing else.
// The slice is valid until the next Step.
//
// No Step is long, whatever happens: past so much work it begins no further
// decision, and Deadline says that the next Step is wanted now. An event comes
// in between all the same, after the due deadlines of its own call and agent.
//
// An event of a call or an attempt that is over changes nothing: what is left
// of it is cleaned up (a late answer is released, a desk is refused). An error
// says that the event makes no sense; the actions of the deadlines stand.
func (e *Engine) Step(at time.Time, ev Event) ([]Action, error) {
	clear(e.acts)
	e.acts = e.acts[:0]
	if us := at.UnixMicro(); us > e.now {
		e.now = us
	}
	e.steps++
	e.slice.begin()
	e.expire()
	e.expireOf(ev)
	e.enrolAgentOf(ev)
	err := e.apply(ev)
	if err != nil {
		err = fmt.Errorf("%s: %w", ev.Kind(), err)
	}
	e.settle()
	// What settling began may be due already (a hold of no length).
	for e.due() && !e.slice.over() {
		e.expire()
		e.settle()
	}
	return e.acts, err
}

// Deadline reports when the engine next wants a Step, if ever: at once while
// decisions are pending.
func (e *Engine) Deadline() (time.Time, bool) {
	if e.pending() {
		return instant(e.now), true
	}
	if len(e.timers) == 0 {
		return time.Time{}, false
	}
	return instant(e.timers[0].due), true
}

func (e *Engine) act(a Action) {
	e.acts = append(e.acts, a)
	e.count(a)
	if e.gives {
		e.tellGiven(a)
	}
}

func (e *Engine) apply(ev Event) error {
	switch ev := ev.(type) {
	case CallArrived:
		return e.callArrived(ev)
	case CustomerResolved:
		e.customerResolved(ev)
	case CallerGone:
		e.callerGone(ev)
	case CallFailed:
		e.callFailed(ev)
	case TreatmentPlayed:
		e.treatmentPlayed(ev)
	case NumberAnswered:
		e.numberAnswered(ev)
	case NumberFailed:
		e.numberFailed(ev)
	case NumberGone:
		e.numberGone(ev)
	case MessageLeft:
		e.messageLeft(ev)
	case MenuKeyed:
		e.menuKeyed(ev)
	case NumberKeyed:
		e.numberKeyed(ev)
	case RimRead:
		e.rimRead(ev)
	case CallbackAccepted:
		e.callbackAccepted(ev)
	case CallbackDeclined:
		e.callbackDeclined(ev)
	case CallbackCancelled:
		e.callbackCancelled(ev)
	case CallbackRestored:
		return e.callbackRestored(ev)
	case CallbackRequested:
		return e.callbackRequested(ev)
	case CustomerAnswered:
		e.customerAnswered(ev)
	case CustomerMissed:
		e.customerMissed(ev)
	case AgentSignedIn:
		return e.agentSignedIn(ev)
	case AgentSignedOut:
		return e.agentSignedOut(ev)
	case AgentStateAsked:
		return e.agentStateAsked(ev)
	case DeskChanged:
		return e.deskChanged(ev)
	case PhoneProbed:
		return e.phoneProbed(ev)
	case PhoneChanged:
		return e.phoneChanged(ev)
	case PolicyChanged:
		return e.policyChanged(ev)
	case DirectoryChanged:
		return e.directoryChanged(ev)
	case Started:
		for _, a := range e.known {
			e.signInByPhone(a)
		}
	case Tick:
	default:
		return e.applyOffer(ev)
	}
	return nil
}

// applyOffer applies the events that carry an attempt. Those of another
// attempt than the call's own are stale.
func (e *Engine) applyOffer(ev Event) error {
	o, ok := offerOf(ev)
	if !ok {
		return ErrUnknownEvent
	}
	if w, ok := ev.(WrapUpEnded); ok {
		e.wrapUpEnded(w)
		return nil
	}
	c := e.calls[o.Call]
	if c == nil || !e.turnTo(c, o) {
		e.stale(ev, o)
		return nil
	}
	switch ev := ev.(type) {
	case PopAcked:
		e.popAcked(c, ev)
	case OfferAccepted:
		e.offerAccepted(c)
	case OfferRefused:
		e.offerRefused(c)
	case PhoneRinging:
		c.rang = true
	case PhoneAnswered:
		e.phoneAnswered(c)
	case PhoneFailed:
		e.phoneFailed(c, ev)
	case AgentGone:
		e.agentGone(c)
	case JoinFailed:
		e.joinFailed(c)
	case Joined: // nothing follows from it; the ledger and the desk want it
	case HoldRequested:
		e.hold(c, ev.Kind(), ev.On, false)
	case PhoneHeld:
		e.hold(c, "", ev.On, true)
	case HangupRequested:
		e.hangupRequested(c)
	case TransferRequested:
		e.transferRequested(c, ev)
	case ConsultRequested:
		return e.consultRequested(c, ev)
	case ConsultStopped:
		e.consultStopped(c)
	case ConsultCompleted:
		e.consultCompleted(c)
	}
	return nil
}

// stale cleans up after an event whose offer is over.
func (e *Engine) stale(ev Event, o Offer) {
	switch ev.(type) {
	case PhoneAnswered:
		e.act(Release{o, "stale"})
	case PopAcked, OfferAccepted, OfferRefused, HoldRequested, HangupRequested, TransferRequested, ConsultRequested, ConsultStopped, ConsultCompleted, WrapUpEnded:
		e.act(Refused{o, ev.Kind(), "stale"})
	}
}

func offerOf(ev Event) (Offer, bool) {
	switch ev := ev.(type) {
	case PopAcked:
		return ev.Offer, true
	case OfferAccepted:
		return ev.Offer, true
	case OfferRefused:
		return ev.Offer, true
	case PhoneRinging:
		return ev.Offer, true
	case PhoneAnswered:
		return ev.Offer, true
	case PhoneFailed:
		return ev.Offer, true
	case AgentGone:
		return ev.Offer, true
	case JoinFailed:
		return ev.Offer, true
	case Joined:
		return ev.Offer, true
	case HoldRequested:
		return ev.Offer, true
	case PhoneHeld:
		return ev.Offer, true
	case HangupRequested:
		return ev.Offer, true
	case TransferRequested:
		return ev.Offer, true
	case ConsultRequested:
		return ev.Offer, true
	case ConsultStopped:
		return ev.Offer, true
	case ConsultCompleted:
		return ev.Offer, true
	case WrapUpEnded:
		return ev.Offer, true
	}
	return Offer{}, false
}

// fire does what a deadline is for.
func (e *Engine) fire(t *timer) {
	e.spend(2 * indexUnits)
	e.timers.disarm(t)
	kind := t.kind // turning to the offer gives the timer to another
	if kind.isOffer() {
		e.turnToTimer(t.call, t)
	}
	if t.call != nil {
		t.call.drop(t)
	}
	switch kind {
	case recordDue:
		e.routed(t.call)
	case popDue:
		e.popLate(t.call)
	case leadDue:
		e.leadOver(t.call)
	case ringDue:
		e.noAnswer(t.call)
	case barDue:
		e.unbar(t.call, t.agent, "bar_ended")
	case agentDue:
		e.agentTimer(t.agent)
	case probeDue:
		e.probe(t.agent)
	case holdDue:
		e.holdOver(t.call)
	case stepDue:
		e.stepDue(t.call)
	case relaxDue:
		e.relaxed(t.call)
	case reserveDue:
		e.reserveDue(t)
	case lateDue:
		e.treatWhenFree(t.call, "late", t.call.queue.Late.Then)
	case nobodyDue:
		e.nobodyHere(t)
	case closeDue:
		e.closed(t.call)
	case siteDue:
		e.siteChanged(t.call)
	case returnDue:
		e.unanswered(t.call)
	case callbackDue:
		e.callbackDue(t.call)
	case callbackOver:
		e.callbackExpired(t.call)
	case aheadDue: // settling looks at them
	case sayDue:
		e.say(t.call)
	case numberDue:
		e.numberFails(t.call, numberSilent)
	case watchDue:
		e.watchPhone(t.agent)
	}
}

// agentOf is the agent that an event is about, "" for none.
func agentOf(ev Event) agents.ID {
	switch ev := ev.(type) {
	case AgentSignedIn:
		return ev.Agent
	case AgentSignedOut:
		return ev.Agent
	case AgentStateAsked:
		return ev.Agent
	case DeskChanged:
		return ev.Agent
	case PhoneProbed:
		return ev.Agent
	case PhoneChanged:
		return ev.Agent
	}
	o, _ := offerOf(ev)
	return o.Agent
}

// CallOf is the call that an event is about, if it is about one.
func CallOf(ev Event) (CallID, bool) {
	switch ev := ev.(type) {
	case CallArrived:
		return ev.Call, true
	case CustomerResolved:
		return ev.Call, true
	case CallerGone:
		return ev.Call, true
	case CallFailed:
		return ev.Call, true
	case TreatmentPlayed:
		return ev.Call, true
	case NumberAnswered:
		return ev.Call, true
	case NumberFailed:
		return ev.Call, true
	case NumberGone:
		return ev.Call, true
	case MessageLeft:
		return ev.Call, true
	case MenuKeyed:
		return ev.Call, true
	case NumberKeyed:
		return ev.Call, true
	case RimRead:
		return ev.Call, true
	case CallbackAccepted:
		return ev.Call, true
	case CallbackDeclined:
		return ev.Call, true
	case CallbackCancelled:
		return ev.Call, true
	case CallbackRestored:
		return ev.Call, true
	case CallbackRequested:
		return ev.Call, true
	case CustomerAnswered:
		return ev.Call, true
	case CustomerMissed:
		return ev.Call, true
	}
	o, ok := offerOf(ev)
	return o.Call, ok
}

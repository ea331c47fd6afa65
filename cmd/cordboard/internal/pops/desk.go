package pops

import (
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// reasonPBXCall is why an agent is away who has a call of a PBX.
const reasonPBXCall = "pbx_call"

// agent is what is known of one: all that the desks' hub submits passes by here, in
// its order.
type agent struct {
	desk   bool // connected
	legs   int  // in calls of a PBX, notes included
	status agents.Status
	// resting says that she asked last to be away; parked, that the last word the engine
	// had of her state is ours.
	resting, parked bool
}

func (c *Calls) agent(id agents.ID) *agent {
	a := c.staff[id]
	if a == nil {
		a = &agent{status: agents.Status{Agent: id, State: agents.SignedOut}}
		c.staff[id] = a
	}
	return a
}

// keepFree keeps queue calls from an agent who has a call of a PBX, and takes that
// back with its end: unless she asked to be away meanwhile, or is so for another
// reason. With a queue call in hand the engine remembers the wish for its end.
func (c *Calls) keepFree(id agents.ID) {
	a := c.agent(id)
	switch state := a.status.State; {
	case a.legs > 0 && !a.parked && !a.resting && state != agents.SignedOut && state != agents.NotReady:
		a.parked = true
		c.opt.Engine.Submit(routing.AgentStateAsked{Agent: id, State: agents.NotReady, Reason: reasonPBXCall})
	case a.legs == 0 && a.parked:
		a.parked = false
		c.opt.Engine.Submit(routing.AgentStateAsked{Agent: id, State: agents.Available})
	}
}

// Do implements live.Port: it learns of agents' states.
func (c *Calls) Do(_ time.Time, actions []routing.Action) {
	for _, action := range actions {
		if s, ok := action.(routing.AgentChanged); ok {
			c.mu.Lock()
			c.changed(s.Status)
			c.mu.Unlock()
		}
	}
}

func (c *Calls) changed(s agents.Status) {
	a := c.agent(s.Agent)
	a.status = s
	switch s.State {
	case agents.SignedOut:
		a.parked, a.resting = false, false
	case agents.Available:
		// By the engine's own doing, or before it heard of the call: once more, which
		// changes nothing if it was heard.
		if a.legs > 0 {
			a.parked = false
			c.keepFree(s.Agent)
		}
	}
}

// Submit implements screenpop.Engine. What desks ask of a PBX's call is answered
// here: there is nothing to hold, pass on or refuse, since the PBX has the call.
func (c *Calls) Submit(ev routing.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := ev.(type) {
	case routing.PopAcked:
		if l := c.find(e.Offer); l != nil {
			if !isClosed(l.acked) {
				close(l.acked)
			}
			if l.late {
				c.rings(l)
			}
			return
		}
	case routing.HangupRequested:
		if k := c.byID[e.Call]; k != nil { // the agent says that it is over
			if l := c.find(e.Offer); l == nil || l != k.talker || k.over {
				c.refuse(e.Offer, ev)
			} else {
				c.end(k, routing.ByAgent, "")
			}
			return
		}
	case routing.WrapUpEnded:
		if k := c.byID[e.Call]; k != nil {
			if l := c.find(e.Offer); l == nil || l.phase != wrapUp {
				c.refuse(e.Offer, ev)
			} else {
				c.finish(k, l, e.Disposition)
			}
			return
		}
	case routing.AgentStateAsked:
		if ev = c.asked(e); ev == nil {
			return
		}
	case routing.AgentSignedIn:
		c.agent(e.Agent).parked = false
		c.agent(e.Agent).resting = e.State == agents.NotReady
	case routing.AgentSignedOut:
		c.agent(e.Agent).parked = false
	case routing.DeskChanged:
		c.agent(e.Agent).desk = e.Up
	default:
		if o, is := offerOf(ev); is && c.byID[o.Call] != nil {
			c.refuse(o, ev)
			return
		}
	}
	c.opt.Engine.Submit(ev)
}

// asked is what becomes of an agent's wish: who wants to be available during a
// PBX's call is so after it.
func (c *Calls) asked(e routing.AgentStateAsked) routing.Event {
	a := c.agent(e.Agent)
	a.resting = e.State == agents.NotReady
	if a.resting || a.legs == 0 {
		a.parked = false
		return e
	}
	a.parked = true
	return routing.AgentStateAsked{Agent: e.Agent, State: agents.NotReady, Reason: reasonPBXCall}
}

// offerOf is the offer that a desk's request is about, of the kinds that a PBX's call
// has no use for.
func offerOf(ev routing.Event) (routing.Offer, bool) {
	switch e := ev.(type) {
	case routing.OfferAccepted:
		return e.Offer, true
	case routing.OfferRefused:
		return e.Offer, true
	case routing.HoldRequested:
		return e.Offer, true
	case routing.TransferRequested:
		return e.Offer, true
	case routing.ConsultRequested:
		return e.Offer, true
	case routing.ConsultStopped:
		return e.Offer, true
	case routing.ConsultCompleted:
		return e.Offer, true
	}
	return routing.Offer{}, false
}

// refuse is for the desk alone: the ledger is told of calls, not of buttons.
func (c *Calls) refuse(o routing.Offer, ev routing.Event) {
	c.desks.Do(time.Now(), []routing.Action{routing.Refused{Offer: o, Asked: ev.Kind(), Code: "not_now"}})
}

// find is the leg of an offer; nil: none, or it is over.
func (c *Calls) find(o routing.Offer) *leg {
	k := c.byID[o.Call]
	if k == nil || o.Attempt < 1 || int(o.Attempt) > len(k.legs) {
		return nil
	}
	if l := k.legs[o.Attempt-1]; l.Offer == o && l.phase != done {
		return l
	}
	return nil
}

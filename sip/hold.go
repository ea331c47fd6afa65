package sip

import "github.com/cordboard/cordboard/routing"

// hold does the desk's Hold. ByPhone is the phone's own doing; its end ends the
// desk's too. The other way round cannot be: a phone that holds is taken back
// at the phone only, and the engine is told that it still does.
func (c *call) hold(a routing.Hold) {
	if c.agent == nil || c.agent.offer != a.Offer || !c.connected || a.ByPhone && a.On {
		return
	}
	c.deskHold = a.On
	c.afresh()
	if !a.On && !a.ByPhone && c.agent.holding {
		c.submit(routing.PhoneHeld{Offer: a.Offer, On: true})
	}
}

// held reports whether the caller shall hear music instead of the agent. A
// request of the agent's phone counts from its arrival.
func (c *call) held() bool {
	l := c.agent
	if l.request != nil {
		return c.deskHold || l.request.audio.Holds()
	}
	return c.deskHold || l.holding
}

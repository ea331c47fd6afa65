package sip

import (
	"slices"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/stack"
)

// A ring group calls several phones at once. The call faces one of their legs
// (call.agent), which everything about media is about; the others ring beside
// it, and the one that answers is faced. Which answer counts the engine says.

// legOf is the agent's leg of an offer, nil when there is none.
func (c *call) legOf(o routing.Offer) *leg {
	if c.agent != nil && c.agent.offer == o {
		return c.agent
	}
	if c.asking != nil && c.asking.leg != nil && c.asking.leg.offer == o {
		return c.asking.leg
	}
	for _, l := range c.others {
		if l.offer == o {
			return l
		}
	}
	return nil
}

func (c *call) isOther(l *leg) bool { return slices.Contains(c.others, l) }

// aside makes room for another leg of the group to be faced.
func (c *call) aside() {
	if c.agent != nil {
		c.agent.direct = c.direct
		c.others = append(c.others, c.agent)
		c.agent = nil
	}
}

// face turns to one of the legs of the group.
func (c *call) face(l *leg) {
	if !c.isOther(l) {
		return
	}
	c.aside()
	c.leave(l)
	c.agent, c.direct = l, l.direct
	c.afresh()
}

// leave takes a leg off those that ring beside the one that is faced.
func (c *call) leave(l *leg) {
	c.others = slices.DeleteFunc(c.others, func(o *leg) bool { return o == l })
}

// drop ends an agent's leg, whatever it is doing.
func (c *call) drop(l *leg, h []stack.Header) {
	if l == c.agent {
		c.dropAgent(h)
		return
	}
	if c.asks(l) {
		c.dropAsked(h)
		return
	}
	c.leave(l)
	l.dlg.Bye(h)
	c.closeLeg(l)
}

// dropAgents ends all of them.
func (c *call) dropAgents(h []stack.Header) {
	for len(c.others) > 0 {
		c.drop(c.others[0], h)
	}
	c.dropAsked(h)
	c.dropSecond(h, "call_over")
	c.dropAgent(h)
}

// otherEvent is what a phone of the group did beside the one that is faced.
func (c *call) otherEvent(l *leg, ev stack.Event) {
	switch ev := ev.(type) {
	case stack.Answered:
		if l.isMobile() && !c.connected {
			c.pickedUp(l, ev.Response)
			return
		}
		if c.connected { // too late: the engine says so to its offer
			c.try(l, "ack", l.dlg.Ack(nil))
			l.answered = true
			l.unheard.Stop()
			c.submit(routing.PhoneAnswered{Offer: l.offer})
			return
		}
		c.face(l)
		c.agentAnswered(l, ev.Response)
	case stack.Failed:
		if ev.Code == 422 && c.inviteAgain(l, ev.Response) || c.detour(l, ev.Code) {
			return
		}
		c.leave(l)
		c.closeLeg(l)
		c.submit(routing.PhoneFailed{Offer: l.offer, Code: ev.Code})
	case stack.Ended:
		c.otherGone(l)
	case stack.FlowLost, stack.AckMissing:
		l.dlg.Bye(nil)
		c.otherGone(l)
	case stack.Requested: // until it is decided whose call it is
		c.try(l, "reply", l.dlg.Reply(ev.Request, 491, "", nil, nil))
	case stack.Progress:
		c.agentEvent(l, ev)
	}
}

// otherGone is the end of such a leg that we did not ask for.
func (c *call) otherGone(l *leg) {
	if l.isAsked() {
		c.mobileGone(l)
		return
	}
	c.leave(l)
	c.closeLeg(l)
	if l.answered {
		c.submit(routing.AgentGone{Offer: l.offer})
		return
	}
	c.submit(routing.PhoneFailed{Offer: l.offer, Code: 503})
}

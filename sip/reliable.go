package sip

import (
	"github.com/cordboard/cordboard/sip/stack"
)

// Provisional responses that the caller acknowledges (RFC 3262). When each is sent,
// and again, is the stack's; what is agreed in them is told here.

// codecsKnown reports whether it is known what the caller can hear.
func (c *call) codecsKnown() bool { return c.first != nil || c.caller.up || c.caller.agreed }

// acknowledges reports whether the caller's INVITE has the option 100rel in the header.
func (c *call) acknowledges(header string) bool {
	return c.invited != nil && lists(c.invited, header, "100rel")
}

// owesOffer reports whether our offer goes in the provisional response that is due:
// in the first that is reliable, to a caller who made none (RFC 3261 13.2.1).
func (c *call) owesOffer() bool {
	l := c.caller
	return c.first == nil && l.offered == nil && !l.agreed && (c.earlyDue || c.acknowledges("Require"))
}

// offerEarly makes that offer. The answer comes in the PRACK.
func (c *call) offerEarly() bool {
	l := c.caller
	if !c.openPort(l) {
		c.fail("no_media_port")
		return false
	}
	c.offerOwn(l)
	return true
}

// pracked is the answer to that offer.
func (c *call) pracked(l *leg, prack *stack.Message) {
	if l.offered == nil {
		return
	}
	if !c.tookAnswer(l, prack.Body) {
		c.fail("no_answer_in_prack")
		return
	}
	l.agreed = true
	if c.earlyDue && !l.answered {
		l.early = true
		c.progress()
	}
}

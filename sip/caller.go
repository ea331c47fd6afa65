package sip

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// start hands the call to the engine. It is the first item of the mailbox, before
// anything the engine orders.
func (c *call) start() {
	if !c.gw.router.Arrive(c.arrival) {
		c.try(c.caller, "reject", c.caller.dlg.Reject(503, "", retryAfter))
		c.finish()
		return
	}
	c.ringTimer = c.after(c.gw.ringbackAfter, c.progress)
	c.expire()
}

// expire ends a call that is not answered within the Expires of its INVITE
// (RFC 3261 13.3.1).
func (c *call) expire() {
	if c.expires == 0 {
		return
	}
	c.expireTimer = c.after(c.expires, func() {
		l := c.caller
		if l.answered || l.ended {
			return
		}
		c.try(l, "reject", l.dlg.Reject(487, "", reasonHeader(routing.ByCaller, "expired")))
		c.callerGone()
	})
}

// callerEvent is what the caller's telephone, or the way to it, did.
func (c *call) callerEvent(l *leg, ev stack.Event) {
	if c.isCustomer(l) {
		c.customerEvent(l, ev)
		return
	}
	switch ev := ev.(type) {
	case stack.Acked:
		c.callerAcked(l, ev.Request)
	case stack.Canceled, stack.Ended:
		c.callerGone()
	case stack.FlowLost:
		if !c.flowLost(l) {
			l.dlg.Bye(nil)
			c.callerGone()
		}
	case stack.Pracked:
		c.pracked(l, ev.Request)
	case stack.PrackMissing: // refused already
		c.fail("no_prack")
	case stack.AckMissing: // RFC 3261 13.3.1.4: end it with BYE
		if c.parting { // no end of the call: he will be called back
			c.partFromCaller()
			return
		}
		c.fail("no_ack")
	case stack.Requested:
		c.requested(l, ev.Request)
	case stack.Withdrawn:
		c.withdrawn(l, ev.Request)
	case stack.Replied:
		if !c.referred(ev) {
			c.replied(l, ev)
		}
	}
}

func (c *call) callerAcked(l *leg, ack *stack.Message) {
	if !c.acked(l, ack) {
		c.fail("no_answer_in_ack")
		return
	}
	if l := c.agent; l != nil && c.first == nil && !c.direct {
		l.own = slices.Clone(c.caller.own) // what the ACK brought; the phone was offered more
		if l.isMobile() {
			l.own = withKeysOf(l.own, l.told.Formats)
		}
	}
	if send := c.sendLater; send != nil {
		c.sendLater = nil
		send()
	}
	later := c.ringLater
	c.ringLater = nil
	for _, r := range later {
		c.ring(r)
	}
}

// acked notes an ACK of a 2xx of ours. False: it should have brought the
// answer to our offer and did not.
func (c *call) acked(l *leg, ack *stack.Message) bool {
	l.up, l.awaitAck = true, false
	return l.offered == nil || c.tookAnswer(l, ack.Body)
}

// tookAnswer takes the answer to our offer in a response.
func (c *call) tookAnswer(l *leg, body []byte) bool {
	told := *l.offered
	l.offered = nil
	if !l.took(told, body) {
		return false
	}
	l.said = told
	if l.atOwnPort() {
		l.own, _ = l.remote.Keep(l.codec)
	}
	if l.answered {
		c.save(l)
	}
	return true
}

// answerCaller sends the 200: with our port as the caller's peer, or with the
// phone of the agent who is connected directly. Sound begins at once: an ACK
// that is late is no reason for silence.
func (c *call) answerCaller() {
	l := c.caller
	if l.answered || l.ended {
		return
	}
	if l.port == nil && !c.openPort(l) {
		c.fail("no_media_port")
		return
	}
	switch {
	case l.early || l.agreed || l.offered != nil: // RFC 3261 13.2.1: what the 183 said; a re-INVITE says the rest
	case c.first == nil:
		c.offerOwn(l)
	default:
		body, err := c.agree(l, c.first, c.wanted(l))
		if err != nil {
			c.log.Error("caller's offer could not be answered", zap.Error(err))
			c.fail("no_codec")
			return
		}
		l.localSDP = body
	}
	if err := l.dlg.Accept(l.vigil.accept(c.invited, time.Now()), l.localSDP); err != nil {
		c.log.Info("caller could not be answered", zap.Error(err)) // his CANCEL was first
		l.dlg.Bye(nil)
		c.callerGone()
		return
	}
	l.answered = true
	c.ringTimer.Stop()
	c.save(l)
	c.keepWatch()
}

// offerOwn makes our offer to a caller who made none.
func (c *call) offerOwn(l *leg) {
	l.own = media.OwnFormats()
	if c.connected {
		preferFormat(l.own, c.agent.codec)
	}
	told := l.ownAudio()
	l.offered, l.localSDP = &told, l.side.Offer(told)
}

// preferFormat puts one format first.
func preferFormat(fs []media.Format, f media.Format) {
	if i := slices.IndexFunc(fs, func(g media.Format) bool { return speaks([]media.Format{g}, f) }); i > 0 {
		fs[0], fs[i] = fs[i], fs[0]
	}
}

// wait puts the caller back to the music.
func (c *call) wait(a routing.Wait) {
	c.tune = a.Music
	c.hush()
	if l := c.agent; l != nil && l.treats() { // a number that rings no longer
		c.dropAgent(reasonHeader(routing.ByServer, a.Why))
	}
	c.part()
	c.answerCaller()
}

// treat refuses the caller, or plays an announcement to its end: to who is
// answered, or hears early media.
// The engine's EndCall follows.
func (c *call) treat(a routing.Treat) {
	l := c.caller
	c.endMenu()
	switch {
	case l.ended:
	case a.Number != "":
		c.send(a.Number, a.Until, a.Music)
	case a.Voicemail != "":
		c.takeMessage(a)
	case a.Reject != 0 && !l.answered:
		c.try(l, "reject", l.dlg.Reject(a.Reject, "", reasonHeader(routing.ByServer, a.Why)))
		c.closeLeg(l)
	case a.Play == "":
	case !c.gw.media.Has(a.Play):
		c.log.Warn("unknown announcement", zap.String("reason", a.Why), zap.String("sound", a.Play))
		c.submit(routing.TreatmentPlayed{Call: c.id})
	case c.deaf && !l.answered:
		c.submit(routing.TreatmentPlayed{Call: c.id})
	default:
		c.hush()
		c.treatment, c.played = a.Play, false
		if !l.early {
			c.answerCaller()
		}
	}
}

// afterTreatment is the silence kept for the engine to end the call. When it
// sends the caller on to a queue instead, the music is back after it.
const afterTreatment = 300 * time.Millisecond

func (c *call) treatmentPlayed() {
	if c.treatment == "" || c.played {
		return
	}
	c.played = true
	c.submit(routing.TreatmentPlayed{Call: c.id})
	c.resume = c.after(afterTreatment, func() {
		if c.played {
			c.treatment = ""
		}
	})
}

// callerGone ends what was for the caller and tells the engine.
func (c *call) callerGone() {
	if c.caller.ended {
		return
	}
	if c.parting {
		c.lineGone()
		return
	}
	c.dropAgents(reasonHeader(routing.ByCaller, "caller_gone"))
	c.noOffer()
	c.endMenu()
	c.closeLeg(c.caller)
	if !c.hungUpOn() {
		c.submit(routing.CallerGone{Call: c.id, Unanswered: !c.caller.answered})
	}
	c.orphanTimer = c.after(c.gw.orphanAfter, func() {
		c.log.Error("no end of a call whose caller has gone", zap.String("reason", "engine_silent"))
		c.finish()
	})
}

// endCaller ends the caller's leg from our side.
func (c *call) endCaller(a routing.EndCall) {
	l := c.caller
	if l.ended {
		return
	}
	if l.answered || l.out != nil {
		l.dlg.Bye(reasonHeader(a.By, a.Reason))
	} else {
		c.try(l, "reject", l.dlg.Reject(refusal(a), "", reasonHeader(a.By, a.Reason)))
	}
	c.closeLeg(l)
}

// refusal is the final response to a caller who was never answered.
func refusal(a routing.EndCall) int {
	switch {
	case a.Code >= 300 && a.Code < 700:
		return a.Code
	case a.Outcome == routing.Failed:
		return 500
	}
	return 480
}

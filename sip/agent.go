package sip

import (
	"net/netip"
	"slices"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// ring sends the INVITE to the agent's phone.
func (c *call) ring(a routing.Ring) {
	if c.caller.ended {
		return // CallerGone is on its way to the engine
	}
	if !a.Group || c.connected {
		c.dropAgents(reasonHeader(routing.ByServer, "superseded"))
	}
	late := !c.codecsKnown() // a late offer
	if late && c.caller.answered {
		c.ringLater = append(c.ringLater, a) // the ACK brings them
		return
	}
	phone, ok := c.gw.phones.Phone(a.Agent)
	if !ok || phone.URI == "" && phone.Number == "" {
		c.submit(routing.PhoneFailed{Offer: a.Offer, Code: 480})
		return
	}
	if c.redirects(a, phone) {
		c.redirect(a, phone)
		return
	}
	c.aside()
	l := &leg{name: legName(a.Offer), offer: a.Offer, order: a, side: c.newSide()}
	if phone.Number != "" {
		l.out = &outward{number: phone.Number, ways: c.gw.ways(c.trunk.Name)}
	}
	c.callOut(l, phone, late)
}

// callOut calls a telephone, or a number, for the caller. late: his codecs are
// not known yet.
func (c *call) callOut(l *leg, phone agents.Phone, late bool) {
	// Answered with the agent, such a caller tells his codecs after the phone's
	// answer: then we stay between the two.
	switch {
	case late:
		c.direct = false
	case l.out != nil:
		c.direct = !l.out.relays(c.gw, c.caller, c.trunk)
	default:
		c.direct = c.gw.mayJoinDirectly(c.trunk, c.caller.remote.Addr.Addr(), hostOfPhone(phone))
	}
	if !c.direct && !c.openRelay(l) {
		c.failed(l, noPort)
		return
	}
	if l.out != nil {
		if ok, why := l.out.next(c.gw); !ok {
			c.noTrunk(l, why)
			c.closeLeg(l)
			c.failed(l, why)
			return
		}
		if !l.out.treats {
			l.own = withKeys(l.own)
		}
	}
	l.told = c.wanted(l)
	l.said = l.told
	l.localSDP = l.side.Offer(l.told)
	l.vigil.longest = c.gw.session
	if ok, code := c.inviteByAny(l, phone); !ok {
		c.closeLeg(l)
		c.failed(l, code)
	}
}

// failed tells the engine that a leg has come to nothing.
func (c *call) failed(l *leg, code int) {
	if l.treats() {
		c.submit(routing.NumberFailed{Call: c.id, Code: code})
		return
	}
	c.submit(routing.PhoneFailed{Offer: l.offer, Code: code})
}

// invite sends the INVITE of an agent's leg, or of one to a number.
func (c *call) invite(l *leg, phone agents.Phone) bool {
	o, err := c.outgoing(l.order, phone, l.localSDP), error(nil)
	if l.out != nil {
		o, err = c.outgoingBy(l)
	}
	o.Headers = append(o.Headers, l.vigil.propose()...)
	var dlg dialog
	if err == nil {
		dlg, err = c.gw.endpoint().Invite(o, c.watched(l))
	}
	if err != nil {
		l.setup.unsent()
		c.log.Warn("agent's phone not called", c.of(l), zap.Error(err))
		return false
	}
	l.dlg = dlg
	c.traced(l)
	if !c.isOther(l) && !c.asks(l) {
		c.agent = l
	}
	c.awaitWord(l)
	return true
}

// awaitWord gives who is called so long to send anything at all.
func (c *call) awaitWord(l *leg) {
	l.unheard.Stop() // that of an INVITE before
	l.unheard = c.after(c.gw.unheardAfter, func() { c.unheard(l) })
}

// inviteAgain calls a phone once more that wants a longer session interval
// (422, RFC 4028 section 7.3).
func (c *call) inviteAgain(l *leg, res *stack.Message) bool {
	phone, ok := c.gw.phones.Phone(l.offer.Agent)
	return (ok || l.out != nil) && l.vigil.raise(res) && c.invite(l, phone)
}

// noPort is the Code of PhoneFailed when no RTP port is free: not the phone's
// fault.
const noPort = 0

// unheard gives up a phone that has sent nothing at all, not even 100: it is
// switched off or gone. The transaction would take 32 s to say so, longer than
// a phone is let ring.
func (c *call) unheard(l *leg) {
	if l.ended || l.answered || l.dlg.Heard() {
		return
	}
	l.setup.ended(408)
	if c.detour(l, 408) {
		return
	}
	c.drop(l, nil)
	c.failed(l, 408)
}

// openRelay gives an agent's leg a port of ours. The agent is offered the
// codec agreed with the caller and no other: nothing is transcoded. While none
// is agreed (a late offer), all that we can do.
func (c *call) openRelay(l *leg) bool {
	l.own = slices.Clone(c.caller.own)
	if len(l.own) == 0 {
		l.own = media.OwnFormats()
	}
	return l.port != nil || c.openPort(l)
}

// openPort opens our RTP port towards a leg's peer.
func (c *call) openPort(l *leg) bool {
	port, err := c.gw.media.Open()
	if err != nil {
		c.log.Error("no RTP port", zap.String("leg", l.name), zap.Error(err))
		return false
	}
	l.port = port
	l.port.AlsoFrom(l.source)
	return true
}

// agentEvent is what the phone of the present attempt did.
func (c *call) agentEvent(l *leg, ev stack.Event) {
	switch ev := ev.(type) {
	case stack.Progress:
		if s := ev.Response.Status; (s == 180 || s == 183 && l.out == nil) && !l.rang {
			l.rang = true
			if !l.treats() {
				c.submit(routing.PhoneRinging{Offer: l.offer})
			}
		}
	case stack.Routed:
		c.awaitWord(l)
	case stack.Answered:
		if l.isMobile() {
			c.pickedUp(l, ev.Response)
			return
		}
		c.agentAnswered(l, ev.Response)
	case stack.Failed:
		if ev.Code == 422 && c.inviteAgain(l, ev.Response) || c.detour(l, ev.Code) {
			return
		}
		c.part()
		c.agent = nil
		c.closeLeg(l)
		c.failed(l, ev.Code)
	case stack.Ended:
		c.agentGone(l)
	case stack.FlowLost:
		if !c.flowLost(l) {
			l.dlg.Bye(nil)
			c.agentGone(l)
		}
	case stack.AckMissing:
		l.dlg.Bye(nil)
		c.agentGone(l)
	case stack.Acked:
		if !c.acked(l, ev.Request) {
			c.log.Info("no answer in the ACK", c.of(l))
		}
	case stack.Requested:
		c.requested(l, ev.Request)
	case stack.Withdrawn:
		c.withdrawn(l, ev.Request)
	case stack.Replied:
		c.replied(l, ev)
	}
}

// agentAnswered is the 200 of the phone that is faced.
func (c *call) agentAnswered(l *leg, res *stack.Message) {
	if !c.takenUp(l, res) {
		return
	}
	if c.direct && !c.staysDirect(l) {
		// The phone's audio comes from elsewhere than its signalling.
		if !c.openRelay(l) {
			c.dropAgent(reasonHeader(routing.ByServer, "no_media_port"))
			c.failed(l, noPort)
			return
		}
		c.log.Info("relaying", c.of(l), zap.String("reason", "not_mutual"))
		c.direct = false
		c.afresh()
	}
	c.save(l)
	c.keepWatch()
	if l.treats() {
		c.submit(routing.NumberAnswered{Call: c.id})
		c.joinTo(l)
		return
	}
	c.submit(routing.PhoneAnswered{Offer: l.offer})
}

// staysDirect says whether the two may be joined directly, now that it is known
// where the phone's audio comes from. Of a number its own trunk has a say too.
func (c *call) staysDirect(l *leg) bool {
	from, to := c.caller.remote.Addr.Addr(), l.remote.Addr.Addr()
	return c.gw.mayJoinDirectly(c.trunk, from, to) &&
		(l.out == nil || c.gw.mayJoinDirectly(*l.out.trunk, from, to))
}

// agentGone is the end of an answered leg that we did not ask for.
func (c *call) agentGone(l *leg) {
	if l.isAsked() {
		c.mobileGone(l)
		return
	}
	c.part()
	c.agent = nil
	c.closeLeg(l)
	if !l.answered {
		c.failed(l, 503)
		return
	}
	// The engine ends the call, or has sent the caller elsewhere by now: a
	// re-INVITE for the moment between would only cross its BYE.
	c.undecided = true
	if l.treats() {
		c.submit(routing.NumberGone{Call: c.id})
		return
	}
	c.submit(routing.AgentGone{Offer: l.offer})
}

// letGo does Withdraw and Release: the agent's leg only.
func (c *call) letGo(o routing.Offer, why string) {
	c.ringLater = slices.DeleteFunc(c.ringLater, func(r routing.Ring) bool { return r.Offer == o })
	c.unredirect(o)
	if l := c.legOf(o); l != nil {
		c.drop(l, reasonHeader(routing.ByServer, why))
	}
}

// dropAgent ends the agent's leg that is faced, whatever it is doing.
func (c *call) dropAgent(h []stack.Header) {
	l := c.agent
	if l == nil {
		return
	}
	c.part()
	c.agent = nil
	l.dlg.Bye(h) // CANCEL while it rings; ACK and BYE for a 200 that we have not seen yet
	c.closeLeg(l)
}

func (c *call) of(l *leg) zap.Field { return zap.Int("attempt", int(l.offer.Attempt)) }

// mutual reports whether the address can reach and be reached without us.
func mutual(networks []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap()
	return a.IsValid() && slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a) })
}

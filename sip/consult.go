package sip

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/alarm"
	"github.com/cordboard/cordboard/sip/stack"
)

// A question that an agent asks while the caller holds is a call of its own to the
// engine. Here it is the caller's: its phone is one more leg beside the two, so that
// whoever is to hear whom is decided in one place. The two agents hear one another
// by our relay, whatever the call itself does, and with the codec of the caller:
// when the call is handed over, nobody's phone has to be told anything.
type asking struct {
	id       routing.CallID // of the question
	leg      *leg           // of the agent who is asked, nil while none is called
	on       bool           // the engine wants the two agents joined
	joined   bool           // and was told that they are
	relaying bool
	playing  bool // the agent who is asked waits, with music
	timer    *alarm.Alarm
}

// asks reports whether the leg is that of the agent who is asked.
func (c *call) asks(l *leg) bool { return c.asking != nil && l != nil && c.asking.leg == l }

// confers reports whether the two agents are to be joined, or one waits for the other.
// On the phone's own second call she asks beside the caller's leg, which is left alone.
func (c *call) confers() bool { return c.asking != nil && c.asking.on && !c.asksBySecond() }

// beside reports whether the leg is of a question, and not one of the two of the call.
func (c *call) beside(l *leg) bool { return c.asks(l) || c.isSecond(l) }

// besides are those that are up.
func (c *call) besides() (out []*leg) {
	if c.asking != nil && c.asking.leg != nil && c.asking.leg.up {
		out = append(out, c.asking.leg)
	}
	if c.second != nil && c.second.leg.up && !c.second.leg.ended {
		out = append(out, c.second.leg)
	}
	return out
}

// goesDirect reports whether the media of caller and agent go past us.
func (c *call) goesDirect() bool { return c.direct && !c.confers() }

// ofQuestion does one of the engine's orders for the question.
func (c *call) ofQuestion(a routing.Action) {
	switch a := a.(type) {
	case routing.Ring:
		c.askPhone(a)
	case routing.Withdraw:
		c.letGo(a.Offer, a.Why)
	case routing.Release:
		c.letGo(a.Offer, a.Why)
	case routing.Connect:
		c.confer(a)
	case routing.EndCall:
		c.gw.unask(a.Call)
		if c.asking != nil && c.asking.id == a.Call {
			c.dropAsked(reasonHeader(a.By, a.Reason))
			if c.asksBySecond() {
				c.dropSecond(reasonHeader(a.By, a.Reason), a.Reason)
			}
			c.asking = nil
			c.afresh()
		}
	}
}

// askPhone calls the phone of the agent who is asked.
func (c *call) askPhone(a routing.Ring) {
	if c.asking == nil || c.asking.id != a.Call || c.caller.ended {
		return // its end is on its way
	}
	c.dropAsked(reasonHeader(routing.ByServer, "superseded"))
	phone, ok := c.gw.phones.Phone(a.Agent)
	if !ok || phone.URI == "" && phone.Number == "" {
		c.submit(routing.PhoneFailed{Offer: a.Offer, Code: 480})
		return
	}
	l := &leg{name: legName(a.Offer), offer: a.Offer, order: a, side: c.newSide()}
	if phone.Number != "" {
		l.out = &outward{number: phone.Number, ways: c.gw.ways(c.trunk.Name)}
	}
	if !c.openRelay(l) {
		c.failed(l, noPort)
		return
	}
	c.asking.leg = l
	if l.out != nil {
		if ok, why := l.out.next(c.gw); !ok {
			c.noTrunk(l, why)
			c.drop(l, nil)
			c.failed(l, why)
			return
		}
		l.own = withKeys(l.own)
	}
	l.told = l.ownAudio()
	l.said = l.told
	l.localSDP = l.side.Offer(l.told)
	l.vigil.longest = c.gw.session
	if ok, code := c.inviteByAny(l, phone); !ok {
		c.drop(l, nil)
		c.failed(l, code)
	}
}

// askedEvent is what the phone of the agent who is asked did.
func (c *call) askedEvent(l *leg, ev stack.Event) {
	switch ev := ev.(type) {
	case stack.Answered:
		if l.isMobile() {
			c.pickedUp(l, ev.Response)
		} else if c.takenUp(l, ev.Response) {
			c.submit(routing.PhoneAnswered{Offer: l.offer})
		}
	case stack.Failed:
		if ev.Code == 422 && c.inviteAgain(l, ev.Response) || c.detour(l, ev.Code) {
			return
		}
		c.forgetAsked(l)
		c.failed(l, ev.Code)
	case stack.Ended:
		c.askedGone(l)
	case stack.FlowLost:
		if !c.flowLost(l) {
			l.dlg.Bye(nil)
			c.askedGone(l)
		}
	case stack.AckMissing:
		l.dlg.Bye(nil)
		c.askedGone(l)
	default:
		c.agentEvent(l, ev)
	}
}

// askedGone is the end of such a leg that we did not ask for.
func (c *call) askedGone(l *leg) {
	if l.isAsked() {
		c.mobileGone(l)
		return
	}
	c.forgetAsked(l)
	if !l.answered {
		c.failed(l, 503)
		return
	}
	c.submit(routing.AgentGone{Offer: l.offer})
}

// forgetAsked takes the leg off the question; its dialog is over.
func (c *call) forgetAsked(l *leg) {
	k := c.asking
	k.timer.Stop()
	c.partAgents(l)
	c.closeLeg(l)
	k.leg, k.on, k.joined, k.playing = nil, false, false, false
	c.afresh()
}

// dropAsked ends the leg of the agent who is asked, whatever it is doing.
func (c *call) dropAsked(h []stack.Header) {
	if c.asking == nil || c.asking.leg == nil {
		return
	}
	l := c.asking.leg
	if l.dlg != nil {
		l.dlg.Bye(h)
	}
	c.forgetAsked(l)
}

// confer joins the two agents: from now on settle works towards it.
func (c *call) confer(a routing.Connect) {
	k, l := c.asking, c.asker()
	if k == nil || k.leg == nil || k.leg.offer != a.Offer || !k.leg.answered || l == nil {
		return // its end, or that of who asks, is on its way to the engine
	}
	k.on, k.joined = true, false
	if c.isSecond(l) && !c.answerSecond() {
		c.askFailed("codec")
		return
	}
	if l.port == nil && !c.openRelay(l) {
		c.askFailed("no_media_port")
		return
	}
	c.afresh()
	k.timer = c.after(c.gw.joinPatience, func() {
		if c.asks(k.leg) && k.on && !k.joined {
			c.askFailed("timeout")
		}
	})
}

// askFailed gives up to join the two agents.
func (c *call) askFailed(reason string) {
	l := c.asking.leg
	c.log.Warn("agents not joined", c.of(l), zap.String("reason", reason))
	c.dropAsked(reasonHeader(routing.ByServer, "join_failed"))
	c.submit(routing.JoinFailed{Offer: l.offer, Reason: reason})
}

// conferSound joins the two agents, or has the one who is asked wait with music
// while the other talks to the caller. It comes after the caller's own sound, which
// takes the agent's port when the two are to hear one another.
func (c *call) conferSound() {
	k := c.asking
	if k == nil || k.leg == nil || !k.on || c.agent == nil {
		return
	}
	l, together := c.asker(), c.deskHold
	if c.isSecond(l) {
		together = !l.holding
	}
	switch {
	case l.refuses(c.wanted(l)):
		c.askFailed("refused")
		return
	case !l.atOwnPort() || l.waits():
		return
	case !l.codec.Is(k.leg.codec):
		c.askFailed("codec")
		return
	}
	if !k.joined {
		k.joined = true
		k.timer.Stop()
		c.submit(routing.Joined{Offer: k.leg.offer, Media: "relay"})
	}
	switch {
	case together && !k.relaying:
		if k.playing {
			k.playing = false
			k.leg.port.Stop()
		}
		if err := c.gw.media.Relay(l.port, k.leg.port); err != nil {
			c.log.Error("relay", c.of(k.leg), zap.Error(err))
			return
		}
		k.relaying = true
	case !together && !k.playing:
		c.partAgents(k.leg)
		k.playing = true
		if err := k.leg.port.Play(c.tune, true, noAddr, k.leg.playCodec(), nil); err != nil {
			c.log.Warn("sound not played", zap.String("sound", c.tune), zap.Error(err))
		}
	}
}

// partAgents ends the relay between the two agents.
func (c *call) partAgents(l *leg) {
	if k := c.asking; k != nil && k.relaying {
		k.relaying = false
		if a := c.asker(); a != nil && a.port != nil {
			c.gw.media.Unrelay(a.port, l.port)
		}
	}
}

// handedOver makes the leg of who was asked that of the agent: it has the caller's
// codec and is with us, as the caller is, who is told nothing.
func (c *call) handedOver(a routing.HandedOver) {
	k := c.asking
	if k == nil || k.leg == nil || k.leg.offer != a.Asked || !k.leg.answered {
		// The phone has hung up meanwhile, and that was told of the question.
		c.dropSecond(reasonHeader(routing.ByServer, "transferred"), "")
		c.dropAgent(reasonHeader(routing.ByServer, "transferred"))
		c.submit(routing.AgentGone{Offer: a.Offer})
		return
	}
	l := k.leg
	c.partAgents(l)
	if k.playing {
		l.port.Stop()
	}
	k.timer.Stop()
	c.dropSecond(reasonHeader(routing.ByServer, "transferred"), "")
	c.asking = nil
	c.gw.unask(k.id)
	c.dropAgent(reasonHeader(routing.ByServer, "transferred"))
	c.gw.dialogs.RemoveDialog(l.offer.Call, l.name)
	l.name, l.offer, l.order.Offer = legName(a.Offer), a.Offer, a.Offer
	c.save(l)
	c.agent, c.direct, c.undecided = l, false, false
	if a.Music != "" {
		c.tune = a.Music
	}
	c.joinTo(l)
	if l.holding {
		c.submit(routing.PhoneHeld{Offer: l.offer, On: true})
	}
}

// legs are those of the call that are worth watching over.
func (c *call) legs() []*leg {
	out := []*leg{c.caller, c.agent}
	if c.asking != nil {
		out = append(out, c.asking.leg)
	}
	if c.second != nil {
		out = append(out, c.second.leg)
	}
	return slices.DeleteFunc(out, func(l *leg) bool { return l == nil })
}

// turn notes whose phone is joined to a caller, or no longer: to whom it was.
func (g *Gateway) turn(agent agents.ID, to, from *call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if to != nil {
		g.facing[agent] = to
	} else if g.facing[agent] == from {
		delete(g.facing, agent)
	}
}

// unask ends that orders for a question go to the call that it is about.
func (g *Gateway) unask(question routing.CallID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.asked, question)
}

// takenUp acknowledges at once, so that the phone need not repeat its 200 while the
// engine decides, and waits for Connect or Release. False: it says nothing usable.
func (c *call) takenUp(l *leg, res *stack.Message) bool {
	c.try(l, "ack", l.dlg.Ack(nil))
	l.answered = true
	l.unheard.Stop()
	l.vigil.answered(res, time.Now())
	l.source = res.Source.Addr()
	if l.port != nil {
		l.port.AlsoFrom(l.source)
	}
	if !l.took(l.told, res.Body) {
		c.log.Info("no usable answer in the phone's 200", c.of(l))
		c.drop(l, reasonHeader(routing.ByServer, "no_codec"))
		c.failed(l, 488)
		return false
	}
	l.up = true
	if l != c.agent {
		c.save(l)
		c.keepWatch()
	}
	return true
}

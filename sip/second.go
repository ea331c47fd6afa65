package sip

import (
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/stack"
	"github.com/cordboard/cordboard/sip/trace"
)

// A phone that registers here calls while its agent has a caller: she presses hold,
// and dials a colleague. That is the desk's "Ask first", made with another key, as its
// REFER is the desk's "Transfer": the engine hears the same events. Her side of the
// question is this second call then; the first, which she holds at the phone, is left
// alone. A phone calls for nothing else: it has no way out of the house by us.

// secondCall is such a call.
type secondCall struct {
	agent agents.ID
	user  string // whom she has dialled
	leg   *leg
	first *request // its offer
	// lost answers it where the first call is over before it is looked at.
	lost func()

	to    routing.TransferRequested // whom that is
	asks  routing.CallID            // the question that it is
	taken bool                      // the engine has it waiting, or answered
}

// calledByPhone takes an INVITE of a phone that is registered here; false: it comes
// from a trunk.
func (g *Gateway) calledByPhone(d dialog, bind func(stack.Sink), req *stack.Message, refuse func(int, []stack.Header)) bool {
	_, trunk := g.trunkOf(req.Source.Addr())
	agent, a, phone := g.callers.Caller(req, trunk)
	if !phone {
		return false
	}
	if a.Code != 0 {
		refuse(a.Code, a.Headers)
		return true
	}
	away := func(code int, why string, h []stack.Header) {
		g.phoneRefused(agent, code, why)
		refuse(code, append(becauseOf(code, why), h...))
	}
	if req.Get("Replaces") != "" { // RFC 3891 3: none of our dialogs can be taken over
		away(481, "replaces", nil)
		return true
	}
	unwrap(req)
	first, code, h := g.firstOffer(req)
	if code == 0 && first == nil {
		code, h = 488, []stack.Header{{Name: "Warning", Value: `399 cordboard "an offer is needed"`}}
	}
	if code != 0 {
		away(code, "offer", h)
		return true
	}
	dialled, err := identity.ReadReferTo([]string{"<" + req.URI + ">"})
	if err != nil || dialled.Dialog {
		away(404, "unknown_target", nil)
		return true
	}
	s := &secondCall{agent: agent, user: dialled.User, first: first, lost: func() { away(403, "no_call", nil) }}
	g.mu.Lock()
	c := g.facing[agent]
	g.mu.Unlock()
	if c == nil {
		s.lost()
		return true
	}
	s.leg = &leg{name: "agent/second", dlg: d, side: c.newSide(), source: req.Source.Addr()}
	s.leg.vigil.longest = g.session
	if c.box.put(item{fn: func() { c.callsAgain(s) }, lost: s.lost}) {
		g.trace.Leg(req.At, trace.Leg{Call: int64(c.id), Name: s.leg.name, Agent: string(agent), CallID: req.Get("Call-ID")})
		bind(c.sink(s.leg))
		return true
	}
	s.lost()
	return true
}

// phoneRefused tells of a phone's call that comes to nothing. What was dialled may be
// somebody's number.
func (g *Gateway) phoneRefused(agent agents.ID, code int, why string) {
	g.log.Info("a phone's call was refused", zap.String("agent", string(agent)), zap.Int("code", code), zap.String("reason", why))
}

// becauseOf gives a refusal its reason in one word.
func becauseOf(code int, why string) []stack.Header {
	return []stack.Header{{Name: "Reason", Value: "SIP;cause=" + strconv.Itoa(code) + `;text="` + why + `"`}}
}

// refuseSecond ends a second call that has not been answered.
func (c *call) refuseSecond(s *secondCall, code int, why string) {
	c.gw.phoneRefused(s.agent, code, why)
	c.try(s.leg, "reject", s.leg.dlg.Reject(code, "", becauseOf(code, why)))
	c.closeLeg(s.leg)
	if c.second == s {
		c.second = nil
	}
}

// callsAgain has the phone's agent ask whom she has dialled.
func (c *call) callsAgain(s *secondCall) {
	l, a := s.leg, c.agent
	if a == nil || a.offer.Agent != s.agent || a.out != nil || !c.connected {
		c.refuseSecond(s, 403, "no_call")
		return
	}
	l.offer = a.offer
	if c.second != nil || c.asking != nil {
		c.refuseSecond(s, 486, "asking")
		return
	}
	to, why := c.gw.targets.Named(a.offer, s.user)
	if why == "" && to.Outside.Country != "" {
		why = "number_not_asked" // who answers there sees nothing of ours: the engine asks nobody outside
	}
	if why != "" {
		c.refuseSecond(s, secondStatus(why), why)
		return
	}
	if !c.openRelay(l) {
		c.refuseSecond(s, 503, "no_media_port")
		return
	}
	if !l.choose(s.first.audio, true) { // what the caller speaks, and so who is asked
		c.refuseSecond(s, 488, "codec")
		return
	}
	l.remote, l.can = s.first.audio, s.first.audio.Formats
	s.to, s.asks = to, c.gw.router.NextCall()
	c.second = s
	c.submit(routing.ConsultRequested{Offer: a.offer, Consult: s.asks, Topic: to.Topic, Queue: to.Queue, ToAgent: to.ToAgent})
}

// secondStatus is the final response to a call of a phone that says so.
func secondStatus(why string) int {
	switch why {
	case "unknown_target":
		return 404
	case "not_allowed", "number_not_allowed", "number_not_asked", "too_many_transfers":
		return 403
	}
	return 480 // closed, not_now, stale
}

// secondTaken: the engine has the question wait.
func (c *call) secondTaken(question routing.CallID) {
	s := c.second
	if s == nil || s.asks != question {
		return
	}
	s.taken = true
	if s.leg.ended { // the phone has hung up meanwhile
		c.second = nil
		c.submit(routing.ConsultStopped{Offer: s.leg.offer})
		return
	}
	c.secondRings(s)
}

// secondRings says 180, and again while nobody has answered: the question may wait in
// its queue for longer than a proxy would (RFC 3261 13.3.1.1).
func (c *call) secondRings(s *secondCall) {
	l := s.leg
	if c.second != s || l.answered || l.ended {
		return
	}
	if err := l.dlg.Progress(180, "", nil, nil); err != nil { // its CANCEL came before anybody knew it
		c.try(l, "180", err)
		c.secondGone()
		return
	}
	l.askTimer = c.after(c.gw.ringbackEvery, func() { c.secondRings(s) })
}

// secondRefused: the engine asks nobody.
func (c *call) secondRefused(a routing.Refused) {
	s := c.second
	if s == nil || s.taken || a.Asked != (routing.ConsultRequested{}).Kind() {
		return
	}
	if s.leg.ended {
		c.second = nil
		return
	}
	c.refuseSecond(s, secondStatus(a.Code), a.Code)
}

// isSecond reports whether the leg is that of the phone's second call.
func (c *call) isSecond(l *leg) bool { return c.second != nil && c.second.leg == l }

// asksBySecond reports whether the question under way is the phone's second call.
func (c *call) asksBySecond() bool {
	return c.second != nil && c.asking != nil && c.asking.id == c.second.asks
}

// asker is the leg by which the agent asks: the one that she has the caller by, or
// that of her second call.
func (c *call) asker() *leg {
	if c.asksBySecond() {
		return c.second.leg
	}
	return c.agent
}

// answerSecond answers the second call: whom it is for is there.
func (c *call) answerSecond() bool {
	s := c.second
	l := s.leg
	body, err := c.agree(l, s.first, l.ownAudio())
	if err != nil {
		return false
	}
	l.localSDP = body
	if err := l.dlg.Accept(l.vigil.accept(s.first.msg, time.Now()), body); err != nil {
		c.try(l, "accept", err) // its CANCEL was first, and is on its way here
		return true
	}
	l.answered = true
	c.save(l)
	c.keepWatch()
	return true
}

// secondEvent is what the phone did with its second call.
func (c *call) secondEvent(l *leg, ev stack.Event) {
	switch ev := ev.(type) {
	case stack.Canceled, stack.Ended, stack.PrackMissing: // that is refused already
		c.secondGone()
	case stack.FlowLost:
		if !c.flowLost(l) {
			l.dlg.Bye(nil)
			c.secondGone()
		}
	case stack.AckMissing:
		l.dlg.Bye(nil)
		c.secondGone()
	default:
		c.agentEvent(l, ev)
	}
}

// secondGone is the end of the second call by the phone: that is the desk's "Back to
// the caller". The phone holds him still, and takes him back when its agent does.
func (c *call) secondGone() {
	s := c.second
	if k := c.asking; c.asksBySecond() {
		k.timer.Stop()
		if k.leg != nil {
			c.partAgents(k.leg)
		}
		k.on = false
	}
	c.closeLeg(s.leg)
	if s.taken {
		c.second = nil
		c.submit(routing.ConsultStopped{Offer: s.leg.offer})
	}
}

// dropSecond ends the second call from our side. why is of the question's end.
func (c *call) dropSecond(h []stack.Header, why string) {
	s := c.second
	if s == nil {
		return
	}
	c.second = nil
	l := s.leg
	if l.ended {
		return
	}
	if l.answered {
		l.dlg.Bye(h)
	} else {
		c.try(l, "reject", l.dlg.Reject(unasked(why), "", h))
	}
	c.closeLeg(l)
}

// unasked is the final response to a second call whose question nobody has answered.
func unasked(why string) int {
	switch why {
	case "refused":
		return 603
	case agents.ReasonPhoneBusy:
		return 486
	case "stopped", "call_over":
		return 487
	}
	return 480
}

// phoneHeld tells of a phone that has put the caller on hold, or has taken him back.
// While its agent asks by a second call the phone says by that whom she talks to: it
// is what the desk's key says otherwise.
func (c *call) phoneHeld(l *leg) {
	if c.asksBySecond() {
		c.submit(routing.HoldRequested{Offer: l.offer, On: l.holding})
		return
	}
	c.submit(routing.PhoneHeld{Offer: l.offer, On: l.holding})
}

// completes reads a REFER with Replaces (RFC 5589 7): it joins the phone's two calls, so
// that the one names the other.
func (c *call) completes(l *leg, to identity.Referral) bool {
	if !c.asksBySecond() || !c.second.taken {
		return false
	}
	other := c.second.leg
	if l == other {
		other = c.agent
	}
	return other != nil && !other.ended && to.Names(other.dlg.State().CallID, other.dlg.State().LocalTag, other.dlg.State().RemoteTag)
}

// insteadOf passes the caller on blind where the one who was asked has not answered
// yet: the phone has been told to transfer to whom it was calling.
func (c *call) insteadOf(r *referral, a routing.Refused) bool {
	if a.Asked != (routing.ConsultCompleted{}).Kind() || a.Code != "not_now" || !c.asksBySecond() || c.asking.on {
		return false
	}
	to := c.second.to
	r.asked = to.Kind()
	c.submit(routing.ConsultStopped{Offer: a.Offer})
	c.submit(to)
	return true
}

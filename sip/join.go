package sip

import (
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

const (
	// joinPatience is how long the peers may take over the re-INVITEs of a
	// direct join; then we relay. Silence after "hello" is worse than a detour.
	joinPatience = 4 * time.Second
	// maxRounds bounds the re-INVITEs of one change, should the two peers never
	// agree on what the other can do.
	maxRounds = 6
)

// connect joins the legs: from now on settle works towards it.
func (c *call) connect(a routing.Connect) {
	if l := c.legOf(a.Offer); l != nil {
		c.face(l)
	}
	l := c.agent
	if l == nil || l.offer != a.Offer || !l.answered || c.connected {
		return // the agent's end is on its way to the engine
	}
	if a.Music != "" {
		c.tune = a.Music
	}
	c.joinTo(l)
}

// joinTo joins the caller and the leg that is faced.
func (c *call) joinTo(l *leg) {
	c.connected, c.joined, c.lateJoin = true, false, false
	if l.out == nil {
		l.faced = true
		c.gw.turn(l.offer.Agent, c, nil)
	}
	c.treatment = ""
	c.hush()
	c.answerCaller()
	if c.agent == nil || c.over {
		return
	}
	c.afresh()
	c.joinTimer = c.after(c.gw.joinPatience, func() { c.joinLate(l) })
}

// afresh allows all re-INVITEs again, after something has changed.
func (c *call) afresh() {
	c.rounds = 0
	c.caller.refused = nil
	if c.agent != nil {
		c.agent.refused = nil
	}
	if c.asking != nil && c.asking.leg != nil {
		c.asking.leg.refused = nil
	}
	if c.second != nil {
		c.second.leg.refused = nil
	}
}

// joinLate runs when a join is not done in time: relay, then give up.
func (c *call) joinLate(l *leg) {
	if c.agent != l || c.joined || !c.connected {
		return
	}
	if c.lateJoin || !c.direct {
		c.joinFailed("timeout")
		return
	}
	c.lateJoin = true
	for _, l := range []*leg{c.caller, c.agent} {
		if l.asked != nil {
			l.asked.late = true
		}
	}
	c.fallBack("timeout")
	c.joinTimer = c.after(c.gw.joinPatience, func() { c.joinLate(l) })
}

// part undoes connect, as far as we are concerned.
func (c *call) part() {
	c.connected, c.joined, c.deskHold = false, false, false
	c.joinTimer.Stop()
	c.setRelay(false)
	c.afresh()
}

func (c *call) joinFailed(reason string) {
	l := c.agent
	c.log.Warn("join failed", c.of(l), zap.String("reason", reason))
	c.dropAgent(reasonHeader(routing.ByServer, "join_failed"))
	if l.treats() {
		c.submit(routing.NumberFailed{Call: c.id, Code: 488})
		return
	}
	c.submit(routing.JoinFailed{Offer: l.offer, Reason: reason})
}

// fallBack turns a direct join into a relay by our own ports.
func (c *call) fallBack(why string) {
	c.log.Info("relaying", c.of(c.agent), zap.String("reason", why))
	if !c.openRelay(c.agent) {
		if c.joined {
			return // stays as it is
		}
		c.joinFailed("no_media_port")
		return
	}
	c.direct = false
	c.afresh()
}

// talksDirectly reports whether the two phones shall now send to each other.
func (c *call) talksDirectly() bool { return c.connected && c.goesDirect() && !c.held() }

// wanted is what the leg's peer should be told now.
func (c *call) wanted(l *leg) media.Audio {
	switch {
	case l == c.caller && c.talksDirectly():
		return c.agent.says()
	case l == c.caller || c.beside(l) || !c.goesDirect():
		return l.ownAudio()
	}
	a := c.caller.says()
	if c.connected && c.held() {
		a.Dir = media.Inactive
	}
	return a
}

// settle brings the legs to where they should be: it compares what each peer
// was told with what it should be told, sends the re-INVITEs that are due,
// answers the peers' own, and switches music and relay. It runs after
// everything that happens, so that no order of events needs its own path.
func (c *call) settle() {
	for again := true; again && !c.over; {
		if c.agent != nil && c.connected {
			c.tell(c.agent)
		}
		asked := c.besides()
		for _, l := range asked {
			c.tell(l)
		}
		// The caller is told of the agent's phone once that has agreed.
		if !c.undecided && (c.agent == nil || !c.talksDirectly() || c.agent.request != nil || c.content(c.agent)) {
			c.tell(c.caller)
		}
		again = c.answer(c.caller)
		if c.agent != nil && c.agent.up {
			again = c.answer(c.agent) || again
		}
		for _, l := range asked {
			again = !l.ended && c.answer(l) || again
		}
	}
	if !c.over && !c.caller.ended {
		c.sound()
		c.conferSound()
		c.reportJoined()
	}
}

// content reports whether nothing more is to be got from the leg's peer.
func (c *call) content(l *leg) bool {
	if l.waits() {
		return false
	}
	want := c.wanted(l)
	return l.knows(want) || l.refuses(want)
}

// tell sends the re-INVITE that is due, if one is and the leg is free for it.
func (c *call) tell(l *leg) {
	if !l.idle() {
		return
	}
	want := c.wanted(l)
	if l.knows(want) || l.refuses(want) {
		return
	}
	c.rounds++
	if c.rounds > maxRounds {
		l.refused = &want
		c.log.Info("re-INVITEs given up: they come to no end", zap.String("leg", l.name))
		c.unwilling(l, want, 0)
		return
	}
	body := l.side.Offer(want)
	cseq, err := l.dlg.Reinvite(l.vigil.ask(), body)
	if err != nil {
		c.try(l, "reinvite", err)
		c.unwilling(l, want, 0)
		return
	}
	l.asked = &asked{cseq: cseq, told: want, body: body}
}

// replied is the outcome of a request of ours inside a dialog.
func (c *call) replied(l *leg, ev stack.Replied) {
	if ev.Method != "INVITE" || l.asked == nil || l.asked.cseq != ev.CSeq {
		c.lifeReplied(l, ev)
		return
	}
	a := l.asked
	l.asked = nil
	if ev.Code >= 300 || ev.Response == nil {
		if ev.Code == 422 && l.vigil.raise(ev.Response) {
			return // settle, or the next look, tries again
		}
		switch {
		case !a.refresh || ev.Code == 481 || ev.Code == 408:
			c.unwilling(l, a.told, ev.Code)
		case ev.Response == nil:
			c.missed(l, ev.Code)
		default:
			l.vigil.postpone(time.Now()) // what was agreed stays
		}
		return
	}
	c.try(l, "ack", l.dlg.Ack(nil))
	l.vigil.answered(ev.Response, time.Now())
	if !l.took(a.told, ev.Response.Body) {
		c.log.Info("re-INVITE answered with what is not usable", zap.String("leg", l.name))
		c.unwilling(l, a.told, 0)
		return
	}
	l.localSDP = a.body
	if !a.refresh {
		l.said = a.told
	}
	c.save(l)
}

// unwilling decides what a re-INVITE that came to nothing means. The code is the
// peer's refusal; 0 when it was not the peer who refused, which the log has then.
func (c *call) unwilling(l *leg, want media.Audio, code int) {
	if code != 0 {
		c.log.Info("re-INVITE refused", zap.String("leg", l.name), zap.Int("code", code))
	}
	if code == 481 || code == 408 {
		c.peerGone(l, code)
		return
	}
	if !want.Same(c.wanted(l)) {
		return // something else is wanted by now
	}
	l.refused = &want
	switch {
	case c.agent == nil || !c.connected || c.beside(l):
	case c.talksDirectly() && l == c.agent && c.caller.request != nil:
		// The caller asked for what the agent's phone will not do.
		c.decline(c.caller, 488)
		l.refused = nil
	case c.talksDirectly():
		c.fallBack("refused")
	case !c.joined && !c.held():
		c.joinFailed("refused")
	}
	c.post(func() {}) // settle once more
}

// reportJoined tells the engine once that the join is done.
func (c *call) reportJoined() {
	if c.joined || !c.connected || c.caller.waits() || c.agent.waits() {
		return
	}
	if !c.caller.knows(c.wanted(c.caller)) || !c.agent.knows(c.wanted(c.agent)) {
		return
	}
	way := "direct"
	if !c.goesDirect() {
		way = "relay"
		if !c.relaying && !c.held() {
			return
		}
	}
	c.joined = true
	c.joinTimer.Stop()
	if !c.agent.treats() {
		c.submit(routing.Joined{Offer: c.agent.offer, Media: way})
	}
}

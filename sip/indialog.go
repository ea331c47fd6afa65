package sip

import (
	"errors"
	"time"

	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// requested answers a request inside a dialog, or keeps it until the other
// leg has had its say.
func (c *call) requested(l *leg, m *stack.Message) {
	switch m.Method {
	case "INVITE", "UPDATE", "PRACK":
		c.offeredAgain(l, m)
	case "OPTIONS":
		c.reply(l, m, 200, nil, nil)
	case "INFO":
		// RFC 6086: no package was ever agreed on; INFO without one is the old
		// kind (key presses of a PBX, keep-alives) and does no harm.
		if m.Get("Info-Package") != "" {
			c.reply(l, m, 469, []stack.Header{{Name: "Recv-Info", Value: ""}}, nil)
			return
		}
		c.reply(l, m, 200, nil, nil)
	case "NOTIFY":
		c.notified(l, m)
	case "REFER":
		c.refer(l, m)
	default: // MESSAGE: nobody would read it
		c.reply(l, m, 405, nil, nil)
	}
}

// reply answers; false when the request is gone (its CANCEL or a BYE was
// first), so that no ACK will come.
func (c *call) reply(l *leg, m *stack.Message, code int, h []stack.Header, body []byte) bool {
	err := l.dlg.Reply(m, code, "", h, body)
	c.try(l, "reply", err)
	return err == nil
}

// offeredAgain is a re-INVITE or UPDATE, or a PRACK with an offer: a refresh, a hold, a new address, or
// a request for our offer.
func (c *call) offeredAgain(l *leg, m *stack.Message) {
	if h, short := tooShort(m); short {
		c.reply(l, m, 422, h, nil)
		return
	}
	if len(m.Body) == 0 && m.Method == "UPDATE" {
		c.reply(l, m, 200, l.vigil.accept(m, time.Now()), nil) // a session refresh
		return
	}
	if l == c.caller && !l.answered && !l.early && !l.agreed { // RFC 3311 5.2: an offer before the answer to the first
		c.reply(l, m, 500, retryAfter, nil)
		return
	}
	if l.request != nil || l.waits() || l.offered != nil || c.otherAsks(l) {
		c.reply(l, m, 491, nil, nil)
		return
	}
	if len(m.Body) == 0 {
		c.offerInAnswer(l, m)
		return
	}
	if !isSDP(m) {
		c.reply(l, m, 415, []stack.Header{{Name: "Accept", Value: "application/sdp"}}, nil)
		return
	}
	d, err := media.ParseSDP(m.Body)
	if err != nil {
		c.reply(l, m, 400, nil, nil)
		return
	}
	a, ok := l.side.Offered(d)
	if !ok || !l.reachable(a.Addr.Addr()) {
		c.reply(l, m, 488, nil, nil)
		return
	}
	if a.Addr.Addr().IsUnspecified() {
		a.Addr = l.remote.Addr // the old hold; the address is what it was
	}
	c.afresh()
	l.request = &request{msg: m, sdp: d, audio: a}
}

// otherAsks reports whether the other leg's offer waits for this one: two
// offers that cross within us are glare like any other.
func (c *call) otherAsks(l *leg) bool {
	if c.agent == nil || !c.connected || !c.goesDirect() || c.beside(l) {
		return false
	}
	if l == c.caller {
		return c.agent.request != nil
	}
	return c.caller.request != nil
}

// offerInAnswer answers a re-INVITE without SDP: our offer goes in the 200,
// the answer comes in the ACK.
func (c *call) offerInAnswer(l *leg, m *stack.Message) {
	want := c.wanted(l)
	l.localSDP = l.side.Offer(want)
	if c.reply(l, m, 200, l.vigil.accept(m, time.Now()), l.localSDP) {
		l.offered, l.awaitAck = &want, true
	}
}

// answer answers the leg's waiting offer if that can be done now. Where the
// phones talk directly, the other one must have taken it first.
func (c *call) answer(l *leg) bool {
	r := l.request
	if r == nil {
		return false
	}
	if c.talksDirectly() && !c.beside(l) {
		other := c.caller
		if l == c.caller {
			other = c.agent
		}
		if !other.knows(c.wanted(other)) || other.asked != nil {
			return false
		}
	}
	// Before agree: our own port's codec may have to follow the new offer.
	was := *l
	body, err := c.agree(l, r, c.wanted(l))
	if err != nil {
		c.decline(l, 488)
		return true
	}
	l.request = nil
	var h []stack.Header
	if r.msg.Method != "PRACK" {
		h = l.vigil.accept(r.msg, time.Now())
	}
	if !c.reply(l, r.msg, 200, h, body) {
		*l = was // it was taken back: nothing has changed
		l.request = nil
		l.aim()
		return true
	}
	l.localSDP = body
	l.awaitAck = r.msg.Method == "INVITE"
	if l == c.agent && c.connected && l.holding != was.holding && !l.treats() {
		c.phoneHeld(l)
	}
	if l.answered {
		c.save(l)
	}
	return true
}

// withdrawn drops an offer that its sender has taken back. The other leg may
// have been told of it already, and is told again.
func (c *call) withdrawn(l *leg, m *stack.Message) {
	if l.referral != nil && l.referral.msg == m {
		l.referral = nil // the engine's word is late: nothing is told of it
	}
	if l.request == nil || l.request.msg != m {
		return
	}
	l.request = nil
	c.afresh()
}

// decline refuses the leg's waiting offer: what was agreed before stays.
func (c *call) decline(l *leg, code int) {
	r := l.request
	l.request = nil
	c.reply(l, r.msg, code, nil, nil)
}

var errNoCommonCodec = errors.New("no codec in common")

// agree writes the answer want to the peer's offer and notes what is now
// agreed.
func (c *call) agree(l *leg, r *request, want media.Audio) ([]byte, error) {
	own := l.port != nil && want.Addr == l.port.Local()
	if own {
		// What is relayed must stay as the other side has it.
		if !l.choose(r.audio, c.agent != nil && !c.goesDirect() || c.beside(l)) {
			return nil, errNoCommonCodec
		}
		want.Formats = l.own
	}
	formats := common(r.audio.Formats, want.Formats)
	codec, ok := (media.Audio{Formats: formats}).Uses()
	if !ok {
		return nil, errNoCommonCodec
	}
	answer := want
	answer.Formats = formats
	answer.Dir = r.audio.Dir.Answer(want.Dir)
	body, err := l.side.Answer(r.sdp, answer)
	if err != nil {
		return nil, err
	}
	l.told, l.said, l.codec, l.can, l.remoteSDP = want, answer, codec, r.audio.Formats, r.msg.Body
	l.remote = r.audio
	l.remote.Formats = formats
	l.holding = r.audio.Holds()
	l.aim()
	return body, nil
}

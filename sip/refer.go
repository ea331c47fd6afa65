package sip

import (
	"errors"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/stack"
)

// A phone passes its call on by REFER (RFC 3515). That is the desk's command, made
// with another key: the engine hears the same event, and the context goes along. It
// decides at once, so the REFER is answered when it has spoken: 202 says that the call
// has been passed on, a refusal that the agent has it still. The NOTIFYs can tell
// nothing else then, and the BYE follows them.

// referral is a REFER that waits for the engine's word.
type referral struct {
	msg   *stack.Message
	event string // its Event in NOTIFY: the second and later ones of a dialog are told apart
	asked string // the kind of what the engine was asked
}

// refer hands a phone's REFER to the engine. Any other leg's is declined: who called
// us, or was called by a trunk, would have us call others at our cost.
func (c *call) refer(l *leg, m *stack.Message) {
	if l != c.agent && !c.isSecond(l) || l.out != nil {
		c.declined(l, m, "not_allowed")
		return
	}
	if c.referring() != nil {
		c.declined(l, m, "pending")
		return
	}
	to, err := identity.ReadReferTo(m.Values("Refer-To"))
	if err != nil {
		c.declined(l, m, unreadable(err))
		return
	}
	if to.Dialog && c.completes(l, to) {
		done := routing.ConsultCompleted{Offer: c.agent.offer}
		c.await(l, m, done.Kind())
		c.submit(done)
		return
	}
	if to.Dialog { // of whomever it is
		c.declined(l, m, "unknown_dialog")
		return
	}
	if l != c.agent { // it is not the caller's leg
		c.declined(l, m, "not_allowed")
		return
	}
	ev, code := c.gw.targets.Named(l.offer, to.User)
	if code != "" {
		c.declined(l, m, code)
		return
	}
	c.await(l, m, ev.Kind())
	// To whom the agent is asking at the moment: that is no new call, but the hand-over.
	if k := c.asking; k != nil && k.leg != nil && ev.ToAgent != "" && k.leg.offer.Agent == ev.ToAgent {
		done := routing.ConsultCompleted{Offer: l.offer}
		l.referral.asked = done.Kind()
		c.submit(done)
		return
	}
	c.submit(ev)
}

// await keeps a REFER until the engine has spoken.
func (c *call) await(l *leg, m *stack.Message, asked string) {
	l.referral = &referral{msg: m, event: "refer", asked: asked}
	if l.referred {
		l.referral.event += ";id=" + strings.TrimSpace(strings.TrimSuffix(m.Get("CSeq"), m.Method)) // RFC 3515 2.4.6
	}
	l.referred = true
}

// referring is the leg of the agent's whose REFER waits; nil: there is none.
func (c *call) referring() *leg {
	switch {
	case c.agent != nil && c.agent.referral != nil:
		return c.agent
	case c.second != nil && c.second.leg.referral != nil:
		return c.second.leg
	}
	return nil
}

// answersRefer does what an action says of a REFER. True: it says no more.
func (c *call) answersRefer(a routing.Action) bool {
	switch a := a.(type) {
	case routing.Transferred:
		c.passedOn(a.Offer, "passed_on")
		return true
	case routing.Refused:
		c.secondRefused(a)
		c.notPassedOn(a)
		return true
	case routing.HandedOver:
		c.passedOn(a.From, "handed_over")
	}
	return false
}

// passedOn answers the REFER of an agent whose call is somebody else's now.
func (c *call) passedOn(from routing.Offer, result string) {
	l := c.referring()
	if c.agent == nil || c.agent.offer != from || l == nil {
		return // it was asked at the desk, or the phone is gone
	}
	r := l.referral
	l.referral = nil
	wish, _, _ := strings.Cut(r.msg.Get("Refer-Sub"), ";")
	quiet := strings.EqualFold(strings.TrimSpace(wish), "false")
	var h []stack.Header
	if quiet {
		h = []stack.Header{{Name: "Refer-Sub", Value: "false"}} // RFC 4488
	}
	c.log.Info("call passed on by the phone", c.of(l), zap.String("result", result))
	c.gw.referred(result)
	if !c.reply(l, r.msg, 202, h, nil) || quiet {
		return
	}
	c.notify(l, r.event, "active;expires=60", "SIP/2.0 100 Trying\r\n")
	c.notify(l, r.event, "terminated;reason=noresource", "SIP/2.0 200 OK\r\n")
}

// notify tells the phone how its REFER stands. What it answers changes nothing: the
// call is not its own any more.
func (c *call) notify(l *leg, event, state, sipfrag string) {
	_, err := l.dlg.Request("NOTIFY", []stack.Header{
		{Name: "Event", Value: event}, {Name: "Subscription-State", Value: state},
	}, "message/sipfrag;version=2.0", []byte(sipfrag))
	c.try(l, "NOTIFY", err)
}

// notPassedOn answers a REFER that the engine has refused.
func (c *call) notPassedOn(a routing.Refused) {
	l := c.referring()
	if c.agent == nil || c.agent.offer != a.Offer || l == nil || l.referral.asked != a.Asked {
		return
	}
	r := l.referral
	if c.insteadOf(r, a) {
		return
	}
	l.referral = nil
	c.declined(l, r.msg, a.Code)
}

// declined refuses a REFER. The log has the reason alone: what was dialled may be
// somebody's number.
func (c *call) declined(l *leg, m *stack.Message, code string) {
	status := referStatus(code)
	c.log.Info("REFER refused", zap.String("leg", l.name), c.of(l), zap.String("reason", code), zap.Int("code", status))
	c.gw.referred(code)
	c.reply(l, m, status, []stack.Header{{Name: "Reason", Value: "SIP;cause=" + strconv.Itoa(status) + `;text="` + code + `"`}}, nil)
}

// unreadable is the code of a Refer-To that is no target.
func unreadable(err error) string {
	switch {
	case errors.Is(err, identity.ErrReferScheme):
		return "unknown_scheme"
	case errors.Is(err, identity.ErrReferMethod):
		return "not_allowed"
	}
	return "bad_refer_to"
}

// referStatus is the final response that says so.
func referStatus(code string) int {
	switch code {
	case "bad_refer_to":
		return 400
	case "unknown_target":
		return 404
	case "unknown_scheme":
		return 416
	case "closed", "not_now":
		return 480
	case "stale", "unknown_dialog":
		return 481
	case "pending":
		return 491
	}
	return 603 // not_allowed, number_not_allowed, too_many_transfers
}

type noTargets struct{}

func (noTargets) Named(routing.Offer, string) (to routing.TransferRequested, code string) {
	return to, "not_allowed"
}

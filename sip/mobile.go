package sip

import (
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/stack"
)

// An agent's mobile is called through a trunk. Whoever picks it up hears who
// calls and has the call by pressing the key; a mailbox does not.

const (
	acceptKey = '1'
	// askAgain is the pause before it is said again, for who did not hear the
	// beginning.
	askAgain = 2 * time.Second
)

// pickedUp is the 200 of a mobile: it is asked whether it takes the call. The
// leg is not faced yet, so that others of its group are heard out too.
func (c *call) pickedUp(l *leg, res *stack.Message) {
	c.try(l, "ack", l.dlg.Ack(nil))
	l.answered, l.out.asked = true, true
	l.unheard.Stop()
	l.vigil.answered(res, time.Now())
	l.source = res.Source.Addr()
	l.port.AlsoFrom(l.source)
	if !l.took(l.told, res.Body) {
		c.log.Info("no usable answer in the mobile's 200", c.of(l))
		c.drop(l, reasonHeader(routing.ByServer, "no_codec"))
		c.submit(routing.PhoneFailed{Offer: l.offer, Code: 488})
		return
	}
	l.up = true
	c.save(l)
	c.keepWatch()
	l.port.OnDTMF(func(key byte) { c.post(func() { c.pressed(l, key) }) })
	phone, _ := c.gw.phones.Phone(l.offer.Agent)
	c.ask(l, phone.Language)
}

// ask says who calls, again and again until the agent has decided or the
// engine's time is over.
func (c *call) ask(l *leg, language string) {
	if l.ended || !l.out.asked {
		return
	}
	done := func() {
		c.post(func() {
			if !l.ended && l.out.asked {
				l.askTimer = c.after(askAgain, func() { c.ask(l, language) })
			}
		})
	}
	if err := l.port.PlayAll(c.question(language), noAddr, l.playCodec(), done); err != nil {
		c.log.Warn("mobile not asked", c.of(l), zap.Error(err))
	}
}

// question is what an agent hears: a call, from which number, and which key
// takes it.
func (c *call) question(language string) []string {
	prompt := func(name string) string { return c.prompt(name, language) }
	out := []string{prompt("call-from")}
	digits := c.arrival.Caller.Number.E164()
	if c.arrival.Caller.Restricted {
		digits = ""
	}
	if digits == "" {
		out = []string{prompt("call-withheld")}
	}
	for _, d := range digits {
		if d != '+' {
			out = append(out, prompt("digit-"+string(d)))
		}
	}
	return append(out, prompt("call-accept"))
}

// pressed is a key of a mobile that was asked.
func (c *call) pressed(l *leg, key byte) {
	if l.ended || !l.out.asked || key != acceptKey {
		return
	}
	l.out.asked = false
	l.askTimer.Stop()
	l.port.OnDTMF(nil)
	l.port.Stop()
	if c.isOther(l) && !c.connected {
		c.face(l)
	}
	c.submit(routing.PhoneAnswered{Offer: l.offer})
}

// mobileGone ends a mobile that was picked up and not accepted.
func (c *call) mobileGone(l *leg) {
	switch {
	case c.isOther(l):
		c.leave(l)
	case c.asks(l):
		c.forgetAsked(l)
	default:
		c.part()
		c.agent = nil
	}
	c.closeLeg(l)
	c.submit(routing.PhoneFailed{Offer: l.offer, Unconfirmed: true})
}

// keyed takes a key that came by INFO from a mobile that is asked, or a caller who
// is in a menu or offered a callback, as PBXs send them; false for every other event.
func (c *call) keyed(l *leg, ev stack.Event) bool {
	r, ok := ev.(stack.Requested)
	offered, inMenu := l == c.caller && c.offering != nil, l == c.caller && c.menu != nil
	if !ok || !l.isAsked() && !offered && !inMenu || l.ended || r.Request.Method != "INFO" {
		return false
	}
	key, ok := keyOf(r.Request)
	if !ok {
		return false
	}
	c.reply(l, r.Request, 200, nil, nil)
	switch {
	case inMenu:
		c.menuPressed(key)
	case offered:
		c.callerPressed(key)
	default:
		c.pressed(l, key)
	}
	return true
}

// keyOf reads application/dtmf-relay ("Signal=1") and application/dtmf ("1").
func keyOf(m *stack.Message) (byte, bool) {
	body := string(m.Body)
	switch kind, _, _ := strings.Cut(m.Get("Content-Type"), ";"); strings.ToLower(strings.TrimSpace(kind)) {
	case "application/dtmf-relay":
		_, body, _ = strings.Cut(body, "Signal=")
		body, _, _ = strings.Cut(body, "\n")
	case "application/dtmf":
	default:
		return 0, false
	}
	if body = strings.TrimSpace(body); len(body) != 1 {
		return 0, false
	}
	return body[0], true
}

// isMobile says that the leg is an agent's mobile.
func (l *leg) isMobile() bool { return l.out != nil && !l.out.treats }

// isAsked says that a mobile was picked up and has not taken the call yet.
func (l *leg) isAsked() bool { return l.out != nil && l.out.asked }

// treats says that the leg is to a number which the document sent the caller to.
func (l *leg) treats() bool { return l.out != nil && l.out.treats }

package sip

import (
	"strings"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/alarm"
)

// maxTyped is how many keys are kept for menus that the caller has not been asked
// yet: who knows them does not wait for the prompts.
const maxTyped = 20

const menuKeys = "0123456789*#"

// maxAnew is how often a number may be begun anew before that counts as no answer:
// every * starts the wait again, and a line must not be held so for ever.
const maxAnew = 5

// menu is what a caller is being asked.
type menu struct {
	order  routing.AskMenu
	open   bool   // no answer yet
	typed  []byte // keys since the last answer
	digits []byte // of the number that is being keyed in
	anew   int    // how often it was begun anew
	wait   *alarm.Alarm
}

// askMenu asks the caller, and listens from the first word on.
func (c *call) askMenu(a routing.AskMenu) {
	l := c.caller
	if l.ended || c.connected {
		return
	}
	c.answerCaller()
	if c.over || l.ended {
		return // told already
	}
	c.quiet()
	c.noOffer()
	c.treatment = ""
	if c.menu == nil {
		c.menu = &menu{}
		l.port.OnDTMF(func(key byte) { c.post(func() { c.menuPressed(key) }) })
	}
	m := c.menu
	m.order, m.open, m.digits, m.anew = a, true, nil, 0
	if a.Afresh {
		m.typed = nil
	}
	for m.open && len(m.typed) > 0 {
		key := m.typed[0]
		m.typed = m.typed[1:]
		c.menuPressed(key)
	}
	if !m.open || len(m.digits) > 0 {
		return
	}
	say := make([]string, len(a.Say))
	for i, s := range a.Say {
		say[i] = c.prompt(s, a.Language)
	}
	c.speak(say, func() {
		if m.open && m.order.Ask == a.Ask {
			m.wait.Stop()
			m.wait = c.after(a.Wait, func() { c.answerMenu(m, a.Ask, "") })
		}
	})
}

// menuPressed is a key of a caller in a menu.
func (c *call) menuPressed(key byte) {
	m := c.menu
	switch {
	case m == nil || c.caller.ended || strings.IndexByte(menuKeys, key) < 0:
	case m.open && m.order.Enter != nil:
		c.digitPressed(m, key)
	case m.open:
		c.answerMenu(m, m.order.Ask, string(key))
	case len(m.typed) < maxTyped:
		m.typed = append(m.typed, key)
	}
}

// answerMenu tells the engine, unless that was asked before.
func (c *call) answerMenu(m *menu, ask int, key string) {
	if c.menu != m || !m.open || m.order.Ask != ask {
		return
	}
	m.open = false
	m.wait.Stop()
	c.quiet()
	if m.order.Enter != nil {
		c.submit(routing.NumberKeyed{Call: c.id, Ask: ask, Got: routing.GotNothing})
		return
	}
	c.submit(routing.MenuKeyed{Call: c.id, Ask: ask, Key: key})
}

// digitPressed is a key of a number. With the last digit there may be, # or a pause it
// is whole; * begins it anew.
func (c *call) digitPressed(m *menu, key byte) {
	c.quiet()
	m.wait.Stop()
	ask, within := m.order.Ask, m.order.Enter.Pause
	switch key {
	case endKey:
		c.numberEntered(m, ask)
		return
	case clearKey:
		m.digits, within = nil, m.order.Wait
		if m.anew++; m.anew > maxAnew {
			c.answerMenu(m, ask, "")
			return
		}
	default:
		m.digits = append(m.digits, key)
		if len(m.digits) == m.order.Enter.Most {
			c.numberEntered(m, ask)
			return
		}
	}
	m.wait = c.after(within, func() { c.numberEntered(m, ask) })
}

// numberEntered has the customer looked up whose number was keyed in. It goes to the
// rim and no further; what can be nobody's is not looked up.
func (c *call) numberEntered(m *menu, ask int) {
	if c.menu != m || !m.open || m.order.Ask != ask {
		return
	}
	number := string(m.digits)
	if number == "" {
		c.answerMenu(m, ask, "")
		return
	}
	m.open, m.digits = false, nil
	m.wait.Stop()
	c.quiet()
	if !m.order.Enter.Takes(number) {
		c.submit(routing.NumberKeyed{Call: c.id, Ask: ask, Got: routing.GotWrong})
		return
	}
	c.gw.customers.Entered(c.id, ask, number)
}

// endMenu forgets what the caller is asked: the engine has something else for him.
func (c *call) endMenu() {
	m := c.menu
	if m == nil {
		return
	}
	m.wait.Stop()
	c.menu = nil
	if p := c.caller.port; p != nil {
		p.OnDTMF(nil)
	}
}

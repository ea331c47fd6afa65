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

// menu is what a caller is being asked.
type menu struct {
	order routing.AskMenu
	open  bool   // no answer yet
	typed []byte // keys since the last answer
	wait  *alarm.Alarm
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
	m.order, m.open = a, true
	if a.Afresh {
		m.typed = nil
	}
	if len(m.typed) > 0 {
		key := m.typed[0]
		m.typed = m.typed[1:]
		c.menuPressed(key)
		return
	}
	say := make([]string, len(a.Say))
	for i, s := range a.Say {
		say[i] = c.prompt(s, a.Language)
	}
	c.speak(say, func() {
		if m.open && m.order.Ask == a.Ask {
			m.wait = c.after(a.Wait, func() { c.answerMenu(m, a.Ask, "") })
		}
	})
}

// menuPressed is a key of a caller in a menu.
func (c *call) menuPressed(key byte) {
	m := c.menu
	switch {
	case m == nil || c.caller.ended || strings.IndexByte(menuKeys, key) < 0:
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
	c.submit(routing.MenuKeyed{Call: c.id, Ask: ask, Key: key})
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

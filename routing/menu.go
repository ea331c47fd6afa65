package routing

import "github.com/cordboard/cordboard/routing/rule"

// maxAsks is how often one caller is asked, over all menus: who goes round in
// them is routed.
const maxAsks = 30

// inMenu is the reason of what a menu does, and of the end of a caller who hangs
// up in one.
const inMenu = "menu"

// menuing is where a caller stands in the menus.
type menuing struct {
	menu  *Menu
	tries int // of this one, so far
	asks  int // of all
}

// menuFor is the menu that a call goes through before it is routed, nil for none.
// A call that has its answers already is not asked again.
func (e *Engine) menuFor(c *call) *Menu {
	line := c.plan.Lines[c.attrs.DNIS]
	if line.Menu == "" || c.attrs.Kind != "inbound" || c.attrs.Choice != "" {
		return nil
	}
	if line.When != nil {
		e.fill(c)
		if !line.When.Eval(&e.env) {
			return nil
		}
	}
	return c.plan.Menus[line.Menu]
}

// byLine gives a call the language of the number that was dialled.
func (e *Engine) byLine(c *call) {
	if code := c.plan.Lines[c.attrs.DNIS].Language; code != "" && c.attrs.Language == "" && c.attrs.Kind == "inbound" {
		e.redescribe(c, func(a *rule.Call) { a.Language = code })
	}
}

// openMenu asks the caller the first question of a menu.
func (e *Engine) openMenu(c *call, m *Menu) {
	if !c.answered {
		c.answered, c.silent = true, true
		e.act(AnswerCaller{Call: c.id})
	}
	if c.menu == nil {
		c.menu = &menuing{}
	}
	c.phase, c.menu.menu, c.menu.tries = choosing, m, 0
	e.askMenu(c, "")
}

// askMenu asks, after what is said first, if anything is.
func (e *Engine) askMenu(c *call, first string) {
	in := c.menu
	if in.asks == maxAsks {
		e.leaveMenu(c)
		return
	}
	in.asks++
	in.tries++
	say := make([]string, 0, 2)
	if first != "" {
		say = append(say, first)
	}
	ask := AskMenu{
		Call: c.id, Menu: in.menu.Name, Ask: in.asks, Say: append(say, in.menu.Prompt), Language: c.language(c.plan),
		Wait: in.menu.Wait, Afresh: first != "",
	}
	if n := in.menu.Enter; n != nil {
		ask.Enter = &n.Digits
	}
	e.act(ask)
}

// menuKeyed is the caller's answer.
func (e *Engine) menuKeyed(ev MenuKeyed) {
	c := e.calls[ev.Call]
	if c == nil || c.phase != choosing || c.menu.asks != ev.Ask || c.menu.menu.Enter != nil {
		return
	}
	m := c.menu.menu
	if k := m.key(ev.Key); k != nil {
		e.choose(c, k, GotKey)
		return
	}
	got, first := GotWrong, SayWrongKey
	if ev.Key == "" {
		got, first = GotNothing, SayNoKey
	}
	e.tellAnswer(c, MenuAnswered{Got: got, Key: ev.Key})
	if c.menu.tries >= m.Tries {
		e.choose(c, &m.Otherwise, GotNeither)
		return
	}
	e.askMenu(c, first)
}

// choose does what a key is for. The key that chooses a language says nothing of
// what the call is about.
func (e *Engine) choose(c *call, k *Choice, got string) {
	e.redescribe(c, func(a *rule.Call) {
		if k.Language == "" {
			a.Choice += k.Key
		} else {
			a.Language = k.Language
		}
		if k.Topic != "" {
			a.Topic = k.Topic
		}
	})
	e.tellAnswer(c, MenuAnswered{Got: got, Key: k.Key, Number: c.menu.menu.Enter != nil, Title: k.Title})
	switch {
	case k.Menu != "":
		e.openMenu(c, c.plan.Menus[k.Menu])
	case k.Then != nil:
		c.menu = nil
		e.adopt(c, target{route: c.plan.root, language: c.attrs.Language, topic: c.attrs.Topic})
		c.reread = true // the menu has decided
		e.treat(c, inMenu, *k.Then)
	default:
		e.leaveMenu(c)
	}
}

// tellAnswer tells of an answer.
func (e *Engine) tellAnswer(c *call, a MenuAnswered) {
	a.Call, a.Menu = c.id, c.menu.menu.Name
	a.Choice, a.Topic, a.Language = c.attrs.Choice, c.attrs.Topic, c.attrs.Language
	e.act(a)
}

// leaveMenu brings a caller to the routes. The waiting begins now.
func (e *Engine) leaveMenu(c *call) {
	c.menu, c.since = nil, e.now
	if c.plan.again {
		e.adoptPlan(c)
	}
	t, asks := e.read(c)
	if asks && t.route.record.Deadline > 0 {
		c.phase = resolving
		e.arm(c, recordDue, e.now+t.route.record.Deadline.Microseconds())
		return
	}
	if asks {
		t, _ = e.readAnyway(c)
	}
	e.follow(c, t, "arrived")
}

package configs

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// pressable is the keys of a telephone.
const pressable = "0123456789*#"

// menus reads what callers are asked before the routes.
func (c *compiler) menus(n *node) {
	c.policy.Menus = map[string]*routing.Menu{}
	if n == nil {
		return
	}
	for _, p := range c.object(n).pairs {
		if len(c.policy.Menus) == maxMenus {
			return
		}
		o := c.object(p.value.in("menu " + p.key))
		m := &routing.Menu{Name: p.key}
		m.Prompt = c.name(o.must("prompt"))
		m.Wait = c.duration(o.get("wait"), time.Second, time.Minute, 6*time.Second)
		m.Tries = c.integer(o.get("tries"), 1, 10, 3)
		if v := o.get("enter"); v != nil {
			m.Enter = c.enter(v)
			o.together("enter", "keys")
			m.Keys = c.choices(o.get("keys"))
		} else {
			m.Keys = c.choices(o.must("keys"))
		}
		m.Otherwise = c.menuChoice(o.get("otherwise"), "")
		o.close()
		c.policy.Menus[p.key] = m
	}
}

// choices reads the keys of a menu.
func (c *compiler) choices(n *node) (out []routing.Choice) {
	if n == nil {
		return nil
	}
	all := c.object(n)
	for _, p := range all.pairs {
		n.adopt(p.value)
		if len(p.key) != 1 || !strings.Contains(pressable, p.key) {
			c.add(p.line, p.col, CodeValue, n.where, "%s is not a key: one of 0 to 9, * and #, in quotes", quote(p.key))
			continue
		}
		out = append(out, c.menuChoice(p.value, p.key))
	}
	if len(all.pairs) == 0 && !all.bad {
		c.errorf(n, CodeMissing, "%s: a menu needs keys", n.label())
	}
	slices.SortFunc(out, func(a, b routing.Choice) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// enter reads what is to be keyed in, and where it leads.
func (c *compiler) enter(n *node) *routing.Enter {
	o := c.object(n)
	e := &routing.Enter{}
	c.choice(o.must("identify"), "", []string{"customer_id"})
	e.Least = c.integer(o.get("least"), 1, maxEntered, 1)
	e.Most = c.integer(o.get("most"), 1, maxEntered, maxEntered)
	if e.Least > e.Most {
		o.conflict("least", "%s: least %d is more than most %d", o.label(), e.Least, e.Most)
	}
	e.Pause = c.duration(o.get("pause"), time.Second, time.Minute, 4*time.Second)
	if v := o.get("check"); v != nil {
		e.Luhn = c.choice(v, "", []string{"luhn"}) == "luhn"
	}
	e.Choice = c.leads(o, "")
	return e
}

// maxEntered digits are keyed in at most.
const maxEntered = 20

// menuChoice reads what a key is for; without a key, what happens otherwise.
func (c *compiler) menuChoice(n *node, key string) routing.Choice {
	if n == nil || n.kind == kindNull { // "1": with nothing behind it
		return routing.Choice{Key: key}
	}
	return c.leads(c.object(n), key)
}

// leads reads where a key leads, or a number.
func (c *compiler) leads(o *object, key string) routing.Choice {
	out := routing.Choice{Key: key}
	if v := o.get("language"); v != nil {
		if code := c.language(v); c.known(v, "language", code, c.names.languages) {
			out.Language = code
		}
	}
	if v := o.get("topic"); v != nil {
		out.Topic = c.reference(v, "topic", c.names.topics)
	}
	if v := o.get("menu"); v != nil {
		out.Menu = c.reference(v, "menu", c.names.menus)
	}
	if v := o.get("then"); v != nil {
		t := c.action(v)
		out.Then = &t
		switch {
		case t.Queue != "":
			c.errorf(v, CodeConflict, "%s: queues are the routes' business: set a topic, or ask call.choice in a route", v.label())
		case t.Callback:
			c.errorf(v, CodeConflict, "%s: a callback is offered in a queue, and a menu leads to none", v.label())
		case t.Reject != 0:
			c.errorf(v, CodeConflict, "%s: a caller in a menu is answered already, and cannot be refused: hangup: true", v.label())
		}
	}
	o.together("menu", "then")
	out.Title = c.plainTitle(o.get("title"), out.Topic)
	o.close()
	return out
}

// plainTitle is a title in the document's default language; that of the topic
// where there is none.
func (c *compiler) plainTitle(n *node, topic string) string {
	t := c.title(n, "")
	if of := c.policy.Topics[topic]; n == nil && of != nil {
		t = of.Title
	}
	if s := cmp.Or(t[c.policy.DefaultLanguage], t[""]); s != "" {
		return s
	}
	for _, code := range c.names.languages {
		if t[code] != "" {
			return t[code]
		}
	}
	return ""
}

// lines reads what dialled numbers say of their calls.
func (c *compiler) lines(n *node) {
	if n == nil {
		return
	}
	c.policy.Lines = map[string]routing.Line{}
	for _, p := range c.object(n).pairs {
		if !rule.IsE164(p.key) && !slices.Contains(c.names.shortCodes, p.key) {
			c.add(p.line, p.col, "X105", "", "lines: want an E.164 number (+ and digits) in quotes, or one declared under short_codes, not %s", quote(p.key))
		}
		o := c.object(p.value.in("line " + p.key))
		var l routing.Line
		if v := o.get("language"); v != nil {
			if code := c.language(v); c.known(v, "language", code, c.names.languages) {
				l.Language = code
			}
		}
		if v := o.get("menu"); v != nil {
			l.Menu = c.reference(v, "menu", c.names.menus)
		}
		if v := o.get("when"); v != nil {
			if l.When = c.condition(v); l.When != nil && l.When.Awaits() {
				c.errorf(v, CodeConflict, "when: the menu comes before the customer's record and past calls are known")
			}
			if !o.has("menu") {
				c.errorf(v, CodeConflict, "when: there is no menu beside it")
			}
		}
		if !o.bad && !o.has("language") && !o.has("menu") {
			c.errorf(o.node, CodeMissing, "a line needs a language or a menu")
		}
		o.close()
		c.policy.Lines[p.key] = l
	}
}

// menuSounds finds prompts that are there in no language, or lack one.
func (l *linter) menuSounds(p pair, missing func(at spot, path, name string)) {
	prompt := child(p.value, "prompt")
	if prompt.kind != kindScalar {
		return
	}
	spoken := len(l.names.languages) > 0
	for _, code := range l.names.languages {
		spoken = spoken && l.hasSound(prompt.text+"-"+code)
	}
	if !spoken {
		missing(spot{prompt.line, prompt.col}, "menus."+p.key+".prompt", prompt.text)
	}
	for _, k := range append(slices.Clone(child(p.value, "keys").pairs), pair{value: child(p.value, "enter")}, pair{value: child(p.value, "otherwise")}) {
		for then := child(k.value, "then"); len(then.pairs) > 0; then = child(then, "else") {
			play := child(then, "play")
			missing(spot{play.line, play.col}, "menus."+p.key, play.text)
		}
	}
}

// pressed reads the keys that the caller of a test presses in menus.
func (c *compiler) pressed(n *node) string {
	s, ok := c.scalar(n, `keys in quotes, such as "21"`)
	if !ok {
		return ""
	}
	if s == "" || len(s) > 64 || strings.Trim(s, pressable) != "" {
		c.wrong(n, `want 1 to 64 keys in quotes, such as "21", not %s`, quote(s))
		return ""
	}
	return s
}

package routingtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// menu reads "menu NAME [prompt=] [tries=] 1=CHOICE ... [otherwise=CHOICE]", or
// "enter=CHOICE" in place of the keys.
func (c *Case) menu(l line) (err error) {
	m := &routing.Menu{Name: l.words[1], Prompt: first(l.opts["prompt"], l.words[1]), Wait: 6 * time.Second, Tries: 3}
	for _, key := range slices.Sorted(mapKeys(l.opts)) {
		v := l.opts[key]
		switch key {
		case "prompt":
		case "tries":
			m.Tries, err = strconv.Atoi(v)
		case "otherwise":
			m.Otherwise, err = choice("", v)
		case "enter":
			m.Enter = &routing.Enter{Digits: routing.Digits{Least: 4, Most: 8, Pause: 3 * time.Second}}
			m.Enter.Choice, err = choice("", v)
		default:
			var k routing.Choice
			k, err = choice(key, v)
			m.Keys = append(m.Keys, k)
		}
		if err != nil {
			return fmt.Errorf("menu %s: %s: %w", m.Name, key, err)
		}
	}
	if c.policy.Menus == nil {
		c.policy.Menus = map[string]*routing.Menu{}
	}
	c.policy.Menus[m.Name] = m
	return nil
}

// choice reads what a key is for: "topic:hard,language:ru,menu:second", "-" for
// nothing but its place in call.choice, or "then:" and an action.
func choice(key, v string) (routing.Choice, error) {
	k := routing.Choice{Key: key}
	if then, ok := strings.CutPrefix(v, "then:"); ok {
		t, err := treatment(then)
		k.Then = &t
		return k, err
	}
	for _, part := range strings.Split(v, ",") {
		what, name, _ := strings.Cut(part, ":")
		switch what {
		case "topic":
			k.Topic = name
		case "language":
			k.Language = name
		case "menu":
			k.Menu = name
		case "title":
			k.Title = name
		case "-":
		default:
			return k, fmt.Errorf("%q is not understood", part)
		}
	}
	return k, nil
}

// dialledLine reads "line NUMBER [menu=] [language=] [when=]".
func (c *Case) dialledLine(l line) (err error) {
	out := routing.Line{Menu: l.opts["menu"], Language: l.opts["language"]}
	if when := l.opts["when"]; when != "" {
		if out.When, err = rule.Compile(when, rule.CompileOptions{Predicates: &c.known}); err != nil {
			return err
		}
	}
	if c.policy.Lines == nil {
		c.policy.Lines = map[string]routing.Line{}
	}
	c.policy.Lines[l.words[1]] = out
	return nil
}

// keyed is the caller's answer to the menu: "key c1 7", or "key c1" of who presses
// none in time; "#N" names a question that was asked before.
func (r *runner) keyed(call routing.CallID, key, ask string) error {
	n, err := r.asked(call, ask)
	if err != nil {
		return err
	}
	return r.step(routing.MenuKeyed{Call: call, Ask: n, Key: key})
}

// asked is the question that an answer is to: the last, or that of "#N".
func (r *runner) asked(call routing.CallID, ask string) (int, error) {
	if n, ok := strings.CutPrefix(ask, "#"); ok {
		return strconv.Atoi(n)
	}
	return r.menuAsks[call], nil
}

// enters is what comes of a number that the caller keys in: "enters c1 segment=gold"
// of a customer's, "enters c1 unknown" and the like of any other, "enters c1" of none.
func (r *runner) enters(l line) error {
	name, got, ask := l.words[1], "", ""
	for _, w := range l.words[2:] {
		if strings.HasPrefix(w, "#") {
			ask = w
		} else {
			got = w
		}
	}
	call := r.names[name]
	n, err := r.asked(call, ask)
	if err != nil {
		return err
	}
	if got != "" || len(l.opts) == 0 {
		return r.step(routing.NumberKeyed{Call: call, Ask: n, Got: first(got, routing.GotNothing)})
	}
	who, err := r.caller(l.opts, "")
	if err != nil {
		return err
	}
	if at := r.callers[call]; at != nil {
		who.Call, who.ANI = at.Call, at.ANI
	}
	r.callers[call] = who
	return r.step(routing.CustomerResolved{Call: call, Ask: n, Customer: who.Customer, Key: first(who.CustomerID, "a customer"), Rim: r.rim(who)})
}

// menuWords says what a menu does.
func (r *runner) menuWords(a routing.Action) string {
	switch a := a.(type) {
	case routing.AskMenu:
		s := fmt.Sprintf("%s is asked #%d: %s", r.name(a.Call), a.Ask, strings.Join(a.Say, ", "))
		if a.Language != "" {
			s += " in " + a.Language
		}
		if d := a.Enter; d != nil {
			s += fmt.Sprintf(" (%d to %d digits)", d.Least, d.Most)
		}
		if a.Afresh {
			s += " (afresh)"
		}
		return s
	case routing.MenuAnswered:
		s := r.name(a.Call) + " " + a.Words()
		for _, what := range [][2]string{{"choice", a.Choice}, {"topic", a.Topic}, {"language", a.Language}} {
			if what[1] != "" {
				s += " " + what[0] + "=" + what[1]
			}
		}
		return s
	}
	return ""
}

package configs

import (
	"slices"
	"strings"

	"github.com/cordboard/cordboard/routing"
)

// lintMenus finds menus that nobody is asked, rings that silence leads round in, and
// routes for keys that no menu has.
func (l *linter) lintMenus() {
	if len(l.policy.Menus) == 0 {
		return
	}
	led := map[string]bool{}
	for _, line := range l.policy.Lines {
		led[line.Menu] = true
	}
	for _, name := range l.names.menus {
		if m := l.policy.Menus[name]; m != nil {
			for _, next := range nextMenus(m) {
				led[next] = led[next] || next != name
			}
		}
	}
	for _, name := range l.names.menus {
		if !led[name] {
			l.menu(name, "M751", "", "nobody is asked: no line and no key leads to it")
		}
	}
	l.lintSilence()
	l.lintChoices()
}

// menu finds something about a menu.
func (l *linter) menu(name, code, shows, format string, args ...any) {
	l.find(l.key("menus", name), code, "menus."+name, shows, format, args...)
}

// nextMenus are those that a menu leads to.
func nextMenus(m *routing.Menu) (out []string) {
	leads := append(slices.Clone(m.Keys), m.Otherwise)
	if m.Enter != nil {
		leads = append(leads, m.Enter.Choice)
	}
	for _, k := range leads {
		if k.Menu != "" {
			out = append(out, k.Menu)
		}
	}
	return out
}

// lintSilence: who presses nothing is asked again and again.
func (l *linter) lintSilence() {
	told := map[string]bool{}
	for _, name := range l.names.menus {
		var way []string
		for at := name; at != "" && l.policy.Menus[at] != nil; at = l.policy.Menus[at].Otherwise.Menu {
			if i := slices.Index(way, at); i >= 0 {
				if ring := way[i:]; !told[ring[0]] {
					l.menu(ring[0], "M752", strings.Join(append(slices.Clone(ring), at), " -> "), "who presses nothing is asked round and round: otherwise leads back")
					for _, m := range ring {
						told[m] = true
					}
				}
				break
			}
			way = append(way, at)
		}
	}
}

// lintChoices: a route for a choice that cannot be made. Digits of several menus
// follow each other, so that only the last tells of one key.
func (l *linter) lintChoices() {
	keys := map[string]bool{}
	for _, m := range l.policy.Menus {
		for _, k := range m.Keys {
			if k.Language == "" && k.Then == nil {
				keys[k.Key] = true
			}
		}
	}
	l.eachRoute(func(r *routing.Routed) {
		choice, asks := r.Node.When.Asks("choice")
		if !asks || choice == "" {
			return
		}
		for _, key := range choice {
			if !keys[string(key)] {
				l.route(r, "M753", "call.choice == "+quote(choice), "no menu has a key %c that leads to the routes", key)
				return
			}
		}
	})
}

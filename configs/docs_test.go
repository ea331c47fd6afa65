package configs

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// whole opens every object of the language, so that every key is asked for.
const whole = `
cordboard: routing/1
name: Whole
zone: Europe/Vienna
fields: {x: text}
languages: [en]
order: {}
record: {}
skills: {x: {}}
sites: {x: {}}
regions: {x: {prefix: ["+1"]}}
teams: [x]
calendars: {x: {week: {}, exceptions: [{every: 01-01, closed: true}]}}
topics: {x: {queue: x, need: {}}}
dispositions: {x: [{id: a}]}
menus: {x: {prompt: x, keys: {"1": {}}, otherwise: {}}, y: {prompt: x, enter: {identify: customer_id}}}
lines: {"+442079460100": {menu: x}}
transfers: {consult: {}, unanswered: {}, numbers: {to: [GB]}}
requests: {x: {within: 1h, owner: x, late: [{who: x}]}}
statistics: {service_level: {formula: switches, switches: {}}}
queues:
  x:
    need: {}
    steps: [{after: 1s, need: {}}]
    prefer: [{who: last_agent}]
    choose: {}
    reserve: [{team: x, join: {waiting: 1}, leave: {}}]
    ring: {}
    rona: {}
    pop: {}
    wrap_up: {}
    closed: {then: {hangup: true}}
    at_close: {}
    announce: {wait: {}}
    callback: {}
    full: {waiting: 1, then: {hangup: true}}
    late: {after: 1m, then: {hangup: true}}
    nobody: {for: 1m, then: {hangup: true}}
route:
  queue: x
  routes:
    - {name: x, when: call.ani_known, queue: x, set: {}, need: {}, record: {}, callback: {}, prefer: [{who: last_agent}]}
    - {name: y, when: call.ani_known, then: {hangup: true}}
agents: {x: {name: X, phone: "sip:x@192.0.2.1"}}
tests:
  - {name: x, at: 2026-04-15T11:00, call: {}, customer: {}, queues: {x: {}}, agents: {x: {}}, expect: {need: {}, then: [{at: 1s}]}}
lint: {allow: [{code: S404, at: queues.x, why: it may}]}
`

var indexes = regexp.MustCompile(`\[[0-9]+\]`)

// tablePath turns a path of the document into its form in the guide: the table
// it stands in, and the key there.
func tablePath(path string) string {
	path = indexes.ReplaceAllString(path, "[]")
	for _, t := range []struct{ inner, table string }{{".need.", "NEED"}, {".then.", "ACTION"}, {"prefer[].", "PREFER"}} {
		if i := strings.LastIndex(path, t.inner); i >= 0 {
			return t.table + " " + path[i+len(t.inner):]
		}
	}
	for _, t := range []struct{ prefix, table, rest string }{
		{"queues.x.", "OPTION ", ""}, {"defaults.", "OPTION ", ""}, {"route.x.", "Route ", ""}, {"route.y.", "Route ", ""},
		{"route.", "Route ", ""}, {"agents.x.", "", "agents.ID."}, {"topics.x.", "", "topics.NAME."}, {"skills.x.", "", "skills.NAME."},
		{"fields.x", "", "fields.NAME"}, {"tests[].customer.x", "", "tests[].customer.NAME"}, {"sites.x.", "", "sites.NAME."}, {"regions.x.", "", "regions.NAME."}, {"calendars.x.", "", "calendars.NAME."}, {"dispositions.x[].", "", "dispositions.SET[]."}, {"requests.x.", "", "requests.NAME."},
		{"menus.x.keys.1.", "", "menus.NAME.keys.KEY."}, {"menus.x.", "", "menus.NAME."}, {"menus.y.", "", "menus.NAME."}, {"lines.+442079460100.", "", "lines.NUMBER."},
		{"tests[].agents.x.", "", "tests[].agents.ID."}, {"tests[].queues.x.", "", "tests[].queues.NAME."},
	} {
		if rest, ok := strings.CutPrefix(path, t.prefix); ok {
			return t.table + t.rest + rest
		}
	}
	return path
}

// guide reads the keys of docs/routing.md: those of its tables, and those that
// it says are not built yet.
func guide(t *testing.T) (built, later map[string]bool) {
	t.Helper()
	b, err := os.ReadFile("../docs/routing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, keys, ok := strings.Cut(string(b), "## Keys")
	keys, rest, ok2 := strings.Cut(keys, "## Not built yet")
	if !ok || !ok2 {
		t.Fatal("the guide has no keys")
	}
	built, later = map[string]bool{}, map[string]bool{}
	table := ""
	row := regexp.MustCompile("^\\| `([^`]+)` \\|")
	ownName := regexp.MustCompile(`(\[\])?\.(SKILL|CODE)$`)
	for line := range strings.SplitSeq(keys, "\n") {
		if strings.HasPrefix(line, "**") {
			table = strings.Fields(strings.Trim(line, "*"))[0]
			table = strings.Trim(table, "*:") + " "
			if table == "The " || table == "Agents " || table == "Tests " {
				table = ""
			}
		}
		if m := row.FindStringSubmatch(line); m != nil {
			built[table+ownName.ReplaceAllString(m[1], "")] = true
		}
	}
	list, _, _ := strings.Cut(rest, "\n\nand these values")
	for part := range strings.SplitSeq(list, "·") {
		table := ""
		for start, name := range map[string]string{"in a need": "NEED ", "of a queue": "OPTION ", "in an action": "ACTION ", "of a route": "Route "} {
			if strings.HasPrefix(strings.TrimSpace(part), start) {
				table = name
			}
		}
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(part, -1) {
			if m[1] != "KEY is not supported yet" {
				later[table+m[1]] = true
			}
		}
	}
	return built, later
}

// The guide lists exactly the keys that the program knows.
func TestGuideListsEveryKey(t *testing.T) {
	built, later := guide(t)
	asked, refused := map[string]bool{}, map[string]bool{}
	c := newCompiler("whole.yaml")
	c.asked = func(path string, supported bool) {
		if supported {
			asked[tablePath(path)] = true
		} else {
			refused[tablePath(path)] = true
		}
	}
	c.document(c.object(c.parse([]byte(whole))))
	outside, _, _ := strings.Cut(whole, "agents:")
	d := newCompiler("outside.yaml")
	Directory(NewDirectory("directory.yaml", []byte("agents: {x: {name: X, shifts: [{days: mon, hours: \"08:00-12:00\"}]}}")))(d)
	d.asked, d.dir.asked = c.asked, c.asked
	d.dir.open()
	d.document(d.object(d.parse([]byte(outside))))
	if f := append(c.result(), d.result()...); len(f) > 0 {
		t.Fatal(printed(t, f))
	}
	for key := range asked {
		inner := built[key]
		for row := range built { // order stands for order.by, ...
			inner = inner || strings.HasPrefix(row, key+".") || strings.HasPrefix(row, key+"[")
		}
		if !inner && !strings.HasSuffix(key, "agents") && !isSection(key) {
			t.Errorf("%q is not in the guide", key)
		}
	}
	for key := range built {
		if !asked[key] {
			t.Errorf("the guide has %q, the program does not ask for it", key)
		}
	}
	for key := range refused {
		if !later[key] {
			t.Errorf("%q is refused as not built, and the guide does not say so", key)
		}
	}
	for key := range later {
		if !refused[key] {
			t.Errorf("the guide says that %q is not built yet, the program does not refuse it", key)
		}
	}
}

// isSection: keys whose rows stand in a table of their own.
func isSection(key string) bool { return key == "defaults" || key == "queues" || key == "route" }

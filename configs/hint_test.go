package configs

import (
	"fmt"
	"strings"
	"testing"
)

// Mistakes of a first document are answered with what to write instead.
func TestFirstMistakes(t *testing.T) {
	const good = `cordboard: routing/1
name: First
zone: Europe/London
languages: [en, de]
default_language: en
segments: [key]
skills: {claims: {}}
calendars:
  office: {week: {mon-fri: "08:00-18:00"}, exceptions: [{date: 2026-12-24, closed: true}, {every: 12-25, closed: true}]}
queues:
  q: {need: {all: {claims: 3}}, hours: office, prefer: [{who: last_agent}], late: {after: 5m, then: {hangup: true}}}
route:
  queue: q
  routes:
    - {name: r, when: 'customer.segment == "key"', priority: 90}
agents:
  ann: {name: Ann, skills: {claims: 5}}
`
	if _, found := ParseRouting("first.yaml", []byte(good)); len(found) > 0 {
		t.Fatal(found)
	}
	const quoted = `'customer.segment == "key"'`
	for _, c := range []struct{ old, new, want string }{
		{quoted, `'customer.segment = "key"'`, `15:41 X101 a comparison is written ==, not =`},
		{quoted, `'call.waited > "40s"'`, `15:36 X101 invalid operation: > (mismatched types int and string): numbers stand without quotes, durations as whole seconds`},
		{quoted, `'time.weekday == "Monday"'`, `15:40 X103 weekday Monday is not declared, write mon tue wed thu fri sat sun`},
		{quoted, `'time.weekday == "mo"'`, `15:40 X103 weekday mo is not declared, did you mean mon?`},
		{quoted, `"fire" in customer.products`, `15:30 Y001 not YAML: ',' or '}' must be specified: a condition stands in single quotes, when: 'customer.segment in ["gold", "key"]'`},
		{quoted, `customer.segment in ["key", "key"]`, `15:43 Y001 not YAML: ',' or '}' must be specified: a condition stands in single quotes, when: 'customer.segment in ["gold", "key"]'`},
		{"zone: Europe/London", "zone: Europe/London\n\tname: x", `4:1 Y001 not YAML: found character ' ' that cannot start any token: a tab; indent with blanks`},
		{"{week: {mon-fri: \"08:00-18:00\"}", "{week: {mon-fri: \"08:00-18:00\"", `10:1 Y001 not YAML: ',' or '}' must be specified before this: a bracket is open`},
		{"2026-12-24", "24.12.2026", `9:64 T601 exceptions[0].date: "24.12.2026" is not a date, such as 2026-12-24`},
		{"12-25", "25.12.", `9:99 T601 exceptions[1].every: "25.12." is not a date, such as 12-24: month and day`},
		{"need: {all: {claims: 3}}", "need: {claims: 3}", `11:14 Y004 unknown key need.claims: a skill stands under all, any or none`},
		{"last_agent", "lastagent", `11:63 N301 agent lastagent is not declared, did you mean last_agent?`},
	} {
		text := strings.Replace(good, c.old, c.new, 1)
		_, found := ParseRouting("first.yaml", []byte(text))
		if len(found) == 0 {
			t.Errorf("%s: taken", c.new)
			continue
		}
		if got := fmt.Sprintf("%d:%d %s %s", found[0].Line, found[0].Col, found[0].Code, found[0].Msg); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.new, got, c.want)
		}
	}
}

package configs

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/routing"
)

const meant = `cordboard: routing/1
name: Office
zone: Europe/London
languages: [en, ru]
default_language: en
skills: {billing: {}, sales: {}, spare: {}}
calendars:
  office: {zone: Europe/London, week: {mon-fri: "08:00-18:00"}}
queues:
  billing:
    need: {all: {billing: 3}}
    steps:
      - {after: 20s, need: {all: {billing: 1}}}
    hours: office
  sales: {need: {all: {sales: 1}}}
route:
  queue: sales
  routes:
    - {name: bills, when: 'call.dnis == "+441632960001"', queue: billing, priority: 20}
    - {name: night, when: 'call.trunk == "night"', queue: sales}
agents:
  anna: {name: Anna Berg, phone: "sip:anna@192.0.2.1", skills: {billing: 5, sales: 2}}
`

// A change is told as it is meant, each by one line.
func TestChanges(t *testing.T) {
	for _, c := range []struct {
		name      string
		from, to  string
		wantLines []string
	}{
		{"a step's time", "after: 20s", "after: 30s", []string{"queue billing: step 2 20s -> 30s"}},
		{"the queue's need", "need: {all: {billing: 3}}", "need: {all: {billing: 4}, none: [spare]}", []string{"queue billing: need all {billing: 3} -> all {billing: 4} none [spare]"}},
		{"a step more", "hours: office", "hours: office\n    answer_within: 30s", []string{"queue billing: answer_within 20s -> 30s"}},
		{"a new step", "    hours: office", "      - {after: 90s, priority_add: 40}\n    hours: office", []string{"queue billing: step 3 new: after 1m30s, priority_add 40"}},
		{"a condition", `"+441632960001"`, `"+441632960002"`, []string{`route bills: when 'call.dnis == "+441632960001"' -> 'call.dnis == "+441632960002"'`}},
		{"a priority", "priority: 20", "priority: 40", []string{"route bills: priority 20 -> 40"}},
		{"a queue more", "  sales: {need", "  spare: {}\n  sales: {need", []string{"queue spare: new"}},
		{"a route less", "    - {name: night, when: 'call.trunk == \"night\"', queue: sales}\n", "", []string{"route night: gone"}},
		{"another order", "routes:\n", "routes:\n    - {name: first, when: 'call.trunk == \"x\"', queue: billing}\n", []string{"route first: new"}},
		{"opening hours", `"08:00-18:00"`, `"08:00-12:00,13:00-18:00"`, []string{
			"calendar office: monday 08:00-18:00 -> 08:00-12:00, 13:00-18:00", "calendar office: tuesday 08:00-18:00 -> 08:00-12:00, 13:00-18:00",
			"calendar office: wednesday 08:00-18:00 -> 08:00-12:00, 13:00-18:00", "calendar office: thursday 08:00-18:00 -> 08:00-12:00, 13:00-18:00",
			"calendar office: friday 08:00-18:00 -> 08:00-12:00, 13:00-18:00"}},
		{"an agent", "skills: {billing: 5, sales: 2}", "skills: {billing: 6, sales: 2}", []string{"agent anna: skills billing 5, sales 2 -> billing 6, sales 2"}},
		{"late", "    hours: office", "    hours: office\n    late: {after: 60s, then: {queue: sales, priority_add: 5}}", []string{"queue billing: late none -> after 1m, then queue sales, priority_add 5"}},
		{"points", "skills: {billing: {}", "order: {points_per_second: 2}\nskills: {billing: {}", []string{"milli_points 1000 -> 2000"}},
		{"a region more", "queues:\n", "regions: {coast: {prefix: [\"+35952\"]}}\nqueues:\n", []string{"region coast: new"}},
		// How it is written says nothing.
		{"a minute", "after: 20s", "after: 20000ms", nil},
		{"a default", "hours: office", "hours: office\n    answer_within: 20s", nil},
		{"the order of skills", "{billing: 5, sales: 2}", "{sales: 2, billing: 5}", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.Count(meant, c.from) != 1 {
				t.Fatalf("%q stands there %d times", c.from, strings.Count(meant, c.from))
			}
			a, findings := ParseRouting("a", []byte(meant))
			if a == nil {
				t.Fatal(findings)
			}
			b, findings := ParseRouting("b", []byte(strings.Replace(meant, c.from, c.to, 1)))
			if b == nil {
				t.Fatal(findings)
			}
			if got := Changes(a, b); !slices.Equal(got, c.wantLines) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.wantLines, "\n"))
			}
			if got := Changes(b, a); (len(got) == 0) != (len(c.wantLines) == 0) {
				t.Errorf("back: %q", got)
			}
		})
	}
}

// A document is no change from itself, whatever it holds.
func TestNoChanges(t *testing.T) {
	for _, file := range []string{"testdata/check/telecom-operator.yaml", "testdata/check/bank.yaml", "testdata/check/small-office.yaml"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		one, other := Check(file, b, CheckInput{}).Policy, Check(file, b, CheckInput{}).Policy
		if one == nil {
			continue // refused for want of what check is given beside it
		}
		if got := Changes(one, other); len(got) > 0 {
			t.Errorf("%s: %q", file, got)
		}
	}
}

// Regions are told like all else that has a name: who belongs where, and by
// what clock and language.
func TestChangesOfRegions(t *testing.T) {
	regions := func(list string) *routing.Policy {
		t.Helper()
		p, findings := ParseRouting("office.yaml", []byte(strings.Replace(meant, "queues:\n", "regions: {"+list+"}\nqueues:\n", 1)))
		if p == nil {
			t.Fatalf("%s: %v", list, findings)
		}
		return p
	}
	from := regions(`coast: {prefix: ["+35952"]}, serbia: {trunk: [belgrade], zone: Europe/Belgrade}, inland: {prefix: ["+3592"]}`)
	to := regions(`coast: {prefix: ["+35952", "+35956"], language: ru}, serbia: {trunk: [belgrade], zone: Europe/Sofia}`)
	want := []string{
		"region coast: prefix +35952 -> +35952, +35956", "region coast: language none -> ru",
		"region inland: gone", "region serbia: zone Europe/Belgrade -> Europe/Sofia",
	}
	if got := Changes(from, to); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Changes(from, from); len(got) > 0 {
		t.Errorf("nothing has changed: %q", got)
	}
}

package configs

import (
	"slices"
	"strings"
	"testing"
)

const asking = `cordboard: routing/1
name: Asking
zone: Europe/London
skills: {care: , net: }
topics: {fault: {queue: net, priority_add: 30}}
queues:
  care: {need: {all: {care: 3}}, steps: [{after: 20s, priority_add: 15}], late: {after: 10m, then: {queue: net, priority_add: 25}}}
  net:  {need: {all: {net: 3}}, late: {after: 10m, then: {hangup: true}}}
route:
  queue: care
  routes: [{name: gold, when: 'call.trunk == "gold"', priority: 60}]
`

// The bound on overtaking knows what an agent's question may be given: its own
// points, topics and steps, but neither a transfer's nor an overflow's.
func TestBoundOfQuestions(t *testing.T) {
	for _, c := range []struct{ more, want string }{
		{"transfers: {priority_add: 10}", "N O501 route: overtaking bound H = 2m20s (140 - 0 points, 1 per second)"},
		{"transfers: {priority_add: 10, consult: {priority_add: 95}}", "N O501 route: overtaking bound H = 2m20s (140 - 0 points, 1 per second)"},
		{"transfers: {priority_add: 10, consult: {priority_add: 96}}", "N O501 route: overtaking bound H = 2m21s (141 - 0 points, 1 per second)"},
		{"order: {ceiling: 100}\ntransfers: {consult: {priority_add: 200}}",
			"N O501 order: overtaking bound H = 1m40s (100 points, the ceiling, 1 per second; without it 245: 200 question, 30 topic, 15 step)"},
		{"order: {points_per_second: 0.1}\ntransfers: {consult: {priority_add: 200}}",
			"W O501 order: overtaking bound H = 40m50s (245 - 0 points, 0.1 per second) | a call by route waits since +0s, an agent's question comes at +2449s: the first is passed"},
		{"order: {points_per_second: off}\ntransfers: {consult: {priority_add: 200}}",
			"W O502 order: strict priority: a queue can starve | a call by route (0 points) waits as long as agents' questions (245 points) keep coming"},
	} {
		r := Check("x.yaml", []byte(asking+c.more+"\n"), CheckInput{Today: checkDay})
		i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Code == "O501" || f.Code == "O502" })
		if i < 0 {
			t.Errorf("%s: %s", c.more, r.Summary())
			continue
		}
		if got := r.Findings[i].Text(); !strings.HasSuffix(got, " "+c.want) {
			t.Errorf("%s:\n got %s\nwant %s", c.more, got, c.want)
		}
	}
}

// What is refused below transfers.consult, all at once.
func TestConsultKeysRefused(t *testing.T) {
	for text, want := range map[string][]string{
		"{priority_add: 1001}":        {"x.yaml:12:37: transfers.consult.priority_add"},
		"{priority_add: -1}":          {"x.yaml:12:37: transfers.consult.priority_add"},
		"{priority_add: 5s, wait: 5}": {"x.yaml:12:37: transfers.consult.priority_add", "x.yaml:12:41: unknown key transfers.consult.wait"},
		"40":                          {"x.yaml:12:22: transfers.consult"},
	} {
		p, findings := ParseRouting("x.yaml", []byte(asking+"transfers: {consult: "+text+"}\n"))
		if p != nil || len(findings) != len(want) {
			t.Errorf("%s: loaded %v, %v", text, p != nil, findings)
			continue
		}
		for i, f := range findings {
			if !strings.HasPrefix(f.String(), want[i]) {
				t.Errorf("%s: %s, want %s", text, f.String(), want[i])
			}
		}
	}
}

package configs

import (
	"fmt"
	"strings"
	"testing"
)

// repeat writes n entries, the index put into the pattern.
func repeat(n int, pattern string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(pattern, "#", fmt.Sprint(i)))
	}
	return b.String()
}

const tail = "\nroute: {queue: a}\nagents: {}\n"

// Each limit of the language: as many as allowed load, one more is refused by
// that limit and by nothing else.
func TestLimits(t *testing.T) {
	const head = "cordboard: routing/1\nname: Limits\nzone: Europe/Vienna\n"
	for _, l := range []struct {
		name  string
		limit int
		doc   func(n int) string
		want  string
	}{
		{"queues", maxQueues, func(n int) string { return "queues:\n  a:\n" + repeat(n-1, "  q#:\n") + tail }, "queues: at most 1000"},
		{"steps", maxSteps, func(n int) string {
			return "queues: {a: {steps: [" + repeat(n, "{after: 5s, priority_add: 1},") + "]}}" + tail
		}, "steps: at most 8 entries"},
		{"routes", maxRoutes - 1, func(n int) string {
			return "queues: {a: }\nagents: {}\nroute:\n  queue: a\n  routes:\n" + repeat(n, "    - {name: r#, when: 'call.trunk == \"t#\"'}\n")
		}, "more than 5000 routes"},
		{"tested", maxTested, func(n int) string {
			return "queues: {a: }\nagents: {}\nroute:\n  queue: a\n  routes:\n    - {name: x, when: 'call.trunk == \"t\"', routes: [{name: y, when: customer.known}]}\n" + repeat(n-2, "    - {name: r#, when: 'customer.open_tickets == #'}\n") +
				"    - {name: last, when: 'call.waited == 7', routes: [{name: y, when: customer.known}]}\n"
		}, "routes are tested one by one for one call"},
		{"depth", maxDepth, func(n int) string {
			return "queues: {a: }\nagents: {}\nroute: {queue: a" + repeat(n, ", routes: [{name: r#, when: call.ani_known") + strings.Repeat("}]", n) + "}"
		}, "nested deeper than 8"},
		{"skills", maxSkills, func(n int) string { return "skills:\n" + repeat(n, "  s#:\n") + "queues: {a: }" + tail }, "skills: at most 2000"},
		{"teams", maxTeams, func(n int) string { return "teams: [" + repeat(n, "t#,") + "]\nqueues: {a: }" + tail }, "teams: at most 1000 entries"},
		{"languages", 26, func(n int) string {
			return "default_language: la\nlanguages: [" + strings.Join(strings.Split("la lb lc ld le lf lg lh li lj lk ll lm ln lo lp lq lr ls lt lu lv lw lx ly lz la", " ")[:n], ",") + "]\nqueues: {a: }" + tail
		}, "named twice"},
		{"need terms", maxNeedTerms, func(n int) string {
			return "skills:\n" + repeat(20, "  s#:\n") + "queues: {a: {need: {all: {" + repeat(n, "s#: 1,") + "}}}}" + tail
		}, "need.all: at most 16 skills"},
		{"need sets", maxNeedSets, func(n int) string {
			return "skills: {s: }\nqueues: {a: {need: {any: [" + repeat(n, "{s: 1},") + "]}}}" + tail
		}, "need.any: at most 8 entries"},
		{"prefer", maxPrefer, func(n int) string {
			return "queues: {a: {prefer: [" + repeat(n, "{who: last_agent, wait: 1s},") + "]}}" + tail
		}, "prefer: at most 4 entries"},
		{"specialists", maxSpecialists, func(n int) string {
			return "queues: {a: }\nroute: {queue: a}\ntopics: {t: {queue: a, specialists: [" + repeat(n, "a#,") + "]}}\nagents:\n" +
				repeat(20, "  a#: {name: A, phone: \"sip:a#@192.0.2.1\"}\n")
		}, "specialists: at most 16 entries"},
		{"agent skills", maxAgentSkills, func(n int) string {
			return "skills:\n" + repeat(200, "  s#:\n") + "queues: {a: }\nroute: {queue: a}\nagents: {ann: {name: A, phone: \"sip:a@192.0.2.1\", skills: {" + repeat(n, "s#: 1,") + "}}}"
		}, "more than 128 skills"},
		{"exceptions", maxExceptions, func(n int) string {
			return "calendars: {c: {week: {mon: closed}, exceptions: [" + repeat(n, "{every: 12-25, closed: true},") + "]}}\nqueues: {a: }" + tail
		}, "exceptions: at most 200 entries"},
	} {
		t.Run(l.name, func(t *testing.T) {
			if p, f := ParseRouting("x.yaml", []byte(head+l.doc(l.limit))); p == nil {
				t.Errorf("%d are refused: %s", l.limit, f[0].Brief())
			}
			p, f := ParseRouting("x.yaml", []byte(head+l.doc(l.limit+1)))
			if p != nil || len(f) == 0 || !strings.Contains(f[0].Msg, l.want) {
				t.Errorf("%d: loaded %v, findings %v", l.limit+1, p != nil, f)
			}
		})
	}
}

// What a finding says in a log names nobody: it carries no line of the file.
func TestBriefHasNoSource(t *testing.T) {
	_, f := ParseRouting("x.yaml", []byte("cordboard: routing/1\nagents: {ann: {name: Ann Berger, phone: 7}}\n"))
	for _, finding := range f {
		if strings.Contains(finding.Brief(), "Berger") || strings.Contains(finding.Brief(), "\n") {
			t.Error(finding.Brief())
		}
	}
	if len(f) == 0 {
		t.Error("no findings")
	}
}

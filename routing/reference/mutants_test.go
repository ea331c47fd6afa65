package reference

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var mutants = flag.Bool("mutants", false, "plant each fault of the table in the engine, and see that a test finds it")

// mutant is one fault: a text of the engine's sources, replaced.
type mutant struct{ name, file, old, fault string }

var table = []mutant{
	{"three own calls in a row", "settle.go", "a.ownRow < maxOwnRow", "a.ownRow <= maxOwnRow"},
	{"a head start is a handicap", "queue/tree.go", "return Key{since - q,", "return Key{since + q,"},
	{"a call comes back in front once too often", "offered.go", "c.front = c.came <= maxCameBack", "c.front = c.came <= maxCameBack+1"},
	{"a vacancy is not noticed", "vacancy.go", "\t\t\td.lower()\n\t\t\te.spend(2)", "\t\t\te.spend(2)"},
	{"who is barred takes the call", "settle.go", "if e.mayTake(c, a) {\n\t\t\tfound = c\n\t\t}\n\t\treturn found == nil\n\t})\n\treturn found\n}\n\n// fitsNow", "if a != nil {\n\t\t\tfound = c\n\t\t}\n\t\treturn found == nil\n\t})\n\treturn found\n}\n\n// fitsNow"},
	{"a profile that is gone still meets its terms", "index.go", "x.terms[t].drop(p.slot)", "_ = t"},
	{"an agent pays for a caller who gave up", "talking.go", "\t\te.release(a, false)", "\t\te.release(a, true)"},
	{"calls seek in the wrong order", "slices.go", "a.seeking.key.Compare(b.seeking.key) < 0", "a.seeking.key.Compare(b.seeking.key) > 0"},
	{"agents choose in the wrong order", "slices.go", "strings.Compare(string(a.id), string(b.id)) < 0", "strings.Compare(string(a.id), string(b.id)) > 0"},
	{"the longest idle of a profile is not known anew", "vacancy.go", "e.index.free.put(p.slot)\n\te.index.rankIdle(p)", "if !e.index.free.has(p.slot) {\n\t\tdefer e.index.rankIdle(p)\n\t}\n\te.index.free.put(p.slot)"},
	{"a hold has no end", "prefer.go", "len(wanted) > 0 && e.now < p.until", "len(wanted) > 0"},
	{"the head of a class is not kept", "waiting.go", "\t\tc.demand.indexed++\n\t\te.index.enqueue(c.demand)", "\t\tc.demand.indexed++\n\t\te.index.queued.put(c.demand.slot)"},
	{"a later step before an earlier one", "settle.go", "for step = 0; step <= d.reach(c.step); step++ {", "for step = d.reach(c.step); step >= 0; step-- {"},
	{"a bar lasts half as long", "offered.go", "e.timers.arm(&b.timer, barDue, e.now+barTime)", "e.timers.arm(&b.timer, barDue, e.now+barTime/2)"},
	{"a queue occupies one agent too many", "capped.go", "occupied >= q.MaxTalking", "occupied > q.MaxTalking"},
	{"the later promise is kept first", "ceiling.go", "k.Turn += c.queue.AnswerWithin.Microseconds()", "k.Turn -= c.queue.AnswerWithin.Microseconds()"},
	{"a newcomer is flooded", "measure.go", "head = max(first.answers.count[i]-s.since(e.now-w), 0)", "head = min(first.answers.count[i]-s.since(e.now-w), 0)"},
	{"room is for whoever seeks first", "settle.go", "o != nil && e.wouldBeOffered(c); o", "o != nil && e.free < 0; o"},
	{"room is for whoever prefers somebody", "settle.go", "o != nil && e.wouldBeOffered(c); o", "o != nil && c.preferring() == nil && e.wouldBeOffered(c); o"},
	{"nobody has come begins anew", "waiting.go", "if alone > 0 && c.deadline", "if alone < 0 && c.deadline"},
	{"who stands by takes the call", "settle.go", "return !e.full(q) && !e.standsBy(q, a.profile.team)", "return !e.full(q)"},
	{"a reserve goes before its regulars", "settle.go", "best == nil || topReserve && !reserve || match.Compare", "best == nil || match.Compare"},
	{"a site that is closed is asked for", "place.go", "if hours != nil && !hours.Open(instant(e.now)) {", "if hours != nil && e.now < 0 {"},
	{"a group takes who is wanted elsewhere", "group.go", "if other := e.anyCall(a); other != nil {", "if other := e.anyCall(a); other != nil && e.now < 0 {"},
	{"chosen by what half of them have", "slices.go", "\t\tcase e.measuring != nil:\n\t\t\te.measureMore() // nobody is chosen by what half of the agents have\n", ""},
	{"what holds is not looked for", "gather.go", "{of: &e.held}}}", "}}"},
	{"who knows more is outdone", "levels.go", "policy == match.MostSkilled && levels < others", "policy == match.MostSkilled && levels > others"},
	{"a slice has no end", "slices.go", "return s.units >= s.mostUnits ||", "return s.units < 0 ||"},
}

// TestMutants plants faults in a copy of the sources, one at a time, and runs
// the engine's tests: each must turn some test red.
func TestMutants(t *testing.T) {
	if !*mutants {
		t.Skip("make mutants")
	}
	failed := regexp.MustCompile(`(?m)^\s*--- FAIL: (\S+)`)
	for _, m := range table {
		t.Run(strings.ReplaceAll(m.name, " ", "_"), func(t *testing.T) {
			file, err := filepath.Abs(filepath.Join("..", m.file))
			if err != nil {
				t.Fatal(err)
			}
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(src), m.old); n != 1 {
				t.Fatalf("%s has %q %d times: the table is to follow the sources", m.file, m.old, n)
			}
			dir := t.TempDir()
			wrong, overlay := filepath.Join(dir, "wrong.go"), filepath.Join(dir, "overlay.json")
			if err := os.WriteFile(wrong, []byte(strings.Replace(string(src), m.old, m.fault, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			b, err := json.Marshal(map[string]map[string]string{"Replace": {file: wrong}})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(overlay, b, 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), "go", "test", "-pgo=off", "-count=1", "-timeout", "2m", "-overlay", overlay, "../queue", "..", "../routingtest", ".")
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatalf("no test finds it: %s", m.name)
			}
			found := failed.FindAllStringSubmatch(string(out), -1)
			if len(found) == 0 {
				t.Fatalf("it is no fault that a test finds: %s", out)
			}
			names := make([]string, 0, len(found))
			for _, f := range found {
				names = append(names, f[1])
			}
			t.Logf("%s: found by %s", m.name, strings.Join(names[:min(len(names), 6)], ", "))
		})
	}
}

package configs

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// checkDay is the day that the reports of testdata were made on.
var checkDay = time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC)

// checkFile checks a file of testdata with what stands beside it: NAME.sounds
// lists the sounds there are, NAME.csv is the history; of a bad file,
// NAME.directory is the directory.
func checkFile(t *testing.T, path string) *Report {
	t.Helper()
	base := strings.TrimSuffix(path, ".yaml")
	if strings.Contains(base, "/bad/") {
		return checkBeside(t, path, base, directoryOf(t, base+".directory"))
	}
	return checkBeside(t, path, base, nil)
}

// checkBeside checks a file with what stands beside another name, and perhaps a
// directory.
func checkBeside(t *testing.T, path, base string, d *DirectoryFile) *Report {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	in := CheckInput{Today: checkDay, Directory: d}
	if list, err := os.ReadFile(base + ".sounds"); err == nil {
		names := strings.Fields(string(list))
		in.HasSound, in.Sounds = func(name string) bool { return slices.Contains(names, name) }, "sounds"
	}
	if f, err := os.Open(base + ".csv"); err == nil {
		defer f.Close()
		if in.History, err = ReadHistory(f); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(base + ".live"); err == nil {
		if in.Live, _ = ParseRouting(base+".live", text); in.Live == nil {
			t.Fatalf("%s.live does not compile", base)
		}
		in.Live.Version = 7
	}
	return Check(filepath.Base(path), b, in)
}

// compareGolden holds a text against the file that has it.
func compareGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// What check says of a document is exactly the text beside it.
func TestCheckReports(t *testing.T) {
	files, err := filepath.Glob("testdata/check/*.yaml")
	lints, err2 := filepath.Glob("testdata/bad/lint-*.yaml")
	if err != nil || err2 != nil || len(files) == 0 || len(lints) == 0 {
		t.Fatalf("%d files and %d lints: %v %v", len(files), len(lints), err, err2)
	}
	for _, path := range append(files, lints...) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			r := checkFile(t, path)
			var b strings.Builder
			if err := r.Print(&b); err != nil {
				t.Fatal(err)
			}
			compareGolden(t, strings.TrimSuffix(path, ".yaml")+".txt", b.String())
			if code, ok := strings.CutPrefix(strings.TrimSuffix(filepath.Base(path), ".yaml"), "lint-"); ok {
				if !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Code == code && f.Shows+f.Source+f.Msg != "" }) {
					t.Errorf("no %s with something that shows it", code)
				}
			}
			// A server takes what check takes, but for the sounds, which it knows
			// itself, and for acceptances that have grown old.
			refused := slices.ContainsFunc(r.Findings, func(f Finding) bool {
				return f.Severity == Error && f.Code != "Q704" && f.Path != "lint.allow"
			})
			if p, _ := ParseRouting("x.yaml", readAll(t, path)); (p == nil) != refused {
				t.Errorf("check refuses: %v, and the document loads: %v", refused, p != nil)
			}
		})
	}
}

func readAll(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What the standard (SARIF 2.1.0) requires of a log, for each kind of finding.
func TestSARIF(t *testing.T) {
	levels := map[string]bool{}
	for _, name := range []string{"check/telecom-operator", "bad/lint-R201", "bad/lint-X101"} {
		r := checkFile(t, "testdata/"+name+".yaml")
		var b strings.Builder
		if err := r.PrintSARIF(&b, "1.2.3"); err != nil {
			t.Fatal(err)
		}
		var log struct {
			Version string
			Schema  string `json:"$schema"`
			Runs    []struct {
				Tool struct {
					Driver struct {
						Name  string
						Rules []struct {
							ID               string
							ShortDescription struct{ Text string }
							HelpURI          string
							Help             struct{ Text string }
						}
					}
				}
				Invocations []struct{ ExecutionSuccessful *bool }
				Results     []struct {
					RuleID    string
					RuleIndex int
					Level     string
					Message   struct{ Text string }
					Locations []struct {
						PhysicalLocation struct {
							ArtifactLocation struct{ URI string }
							Region           struct{ StartLine, StartColumn int }
						}
					}
					Suppressions []struct{ Kind, Justification string }
				}
			}
		}
		if err := json.Unmarshal([]byte(b.String()), &log); err != nil {
			t.Fatal(err)
		}
		if log.Version != "2.1.0" || log.Schema == "" || len(log.Runs) != 1 || len(log.Runs[0].Invocations) != 1 || log.Runs[0].Invocations[0].ExecutionSuccessful == nil {
			t.Fatalf("%s: %s", name, b.String())
		}
		run := log.Runs[0]
		for _, rule := range run.Tool.Driver.Rules {
			kind, known := lintOf(rule.ID)
			if !known || rule.ShortDescription.Text != kind.What || !strings.Contains(rule.Help.Text, kind.What) || !strings.HasPrefix(rule.HelpURI, "https://") {
				t.Errorf("rule %+v", rule)
			}
		}
		if run.Tool.Driver.Name != "cordboard" || len(run.Results) != len(r.Findings) {
			t.Errorf("%s: %d results of %d findings", name, len(run.Results), len(r.Findings))
		}
		for i, got := range run.Results {
			f := r.Findings[i]
			levels[got.Level] = true
			if got.RuleID != f.Code || run.Tool.Driver.Rules[got.RuleIndex].ID != f.Code || got.Message.Text == "" || len(got.Locations) != 1 {
				t.Errorf("%s: %+v", name, got)
				continue
			}
			at := got.Locations[0].PhysicalLocation
			if at.ArtifactLocation.URI != f.File || at.Region.StartLine != f.Line || at.Region.StartColumn != f.Col {
				t.Errorf("%s: %+v", name, at)
			}
			if (f.Accepted != "") != (len(got.Suppressions) == 1 && got.Suppressions[0].Justification == f.Accepted) {
				t.Errorf("%s: %s accepted %q: %+v", name, f.Code, f.Accepted, got.Suppressions)
			}
		}
	}
	if len(levels) != 3 {
		t.Errorf("levels: %v", levels)
	}
}

// The guide has each field of the report that programs read, and no other.
func TestJSONIsDescribed(t *testing.T) {
	_, section, _ := strings.Cut(string(readAll(t, "../docs/routing.md")), "### The report for programs")
	section, _, _ = strings.Cut(section, "\n#")
	described := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_.\\[\\]]+)` \\|").FindAllStringSubmatch(section, -1) {
		described[m[1]] = true
	}
	there := map[string]bool{}
	var note func(path string, v any)
	note = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				at := strings.TrimPrefix(path+"."+key, ".")
				there[at] = true
				note(at, inner)
			}
		case []any:
			for _, inner := range v {
				note(path+"[]", inner)
			}
		}
	}
	for _, name := range []string{"check/telecom-operator", "bad/lint-R201", "bad/lint-X101"} {
		var b strings.Builder
		if err := checkFile(t, "testdata/"+name+".yaml").PrintJSON(&b); err != nil {
			t.Fatal(err)
		}
		var report any
		if err := json.Unmarshal([]byte(b.String()), &report); err != nil {
			t.Fatal(err)
		}
		note("", report)
	}
	if !maps.Equal(described, there) {
		t.Errorf("the guide describes %v, the reports have %v", slices.Sorted(maps.Keys(described)), slices.Sorted(maps.Keys(there)))
	}
}

// Findings that take thousands of lines to make.
func TestCheckLarge(t *testing.T) {
	const head = "cordboard: routing/1\nname: Large\nzone: Europe/London\nskills: {a: , b: , c: , d: }\nqueues: {desk: {late: {after: 10m, then: {hangup: true}}}}\n"
	find := func(doc, code string) Finding {
		r := Check("x.yaml", []byte(doc), CheckInput{Today: checkDay})
		for _, f := range r.Findings {
			if f.Code == code {
				return f
			}
		}
		t.Errorf("no %s: %s", code, r.Summary())
		return Finding{}
	}
	routes := head + "agents: {}\nroute:\n  queue: desk\n  routes:\n" + repeat(maxPlain+1, "    - {name: r#, when: 'call.trunk startsWith \"t#\"', priority: 1}\n")
	equal(t, "R207", find(routes, "R207").Text(), "x.yaml:7:1 W R207 route: 201 siblings without an indexed term | 201 tests for a call that matches none")
	var agents strings.Builder
	for i := range maxProfiles + 1 {
		fmt.Fprintf(&agents, "  a%05d: {name: A, phone: registered, skills: {a: %d, b: %d, c: %d, d: %d}}\n", i, 1+i%10, 1+i/10%10, 1+i/100%10, 1+i/1000%10)
	}
	if f := find(head+"route: {queue: desk}\nagents:\n"+agents.String()+"  z: {name: Z, phone: registered, skills: {a: 1, b: 1}}\n", "A806"); f.Severity != Note || f.Shows == "" {
		t.Errorf("%+v", f)
	}
}

func TestReadHistoryRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "EOF",
		"dnis\n150\n":                      "there is no column at",
		"at,colour\n":                      "column colour is no name that a condition could ask for",
		"at,known\n2026-02-09T09:10,si\n":  `line 2: customer.known: strconv.ParseBool: parsing "si"`,
		"at,value\n2026-02-09T09:10,1.5\n": `line 2: customer.value: strconv.Atoi: parsing "1.5"`,
		"at,known\n2026-02-09T09:10\n":     "wrong number of fields",
	} {
		if _, err := ReadHistory(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	h, err := ReadHistory(strings.NewReader("at\nyesterday\n"))
	if err != nil {
		t.Fatal(err)
	}
	doc := readAll(t, "testdata/good/minimal.yaml")
	if r := Check("x.yaml", doc, CheckInput{Today: checkDay, History: h}); r.Exit() != 1 || !strings.Contains(r.Findings[0].Msg, `"yesterday" is no instant`) {
		t.Errorf("%s", r.Findings[0].Text())
	}
}

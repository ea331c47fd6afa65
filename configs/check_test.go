package configs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// checkDay is the day that the reports of testdata were made on.
var checkDay = time.Date(2026, 2, 16, 0, 0, 0, 0, time.UTC)

// checkFile checks a file of testdata with what stands beside it: NAME.sounds
// lists the sounds there are, NAME.csv is the history.
func checkFile(t *testing.T, path string) *Report {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	in := CheckInput{Today: checkDay}
	base := strings.TrimSuffix(path, ".yaml")
	if list, err := os.ReadFile(base + ".sounds"); err == nil {
		names := strings.Fields(string(list))
		in.HasSound, in.Sounds = func(name string) bool { return slices.Contains(names, name) }, "sounds"
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

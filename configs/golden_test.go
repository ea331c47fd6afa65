package configs

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the findings of testdata/bad anew")

// parseNamed reads a test file by its name: server*.yaml is a server file,
// everything else a routing document.
func parseNamed(t *testing.T, path string) (loaded bool, findings []Finding) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(path)
	if strings.HasPrefix(name, "server") || name == "cordboard.yaml" {
		s, f := ParseServer(name, b)
		return s != nil, f
	}
	p, f := ParseRouting(name, b)
	return p != nil, f
}

func printed(t *testing.T, findings []Finding) string {
	t.Helper()
	var b strings.Builder
	if err := Print(&b, findings); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Every file of testdata/bad is refused with exactly the text beside it.
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range files {
		if strings.HasPrefix(filepath.Base(path), "lint-") {
			continue // TestCheckReports
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			loaded, findings := parseNamed(t, path)
			if loaded || len(findings) == 0 {
				t.Fatalf("loaded: %v, findings: %d", loaded, len(findings))
			}
			got := printed(t, findings)
			golden := strings.TrimSuffix(path, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// Every file of testdata/good and of example loads without a finding.
func TestGood(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := filepath.Glob("example/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 || len(examples) != 2 {
		t.Fatalf("%d good files and %d examples", len(files), len(examples))
	}
	for _, path := range append(files, examples...) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			loaded, findings := parseNamed(t, path)
			if !loaded || len(findings) != 0 {
				t.Errorf("loaded: %v, findings:\n%s", loaded, printed(t, findings))
			}
		})
	}
}

package configs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// codeRows is the catalogue as the guide's table has it.
func codeRows() []string {
	all := Catalogue()
	slices.SortStableFunc(all, func(a, b Lint) int { return strings.Compare(order(a.Code), order(b.Code)) })
	var rows []string
	for _, l := range all {
		rows = append(rows, "| "+l.Code+" | "+l.Severity.Letter()+" | "+l.Needs+" | "+l.What+" |")
	}
	return rows
}

// order puts the findings about the file first, then by letter as the
// catalogue has them.
func order(code string) string {
	return string(rune('a'+strings.IndexByte("YUXRNSOTQAP", code[0]))) + code
}

// The guide lists exactly the codes there are, each has a bad file that shows
// it, and none is used that is not in the catalogue.
func TestCodes(t *testing.T) {
	b, err := os.ReadFile("../docs/routing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(b), "## Codes of findings")
	if !ok {
		t.Fatal("the guide has no codes")
	}
	var got []string
	for line := range strings.SplitSeq(table, "\n") {
		if regexp.MustCompile(`^\| [A-Z][0-9]{3} `).MatchString(line) {
			got = append(got, line)
		}
	}
	if want := codeRows(); !slices.Equal(got, want) {
		t.Errorf("the guide's codes should be:\n%s", strings.Join(want, "\n"))
	}
	shown := map[string]bool{"A806": true, "R207": true, "Y008": true} // TestCheckLarge, TestLimits
	files, err := filepath.Glob("testdata/bad/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`\b[A-Z][0-9]{3}\b`)
	for _, path := range files {
		for _, c := range code.FindAllString(string(readAll(t, path)), -1) {
			shown[c] = true
		}
	}
	for _, l := range Catalogue() {
		if !shown[l.Code] {
			t.Errorf("no bad file shows %s", l.Code)
		}
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := regexp.MustCompile(`"([A-Z][0-9]{3})"`)
	for _, path := range sources {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, m := range used.FindAllStringSubmatch(string(readAll(t, path)), -1) {
			if _, known := lintOf(m[1]); !known {
				t.Errorf("%s uses %s, which is not in the catalogue", path, m[1])
			}
		}
	}
}

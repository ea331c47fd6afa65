package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// testName is how docs/peer-cases.md names a test: `folder TestName/subtest`.
var testName = regexp.MustCompile("`([a-z0-9_./-]+) ((?:Test|Fuzz)[A-Za-z0-9_]*)(/[^`]+)?`")

// TestPeerCases checks that docs/peer-cases.md tells the truth: every row has
// an id of its own and names at least one test that the repository has. The
// last part of a subtest's name must stand in the package's tests; names made
// from a table's columns are checked part by part.
func TestPeerCases(t *testing.T) {
	const doc = "../../docs/peer-cases.md"
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]string{}
	seen := map[string]int{}
	for i, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 6 || strings.Contains(cells[1], "---") || strings.TrimSpace(cells[1]) == "id" {
			continue
		}
		id := strings.TrimSpace(cells[1])
		if first, twice := seen[id]; twice {
			t.Errorf("%s:%d: %s stands in line %d already", doc, i+1, id, first)
		}
		seen[id] = i + 1
		names := testName.FindAllStringSubmatch(line, -1)
		if len(names) == 0 {
			t.Errorf("%s:%d: %s names no test", doc, i+1, id)
		}
		for _, n := range names {
			folder, test, sub := n[1], n[2], n[3]
			if _, read := sources[folder]; !read {
				sources[folder] = testSource(t, filepath.Join("../..", folder))
			}
			if !strings.Contains(sources[folder], "func "+test+"(") {
				t.Errorf("%s:%d: %s: %s has no %s", doc, i+1, id, folder, test)
			}
			for _, part := range strings.Split(strings.TrimPrefix(sub, "/"), "/") {
				// go test writes a blank of a name as "_".
				if !strings.Contains(sources[folder], part) && !strings.Contains(sources[folder], strings.ReplaceAll(part, "_", " ")) {
					t.Errorf("%s:%d: %s: %s %s has no subtest %q", doc, i+1, id, folder, test, part)
				}
			}
		}
	}
	if len(seen) < 60 {
		t.Errorf("%s lists %d cases, want 60 or more", doc, len(seen))
	}
}

// testSource is the text of a package's tests and tables, with the names of
// the files that hold cases: transcripts lie in the parent's testdata.
func testSource(t *testing.T, folder string) string {
	t.Helper()
	var all strings.Builder
	read := func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		switch filepath.Ext(path) {
		case ".txt":
			all.WriteString(d.Name() + "\n")
		case ".go", ".tsv":
			b, err := os.ReadFile(path)
			all.Write(b)
			return err
		}
		return nil
	}
	if err := filepath.WalkDir(folder, read); err != nil {
		t.Errorf("%s: %v", folder, err)
	}
	if err := filepath.WalkDir(filepath.Join(folder, "../testdata"), read); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: %v", folder, err)
	}
	return all.String()
}

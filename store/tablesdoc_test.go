package store_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docs/tables.md names every table, and every column of the ledger's.
func TestTablesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/tables.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("migrations/sqlite/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	table := regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\n\);`)
	column := regexp.MustCompile(`(?m)^    ([a-z]\w*)`)
	var tables []string
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		for _, m := range table.FindAllStringSubmatch(up, -1) {
			tables = append(tables, m[1])
			if !strings.Contains(string(doc), "`"+m[1]+"`") {
				t.Errorf("table %s is not in the document", m[1])
			}
			if m[1] != "calls" && m[1] != "call_events" {
				continue
			}
			for _, c := range column.FindAllStringSubmatch(m[2], -1) {
				if !strings.Contains(string(doc), "`"+c[1]+"`") {
					t.Errorf("column %s.%s is not in the document", m[1], c[1])
				}
			}
		}
	}
	if len(tables) < 15 {
		t.Errorf("only %d tables were found: %v", len(tables), tables)
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)`[^|]*\\| a").FindAllStringSubmatch(string(doc), -1) {
		if !slices.Contains(tables, m[1]) {
			t.Errorf("the document has a table %s", m[1])
		}
	}
}

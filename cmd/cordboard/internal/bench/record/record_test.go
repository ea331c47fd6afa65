package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/bench"
)

// TestRun: the bench runs on both stores and gives each of its figures.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	o := options{
		customers: 120, stores: []string{"sqlite", "postgres"}, interactions: 300, parts: []string{"import", "lookup", "raw", "again", "search"},
		runs: 2, rate: 200, length: 100 * time.Millisecond, seed: 1, json: filepath.Join(dir, "r.json"), folder: dir,
	}
	if err := run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(o.json)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Figures []bench.Figure }
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, store := range o.stores {
		for _, name := range []string{"import_customers_per_s_", "raw_customers_per_s_", "import_ratio_", "import_again_customers_per_s_",
			"search_indexed_per_s_", "search_ms_p99_common_", "search_ms_p99_rare_", "search_ms_p99_mixed_", "search_ms_p99_one_", "lookup_us_p50_", "lookup_us_p99_", "jitter_us_p99_", "db_bytes_per_customer_"} {
			if !slices.ContainsFunc(file.Figures, func(f bench.Figure) bool { return f.Name == name+store && f.Value > 0 }) {
				t.Errorf("no %s%s", name, store)
			}
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "bench-record-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

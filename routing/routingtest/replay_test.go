package routingtest

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/routing"
)

// TestReplayErased: whichever customers of a case were erased afterwards, the case
// decided again gives their calls what was recorded, and agents and other calls find
// the day as it was. Nobody erased, all comes out the same.
func TestReplayErased(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	erased := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		r := tapeOf(t, file)
		known := map[routing.CallID]int{}
		for _, f := range r.fed {
			if ev, ok := f.ev.(routing.CustomerResolved); ok && ev.Call < 900_000 {
				known[ev.Call] = len(r.fed)
			}
		}
		subsets := []map[routing.CallID]int{nil}
		if len(known) > 0 {
			subsets = append(subsets, known)
		}
		if len(known) > 1 {
			for call := range known {
				one := maps.Clone(known)
				maps.DeleteFunc(one, func(c routing.CallID, _ int) bool { return c != call })
				subsets = append(subsets, one)
			}
		}
		for _, forget := range subsets {
			erased += len(forget)
			got, err := r.replayed(forget)
			if err != nil {
				t.Errorf("%s, erased %v: %v", name, slices.Sorted(maps.Keys(forget)), err)
				continue
			}
			if !strings.Contains(got, " 0 different") || strings.Contains(got, "but recorded") {
				t.Errorf("%s, erased %v: %s", name, slices.Sorted(maps.Keys(forget)), got)
			}
		}
	}
	if erased < 100 {
		t.Errorf("only %d calls were erased", erased)
	}
}

func tapeOf(t *testing.T, file string) *runner {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	above, below, _ := strings.Cut(string(raw), divider+"\n")
	c, err := Parse(above)
	if err == nil {
		err = c.Until(below)
	}
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	r, err := c.run()
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return r
}

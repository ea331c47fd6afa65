package main

import (
	"slices"
	"testing"
)

// The heap may grow while collections come thick, stays while they come, and
// shrinks step by step when there are none.
func TestCollector(t *testing.T) {
	c := collector{percent: growLeast}
	feed := func(collections uint64, seconds int) (got []int) {
		for range seconds {
			got = append(got, c.next(collections))
		}
		return slices.Compact(got)
	}
	for _, step := range []struct {
		collections uint64
		seconds     int
		want        []int
	}{
		{1, 100, []int{50}},                    // what a moderate load takes
		{0, 100, []int{50}},                    // never below
		{2, 1, []int{100}},                     // thick
		{7, 5, []int{200, 400}},                // never above
		{1, 100, []int{400}},                   // now and then: that is what was wanted
		{0, 9, []int{400}},                     // a pause
		{1, 1, []int{400}},                     // that was none
		{0, 35, []int{400, 200, 100, 50}},      // quiet
		{3, 3, []int{100, 200, 400}},           // and again
		{0, 1, []int{400}}, {2, 1, []int{400}}, // a quiet second between
	} {
		if got := feed(step.collections, step.seconds); !slices.Equal(got, step.want) {
			t.Errorf("%d a second for %d s: %v, want %v", step.collections, step.seconds, got, step.want)
		}
	}
}

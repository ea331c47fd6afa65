package store

import (
	"maps"
	"testing"

	"github.com/cordboard/cordboard/routing"
)

// TestLegsTakePlaces: a leg is written over one that has ended, keeps its place,
// and needs none when it comes and goes at once.
func TestLegsTakePlaces(t *testing.T) {
	t.Parallel()
	w := &writer{legs: legSlots{of: map[dialogKey]int64{}}}
	caller := func(call int) Dialog { return Dialog{Call: routing.CallID(call), Leg: "caller"} }
	saved := func(call int) input { return dialogSaved{caller(call)} }
	removed := func(call int) input { return dialogRemoved{routing.CallID(call), "caller"} }
	for _, step := range []struct {
		what   string
		inputs []input
		want   map[int64]int // calls by place, 0: removed
	}{
		{"a leg", []input{saved(1)}, map[int64]int{1: 1}},
		{"a second", []input{saved(2)}, map[int64]int{2: 2}},
		{"one comes and goes", []input{saved(3), removed(3)}, map[int64]int{}},
		{"one again", []input{saved(2)}, map[int64]int{2: 2}},
		{"one takes the place of another", []input{saved(4), removed(1)}, map[int64]int{1: 4}},
		{"an end", []input{removed(2)}, map[int64]int{2: 0}},
		{"one that is not there", []input{removed(2)}, map[int64]int{}},
		{"a free place, and a new one", []input{saved(5), saved(5)}, map[int64]int{2: 5}},
		{"a new place", []input{saved(6)}, map[int64]int{3: 6}},
		{"all end, one comes", []input{removed(4), removed(5), removed(6), saved(7)}, map[int64]int{1: 7, 2: 0, 3: 0}},
	} {
		b := newBatch()
		for _, in := range step.inputs {
			in.fold(w, b)
		}
		w.settleLegs(b)
		got := map[int64]int{}
		for slot, d := range b.dialogs {
			got[slot] = 0
			if d != nil {
				got[slot] = int(d.Call)
			}
		}
		if !maps.Equal(got, step.want) {
			t.Errorf("%s: %v, want %v", step.what, got, step.want)
		}
	}
}

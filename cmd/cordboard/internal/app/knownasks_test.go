package app

import (
	"testing"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// A version that asks for nothing beyond the call's attributes is told nothing;
// one that puts the caller in another region than the call has is told of it.
func TestKnownReadsWhatIsAsked(t *testing.T) {
	regions := routing.NewRegions([]routing.Region{{Name: "mobiles", Prefix: []string{"+447700"}}})
	same, moved := &routing.Policy{Version: 1, Regions: regions}, &routing.Policy{Version: 2, Regions: routing.NewRegions(nil)}
	hashed := &routing.Policy{Version: 3, Regions: regions, Predicates: []*rule.Predicate{{Field: "call.ani"}}}
	w := &known{number: "+447700900123", trunk: "main", attrs: rule.Call{Trunk: "main", Region: "mobiles"}}
	if got := w.read(same, hashed, same); got != nil {
		t.Errorf("told %+v, of what is known", got)
	}
	got := w.read(same, moved)
	if len(got) != 1 || got[0].Version != 2 || got[0].Region != "" {
		t.Errorf("told %+v, want that version 2 has no region for it", got)
	}
}

package app

import (
	"testing"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// TestLateRecordIsReadForEveryVersion: a call may be on any version that went
// live since it came, so a record that comes late is read for them all.
func TestLateRecordIsReadForEveryVersion(t *testing.T) {
	policy := func(n int) *routing.Policy { return &routing.Policy{Version: n} }
	calls, first := knownCalls{}, policy(1)
	calls.put(7, &known{versions: []*routing.Policy{first}})
	calls.turn(policy(2))
	calls.turn(policy(3))
	who, there := calls.know(7, rule.Customer{}, nil)
	if !there || len(who.versions) != 3 {
		t.Fatalf("after two reloads it is read for %d versions", len(who.versions))
	}
	for i, p := range who.versions {
		if p.Version != i+1 {
			t.Errorf("version %d in place %d", p.Version, i)
		}
	}
	for n := 4; n < 100; n++ {
		calls.turn(policy(n))
	}
	who, _ = calls.know(7, rule.Customer{}, nil)
	if n := len(who.versions); n != keptVersions || who.versions[0] != first || who.versions[n-1].Version != 99 {
		t.Errorf("%d versions are kept, from %d to %d", n, who.versions[0].Version, who.versions[n-1].Version)
	}
}

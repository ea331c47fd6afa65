package routing

import (
	"reflect"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

// The additions of a route and those it stands in end each at its own time, and
// a route's record policy is that of the nearest which names one.
func TestAdditionsByOrigin(t *testing.T) {
	need := func(skill agents.Skill) *rule.Need {
		n := tapeNeed(skill, 3)
		return &n
	}
	slow := &RecordPolicy{Deadline: 2 * time.Second}
	p := newPlan(&Policy{
		Zone: time.UTC, MilliPoints: 1000, Record: RecordPolicy{Deadline: 800 * time.Millisecond, Reconsider: true},
		Queues: map[string]*Queue{"q": tapeQueue("q", rule.Need{})},
		Route: &rule.Node{Queue: "q", Children: []*rule.Node{{Name: "outer", Need: need("x"), RelaxAfter: tapeSpan(time.Minute), Record: slow, Children: []*rule.Node{
			{Name: "inner", Need: need("y"), RelaxAfter: tapeSpan(20 * time.Second)},
			{Name: "firm", Need: need("z"), Record: &RecordPolicy{}},
		}}}},
	})
	outer := p.root.children[0]
	inner, firm := outer.children[0], outer.children[1]
	if p.root.record.Deadline != 800*time.Millisecond || inner.record != *slow || firm.record != (RecordPolicy{}) {
		t.Errorf("records: %+v, %+v, %+v", p.root.record, inner.record, firm.record)
	}
	asks := func(r *route, at time.Duration) (skills []agents.Skill) {
		c := &call{entered: 1000 * second}
		c.demands(r.adds)
		c.firmUp(1000*second + at.Microseconds())
		for _, a := range c.firm().All {
			skills = append(skills, a.Skill)
		}
		return skills
	}
	for _, want := range []struct {
		route  *route
		at     time.Duration
		skills []agents.Skill
	}{
		{inner, 0, []agents.Skill{"x", "y"}},
		{inner, 20*time.Second - time.Microsecond, []agents.Skill{"x", "y"}},
		{inner, 20 * time.Second, []agents.Skill{"x"}},
		{inner, time.Minute, nil},
		{firm, time.Minute, []agents.Skill{"z"}},
		{outer, time.Minute - time.Microsecond, []agents.Skill{"x"}},
	} {
		if got := asks(want.route, want.at); !reflect.DeepEqual(got, want.skills) {
			t.Errorf("%s after %s asks %v, not %v", want.route.path, want.at, got, want.skills)
		}
	}
}

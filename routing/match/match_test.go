package match

import "testing"

func TestCompare(t *testing.T) {
	ann := Candidate{ID: "ann", IdleSince: 10, Share: 5000, Levels: 9}
	bob := Candidate{ID: "bob", IdleSince: 20, Share: 2500, Levels: 12}
	twin := Candidate{ID: "ann2", IdleSince: 10, Share: 5000, Levels: 9}
	for _, c := range []struct {
		policy string
		a, b   Candidate
	}{
		{LongestIdle, ann, bob},
		{LeastOccupied, bob, ann},
		{MostSkilled, bob, ann},
		{LongestIdle, ann, twin},
		{LeastOccupied, ann, twin},
		{MostSkilled, ann, twin},
		{MostSkilled, Candidate{ID: "z", IdleSince: 1, Levels: 9}, ann},
	} {
		if Compare(c.policy, c.a, c.b) >= 0 || Compare(c.policy, c.b, c.a) <= 0 {
			t.Errorf("%s: %s must come before %s", c.policy, c.a.ID, c.b.ID)
		}
	}
}

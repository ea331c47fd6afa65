// Package match chooses between free agents who fit (routing document,
// section 8). Each policy is a total order: no policy draws lots. It is pure;
// the routing engine is its caller.
package match

import (
	"cmp"

	"github.com/cordboard/cordboard/agents"
)

// Policies, as the routing document names them.
const (
	LongestIdle   = "longest_idle"
	LeastOccupied = "least_occupied"
	MostSkilled   = "most_skilled"
)

// Candidate is a free agent as a policy sees her.
type Candidate struct {
	ID        agents.ID
	IdleSince int64 // microseconds since 1970
	Share     int   // busy share in hundredths of a percent (least_occupied)
	Levels    int   // sum of the levels the step names (most_skilled)
}

// Compare is negative when the policy prefers a to b. Ties go to the longest
// idle, then to the lower id.
func Compare(policy string, a, b Candidate) int {
	switch policy {
	case LeastOccupied:
		if c := cmp.Compare(a.Share, b.Share); c != 0 {
			return c
		}
	case MostSkilled:
		if c := cmp.Compare(b.Levels, a.Levels); c != 0 {
			return c
		}
	}
	if c := cmp.Compare(a.IdleSince, b.IdleSince); c != 0 {
		return c
	}
	return cmp.Compare(a.ID, b.ID)
}

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
	LeastSkilled  = "least_skilled"
	RoundRobin    = "round_robin"
	FewestCalls   = "fewest_calls"
)

// Alike says that a policy tells agents of the same skills apart by nothing but
// their idle time.
func Alike(policy string) bool {
	switch policy {
	case LeastOccupied, RoundRobin, FewestCalls:
		return false
	}
	return true
}

// Candidate is a free agent as a policy sees her.
type Candidate struct {
	ID        agents.ID
	IdleSince int64 // microseconds since 1970
	Share     int   // busy share in hundredths of a percent (least_occupied)
	Levels    int   // sum of the levels the step names (most_skilled, least_skilled)
	Held      int   // skills held, languages among them (least_skilled)
	Offered   int64 // last offer by the queue, microseconds since 1970; 0 for never (round_robin)
	Calls     int   // calls answered lately (fewest_calls)
}

// Compare is negative when the policy prefers a to b. Ties go to the longest
// idle, then to the lower id; those whom round_robin has never asked come by id.
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
	case LeastSkilled:
		if c := cmp.Or(cmp.Compare(a.Levels, b.Levels), cmp.Compare(a.Held, b.Held)); c != 0 {
			return c
		}
	case RoundRobin:
		if c := cmp.Compare(a.Offered, b.Offered); c != 0 {
			return c
		}
		if a.Offered == 0 {
			return cmp.Compare(a.ID, b.ID)
		}
	case FewestCalls:
		if c := cmp.Compare(a.Calls, b.Calls); c != 0 {
			return c
		}
	}
	if c := cmp.Compare(a.IdleSince, b.IdleSince); c != 0 {
		return c
	}
	return cmp.Compare(a.ID, b.ID)
}

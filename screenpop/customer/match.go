package customer

import (
	"slices"
	"time"
)

// Match is what a look-up found. Exactly one record: Record is set. Several:
// Candidates is set, Record is not, and nothing personal is shown before the
// agent chooses. None: both empty.
type Match struct {
	Record     *Record  `json:"record,omitempty"`
	Candidates []Record `json:"candidates,omitempty"`
	// Stale says that the record comes from the cache because no source
	// answered in time; At is its age then.
	Stale bool `json:"stale,omitempty"`
}

// MatchOf is what a number means that these have: the one, or the only one of several
// of whom an agent has confirmed it, or all of them, those first of whom one has, and
// then those who spoke with us last.
func MatchOf(found []Record, e164 string) Match {
	if len(found) == 1 {
		return Match{Record: &found[0]}
	}
	var only *Record
	confirmed := 0
	for i := range found {
		if found[i].confirmed(e164) {
			only = &found[i]
			confirmed++
		}
	}
	if confirmed == 1 {
		return Match{Record: only}
	}
	slices.SortStableFunc(found, func(a, b Record) int {
		if x, y := a.confirmed(e164), b.confirmed(e164); x != y {
			if x {
				return -1
			}
			return 1
		}
		return spoke(b).Compare(spoke(a))
	})
	return Match{Candidates: found}
}

// confirmed says that an agent has said that the number is this customer's.
func (r *Record) confirmed(e164 string) bool {
	return slices.ContainsFunc(r.Numbers, func(n Number) bool { return n.E164 == e164 && n.By != nil })
}

func spoke(r Record) time.Time {
	if r.LastAgentAt == nil {
		return time.Time{}
	}
	return *r.LastAgentAt
}

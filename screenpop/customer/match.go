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
// Of whom the number is no more, or not yet, is none of them.
func MatchOf(found []Record, e164 string, now time.Time) Match {
	found = slices.DeleteFunc(found, func(r Record) bool { return !r.reached(e164, now) })
	if len(found) == 0 {
		return Match{}
	}
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

// reached says that a number is the customer's on this day, where he lives, else here.
// An agent's word counts from the day on which it was said.
func (r *Record) reached(e164 string, now time.Time) bool {
	at := slices.IndexFunc(r.Numbers, func(n Number) bool { return n.E164 == e164 })
	if at < 0 || r.Numbers[at].ValidFrom == "" && r.Numbers[at].ValidTo == "" {
		return true
	}
	if zone, err := time.LoadLocation(r.Zone); err == nil && r.Zone != "" {
		now = now.In(zone)
	}
	n, today := r.Numbers[at], now.Format(time.DateOnly)
	if n.ValidTo != "" && today > n.ValidTo {
		return n.ConfirmedAt != nil && n.ConfirmedAt.In(now.Location()).Format(time.DateOnly) > n.ValidTo
	}
	return n.By != nil || today >= n.ValidFrom
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

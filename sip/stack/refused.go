package stack

import (
	"hash/maphash"
	"time"
)

// refusals are the INVITEs that were refused for load within 64*T1, by a hash of
// their transactions. A refusal keeps no transaction; but when the process has
// stood still, the same INVITE sent again is read right after the first, and may
// be under the limit by then: taken, it would be a call that nobody makes any
// more, which rings an agent and ends when no ACK has come. Two generations take
// turns; of more than are kept the oldest are forgotten.
type refusals struct {
	seed      maphash.Seed
	life      time.Duration
	now, last map[uint64]struct{}
	since     time.Time // of now
}

// maxRefusals are kept of a generation, some 2 MB.
const maxRefusals = 1 << 16

func newRefusals(life time.Duration) refusals {
	return refusals{seed: maphash.MakeSeed(), life: life}
}

// add notes one that was refused at an instant.
func (r *refusals) add(key string, at time.Time) {
	r.turn(at)
	if len(r.now) >= maxRefusals {
		r.last, r.now, r.since = r.now, nil, at
	}
	if r.now == nil {
		r.now = map[uint64]struct{}{}
	}
	r.now[maphash.String(r.seed, key)] = struct{}{}
}

// has reports whether it was refused lately.
func (r *refusals) has(key string, at time.Time) bool {
	r.turn(at)
	if len(r.now)+len(r.last) == 0 {
		return false
	}
	hash := maphash.String(r.seed, key)
	_, now := r.now[hash]
	_, last := r.last[hash]
	return now || last
}

// turn makes room for a new generation when the present one is old enough.
func (r *refusals) turn(at time.Time) {
	switch age := at.Sub(r.since); {
	case age < r.life:
	case age < 2*r.life:
		r.last, r.now, r.since = r.now, nil, r.since.Add(r.life)
	default:
		r.last, r.now, r.since = nil, nil, at
	}
}

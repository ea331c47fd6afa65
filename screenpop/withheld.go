package screenpop

import (
	"slices"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// withoutNumber is a look-up's outcome without the number that it was looked up
// by. A caller who withholds the number has asked the network that nobody be
// shown it (RFC 3323 section 4, RFC 3325 section 7); the record may be found by
// it all the same, and the customer's other numbers are no secret of this call.
// Records are shared with the cache, so that one with the number is copied.
func withoutNumber(m customer.Match, number string) customer.Match {
	is := func(n customer.Number) bool { return n.E164 == number }
	without := func(r customer.Record) customer.Record {
		if slices.ContainsFunc(r.Numbers, is) {
			r.Numbers = slices.DeleteFunc(slices.Clone(r.Numbers), is)
		}
		return r
	}
	if m.Record != nil {
		r := without(*m.Record)
		m.Record = &r
	}
	if len(m.Candidates) > 0 {
		m.Candidates = slices.Clone(m.Candidates)
		for i, r := range m.Candidates {
			m.Candidates[i] = without(r)
		}
	}
	return m
}

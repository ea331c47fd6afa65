package customer

import (
	"strings"

	"github.com/cordboard/cordboard/sip/identity"
)

// ReadNumbers reads what a customer's source has in the place of a number, which may
// be several; national ones are read where the customer lives or, when that is not a
// country of such a number, in the region (both ISO 3166). They come in E.164, as call
// control reads callers' numbers, so that a record is found under what a trunk sends.
func ReadNumbers(text, region, country string) (e164 []string) {
	read := identity.ReadWritten(text, region)
	if country != "" && country != region && !strings.HasPrefix(text, "+") && !inPlan(read) {
		if there := identity.ReadWritten(text, country); inPlan(there) {
			read = there
		}
	}
	for _, n := range read {
		e164 = append(e164, n.E164())
	}
	return e164
}

// OutOfUse reads in what stands with a number that it is nobody's any more.
func OutOfUse(text string) bool { return identity.OutOfUse(text) }

// inPlan says that numbers were read, and all are in their countries' plans.
func inPlan(all []identity.Number) bool {
	for _, n := range all {
		if !identity.InPlan(n) {
			return false
		}
	}
	return len(all) > 0
}

package customer

import (
	"fmt"

	"github.com/cordboard/cordboard/sip/identity"
)

// E164 normalises a number as people write it; national ones are read in the
// region (ISO 3166). It reads numbers as call control reads callers', so that a
// record is found under what the trunk sends. The error does not hold the number.
func E164(raw, region string) (string, error) {
	n, err := identity.ParseNumber(raw, region, nil)
	if err != nil {
		return "", fmt.Errorf("customer: %w", err)
	}
	return n.E164(), nil
}

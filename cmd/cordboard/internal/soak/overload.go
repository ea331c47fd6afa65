package main

import (
	"fmt"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// overloadTimes the rated load is what an overload offers. What the server is
// rated for it must serve then as well, but for a tenth, and refuse the rest.
const (
	overloadTimes = 3
	leastGoodput  = 0.9
)

// goodput holds the calls that were served to their end, by an agent or until
// their callers gave up, against what the server is rated for. The rest was to be
// refused, and none left without a word.
func goodput(sum store.Outcomes, silent int64, rated int, length time.Duration) (bad []string) {
	served := sum.By[routing.Answered] + sum.By[routing.Abandoned]
	part := float64(served) / (float64(rated) * length.Seconds())
	fmt.Printf("soak: overload: %d calls served, %.3f of the rated load\n", served, part)
	if part < leastGoodput {
		bad = append(bad, fmt.Sprintf("%.3f of the rated load were served, of %d times as much", part, overloadTimes))
	}
	if silent > 0 {
		bad = append(bad, fmt.Sprintf("%d calls had no answer at all", silent))
	}
	return bad
}

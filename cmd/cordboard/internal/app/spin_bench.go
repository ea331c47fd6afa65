//go:build bench

package app

import (
	"os"
	"strconv"
	"time"
)

var spinTime = func() time.Duration {
	us, _ := strconv.Atoi(os.Getenv("CORDBOARD_BENCH_SPIN_US"))
	return time.Duration(us) * time.Microsecond
}()

// spin burns CPU time for each call, as much as CORDBOARD_BENCH_SPIN_US says: a
// benchmark of the price of a call that does not show it measures nothing.
func spin() {
	for end := time.Now().Add(spinTime); time.Now().Before(end); {
	}
}

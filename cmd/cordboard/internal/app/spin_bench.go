//go:build bench

package app

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

// What a benchmark sets and reads while the server runs.
var (
	spinTime atomic.Int64 // for each call, in microseconds
	arrivals atomic.Int64 // calls so far
)

// POST /bench/spin?us=N, beside the profiles, has each call from now on spin for
// so long; the answer, of GET too, is how many calls have arrived.
func init() {
	us, _ := strconv.ParseInt(os.Getenv("CORDBOARD_BENCH_SPIN_US"), 10, 64)
	spinTime.Store(us)
	http.HandleFunc("/bench/spin", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			us, err := strconv.ParseInt(r.FormValue("us"), 10, 64)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			spinTime.Store(us)
		}
		fmt.Fprintln(w, arrivals.Load())
	})
}

// spin burns CPU time for each call: a benchmark of the price of a call that
// does not show it measures nothing.
func spin() {
	arrivals.Add(1)
	us := spinTime.Load()
	if us == 0 {
		return
	}
	for end := time.Now().Add(time.Duration(us) * time.Microsecond); time.Now().Before(end); {
	}
}

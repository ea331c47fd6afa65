//go:build bench

package main

import (
	"fmt"
	"net/http"
	_ "net/http/pprof" // the benchmark's build alone has it
	"os"
)

// The benchmark's build shows its profiles at the address in
// CORDBOARD_BENCH_PPROF. The product has no such thing.
func init() {
	addr := os.Getenv("CORDBOARD_BENCH_PPROF")
	if addr == "" {
		return
	}
	go func() { fmt.Fprintln(os.Stderr, "profiles:", http.ListenAndServe(addr, nil)) }()
}

// Command engine prints what a routing decision costs in a large centre, as
// `make bench-engine` shows it, and a check of a large document. It runs the
// benchmarks of the packages and adds no work of its own.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/bench"
)

func main() {
	runs := flag.Int("runs", 5, "runs of which the median counts")
	file := flag.String("json", "", "write the figures to this file as well")
	flag.Parse()
	if err := run(*runs, *file); err != nil {
		fmt.Fprintln(os.Stderr, "bench-engine:", err)
		os.Exit(1)
	}
}

func run(runs int, file string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	r := bench.New(os.Stdout, "engine")
	for _, of := range []struct{ pkg, prefix string }{
		{"./routing", ""}, {"./routing/queue", "queue_"}, {"./routing/rule", "rule_"},
	} {
		got, err := bench.GoBench(ctx, of.pkg, ".", "1s", runs)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(got)) {
			r.Runs(of.prefix+strings.ToLower(strings.ReplaceAll(name, "/", "_"))+"_ns", "ns", got[name])
		}
	}
	checks, err := bench.GoBench(ctx, "./configs", "BenchmarkCheck$", "3x", runs)
	if err != nil {
		return err
	}
	var ms []float64
	for _, ns := range checks["Check"] {
		ms = append(ms, ns/1e6)
	}
	r.Runs("check_ms", "ms", ms)
	if file == "" {
		return nil
	}
	return r.WriteFile(file)
}

// Command engine prints what a routing decision costs in a large centre, as
// `make bench-engine` shows it: ordinary hours, loads made to hurt, a reload, how
// evenly a day's work is shared out, a check of a large document, and the
// benchmarks of the packages.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/bench"
	"github.com/cordboard/cordboard/routing"
)

func main() {
	runs := flag.Int("runs", 5, "runs of which the median counts")
	parts := flag.String("parts", "large,more,small,hurt,fair,check,micro", "which parts to run")
	only := flag.String("load", "", "of the loads made to hurt, this one")
	longest := flag.Int("longest", 0, "say of so many of the longest Steps of each load what they were")
	file := flag.String("json", "", "write the figures to this file as well")
	flag.Parse()
	if err := (&bencher{*runs, *longest, *only}).run(*parts, *file); err != nil {
		fmt.Fprintln(os.Stderr, "bench-engine:", err)
		os.Exit(1)
	}
}

func newEngine(p *routing.Policy) *routing.Engine { return routing.New(p) }

// bencher is what the flags ask for.
type bencher struct {
	runs, longest int
	only          string
}

// run measures the parts named, on one thread.
func (b *bencher) run(parts, file string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	r := bench.New(os.Stdout, "engine")
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for part := range strings.SplitSeq(parts, ",") {
		if err := b.one(ctx, r, part); err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
	}
	if file == "" {
		return nil
	}
	return r.WriteFile(file)
}

func (b *bencher) one(ctx context.Context, r *bench.Report, part string) error {
	switch part {
	case "large":
		return b.ordinary(r, large, 100_000, true)
	case "more":
		return b.ordinary(r, more, 100_000, false)
	case "small":
		return b.ordinary(r, small, 100_000, false)
	case "hurt":
		return b.hurt(r)
	case "fair":
		return fair(r)
	case "check":
		return check(ctx, r, b.runs)
	case "micro":
		return micro(ctx, r, b.runs)
	}
	return fmt.Errorf("there is no such part")
}

// check is the time to check a document of 1,000 queues and 10,000 rules.
func check(ctx context.Context, r *bench.Report, runs int) error {
	checks, err := bench.GoBench(ctx, "./configs", "BenchmarkCheck$", "3x", runs)
	if err != nil {
		return err
	}
	var ms []float64
	for _, ns := range checks["Check"] {
		ms = append(ms, ns/1e6)
	}
	r.Runs("check_ms", "ms", ms)
	return nil
}

// micro runs the benchmarks of the packages.
func micro(ctx context.Context, r *bench.Report, runs int) error {
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
	return nil
}

// Command record measures the customers' records at the size of a large
// centre: how fast an import brings them in, beside a raw batched insert of the
// same rows into the same tables, and how long a look-up by number takes
// afterwards, on each store. `make bench-record` runs it; docs/import.md says
// how to read it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/bench"
)

// options of a run.
type options struct {
	customers    int
	interactions int // to be searched
	stores       []string
	parts        []string
	runs         int           // of the look-ups
	rate         int           // look-ups a second
	length       time.Duration // of one run of look-ups
	seed         uint64
	json         string
	profile      string
	folder       string
	limit        time.Duration
}

func main() {
	var o options
	var stores, parts string
	flag.IntVar(&o.customers, "customers", 1_000_000, "how many")
	flag.IntVar(&o.interactions, "interactions", 1_000_000, "how many are searched")
	flag.StringVar(&stores, "stores", "sqlite,postgres", "which stores")
	flag.StringVar(&parts, "parts", "calib,import,lookup,raw,again,search", "what to measure beside the import itself")
	flag.IntVar(&o.runs, "runs", 5, "runs of look-ups of which the median counts; the import runs once")
	flag.IntVar(&o.rate, "rate", 500, "look-ups a second")
	flag.DurationVar(&o.length, "length", 6*time.Second, "length of one run of look-ups")
	flag.Uint64Var(&o.seed, "seed", 1, "of the invented customers")
	flag.StringVar(&o.json, "json", "", "write the figures to this file as well")
	flag.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile of the whole run to this file")
	flag.StringVar(&o.folder, "folder", os.TempDir(), "where the databases are made; 12 kB a customer are needed")
	flag.DurationVar(&o.limit, "limit", 40*time.Minute, "give up after this")
	flag.Parse()
	o.stores, o.parts = strings.Split(stores, ","), strings.Split(parts, ",")
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench-record:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp(o.folder, "bench-record-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if o.profile != "" {
		stop, err := profile(o.profile)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	r := bench.New(os.Stdout, "record")
	if o.does("calib") {
		if err := errors.Join(r.Calibrate(dir), calibrate(ctx, r, o)); err != nil {
			return err
		}
	}
	r.Line("customers", float64(o.customers), "customers")
	file := filepath.Join(dir, "customers.jsonl")
	people, err := writePeople(file, o.seed, o.customers)
	if err != nil {
		return fmt.Errorf("write customers: %w", err)
	}
	for _, name := range o.stores {
		if err := measure(ctx, r, o, name, dir, file, people); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if o.json == "" {
		return nil
	}
	return r.WriteFile(o.json)
}

func profile(path string) (stop func() error, err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error { pprof.StopCPUProfile(); return f.Close() }, nil
}

func (o *options) does(part string) bool {
	return slices.Contains(o.parts, part)
}

// doesOther says whether there is something to measure beside a part.
func (o *options) doesOther(part string) bool {
	return slices.ContainsFunc(o.parts, func(p string) bool { return p != part })
}

// measure takes one store through everything.
func measure(ctx context.Context, r *bench.Report, o options, name, dir, file string, people []person) (err error) {
	b, err := newBase(name, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if o.does("search") {
		searched, err := b.create(ctx)
		if err == nil {
			err = errors.Join(searches(ctx, r, b, searched, name, o), b.remove(ctx, searched))
		}
		if err != nil {
			return fmt.Errorf("search: %w", err)
		}
	}
	if !o.doesOther("search") {
		return nil
	}
	full, err := b.create(ctx)
	if err != nil {
		return err
	}
	took, err := importFile(ctx, r, full, name, file, o.customers)
	if err != nil {
		return err
	}
	size, err := b.size(ctx, full)
	if err != nil {
		return err
	}
	r.Line("db_bytes_per_customer_"+name, float64(size)/float64(o.customers), "B")
	if o.does("lookup") {
		if err := b.settle(ctx, full); err != nil {
			return fmt.Errorf("settle: %w", err)
		}
		if err := lookups(ctx, r, full, name, o, people); err != nil {
			return fmt.Errorf("look-ups: %w", err)
		}
		if err := journeys(ctx, r, b, full, name, o); err != nil {
			return fmt.Errorf("journeys: %w", err)
		}
	}
	if o.does("raw") {
		raw, err := rawInsert(ctx, b, full)
		if err != nil {
			return fmt.Errorf("raw insert: %w", err)
		}
		r.Line("raw_customers_per_s_"+name, float64(o.customers)/raw.Seconds(), "customers/s")
		r.Line("import_ratio_"+name, raw.Seconds()/took.Seconds(), "ratio")
	}
	if o.does("again") {
		if err := importAgain(ctx, r, full, name, file, o.customers); err != nil {
			return fmt.Errorf("second import: %w", err)
		}
	}
	return b.remove(ctx, full) // what is left of it in memory is the next one's
}

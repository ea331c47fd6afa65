// Command call measures what a call costs Cordboard, beside a plain SIP proxy
// (Kamailio) and beside the smallest B2BUA on the same SIP library, in one
// invocation, on the same machine, with the same rate and number of calls. It
// starts the servers on one processor and everything else (SIPp's callers and
// phones, robot desktops, itself) on the other, and prints the figures.
// `make bench-call` runs it; docs/performance.md says how to read it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/bench"
)

// Processors of the two sides.
const (
	serverCPU = "0"
	loadCPU   = "1"
)

// options of a run.
type options struct {
	cordboard, b2bua string // binaries
	parts            []string
	servers          []string
	runs             int
	rate             int           // calls/s of the comparison
	length           time.Duration // of one measured run
	high             time.Duration // length of one try for the highest rate
	highFor          time.Duration // for all of them
	customers        int
	held             int
	json             string
	keep             bool
	disturbed        bool
	profile          string
	limit            time.Duration
}

func main() {
	var o options
	var parts, servers string
	flag.StringVar(&o.cordboard, "cordboard", "bin/cordboard", "the server's binary")
	flag.StringVar(&o.b2bua, "b2bua", "bin/bench-b2bua", "the minimal B2BUA's binary")
	flag.StringVar(&parts, "parts", "calib,step,cpu,ring,held,phones,max", "what to measure; spin too, with a server built with -tags bench")
	flag.StringVar(&servers, "servers", "kamailio,b2bua,cordboard", "what is compared")
	flag.IntVar(&o.runs, "runs", 5, "runs of which the median counts")
	flag.IntVar(&o.rate, "rate", 300, "calls a second of the comparison")
	flag.DurationVar(&o.length, "length", 10*time.Second, "length of one run of the comparison")
	flag.DurationVar(&o.high, "high", 20*time.Second, "length of one try for the highest rate")
	flag.DurationVar(&o.highFor, "high-for", 6*time.Minute, "time for the whole search for the highest rates")
	flag.IntVar(&o.customers, "customers", 20_000, "customers in the store")
	flag.IntVar(&o.held, "held", 5000, "calls that wait when their memory is measured")
	flag.StringVar(&o.json, "json", "", "write the figures to this file as well")
	flag.BoolVar(&o.keep, "keep", false, "keep the working folder")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of Cordboard's first run to this file; needs a server built with -tags bench")
	flag.BoolVar(&o.disturbed, "disturbed", false, "runs count although the machine was not ours alone: for trying the benchmark out")
	flag.DurationVar(&o.limit, "limit", 40*time.Minute, "give up after this")
	flag.Parse()
	o.parts, o.servers = strings.Split(parts, ","), strings.Split(servers, ",")
	if err := onLoadCPU(); err != nil {
		fail(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	if err := run(ctx, o); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "bench-call:", err)
	os.Exit(1)
}

// onLoadCPU starts the program again on the load's processor, unless it is
// there already: the robots must not take from what is measured.
func onLoadCPU() error {
	if runtime.NumCPU() == 1 {
		return nil
	}
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		return fmt.Errorf("one processor for the server, one for the load: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(taskset, append([]string{"taskset", "-c", loadCPU, self}, os.Args[1:]...), os.Environ())
}

// lab is a run: where it works, and what it prints to.
type lab struct {
	options
	dir     string
	report  *bench.Report
	numbers []string // of the loaded customers, one each
	music   *ear
	placed  int // calls given a media address so far
}

func run(ctx context.Context, o options) (err error) {
	for _, p := range []string{"sipp", "kamailio", "taskset"} {
		if _, err := lookPath(p); err != nil {
			return err
		}
	}
	l := &lab{options: o, report: bench.New(os.Stdout, "call")}
	if l.dir, err = os.MkdirTemp("", "cordboard-bench-"); err != nil {
		return err
	}
	defer func() {
		if o.keep {
			fmt.Fprintln(os.Stderr, "kept:", l.dir)
			return
		}
		err = errors.Join(err, os.RemoveAll(l.dir))
	}()
	if err := l.unpack(); err != nil {
		return err
	}
	if l.music, err = newEar(); err != nil {
		return err
	}
	defer l.music.close()
	for _, part := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"calib", func(context.Context) error { return l.report.Calibrate(l.dir) }},
		{"step", l.step}, {"cpu", l.compare}, {"spin", l.spins}, {"ring", l.ring}, {"held", l.waiting}, {"phones", l.registrations}, {"max", l.highest},
	} {
		if !slices.Contains(o.parts, part.name) {
			continue
		}
		if err := part.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if o.json == "" {
		return nil
	}
	return l.report.WriteFile(o.json)
}

// step is what one routing decision takes in a large centre.
func (l *lab) step(ctx context.Context) error {
	got, err := bench.GoBench(ctx, "./routing", "^BenchmarkStep$", "1s", l.runs)
	if err != nil {
		return err
	}
	l.report.Runs("step_ns", "ns", got["Step"])
	return nil
}

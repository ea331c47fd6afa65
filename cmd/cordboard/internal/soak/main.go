// Command soak runs the built server for an hour or so as a busy office would,
// while things around it fail: robots call at half the rated load and do with
// their calls whatever callers and agents do, and every twenty seconds a fault
// from a seeded list strikes. It watches that nothing in the server grows, that
// no call and no agent gets stuck and, in the end, that the ledger adds up. It
// prints a line a minute and a verdict, and exits 1 on a failure. `make soak`
// is its caller; it is not part of `make test`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// settings of a run. The same seed gives the same calls and faults, as far as
// the pace of the machine allows.
type settings struct {
	binary   string
	length   time.Duration
	every    time.Duration // between faults
	cps      float64
	agents   int
	seed     uint64
	rests    int // times that the load stops, beside the end; below 0: as the length allows
	postgres bool
	reloads  int    // of the routing document, instead of faults; 0: faults
	rated    int    // calls a second, as its file says
	overload bool   // three times the rated load, instead of faults
	keep     string // where the server's log goes, "" for the run's own folder
}

func main() {
	var s settings
	var minutes float64
	flag.StringVar(&s.binary, "cordboard", "bin/cordboard", "the built server")
	flag.Float64Var(&minutes, "minutes", 60, "how long")
	flag.DurationVar(&s.every, "fault-every", 20*time.Second, "time between two faults")
	flag.Float64Var(&s.cps, "cps", ratedCPS/2, "calls a second")
	flag.IntVar(&s.agents, "agents", 120, "agents at their desks")
	flag.IntVar(&s.rests, "rests", -1, "pauses of the load, in which memory is measured; by itself 2 in 20 minutes and more")
	flag.Uint64Var(&s.seed, "seed", 1, "of calls and faults")
	flag.IntVar(&s.reloads, "reloads", 0, "make so many versions of the routing document live, evenly over the run, instead of faults")
	flag.BoolVar(&s.overload, "overload", false, "rate the server for -cps calls a second and place three times as many, instead of faults")
	flag.BoolVar(&s.postgres, "postgres", false, "on Postgres instead of SQLite")
	flag.StringVar(&s.keep, "log", "", "file for the server's log")
	flag.Parse()
	s.rated = max(ratedCPS, int(2*s.cps))
	if s.overload {
		s.rated, s.cps = int(s.cps), overloadTimes*s.cps
	}
	s.length = time.Duration(minutes * float64(time.Minute))
	if s.rests < 0 && minutes >= 20 {
		s.rests = 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	bad, err := run(ctx, s)
	for _, line := range bad {
		fmt.Println("soak: failed:", line)
	}
	if err != nil {
		fmt.Println("soak: ended early:", err)
	}
	if err != nil || len(bad) > 0 {
		fmt.Println("soak: FAIL")
		os.Exit(1)
	}
	fmt.Println("soak: PASS")
}

// run is one soak. What it returns is what was wrong with the server; an error
// is what kept it from being run to the end.
func run(ctx context.Context, s settings) (bad []string, err error) {
	o, err := openOffice(ctx, s)
	if err != nil {
		return nil, errors.Join(err, o.close())
	}
	defer func() { err = errors.Join(err, o.close()) }()
	rest, err := o.server.gauges(ctx)
	if err != nil {
		return nil, err
	}
	fmt.Printf("soak: seed %d, %s, %.0f calls/s for %v, %d agents; at rest: %s\n", s.seed, o.server.kind(), s.cps, s.length, s.agents, rest)
	w := &watch{rest: rest, begun: time.Now()}
	o.turning = &reloads{o: o}
	faults := newFaults(o, rand.New(rand.NewPCG(s.seed, 2)))
	o.faults, o.callers.during = faults, faults.last
	calls := rand.New(rand.NewPCG(s.seed, 1))
	phases := 1 + max(s.rests, 0)
	for i := range phases {
		w.load(ctx, o, faults, calls, w.begun.Add(s.length*time.Duration(i+1)/time.Duration(phases)))
		if ctx.Err() != nil {
			return w.bad, ctx.Err()
		}
		w.bad = append(w.bad, o.quiet(ctx)...)
		if s.rests < 0 { // too short a run to wait for more
			o.signUps.resting.Store(true)
			w.bad = append(w.bad, w.settled(ctx, o)...)
			break
		}
		w.bad = append(w.bad, w.weigh(ctx, o)...)
	}
	bad = append(w.bad, faults.bad()...)
	bad = append(bad, w.grown()...)
	bad = append(bad, o.server.unexplained(w.samples)...)
	bad = append(bad, risen(w.rests)...)
	bad = append(bad, o.signUps.wrong()...)
	if err := o.server.stop(ctx); err != nil {
		bad = append(bad, err.Error())
	}
	books, err := o.books(ctx)
	fmt.Printf("soak: faults: %s\nsoak: phones: %s\nsoak: refused: %s\n", faults, &o.signUps, o.callers.refusedBy())
	return append(bad, books...), err
}

// load lets callers call and faults strike, for half a minute or until end.
func (w *watch) load(ctx context.Context, o *office, f *faults, calls *rand.Rand, end time.Time) {
	ctx, stop := context.WithDeadline(ctx, later(end, time.Now().Add(30*time.Second)))
	defer stop()
	o.callers.start(ctx, calls)
	struck := make(chan struct{})
	go func() {
		defer close(struck)
		switch {
		case o.reloads > 0:
			o.turning.run(ctx)
		case o.overload:
		default:
			f.run(ctx)
		}
	}()
	w.follow(ctx, o, f)
	stop() // the server may have ended
	<-struck
	f.mend() // whatever is still out of order
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/bench"
)

// The run that asks whether the benchmark sees what it should: each call is
// made dearer by a known time, for a while, and not for the next, under one load
// that goes on throughout. What differs from one while to the next is then the
// spin and little else.
const (
	spinUS     = 200
	spinPairs  = 60
	spinWindow = time.Second
	spinWarm   = 6 * time.Second
)

// spins prints what the benchmark sees of the spin. It needs a server built with
// the tag bench.
func (l *lab) spins(ctx context.Context) error {
	c, err := l.open(ctx, plan{agents: agentsFor(l.rate), desks: true, answer: "at_queue", lead: musicLead, phone: onePhone})
	if err != nil {
		return err
	}
	defer c.close()
	if _, err := c.spin(ctx, 0); err != nil {
		return fmt.Errorf("is the server built with -tags bench? %w", err)
	}
	type windows struct {
		off, on []float64
		err     error
	}
	awake, err := l.stayAwake()
	if err != nil {
		return err
	}
	defer awake.stop()
	done := make(chan windows, 1)
	sampling, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		var w windows
		w.off, w.on, w.err = c.alternate(sampling)
		done <- w
	}()
	length := spinWarm + 2*spinPairs*spinWindow + 4*time.Second
	m, err := c.board(ctx, l.rate, length)
	stop()
	w := <-done
	switch {
	case err != nil:
		return err
	case w.err != nil:
		return w.err
	}
	// Not a measurement of calls, but of the benchmark: what disturbs it is told,
	// and its spread shows it.
	calls := l.rate * int(length/time.Second)
	if lacks := m.complete(calls); lacks != "" {
		l.report.Note("not all was as it should be: %s", lacks)
	}
	if why := m.void(calls); why != "" {
		l.report.Note("the machine was not ours alone: %s", why)
	}
	seen := make([]float64, len(w.on))
	for i := range seen {
		seen[i] = w.on[i] - w.off[i]
	}
	l.report.Line("spin_us", spinUS, "us")
	l.report.Runs("spin_off_cpu_us", "us", w.off)
	l.report.Runs("spin_seen_us", "us", seen)
	l.report.Line("spin_seen_error_us", medianError(seen), "us")
	return nil
}

// stayAwake keeps the server's processor from falling asleep between two messages:
// what it costs a virtual one to wake up is charged to whoever is woken, is up to
// half of a call and differs from one second to the next by more than what is
// looked for. A process that runs only when nobody else wants to does that; a
// call is cheaper with it, by the same with the spin and without.
func (l *lab) stayAwake() (*process, error) {
	chrt, err := lookPath("chrt")
	if err != nil {
		return nil, err
	}
	return l.start(serverCPU, "awake", chrt, "--idle", "0", "sh", "-c", "while :; do :; done")
}

// medianError is half of the interval in which the median lies with 95 % (McGill,
// Tukey and Larsen, Variations of Box Plots, 1978): 1.57 times the distance of
// the quartiles, by the root of their number.
func medianError(values []float64) float64 {
	return 1.57 * (bench.Quantile(values, 0.75) - bench.Quantile(values, 0.25)) / math.Sqrt(float64(len(values)))
}

// alternate measures a call without and with the spin: off, on, on, off, off,
// on, ..., so that what drifts does not count.
func (c *centre) alternate(ctx context.Context) (off, on []float64, err error) {
	for n := 0; n == 0; { // the first call
		if n, err = c.arrived(ctx); err != nil {
			return nil, nil, err
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return nil, nil, err
		}
	}
	if err := pause(ctx, spinWarm); err != nil {
		return nil, nil, err
	}
	for i := range 2 * spinPairs {
		spinning := (i+1)/2%2 == 1
		us := 0
		if spinning {
			us = spinUS
		}
		before, err := c.spin(ctx, us)
		if err != nil {
			return nil, nil, err
		}
		cpu0 := cpu(c.cmd.Process.Pid)
		if err := pause(ctx, spinWindow); err != nil {
			return nil, nil, err
		}
		used := cpu(c.cmd.Process.Pid) - cpu0
		after, err := c.arrived(ctx)
		if err != nil {
			return nil, nil, err
		}
		if after == before {
			return nil, nil, fmt.Errorf("no call in %v", spinWindow)
		}
		cost := float64(used.Nanoseconds()) / 1000 / float64(after-before)
		fmt.Fprintf(os.Stderr, "spin %d us: %d calls, %.0f us a call\n", us, after-before, cost)
		if spinning {
			on = append(on, cost)
		} else {
			off = append(off, cost)
		}
	}
	_, err = c.spin(ctx, 0)
	return off, on, err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// spin has each call spin for so long from now on, and counts the calls so far.
func (c *centre) spin(ctx context.Context, us int) (int, error) {
	return benchCount(ctx, http.MethodPost, "?us="+strconv.Itoa(us))
}

// arrived counts the calls so far.
func (c *centre) arrived(ctx context.Context) (int, error) {
	return benchCount(ctx, http.MethodGet, "")
}

func benchCount(ctx context.Context, method, query string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+pprofAddr+"/bench/spin"+query, nil)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, 100))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}

package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// How the highest rate is looked for. A try takes about half a minute, so each
// has to tell much: the first goes where the CPU time of a call, measured on the
// way, says that the processor is full.
const (
	highNear  = 1.07 // near enough: the next try is not worth its time
	highFull  = 0.95 // of a processor
	cheaper   = 1.25 // times as many fit as the probe says: calls are cheaper when there are many
	highProbe = 6 * time.Second
	probeRate = 300
)

// server is one whose highest rate is looked for.
type server struct {
	name string
	run  func(ctx context.Context, rate int, length time.Duration) (measured, error)
}

// found is what a search came to: the highest rate that was served, and the
// lowest that was not; 0 for none.
type found struct{ low, high int }

// highest finds the highest rate at which 99.9 % of a run's calls are served,
// for Kamailio (with as many workers as make its calls cheaper) and for
// Cordboard. Each search ends when it is near enough, or when its time is over:
// then the figure is the highest rate that was served, and a note says how far
// above it one was not.
func (l *lab) highest(ctx context.Context) error {
	proxies := []server{l.proxyWith(1), l.proxyWith(4)}
	ours := server{"cordboard", func(ctx context.Context, rate int, length time.Duration) (measured, error) {
		c, err := l.open(ctx, plan{agents: agentsFor(rate), desks: true, answer: "at_queue", lead: musicLead, phone: onePhone})
		if err != nil {
			return measured{}, err
		}
		defer c.close()
		return c.board(ctx, rate, length)
	}}
	begin := time.Now()
	theirs, err := l.proxies(ctx, proxies, begin.Add(l.highFor*2/5))
	if err != nil {
		return err
	}
	probe, err := l.probe(ctx, ours)
	if err != nil {
		return err
	}
	our, err := l.climb(ctx, ours, probe, begin.Add(l.highFor))
	if err != nil {
		return err
	}
	if theirs.low == 0 || our.low == 0 {
		return fmt.Errorf("no rate was served: Kamailio %+v, Cordboard %+v calls/s", theirs, our)
	}
	l.report.Line("kamailio_max_cps", float64(theirs.low), "calls/s")
	l.report.Line("max_cps", float64(our.low), "calls/s")
	l.report.Line("max_cps_ratio", float64(our.low)/float64(theirs.low), "ratio")
	return nil
}

func (l *lab) proxyWith(children int) server {
	return server{fmt.Sprintf("kamailio%d", children), func(ctx context.Context, rate int, length time.Duration) (measured, error) {
		d := l.plain(proxyAddr, rate, length)
		d.failures = unserved(d.calls)
		return l.yardstick(ctx, d, func(ctx context.Context) (*process, error) { return l.proxy(ctx, children) })
	}}
}

// unserved is how many of so many calls may fail.
func unserved(calls int) int { return calls - int(served*float64(calls)) }

type probed struct {
	server
	full int // calls/s that fill the processor
}

// proxies climbs with the server whose calls are cheaper. Where that serves no
// rate, it takes the other.
func (l *lab) proxies(ctx context.Context, all []server, until time.Time) (f found, err error) {
	var cheap []probed
	for _, s := range all {
		full, err := l.probe(ctx, s)
		if err != nil {
			return f, err
		}
		cheap = append(cheap, probed{s, full})
	}
	slices.SortStableFunc(cheap, func(a, b probed) int { return b.full - a.full })
	for i, s := range cheap {
		left := time.Until(until) / time.Duration(len(cheap)-i)
		if f, err = l.climb(ctx, s.server, s.full, time.Now().Add(left)); err != nil || f.low > 0 {
			return f, err
		}
	}
	return f, nil
}

// probe guesses from a short run at which rate the processor is full.
func (l *lab) probe(ctx context.Context, s server) (int, error) {
	m, err := s.run(ctx, probeRate, highProbe)
	if err != nil {
		return 0, fmt.Errorf("%s at %d: %w", s.name, probeRate, err)
	}
	full := int(cheaper * float64(fills(probeRate, m)))
	fmt.Fprintf(os.Stderr, "max %s: at %d calls/s a call takes %.0f us; full at some %d\n", s.name, probeRate, m.cpuUS, full)
	return full, nil
}

// fills is the rate at which calls as dear as these fill the processor.
func fills(rate int, m measured) int {
	if m.cpuUS <= 0 {
		return rate
	}
	return int(highFull * 1e6 / m.cpuUS)
}

// climb tries rates from the guess on, until two are near that were served and
// not, or there is no time for another try.
func (l *lab) climb(ctx context.Context, s server, guess int, until time.Time) (f found, err error) {
	rate := guess
	for longest := time.Duration(0); ; {
		begin := time.Now()
		m, err := s.run(ctx, rate, l.high)
		if ctx.Err() != nil {
			return f, ctx.Err()
		}
		held := err == nil && l.holds(rate, m)
		l.tell(s.name, rate, held, m, err)
		if held {
			f.low = max(f.low, rate)
		} else {
			f.high = rate
		}
		var more bool
		if rate, more = f.next(rate, m); !more {
			return f, nil
		}
		longest = max(longest, time.Since(begin))
		if time.Now().Add(longest).After(until) {
			l.report.Note("%s: the time for the search was over: %d calls/s were served, %d were not (0: none was tried)", s.name, f.low, f.high)
			return f, nil
		}
	}
}

// holds says whether a run served its calls, without falling behind.
func (l *lab) holds(rate int, m measured) bool {
	calls := rate * int(l.high/time.Second)
	return m.made == calls && calls-m.ok <= unserved(calls) && m.took < l.high+6*time.Second
}

func (l *lab) tell(name string, rate int, held bool, m measured, err error) {
	fmt.Fprintf(os.Stderr, "max %s at %d: served %v, ok %d of %d in %.1f s, retransmissions %d, %.0f us a call, server %.0f %%, load %.0f %%, other %.0f %%\n",
		name, rate, held, m.ok, rate*int(l.high/time.Second), m.took.Seconds(), m.retransmissions, m.cpuUS, m.serverPC, m.loadPC, m.otherPC)
	if err != nil {
		fmt.Fprintf(os.Stderr, "max %s at %d: %v\n", name, rate, err)
	}
	if !held && m.loadPC > 80 {
		l.report.Note("%s at %d calls/s: the load took %.0f %% of its processor, the limit may be its own", name, rate, m.loadPC)
	}
}

// next is the rate to try after one, and what it gave; false when what is known
// is near enough.
func (f found) next(rate int, m measured) (int, bool) {
	switch {
	case f.high == 0: // all were served: what is left of the processor says how far to go
		full := fills(rate, m)
		return min(max(full, rate*108/100), rate*3/2), true
	case f.low == 0:
		return rate * 4 / 5, rate > 10
	case float64(f.high) < highNear*float64(f.low):
		return 0, false
	}
	return (f.low + f.high) / 2, true
}

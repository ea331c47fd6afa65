package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How much the heap may grow between two garbage collections, in percent of
// what lives. A call's SIP transactions live for half a minute after it (RFC
// 3261 timers), so that most of what a collection looks at is there to stay:
// under load the collector would take a fifth of the server with Go's own 100.
// With callers who only wait it has little to do, and half as much memory that
// lies about serves them.
const (
	growLeast = 50
	growMost  = 400
)

const (
	pace  = time.Second
	often = 2  // collections within a second that make the heap grow
	quiet = 10 // seconds without one that make it smaller
)

// collector decides how far the heap may grow, once a second.
type collector struct {
	percent int
	still   int // seconds without a collection
}

// next is told how often the last second was collected in.
func (c *collector) next(collections uint64) int {
	switch {
	case collections >= often:
		c.percent, c.still = min(2*c.percent, growMost), 0
	case collections > 0:
		c.still = 0
	default:
		if c.still++; c.still >= quiet {
			c.percent, c.still = max(c.percent/2, growLeast), 0
		}
	}
	return c.percent
}

// tuneCollector fits the garbage collector to the load until ctx ends. Whoever
// sets GOGC has decided himself.
func tuneCollector(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	c := collector{percent: growLeast}
	debug.SetGCPercent(c.percent)
	cycles := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	read := func() uint64 {
		if metrics.Read(cycles); cycles[0].Value.Kind() == metrics.KindUint64 {
			return cycles[0].Value.Uint64()
		}
		return 0
	}
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for last := read(); ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now, before := read(), c.percent
		if c.next(now-last) != before {
			debug.SetGCPercent(c.percent)
		}
		last = now
	}
}

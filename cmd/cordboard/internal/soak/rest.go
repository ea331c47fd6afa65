package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// memory is what the server holds, in MB, while nothing goes on and after a
// collection. What is resident is three things: what lives on the heap; room on
// the heap beside it, which the collector leaves because it will be needed again;
// and what is no heap, as stacks, the database library's pages and the program.
type memory struct {
	at, born time.Time // of the reading, and of the process
	run      int
	rss, pss float64
	live     float64 // what the last collection found alive
	kept     float64 // of it the customers kept in memory, by the server's own count
	heap     float64 // what the heap has of the system: what lives, and the room
	idle     float64 // of the heap what is in no use and not given back
	goal     float64 // what the heap may grow to before the next collection
	rest     float64 // of what is no heap what cannot be pages of the database's file
}

// beside is what is resident and no heap.
func (m memory) beside() float64 { return m.rss - m.heap }

func (m memory) String() string {
	return fmt.Sprintf("live heap %.1f MB with %.1f MB of customers, heap %.1f MB of %.1f MB, %.1f MB idle, RSS %.0f MB, of it no heap %.1f MB, Pss %.0f MB",
		m.live, m.kept, m.heap, m.goal, m.idle, m.rss, m.beside(), m.pss)
}

// What may be more at the last rest than at the one before it: a twentieth, and
// so many MB. Customers kept in memory don't count, nor pages of an SQLite file:
// they fill their bounds by and by, and unexplained holds them to those. On
// Postgres there are no such pages, and all else is the same.
const (
	liveSlack   = 3
	besideSlack = 12
)

// The room on the heap says nothing of a leak: it is what the load just before
// wanted, and the runtime gives it back slowly, down to a tenth above what was in
// use when it last collected (runtime/mgcscavenge.go). What is in use is more than
// what lives: dead things not collected yet, up to the goal, and spans that are
// partly empty, since what outlived a burst lies scattered over all that the burst
// took; half as much was seen. So each is held against the goal, or what is in
// use, and not against the rest before.
const (
	overGoal  = 1.5 // of the goal what is in use
	idleShare = 0.5 // of what is in use what is idle
	heapPlus  = 16  // MB, of each
)

// The runtime collects every two minutes if nothing else makes it, and gives
// what it does not need back in passing.
const (
	collectsWithin = 150 * time.Second
	givesBack      = 3 * time.Minute
	levelFor       = 4 // readings in a row: on a busy machine the runtime pauses in giving back
)

// weigh waits, while nobody calls, until the server has settled and collected
// what the load left behind, and notes what it holds then.
func (w *watch) weigh(ctx context.Context, o *office) (bad []string) {
	o.signUps.resting.Store(true)
	defer o.signUps.resting.Store(false)
	bad = w.settled(ctx, o)
	idle := float64(time.Now().UnixMicro()) / 1e6
	err := o.server.until(ctx, collectsWithin, "a collection", func(g gauges) bool { return g.value["go_memstats_last_gc_time_seconds"] > idle })
	if err != nil {
		return append(bad, err.Error())
	}
	last, level := memory{rss: 1 << 20}, 0
	for end := time.Now().Add(givesBack); time.Now().Before(end) && ctx.Err() == nil; pause(ctx, lookEvery) {
		m, err := o.server.memory(ctx)
		if err != nil {
			return append(bad, err.Error())
		}
		if m.rss <= last.rss-1 {
			level = 0
		} else {
			level++
		}
		if last = m; level == levelFor {
			break
		}
	}
	w.rests = append(w.rests, last)
	fmt.Printf("soak: rest %d: %s\n", len(w.rests), last)
	return bad
}

// risen compares the last two rests of one process, and the heap of each with
// the collector's goal: what lives, and what is no heap, must not rise; the room
// between must be the collector's.
func risen(rests []memory) (bad []string) {
	for i, m := range rests {
		if used := m.heap - m.idle; used > overGoal*m.goal+heapPlus || m.idle > idleShare*used+heapPlus {
			bad = append(bad, fmt.Sprintf("at rest %d the heap has %.1f MB, %.1f MB of it idle, and a goal of %.1f MB", i+1, m.heap, m.idle, m.goal))
		}
	}
	n := len(rests)
	if n < 2 || rests[n-1].run != rests[n-2].run {
		return bad
	}
	a, b := rests[n-2], rests[n-1]
	if a.at.Sub(a.born) < memoryLevel {
		fmt.Printf("soak: at rest: %s, then %s; the server was not level yet at the first\n", a, b)
		return bad
	}
	for _, m := range []struct {
		name      string
		then, now float64
		slack     float64
	}{
		{"live heap but for customers", a.live - a.kept, b.live - b.kept, liveSlack},
		{"what is no heap but for the database's pages", a.rest, b.rest, besideSlack},
	} {
		fmt.Printf("soak: %s at rest: %.1f MB, then %.1f MB (%+.1f an hour)\n", m.name, m.then, m.now, (m.now-m.then)/b.at.Sub(a.at).Hours())
		if m.now > m.then*1.05+m.slack {
			bad = append(bad, fmt.Sprintf("%s at rest rose from %.1f to %.1f MB", m.name, m.then, m.now))
		}
	}
	return bad
}

// memory reads what the server holds.
func (v *server) memory(ctx context.Context) (m memory, err error) {
	g, err := v.gauges(ctx)
	if err != nil {
		return m, err
	}
	heap, idle := heapOf(g.value)
	m = memory{at: g.at, run: g.run, rss: g.of(residentMetric),
		live: g.of(liveMetric), goal: g.of("go_memstats_next_gc_bytes"), kept: g.of(keptMetric),
		idle: idle / mb, heap: heap / mb, rest: g.of(residentLess) - g.of(liveLess),
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if m.born = v.born; v.cmd == nil {
		return m, nil
	}
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", v.cmd.Process.Pid))
	if err != nil {
		return m, err
	}
	defer func() { _ = f.Close() }()
	for in := bufio.NewScanner(f); in.Scan(); {
		if rest, ok := strings.CutPrefix(in.Text(), "Pss:"); ok {
			kb, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(rest, "kB")))
			if err != nil {
				return m, err
			}
			m.pss = float64(kb) / 1024
		}
	}
	return m, nil
}

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
// collection: what lives on its heap, and what the system has given it.
type memory struct {
	at             time.Time
	run            int
	live, rss, pss float64
}

func (m memory) String() string {
	return fmt.Sprintf("live heap %.1f MB, RSS %.0f MB, Pss %.0f MB", m.live, m.rss, m.pss)
}

// What may be more at the last rest than at the one before it: a twentieth, and
// so many MB.
const (
	liveSlack = 3
	rssSlack  = 16
)

// The runtime collects every two minutes if nothing else makes it, and gives
// what it does not need back in passing.
const (
	collectsWithin = 150 * time.Second
	givesBack      = time.Minute
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
	last := memory{rss: 1 << 20}
	for end := time.Now().Add(givesBack); time.Now().Before(end) && ctx.Err() == nil; pause(ctx, lookEvery) {
		m, err := o.server.memory(ctx)
		if err != nil {
			return append(bad, err.Error())
		}
		level := m.rss > last.rss-1
		if last = m; level {
			break
		}
	}
	w.rests = append(w.rests, last)
	fmt.Printf("soak: rest %d: %s\n", len(w.rests), last)
	return bad
}

// risen compares the last two rests of one process.
func risen(rests []memory) (bad []string) {
	n := len(rests)
	if n < 2 || rests[n-1].run != rests[n-2].run {
		return nil
	}
	a, b := rests[n-2], rests[n-1]
	for _, m := range []struct {
		name      string
		then, now float64
		slack     float64
	}{{"live heap", a.live, b.live, liveSlack}, {"RSS", a.rss, b.rss, rssSlack}, {"Pss", a.pss, b.pss, rssSlack}} {
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
	m = memory{at: g.at, run: g.run, live: g.of("go_gc_heap_live_bytes"), rss: g.of("process_resident_memory_bytes")}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.cmd == nil {
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

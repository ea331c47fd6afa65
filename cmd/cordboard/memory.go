package main

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"time"
)

// How much the heap may grow between two garbage collections, in percent of
// what lives. A call's SIP transactions live for half a minute after it (RFC
// 3261 timers) and the records of customers for longer, so that most of what a
// collection looks at is there to stay: under load the collector would take a
// fifth of the server with Go's own 100. With callers who only wait it has little
// to do, and half as much memory that lies about serves them.
const (
	growLeast = 50
	growMost  = 400
)

// What may be used for that room is a share of the memory this process is
// given: the heap grows to a quarter of it, and beyond only as far as what lives
// needs with growLeast. So a small machine or container is not filled with what
// lies about, and a large one is not held back. What lives is bounded by the
// limits on calls and by the sizes of what is remembered.
const heapShare = 4

// limitOf is how much this process may take before the collector does all it can
// (the runtime's soft limit): the percentage follows once a second, and what lives
// may grow severalfold within one. The rest is the system's, for what is no heap.
func limitOf(given uint64) int64 { return int64(min(given, math.MaxInt64)) / 4 * 3 }

const (
	pace  = time.Second
	apart = 5 // seconds that the room should last for
	// calm is how many seconds in a row without a need for more than the least room
	// are the end of a load. The percentage is at its least by then.
	calm = 3
)

// collector decides how far the heap may grow, once a second.
type collector struct {
	percent int
	most    uint64 // bytes that the heap may grow to; 0: as it likes
	quiet   int    // seconds without a need for more than the least room, up to calm
}

// next is told how many bytes the last second has allocated, and how many live.
// There is more room at once when it is needed, and half of it goes each second
// that it is not. At the end of a load there is to be a collection: with little
// allocated the next may be two minutes off, and until one comes the runtime
// keeps what the load has used, a third of the memory of callers who wait.
func (c *collector) next(allocated, live uint64) (percent int, collect bool) {
	need := growLeast
	for need < growMost && live*uint64(need)/100 < apart*allocated {
		need *= 2
	}
	c.percent = max(need, c.percent/2)
	if need > growLeast {
		c.quiet = 0
	} else if c.quiet < calm {
		c.quiet++
		collect = c.quiet == calm
	}
	if c.most == 0 || live == 0 {
		return c.percent, collect
	}
	room := uint64(0)
	if c.most > live {
		room = min((c.most-live)*100/live, growMost)
	}
	return max(min(c.percent, int(room)), growLeast), collect
}

// given is how much memory this process may have, by the machine and by the
// control groups it is in; 0 where neither says.
func given(root fs.FS) (bytes uint64) {
	least := func(n uint64) {
		if n > 0 && (bytes == 0 || n < bytes) {
			bytes = n
		}
	}
	if b, err := fs.ReadFile(root, "proc/meminfo"); err == nil {
		var kb uint64
		if _, err := fmt.Sscanf(string(b), "MemTotal: %d kB", &kb); err == nil {
			least(kb << 10)
		}
	}
	b, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return bytes
	}
	for line := range strings.Lines(string(b)) {
		// NUMBER:CONTROLLERS:GROUP, without a number and controllers in version 2.
		number, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		top, file := "sys/fs/cgroup", "memory.max"
		if number != "0" {
			top, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
			if !slices.Contains(strings.Split(controllers, ","), "memory") {
				continue
			}
		}
		// A group beside those that we see of is told as "/../GROUP": all that we
		// see is above it.
		for dir := path.Join(top, path.Join("/", group)); strings.HasPrefix(dir, top); dir = path.Dir(dir) {
			b, err := fs.ReadFile(root, path.Join(dir, file))
			if n, bad := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64); err == nil && bad == nil { // or "max"
				least(n)
			}
		}
	}
	return bytes
}

// tuneCollector fits the garbage collector to the load until ctx ends. Whoever
// sets GOGC has decided himself, and whoever sets GOMEMLIMIT on the limit.
func tuneCollector(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	memory := given(os.DirFS("/"))
	if memory > 0 && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limitOf(memory))
	}
	c := collector{percent: growLeast, most: memory / heapShare}
	set := c.percent
	debug.SetGCPercent(set)
	figures := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
	read := func() (allocated, live uint64) {
		metrics.Read(figures)
		if figures[0].Value.Kind() != metrics.KindUint64 || figures[1].Value.Kind() != metrics.KindUint64 {
			return 0, 0
		}
		return figures[0].Value.Uint64(), figures[1].Value.Uint64()
	}
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for last, _ := read(); ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now, live := read()
		percent, collect := c.next(now-last, live)
		if percent != set {
			set = percent
			debug.SetGCPercent(set)
		}
		if collect {
			// By itself the runtime keeps a tenth more than what was in use at the end
			// of the last mark, with all that the sweep then found dead.
			debug.FreeOSMemory()
		}
		last = now
	}
}

package main

import (
	"fmt"
	"slices"
)

// Metrics of the server's memory, and what they are made into.
const (
	residentMetric = "process_resident_memory_bytes"
	liveMetric     = "go_gc_heap_live_bytes"
	keptMetric     = "cordboard_customers_kept_bytes"

	// outsideMetric is what is resident and neither the heap's nor the runtime's, by
	// the runtime's word of the same moment: the program, and what the database
	// library keeps.
	outsideMetric = "soak_outside_bytes"
	// cachesMetric is what the database library may keep of its file.
	cachesMetric = "soak_caches_bytes"
	// liveLess is what lives less the customers kept in memory, which have the longer
	// a history the more calls there have been; they have a bound of their own.
	liveLess = "soak_live_less_bytes"
	// residentLess is what is resident less those, less the room on the heap, and
	// less pages of the database's file.
	residentLess = "soak_resident_less_bytes"
)

const (
	mb = 1 << 20
	// keptMost is screenpop/customer's bound, and what the latest match may take on
	// top of it.
	keptMost = 64*mb + 1*mb
	// pageCache is what an SQLite connection may keep of its file, with a tenth for
	// the library's own about each page and the allocator's. One that is seldom used
	// fills it in hours, up to that.
	pageCache = 16_000 << 10 * 11 / 10
	// outsideSlack is for figures that are read a moment apart, the heap growing in
	// between, and for the C library's own.
	outsideSlack = 40 * mb
)

// What the runtime has of the system beside the heap.
var runtimesOwn = [...]string{"stack_sys", "mspan_sys", "mcache_sys", "buck_hash_sys", "gc_sys", "other_sys"}

// heapOf is what the heap has of the system, and what of it is idle.
func heapOf(value map[string]float64) (all, idle float64) {
	idle = value["go_memstats_heap_idle_bytes"] - value["go_memstats_heap_released_bytes"]
	return value["go_memstats_heap_inuse_bytes"] + idle, idle
}

// account makes the figures of a reading that the server does not tell itself.
func (v *server) account(value map[string]float64) {
	heap, _ := heapOf(value)
	outside := value[residentMetric] - heap
	for _, name := range runtimesOwn {
		outside -= value["go_memstats_"+name+"_bytes"]
	}
	caches := 0.0
	if v.cluster == nil {
		caches = pageCache * (value[`cordboard_store_connections{pool="read"}`] + value[`cordboard_store_connections{pool="write"}`])
	}
	pages := min(max(outside-v.program, 0), caches)
	value[outsideMetric], value[cachesMetric] = outside, caches
	value[liveLess] = value[liveMetric] - value[keptMetric]
	value[residentLess] = value[residentMetric] - heap - pages + value[liveLess]
}

// unexplained tells of memory that has no name: what is resident, and neither the
// heap's nor the runtime's, must be the program, all of which may be in memory,
// and pages of the database's file; and the customers kept must not be more than
// they may.
func (v *server) unexplained(all []gauges) (bad []string) {
	var worst, limit, kept float64
	if bad = untold(all); len(bad) > 0 {
		return bad
	}
	for _, g := range all {
		may := v.program + g.value[cachesMetric] + outsideSlack
		if limit == 0 || g.value[outsideMetric]-may > worst-limit {
			worst, limit = g.value[outsideMetric], may
		}
		kept = max(kept, g.value[keptMetric])
	}
	fmt.Printf("soak: neither the heap's nor the runtime's: %.0f MB, of %.0f MB that the program and pages of the database may take; customers kept: %.1f MB of %d\n",
		worst/mb, limit/mb, kept/mb, keptMost/mb)
	if worst > limit {
		bad = append(bad, fmt.Sprintf("%.0f MB are resident that are neither the heap's nor the runtime's, where the program and pages of the database may take %.0f MB", worst/mb, limit/mb))
	}
	if kept > keptMost {
		bad = append(bad, fmt.Sprintf("%.1f MB of customers are kept in memory, of %d MB allowed", kept/mb, keptMost/mb))
	}
	return bad
}

// untold names the figures that the verdict on memory rests on and that the server
// has not told: a figure that is not there does not grow.
func untold(all []gauges) (bad []string) {
	for _, name := range []string{residentMetric, liveMetric, keptMetric, "go_memstats_heap_inuse_bytes", "go_memstats_stack_sys_bytes"} {
		if !slices.ContainsFunc(all, func(g gauges) bool { _, told := g.value[name]; return told }) {
			bad = append(bad, "nothing is known of memory: the server has not told "+name)
		}
	}
	return bad
}

package main

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"testing"
	"testing/fstest"
)

// The room is what some seconds allocate, but neither little nor much of what
// lives; it is there at once, and goes step by step.
func TestCollector(t *testing.T) {
	const live = 100
	c := collector{percent: growLeast}
	for _, step := range []struct {
		allocated uint64 // a second
		seconds   int
		want      []int
	}{
		{0, 3, []int{50}},
		{10, 3, []int{50}}, // what a moderate load takes
		{11, 2, []int{100}},
		{40, 2, []int{200}},
		{41, 2, []int{400}},
		{900, 2, []int{400}},                         // never above
		{20, 3, []int{200, 100}},                     // less of it
		{80, 1, []int{400}},                          // and more
		{0, 5, []int{200, 100, 50}},                  // never below
		{1 << 40, 2, []int{400}},                     // nobody can
		{0, 2, []int{200, 100}}, {21, 2, []int{200}}, // a short pause
	} {
		var got []int
		for range step.seconds {
			percent, _ := c.next(step.allocated, live)
			got = append(got, percent)
		}
		if got = slices.Compact(got); !slices.Equal(got, step.want) {
			t.Errorf("%d bytes a second for %d s: %v, want %v", step.allocated, step.seconds, got, step.want)
		}
	}
	// Before the first collection nobody knows what lives.
	if got, _ := c.next(1, 0); got != growMost {
		t.Errorf("nothing known to live: %d", got)
	}
}

// When a load has ended there is one collection, and not for each moment in which
// it is a little less.
func TestCollectsAfterALoad(t *testing.T) {
	const live, load, little = 100, 40, 1
	c := collector{percent: growLeast}
	var at []int
	for i, allocated := range []uint64{
		load, load, little, little, little, little, little, // 4: three seconds without it
		load, little, little, load, little, load, // a pause
		little, little, little, little, // 15
	} {
		percent, collect := c.next(allocated, live)
		if collect {
			at = append(at, i)
			if percent != growLeast {
				t.Errorf("second %d: the heap may still grow by %d %%", i, percent)
			}
		}
	}
	if want := []int{4, 15}; !slices.Equal(at, want) {
		t.Errorf("collects in the seconds %v, want %v", at, want)
	}
}

// Under load the heap may grow to a quarter of the memory given, whatever lives,
// and beyond only by what it must.
func TestCollectorKeepsToItsMemory(t *testing.T) {
	const mb = 1 << 20
	for _, step := range []struct{ live, most, goal uint64 }{
		{20 * mb, 256 * mb, 100 * mb},  // fivefold: there is room
		{100 * mb, 256 * mb, 256 * mb}, // a quarter
		{200 * mb, 256 * mb, 300 * mb}, // what it must
		{900 * mb, 256 * mb, 1350 * mb},
		{900 * mb, 0, 4500 * mb}, // nobody said
	} {
		c := collector{percent: growLeast, most: step.most}
		percent := 0
		for range 10 {
			percent, _ = c.next(step.live, step.live)
		}
		goal := step.live + step.live*uint64(percent)/100
		if goal > step.goal || goal < step.goal-step.live/100 {
			t.Errorf("%d MB live of %d: the heap grows to %d MB, want %d", step.live/mb, step.most/mb, goal/mb, step.goal/mb)
		}
	}
}

// The memory given is the machine's, or less by any control group above us.
func TestGiven(t *testing.T) {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	machine := file("MemTotal:        2097152 kB\nMemFree: 1 kB\n")
	for name, c := range map[string]struct {
		files fstest.MapFS
		want  uint64
	}{
		"nobody says": {fstest.MapFS{}, 0},
		"machine":     {fstest.MapFS{"proc/meminfo": machine}, 2 << 30},
		"container": {fstest.MapFS{
			"proc/meminfo": machine, "proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("536870912\n"),
		}, 512 << 20},
		"service in a slice": {fstest.MapFS{
			"proc/meminfo": machine, "proc/self/cgroup": file("12:cpu:/x\n0::/a.slice/b.service\n"),
			"sys/fs/cgroup/a.slice/memory.max": file("1073741824\n"), "sys/fs/cgroup/a.slice/b.service/memory.max": file("max\n"),
		}, 1 << 30},
		"older container": {fstest.MapFS{
			"proc/meminfo": machine, "proc/self/cgroup": file("5:cpu,cpuacct:/docker/x\n4:memory:/docker/x\n0::/\n"),
			"sys/fs/cgroup/memory/memory.limit_in_bytes": file("268435456\n"),
		}, 256 << 20},
		"moved out of the container's group": {fstest.MapFS{
			"proc/meminfo": machine, "proc/self/cgroup": file("0::/../../init.scope\n"), "sys/fs/cgroup/memory.max": file("536870912\n"),
		}, 512 << 20},
		"more than there is": {fstest.MapFS{
			"proc/meminfo": machine, "proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("9999999999999\n"),
		}, 2 << 30},
	} {
		if got := given(c.files); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// A burst is bounded before the second is over, by three quarters of the memory
// given; who has set a limit or the percentage keeps his own.
func TestMemoryLimit(t *testing.T) {
	memory := given(os.DirFS("/"))
	if memory == 0 {
		t.Skip("nobody says how much memory there is")
	}
	limit, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(100)
	defer func() { debug.SetMemoryLimit(limit); debug.SetGCPercent(percent) }()
	ended, end := context.WithCancel(t.Context())
	end()
	const own = 1 << 40
	for _, c := range []struct {
		gogc, gomemlimit string
		want             int64
	}{{"", "", int64(memory / 4 * 3)}, {"", "1TiB", own}, {"100", "", own}, {"100", "1TiB", own}} {
		t.Setenv("GOGC", c.gogc)
		t.Setenv("GOMEMLIMIT", c.gomemlimit)
		debug.SetMemoryLimit(own)
		tuneCollector(ended)
		if got := debug.SetMemoryLimit(-1); got != c.want {
			t.Errorf("GOGC=%s GOMEMLIMIT=%s: a limit of %d, want %d", c.gogc, c.gomemlimit, got, c.want)
		}
	}
	if got := limitOf(math.MaxUint64); got <= 0 {
		t.Errorf("a machine without end has a limit of %d", got)
	}
}

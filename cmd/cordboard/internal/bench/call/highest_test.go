package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/bench"
)

// rated is a server that serves up to a rate, and fails some calls above it.
func rated(limit int, cpuUS float64, tries *int) server {
	return server{"rated", func(_ context.Context, rate int, length time.Duration) (measured, error) {
		*tries++
		calls := rate * int(length/time.Second)
		m := measured{outcome: outcome{made: calls, ok: calls}, cpuUS: cpuUS, took: length}
		if rate > limit {
			m.ok = calls * 9 / 10
		}
		return m, nil
	}}
}

// A search comes near the limit in a few tries, wherever it begins.
func TestClimb(t *testing.T) {
	for _, guess := range []int{300, 700, 990, 1010, 1500, 2900} {
		tries := 0
		l := &lab{report: bench.New(&bytes.Buffer{}, "test")}
		l.high = 20 * time.Second
		f, err := l.climb(t.Context(), rated(1000, 900, &tries), guess, time.Now().Add(time.Hour))
		if err != nil || f.low > 1000 || f.high <= 1000 || float64(f.high) >= highNear*float64(f.low) {
			t.Errorf("from %d: %+v, %v", guess, f, err)
		}
		if tries > 9 {
			t.Errorf("from %d: %d tries", guess, tries)
		}
	}
}

// A search whose time is over says what it knows, and that it is no more.
func TestClimbBounded(t *testing.T) {
	var out bytes.Buffer
	tries := 0
	l := &lab{report: bench.New(&out, "test")}
	l.high = 20 * time.Second
	f, err := l.climb(t.Context(), rated(1000, 900, &tries), 700, time.Now())
	if err != nil || f != (found{low: 700}) || tries != 1 {
		t.Errorf("%+v after %d tries, %v", f, tries, err)
	}
	if !strings.Contains(out.String(), "700 calls/s were served, 0 were not") {
		t.Errorf("told: %s", out.String())
	}
}

// A proxy that loses calls at any rate leaves the mark to the other.
func TestProxiesOther(t *testing.T) {
	tries := 0
	l := &lab{report: bench.New(&bytes.Buffer{}, "test")}
	l.high = 20 * time.Second
	f, err := l.proxies(t.Context(), []server{rated(1000, 950, &tries), rated(0, 900, &tries)}, time.Now().Add(time.Hour))
	if err != nil || f.low == 0 || f.low > 1000 {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestHolds(t *testing.T) {
	l := &lab{}
	l.high = 10 * time.Second
	good := measured{outcome: outcome{made: 1000, ok: 999}, took: 12 * time.Second}
	if !l.holds(100, good) {
		t.Error("a run with 99.9 % served does not count")
	}
	for name, spoil := range map[string]func(*measured){
		"two failed":  func(m *measured) { m.ok = 998 },
		"given up":    func(m *measured) { m.made, m.ok = 900, 900 },
		"fell behind": func(m *measured) { m.took = 17 * time.Second },
	} {
		m := good
		spoil(&m)
		if l.holds(100, m) {
			t.Errorf("a run counts: %s", name)
		}
	}
}

func TestMedianError(t *testing.T) {
	if got := medianError([]float64{190, 200, 210, 220}); math.Abs(got-1.57*20/2) > 1e-9 {
		t.Errorf("error %v", got)
	}
}

// The clock of CPU time moves with what is used, finer than /proc tells it.
func TestCPUClock(t *testing.T) {
	pid := os.Getpid()
	begin := cpu(pid)
	if begin == 0 {
		t.Fatal("no CPU time was used so far")
	}
	finer := false
	for range 1000 {
		now := cpu(pid)
		if now < begin {
			t.Fatalf("CPU time goes back: %v, %v", begin, now)
		}
		finer = finer || now%(10*time.Millisecond) != 0 && now > begin
	}
	if !finer {
		t.Error("CPU time is told in steps of 10 ms")
	}
}

package journal

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// A run is read from its start, across segments, and so are the runs after it.
func TestReadFrom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }
	old := start(t, dir, Options{}) // of an earlier release: it has no start
	add(t, old, 1, 3)
	closed(t, old)
	for run := range 3 {
		j := start(t, dir, Options{})
		from := 100 * (run + 1)
		if err := j.Append(at(from-1), routing.Started{Version: run, SHA256: "ab"}); err != nil {
			t.Fatal(err)
		}
		add(t, j, from, from+20)
		closed(t, j)
		more := start(t, dir, Options{}) // a further segment, as when one has grown enough
		add(t, more, from+21, from+30)
		closed(t, more)
	}
	for _, when := range []int{99, 115, 199, 250, 330, 9999} {
		run := min(when/100, 3)
		if when == 99 || when == 199 {
			run++
		}
		var got, want []int
		err := ReadFrom(dir, at(when), func(_ time.Time, ev routing.Event) error {
			switch ev := ev.(type) {
			case routing.Started:
				got = append(got, -ev.Version)
			case routing.CallerGone:
				got = append(got, int(ev.Call))
			}
			return nil
		})
		for ; run <= 3; run++ {
			want = append(want, -(run - 1))
			for i := range 31 {
				want = append(want, 100*run+i)
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("the run of %ds: %v, %v", when, got, err)
		}
	}
	if err := ReadFrom(dir, at(98), nil); !errors.Is(err, ErrNoRun) {
		t.Errorf("before the first start: %v", err)
	}
	stop := errors.New("enough")
	if err := ReadFrom(dir, at(115), func(time.Time, routing.Event) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("stopped: %v", err)
	}
}

// Behind a gap nothing is handed over.
func TestReadFromStopsAtAGap(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := start(t, dir, Options{})
	if err := j.Append(t0, routing.Started{}); err != nil {
		t.Fatal(err)
	}
	add(t, j, 1, 3)
	j.mu.Lock()
	j.seq++ // lost
	j.mu.Unlock()
	add(t, j, 4, 6)
	closed(t, j)
	n := 0
	var damage *DamageError
	if err := ReadFrom(dir, t0, func(time.Time, routing.Event) error { n++; return nil }); !errors.As(err, &damage) || damage.Lost != 1 || n != 4 {
		t.Errorf("%d events handed over, %v", n, err)
	}
}

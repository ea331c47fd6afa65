package configs

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// There may be something to say of each of very many agents, and a step that admits
// none of very many anew: eight times as many take about eight times as long, by the
// time of this thread alone, and not sixty-four times.
func TestLintOfManyAgents(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for name, work := range map[string]func(n int) func(){
		"a finding for each": func(n int) func() {
			list := &node{}
			for i := range n {
				list.pairs = append(list.pairs, pair{key: fmt.Sprintf("agent%06d", i), line: i + 2, value: &node{}})
			}
			c := &compiler{reader: &reader{file: "x.yaml"}}
			root := &node{pairs: []pair{{key: "agents", line: 1, value: list}}}
			return func() {
				l := &linter{compiler: c, root: root, index: map[*node]map[string]int{}}
				for _, p := range list.pairs {
					l.agent(p.key, "A801", p.key, "fits no queue at any step")
				}
				for i, f := range l.said {
					if f.Line != i+2 || f.Path != "agents."+list.pairs[i].key {
						t.Fatalf("finding %d is at line %d, of %s", i, f.Line, f.Path)
					}
				}
			}
		},
		"a step that admits nobody new": func(n int) func() {
			l := &linter{compiler: &compiler{reader: &reader{}}, root: &node{}}
			all := make([]int, n)
			for i := range all {
				all[i] = i
				l.staff = append(l.staff, &group{ids: []string{fmt.Sprintf("agent%06d", i)}})
			}
			q := &routing.Queue{Name: "desk", Steps: []routing.Step{{Need: &rule.Need{}}}}
			f := fits{by: [][][]int{{all, all}}}
			return func() {
				l.said = nil
				if l.lintAdmits(q, f); len(l.said) != 1 || l.said[0].Code != "S402" {
					t.Fatalf("found: %v", l.said)
				}
			}
		},
	} {
		const few, times = 4000, 8
		one, more := leastTime(t, work(few)), leastTime(t, work(few*times))
		t.Logf("%s: %d take %v, %d take %v", name, few, one, few*times, more)
		if ratio := float64(more) / float64(one); ratio > 4*times {
			t.Errorf("%s: %d times as many agents take %.0f times as long", name, times, ratio)
		}
	}
}

// leastTime is the least processor time of the test's own thread that some runs take.
func leastTime(t *testing.T, run func()) time.Duration {
	t.Helper()
	least := time.Hour
	for range 5 {
		began := threadTime(t)
		run()
		least = min(least, threadTime(t)-began)
	}
	return max(least, time.Microsecond)
}

func threadTime(t *testing.T) time.Duration {
	t.Helper()
	var at unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &at); err != nil {
		t.Fatal(err)
	}
	return time.Duration(at.Nano())
}

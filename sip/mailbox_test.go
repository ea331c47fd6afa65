package sip

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// do does the items that have something to do.
func do(items []item) {
	for _, it := range items {
		it.fn()
	}
}

func TestMailboxKeepsOrderAndNeverBlocks(t *testing.T) {
	var lengths, got []int
	m := newMailbox(do, func(n int) { lengths = append(lengths, n) })
	for i := range 3 * watchFrom {
		m.put(item{fn: func() { got = append(got, i) }})
	}
	if len(got) != 0 {
		t.Error("work is done before the mailbox is open")
	}
	m.run()
	if len(got) != 3*watchFrom || !slices.IsSorted(got) {
		t.Errorf("%d items, sorted %v", len(got), slices.IsSorted(got))
	}
	if want := []int{watchFrom, 2 * watchFrom}; !slices.Equal(lengths, want) {
		t.Errorf("watch told %v, want %v", lengths, want)
	}
}

func TestMailboxFromManyGoroutines(t *testing.T) {
	var m *mailbox
	var work atomic.Int32
	done := 0 // by one at a time: the race detector sees it if not
	all := make(chan struct{})
	m = newMailbox(func(items []item) {
		if work.Add(1) != 1 {
			t.Error("two at work")
		}
		do(items)
		work.Add(-1)
	}, func(int) {})
	m.open()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				m.put(item{fn: func() {
					if done++; done == 800 {
						close(all)
					}
				}})
			}
		})
	}
	wg.Wait()
	<-all // waits for ever if nobody is woken
	m.close()
	if m.put(item{fn: func() { t.Error("done after close") }}) || len(m.items) != 0 {
		t.Error("kept after close")
	}
}

// A call that waits has no goroutine.
func TestMailboxRestsWithoutGoroutine(t *testing.T) {
	m := newMailbox(do, func(int) {})
	m.open()
	for range 3 {
		done := make(chan struct{})
		m.put(item{fn: func() { close(done) }})
		<-done
		for m.atWork() {
			runtime.Gosched()
		}
	}
}

func (m *mailbox) atWork() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.busy
}

package sip

import (
	"slices"
	"sync"
	"testing"
)

func TestMailboxKeepsOrderAndNeverBlocks(t *testing.T) {
	var lengths []int
	m := newMailbox(func(n int) { lengths = append(lengths, n) })
	var got []int
	for i := range 3 * watchFrom {
		m.put(item{fn: func() { got = append(got, i) }})
	}
	for _, it := range m.take() {
		it.fn()
	}
	if len(got) != 3*watchFrom || !slices.IsSorted(got) {
		t.Errorf("%d items, sorted %v", len(got), slices.IsSorted(got))
	}
	if want := []int{watchFrom, 2 * watchFrom}; !slices.Equal(lengths, want) {
		t.Errorf("watch told %v, want %v", lengths, want)
	}
}

func TestMailboxFromManyGoroutines(t *testing.T) {
	m := newMailbox(func(int) {})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				m.put(item{fn: func() {}})
			}
		})
	}
	for n := 0; n < 800; { // blocks for ever if a wake-up is lost
		n += len(m.take())
	}
	wg.Wait()
	m.close()
	m.put(item{fn: func() { t.Error("taken after close") }})
	if len(m.items) != 0 {
		t.Error("kept after close")
	}
}

package sip

import (
	"sync"

	"github.com/cordboard/cordboard/sip/stack"
)

// mailbox is a call's queue of work. It has no bound, because neither the
// engine nor the stack may ever wait for a call; watch is told each time its
// length doubles past watchFrom, so that a call that does not keep up is seen.
type mailbox struct {
	mu     sync.Mutex
	items  []item
	ready  chan struct{} // holds a token while there is something to take
	closed bool
	mark   int
	watch  func(length int)
	legs   []*leg // that events come from
}

const watchFrom = 256

func newMailbox(watch func(int)) *mailbox {
	return &mailbox{ready: make(chan struct{}, 1), mark: watchFrom, watch: watch}
}

// put never blocks. What comes after close is dropped, and put says false: the
// call is over and its dialogs have been given their last orders.
func (m *mailbox) put(it item) bool {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return false
	}
	m.items = append(m.items, it)
	n, watch := len(m.items), m.watch
	over := n >= m.mark
	if over {
		m.mark *= 2
	}
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default:
	}
	if over {
		watch(n)
	}
	return true
}

// sink posts a leg's events. It knows the mailbox alone, which lets go of call
// and legs when it is closed: a dialog is remembered, and its sink with it, for
// 64*T1 after its end.
func (m *mailbox) sink(l *leg) stack.Sink {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := len(m.legs)
	m.legs = append(m.legs, l)
	return func(ev stack.Event) {
		if l := m.leg(n); l != nil {
			m.put(item{leg: l, ev: ev})
		}
	}
}

// leg is the leg of a number, nil after close.
func (m *mailbox) leg(n int) *leg {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	return m.legs[n]
}

// take waits for the next batch.
func (m *mailbox) take() []item {
	<-m.ready
	m.mu.Lock()
	defer m.mu.Unlock()
	out := m.items
	m.items = nil
	return out
}

// close gives back what nobody has taken.
func (m *mailbox) close() (left []item) {
	m.mu.Lock()
	defer m.mu.Unlock()
	left = m.items
	m.closed, m.items, m.legs, m.watch = true, nil, nil, nil
	return left
}

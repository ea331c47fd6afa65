package sip

import (
	"sync"

	"github.com/cordboard/cordboard/sip/stack"
)

// mailbox is a call's queue of work, and the goroutine that does it: one at a
// time, and none while there is nothing to do, since most calls wait and a
// goroutine that does so keeps its stack. It has no bound, because neither the
// engine nor the stack may ever wait for a call; watch is told each time its
// length doubles past watchFrom, so that a call that does not keep up is seen.
type mailbox struct {
	mu     sync.Mutex
	items  []item
	busy   bool // somebody does the work, or it has not been opened yet
	closed bool
	mark   int
	work   func([]item) // of one batch, the call's
	watch  func(length int)
	legs   []*leg // that events come from
}

const watchFrom = 256

// newMailbox makes a mailbox that gathers until it is opened.
func newMailbox(work func([]item), watch func(int)) *mailbox {
	return &mailbox{busy: true, mark: watchFrom, work: work, watch: watch}
}

// open lets the work begin.
func (m *mailbox) open() { go m.run() }

// run does what there is, and what comes meanwhile.
func (m *mailbox) run() {
	for {
		m.mu.Lock()
		items, work := m.items, m.work
		m.items = nil
		if len(items) == 0 {
			m.busy = false
			m.mu.Unlock()
			return
		}
		m.mu.Unlock()
		work(items)
	}
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
	idle := !m.busy
	m.busy = true
	m.mu.Unlock()
	if idle {
		go m.run()
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

// close gives back what nobody has taken.
func (m *mailbox) close() (left []item) {
	m.mu.Lock()
	defer m.mu.Unlock()
	left = m.items
	m.closed, m.items, m.legs, m.work, m.watch = true, nil, nil, nil, nil
	return left
}

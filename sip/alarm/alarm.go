// Package alarm rings many alarms with few timers. A call sets dozens of
// alarms, most of a handful of durations, and stops nearly all of them long
// before their time. The runtime's timers are one heap, which every timer that
// is moved has it search from end to end: alarms of one duration stand in a
// queue instead, in the order of their times, and one timer waits for its head.
//
// It never starts a goroutine of its own, and knows nothing of what it calls.
// The call (sip) and the SIP stack (sip/stack) set alarms.
package alarm

import (
	"sync"
	"time"
)

// Clock holds alarms. The zero value is ready; all methods are safe for
// concurrent use.
type Clock struct {
	mu     sync.Mutex
	queues map[time.Duration]*queue // those with an alarm, and a few that had one
}

// spare is how many queues may stand empty until their time has passed: most are
// wanted again. Durations that others choose, the Expires of their INVITEs, must
// not fill the memory with queues of an hour or a year.
const spare = 64

// queue is the alarms of one duration, linked in a ring with its head.
type queue struct {
	clock *Clock
	d     time.Duration
	head  Alarm // its next is the first
	timer *time.Timer
}

// Alarm is a call that is to come.
type Alarm struct {
	queue      *queue
	prev, next *Alarm // nil once it has rung or was stopped
	at         time.Time
	f          func()
}

// After calls f when d has passed, at most a 64th of d later, on a goroutine
// that others of the same d wait for: f must not block.
func (c *Clock) After(d time.Duration, f func()) *Alarm {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.queues[d]
	if q == nil {
		if c.queues == nil {
			c.queues = map[time.Duration]*queue{}
		}
		q = &queue{clock: c, d: d}
		q.head.prev, q.head.next = &q.head, &q.head
		q.timer = time.AfterFunc(d, q.ring)
		c.queues[d] = q
	}
	last := q.head.prev
	a := &Alarm{queue: q, prev: last, next: &q.head, at: time.Now().Add(d), f: f}
	last.next, q.head.prev = a, a
	return a
}

// Stop prevents the call; false when it was too late, or a is nil.
func (a *Alarm) Stop() bool {
	if a == nil {
		return false
	}
	q := a.queue
	q.clock.mu.Lock()
	defer q.clock.mu.Unlock()
	if !a.leave() {
		return false
	}
	if q.head.next == &q.head && len(q.clock.queues) > spare && q.timer.Stop() {
		delete(q.clock.queues, q.d)
	}
	return true
}

// leave takes the alarm out of its queue. The clock's mu is held.
func (a *Alarm) leave() bool {
	if a.next == nil {
		return false
	}
	a.prev.next, a.next.prev = a.next, a.prev
	a.prev, a.next, a.f = nil, nil, nil
	return true
}

// ring calls those whose time has come.
func (q *queue) ring() {
	for f := q.due(); f != nil; f = q.due() {
		f()
	}
}

// due takes the first alarm out whose time has come. When there is none, it
// sees to the timer.
func (q *queue) due() func() {
	q.clock.mu.Lock()
	defer q.clock.mu.Unlock()
	first := q.head.next
	if first == &q.head {
		delete(q.clock.queues, q.d)
		return nil
	}
	now := time.Now()
	if wait := first.at.Sub(now); wait > 0 {
		q.timer.Reset(max(wait, q.d/64))
		return nil
	}
	f := first.f
	first.leave()
	return f
}

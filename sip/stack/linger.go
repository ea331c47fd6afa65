package stack

import (
	"slices"
	"sync"
	"time"
)

// lingering is what outlives its end for 64*T1, to know a message that comes
// late or again (RFC 3261 17, Timers H and J; RFC 6026, Timers L and M). All
// stay equally long, so a queue with one timer does for what would be six
// timers a call, tens of thousands at some hundred calls a second.
type lingering struct {
	life time.Duration

	mu    sync.Mutex
	queue []leaver // in order of time
	armed bool
}

type leaver struct {
	at    time.Time
	leave func()
}

// add calls leave when the time has passed, at most a 64th of it later.
func (l *lingering) add(leave func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, leaver{time.Now().Add(l.life), leave})
	if !l.armed {
		l.armed = true
		time.AfterFunc(l.life, l.sweep)
	}
}

func (l *lingering) sweep() {
	for _, gone := range l.due(time.Now()) {
		gone.leave()
	}
}

// due takes those whose time has come, and sees to the others.
func (l *lingering) due(now time.Time) []leaver {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := slices.IndexFunc(l.queue, func(g leaver) bool { return g.at.After(now) })
	if n < 0 {
		due := l.queue
		l.queue, l.armed = nil, false
		return due
	}
	due := slices.Clone(l.queue[:n])
	clear(l.queue[:n])
	l.queue = l.queue[n:]
	time.AfterFunc(max(l.queue[0].at.Sub(now), l.life/64), l.sweep)
	return due
}

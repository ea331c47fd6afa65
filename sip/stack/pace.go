package stack

import (
	"runtime"
	"sync"
	"time"
)

// pace tells whether the processor keeps up, whatever it is and whoever else uses
// it: a rate in calls a second knows neither. More calls than it can do would all
// be late, be sent again and fail in the end, and those in hand with them; so new
// ones are refused while work waits for the processor (RFC 6357: by the load of
// the receiver). How long it waits, a runner tells that queues up with all else
// that is ready to run, sent when a call comes. One that was late is a burst, or a
// neighbour's turn; a queue that stands is what cannot be worked off.
type pace struct {
	wait   time.Duration // what a runner may take
	stands time.Duration // a queue does when all have taken more for so long

	mu    sync.Mutex
	sent  time.Time // the runner under way; zero: none is
	since time.Time // all have been late from here on; zero: the last one was not
	last  time.Time // one was back
	fresh int       // calls taken that have had no word of ours yet, but for 100
}

const (
	stale = time.Second // how long the last runner's word counts
	// few is as many as a rated load of 50 a second leaves waiting for a second,
	// which callers hardly notice: to be refused is worse.
	few = 50
)

// behind reports, when a call comes, whether it is one too many. send starts the
// runner on a goroutine, if there is none.
func (p *pace) behind(now time.Time, send func(runner func())) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.sent.IsZero():
		if now.Sub(p.last) > stale {
			p.since = time.Time{}
		}
		p.sent = now
		send(p.run)
	case now.Sub(p.sent) > p.wait && p.since.IsZero():
		p.since = p.sent.Add(p.wait)
	}
	return p.fresh >= few && !p.since.IsZero() && now.Sub(p.since) > p.stands
}

// awaits counts calls that wait for their first word, by n more.
func (p *pace) awaits(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fresh += n
}

// run is the runner.
func (p *pace) run() {
	runtime.Gosched() // behind all that is ready
	p.back(time.Now())
}

// back is a runner's return.
func (p *pace) back(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch late := now.Sub(p.sent) > p.wait; {
	case !late:
		p.since = time.Time{}
	case p.since.IsZero():
		p.since = p.sent.Add(p.wait)
	}
	p.sent, p.last = time.Time{}, now
}

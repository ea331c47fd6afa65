package media

import (
	"slices"
	"sync"
	"time"
)

// Streams are spread over four phases of the 20 ms frame, so that packets of
// many streams leave every 5 ms and not all at once.
const phaseCount = 4

// roomy is how many streams a phase takes before the next one is begun: their
// packets leave within half a millisecond.
const roomy = 64

// phase sends the packets of the streams given to it. What is due is computed
// from the clock: a tick that comes late or not at all loses no packet.
type phase struct {
	base  time.Time // some instant of this phase
	mu    sync.Mutex
	ports []*Port
	woken chan struct{} // capacity 1: a stream was added to an empty phase
	quit  chan struct{}
}

func newPhase(i int) *phase {
	return &phase{
		base:  time.Now().Add(time.Duration(i) * frameTime / phaseCount),
		woken: make(chan struct{}, 1),
		quit:  make(chan struct{}),
	}
}

// next is the first instant of this phase after now.
func (ph *phase) next(now time.Time) time.Time {
	gone := now.Sub(ph.base)
	n := gone/frameTime + 1
	if gone < 0 { // division rounds towards zero
		n = -((-gone - 1) / frameTime)
	}
	return ph.base.Add(n * frameTime)
}

func (ph *phase) size() int {
	ph.mu.Lock()
	defer ph.mu.Unlock()
	return len(ph.ports)
}

// add and remove are called with the port's lock held.
func (ph *phase) add(p *Port) {
	ph.mu.Lock()
	defer ph.mu.Unlock()
	p.play.active = true
	ph.ports = append(ph.ports, p)
	if len(ph.ports) == 1 {
		select {
		case ph.woken <- struct{}{}:
		default:
		}
	}
}

func (ph *phase) remove(p *Port) {
	ph.mu.Lock()
	defer ph.mu.Unlock()
	i := slices.Index(ph.ports, p)
	last := len(ph.ports) - 1
	ph.ports[i] = ph.ports[last]
	ph.ports[last] = nil
	ph.ports = ph.ports[:last]
	p.play.active = false
}

func (ph *phase) close() { close(ph.quit) }

// run sends until close. It sleeps while there is nothing to play.
func (ph *phase) run() {
	scratch := make([]byte, rtpHeaderLen+frameSamples)
	var batch []*Port
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if ph.size() == 0 {
			select {
			case <-ph.quit:
				return
			case <-ph.woken:
			}
		}
		timer.Reset(time.Until(ph.next(time.Now())))
		select {
		case <-ph.quit:
			return
		case <-timer.C:
		}
		ph.mu.Lock()
		batch = append(batch[:0], ph.ports...)
		ph.mu.Unlock()
		now := time.Now()
		for _, p := range batch {
			p.turn(now, scratch)
		}
		clear(batch) // keeps no closed port alive
	}
}

// turn is a port's turn to send.
func (p *Port) turn(now time.Time, scratch []byte) {
	defer p.recovered("sound")
	if done := p.sendDue(now, scratch); done != nil {
		done()
	}
}

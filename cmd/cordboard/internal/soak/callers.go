package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordboard/cordboard/sip/siptest"
)

// callers place calls through two trunks, one by UDP and one by TLS, and do with
// them what callers do.
type callers struct {
	trunk   *siptest.Trunk
	server  *server
	numbers []string
	cps     float64
	during  func() string // the fault that struck last
	wg      sync.WaitGroup

	placed  atomic.Int64 // INVITEs sent
	heard   atomic.Int64 // those that the server took: 180, 183 or 200
	refused atomic.Int64 // refused before that
	silent  atomic.Int64 // that nobody answered
	turned  atomic.Int64 // away, while the server was being restarted
	gaveUp  atomic.Int64 // before anything was heard
	onLine  atomic.Int64
	away    atomic.Bool  // the server is being restarted
	overdue atomic.Int64 // that had to be left to themselves

	mu       sync.Mutex
	secure   *siptest.Trunk
	leaving  []*siptest.Trunk // whose last calls may be going on
	refusals map[string]int   // by code and fault
}

func newCallers(v *server, through *siptest.Lossy, numbers []string, cps float64) (*callers, error) {
	c := &callers{server: v, numbers: numbers, cps: cps, refusals: map[string]int{}, during: func() string { return "" }}
	var err error
	if c.trunk, err = siptest.NewTrunk(context.Background(), siptest.TrunkOptions{Target: v.sip.String(), Through: through}); err != nil {
		return nil, err
	}
	if err := c.renew(); err != nil {
		c.trunk.Close()
		return nil, err
	}
	return c, nil
}

// renew lets the TLS calls to come use a new connection. Those under way go on
// over theirs.
func (c *callers) renew() error {
	t, err := siptest.NewTrunk(context.Background(), siptest.TrunkOptions{
		Transport: "tls", TLS: c.server.keys.client(), Target: c.server.secure.String(),
	})
	if err != nil {
		return err
	}
	c.mu.Lock()
	old := c.secure
	c.secure = t
	if old != nil {
		c.leaving = append(c.leaving, old)
	}
	c.mu.Unlock()
	if old == nil {
		return nil
	}
	time.AfterFunc(longest, func() {
		c.mu.Lock()
		c.leaving = slices.DeleteFunc(c.leaving, func(t *siptest.Trunk) bool { return t == old })
		c.mu.Unlock()
		old.Close()
	})
	return nil
}

func (c *callers) by(secure bool) *siptest.Trunk {
	if !secure {
		return c.trunk
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.secure
}

// plan is what one caller will do.
type plan struct {
	number, dialled string
	late            bool          // offers nothing: the server does
	cancel          time.Duration // gives up so long after dialling, answered or not; 0: stays
	stay            time.Duration // hangs up so long after the answer
	hold            bool
	secure          bool // by TLS
}

// draw makes a mixed lot: most talk, some give up, some ring and cancel, a few
// come without an offer or hold.
func (c *callers) draw(r *rand.Rand) plan {
	p := plan{number: c.numbers[r.IntN(len(c.numbers))], dialled: atQueue, secure: r.IntN(5) == 0}
	ms := func(from, to int) time.Duration { return time.Duration(from+r.IntN(to-from)) * time.Millisecond }
	p.stay = ms(1500, 5000)
	switch n := r.IntN(100); {
	case n < 25:
		p.stay = ms(3000, 8000) // or until the agent hangs up
	case n < 35:
		p.stay = ms(0, 400) // hardly waits
	case n < 45:
		p.dialled = withAgent
	case n < 55:
		p.dialled, p.cancel = withAgent, ms(1, 1500)
	case n < 60:
		p.cancel = ms(1, 30) // crosses whatever the server is just doing
	case n < 65:
		p.late = true
	case n < 75:
		p.hold = true
	}
	return p
}

// start places calls until the context ends.
func (c *callers) start(ctx context.Context, r *rand.Rand) {
	c.wg.Go(func() {
		next := time.Now()
		for ctx.Err() == nil {
			// Poisson arrivals, as callers who know nothing of each other.
			next = next.Add(time.Duration(r.ExpFloat64() / c.cps * float64(time.Second)))
			pause(ctx, time.Until(next))
			if ctx.Err() != nil {
				return
			}
			if late := time.Since(next); late > time.Second {
				next = time.Now() // this machine stood still: no burst to catch up
			}
			p := c.draw(r)
			c.wg.Go(func() { c.call(p) })
		}
	})
}

// longest is how long a call may last before it counts as stuck.
const longest = 100 * time.Second

func (c *callers) call(p plan) {
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	c.placed.Add(1)
	away := c.away.Load()
	c.onLine.Add(1)
	defer c.onLine.Add(-1)
	call, err := c.by(p.secure).Call(ctx, siptest.CallOptions{
		From: p.number, PAI: "<sip:" + p.number + "@trunk.example>", To: p.dialled, Behaviour: siptest.Behaviour{LateOffer: p.late},
	})
	if err != nil { // no connection, by TLS
		if away || c.away.Load() {
			c.turned.Add(1)
		} else {
			c.silent.Add(1)
		}
		return
	}
	if p.cancel > 0 {
		t := time.AfterFunc(p.cancel, func() { call.Cancel(); call.Hangup() })
		defer t.Stop()
	}
	if _, err := call.WaitFor(ctx, siptest.Answered); err == nil {
		c.talk(ctx, call, p)
	}
	code, err := call.Wait(ctx)
	_, rang := call.At(siptest.Progress)
	_, answered := call.At(siptest.Answered)
	switch {
	case err != nil:
		c.overdue.Add(1)
	case rang || answered:
		c.heard.Add(1)
	case away || c.away.Load():
		c.turned.Add(1)
	case code == 487 || p.cancel > 0:
		c.gaveUp.Add(1)
	case code == 408 || code == 0:
		c.silent.Add(1)
	default:
		c.refused.Add(1)
		c.mu.Lock()
		c.refusals[fmt.Sprintf("%d, %s", code, c.during())]++
		c.mu.Unlock()
	}
}

func (c *callers) talk(ctx context.Context, call *siptest.Call, p plan) {
	stay, cancel := context.WithTimeout(ctx, p.stay)
	defer cancel()
	if p.hold {
		_, _ = call.WaitFor(stay, siptest.ReinviteReceived) // joined with an agent
		hold(stay, call)
	}
	_, _ = call.Wait(stay)
	call.Hangup()
}

// hold holds the call for a moment. The robot does not notice by itself that a
// call has ended while its re-INVITE waits for an answer.
func hold(ctx context.Context, call *siptest.Call) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if call.Hold(ctx) == nil {
		pause(ctx, 300*time.Millisecond)
		_ = call.Unhold(ctx)
	}
}

func (c *callers) live() int64 { return c.onLine.Load() }

// wait waits until the last caller is off the line.
func (c *callers) wait(d time.Duration) bool {
	done := make(chan struct{})
	go func() { c.wg.Wait(); close(done) }()
	select {
	case <-done:
		return true
	case <-time.After(d):
		return false
	}
}

func (c *callers) String() string {
	return fmt.Sprintf("placed %d, taken %d, gave up at once %d, turned away by the restart %d, refused %d, unanswered %d, overdue %d",
		c.placed.Load(), c.heard.Load(), c.gaveUp.Load(), c.turned.Load(), c.refused.Load(), c.silent.Load(), c.overdue.Load())
}

// refusedBy tells of the refusals by code, and of the fault that had struck.
func (c *callers) refusedBy() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for _, what := range slices.Sorted(maps.Keys(c.refusals)) {
		fmt.Fprintf(&b, "; %s: %d", what, c.refusals[what])
	}
	return strings.TrimPrefix(b.String(), "; ")
}

func (c *callers) close() {
	c.trunk.Close()
	c.mu.Lock()
	trunks := append(slices.Clone(c.leaving), c.secure)
	c.mu.Unlock()
	for _, t := range trunks {
		t.Close()
	}
	c.wait(5 * time.Second)
}

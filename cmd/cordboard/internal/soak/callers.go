package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordboard/cordboard/sip/siptest"
)

// callers place calls through one trunk and do with them what callers do.
type callers struct {
	trunk   *siptest.Trunk
	numbers []string
	cps     float64
	wg      sync.WaitGroup

	placed   atomic.Int64 // INVITEs sent
	heard    atomic.Int64 // those that the server took: 180, 183 or 200
	refused  atomic.Int64 // refused before that
	silent   atomic.Int64 // that nobody answered
	turned   atomic.Int64 // away, while the server was being restarted
	gaveUp   atomic.Int64 // before anything was heard
	onLine   atomic.Int64
	away     atomic.Bool  // the server is being restarted
	overdue  atomic.Int64 // that had to be left to themselves
	mu       sync.Mutex
	refusals map[int]int // by code
}

func newCallers(target string, through *siptest.Lossy, numbers []string, cps float64) (*callers, error) {
	trunk, err := siptest.NewTrunk(context.Background(), siptest.TrunkOptions{Target: target, Through: through})
	if err != nil {
		return nil, err
	}
	return &callers{trunk: trunk, numbers: numbers, cps: cps, refusals: map[int]int{}}, nil
}

// plan is what one caller will do.
type plan struct {
	number, dialled string
	late            bool          // offers nothing: the server does
	cancel          time.Duration // gives up so long after dialling, answered or not; 0: stays
	stay            time.Duration // hangs up so long after the answer
	hold            bool
}

// draw makes a mixed lot: most talk, some give up, some ring and cancel, a few
// come without an offer or hold.
func (c *callers) draw(r *rand.Rand) plan {
	p := plan{number: c.numbers[r.IntN(len(c.numbers))], dialled: atQueue}
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
	call, err := c.trunk.Call(ctx, siptest.CallOptions{
		From: p.number, PAI: "<sip:" + p.number + "@trunk.example>", To: p.dialled, Behaviour: siptest.Behaviour{LateOffer: p.late},
	})
	if err != nil {
		c.silent.Add(1)
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
		c.refusals[code]++
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
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("placed %d, taken %d, gave up at once %d, turned away by the restart %d, refused %d %v, unanswered %d, overdue %d",
		c.placed.Load(), c.heard.Load(), c.gaveUp.Load(), c.turned.Load(), c.refused.Load(), c.refusals, c.silent.Load(), c.overdue.Load())
}

func (c *callers) close() {
	c.trunk.Close()
	c.wait(5 * time.Second)
}

// telephone is an agent's phone, with moods. It can be unplugged and plugged in
// again at the same address.
type telephone struct {
	name, uri, addr string

	mu    sync.Mutex
	rnd   *rand.Rand
	phone *siptest.Phone
	live  int // calls that were answered and are not over
}

func (t *telephone) plugIn() error {
	phone, err := siptest.NewPhone(context.Background(), siptest.Options{
		Name: t.name, Addr: t.addr, Behaviour: siptest.Behaviour{Ring: true, AnswerAfter: -1}, OnCall: t.rings,
	})
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.phone, t.uri = phone, phone.URI()
	t.addr = t.uri[len("sip:"+t.name+"@"):]
	return nil
}

func (t *telephone) unplug() {
	t.mu.Lock()
	phone := t.phone
	t.phone = nil
	t.mu.Unlock()
	if phone != nil {
		phone.Close()
	}
}

func (t *telephone) mood() (n int, after time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.phone != nil {
		t.phone.Forget()
	}
	return t.rnd.IntN(100), time.Duration(30+t.rnd.IntN(300)) * time.Millisecond
}

// rings answers most calls, refuses some, lets some ring, holds some.
func (t *telephone) rings(call *siptest.Call) {
	ctx, cancel := context.WithTimeout(context.Background(), longest)
	defer cancel()
	n, after := t.mood()
	wait, stop := context.WithTimeout(ctx, after)
	_, err := call.Wait(wait)
	stop()
	switch {
	case err == nil: // given up
		return
	case n < 2:
		_, _ = call.Wait(ctx) // nobody there
		return
	case n < 5:
		_ = call.Reject([]int{486, 603, 480}[n-2])
		return
	}
	if call.Answer() != nil {
		return
	}
	t.count(1)
	defer t.count(-1)
	if n < 12 {
		if _, err := call.WaitFor(ctx, siptest.AckReceived); err == nil {
			hold(ctx, call)
		}
	}
	_, _ = call.Wait(ctx)
}

func (t *telephone) count(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.live += n
}

func (t *telephone) talking() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.live
}

// story tells of the calls that are not over.
func (t *telephone) story() string {
	t.mu.Lock()
	phone := t.phone
	t.mu.Unlock()
	if phone == nil {
		return "it is unplugged"
	}
	var b strings.Builder
	for _, c := range phone.Calls() {
		if _, over := c.At(siptest.Over); over {
			continue
		}
		fmt.Fprintf(&b, "[%s:", c.Invite().Get("X-Cordboard-Call"))
		for _, e := range c.Events() {
			fmt.Fprintf(&b, " %s %s;", e.At.Format("15:04:05.000"), e.Kind)
		}
		b.WriteString("]")
	}
	return b.String()
}

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cordboard/cordboard/sip/siptest"
)

// telephone is an agent's phone, with moods. It can be unplugged and plugged in
// again at the same address.
type telephone struct {
	name, uri, addr string
	transport       string // udp, tcp
	secret          string // that it registers with; "" for a static contact
	plugged         chan struct{}

	mu    sync.Mutex
	rnd   *rand.Rand
	phone *siptest.Phone
	live  int // calls that were answered and are not over
}

func (t *telephone) plugIn() error {
	phone, err := siptest.NewPhone(context.Background(), siptest.Options{
		Name: t.name, Addr: t.addr, Transport: t.transport, Behaviour: siptest.Behaviour{Ring: true, AnswerAfter: -1}, OnCall: t.rings,
	})
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.phone, t.uri = phone, phone.URI()
	t.addr, _, _ = strings.Cut(t.uri[len("sip:"+t.name+"@"):], ";")
	select {
	case t.plugged <- struct{}{}:
	default:
	}
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

// registrations counts what becomes of the phones' REGISTERs.
type registrations struct {
	resting atomic.Bool // none is refreshed

	mu   sync.Mutex
	good int
	bad  map[string]int
}

func (r *registrations) add(code int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case code == 200:
		r.good++
	case err != nil:
		r.bad["not sent"]++ // unplugged, or the server is away
	default:
		r.bad[strconv.Itoa(code)]++
	}
}

// wrong tells of refusals that no fault of ours explains.
func (r *registrations) wrong() (bad []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for code, n := range r.bad {
		if code != "408" && code != "503" && code != "not sent" {
			bad = append(bad, fmt.Sprintf("phones with the right secret were refused with %s %d times", code, n))
		}
	}
	return bad
}

func (r *registrations) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprintf("%d registered, others %v", r.good, r.bad)
}

// keepRegistered registers the phone whenever it is plugged in, and anew every
// 10 to 30 s, with digest each time, until the context ends.
func (t *telephone) keepRegistered(ctx context.Context, at string, r *registrations) {
	var last *siptest.Phone
	for ctx.Err() == nil {
		t.mu.Lock()
		phone, wait := t.phone, 10*time.Second+time.Duration(t.rnd.IntN(20_000))*time.Millisecond
		t.mu.Unlock()
		if phone != nil && (phone != last || !r.resting.Load()) {
			ask, cancel := context.WithTimeout(ctx, 10*time.Second)
			code, after, err := phone.Register(ask, siptest.Registration{Registrar: at, Password: t.secret, Expires: 10 * time.Minute})
			cancel()
			if ctx.Err() != nil {
				return
			}
			r.add(code, err)
			if last = phone; code != 200 {
				last, wait = nil, max(after, time.Second)
			}
		}
		select {
		case <-t.plugged:
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
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

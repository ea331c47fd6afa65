// Package siptest holds robots that speak SIP and RTP: a telephone for an
// agent and a trunk that places calls. They note when everything happened by
// their own clock, send tones and measure what they hear. The tests and the
// built-in demo drive the product with them. Their SIP is their own, so that
// they share no mistake with the product; they implement what a telephone
// needs, and authenticate as a telephone that is registered. A Script is a peer without a
// mind of its own, for tests that force an order; a Lossy is a bad network.
package siptest

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Behaviour is what a robot does by itself.
type Behaviour struct {
	// Ring sends 180 first. Only a phone rings.
	Ring bool
	// AnswerAfter is how long after the INVITE a phone answers; negative: not
	// by itself, Call.Answer does.
	AnswerAfter time.Duration
	// AutoAnswer answers at once when the INVITE asks for it (Call-Info with
	// answer-after, RFC 5373; or Alert-Info with info=alert-autoanswer).
	AutoAnswer bool
	// Reject refuses with this code, AnswerAfter after the INVITE.
	Reject int
	// Silent answers nothing at all: a phone that is gone.
	Silent bool
	// DeafFor is how long a phone answers nothing to an INVITE, not even 100:
	// one that wakes up slowly. All else begins after it.
	DeafFor time.Duration
	// HangupAfter ends the call so long after its answer; 0: never.
	HangupAfter time.Duration
	// Tone is sent from the answer on, in hertz; 0: nothing is sent.
	Tone float64
	// RefuseReinvite is the code that every re-INVITE gets, 488 say; 0: they
	// are answered.
	RefuseReinvite int
	// LateOffer leaves the SDP out of a trunk's INVITE.
	LateOffer bool
}

// Options is what a Phone needs.
type Options struct {
	Name      string // user part of its URI; "phone" when empty
	Addr      string // "127.0.0.1:0" when empty
	Transport string // udp, tcp; udp when empty
	// T1 is the estimate of the round trip (RFC 3261 17.1.1.1); 0: 500 ms.
	T1 time.Duration
	// Through is a bad network that all of its SIP crosses; nil for none. Over
	// UDP only.
	Through   *Lossy
	Behaviour Behaviour
	// OnCall, when not nil, is told each new call, on a goroutine of its own
	// that Close waits for.
	OnCall func(*Call)
}

// Phone is an agent's telephone. Safe for concurrent use.
type Phone struct {
	ua     *ua
	onCall func(*Call)

	mu      sync.Mutex
	beh     Behaviour
	calls   []*Call
	changed chan struct{}

	registers string // Call-ID of its REGISTERs
	cseq      int    // of the last of them
}

// NewPhone starts a phone that lives until the context ends or Close.
func NewPhone(ctx context.Context, o Options) (*Phone, error) {
	if o.Name == "" {
		o.Name = "phone"
	}
	p := &Phone{beh: o.Behaviour, onCall: o.OnCall, changed: make(chan struct{})}
	u, err := openUA(ctx, o.Name, network{o.Transport, nil, o.Addr, o.T1, o.Through}, p.invited)
	if err != nil {
		return nil, err
	}
	p.ua = u
	return p, nil
}

// URI is the phone's contact.
func (p *Phone) URI() string { return p.ua.contact() }

// Set changes what the phone does with calls to come.
func (p *Phone) Set(b Behaviour) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.beh = b
}

// Calls are the calls that came in so far, in order.
func (p *Phone) Calls() []*Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*Call(nil), p.calls...)
}

// WaitCall waits for the n-th call, counted from 1.
func (p *Phone) WaitCall(ctx context.Context, n int) (*Call, error) {
	for {
		p.mu.Lock()
		changed := p.changed
		if len(p.calls) >= n {
			defer p.mu.Unlock()
			return p.calls[n-1], nil
		}
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Forget drops the calls that are over, for a phone that lives long.
func (p *Phone) Forget() {
	ended := map[*Call]bool{}
	for _, c := range p.Calls() { // without p.mu, which invited takes after what At needs
		_, ended[c] = c.At(Over)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = slices.DeleteFunc(p.calls, func(c *Call) bool { return ended[c] })
}

// Close drops the phone off the network: its peers hear nothing more.
func (p *Phone) Close() { p.ua.close() }

// invited runs with ua.mu held.
func (p *Phone) invited(c *Call, m *Message) {
	p.mu.Lock()
	c.beh = p.beh
	p.calls = append(p.calls, c)
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	if p.onCall != nil {
		c.ua.tp.wg.Go(func() { p.onCall(c) })
	}
	switch b := c.beh; {
	case b.Silent:
	case b.DeafFor > 0:
		c.ua.after(b.DeafFor, func() { c.behave(m) })
	default:
		c.behave(m)
	}
}

// behave is what a phone does with an INVITE by itself; ua.mu is held.
func (c *Call) behave(m *Message) {
	if c.state != early {
		return
	}
	b := c.beh
	if b.Ring {
		c.ring()
	} else {
		c.ua.reply(c.tx, 100, "Trying", nil, nil)
	}
	wait := b.AnswerAfter
	if b.AutoAnswer {
		if after, ok := autoAnswer(m); ok {
			wait = after
		}
	}
	switch {
	case wait < 0:
	case b.Reject != 0:
		c.ua.after(wait, func() {
			if c.state == early {
				c.refuse(b.Reject, "Refused")
			}
		})
	default:
		// An offer that cannot be answered was refused with 488 and noted.
		c.ua.after(wait, func() { _ = c.answer() })
	}
}

// autoAnswer reads the caller's wish for an automatic answer.
func autoAnswer(m *Message) (time.Duration, bool) {
	for _, v := range m.All("Call-Info") {
		if s := headerParam(v, "answer-after"); s != "" {
			n, err := strconv.Atoi(strings.Trim(s, `"`))
			return time.Duration(n) * time.Second, err == nil && n >= 0
		}
	}
	for _, v := range m.All("Alert-Info") {
		if strings.Contains(strings.ToLower(v), "info=alert-autoanswer") {
			return 0, true
		}
	}
	return 0, false
}

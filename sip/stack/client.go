package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/cordboard/cordboard/sip/alarm"
)

// clientTx is a request of ours and its transaction (RFC 3261 17.1). The
// responses come from the tap, in arrival order.
type clientTx struct {
	s      *Stack
	d      *Dialog
	key    string
	method string
	cseq   uint32
	ident  uint32 // the number the owner knows the request by
	sp     *spec
	asked  int  // for a password, before this one of the request's transactions
	quick  bool // to send; under d.mu
	// refused: why what it showed of our password is not good enough; under d.mu.
	refused error

	// onResponse gets each response, onEnd an end without final response: 408 or
	// 503. Both under d.mu.
	onResponse func(*clientTx, *Message)
	onEnd      func(code int, err error)

	left        bool // the INVITE has gone to another server; under d.mu
	over        bool // the final response or the end has come; written under d.mu and s.mu
	provisional bool // a 1xx has come; under d.mu

	// Set and read by effects; way under s.mu too.
	out  *letter // of an INVITE: CANCEL and ACK are made like it
	data []byte
	way  way

	timer    *alarm.Alarm // Timers A and B, or E and F; under d.mu
	interval time.Duration
	until    time.Time

	ack ackState
}

// ackState is the ACK of one 2xx.
type ackState struct {
	queued bool // under d.mu
	quick  bool // to send; under d.mu
	data   []byte
	way    way
}

var errTimeout = errors.New("stack: no answer")

// register makes the transaction known to the tap, before anything is sent.
func (s *Stack) register(c *clientTx) {
	c.s = s
	c.key = c.sp.branch + sip.TxSeperator + c.method
	c.cseq = c.sp.cseq
	s.mu.Lock()
	s.clients[c.key] = c
	s.mu.Unlock()
}

func (s *Stack) unregister(c *clientTx) {
	s.mu.Lock()
	if s.clients[c.key] == c {
		delete(s.clients, c.key)
	}
	s.mu.Unlock()
}

// start queues the sending. d.mu is held.
func (c *clientTx) start() {
	c.quick = c.sp.quick()
	c.d.do(c.quick, c.send)
}

// send runs as an effect: it finds the way and writes the request.
func (c *clientTx) send() {
	l, err := c.s.assemble(c.s.ctx, c.sp)
	if err != nil {
		c.end(503, err)
		return
	}
	if c.method == "INVITE" {
		c.out = l
	}
	c.d.talkTo(l.way.addr())
	c.first(l.data, l.way)
}

// at is where the request went, zero before it did.
func (c *clientTx) at() way {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.way
}

// first writes the request for the first time; an effect. The way is known
// before that, so that it is seen to close.
func (c *clientTx) first(data []byte, w way) {
	c.s.mu.Lock()
	c.way = w
	c.s.mu.Unlock()
	c.data = data
	if err := w.write(c.data); err != nil {
		c.end(503, err)
		return
	}
	t := c.s.o.timers
	c.d.mu.Lock()
	defer c.d.unlock()
	if c == c.d.call && c.sp.server.Addr.IsValid() {
		c.d.emit(Routed{})
	}
	if c.settled() {
		return
	}
	life := t.life()
	if c.sp.movable() {
		life = t.server
	}
	c.interval, c.until = t.t1, time.Now().Add(life)
	wait := c.interval
	if !w.quick() {
		wait = life
	}
	c.timer = c.d.after(wait, c.tick)
}

// settled reports whether the timers have nothing more to do: an INVITE that
// has a provisional response is its owner's to give up. d.mu is held.
func (c *clientTx) settled() bool { return c.over || c.method == "INVITE" && c.provisional }

// tick sends the request again, or gives it up. d.mu is held.
func (c *clientTx) tick() {
	now := time.Now()
	switch {
	case c.settled() || c.s.ctx.Err() != nil:
		return
	case !now.Before(c.until):
		c.settle()
		if !c.d.elsewhere(c, nil, errTimeout) {
			c.onEnd(408, errTimeout)
		}
		return
	}
	t2 := c.s.o.timers.t2
	switch {
	case c.method == "INVITE":
		c.interval *= 2
	case c.provisional:
		c.interval = t2
	default:
		c.interval = min(2*c.interval, t2)
	}
	c.d.do(true, func() { // it is no stream
		if err := c.way.write(c.data); err != nil {
			c.end(503, err)
		}
	})
	c.timer = c.d.after(min(c.interval, c.until.Sub(now)), c.tick)
}

// settle marks the transaction as answered; true the first time.
func (c *clientTx) settle() bool {
	s := c.s
	s.mu.Lock()
	first := !c.over
	c.over = true
	s.checkQuiet()
	s.mu.Unlock()
	if !first {
		return false
	}
	c.timer.Stop()
	if c.method == "INVITE" {
		s.alarms.After(s.o.timers.life(), func() { s.unregister(c) }) // repeated and forked 2xx
	} else {
		s.unregister(c)
	}
	return true
}

// end is the end without a final response. After Close nobody is told.
func (c *clientTx) end(code int, err error) {
	c.d.mu.Lock()
	defer c.d.unlock()
	if c.over || c.s.ctx.Err() != nil {
		return
	}
	c.settle()
	if !c.d.elsewhere(c, nil, err) {
		c.onEnd(code, err)
	}
}

// tapResponse gives a response to its request, in arrival order.
func (s *Stack) tapResponse(c *clientTx, m *Message) {
	if !soundResponse(c, m) || !s.o.Allow(m.Source.Addr()) && !s.talking(m.Source.Addr()) {
		return
	}
	c.d.mu.Lock()
	defer c.d.unlock()
	c.response(m)
}

func (c *clientTx) response(m *Message) {
	code := m.Status
	if code < 200 {
		c.provisional = true
		c.heard()
		if c.method == "INVITE" {
			c.timer.Stop()
		}
		if c.left { // it is awake after all, and would ring as well
			c.left = false
			c.d.callOff(c)
		}
		if !c.over { // a 1xx may be overtaken by the final response
			c.onResponse(c, m)
		}
		return
	}
	first := c.settle()
	c.heard()
	switch {
	case c.method != "INVITE":
		if first && !c.d.showAgain(c, m) && !c.d.elsewhere(c, m, nil) { // repeated ones are ignored
			c.onResponse(c, m)
		}
	case code < 300: // the ACK and the forks are the dialog's
		c.onResponse(c, m)
	default:
		c.d.do(c.quick, func() { c.ackFailure(m) })
		if first && !c.d.showAgain(c, m) && !c.d.elsewhere(c, m, nil) {
			c.onResponse(c, m)
		}
	}
}

// heard notes that the server has answered, whatever it was. d.mu is held.
func (c *clientTx) heard() {
	if c.sp.server.Addr.IsValid() {
		c.s.names.Answered(c.sp.server)
	}
}

// ackFailure is the ACK of a 3xx-6xx (RFC 3261 17.1.1.3); an effect.
func (c *clientTx) ackFailure(m *Message) {
	if c.out == nil {
		return
	}
	if err := c.way.write(c.out.like("ACK", c.sp, m.Get("To"), nil)); err != nil {
		c.s.log.Debug("ACK not sent", zap.Error(err))
	}
}

// soundResponse checks what a response to a request of ours must have: one
// Via (RFC 3261 18.1.2), our Call-ID and tag, no header doubled, a status code.
func soundResponse(c *clientTx, m *Message) bool {
	return m.Status >= 100 && m.Status <= 699 && m.fault == "" && m.vias == 1 &&
		m.callID == c.sp.callID && m.from && m.to &&
		m.fromTag == c.sp.fromTag
}

// Ping asks a URI for life (OPTIONS outside a dialog): status code, 408 for no
// answer, 503 for a transport error. It goes by the way of Outgoing.Next when
// next is valid.
func (s *Stack) Ping(ctx context.Context, uri, transport string, next netip.AddrPort) int {
	target, err := parseURI(uri)
	if err != nil {
		return 503
	}
	d := newDialog(s, false) // holds the lock and the addresses; never found by a peer
	code := make(chan int, 1)
	sp := &spec{
		method: "OPTIONS", uri: target.String(), from: "<sip:cordboard@cordboard.invalid>", fromTag: d.localTag,
		to: "<" + strings.Trim(uri, "<>") + ">", callID: rand.Text(), cseq: 1, branch: s.newBranch(),
		headers: []Header{{"Accept", "application/sdp"}},
	}
	sp.fix(next, transport)
	c := &clientTx{d: d, method: "OPTIONS", sp: sp}
	c.onResponse = func(_ *clientTx, m *Message) {
		if m.Status >= 200 {
			code <- m.Status
		}
	}
	c.onEnd = func(n int, _ error) { code <- n }
	defer d.release()
	s.register(c)
	s.spawn("options", c.send)
	select {
	case n := <-code:
		return n
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
	d.mu.Lock()
	defer d.unlock()
	c.settle()
	return 408
}

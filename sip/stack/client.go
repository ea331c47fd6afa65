package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// clientTx is a request of ours: its transaction in the library does the
// retransmission, the responses come from the tap, in arrival order.
type clientTx struct {
	s      *Stack
	d      *Dialog
	key    string
	method string
	cseq   uint32
	ident  uint32 // the number the owner knows a re-INVITE by
	sp     *spec

	// onResponse gets each response but those the transaction absorbs; onEnd
	// an end without final response: 408 or 503. Both under d.mu.
	onResponse func(*sip.Response, *Message)
	onEnd      func(code int, err error)

	over        bool          // the final response or the end has come; written under d.mu and s.mu
	provisional bool          // a 1xx has come; under d.mu
	tx          *sip.ClientTx // under d.mu
	req         *sip.Request  // set and read by effects

	ack ackState
}

// ackState is the ACK of one 2xx.
type ackState struct {
	queued bool // under d.mu
	req    *sip.Request
}

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

// send runs as an effect: it finds the way, writes the request, and watches
// the transaction's end.
func (c *clientTx) send() {
	s := c.s
	req, addr, err := s.assemble(s.ctx, c.sp)
	if err == nil {
		c.d.talkTo(addr.Addr())
	}
	var tx *sip.ClientTx
	if err == nil {
		ctx, cancel := context.WithTimeout(s.ctx, s.o.timers.dial)
		c.req = req
		tx, err = s.txl.Request(ctx, req)
		cancel()
	}
	if err != nil {
		c.end(503, err)
		return
	}
	c.watch(tx)
}

// watch drains the transaction, which stops dead while nobody reads.
func (c *clientTx) watch(tx *sip.ClientTx) {
	c.d.mu.Lock()
	c.tx = tx
	over := c.over && c.method != "INVITE"
	c.d.mu.Unlock()
	if over {
		tx.Terminate()
	}
	c.s.spawn("client", func() {
		for {
			select {
			case <-tx.Responses(): // the tap has had it
			case <-tx.Done():
				err := tx.Err()
				if errors.Is(err, sip.ErrTransactionTimeout) {
					c.end(408, err)
				} else {
					c.end(503, err)
				}
				return
			}
		}
	})
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
	if c.method == "INVITE" {
		time.AfterFunc(s.o.timers.life(), func() { s.unregister(c) }) // repeated and forked 2xx
	} else {
		s.unregister(c)
	}
	return true
}

// end is the end without a final response. After Close nobody is told.
func (c *clientTx) end(code int, err error) {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	if c.over || c.s.ctx.Err() != nil {
		return
	}
	c.settle()
	c.onEnd(code, err)
}

// tapResponse gives a response to its request, in arrival order.
func (s *Stack) tapResponse(res *sip.Response, at time.Time) {
	key, err := sip.ClientTxKeyMake(res)
	if err != nil {
		return
	}
	s.mu.Lock()
	c := s.clients[key]
	s.mu.Unlock()
	if c == nil {
		return
	}
	m := messageOf(res, at)
	if !soundResponse(c, res, m) || !s.o.Allow(m.Source.Addr()) && !s.talking(m.Source.Addr()) {
		discard(res)
		return
	}
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	c.response(res, m)
}

func (c *clientTx) response(res *sip.Response, m *Message) {
	code := res.StatusCode
	if code < 200 {
		c.provisional = true
		if !c.over { // a 1xx may be overtaken by the final response
			c.onResponse(res, m)
		}
		return
	}
	first := c.settle()
	if c.method != "INVITE" {
		if first {
			c.terminate() // repeated responses are ignored here
			c.onResponse(res, m)
		}
		return
	}
	switch {
	case code < 300:
		c.terminate() // the ACK and the forks are ours
		c.onResponse(res, m)
	case first:
		c.onResponse(res, m)
	default:
		// The library would sleep T2, with the transaction locked, before it
		// repeats the ACK. It ignores a 1xx here.
		res.StatusCode = 100
		c.d.do(func() { c.s.ackFailure(c, m) })
	}
}

// terminate drops the library's transaction. d.mu is held, so the transaction's
// lock, which is held during writes, must not be taken here.
func (c *clientTx) terminate() {
	if tx := c.tx; tx != nil {
		c.d.do(tx.Terminate)
	}
}

// ackFailure repeats the ACK of a 3xx-6xx (RFC 3261 17.1.1.3).
func (s *Stack) ackFailure(c *clientTx, m *Message) {
	if c.req == nil {
		return
	}
	ack := sip.NewRequest(sip.ACK, *c.req.Recipient.Clone())
	s.likeInvite(ack, c.req, m.Get("To"))
	if err := s.tpl.WriteMsg(ack); err != nil {
		s.log.Debug("ACK not repeated")
	}
}

// likeInvite gives a hop-by-hop ACK or CANCEL what it shares with its INVITE:
// top Via, Route, From, Call-ID, CSeq number, and the way it went. Nothing else.
func (s *Stack) likeInvite(req, invite *sip.Request, to string) {
	req.AppendHeader(invite.Via().Clone())
	for _, r := range invite.GetHeaders("Route") {
		req.AppendHeader(sip.HeaderClone(r))
	}
	mf := sip.MaxForwardsHeader(70)
	req.AppendHeader(&mf)
	req.AppendHeader(sip.NewHeader("From", clean(invite.GetHeader("From").Value())))
	req.AppendHeader(sip.NewHeader("To", clean(to)))
	req.AppendHeader(sip.HeaderClone(invite.CallID()))
	req.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: req.Method})
	req.SetBody(nil)
	req.SetTransport(invite.Transport())
	req.SetDestination(invite.Destination())
	req.Laddr = invite.Laddr
}

// soundResponse checks what a response to a request of ours must have: one
// Via (RFC 3261 18.1.2), our Call-ID and tag, no header doubled, a status code.
func soundResponse(c *clientTx, res *sip.Response, m *Message) bool {
	from := res.From()
	return res.StatusCode >= 100 && res.StatusCode <= 699 &&
		wellFormed(m) == "" && len(m.Values("Via")) == 1 &&
		m.Get("Call-ID") == c.sp.callID && from != nil && res.To() != nil &&
		strings.HasSuffix(c.sp.from, ";tag="+tagOf(from.Params))
}

// discard makes the library take a response for a stray one.
func discard(res *sip.Response) {
	if via := res.Via(); via != nil {
		via.Params.Add("branch", "")
	}
}

// Ping asks a URI for life (OPTIONS outside a dialog): status code, 408 for no
// answer, 503 for a transport error. It goes by the way of Outgoing.Next when
// next is valid.
func (s *Stack) Ping(ctx context.Context, uri, transport string, next netip.AddrPort) int {
	d := newDialog(s, false) // holds the lock and the addresses; never found by a peer
	code := make(chan int, 1)
	sp := &spec{
		method: "OPTIONS", uri: uri, from: withTag("<sip:cordboard@cordboard.invalid>", d.localTag),
		to: "<" + strings.Trim(uri, "<>") + ">", callID: rand.Text(), cseq: 1, branch: s.newBranch(),
		headers: []Header{{"Accept", "application/sdp"}},
	}
	sp.fix(next, transport)
	c := &clientTx{d: d, method: "OPTIONS", sp: sp}
	c.onResponse = func(_ *sip.Response, m *Message) {
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
	defer d.mu.Unlock()
	c.settle()
	c.terminate()
	return 408
}

package stack

import (
	"errors"
	"net/netip"
	"time"
)

// reinvite is a re-INVITE that waits for its turn, or for another try.
type reinvite struct {
	ident   uint32
	headers []Header
	sdp     []byte
	tries   int
	waiting bool // for the time of RFC 3261 14.1
}

const maxTries = 6 // of a re-INVITE that keeps being met by 491

// Reinvite sends a re-INVITE; its outcome is Replied. 491 is retried here by
// RFC 3261 14.1 timers before it is reported. While the peer's re-INVITE or
// the ACK of a 2xx is outstanding it waits for its turn. The CSeq returned
// names it in Replied; on the wire a retry has another.
func (d *Dialog) Reinvite(h []Header, sdp []byte) (cseq uint32, err error) {
	d.mu.Lock()
	defer d.unlock()
	switch {
	case d.phase == ended:
		return 0, ErrGone
	case d.phase != confirmed || d.byeNext:
		return 0, ErrState
	case d.next != nil || d.ours != nil:
		return 0, ErrPending
	}
	d.localCSeq++
	d.next = &reinvite{ident: d.localCSeq, headers: h, sdp: sdp}
	d.kick()
	return d.localCSeq, nil
}

// kick sends the waiting re-INVITE if no INVITE is under way in either
// direction (RFC 3261 14.1). d.mu is held.
func (d *Dialog) kick() {
	n := d.next
	if n == nil || n.waiting || d.phase != confirmed || d.ours != nil || d.due != nil ||
		d.unacked != nil || d.updates > 0 || d.answering() || len(d.held) > 0 {
		return
	}
	d.next = nil
	cseq := n.ident
	if cseq != d.localCSeq || n.tries > 0 {
		d.localCSeq++
		cseq = d.localCSeq
	}
	n.tries++
	c := &clientTx{d: d, method: "INVITE", ident: n.ident, sp: d.spec("INVITE", cseq, n.headers, "", n.sdp)}
	d.ours = c
	late := d.after(d.s.o.timers.c, func() { // a 1xx and nothing more
		if c := d.ours; c != nil && c.ident == n.ident {
			c.settle()
			c.onEnd(408, nil)
		}
	})
	c.onResponse = func(c *clientTx, m *Message) {
		if m.Status >= 200 {
			late.Stop()
		}
		d.reinviteResponse(c, n, m)
	}
	c.onEnd = func(code int, err error) {
		late.Stop()
		d.ours = nil
		d.emit(Replied{Method: "INVITE", CSeq: n.ident, Code: code, Err: err})
		d.lost(err)
		d.admitHeld()
	}
	d.s.register(c)
	c.start()
}

func (d *Dialog) reinviteResponse(c *clientTx, n *reinvite, m *Message) {
	switch {
	case m.Status < 200:
	case d.ours != c: // a repeated 2xx
		d.replayAck(c)
	case m.Status == 491 && n.tries < maxTries && d.phase == confirmed:
		d.ours = nil
		n.waiting = true
		d.next = n
		d.after(d.glareWait(), func() { n.waiting = false; d.kick() })
	default:
		d.ours = nil
		if m.Status < 300 {
			d.refresh(contactOf(m))
			d.due = c
		}
		d.emit(Replied{Method: "INVITE", CSeq: n.ident, Code: m.Status, Response: m})
		if d.phase == ended && d.due == c {
			_ = d.acknowledge(nil) // RFC 5407 3.2.3: even so
		}
	}
}

// glareWait is how long a re-INVITE that met another waits (RFC 3261 14.1).
func (d *Dialog) glareWait() time.Duration {
	if d.uas {
		return d.jitter(0, 2*time.Second)
	}
	return d.jitter(2100*time.Millisecond, 4*time.Second) // we made the Call-ID
}

// Request sends any other request inside the dialog; its outcome is Replied.
func (d *Dialog) Request(method string, h []Header, contentType string, body []byte) (cseq uint32, err error) {
	d.mu.Lock()
	defer d.unlock()
	switch {
	case d.phase == ended || d.byeNext:
		return 0, ErrGone
	case method == "INVITE" || method == "ACK" || method == "CANCEL" || method == "BYE" || !token(method):
		return 0, ErrState
	case d.phase == early && d.remoteTag == "":
		return 0, ErrState // no dialog yet, not even an early one
	}
	offer := method == "UPDATE" && len(body) > 0
	if offer && (d.ours != nil || d.updates > 0 || d.answering()) {
		return 0, ErrPending
	}
	d.localCSeq++
	c := &clientTx{d: d, method: method, ident: d.localCSeq, sp: d.spec(method, d.localCSeq, h, contentType, body)}
	if offer {
		d.updates++
	}
	done := func(code int, m *Message, err error) {
		if offer {
			d.updates--
		}
		if method == "UPDATE" && code < 300 && m.contact != "" {
			d.refresh(contactOf(m))
		}
		d.emit(Replied{Method: method, CSeq: c.ident, Code: code, Response: m, Err: err})
		d.lost(err)
		d.kick()
	}
	c.onResponse = func(_ *clientTx, m *Message) {
		if m.Status >= 200 {
			done(m.Status, m, nil)
		}
	}
	c.onEnd = func(code int, err error) { done(code, nil, err) }
	d.s.register(c)
	c.start()
	return c.ident, nil
}

// Bye ends the dialog from our side. Safe in every state: before the ACK of
// our 2xx came it waits for it or for its time-out (RFC 3261 15), before any
// final response it cancels or rejects.
func (d *Dialog) Bye(h []Header) {
	d.mu.Lock()
	defer d.unlock()
	switch {
	case d.phase == ended || d.byeNext:
	case d.phase == early && d.uas:
		d.respond(d.inv, 480, "", h, nil)
		d.finish()
	case d.phase == early:
		if d.stop == going {
			d.byeHead = h
			d.cancel()
		}
	case d.unacked != nil && d.unacked.in == d.inv:
		d.byeNext, d.byeHead = true, h
		d.s.owe(1)
	default:
		if d.due != nil {
			_ = d.acknowledge(nil)
		}
		d.sendBye(h, true)
	}
}

// sendBye sends BYE and ends the dialog; what the peer still waits for is
// answered 487. tell says whether the owner hears its outcome. d.mu is held.
func (d *Dialog) sendBye(h []Header, tell bool) {
	d.localCSeq++
	c := &clientTx{d: d, method: "BYE", ident: d.localCSeq, sp: d.spec("BYE", d.localCSeq, h, "", nil)}
	c.onResponse = func(_ *clientTx, m *Message) {
		if m.Status >= 200 && tell {
			d.emit(Replied{Method: "BYE", CSeq: c.ident, Code: m.Status, Response: m})
		}
	}
	c.onEnd = func(code int, err error) {
		if tell {
			d.emit(Replied{Method: "BYE", CSeq: c.ident, Code: code, Err: err})
		}
	}
	d.finish()
	d.s.register(c)
	c.start()
}

// lost reports, once, a TCP dialog that can't be reached any more. d.mu is held.
func (d *Dialog) lost(err error) {
	if err == nil || d.flowLost || !stream(d.transport) || errors.Is(err, errTimeout) {
		return
	}
	d.flowLost = true
	d.emit(FlowLost{Err: err})
}

// flowClosed is the end of an accepted connection: the dialogs that ran on it
// look for another way, and their owners hear when there is none.
func (s *Stack) flowClosed(transport string, peer netip.AddrPort) {
	if s.ctx.Err() != nil {
		return
	}
	if s.o.Phones != nil {
		s.o.Phones.Closed(peer)
	}
	s.mu.Lock()
	var on []*Dialog
	for _, d := range s.dialogs {
		on = append(on, d)
	}
	s.mu.Unlock()
	for _, d := range on {
		d.mu.Lock()
		if d.transport == transport && d.peer == peer && d.phase == confirmed {
			sp := d.spec("OPTIONS", 0, nil, "", nil)
			d.do(false, func() { d.probe(sp) })
		}
		d.unlock()
	}
}

// probe runs as an effect: can the peer be reached without the flow?
func (d *Dialog) probe(sp *spec) {
	_, err := d.s.assemble(d.s.ctx, sp) // it connects
	if err != nil && d.s.ctx.Err() == nil {
		d.mu.Lock()
		defer d.unlock()
		if d.phase == confirmed {
			d.lost(err)
		}
	}
}

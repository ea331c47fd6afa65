package stack

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

const (
	maxSeen    = 64   // transactions of the peer remembered for one dialog, and as many older
	maxTold    = 4    // of one that NOTIFYs come in: there may be a thousand such, for days
	maxPending = 1024 // requests the owner of one dialog has not replied to
)

// request is a request of the peer with our tag, in arrival order. It gives
// the inbound to stamp: the first one's for a retransmission.
func (d *Dialog) request(in *inbound) *inbound {
	d.mu.Lock()
	defer d.unlock()
	in.dialog = d
	first := d.listens != nil && d.remoteTag == "" && in.method == "NOTIFY" // it makes the dialog
	if in.msg.callID != d.callID || d.remoteTag != in.msg.fromTag && !first {
		in.drop, in.verdict = in.method == "ACK", refuse(481)
		return in
	}
	if in.method == "ACK" {
		in.drop = true
		d.ack(in)
		return in
	}
	if same := d.seen[in.key]; same != nil {
		return same
	}
	if same := d.older[in.key]; same != nil {
		return same
	}
	if d.seen == nil || len(d.seen) >= maxSeen || d.listens != nil && len(d.seen) >= maxTold {
		d.older, d.seen = d.seen, map[string]*inbound{} // what is older still has its CSeq against it
	}
	d.seen[in.key] = in
	if d.phase == ended {
		// BYE crosses BYE (RFC 5407 3.2.1); all else is too late.
		switch in.method {
		case "BYE":
			d.respond(in, 200, "", nil, nil)
		case "PRACK":
			d.prack(in)
		default:
			d.respond(in, 481, "", nil, nil)
		}
		return in
	}
	if in.method == "PRACK" && d.listens == nil { // known by its RAck, whatever has overtaken it
		d.prack(in)
		return in
	}
	if in.cseq <= d.remoteCSeq && d.remoteCSeq != 0 {
		d.respond(in, 500, "CSeq Out Of Order", nil, nil) // RFC 3261 12.2.2
		return in
	}
	if d.listens != nil {
		if code, h := d.notified(in); code != 0 {
			d.respond(in, code, "", h, nil)
			return in
		}
	}
	d.remoteCSeq = in.cseq
	if stream(d.transport) && in.msg.Transport == d.transport {
		d.peer = in.msg.Source // it may have connected anew
	}
	switch in.method {
	case "BYE":
		d.bye(in)
	case "INVITE", "UPDATE", "INFO", "REFER", "OPTIONS", "MESSAGE", "NOTIFY":
		d.take(in)
	default:
		d.respond(in, 405, "", nil, nil)
	}
	return in
}

// ack is an ACK; those of 3xx-6xx end here too and mean nothing. d.mu is held.
func (d *Dialog) ack(in *inbound) {
	a := d.unacked
	if a == nil || a.cseq != in.cseq {
		return // a repeated one, or one too late
	}
	a.stop()
	d.unacked = nil
	d.emit(Acked{Request: in.msg})
	d.acknowledged()
}

// bye is the peer's BYE, answered whatever else is under way: it may come
// before the ACK (RFC 5407 3.1.6) or, from a caller, before our final response
// (appendix A). d.mu is held.
func (d *Dialog) bye(in *inbound) {
	if d.phase == early && !d.uas {
		d.respond(in, 481, "", nil, nil) // RFC 3261 15: not the callee in an early dialog
		return
	}
	d.respond(in, 200, "", nil, nil)
	if d.phase == early {
		d.respond(d.inv, 487, "", nil, nil)
		d.emit(Canceled{Reason: in.msg.Get("Reason")})
	} else {
		d.emit(Ended{Request: in.msg})
	}
	d.finish()
}

// take passes a request on to the owner, or makes it wait for a late ACK of
// our 2xx, behind which it may have overtaken on the network. d.mu is held.
func (d *Dialog) take(in *inbound) {
	offer := in.method == "INVITE" || in.method == "UPDATE"
	if len(d.held) > 0 || offer && d.unacked != nil {
		d.held = append(d.held, in)
		if len(d.held) == 1 {
			d.after(d.s.o.timers.ackWait, func() { d.admitHeld() })
		}
		return
	}
	d.admit(in)
}

func (d *Dialog) admitHeld() {
	held := d.held
	d.held = nil
	for _, in := range held {
		d.admit(in)
	}
}

// admit checks for glare (RFC 3261 14.2, RFC 3311 5.2) and passes on. d.mu is held.
func (d *Dialog) admit(in *inbound) {
	offer := in.method == "INVITE" || (in.method == "UPDATE" || in.method == "PRACK") && len(in.msg.Body) > 0
	if offer {
		switch {
		case d.offering():
			d.respond(in, 491, "", nil, nil)
			return
		case d.answering() || d.uas && d.phase == early && (in.method == "INVITE" || !d.reliable.agreed()):
			d.respond(in, 500, "", []Header{{"Retry-After", strconv.Itoa(rand.IntN(11))}}, nil)
			return
		}
	}
	if len(d.pending) >= maxPending {
		d.respond(in, 503, "", []Header{{"Retry-After", "5"}}, nil)
		return
	}
	if d.pending == nil {
		d.pending = map[*Message]*inbound{}
	}
	d.pending[in.msg] = in
	wait := d.s.o.timers.life()
	if in.method == "INVITE" {
		wait = d.s.o.timers.reply
	}
	if in.method == "INVITE" { // RFC 3261 17.2.1
		in.trying = d.after(d.s.o.timers.trying, func() { d.sendTrying(in) })
	}
	in.timer = d.after(wait, func() {
		if d.pending[in.msg] == in {
			d.settle(in.msg, in)
			d.respond(in, 500, "", nil, nil)
			d.emit(Withdrawn{Request: in.msg})
			d.kick()
			d.acceptDue()
		}
	})
	d.emit(Requested{Request: in.msg})
}

// offering reports whether an offer of ours is unanswered: glare.
func (d *Dialog) offering() bool {
	if d.ours != nil || d.updates > 0 || !d.uas && d.phase == early {
		return true
	}
	// Our 2xx held the offer, and its answer is in the ACK that is missing.
	a := d.unacked
	return a != nil && len(a.in.msg.Body) == 0 && (a.in != d.inv || !d.reliable.agreed())
}

// answering reports whether a re-INVITE or UPDATE of the peer is unanswered.
func (d *Dialog) answering() bool {
	for _, in := range d.pending {
		if in.method == "INVITE" || in.method == "UPDATE" || in.method == "PRACK" {
			return true
		}
	}
	return false
}

func (d *Dialog) settle(msg *Message, in *inbound) {
	delete(d.pending, msg)
	in.timer.Stop()
}

// Reply answers a Requested event's request: any number of 1xx, one final
// response. ErrGone: the peer's CANCEL or BYE, or a time-out, was first.
func (d *Dialog) Reply(req *Message, code int, reason string, h []Header, body []byte) error {
	d.mu.Lock()
	defer d.unlock()
	in := d.pending[req]
	switch {
	case in == nil:
		return ErrGone
	case code < 100 || code > 699:
		return fmt.Errorf("stack: %d is no status code", code)
	case code < 200:
		d.respond(in, code, reason, h, body)
		return nil
	}
	d.settle(req, in)
	if code < 300 && (in.method == "INVITE" || in.method == "UPDATE") {
		d.refresh(req.contact)
	}
	if code < 300 && in.method == "INVITE" {
		if d.unacked != nil { // the earlier 2xx was overtaken: its ACK no longer matters
			d.unacked.stop()
		}
		d.sendAnswer(in, code, reason, h, body)
		return nil
	}
	d.respond(in, code, reason, h, body)
	d.kick()
	d.acceptDue()
	return nil
}

// jitter gives a random time between two, in steps of 10 ms (RFC 3261 14.1),
// shortened with T1.
func (d *Dialog) jitter(from, to time.Duration) time.Duration {
	steps := int64((to - from) / (10 * time.Millisecond))
	v := from + time.Duration(rand.Int64N(steps+1))*10*time.Millisecond
	return time.Duration(float64(v) * float64(d.s.o.timers.t1) / float64(500*time.Millisecond))
}

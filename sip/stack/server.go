package stack

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/sip/alarm"
)

// newUAS makes the dialog of an initial INVITE. It is not yet reachable. s.mu is held.
func newUAS(s *Stack, in *inbound) *Dialog {
	d := newDialog(s, true)
	d.inv = in
	d.callID, d.remoteTag = in.msg.callID, in.msg.fromTag
	d.local, d.remote = untagged(in.msg.Get("To")), untagged(in.msg.Get("From"))
	d.target = contactOf(in.msg)
	d.routes = recordRoutes(in.msg, false)
	d.remoteCSeq = in.cseq
	d.reliable = reliability(in.msg)
	d.transport, d.peer = in.msg.Transport, in.msg.Source
	if from := in.msg.Source.Addr(); !s.o.Allow(from) { // a phone that is registered: see Phones
		d.refer = true
		d.talked = append(d.talked, from) // its ACK is heard
		s.peers[from]++
		if len(d.routes) == 0 {
			d.fixed, d.fixedOver = in.msg.Source, in.msg.Transport // its Contact may be of a network of its own
		}
	}
	return d
}

// answer is our 2xx to an INVITE until its ACK: retransmitted here at T1
// doubling to T2, over every transport (RFC 3261 13.3.1.4), and given up after
// 64*T1. The library would do it at the wrong times and never give up.
type answer struct {
	cseq     uint32
	in       *inbound
	interval time.Duration
	until    time.Time
	timer    *alarm.Alarm
}

func (a *answer) stop() {
	a.timer.Stop()
}

// Progress sends a 1xx to the initial INVITE (UAS): to a caller that acknowledges
// them (RFC 3262), one after the other. What is due there when the final response
// comes is not sent.
func (d *Dialog) Progress(code int, reason string, h []Header, body []byte) error {
	d.mu.Lock()
	defer d.unlock()
	if err := d.answerable(); err != nil {
		return err
	}
	if code < 100 || code > 199 {
		return fmt.Errorf("stack: %d is not provisional", code)
	}
	switch r := d.reliable; {
	case r == nil || code == 100:
		d.respond(d.inv, code, reason, h, body)
	case r.accept != nil:
		return ErrState
	default:
		d.provide(&provisional{code: code, reason: reason, headers: h, body: body})
	}
	return nil
}

// Accept sends 200 to the initial INVITE (UAS) and retransmits it until the ACK.
// Where a description of ours waits for its PRACK, it waits too.
func (d *Dialog) Accept(h []Header, sdp []byte) error {
	d.mu.Lock()
	defer d.unlock()
	if err := d.answerable(); err != nil {
		return err
	}
	switch r := d.reliable; {
	case r == nil:
		d.phase = confirmed
		d.sendAnswer(d.inv, 200, "", h, sdp)
	case r.accept != nil:
		return ErrState
	default:
		r.accept = &provisional{headers: h, body: sdp}
		d.acceptDue()
	}
	return nil
}

// Reject sends a final 3xx-6xx to the initial INVITE (UAS); the dialog is gone.
func (d *Dialog) Reject(code int, reason string, h []Header) error {
	d.mu.Lock()
	defer d.unlock()
	if err := d.answerable(); err != nil {
		return err
	}
	if code < 300 || code > 699 {
		return fmt.Errorf("stack: %d does not reject", code)
	}
	d.respond(d.inv, code, reason, h, nil)
	d.finish()
	return nil
}

func (d *Dialog) answerable() error {
	switch {
	case d.phase == ended:
		return ErrGone
	case !d.uas || d.phase != early:
		return ErrState
	}
	return nil
}

// sendAnswer sends a 2xx to an INVITE and starts its retransmission. d.mu is held.
func (d *Dialog) sendAnswer(in *inbound, code int, reason string, h []Header, body []byte) {
	t := d.s.o.timers
	a := &answer{cseq: in.cseq, in: in, interval: t.t1, until: time.Now().Add(t.life())}
	d.unacked = a
	d.respond(in, code, reason, h, body)
	a.timer = d.after(a.interval, func() { d.retransmit(a) })
}

// retransmit is the answer's timer. d.mu is held.
func (d *Dialog) retransmit(a *answer) {
	if d.unacked != a {
		return
	}
	if !time.Now().Before(a.until) {
		d.unacked = nil
		d.emit(AckMissing{})
		d.acknowledged()
		return
	}
	d.do(a.in.tx.way.quick(), func() {
		if err := a.in.tx.resend(); err != nil {
			d.log.Debug("2xx not retransmitted", zap.Error(err))
		}
	})
	a.interval = min(2*a.interval, d.s.o.timers.t2)
	a.timer = d.after(min(a.interval, max(time.Until(a.until), 0)), func() { d.retransmit(a) })
}

// acknowledged goes on with what waited for the ACK of our 2xx. d.mu is held.
func (d *Dialog) acknowledged() {
	if d.byeNext && d.phase == confirmed {
		d.byeNext = false
		d.sendBye(d.byeHead, true)
		d.s.owe(-1)
		return
	}
	d.admitHeld()
	d.kick()
}

// respond queues a response to a request of the peer. d.mu is held.
func (d *Dialog) respond(in *inbound, code int, reason string, h []Header, body []byte) {
	if in.final {
		return
	}
	in.told, in.final = true, code >= 200
	if code > 100 {
		d.firstWord(in)
	}
	in.trying.Stop()
	d.do(in.tx.way.quick(), func() {
		defer d.s.recovered("response")
		res := d.s.response(in, code, reason, h, d.added(in, code, h), body)
		if err := in.tx.respond(code, res); err != nil {
			d.log.Debug("response not sent", zap.Int("code", code), zap.Error(err))
		}
	})
}

// firstWord notes that a new call need not wait for one any more. d.mu is held.
func (d *Dialog) firstWord(in *inbound) {
	if in.fresh && !in.heard {
		in.heard = true
		d.s.pace.awaits(-1)
	}
}

// sendTrying is the alarm of the 100. One that rang while another response was on
// its way must not come behind that, and be what a retransmission gets. d.mu is held.
func (d *Dialog) sendTrying(in *inbound) {
	if !in.told {
		d.respond(in, 100, "", nil, nil)
	}
}

// added are the headers that a response must have by its kind, besides those
// of its owner.
func (d *Dialog) added(in *inbound, code int, h []Header) (more []Header) {
	if code > 100 && code < 300 && (in.method == "INVITE" || in.method == "UPDATE" || in.method == "REFER") {
		contact := d.s.contact("", in.msg.Transport, in.msg.Source.Addr())
		if in.msg.target.scheme == "sips" {
			contact = secureContact(contact)
		}
		more = append(more, Header{"Contact", contact})
	}
	if code >= 300 && code < 400 { // where to go instead: its owner's
		for _, x := range h {
			if x.Name == "Contact" {
				more = append(more, x)
			}
		}
	}
	if code == 405 { // RFC 3261 21.4.6
		more = append(more, Header{"Allow", allowed(d.refer)})
	}
	if code >= 200 && code < 300 && (in.method == "INVITE" || in.method == "OPTIONS") {
		for _, c := range capabilities {
			if c.Name == "Allow" {
				c.Value = allowed(d.refer)
			}
			if !has(h, c.Name) {
				more = append(more, c)
			}
		}
	}
	return more
}

// canceled is the peer's CANCEL of an INVITE. Whether it is in time is decided
// here, under mu, and nowhere else.
func (d *Dialog) canceled(in *inbound, cancel *Message) {
	d.mu.Lock()
	defer d.unlock()
	if in == d.inv {
		if d.phase == early {
			d.respond(in, 487, "", nil, nil)
			d.emit(Canceled{Reason: cancel.Get("Reason")})
			d.finish()
		}
		return
	}
	for i, h := range d.held {
		if h == in {
			d.held = append(d.held[:i:i], d.held[i+1:]...)
			d.respond(in, 487, "", nil, nil)
			return
		}
	}
	if d.pending[in.msg] == in {
		d.settle(in.msg, in)
		d.respond(in, 487, "", nil, nil)
		d.emit(Withdrawn{Request: in.msg})
		d.kick()
	}
}

// inviteGone is the end of the initial INVITE's transaction.
func (d *Dialog) inviteGone(in *inbound, err error) {
	d.mu.Lock()
	defer d.unlock()
	if d.phase == early && d.s.ctx.Err() == nil {
		d.emit(FlowLost{Err: errors.Join(errors.New("stack: the caller's connection is gone"), err)})
		d.finish()
	}
}

package stack

import (
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// stopping is how far giving up our INVITE has got.
type stopping int

const (
	going     stopping = iota
	wanted             // Cancel called, no 1xx yet: CANCEL must wait for it (RFC 3261 9.1)
	canceling          // CANCEL sent
)

// Invite starts a new outgoing dialog; events go to sink. An error means that
// nothing will be sent: a URI that can't be read or called.
func (s *Stack) Invite(o Outgoing, sink Sink) (*Dialog, error) {
	target, err := parseURI(o.URI)
	if err != nil {
		return nil, err
	}
	if o.Next.IsValid() && o.Transport == "" {
		return nil, errors.New("stack: Outgoing.Next needs its Transport")
	}
	d := newDialog(s, false)
	d.refer = o.Refer
	d.fixed, d.fixedOver = o.Next, o.Transport
	d.sink, d.login, d.host = sink, o.Login, target.Host
	d.callID = rand.Text()
	d.local, d.remote = untagged(clean(o.From)), untagged(clean(o.To))
	d.target = target.String()
	d.localCSeq = 1
	d.transport = o.Transport
	if d.transport == "" {
		d.transport, _ = transportOf(target)
	}
	if err := s.speaks(d.transport); err != nil {
		return nil, err
	}
	for _, v := range []string{d.local, d.remote} {
		var u sip.Uri
		if _, err := sip.ParseAddressValue(v, &u, nil); err != nil {
			return nil, fmt.Errorf("stack: From or To can't be read: %w", err)
		}
	}
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return nil, ErrGone
	}
	s.dialogs[d.localTag] = d
	s.mu.Unlock()

	d.mu.Lock()
	defer d.unlock()
	sp := d.spec("INVITE", 1, o.Headers, "", o.Body)
	sp.transport, sp.spent = o.Transport, o.Spent
	c := &clientTx{d: d, method: "INVITE", sp: sp}
	c.onResponse = d.callResponse
	c.onEnd = func(code int, err error) { d.callFailed(code, nil, err) }
	d.call = c
	s.register(c)
	c.start()
	d.armTimerC()
	return d, nil
}

// armTimerC starts the clock of an INVITE that hears nothing new (RFC 3261
// 16.6 and 16.8): a phone that rings for ever, or is gone after its 180.
func (d *Dialog) armTimerC() {
	d.timerC.Stop()
	d.timerC = d.after(d.s.o.timers.c, func() {
		if d.phase == early && d.stop == going {
			d.cancel()
		}
	})
}

// callResponse is a response to the initial INVITE. d.mu is held.
func (d *Dialog) callResponse(c *clientTx, m *Message) {
	tag := m.toTag
	switch {
	case m.Status < 200:
		d.callProgress(c, m, tag)
	case m.Status >= 300:
		d.callFailed(m.Status, m, c.refused)
	case d.phase == early && d.stop == going && c == d.call:
		d.phase = confirmed
		d.timerC.Stop()
		d.remoteTag = tag
		d.target = contactOf(m)
		d.routes = recordRoutes(m, true)
		d.transport, d.peer = m.Transport, m.Source
		d.due, d.answered = c, true
		sink, answer := d.sink, d.answerOf(m)
		d.do(true, func() {
			d.mu.Lock()
			void := d.stop != going
			d.mu.Unlock()
			if !void {
				sink(Answered{Response: answer})
			}
		})
	case d.answered && tag == d.remoteTag && c == d.call:
		d.replayAck(c)
	default:
		// Another dialog by forking, one that crossed our CANCEL, or an answer to the
		// INVITE that had been challenged.
		d.endFork(c, m, tag)
	}
}

func (d *Dialog) callProgress(c *clientTx, m *Message, tag string) {
	if d.phase != early {
		return
	}
	if d.stop == wanted {
		d.sendCancel(c)
		return
	}
	if d.stop != going || m.Status == 100 {
		return
	}
	if !d.reliably(c, m) {
		return
	}
	d.armTimerC()
	if tag != "" {
		d.remoteTag = tag
		d.routes = recordRoutes(m, true)
		if m.contact != "" {
			d.target = contactOf(m)
		}
	}
	d.transport, d.peer = m.Transport, m.Source
	d.emit(Progress{Response: m})
}

// callFailed is the end of the initial INVITE without 2xx. d.mu is held.
func (d *Dialog) callFailed(code int, m *Message, err error) {
	if d.phase != early {
		return
	}
	d.emit(Failed{Code: code, Response: m, Err: err})
	d.finish()
}

// endFork ACKs a 2xx nobody wants and ends its dialog by BYE, once; a repeated
// one gets its ACK again. d.mu is held.
func (d *Dialog) endFork(c *clientTx, m *Message, tag string) {
	if a := d.forks[tag]; a != nil {
		d.do(a.quick, func() { d.writeAck(a) })
		return
	}
	a := &ackState{queued: true}
	if d.forks == nil {
		d.forks = map[string]*ackState{}
	}
	d.forks[tag] = a
	sp := &spec{
		method: "ACK", uri: contactOf(m), routes: recordRoutes(m, true),
		from: d.local, fromTag: d.localTag, to: d.remote, toTag: tag,
		callID: d.callID, cseq: c.cseq, branch: d.s.newBranch(),
	}
	sp.peer, sp.over = m.Source, m.Transport
	sp.login, sp.home = d.login, d.home()
	sp.fix(d.fixed, d.fixedOver)
	a.quick = sp.quick()
	d.do(a.quick, func() { d.sendAck(a, sp.showing(c)) })
	bye := *sp
	bye.method, bye.cseq, bye.branch = "BYE", d.nextIn(c, tag), d.s.newBranch()
	b := &clientTx{d: d, method: "BYE", sp: &bye}
	b.onResponse = func(*clientTx, *Message) {}
	b.onEnd = func(int, error) {}
	d.s.register(b)
	b.start()
	if d.phase == early && c == d.call {
		d.emit(Failed{Code: 487, Response: m})
		d.finish()
	}
}

// sendAck runs as an effect.
func (d *Dialog) sendAck(a *ackState, sp *spec) {
	l, err := d.s.assemble(d.s.ctx, sp)
	if err != nil {
		d.log.Warn("ACK not sent", zap.Error(err))
		return
	}
	d.talkTo(l.way.addr())
	a.data, a.way = l.data, l.way
	d.writeAck(a)
}

// writeAck runs as an effect; the same bytes each time (RFC 3261 13.2.2.4).
func (d *Dialog) writeAck(a *ackState) {
	if a.data == nil {
		return
	}
	if err := a.way.write(a.data); err != nil {
		d.log.Warn("ACK not sent", zap.Error(err))
		d.mu.Lock()
		d.lost(err)
		d.mu.Unlock()
	}
}

// replayAck answers a repeated 2xx, once the owner has given the ACK.
func (d *Dialog) replayAck(c *clientTx) {
	if c.ack.queued {
		d.do(c.ack.quick, func() { d.writeAck(&c.ack) })
	}
}

// Ack acknowledges the 2xx of the INVITE or re-INVITE that was last answered;
// body carries our answer when the 2xx held the offer.
func (d *Dialog) Ack(body []byte) error {
	d.mu.Lock()
	defer d.unlock()
	return d.acknowledge(body)
}

func (d *Dialog) acknowledge(body []byte) error {
	c := d.due
	if c == nil {
		return ErrState
	}
	d.due = nil
	sp := d.spec("ACK", c.cseq, nil, "", body)
	c.ack.queued = true
	c.ack.quick = sp.quick()
	d.do(c.ack.quick, func() { d.sendAck(&c.ack, sp.showing(c)) })
	d.kick()
	return nil
}

// Cancel gives up our INVITE (UAC): CANCEL after the first provisional; on a
// 2xx that crosses it ACK and BYE follow by themselves. The owner gets Failed
// (487 or whatever came), never Answered, after Cancel; an Answered that was
// in its mailbox by then is void, and its Ack ErrState.
func (d *Dialog) Cancel() {
	d.mu.Lock()
	defer d.unlock()
	switch {
	case d.uas || d.stop != going:
	case d.phase == early:
		d.cancel()
	case d.phase == confirmed && d.due == d.call:
		// Answered, but the owner has not seen it or has not yet acted on it.
		d.stop = canceling
		_ = d.acknowledge(nil)
		d.emit(Failed{Code: 487})
		d.sendBye(nil, false)
	}
}

// cancel gives up an INVITE without final response. d.mu is held.
func (d *Dialog) cancel() {
	if d.call.provisional {
		d.sendCancel(d.call)
		return
	}
	d.stop = wanted
}

// sendCancel sends CANCEL and gives the INVITE 64*T1 to end (RFC 3261 9.1).
func (d *Dialog) sendCancel(c *clientTx) {
	d.stop = canceling
	d.timerC.Stop()
	d.callOff(c)
	d.after(d.s.o.timers.life(), func() {
		if d.phase != early {
			return
		}
		c.settle()
		d.callFailed(408, nil, nil)
	})
}

// callOff sends the CANCEL of an INVITE that has a provisional response. d.mu is held.
func (d *Dialog) callOff(c *clientTx) {
	k := &clientTx{d: d, method: "CANCEL", sp: c.sp}
	k.onResponse = func(*clientTx, *Message) {}
	k.onEnd = func(int, error) {}
	d.s.register(k) // already, so that Close waits for it
	why := d.byeHead
	d.do(c.quick, func() {
		if c.out == nil {
			k.end(503, errTarget) // the INVITE was never sent
			return
		}
		k.first(c.out.like("CANCEL", c.sp, c.sp.to, why), c.way)
	})
}

package stack

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/sip/alarm"
)

// reliable is the provisional responses of a call whose caller acknowledges them by
// PRACK (RFC 3262 section 3), one at a time. The call of another has none. Dialog.mu
// guards it.
type reliable struct {
	always    bool         // Require: 100rel; else those with a description only
	rseq      uint32       // of the last
	out       *provisional // has no PRACK yet
	next      *provisional // due when that has
	described bool         // a description of ours went in one: no other response repeats it
	accept    *provisional // the 2xx that waits for out's PRACK
}

// provisional is one response, until its PRACK.
type provisional struct {
	code     int
	reason   string
	headers  []Header
	body     []byte
	rseq     uint32
	interval time.Duration
	until    time.Time
	timer    *alarm.Alarm
}

// reliability is how an INVITE's provisional responses are sent; nil: once each.
func reliability(m *Message) *reliable {
	always := m.lists("require", tag100rel)
	if !always && !m.lists("supported", tag100rel) {
		return nil
	}
	return &reliable{always: always, rseq: rand.Uint32N(1 << 30)}
}

const tag100rel = "100rel"

// lists reports whether a header, its name folded, has the option tag.
func (m *Message) lists(name, tag string) bool {
	for _, h := range m.Headers {
		if !is(h.Name, name) {
			continue
		}
		for t := range strings.SplitSeq(h.Value, ",") {
			if strings.EqualFold(trim(t), tag) {
				return true
			}
		}
	}
	return false
}

// provide sends a provisional response, or has it wait for the PRACK of the one
// before. Of those that wait the last is sent, but a description is not lost to a
// response without. d.mu is held.
func (d *Dialog) provide(p *provisional) {
	r := d.reliable
	if r.described {
		p.body = nil // it would be another offer (RFC 3262 section 5)
	}
	switch {
	case r.out != nil:
		if r.next == nil || len(r.next.body) == 0 || len(p.body) > 0 {
			r.next = p
		}
		return
	case !r.always && len(p.body) == 0:
		d.respond(d.inv, p.code, p.reason, p.headers, nil)
		return
	}
	r.rseq++
	p.rseq = r.rseq
	r.out, r.described = p, r.described || len(p.body) > 0
	h := append(slices.Clone(p.headers), Header{"Require", tag100rel},
		Header{"RSeq", strconv.FormatUint(uint64(p.rseq), 10)}, Header{"Allow", allowed(d.refer)})
	d.respond(d.inv, p.code, p.reason, h, p.body)
	t := d.s.o.timers
	p.interval, p.until = t.t1, time.Now().Add(t.life())
	p.timer = d.after(p.interval, func() { d.repeat(p) })
}

// repeat is the timer of a response that has no PRACK: it is sent again at T1,
// doubling, and the call refused after 64*T1. d.mu is held.
func (d *Dialog) repeat(p *provisional) {
	if d.reliable.out != p || d.phase != early {
		return
	}
	if !time.Now().Before(p.until) {
		d.respond(d.inv, 504, "No PRACK", nil, nil)
		d.emit(PrackMissing{})
		d.finish()
		return
	}
	d.do(d.inv.tx.way.quick(), func() {
		if err := d.inv.tx.resend(); err != nil {
			d.log.Debug("provisional response not retransmitted", zap.Error(err))
		}
	})
	p.interval *= 2
	p.timer = d.after(min(p.interval, max(time.Until(p.until), 0)), func() { d.repeat(p) })
}

// names reports whether a RAck is that of the response.
func (p *provisional) names(rack string, cseq uint32) bool {
	f := strings.Fields(rack)
	if len(f) != 3 || f[2] != "INVITE" {
		return false
	}
	rseq, bad := strconv.ParseUint(f[0], 10, 32)
	of, worse := strconv.ParseUint(f[1], 10, 32)
	return bad == nil && worse == nil && uint32(rseq) == p.rseq && uint32(of) == cseq
}

// prack is a PRACK: of the response that waits for it, even after the final one, and
// of no other. d.mu is held.
func (d *Dialog) prack(in *inbound) {
	r := d.reliable
	if r == nil || r.out == nil || !r.out.names(in.msg.Get("RAck"), d.inv.cseq) {
		d.respond(in, 481, "", nil, nil)
		return
	}
	p := r.out
	p.timer.Stop()
	r.out = nil
	d.remoteCSeq = max(d.remoteCSeq, in.cseq)
	switch answer := len(d.inv.msg.Body) == 0 && len(p.body) > 0; {
	case d.phase == ended || len(in.msg.Body) == 0 && !answer:
		d.respond(in, 200, "", nil, nil)
	case answer:
		d.respond(in, 200, "", nil, nil)
		d.emit(Pracked{Request: in.msg})
	default: // an offer: its owner's to answer
		d.admit(in)
	}
	if next := r.next; next != nil && d.phase == early && r.accept == nil {
		r.next = nil
		d.provide(next)
	}
	d.acceptDue()
}

// acceptDue sends the 2xx that the owner has given, unless a description still waits
// for its PRACK (RFC 3262 section 3), or the caller for the answer to an offer in
// one. d.mu is held.
func (d *Dialog) acceptDue() {
	r := d.reliable
	if r == nil || r.accept == nil || d.phase != early || r.out != nil && len(r.out.body) > 0 || d.answering() {
		return
	}
	a := r.accept
	r.accept, r.next = nil, nil
	if r.out != nil {
		r.out.timer.Stop() // its PRACK is taken even so
	}
	if r.described {
		a.body = nil // RFC 6337 section 3.1.1
	}
	d.phase = confirmed
	d.sendAnswer(d.inv, 200, "", a.headers, a.body)
}

// agreed reports whether the offer of the INVITE, whosever, has its answer before
// the 2xx: RFC 3311 5.1. d.mu is held.
func (r *reliable) agreed() bool {
	return r != nil && r.described && (r.out == nil || len(r.out.body) == 0)
}

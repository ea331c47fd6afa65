package stack

import (
	"slices"
	"strconv"

	"go.uber.org/zap"
)

// maxEarly is how many early dialogs of one INVITE are acknowledged: of more than
// this a proxy's forking makes none.
const maxEarly = 32

// earlyDialog is one of those that an INVITE of ours has made (RFC 3261 12.1) and
// that has sent a provisional response reliably.
type earlyDialog struct {
	rseq   uint32   // of the last one acknowledged
	answer *Message // the one with a description, for a 2xx that has none
}

// reliably takes a provisional response to our INVITE that is to be acknowledged: a
// PRACK goes out in its early dialog. False: it has been seen, or the one before it
// has not (RFC 3262 section 4). d.mu is held.
func (d *Dialog) reliably(c *clientTx, m *Message) bool {
	if !m.lists("require", tag100rel) {
		return true
	}
	n, err := strconv.ParseUint(m.Get("RSeq"), 10, 31)
	if err != nil || n == 0 || m.toTag == "" || c != d.call {
		return true // it can't be acknowledged, and is a word all the same
	}
	rseq := uint32(n)
	e := d.acknowledging[m.toTag]
	switch {
	case e != nil && rseq != e.rseq+1:
		return false
	case e == nil && len(d.acknowledging) >= maxEarly:
		d.log.Warn("provisional response not acknowledged: too many early dialogs", zap.Int("dialogs", maxEarly))
		return false
	case e == nil:
		if d.acknowledging == nil {
			d.acknowledging = map[string]*earlyDialog{}
		}
		e = &earlyDialog{}
		d.acknowledging[m.toTag] = e
	}
	e.rseq = rseq
	if e.answer == nil && len(m.Body) > 0 {
		e.answer = m
	}
	d.sendPrack(c, m, rseq)
	return true
}

// sendPrack acknowledges a response. Whatever the answer, the INVITE goes on: its
// final response says what has become of it. d.mu is held.
func (d *Dialog) sendPrack(c *clientTx, m *Message, rseq uint32) {
	d.localCSeq++
	rack := strconv.FormatUint(uint64(rseq), 10) + " " + strconv.FormatUint(uint64(c.cseq), 10) + " INVITE"
	sp := d.spec("PRACK", d.localCSeq, []Header{{"RAck", rack}}, "", nil)
	sp.uri, sp.routes, sp.toTag = contactOf(m), recordRoutes(m, true), m.toTag
	sp.peer, sp.over = m.Source, m.Transport
	p := &clientTx{d: d, method: "PRACK", ident: d.localCSeq, sp: sp}
	p.onResponse = func(_ *clientTx, res *Message) {
		if res.Status >= 300 {
			d.log.Info("PRACK refused", zap.Int("code", res.Status))
		}
	}
	p.onEnd = func(code int, err error) { d.log.Info("PRACK not answered", zap.Int("code", code), zap.Error(err)) }
	d.s.register(p)
	p.start()
}

// answerOf gives a 2xx the description that its early dialog has acknowledged, if it
// has none itself (RFC 6337 section 3.1.1). d.mu is held.
func (d *Dialog) answerOf(m *Message) *Message {
	e := d.acknowledging[m.toTag]
	if e == nil || e.answer == nil || len(m.Body) > 0 {
		return m
	}
	whole := *m
	whole.Body = e.answer.Body
	whole.Headers = append(slices.Clip(m.Headers), Header{"Content-Type", e.answer.Get("Content-Type")})
	return &whole
}

// nextIn is the CSeq number of the BYE that ends a forked dialog. d.mu is held.
func (d *Dialog) nextIn(c *clientTx, tag string) uint32 {
	if d.acknowledging[tag] == nil {
		return c.cseq + 1
	}
	d.localCSeq++
	return d.localCSeq
}

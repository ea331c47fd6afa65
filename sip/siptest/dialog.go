package siptest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// ErrState: the call is not in a state for what was asked of it.
var ErrState = errors.New("siptest: not in this state of the call")

// build makes a request of the dialog; ua.mu is held.
func (c *Call) build(method string, cseq int) *Message {
	m := &Message{Method: method, URI: c.target}
	m.add("Via", c.ua.via())
	m.add("Max-Forwards", "70")
	for _, r := range c.routes {
		m.add("Route", r)
	}
	m.add("From", c.localURI+";tag="+c.localTag)
	to := c.remoteURI
	if c.remoteTag != "" {
		to += ";tag=" + c.remoteTag
	}
	m.add("To", to)
	m.add("Call-ID", c.callID)
	m.add("CSeq", fmt.Sprintf("%d %s", cseq, method))
	if method == "INVITE" {
		m.add("Contact", "<"+c.ua.contact()+">")
		m.add("Allow", allow)
	}
	return m
}

const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"

func (u *ua) via() string {
	return fmt.Sprintf("SIP/2.0/%s %s;rport;branch=z9hG4bK%s", strings.ToUpper(u.tp.network), u.tp.local, token())
}

// okHeaders are those of a 2xx to an INVITE.
func (c *Call) okHeaders() []Header {
	return []Header{{"Contact", "<" + c.ua.contact() + ">"}, {"Allow", allow}}
}

// sendAck acknowledges a 2xx; ua.mu is held.
func (c *Call) sendAck(cseq int, body []byte) {
	m := c.build("ACK", cseq)
	m.Body = body
	f, err := c.ua.route(m)
	if err != nil {
		return // the peer repeats its 2xx, and its time-out is its own to report
	}
	c.ack, c.ackFlow, c.ackCSeq = m.bytes(), f, cseq
	c.note(AckSent, time.Now(), 0)
	_ = f.write(c.ack)
}

func (c *Call) resendAck(m *Message) {
	if c.ack != nil && m.cseq() == c.ackCSeq {
		_ = c.ackFlow.write(c.ack)
	}
}

// ring sends 180; ua.mu is held.
func (c *Call) ring() {
	if c.state == early && c.tx != nil {
		c.note(RingingSent, time.Now(), 180)
		c.ua.reply(c.tx, 180, "Ringing", []Header{{"Contact", "<" + c.ua.contact() + ">"}}, nil)
	}
}

// Answer picks up a call that came in.
func (c *Call) Answer() error {
	c.ua.mu.Lock()
	defer c.ua.mu.Unlock()
	return c.answer()
}

func (c *Call) answer() error {
	if c.state != early || c.tx == nil {
		return ErrState
	}
	body, code := c.describe(c.invite.Body)
	if code != 0 {
		c.refuse(code, "Not Acceptable Here")
		return fmt.Errorf("siptest: the offer has no usable audio")
	}
	c.state = confirmed
	tx := c.tx
	c.tx = nil
	c.note(OKSent, time.Now(), 200)
	c.accept(tx, body)
	c.begin()
	return nil
}

// accept answers an INVITE or re-INVITE with 200. When no ACK comes the call
// ends (RFC 3261 sections 13.3.1.4 and 14.2).
func (c *Call) accept(tx *serverTx, body []byte) {
	c.awaiting = tx
	c.ua.reply(tx, 200, "OK", c.okHeaders(), body)
	c.ua.after(c.ua.net.lifetime(), func() {
		if c.awaiting == tx {
			c.awaiting = nil
			c.bye()
		}
	})
}

// begin is what a robot does once its call is answered.
func (c *Call) begin() {
	if c.beh.Tone != 0 {
		c.audio.Speak(c.beh.Tone)
	}
	if d := c.beh.HangupAfter; d > 0 {
		c.ua.after(d, c.hangup)
	}
}

// describe answers an offer, or makes one when there was none.
func (c *Call) describe(offer []byte) (body []byte, code int) {
	if len(offer) == 0 {
		c.ours = true
		return c.sdp.offer(c.pts, c.wish(), c.lines), 0
	}
	c.ours = false
	d, ok := parseSDP(offer)
	if !ok {
		return nil, 488
	}
	body, ok = c.sdp.answer(d, c.holding)
	if !ok || !c.hear(d) {
		return nil, 488
	}
	return body, 0
}

func (c *Call) wish() string {
	if c.holding {
		return "sendonly"
	}
	return "sendrecv"
}

// Reject refuses a call that came in.
func (c *Call) Reject(code int) error {
	c.ua.mu.Lock()
	defer c.ua.mu.Unlock()
	if c.state != early || c.tx == nil {
		return ErrState
	}
	c.refuse(code, "Refused")
	return nil
}

func (c *Call) refuse(code int, reason string) {
	c.note(Refused, time.Now(), code)
	c.ua.reply(c.tx, code, reason, nil, nil)
	c.over(code)
}

// Hangup ends the call: BYE, or CANCEL of one not yet answered.
func (c *Call) Hangup() {
	c.ua.mu.Lock()
	defer c.ua.mu.Unlock()
	c.hangup()
}

func (c *Call) hangup() {
	switch {
	case c.state == confirmed:
		c.bye()
	case c.state == early && c.outgoing:
		c.giveUp()
	case c.state == early && c.tx != nil:
		c.refuse(480, "Temporarily Unavailable")
	}
}

func (c *Call) bye() {
	if c.state == over {
		return
	}
	if c.awaiting != nil { // RFC 3261 section 15: not before the ACK
		c.byeLater = true
		return
	}
	c.cseq++
	m := c.build("BYE", c.cseq)
	c.note(ByeSent, time.Now(), 0)
	if err := c.ua.send(m, func(*Message) {}); err != nil {
		c.over(503)
		return
	}
	c.over(0)
}

// acked handles the ACK of a 2xx of ours.
func (c *Call) acked(m *Message, at time.Time) {
	if c.awaiting == nil || c.awaiting.request.cseq() != m.cseq() {
		return
	}
	c.awaiting.acked = true
	c.awaiting = nil
	if c.ours && len(m.Body) > 0 {
		if d, ok := parseSDP(m.Body); ok {
			c.hear(d)
		}
	}
	c.note(AckReceived, at, 0)
	if c.byeLater {
		c.bye()
	}
}

// inDialog handles a request of the dialog; ua.mu is held.
func (c *Call) inDialog(m *Message, tx *serverTx, at time.Time) {
	if n := m.cseq(); n <= c.peerCSeq {
		c.ua.reply(tx, 500, "CSeq Out Of Order", nil, nil)
		return
	} else {
		c.peerCSeq = n
	}
	switch m.Method {
	case "BYE":
		c.note(ByeReceived, at, 0)
		c.ua.reply(tx, 200, "OK", nil, nil)
		if c.tx != nil { // not yet answered
			c.ua.reply(c.tx, 487, "Request Terminated", nil, nil)
		}
		if c.awaiting != nil {
			c.awaiting.acked = true // RFC 5407 section 3.1.6: nobody waits for it now
		}
		c.over(0)
	case "INVITE", "UPDATE":
		c.reinvited(m, tx, at)
	case "INFO", "OPTIONS":
		c.ua.reply(tx, 200, "OK", nil, nil)
	case "NOTIFY":
		var code int
		if _, err := fmt.Sscanf(string(m.Body), "SIP/2.0 %d", &code); err != nil {
			c.ua.reply(tx, 400, "Bad Request", nil, nil)
			return
		}
		c.note(Notified, at, code)
		c.ua.reply(tx, 200, "OK", nil, nil)
	default:
		c.ua.reply(tx, 405, "Method Not Allowed", []Header{{"Allow", allow}}, nil)
	}
}

func (c *Call) reinvited(m *Message, tx *serverTx, at time.Time) {
	c.note(ReinviteReceived, at, 0)
	switch {
	case c.offering || m.Method == "INVITE" && c.awaiting != nil:
		c.ua.reply(tx, 491, "Request Pending", nil, nil)
		return
	case c.beh.RefuseReinvite != 0:
		c.ua.reply(tx, c.beh.RefuseReinvite, "Refused", nil, nil)
		return
	}
	var body []byte
	if m.Method == "INVITE" || len(m.Body) > 0 {
		var code int
		if body, code = c.describe(m.Body); code != 0 {
			c.ua.reply(tx, code, "Not Acceptable Here", nil, nil)
			return
		}
	}
	if contact := m.Get("Contact"); contact != "" {
		c.target = uriOf(contact)
	}
	if m.Method == "INVITE" {
		c.accept(tx, body)
		return
	}
	c.ua.reply(tx, 200, "OK", c.okHeaders(), body)
}

// Hold puts the peer on hold by re-INVITE; Unhold takes it back.
func (c *Call) Hold(ctx context.Context) error   { return c.reinvite(ctx, true) }
func (c *Call) Unhold(ctx context.Context) error { return c.reinvite(ctx, false) }

// reinvite offers again. A 491 is tried again by the timers of section 14.1.
func (c *Call) reinvite(ctx context.Context, hold bool) error {
	for {
		result := make(chan int, 1)
		c.ua.mu.Lock()
		err := c.offerAgain(hold, result)
		c.ua.mu.Unlock()
		if err != nil {
			return err
		}
		select {
		case code := <-result:
			switch {
			case code/100 == 2:
				return nil
			case code != 491:
				return fmt.Errorf("siptest: re-INVITE refused: %d", code)
			}
		case <-ctx.Done():
			return fmt.Errorf("siptest: re-INVITE: %w", ctx.Err())
		}
		wait := time.Duration(rand.Int64N(200)) * 10 * time.Millisecond
		if c.outgoing { // the owner of the Call-ID waits longer
			wait = 2100*time.Millisecond + time.Duration(rand.Int64N(190))*10*time.Millisecond
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return fmt.Errorf("siptest: re-INVITE: %w", ctx.Err())
		}
	}
}

func (c *Call) offerAgain(hold bool, result chan<- int) error {
	if c.state != confirmed || c.offering || c.awaiting != nil {
		return ErrState
	}
	before := c.holding
	c.holding, c.offering = hold, true
	c.cseq++
	cseq := c.cseq
	m := c.build("INVITE", cseq)
	m.Body = c.sdp.offer(c.pts, c.wish(), c.lines)
	c.note(ReinviteSent, time.Now(), 0)
	err := c.ua.send(m, func(r *Message) {
		code := 408
		if r != nil {
			code = r.Status
		}
		if code < 200 || c.state == over && code/100 != 2 {
			return
		}
		c.offering = false
		if code/100 == 2 {
			c.accepted(r, cseq)
		} else {
			c.holding = before
		}
		result <- code
	})
	if err != nil {
		c.holding, c.offering = before, false
	}
	return err
}

// accepted takes the answer of a 2xx and acknowledges it.
func (c *Call) accepted(r *Message, cseq int) {
	if contact := r.Get("Contact"); contact != "" {
		c.target = uriOf(contact)
	}
	if d, ok := parseSDP(r.Body); ok && c.state != over {
		c.hear(d)
	}
	c.sendAck(cseq, nil)
}

// dial sends the INVITE of a call of ours; ua.mu is held.
func (c *Call) dial(headers []Header) error {
	c.outgoing = true
	c.cseq = 1 + rand.IntN(1000)
	m := c.build("INVITE", c.cseq)
	m.Headers = append(m.Headers, headers...)
	if !c.beh.LateOffer {
		m.Body = c.sdp.offer(c.pts, "sendrecv", 1)
	}
	c.invite = m
	c.ua.calls[c.callID+" "+c.localTag] = c
	c.note(InviteSent, time.Now(), 0)
	if err := c.ua.send(m, c.progressed); err != nil {
		c.over(503)
		return err
	}
	return nil
}

// progressed handles the responses to our INVITE; ua.mu is held.
func (c *Call) progressed(r *Message) {
	switch {
	case r == nil:
		c.note(Failed, time.Now(), 408)
		c.over(408)
	case r.Status < 200:
		c.ringing = true
		if r.Status > 100 {
			c.earlyTag = headerParam(r.Get("To"), "tag")
			c.note(Progress, time.Now(), r.Status)
			if d, ok := parseSDP(r.Body); ok && c.state == early {
				c.hear(d) // early media
			}
		}
		if c.cancel {
			c.cancel = false
			c.sendCancel()
		}
	case r.Status < 300:
		c.established(r)
	case r.Status == 401 && c.authorized(r):
	default:
		if c.state == early {
			c.note(Failed, time.Now(), r.Status)
			c.over(r.Status)
		}
	}
}

// established handles the 2xx to our INVITE.
func (c *Call) established(r *Message) {
	c.remoteTag = headerParam(r.Get("To"), "tag")
	c.routes = splitRoutes(r.All("Record-Route"))
	slices.Reverse(c.routes)
	c.target = uriOf(r.Get("Contact"))
	c.note(Answered, time.Now(), r.Status)
	if _, cancelled := c.firstLocked(CancelSent); cancelled || c.cancel {
		// Our CANCEL and the 2xx crossed: acknowledge and hang up (section 15).
		c.sendAck(r.cseq(), nil)
		c.state = confirmed
		c.bye()
		return
	}
	c.state = confirmed
	d, ok := parseSDP(r.Body)
	switch {
	case c.beh.LateOffer && ok:
		body, usable := c.sdp.answer(d, false)
		if usable = usable && c.hear(d); !usable {
			c.sendAck(r.cseq(), nil)
			c.bye()
			return
		}
		c.sendAck(r.cseq(), body)
	case !ok || !c.hear(d):
		c.sendAck(r.cseq(), nil)
		c.bye()
		return
	default:
		c.sendAck(r.cseq(), nil)
	}
	c.begin()
}

func (c *Call) firstLocked(k Kind) (Event, bool) {
	for _, e := range c.events {
		if e.Kind == k {
			return e, true
		}
	}
	return Event{}, false
}

// Cancel gives the call up before its answer: CANCEL goes out as soon as a
// provisional response has come (section 9.1).
func (c *Call) Cancel() {
	c.ua.mu.Lock()
	defer c.ua.mu.Unlock()
	c.giveUp()
}

func (c *Call) giveUp() {
	if !c.outgoing || c.state != early {
		return
	}
	if !c.ringing {
		c.cancel = true
		return
	}
	c.sendCancel()
}

func (c *Call) sendCancel() {
	if _, ok := c.firstLocked(CancelSent); ok {
		return
	}
	m := &Message{Method: "CANCEL", URI: c.invite.URI}
	for _, name := range []string{"Via", "Max-Forwards", "Route", "From", "To", "Call-ID"} {
		for _, v := range c.invite.All(name) {
			m.add(name, v)
		}
	}
	m.add("CSeq", fmt.Sprintf("%d CANCEL", c.invite.cseq()))
	c.note(CancelSent, time.Now(), 0)
	_ = c.ua.send(m, func(*Message) {})
}

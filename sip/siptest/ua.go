package siptest

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"strings"
	"sync"
	"time"
)

// defaultT1 is the estimate of the round trip that all timers follow from
// (RFC 3261 table 4).
const defaultT1 = 500 * time.Millisecond

// ua is what phone and trunk share: transactions and the table of calls. One
// lock guards all of it; messages are handled in the order they were read.
type ua struct {
	name    string
	tp      *transport
	net     network
	invited func(c *Call, m *Message) // a new call; ua.mu is held

	mu     sync.Mutex
	closed bool
	client map[string]*clientTx
	server map[string]*serverTx
	calls  map[string]*Call // by Call-ID and our tag
	timers map[*time.Timer]struct{}
	stop   func() bool // of the context's callback
}

type clientTx struct {
	request *Message
	done    func(m *Message) // every response; nil: no answer came
	settled bool             // a response came: no more retransmissions
}

type serverTx struct {
	from     flow
	request  *Message
	response []byte
	final    int
	acked    bool
	call     *Call // of an INVITE
}

// network is how a user agent is connected.
type network struct {
	transport string // udp when empty
	secure    *tls.Config
	addr      string // 127.0.0.1:0 when empty
	t1        time.Duration
	through   *Lossy // all goes this way; nil for none
}

func (n network) t2() time.Duration       { return 8 * n.t1 }
func (n network) lifetime() time.Duration { return 64 * n.t1 }

// openUA starts a user agent that lives until the context ends or close.
func openUA(ctx context.Context, name string, n network, invited func(*Call, *Message)) (*ua, error) {
	if n.transport == "" {
		n.transport = "udp"
	}
	if n.addr == "" {
		n.addr = "127.0.0.1:0"
	}
	if n.t1 == 0 {
		n.t1 = defaultT1
	}
	tp, err := listen(n.transport, n.addr)
	if err != nil {
		return nil, err
	}
	tp.secure = n.secure
	u := &ua{
		name: name, tp: tp, net: n, invited: invited,
		client: map[string]*clientTx{}, server: map[string]*serverTx{},
		calls: map[string]*Call{}, timers: map[*time.Timer]struct{}{},
	}
	if n.through != nil {
		tp.lossy = n.through
		n.through.Join(tp.local)
	}
	tp.start(u.received)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stop = context.AfterFunc(ctx, u.close)
	return u, nil
}

// close drops everything without a word to the peers, and waits.
func (u *ua) close() {
	u.mu.Lock()
	if u.closed {
		u.mu.Unlock()
		u.tp.wg.Wait()
		return
	}
	u.closed = true
	u.stop()
	for t := range u.timers {
		t.Stop()
	}
	calls := make([]*Call, 0, len(u.calls))
	for _, c := range u.calls {
		calls = append(calls, c)
		c.over(0)
	}
	u.mu.Unlock()
	for _, c := range calls {
		c.audio.Close()
	}
	u.tp.close()
}

// contact is our own address as a URI.
func (u *ua) contact() string {
	at := u.tp.local
	if u.net.through != nil {
		at = u.net.through.Peer()
	}
	uri := fmt.Sprintf("sip:%s@%s", u.name, at)
	if u.tp.network != "udp" {
		uri += ";transport=" + u.tp.network
	}
	return uri
}

// after runs f, with the lock held, unless the agent is closed by then.
func (u *ua) after(d time.Duration, f func()) *time.Timer {
	var t *time.Timer
	t = time.AfterFunc(d, func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		delete(u.timers, t)
		if !u.closed {
			f()
		}
	})
	u.timers[t] = struct{}{}
	return t
}

func token() string { return strings.ToLower(rand.Text()[:16]) }

func (u *ua) received(m *Message, from flow, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return
	}
	branch := headerParam(m.Get("Via"), "branch")
	if m.Status != 0 {
		u.response(m, branch, at)
		return
	}
	switch tx := u.server[branch+" "+m.Method]; {
	case m.Method == "ACK":
		u.acked(m, branch, at)
	case tx != nil:
		if tx.response != nil {
			_ = tx.from.write(tx.response) // its repetition asks again
		}
	case m.Method == "CANCEL":
		u.cancelled(m, from, branch, at)
	default:
		u.request(m, from, branch, at)
	}
}

func (u *ua) response(m *Message, branch string, at time.Time) {
	if tx := u.client[branch+" "+m.Method]; tx != nil {
		tx.settled = true
		if m.Status >= 200 {
			delete(u.client, branch+" "+m.Method)
			if m.Method == "INVITE" && m.Status >= 300 {
				u.ackFailure(tx.request, m)
			}
		}
		tx.done(m)
		return
	}
	// A repeated final response to an INVITE asks for its ACK again.
	if c := u.calls[m.Get("Call-ID")+" "+headerParam(m.Get("From"), "tag")]; c != nil && m.Method == "INVITE" && m.Status/100 == 2 {
		c.resendAck(m)
	}
}

// ackFailure acknowledges a final response of 300 and above (section 17.1.1.3).
func (u *ua) ackFailure(invite, m *Message) {
	ack := &Message{Method: "ACK", URI: invite.URI}
	ack.add("Via", invite.Get("Via"))
	ack.add("Max-Forwards", "70")
	for _, r := range invite.All("Route") {
		ack.add("Route", r)
	}
	ack.add("From", invite.Get("From"))
	ack.add("To", m.Get("To"))
	ack.add("Call-ID", invite.Get("Call-ID"))
	ack.add("CSeq", fmt.Sprintf("%d ACK", invite.cseq()))
	if f, err := u.route(invite); err == nil {
		_ = f.write(ack.bytes())
	}
}

// route finds where a request goes: its first Route, else its URI.
func (u *ua) route(m *Message) (flow, error) {
	target := m.URI
	if r := m.Get("Route"); r != "" {
		target = uriOf(r)
	}
	return u.tp.to(hostPort(target))
}

// send starts a client transaction; done gets each response, and nil when
// none came in time.
func (u *ua) send(m *Message, done func(*Message)) error {
	f, err := u.route(m)
	if err != nil {
		return err
	}
	key := headerParam(m.Get("Via"), "branch") + " " + m.Method
	tx := &clientTx{request: m, done: done}
	b := m.bytes()
	if err := f.write(b); err != nil {
		return fmt.Errorf("siptest: %w", err)
	}
	u.client[key] = tx
	if !f.reliable() {
		u.retransmit(f, b, m.Method == "INVITE", func() bool { return tx.settled })
	}
	u.after(u.net.lifetime(), func() {
		if !tx.settled && u.client[key] == tx {
			delete(u.client, key)
			done(nil)
		}
	})
	return nil
}

// retransmit repeats b at growing intervals until stop says so, for 64*T1 at
// most. INVITEs double without end (timer A), all else up to T2 (timers E and
// G, and those of a 2xx).
func (u *ua) retransmit(f flow, b []byte, invite bool, stop func() bool) {
	u.again(f, b, u.net.t1, u.net.lifetime(), invite, stop)
}

func (u *ua) again(f flow, b []byte, wait, left time.Duration, invite bool, stop func() bool) {
	u.after(wait, func() {
		if stop() || wait >= left {
			return
		}
		_ = f.write(b)
		next := 2 * wait
		if !invite {
			next = min(next, u.net.t2())
		}
		u.again(f, b, next, left-wait, invite, stop)
	})
}

// request handles what is neither a repetition nor ACK nor CANCEL.
func (u *ua) request(m *Message, from flow, branch string, at time.Time) {
	key := branch + " " + m.Method
	tx := &serverTx{from: from, request: m}
	u.server[key] = tx
	u.after(u.net.lifetime(), func() { delete(u.server, key) })
	tag := headerParam(m.Get("To"), "tag")
	c := u.calls[m.Get("Call-ID")+" "+tag]
	switch {
	case tag != "" && c == nil:
		u.reply(tx, 481, "Call/Transaction Does Not Exist", nil, nil)
	case c != nil:
		c.inDialog(m, tx, at)
	case m.Method == "INVITE" && u.invited != nil:
		c, err := newIncoming(u, m, tx, at)
		if err != nil {
			u.reply(tx, 500, "Server Internal Error", nil, nil)
			return
		}
		u.invited(c, m)
	case m.Method == "OPTIONS":
		u.reply(tx, 200, "OK", nil, nil)
	default:
		u.reply(tx, 405, "Method Not Allowed", nil, nil)
	}
}

// reply answers a request. Of the failures of an INVITE it keeps on until ACK.
func (u *ua) reply(tx *serverTx, code int, reason string, headers []Header, body []byte) {
	r := &Message{Status: code, Reason: reason, Method: tx.request.Method, Body: body}
	for _, v := range tx.request.All("Via") {
		r.add("Via", v)
	}
	for _, v := range tx.request.All("Record-Route") {
		r.add("Record-Route", v)
	}
	r.add("From", tx.request.Get("From"))
	to := tx.request.Get("To")
	if headerParam(to, "tag") == "" && code > 100 {
		tag := token()
		if tx.call != nil {
			tag = tx.call.localTag
		}
		to += ";tag=" + tag
	}
	r.add("To", to)
	r.add("Call-ID", tx.request.Get("Call-ID"))
	r.add("CSeq", tx.request.Get("CSeq"))
	r.Headers = append(r.Headers, headers...)
	tx.response = r.bytes()
	_ = tx.from.write(tx.response) // the peer repeats its request
	if code < 200 {
		return
	}
	tx.final = code
	if tx.request.Method == "INVITE" && (code < 300 || !tx.from.reliable()) {
		u.retransmit(tx.from, tx.response, false, func() bool { return tx.acked })
	}
}

// acked handles an ACK: of a failure by its branch, of a 2xx by its dialog.
func (u *ua) acked(m *Message, branch string, at time.Time) {
	if tx := u.server[branch+" INVITE"]; tx != nil {
		tx.acked = true
		return
	}
	if c := u.calls[m.Get("Call-ID")+" "+headerParam(m.Get("To"), "tag")]; c != nil {
		c.acked(m, at)
	}
}

func (u *ua) cancelled(m *Message, from flow, branch string, at time.Time) {
	tx := &serverTx{from: from, request: m}
	invite := u.server[branch+" INVITE"]
	if invite == nil {
		u.reply(tx, 481, "Call/Transaction Does Not Exist", nil, nil)
		return
	}
	if invite.call != nil {
		tx.call = invite.call // the same To tag (section 9.2)
	}
	u.reply(tx, 200, "OK", nil, nil)
	if invite.final == 0 {
		u.reply(invite, 487, "Request Terminated", nil, nil)
		if c := invite.call; c != nil && c.state == early {
			c.note(CancelReceived, at, 487)
			c.over(487)
		}
	}
}

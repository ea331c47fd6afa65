package stack

import (
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/sip/alarm"
)

// inbound is one request as received. It is made on the connection's reader
// goroutine, in arrival order.
type inbound struct {
	msg    *Message
	method string
	cseq   uint32
	key    string // of the transaction
	tag    string // ours, put into the To of its answers when that has none
	group  string // whose share of the calls it takes
	dialog *Dialog
	fresh  bool        // an initial INVITE
	socket *packetConn // that it came in by, nil for a stream
	traced bool        // it may be of a call; see knows
	tx     *serverTx   // nil for ACK and CANCEL

	verdict *verdict // where no dialog answers
	other   bool     // for Handler.Other
	drop    bool

	timer  *alarm.Alarm // an owner that never replies
	trying *alarm.Alarm // the 100 to an INVITE
	told   bool         // a response has been decided; under the dialog's mu
	heard  bool         // and one beyond 100
	final  bool         // and a final one
}

// verdict is an answer that needs no dialog.
type verdict struct {
	code    int
	reason  string
	headers []Header
}

func refuse(code int, h ...Header) *verdict {
	return &verdict{code: code, reason: reasonOf(code), headers: h}
}

// sameCall is what two copies of one INVITE share that came by different ways.
type sameCall struct {
	callID, fromTag string
	cseq            uint32
}

func (m *Message) sameCall() sameCall { return sameCall{m.callID, m.fromTag, m.cseq} }

// tapRequest takes every request, on the reader goroutine: the only place where
// arrival order exists.
func (s *Stack) tapRequest(in *inbound) {
	m := in.msg
	in.method, in.cseq = m.Method, m.cseq
	var ok bool
	if in.key, ok = m.transaction(m.cseqMethod); !ok {
		s.refuseBroken(in) // no Via or CSeq
		return
	}
	if in.method == "ACK" {
		s.tapAck(in.key)
	}
	if in.verdict = s.stranger(in); in.verdict == nil {
		in.verdict = s.check(m)
	}
	if in.verdict != nil {
		if !s.answering(in.key) {
			s.refuseFast(in)
		}
		return
	}
	if in.method != "ACK" && in.method != "CANCEL" {
		in.tx = &serverTx{s: s, way: s.back(in), invite: in.method == "INVITE"}
	}
	first := in
	switch {
	case in.method == "CANCEL":
		s.tapCancel(in)
	case m.toTag != "":
		first = s.tapDialog(in)
	case in.method == "INVITE":
		first = s.tapInvite(in)
	case in.method == "ACK":
		in.drop = true
	case in.method == "OPTIONS":
		in.verdict = &verdict{code: 200, reason: "OK", headers: capabilities}
	case in.method == "BYE" || in.method == "UPDATE" || in.method == "PRACK" || in.method == "INFO" || in.method == "NOTIFY":
		in.verdict = refuse(481) // these live in dialogs only
	default:
		if tx := s.tapOther(in); tx != in.tx {
			tx.again()
			return
		}
	}
	switch {
	case in.drop:
	case in.verdict != nil:
		s.refuseFast(in)
	case first != in:
		first.tx.again()
	case in.fresh:
		s.spawn("invite", func() { s.newCall(in) })
	case in.other && in.method == "REGISTER" && s.o.Phones != nil:
		s.spawn("register", func() { s.answerRegister(in) })
	case in.other:
		s.spawn("request", func() { s.askOther(in) })
	}
}

// tapAck ends the repetition of a failure.
func (s *Stack) tapAck(key string) {
	s.mu.Lock()
	in := s.invites[key]
	s.mu.Unlock()
	if in != nil {
		in.tx.ack()
	}
}

// tapOther takes a request for the Handler, once for all its retransmissions,
// and gives the transaction of the first. Anybody may register: so many are
// remembered and no more, and of each its answer alone.
func (s *Stack) tapOther(in *inbound) *serverTx {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := in.key
	if first := s.others[key]; first != nil {
		return first
	}
	in.other = true
	if len(s.others) >= maxOthers {
		return in.tx // sent again, it is answered anew
	}
	s.others[key] = in.tx
	in.tx.gone = func(error) {
		s.mu.Lock()
		delete(s.others, key)
		s.mu.Unlock()
	}
	return in.tx
}

// maxOthers is what 500 phones a second leave behind in 64*T1, three times over.
const maxOthers = 48 << 10

// answering reports whether the transaction is that of an INVITE in hand. What
// comes with its key is a copy of it, damaged on the way: a refusal with its
// branch would end the call for the caller and not for us.
func (s *Stack) answering(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.invites[key] != nil
}

// stranger refuses who is not known. Over UDP strangers have been dealt with
// before the parser.
func (s *Stack) stranger(in *inbound) *verdict {
	a := in.msg.Source.Addr()
	if s.o.Allow(a) {
		return nil
	}
	if in.msg.toTag != "" && s.talking(a) {
		s.flows.prove(in.msg.Transport, in.msg.Source)
		return nil // a peer we called speaks inside its dialog
	}
	if s.hears(a, in.method) {
		return s.unproven(in)
	}
	if in.method == "INVITE" {
		s.tellStranger(a)
	}
	return refuse(403)
}

// unproven challenges a telephone's call before it counts as one: whoever sends without
// credentials from where a telephone is registered takes no call's place, and a lost
// challenge is not repeated to an address that may be forged.
func (s *Stack) unproven(in *inbound) *verdict {
	if in.method != "INVITE" || in.msg.toTag != "" {
		return nil
	}
	if a := s.o.Phones.Challenge(in.msg); a.Code != 0 {
		return &verdict{code: a.Code, reason: a.Reason, headers: a.Headers}
	}
	return nil
}

// tapInvite makes a dialog of a new call. A retransmission gets the inbound of
// the first.
func (s *Stack) tapInvite(in *inbound) *inbound {
	s.mu.Lock()
	defer s.mu.Unlock()
	if first := s.invites[in.key]; first != nil && first.fresh {
		return first
	}
	if first := s.merged[in.msg.sameCall()]; first != nil {
		if first.msg.via.branch == in.msg.via.branch {
			// The same request again, its Via changed on the way (or damaged): a
			// refusal would be taken for the answer to the first.
			in.drop = true
		} else {
			in.verdict = refuse(482) // RFC 3261 8.2.2.2: by another way
		}
		return in
	}
	if d := s.dialogs[in.msg.fromTag]; d != nil && d.callID == in.msg.callID {
		in.verdict = refuse(482) // ours, come back by one who leaves no Via
		return in
	}
	in.group = s.o.Group(in.msg.Source.Addr())
	// One that was refused stays so.
	if s.closing || s.refused.has(in.key, in.msg.At) || s.behind() || !s.enter(in.group, s.o.timers.offeredAt(in.msg.At)) {
		s.refused.add(in.key, in.msg.At)
		in.verdict = s.busy()
		return in
	}
	in.fresh = true
	s.pace.awaits(1)
	d := newUAS(s, in)
	in.dialog, in.tag = d, d.localTag // one tag for every response
	s.invites[in.key], s.merged[in.msg.sameCall()], s.dialogs[d.localTag] = in, in, d
	in.tx.gone = func(err error) {
		s.forgetInvite(in)
		d.inviteGone(in, err)
	}
	return in
}

// behind reports whether the processor can't take one more call, and logs it once
// in ten seconds. s.mu is held.
func (s *Stack) behind() bool {
	if !s.pace.behind(time.Now(), func(run func()) { s.wg.Go(run) }) {
		return false
	}
	if s.pressed.Allow() {
		s.log.Warn("new calls are refused with 503: work waits too long for the processor")
	}
	return true
}

// enter takes a place for a call of the group: under its own cap, and then among all.
func (s *Stack) enter(group string, at time.Time) bool {
	if !s.o.Caps.Enter(group, at) {
		if limit, calls, tell := s.o.Caps.refuse(group, at); tell {
			s.log.Warn("a trunk's calls are refused with 503: it has as many as its cap lets it", zap.String("trunk", group),
				zap.Int("calls", calls), zap.Int("max_calls", limit.Calls), zap.Int("calls_per_second", limit.Rate))
		}
		return false
	}
	if s.gate.enter(group, at) {
		return true
	}
	s.o.Caps.Leave(group)
	return false
}

func (s *Stack) forgetInvite(in *inbound) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.invites[in.key] == in {
		delete(s.invites, in.key)
	}
	if same := in.msg.sameCall(); s.merged[same] == in {
		delete(s.merged, same)
	}
}

// tapCancel finds the INVITE by the CANCEL's branch (RFC 3261 9.2), failing
// that by Call-ID, From tag and CSeq: some proxies change the sent-by.
func (s *Stack) tapCancel(in *inbound) {
	key, _ := in.msg.transaction("INVITE")
	s.mu.Lock()
	target := s.invites[key]
	if target == nil {
		target = s.merged[in.msg.sameCall()]
	}
	s.mu.Unlock()
	if target == nil || target.msg.callID != in.msg.callID {
		in.verdict = refuse(481)
		return
	}
	in.tag = target.dialog.localTag
	// The CANCEL's answer comes first (RFC 3261 9.2): there are callers that take
	// no other order.
	in.verdict = &verdict{code: 200, reason: "OK"}
	s.refuseFast(in)
	target.dialog.canceled(target, in.msg)
}

func (s *Stack) tapDialog(in *inbound) *inbound {
	s.mu.Lock()
	d := s.dialogs[in.msg.toTag]
	s.mu.Unlock()
	if d == nil {
		in.drop, in.verdict = in.method == "ACK", refuse(481)
		return in
	}
	if in.method == "INVITE" { // CANCEL must find it
		in.tx.gone = func(error) { s.forgetInvite(in) }
		s.mu.Lock()
		if s.invites[in.key] == nil {
			s.invites[in.key] = in
		}
		s.mu.Unlock()
	}
	first := d.request(in)
	if in.method == "INVITE" && (first != in || in.verdict != nil) {
		s.forgetInvite(in)
	}
	return first
}

func (s *Stack) newCall(in *inbound) {
	d := in.dialog
	if time.Since(in.msg.At) > s.o.timers.late {
		// The machine can't keep up: its caller has sent the INVITE again, twice.
		// Work spent on it would make the next one later still.
		_ = d.Reject(503, "", s.busy().headers)
		return
	}
	d.mu.Lock()
	// RFC 3261 17.2.1: there is no need for a 100 when another response follows soon.
	in.trying = d.after(s.o.timers.trying, func() { d.sendTrying(in) })
	d.unlock()
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("handler panicked", zap.Any("panic", p), zap.Stack("stack"))
			if d.Reject(500, "", nil) != nil {
				d.Bye(nil)
			}
		}
	}()
	s.o.Handler.Invite(d, in.msg)
}

// answerOther answers a request outside dialogs; more are headers that are the
// stack's elsewhere.
func (s *Stack) answerOther(in *inbound, v *verdict, more []Header) {
	in.tag = s.tagFor(in)
	if err := in.tx.respond(v.code, s.response(in, v.code, v.reason, v.headers, more, nil)); err != nil {
		s.log.Debug("response not sent", zap.Int("code", v.code), zap.Error(err))
	}
}

func (s *Stack) askOther(in *inbound) {
	v := refuse(500)
	func() {
		defer s.recovered("handler")
		code, reason := s.o.Handler.Other(in.msg)
		v = &verdict{code: code, reason: reason}
	}()
	if v.code < 200 || v.code > 699 {
		v = refuse(500)
	}
	if v.code == 405 { // RFC 3261 21.4.6
		v.headers = append(v.headers, Header{"Allow", allow})
	}
	s.answerOther(in, v, nil)
}

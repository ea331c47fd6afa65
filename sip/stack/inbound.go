package stack

import (
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// inbound is one request as received. It is made on the connection's reader
// goroutine, in arrival order.
type inbound struct {
	msg    *Message
	method string
	cseq   uint32
	key    string // of the transaction
	merged string // Call-ID, From tag and CSeq of an INVITE
	branch string // of its top Via
	group  string // whose share of the calls it takes
	dialog *Dialog
	fresh  bool        // an initial INVITE
	socket *packetConn // that it came in by, nil for a stream
	tx     *serverTx   // nil for ACK and CANCEL

	verdict *verdict // where no dialog answers
	other   bool     // for Handler.Other
	drop    bool

	timer  *time.Timer // an owner that never replies
	trying *time.Timer // the 100 to a re-INVITE
	final  bool        // a final response has been decided; under the dialog's mu
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

// tap takes every parsed message, on the reader goroutine: the only place where
// arrival order exists. socket is nil for a stream.
func (s *Stack) tap(m sip.Message, socket *packetConn, from netip.AddrPort) {
	at := time.Now()
	switch m := m.(type) {
	case *sip.Request:
		s.tapRequest(m, socket, from, at)
	case *sip.Response:
		s.tapResponse(m, from, at)
	}
}

func (s *Stack) tapRequest(req *sip.Request, socket *packetConn, from netip.AddrPort, at time.Time) {
	in := &inbound{msg: messageOf(req, from, at), method: string(req.Method), socket: socket}
	normaliseTags(req) // before the key, which old requests make with the From tag
	key, err := sip.ServerTxKeyMake(req)
	if err != nil {
		s.refuseBroken(req, in) // no Via or CSeq
		return
	}
	in.key = key
	in.cseq = req.CSeq().SeqNo
	if in.method == "ACK" {
		s.tapAck(key)
	}
	if in.verdict = s.stranger(req, in); in.verdict == nil {
		in.verdict = s.check(req, in.msg)
	}
	if in.verdict != nil {
		if !s.answering(in.key) {
			s.refuseFast(req, in)
		}
		return
	}
	if in.method != "ACK" && in.method != "CANCEL" {
		in.tx = &serverTx{s: s, way: s.back(req, in), invite: in.method == "INVITE", req: req}
	}
	first := in
	toTag, fromTag := tagOf(req.To().Params), tagOf(req.From().Params)
	switch {
	case in.method == "CANCEL":
		s.tapCancel(req, in, fromTag)
	case toTag != "":
		first = s.tapDialog(in, toTag, fromTag)
	case in.method == "INVITE":
		first = s.tapInvite(req, in, fromTag)
	case in.method == "ACK":
		in.drop = true
	case in.method == "OPTIONS":
		in.verdict = &verdict{code: 200, reason: "OK", headers: capabilities}
	case in.method == "BYE" || in.method == "UPDATE" || in.method == "PRACK" || in.method == "INFO":
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
		s.refuseFast(req, in)
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
func (s *Stack) stranger(req *sip.Request, in *inbound) *verdict {
	a := in.msg.Source.Addr()
	if s.o.Allow(a) {
		return nil
	}
	if to := req.To(); to != nil && tagOf(to.Params) != "" && s.talking(a) {
		s.flows.prove(in.msg.Transport, in.msg.Source)
		return nil // a peer we called speaks inside its dialog
	}
	if s.hears(a, in.method) {
		return nil
	}
	if req.IsInvite() {
		s.tellStranger(a)
	}
	return refuse(403)
}

// tapInvite makes a dialog of a new call. A retransmission gets the inbound of
// the first.
func (s *Stack) tapInvite(req *sip.Request, in *inbound, fromTag string) *inbound {
	s.mu.Lock()
	defer s.mu.Unlock()
	if first := s.invites[in.key]; first != nil && first.fresh {
		return first
	}
	in.merged = in.msg.Get("Call-ID") + " " + fromTag + " " + in.msg.Get("CSeq")
	in.branch, _ = req.Via().Params.Get("branch")
	if first := s.merged[in.merged]; first != nil {
		if first.branch == in.branch {
			// The same request again, its Via changed on the way (or damaged): a
			// refusal would be taken for the answer to the first.
			in.drop = true
		} else {
			in.verdict = refuse(482) // RFC 3261 8.2.2.2: by another way
		}
		return in
	}
	in.group = s.o.Group(in.msg.Source.Addr())
	if s.closing || !s.gate.enter(in.group, in.msg.At) {
		in.verdict = s.busy()
		return in
	}
	in.fresh = true
	d := newUAS(s, in, req)
	in.dialog = d
	// One tag for every response.
	req.To().Params.Add("tag", d.localTag)
	s.invites[in.key], s.merged[in.merged], s.dialogs[d.localTag] = in, in, d
	in.tx.gone = func(err error) {
		s.forgetInvite(in)
		d.inviteGone(in, err)
	}
	return in
}

func (s *Stack) forgetInvite(in *inbound) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.invites[in.key] == in {
		delete(s.invites, in.key)
	}
	if s.merged[in.merged] == in {
		delete(s.merged, in.merged)
	}
}

// tapCancel finds the INVITE by the CANCEL's branch (RFC 3261 9.2), failing
// that by Call-ID, From tag and CSeq: some proxies change the sent-by.
func (s *Stack) tapCancel(req *sip.Request, in *inbound, fromTag string) {
	cseq := req.CSeq()
	cseq.MethodName = sip.INVITE
	key, err := sip.ServerTxKeyMake(req)
	merged := in.msg.Get("Call-ID") + " " + fromTag + " " + cseq.Value()
	cseq.MethodName = sip.CANCEL

	s.mu.Lock()
	target := s.invites[key]
	if target == nil {
		target = s.merged[merged]
	}
	s.mu.Unlock()
	if err != nil || target == nil || target.msg.Get("Call-ID") != in.msg.Get("Call-ID") {
		in.verdict = refuse(481)
		return
	}
	if tagOf(req.To().Params) == "" {
		req.To().Params.Add("tag", target.dialog.localTag)
	}
	// The CANCEL's answer comes first (RFC 3261 9.2): there are callers that take
	// no other order.
	in.verdict = &verdict{code: 200, reason: "OK"}
	s.refuseFast(req, in)
	target.dialog.canceled(target, in.msg)
}

func (s *Stack) tapDialog(in *inbound, toTag, fromTag string) *inbound {
	s.mu.Lock()
	d := s.dialogs[toTag]
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
	first := d.request(in, fromTag)
	if in.method == "INVITE" && (first != in || in.verdict != nil) {
		s.forgetInvite(in)
	}
	return first
}

func (s *Stack) responseTo(req *sip.Request, code int, reason string, hs []Header) *sip.Response {
	if reason == "" {
		reason = reasonOf(code)
	}
	res := sip.NewResponseFromRequest(req, code, clean(reason), nil)
	res.SipVersion = "SIP/2.0"        // not the peer's
	if via := res.Via(); via != nil { // RFC 3261 18.2.1
		if from := addrPort(req.Source()).Addr(); from.IsValid() && numericHost(via.Host) != from {
			via.Params.Add("received", from.String())
		}
	}
	appendHeaders(res, hs)
	if s.o.UserAgent != "" && code != 100 {
		res.AppendHeader(sip.NewHeader("Server", clean(s.o.UserAgent)))
	}
	return res
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
	d.respond(in, 100, "", nil, nil)
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

// answerOther answers a request outside dialogs; more, if given, adds to the response.
func (s *Stack) answerOther(in *inbound, v *verdict, more func(*sip.Response)) {
	req := in.tx.origin()
	if req == nil {
		return // its connection is gone
	}
	res := s.responseTo(req, v.code, v.reason, v.headers)
	if more != nil {
		more(res)
	}
	res.SetBody(nil)
	if err := in.tx.respond(res); err != nil {
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

// tagOf reads the tag whatever its spelling.
func tagOf(ps sip.HeaderParams) string {
	for _, kv := range ps {
		if strings.EqualFold(strings.TrimSpace(kv.K), "tag") {
			return strings.TrimSpace(kv.V)
		}
	}
	return ""
}

// normaliseTags rewrites "; Tag = x" so that the library finds it too: it
// would put a second tag into its responses.
func normaliseTags(req *sip.Request) {
	fix := func(ps sip.HeaderParams) {
		for i, kv := range ps {
			if strings.EqualFold(strings.TrimSpace(kv.K), "tag") {
				ps[i] = sip.HeaderKV{K: "tag", V: strings.TrimSpace(kv.V)}
			}
		}
	}
	if to := req.To(); to != nil {
		fix(to.Params)
	}
	if from := req.From(); from != nil {
		fix(from.Params)
	}
}

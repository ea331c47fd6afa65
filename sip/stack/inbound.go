package stack

import (
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// inbound is one request as received. It is made on the connection's reader
// goroutine, in arrival order; the server transaction is attached later, on a
// goroutine of the library's, in any order.
type inbound struct {
	msg    *Message
	method string
	cseq   uint32
	key    string // the transaction's key in the library
	merged string // Call-ID, From tag and CSeq of an INVITE
	branch string // of its top Via
	group  string // whose share of the calls it takes
	dialog *Dialog
	fresh  bool // an initial INVITE

	// What to do on attaching, where no dialog answers.
	verdict *verdict
	other   bool // for Handler.Other
	drop    bool

	timer *time.Timer // an owner that never replies
	final bool        // a final response has been decided; under the dialog's mu

	mu      sync.Mutex
	tx      *sip.ServerTx
	taken   bool                  // a transaction has come
	waiting []func(*sip.ServerTx) // for it
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

// attach gives the request its transaction and does what waited for it; false
// if it has one already.
func (in *inbound) attach(tx *sip.ServerTx) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.taken {
		return false
	}
	in.taken = true
	for len(in.waiting) > 0 {
		f := in.waiting[0]
		in.waiting = in.waiting[1:]
		in.mu.Unlock()
		f(tx)
		in.mu.Lock()
	}
	in.tx = tx
	return true
}

// with calls f with the transaction, now or when it comes. It may never come,
// if the connection broke: nothing may wait for it.
func (in *inbound) with(f func(*sip.ServerTx)) {
	in.mu.Lock()
	if in.tx == nil {
		in.waiting = append(in.waiting, f)
		in.mu.Unlock()
		return
	}
	in.mu.Unlock()
	f(in.tx)
}

// stamp carries our inbound through the library, from the tap to the handler
// of the transaction. It is never written out: responses copy headers by name.
type stamp struct {
	sip.Header
	in *inbound
}

const stampName = "X-Inbound"

// methodCancel hides CANCEL from the library, which would answer it by itself:
// 200 and 487 with To tags of their own, and no way to tell whether the 200 to
// the INVITE was first.
const methodCancel sip.RequestMethod = "CANCEL (ours)"

// tap sees every parsed message before the transaction layer, on the reader
// goroutine: the only place where arrival order still exists.
func (s *Stack) tap(m sip.Message) {
	defer s.recovered("tap")
	at := time.Now()
	var socket *packetConn
	if m.Transport() == "UDP" {
		socket = s.unveil(m)
	}
	switch m := m.(type) {
	case *sip.Request:
		if socket != nil {
			socket.remember(s.tpl.Pool("udp"), m.Source(), s.o.timers.life())
		}
		s.tapRequest(m, at)
	case *sip.Response:
		s.tapResponse(m, at)
	}
}

// unveil puts a datagram's source in place of its listener's name.
func (s *Stack) unveil(m sip.Message) *packetConn {
	for _, c := range s.udp {
		if c.last.name == m.Source() {
			m.SetSource(c.last.at.String())
			return c
		}
	}
	return nil
}

func (s *Stack) tapRequest(req *sip.Request, at time.Time) {
	in := &inbound{msg: messageOf(req, at), method: string(req.Method)}
	normaliseTags(req) // before the key, which old requests make with the From tag
	key, err := sip.ServerTxKeyMake(req)
	if err != nil {
		return // no Via or CSeq: the library answers 400 without a transaction
	}
	in.key = key
	in.cseq = req.CSeq().SeqNo
	defer func() { req.AppendHeader(stamp{sip.NewHeader(stampName, ""), in}) }()

	if in.verdict = s.stranger(req, in); in.verdict == nil {
		in.verdict = s.check(req, in.msg)
	}
	if in.verdict != nil {
		if in.method == "CANCEL" {
			req.Method = methodCancel
		}
		if in.drop = s.answering(in.key); !in.drop {
			s.refuseFast(req, in)
		}
		return
	}
	toTag, fromTag := tagOf(req.To().Params), tagOf(req.From().Params)
	switch {
	case in.method == "CANCEL":
		s.tapCancel(req, in, fromTag)
	case toTag != "":
		in = s.tapDialog(in, toTag, fromTag)
	case in.method == "INVITE":
		in = s.tapInvite(req, in, fromTag)
	case in.method == "ACK":
		in.drop = true
	case in.method == "OPTIONS":
		in.verdict = &verdict{code: 200, reason: "OK", headers: capabilities}
	case in.method == "BYE" || in.method == "UPDATE" || in.method == "PRACK" || in.method == "INFO":
		in.verdict = refuse(481) // these live in dialogs only
	default:
		in.other = true
	}
	if in.verdict != nil {
		s.refuseFast(req, in)
	}
}

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
// the first: whichever reaches the library first carries the transaction.
func (s *Stack) tapInvite(req *sip.Request, in *inbound, fromTag string) *inbound {
	s.mu.Lock()
	defer s.mu.Unlock()
	if first := s.invites[in.key]; first != nil && first.fresh {
		req.To().Params.Add("tag", first.dialog.localTag)
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
	// One tag for every response, the ones the library makes included.
	req.To().Params.Add("tag", d.localTag)
	s.invites[in.key], s.merged[in.merged], s.dialogs[d.localTag] = in, in, d
	time.AfterFunc(s.o.timers.attach, func() { s.unattached(in) })
	return in
}

// unattached ends a call whose transaction never came (its connection broke).
func (s *Stack) unattached(in *inbound) {
	defer s.recovered("attach timer")
	in.mu.Lock()
	taken := in.taken
	in.mu.Unlock()
	if taken {
		return
	}
	s.forgetInvite(in)
	if d := in.dialog; in.fresh {
		d.mu.Lock()
		d.finish()
		d.mu.Unlock()
	}
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
	req.Method = methodCancel

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
	in.verdict = &verdict{code: 200, reason: "OK"}
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
	first := d.request(in, fromTag)
	if in.method == "INVITE" && first == in && in.verdict == nil { // CANCEL must find it
		s.mu.Lock()
		s.invites[in.key] = in
		s.mu.Unlock()
		time.AfterFunc(s.o.timers.attach, func() { s.unattached(in) })
	}
	return first
}

// onRequest is the library's call for a new server transaction.
func (s *Stack) onRequest(req *sip.Request, tx *sip.ServerTx) {
	defer s.recovered("request")
	st, ok := req.GetHeader(stampName).(stamp)
	if !ok || st.in.drop || !s.track() {
		tx.Terminate()
		return
	}
	defer s.wg.Done()
	in := st.in
	if !in.attach(tx) {
		return // the request came twice and the first transaction is gone
	}
	switch {
	case in.fresh:
		s.newCall(in)
	case in.other && in.method == "REGISTER" && s.o.Phones != nil:
		s.answerRegister(in)
	case in.other:
		s.askOther(in)
	case in.method == "INVITE":
		onTerminate(tx, func(error) { s.forgetInvite(in) })
	}
}

// onTerminate runs f when the transaction has ended, which it may have already:
// its connection broke, or the ACK of what waited for it was quick. The
// library calls nobody then.
func onTerminate(tx *sip.ServerTx, f func(error)) {
	if !tx.OnTerminate(func(_ string, err error) { f(err) }) {
		f(tx.Err())
	}
}

func (s *Stack) answer(tx *sip.ServerTx, v *verdict) {
	res := s.response(tx, v.code, v.reason, v.headers)
	res.SetBody(nil)
	if err := tx.Respond(res); err != nil {
		s.log.Debug("response not sent", zap.Int("code", v.code), zap.Error(err))
	}
}

// response makes a response to the request that made the transaction: only
// that one knows where the answer goes.
func (s *Stack) response(tx *sip.ServerTx, code int, reason string, hs []Header) *sip.Response {
	return s.responseTo(tx.Origin(), code, reason, hs)
}

func (s *Stack) responseTo(req *sip.Request, code int, reason string, hs []Header) *sip.Response {
	if reason == "" {
		reason = reasonOf(code)
	}
	res := sip.NewResponseFromRequest(req, code, clean(reason), nil)
	res.SipVersion = "SIP/2.0" // not the peer's
	appendHeaders(res, hs)
	if s.o.UserAgent != "" && code != 100 {
		res.AppendHeader(sip.NewHeader("Server", clean(s.o.UserAgent)))
	}
	return res
}

func (s *Stack) newCall(in *inbound) {
	d := in.dialog
	onTerminate(in.tx, func(err error) {
		defer s.recovered("terminate")
		s.forgetInvite(in)
		d.inviteGone(in, err)
	})
	if time.Since(in.msg.At) > s.o.timers.late {
		// The machine can't keep up: its caller has sent the INVITE again, twice.
		// Work spent on it would make the next one later still.
		_ = d.Reject(503, "", s.busy().headers)
		return
	}
	d.mu.Lock()
	d.respond(in, 100, "", nil, nil, nil)
	d.mu.Unlock()
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
	s.answer(in.tx, v)
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

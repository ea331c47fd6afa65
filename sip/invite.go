package sip

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
	"github.com/cordboard/cordboard/sip/trace"
)

var retryAfter = []stack.Header{{Name: "Retry-After", Value: "5"}}

// noAddr leaves a port's remote address as it is.
var noAddr netip.AddrPort

// Invite is a new call: its caller is read, its offer checked, and its actor
// started.
func (g *Gateway) Invite(d *stack.Dialog, req *stack.Message) { g.arrive(d, d.Bind, req) }

func (g *Gateway) arrive(d dialog, bind func(stack.Sink), req *stack.Message) {
	refuse := func(code int, h []stack.Header) {
		bind(func(stack.Event) {})
		if err := d.Reject(code, "", h); err != nil {
			g.log.Debug("refusal not sent", zap.Error(err))
		}
	}
	if g.calledByPhone(d, bind, req, refuse) {
		return
	}
	trunk, _ := g.trunkOf(req.Source.Addr())
	if req.Get("Replaces") != "" { // RFC 3891 3: none of our dialogs can be taken over
		g.log.Info("call refused", zap.String("trunk", trunk.Name), zap.Int("code", 481), zap.String("reason", "replaces"))
		refuse(481, nil)
		return
	}
	unwrap(req)
	if c := g.ourOwn(req, trunk); c != nil {
		if trunk.Trust.Diversion {
			c.post(c.divertedBack)
		}
		refuse(482, nil)
		return
	}
	if g.passesBy(d, bind, req, trunk) {
		return
	}
	first, code, h := g.firstOffer(req)
	if code != 0 {
		g.log.Info("call refused", zap.String("trunk", trunk.Name), zap.Int("code", code))
		refuse(code, h)
		return
	}
	c := g.newCall(d, req, trunk, first)
	g.mu.Lock()
	if g.draining {
		g.mu.Unlock()
		refuse(503, retryAfter)
		return
	}
	g.calls[c.id] = c
	g.sameCaller(c.arrival)
	g.work.Add(1)
	g.mu.Unlock()
	c.post(c.start)
	bind(c.sink(c.caller))
	c.box.open()
}

// newCall makes the actor.
func (g *Gateway) newCall(d dialog, req *stack.Message, trunk Trunk, first *request) *call {
	id := g.router.NextCall()
	who, dialled := identity.Identify(identityHeaders(req), req.URI, trunk.Trust)
	c := &call{
		id: id, gw: g, trunk: trunk, invited: req, first: first,
		log: g.log.WithLazy(zap.Int64("call", int64(id))),
		arrival: Arrival{
			Call: id, Caller: who, Dialled: dialled, Trunk: trunk.Name, At: req.At,
		},
	}
	c.box = newMailbox(c.work, func(n int) { c.log.Warn("mailbox grows", zap.Int("length", n)) })
	if s, err := strconv.ParseUint(req.Get("Expires"), 10, 31); err == nil {
		c.expires = time.Duration(s) * time.Second
	}
	if left, err := strconv.ParseUint(req.Get("Max-Forwards"), 10, 31); err == nil {
		c.spent = max(70-int(left), 0)
	}
	c.caller = &leg{name: "caller", dlg: d, side: c.newSide(), source: req.Source.Addr()}
	c.caller.vigil.longest = g.session
	g.trace.Leg(req.At, trace.Leg{Call: int64(id), Name: c.caller.name, CallID: req.Get("Call-ID")})
	if first != nil {
		c.caller.choose(first.audio, false)
		c.caller.remote, c.caller.can = first.audio, first.audio.Formats
	}
	return c
}

// firstOffer checks the offer of a new call. A code other than 0 refuses it;
// nil and 0 is a late offer: ours will be in the 200.
func (g *Gateway) firstOffer(req *stack.Message) (*request, int, []stack.Header) {
	if h, short := tooShort(req); short {
		return nil, 422, h
	}
	if len(req.Body) == 0 {
		return nil, 0, nil
	}
	if !isSDP(req) {
		return nil, 415, []stack.Header{{Name: "Accept", Value: "application/sdp"}}
	}
	d, err := media.ParseSDP(req.Body)
	if err != nil {
		return nil, 400, nil
	}
	a, ok := d.Audio()
	if ok {
		_, ok = a.G711()
	}
	if !ok {
		return nil, 488, []stack.Header{{Name: "Warning", Value: `305 cordboard "PCMU or PCMA over RTP/AVP needed"`}}
	}
	if a.Addr.Addr().Is4() != g.sdpHost.Unmap().Is4() && !a.Addr.Addr().IsUnspecified() {
		return nil, 488, []stack.Header{{Name: "Warning", Value: `300 cordboard "Incompatible network protocol"`}}
	}
	return &request{msg: req, sdp: d, audio: a}, 0, nil
}

// Other answers requests outside a dialog that the stack leaves to us.
func (g *Gateway) Other(*stack.Message) (int, string) { return 405, "" }

func identityHeaders(m *stack.Message) []identity.Header {
	out := make([]identity.Header, len(m.Headers))
	for i, h := range m.Headers {
		out[i] = identity.Header(h)
	}
	return out
}

// sink posts a leg's events to the call's mailbox.
func (c *call) sink(l *leg) stack.Sink {
	return c.box.sink(l)
}

// outgoing is the INVITE to an agent's phone. The caller's number is shown,
// and asserted (RFC 3325), unless the caller asked that it be not.
func (c *call) outgoing(a routing.Ring, phone agents.Phone, sdp []byte) stack.Outgoing {
	host := uriHost(c.gw.sdpHost)
	who := c.arrival.Caller
	from := `"Anonymous" <sip:anonymous@anonymous.invalid>`
	h := make([]stack.Header, 0, 8)
	switch n := who.Number.E164(); {
	case who.Restricted:
		h = append(h, stack.Header{Name: "Privacy", Value: "id"})
	case n != "":
		from = displayName(who.Display) + "<sip:" + n + "@" + host + ">"
		h = append(h, stack.Header{Name: "P-Asserted-Identity", Value: from})
	}
	// Who looks at a trace or at the PBX finds the call again.
	h = append(append(h, callHeader(a.Offer)), c.passed()...)
	if left := time.Until(a.Until); !a.Until.IsZero() && left > 0 {
		// A phone behind a proxy that loses our CANCEL stops by itself.
		h = append(h, stack.Header{Name: "Expires", Value: strconv.Itoa(int(left/time.Second) + 2)})
	}
	if a.AutoAnswer {
		for _, x := range c.gw.dialect.AutoAnswer(host) {
			h = append(h, stack.Header(x))
		}
	}
	return stack.Outgoing{
		Refer: true, URI: phone.URI, From: from, To: "<" + phone.URI + ">", Headers: h, Body: sdp,
		Transport: phone.Transport, Next: phone.Next, Spent: c.spent + 1,
	}
}

// callHeader names our call and its attempt.
func callHeader(o routing.Offer) stack.Header {
	return stack.Header{Name: "X-Cordboard-Call", Value: strconv.FormatInt(int64(o.Call), 10) + "/" + strconv.Itoa(int(o.Attempt))}
}

// displayName quotes a name for a name-addr (RFC 3261 25.1 quoted-string).
func displayName(s string) string {
	var b strings.Builder
	b.Grow(len(s) + len(`"" `))
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r < ' ' || r == 0x7f:
			continue
		case r == '"' || r == '\\':
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	if b.Len() == len(`"`) {
		return ""
	}
	b.WriteString(`" `)
	return b.String()
}

// reasonHeader says why a leg is ended (RFC 3326). why is a code of ours.
func reasonHeader(by routing.Party, why string) []stack.Header {
	text := string(by)
	if why != "" {
		text += " " + why
	}
	v := `Q.850;cause=16;text="` + text + `"`
	switch why {
	case "panic", "shutdown", "no_ack", "no_answer_in_ack", "no_prack", "no_answer_in_prack", "no_media_port", "no_codec", "call_failed":
		v = `SIP;cause=500;text="` + text + `"`
	case "completed_elsewhere", "answered_elsewhere":
		v = `SIP;cause=200;text="Call completed elsewhere"`
	}
	return []stack.Header{{Name: "Reason", Value: v}}
}

// uriHost writes an address as the host of a URI.
func uriHost(a netip.Addr) string {
	if a.Is6() && !a.Is4In6() {
		return "[" + a.String() + "]"
	}
	return a.Unmap().String()
}

// hostOfPhone is the address that a phone is called at, as far as it is known
// before.
func hostOfPhone(p agents.Phone) netip.Addr {
	if p.Next.IsValid() {
		return p.Next.Addr()
	}
	return hostOf(p.URI)
}

// hostOf is the host of a SIP URI when it is an address, else the zero Addr.
func hostOf(uri string) netip.Addr {
	_, rest, _ := strings.Cut(uri, ":")
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	if i := strings.IndexAny(rest, ";?>"); i >= 0 {
		rest = rest[:i]
	}
	if ap, err := netip.ParseAddrPort(rest); err == nil {
		return ap.Addr().Unmap()
	}
	a, err := netip.ParseAddr(strings.Trim(rest, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}

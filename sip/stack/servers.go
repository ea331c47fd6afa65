package stack

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/cordboard/cordboard/sip/locate"
)

// Where a name leads (RFC 3263): a request outside any dialog goes to the first of
// its servers, and to the next when that gives no answer, can't be reached, or says
// 503. Whatever is sent after that stays with the server that answered.

// place gives transport and address of a URI: numeric, or of the first server of its
// name.
func (s *Stack) place(ctx context.Context, tp string, said bool, u sip.Uri, sp *spec) (string, netip.AddrPort, error) {
	if u.Port < 0 || u.Port > 65535 {
		return "", netip.AddrPort{}, errTarget
	}
	if a := numericHost(u.Host); a.IsValid() {
		port := u.Port
		switch {
		case port != 0:
		case tp == "tls":
			port = 5061
		default:
			port = 5060
		}
		return tp, netip.AddrPortFrom(a, uint16(port)), nil
	}
	if !sp.server.Addr.IsValid() {
		q := locate.Query{Host: strings.ToLower(u.Host), Port: u.Port, Speaks: s.spoken()}
		if said {
			q.Transport = tp
		}
		all, err := s.names.Find(ctx, q)
		if err != nil {
			return "", netip.AddrPort{}, err
		}
		if i := slices.IndexFunc(all, func(o locate.Server) bool { return o.Addr == sp.home.way.to }); i > 0 {
			all[0], all[i] = all[i], all[0]
		}
		sp.server, sp.others = all[0], all[1:]
	}
	return sp.server.Transport, sp.server.Addr, nil
}

// spoken lists the transports that requests can leave by, as locate.Query has them.
func (s *Stack) spoken() string {
	var out []string
	if len(s.udp) > 0 {
		out = append(out, "udp")
	}
	out = append(out, "tcp")
	if s.outward != nil {
		out = append(out, "tls")
	}
	return strings.Join(out, ",")
}

// movable reports whether a request can go to another server of its name: it is in
// no dialog yet, nor what belongs to one server's transaction.
func (sp *spec) movable() bool {
	return len(sp.others) > 0 && sp.toTag == "" && sp.method != "ACK" && sp.method != "CANCEL"
}

// elsewhere sends a request anew to the next server of its name (RFC 3263 4.3), as a
// transaction of its own, where the last has said 503 in m, or with m nil could not be
// reached or said nothing. It reports whether it does; d.mu is held.
func (d *Dialog) elsewhere(c *clientTx, m *Message, err error) bool {
	at := c.sp.server
	if !at.Addr.IsValid() || c.method == "CANCEL" || c.method == "ACK" {
		return false
	}
	switch {
	case m == nil:
		if d.s.names.Failed(at, 0) {
			d.log.Warn("a server of a name gives no answer: it is passed over", zap.String("server", at.Transport+":"+at.Addr.String()),
				zap.Duration("for", locate.Passed), zap.Bool("next", c.sp.movable()), zap.Error(err))
		}
	case m.Status != 503:
		return false
	default:
		if wait := secondsOf(m.Get("Retry-After"), 0); wait > 0 { // else it speaks of this request alone (RFC 3261 21.5.4)
			d.s.names.Failed(at, wait)
		}
	}
	if !c.sp.movable() || m == nil && c.provisional || d.s.ctx.Err() != nil {
		return false
	}
	if c.method == "INVITE" && (c != d.call || d.stop != going || d.phase != early) {
		return false // given up meanwhile
	}
	sp := *c.sp
	sp.server, sp.others = c.sp.others[0], c.sp.others[1:]
	sp.branch = d.s.newBranch()
	sp.home, sp.shown, d.asked = d.home(), nil, nil // each asks by a nonce of its own
	n := &clientTx{d: d, method: c.method, ident: c.ident, sp: &sp, onResponse: c.onResponse, onEnd: c.onEnd}
	if c == d.call {
		c.left = true
		d.call, d.remoteTag, d.routes = n, "", nil
		d.armTimerC()
		d.emit(Routed{})
	}
	d.s.register(n)
	n.start()
	return true
}

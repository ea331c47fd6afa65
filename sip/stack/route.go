package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"github.com/cordboard/cordboard/sip/locate"
)

var (
	errScheme = errors.New("stack: only sip: and sips: URIs can be called")
	errTarget = errors.New("stack: this address can't be a target")
)

// spec is a request to be sent, before it is known where to.
type spec struct {
	method      string
	uri         string   // remote target, as parseURI's result writes it
	routes      []string // route set
	from, to    string   // name-addr, without tags
	fromTag     string
	toTag       string // "" before there is one
	callID      string
	cseq        uint32
	branch      string
	headers     []Header
	contentType string
	body        []byte
	transport   string         // wanted; "" by the URI
	peer        netip.AddrPort // where the dialog's peer speaks from, if it has spoken
	over        string         // and by which transport
	fixed       netip.AddrPort // Outgoing.Next, with its transport; zero: found by the URIs
	fixedOver   string
	server      locate.Server   // of the name's, where it goes; zero: not known yet, or no name
	others      []locate.Server // that it may go to after that
	spent       int             // of Max-Forwards
	login       *Login
	home        home        // where alone the login is shown
	athome      bool        // it has gone there
	shown       []challenge // that it answers, by the login
	given       []Header    // what the INVITE has shown that it is the ACK of
	user        string      // in the Contact; "": the usual one
	contact     string      // that was written, where user is set
	refer       bool        // REFER stands in Allow
}

// newBranch names a transaction so that we know our own requests again.
func (s *Stack) newBranch() string  { return sip.RFC3261BranchMagicCookie + s.mark + rand.Text() }
func (s *Stack) branchOurs() string { return sip.RFC3261BranchMagicCookie + s.mark }

// letter is a request of ours, written out, and its way.
type letter struct {
	way  way
	data []byte
	// What a CANCEL, and the ACK of a failure, have from their INVITE.
	uri    string
	via    string
	routes []string
	shown  []Header // and that of its 2xx (RFC 3261 13.2.2.4)
}

// assemble makes the request and finds its way: numeric, or by DNS.
func (s *Stack) assemble(ctx context.Context, sp *spec) (*letter, error) {
	target, err := parseURI(sp.uri)
	if err != nil {
		return nil, err
	}
	l := &letter{uri: sp.uri, routes: sp.routes}
	next := target
	if len(sp.routes) > 0 {
		if next, err = parseURI(sp.routes[0]); err != nil {
			return nil, err
		}
		if !next.UriParams.Has("lr") {
			// A strict router (RFC 3261 12.2.1.1): it wants to be the
			// Request-URI, and the target is the last route.
			l.routes = append(append([]string(nil), sp.routes[1:]...), "<"+sp.uri+">")
			target, l.uri = next, next.String()
		}
	}
	tp, addr, err := s.hop(ctx, next, sp)
	if err != nil {
		return nil, err
	}
	if sp.movable() {
		var done context.CancelFunc
		ctx, done = context.WithTimeout(ctx, s.o.timers.server)
		defer done()
	}
	if l.way, err = s.wayTo(ctx, tp, addr, strings.Trim(next.Host, "[]"), sp); err != nil {
		return nil, err
	}
	if tp == "tls" {
		addr = l.way.flow.peer
	}
	host, port := s.local(tp, addr.Addr())
	if tp == "tcp" && port == 0 { // no tcp listener
		port = addrPort(l.way.flow.Conn.LocalAddr().String()).Port()
	}
	l.via = viaOf(tp, host, port, sp.branch)
	w := compose(sp.method, l.uri)
	w.header("Via", l.via)
	for _, r := range l.routes {
		w.header("Route", r)
	}
	w.number("Max-Forwards", int64(max(70-sp.spent, 0)), "")
	w.tagged("From", sp.from, sp.fromTag)
	w.tagged("To", sp.to, sp.toTag)
	w.header("Call-ID", sp.callID)
	w.number("CSeq", int64(sp.cseq), " "+sp.method)
	if sp.method != "BYE" && sp.method != "CANCEL" && sp.method != "ACK" {
		contact := s.contact(sp.user, tp, addr.Addr())
		if target.Scheme == "sips" {
			contact = secureContact(contact)
		}
		if sp.user != "" {
			sp.contact = contact
		}
		w.header("Contact", contact)
	}
	if sp.method == "INVITE" || sp.method == "UPDATE" || sp.method == "SUBSCRIBE" {
		w.header("Allow", allowed(sp.refer))
	}
	if s.o.UserAgent != "" {
		w.header("User-Agent", s.o.UserAgent)
	}
	w.owners(sp.headers)
	if sp.athome = sp.login != nil && sp.home.holds(sp.login, l.way, addr != sp.peer && strings.EqualFold(next.Host, sp.home.host)); sp.athome {
		l.shown = slices.Clone(sp.given)
		for _, c := range sp.shown {
			l.shown = append(l.shown, sp.login.header(c, sp.method, l.uri))
		}
		w.owners(l.shown)
	}
	l.data = w.end(sp.headers, sp.contentType, sp.body)
	return l, nil
}

// wayTo gives the way to an address, and makes the connection it needs.
func (s *Stack) wayTo(ctx context.Context, tp string, addr netip.AddrPort, host string, sp *spec) (w way, err error) {
	w.to = addr
	switch tp {
	case "tls":
		w.flow, err = s.secure(ctx, host, addr, sp)
	case "tcp":
		w.flow, err = s.connect(ctx, addr, sp)
	default:
		if w.socket = s.socket(addr.Addr()); w.socket == nil {
			err = fmt.Errorf("stack: no udp listener reaches %s", addr.Addr())
		}
	}
	return w, err
}

// viaOf is our Via (RFC 3261 18.1.1). host is as Stack.local gives it.
func viaOf(transport, host string, port uint16, branch string) string {
	var room [160]byte
	v := append(append(append(append(room[:0], "SIP/2.0/"...), strings.ToUpper(transport)...), ' '), host...)
	if port != 0 {
		v = strconv.AppendUint(append(v, ':'), uint64(port), 10)
	}
	v = append(append(v, ";branch="...), branch...)
	if transport == "udp" {
		v = append(v, ";rport"...) // RFC 3581
	}
	return string(v)
}

// like writes the CANCEL or the hop-by-hop ACK of an INVITE: with its top Via,
// Route, From, Call-ID and CSeq number, and nothing else of it (RFC 3261 9.1,
// 17.1.1.3).
func (l *letter) like(method string, sp *spec, to string, hs []Header) []byte {
	w := compose(method, l.uri)
	w.header("Via", l.via)
	for _, r := range l.routes {
		w.header("Route", r)
	}
	w.number("Max-Forwards", 70, "")
	w.tagged("From", sp.from, sp.fromTag)
	w.header("To", to)
	w.header("Call-ID", sp.callID)
	w.number("CSeq", int64(sp.cseq), " "+method)
	w.owners(hs)
	return w.end(hs, "", nil)
}

// quick reports whether the way will be found without waiting: for the DNS, or
// for a connection.
func (sp *spec) quick() bool {
	if sp.fixed.IsValid() {
		return sp.fixedOver == "udp"
	}
	next := sp.uri
	if len(sp.routes) > 0 {
		next = sp.routes[0]
	}
	return !stream(sp.over) && !stream(sp.transport) && plainUDP(next)
}

// plainUDP reports whether a URI is of the plainest shape that names a numeric
// host, sip:user@192.0.2.1:5060;lr. Of any other it is not said what it names: a
// peer writes them, and parseURI must not find a host to look up where a glance
// has seen an address.
func plainUDP(uri string) bool {
	uri = strings.TrimSuffix(strings.TrimPrefix(uri, "<"), ">")
	uri, ok := strings.CutPrefix(uri, "sip:")
	if !ok || strings.ContainsAny(uri, "<>?\"\\ \t") {
		return false
	}
	host, params, _ := strings.Cut(uri, ";")
	if strings.Contains(params, "@") {
		return false
	}
	for p := range strings.SplitSeq(params, ";") {
		if len(p) >= len("transport") && strings.EqualFold(p[:len("transport")], "transport") && p != "transport=udp" {
			return false
		}
	}
	if _, after, found := strings.Cut(host, "@"); found {
		host = after
	}
	if a, err := netip.ParseAddrPort(host); err == nil {
		return a.IsValid()
	}
	return numericHost(host).IsValid()
}

// hop gives transport and address of the next hop.
func (s *Stack) hop(ctx context.Context, next sip.Uri, sp *spec) (string, netip.AddrPort, error) {
	var none netip.AddrPort
	if sp.fixed.IsValid() {
		return s.fixedHop(sp)
	}
	tp, said := transportOf(next)
	if sp.transport != "" {
		tp, said = sp.transport, true
	}
	if err := s.speaks(tp); err != nil {
		return "", none, err
	}
	tp, addr, err := s.place(ctx, tp, said, next, sp)
	if err != nil {
		if !sp.peer.IsValid() {
			return "", none, err
		}
		// A name that can't be looked up (now) must not keep an ACK or a BYE
		// from a peer whose address is known.
		tp, addr = sp.over, sp.peer
	}
	if len(sp.routes) == 0 && behindNAT(addr.Addr(), sp.peer.Addr()) && s.speaks(sp.over) == nil {
		tp, addr = sp.over, sp.peer // where its requests come from (RFC 3581)
	}
	if a := addr.Addr(); a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || s.isOurs(tp, addr) {
		return "", none, errTarget
	}
	// A phone behind NAT, one that names a port it doesn't listen on, and one
	// that forgot to say transport=tcp, are reached on the connection they made.
	if stream(sp.over) && (tp == sp.over || !said) && sp.peer.Addr() == addr.Addr() && s.alive(sp.over, sp.peer) {
		tp, addr = sp.over, sp.peer
	}
	return tp, addr, nil
}

// behindNAT reports whether a peer names an address of a private network (RFC
// 1918, 4193, 6598) and speaks from a public one.
func behindNAT(named, from netip.Addr) bool {
	private := func(a netip.Addr) bool { return a.IsPrivate() || sharedSpace.Contains(a) }
	return from.IsGlobalUnicast() && !private(from) && private(named)
}

var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// transportOf is the transport that a URI names, and whether it does.
func transportOf(u sip.Uri) (tp string, said bool) {
	tp = strings.ToLower(u.UriParams.GetOr("transport", ""))
	switch {
	case u.Scheme == "sips" && (tp == "" || tp == "tcp"): // RFC 3261 26.2.2
		return "tls", true
	case u.Scheme == "sips" && tp != "tls":
		return "sips over " + tp, true // there is no such thing
	case tp == "":
		return "udp", false
	}
	return tp, true
}

// speaks reports why a transport can't be used.
func (s *Stack) speaks(transport string) error {
	switch {
	case transport != "udp" && !stream(transport):
		return fmt.Errorf("stack: transport %q is not supported", transport)
	case transport == "tls" && s.outward == nil:
		return errNoTLS
	}
	return nil
}

// secureContact is our Contact for a sips target (RFC 3261 8.1.1.8).
func secureContact(contact string) string {
	return strings.Replace(strings.Replace(contact, "<sip:", "<sips:", 1), ";transport=tls", "", 1)
}

// isOurs reports whether the address is a listener of ours.
func (s *Stack) isOurs(tp string, addr netip.AddrPort) bool {
	check := func(l netip.AddrPort) bool {
		return l.Port() == addr.Port() && (l.Addr() == addr.Addr() || l.Addr().IsUnspecified() && addr.Addr().IsLoopback())
	}
	if tp == "udp" {
		for _, c := range s.udp {
			if check(c.at) {
				return true
			}
		}
		return false
	}
	for _, l := range s.tcp {
		if l.transport() == tp && check(addrPort(l.Listener.Addr().String())) {
			return true
		}
	}
	return false
}

// alive reports whether a connection to the peer is open.
func (s *Stack) alive(transport string, peer netip.AddrPort) bool {
	return s.flows.to(transport, peer) != nil
}

// parseURI reads a SIP URI or a name-addr.
func parseURI(v string) (sip.Uri, error) {
	var u sip.Uri
	if i := strings.IndexByte(v, '<'); i >= 0 {
		j := strings.IndexByte(v[i:], '>')
		if j < 0 {
			return u, errScheme
		}
		v = v[i+1 : i+j]
	}
	if strings.ContainsAny(v, " \t\"<>") {
		return u, errScheme
	}
	if err := sip.ParseUri(clean(v), &u); err != nil {
		return u, fmt.Errorf("stack: URI can't be read: %w", err)
	}
	if u.Scheme != "sip" && u.Scheme != "sips" || !hostOK(u.Host) {
		return u, errScheme
	}
	u.Headers = nil // never sent (RFC 3261 19.1.1)
	return u, nil
}

func numericHost(host string) netip.Addr {
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap()
}

package media

import "net/netip"

// latch decides which source may speak on a port and where to send to. The
// signalled address (SDP) is always right. A peer behind a NAT sends from
// another one: the first packet from another port of the signalled host, or
// from an address the peer is known by, is learnt, once. Nobody else is ever
// listened to, and what is learnt is not learnt again: "RTP bleed"
// (CVE-2017-14099) is a relay that believes whoever sends last.
type latch struct {
	remote netip.AddrPort // signalled; invalid: not known yet
	known  []netip.Addr   // other addresses of the same peer (its signalling source)
	learnt netip.AddrPort // learnt, used until the signalled one speaks
	firm   bool           // the signalled address has spoken: learn no more
	mute   bool           // the peer does not receive
}

// set gives the signalled address. The same one again changes nothing.
func (l *latch) set(remote netip.AddrPort) {
	remote = unmap(remote)
	if remote == l.remote {
		return
	}
	l.remote, l.learnt, l.firm = remote, netip.AddrPort{}, false
}

// accept reports whether a packet from src belongs to the peer, and learns.
func (l *latch) accept(src netip.AddrPort) bool {
	src = unmap(src)
	switch {
	case !l.remote.IsValid():
		return false
	case src == l.remote:
		l.firm, l.learnt = true, netip.AddrPort{}
		return true
	case l.firm:
		return false
	case l.learnt.IsValid():
		return src == l.learnt
	case l.samePeer(src.Addr()):
		l.learnt = src
		return true
	}
	return false
}

func (l *latch) samePeer(a netip.Addr) bool {
	if a == l.remote.Addr() {
		return true
	}
	for _, k := range l.known {
		if a == k {
			return true
		}
	}
	return false
}

// dest is where to send to; invalid when nothing may be sent (no address yet,
// port 0, a peer that does not receive, or the 0.0.0.0 of an old-style hold,
// RFC 3264 section 8.4).
func (l *latch) dest() netip.AddrPort {
	if l.mute || l.remote.Port() == 0 || l.remote.Addr().IsUnspecified() {
		return netip.AddrPort{}
	}
	if l.learnt.IsValid() {
		return l.learnt
	}
	return l.remote
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

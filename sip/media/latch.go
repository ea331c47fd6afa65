package media

import (
	"net/netip"
	"time"
)

// How a source other than the signalled one is believed.
const (
	// learnFor is how long after a description a peer that has been heard, and
	// then not for quietFor, may have moved: its NAT forgets where it was during a
	// hold, and the re-INVITE that ends the hold names the same address.
	learnFor = 15 * time.Second
	quietFor = 5 * time.Second
	// learnAfter is how many packets of one stream it takes: 80 ms. A stray
	// packet, or a spray of them, is no stream.
	learnAfter = 4
	// maxGap is by how much the sequence number of a stream may go up.
	maxGap = 8
	// maxCandidates are looked at, so that a spray cannot hide the peer.
	maxCandidates = 32
)

// latch decides which source may speak on a port and where to send to ("RTP
// bleed", CVE-2017-14099 and CVE-2025-53399, is a relay that believes whoever
// sends first, or last). The signalled address (SDP) is always right. A peer
// behind a NAT sends from another one: that is learnt from the signalled host or
// an address the peer is known by, and only from a stream: packets of one SSRC in
// sequence and of a payload type that was agreed on. A peer that is muted or
// holds may be silent for long, so it is waited for; once heard, it gives way to
// a stream from the signalled address and, when a description follows its
// silence, to one from its own. Somebody at the peer's own address who sends a
// proper stream before the peer does cannot be told from it.
type latch struct {
	remote netip.AddrPort // signalled; invalid: not known yet
	known  []netip.Addr   // other addresses of the same peer (its signalling source)
	learnt netip.AddrPort // learnt, used until the signalled one speaks
	firm   bool           // the signalled address has spoken
	last   time.Time      // the peer's last packet; zero: never heard
	until  time.Time      // learn no later, once it was heard
	mute   bool           // the peer does not receive
	tries  []candidate
}

// candidate is a source that may turn out to be the peer's.
type candidate struct {
	src  netip.AddrPort
	ssrc uint32
	seq  uint16
	n    int // packets in sequence
}

// set gives the signalled address. What was learnt of the same one stays.
func (l *latch) set(remote netip.AddrPort, now time.Time) {
	remote = unmap(remote)
	if remote != l.remote {
		l.remote, l.learnt, l.firm, l.last, l.tries = remote, netip.AddrPort{}, false, time.Time{}, nil
	}
	l.until = now.Add(learnFor)
}

// accept reports whether a packet from src belongs to the peer, and learns.
// agreed says that its payload type is one of those agreed on.
func (l *latch) accept(src netip.AddrPort, h rtpHeader, agreed bool, now time.Time) bool {
	src = unmap(src)
	switch {
	case !l.remote.IsValid():
		return false
	case src == l.learnt:
		l.last = now
		return true
	case src == l.remote && !l.learnt.IsValid():
		l.firm, l.last, l.tries = true, now, nil
		return true
	case src != l.remote && !l.mayMove(src.Addr(), now):
		return false
	}
	if !l.stream(src, h, agreed) {
		return false
	}
	l.firm, l.learnt, l.last, l.tries = src == l.remote, src, now, nil
	if l.firm {
		l.learnt = netip.AddrPort{}
	}
	return true
}

// mayMove reports whether the peer may be at a source that was not signalled.
func (l *latch) mayMove(a netip.Addr, now time.Time) bool {
	if !l.samePeer(a) {
		return false
	}
	return l.last.IsZero() || now.Before(l.until) && now.Sub(l.last) >= quietFor
}

// stream counts the packets of a source and reports whether they are enough.
func (l *latch) stream(src netip.AddrPort, h rtpHeader, agreed bool) bool {
	if !agreed {
		return false
	}
	least := -1
	for i := range l.tries {
		t := &l.tries[i]
		if t.src == src && t.ssrc == h.ssrc {
			if gap := h.seq - t.seq; gap == 0 || gap > maxGap {
				t.n = 0
			}
			t.seq = h.seq
			t.n++
			return t.n >= learnAfter
		}
		if least < 0 || t.n < l.tries[least].n {
			least = i
		}
	}
	fresh := candidate{src: src, ssrc: h.ssrc, seq: h.seq, n: 1}
	if len(l.tries) < maxCandidates {
		l.tries = append(l.tries, fresh)
	} else {
		l.tries[least] = fresh // the one with the fewest: not a stream that is coming up
	}
	return false
}

// acceptControl is accept for RTCP, which is too rare to show a stream: it
// follows the media, to another port of the address that this has.
func (l *latch) acceptControl(src netip.AddrPort, media *latch) bool {
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
	case media.speaker() == src.Addr():
		l.learnt = src
		return true
	}
	return false
}

// forget takes nothing learnt for true any more: the media comes from elsewhere
// now, and RTCP will. The signalled address is right as ever.
func (l *latch) forget() { l.learnt, l.firm = netip.AddrPort{}, false }

// source is where the media was heard from last; invalid before.
func (l *latch) source() netip.AddrPort {
	switch {
	case l.learnt.IsValid():
		return l.learnt
	case l.firm:
		return l.remote
	}
	return netip.AddrPort{}
}

// speaker is the address that the peer has been heard from; invalid before.
func (l *latch) speaker() netip.Addr { return l.source().Addr() }

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

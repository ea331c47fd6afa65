package sip

import (
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/stack"
)

const (
	// lookEvery is how often a call looks at its legs.
	lookEvery = 10 * time.Second
	// probeEvery is how long a peer without session timers may be silent in
	// its signalling before it is asked for life.
	probeEvery = 5 * time.Minute
	// silentAfter is how long a peer that should be sending audio to us may not
	// be heard before it is asked for life: phones with silence suppression, and
	// those that are muted, pass this test by answering.
	silentAfter = time.Minute
	// maxMisses is how many requests for life in a row may not even be sent, or
	// find no connection, before the leg is given up.
	maxMisses = 3
)

// vigil is the watch over one leg's peer: whether it is still there. Nothing
// but its own signalling tells; silence of its audio is only a reason to ask.
// It belongs to the call.
type vigil struct {
	session
	alive    time.Time // the peer's last message
	heard    uint64    // RTP packets at the last look
	spoke    time.Time // when there were more
	quiet    time.Time // since when it can be blamed for its silence
	cseq     uint32    // of our OPTIONS or UPDATE that is under way; 0: none
	misses   int       // requests in a row that reached nobody
	flowLost bool      // its connection is gone; it may come back by another
	deaf     bool      // to OPTIONS: asked by re-INVITE
}

// keepWatch begins to look after the legs, once.
func (c *call) keepWatch() {
	if c.lookTimer == nil {
		c.lookTimer = c.after(c.gw.lookEvery, c.look)
	}
}

// look asks those peers for life that it is time to ask. An agent must not
// stay with a call whose other end, or whose own phone, has gone without a BYE.
func (c *call) look() {
	now := time.Now()
	for _, l := range c.legs() {
		if l.up && !l.ended {
			c.watch(l, now)
		}
	}
	if !c.over {
		c.lookTimer = c.after(c.gw.lookEvery, c.look)
	}
}

func (c *call) watch(l *leg, now time.Time) {
	v := &l.vigil
	if v.alive.IsZero() {
		v.alive, v.quiet = now, now
	}
	silent := c.silent(l, now) // always: it keeps count
	switch {
	case v.cseq != 0 || l.asked != nil: // its outcome will tell
	case v.interval > 0 && now.Sub(v.fresh) >= v.due():
		c.refresh(l)
	case v.deaf:
		if v.flowLost || v.interval == 0 && now.Sub(v.alive) >= c.gw.probeEvery {
			c.reinviteAsIs(l)
		}
	case v.flowLost, silent, v.interval == 0 && now.Sub(v.alive) >= c.gw.probeEvery:
		c.askForLife(l, "OPTIONS", nil)
	}
}

// silent reports whether a peer that should be sending to our port has not
// been heard for long.
func (c *call) silent(l *leg, now time.Time) bool {
	v := &l.vigil
	if !l.atOwnPort() || l.holding || !l.remote.Dir.Sends() {
		v.quiet = now
		return false
	}
	if n := l.port.Heard(); n != v.heard {
		v.heard, v.spoke, v.quiet, v.misses = n, now, now, 0
	}
	return now.Sub(v.quiet) >= c.gw.silentAfter
}

// audible reports whether the peer's audio comes in.
func (c *call) audible(l *leg) bool {
	v := &l.vigil
	return l.atOwnPort() && (l.port.Heard() != v.heard || time.Since(v.spoke) <= c.gw.lookEvery)
}

// refresh sends a session refresh (RFC 4028 section 7.4 and 9): UPDATE where the peer
// takes it, else a re-INVITE with the description it has.
func (c *call) refresh(l *leg) {
	if l.vigil.update {
		c.askForLife(l, "UPDATE", l.vigil.ask())
		return
	}
	c.reinviteAsIs(l)
}

// reinviteAsIs sends a re-INVITE that changes nothing.
func (c *call) reinviteAsIs(l *leg) {
	if !l.idle() {
		return // a re-INVITE under way refreshes too
	}
	body := l.side.Offer(l.said)
	cseq, err := l.dlg.Reinvite(l.vigil.ask(), body)
	if err != nil {
		c.try(l, "refresh", err)
		return
	}
	l.asked = &asked{cseq: cseq, told: l.told, body: body, refresh: true}
}

func (c *call) askForLife(l *leg, method string, h []stack.Header) {
	cseq, err := l.dlg.Request(method, h, "", nil)
	if err != nil {
		c.try(l, method, err) // its end is on the way
		return
	}
	l.vigil.cseq = cseq
}

// lifeReplied is the outcome of an OPTIONS or UPDATE of ours.
func (c *call) lifeReplied(l *leg, ev stack.Replied) {
	v := &l.vigil
	if v.cseq == 0 || v.cseq != ev.CSeq {
		return
	}
	v.cseq = 0
	switch {
	case ev.Code == 481 || ev.Code == 408:
		switch {
		case ev.Method != "OPTIONS": // RFC 5057: the dialog is gone
			c.peerGone(l, ev.Code)
		case c.audible(l): // who speaks to us is there
			v.seen(time.Now())
		default:
			// Some telephones and gateways know no OPTIONS in a dialog, and one
			// that is muted or joined directly is not heard here: a re-INVITE is
			// what everybody must know.
			v.deaf = true
			c.reinviteAsIs(l)
		}
	case ev.Response == nil: // it could not be sent
		c.missed(l, ev.Code)
	case ev.Method == "UPDATE":
		v.updated(ev.Code, ev.Response)
	}
}

// missed counts a request that could not even be sent.
func (c *call) missed(l *leg, code int) {
	l.vigil.misses++
	if l.vigil.misses >= maxMisses && !c.audible(l) {
		c.peerGone(l, code)
	}
}

// seen notes a message of the peer.
func (v *vigil) seen(now time.Time) {
	v.alive, v.quiet = now, now
	v.misses, v.flowLost = 0, false
}

// flowLost is the end of the connection that the leg's dialog ran on. Once it
// is up, audio goes on without it, and a phone whose connection broke will
// make another: it is asked for life for a while.
func (c *call) flowLost(l *leg) bool {
	if !l.up {
		return false
	}
	c.log.Info("connection lost", zap.String("leg", l.name))
	l.vigil.flowLost = true
	return true
}

// peerGone ends a leg whose peer has lost the dialog, or is not there any more
// (RFC 5057).
func (c *call) peerGone(l *leg, code int) {
	c.log.Warn("peer is gone", zap.String("leg", l.name), zap.Int("code", code))
	l.dlg.Bye(reasonHeader(routing.ByServer, "peer_gone"))
	if l == c.caller {
		c.callerGone()
		return
	}
	if c.asks(l) {
		c.askedGone(l)
		return
	}
	if c.isSecond(l) {
		c.secondGone()
		return
	}
	c.agentGone(l)
}

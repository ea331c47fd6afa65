package sip

import (
	"net/netip"
	"slices"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/alarm"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// dialog is what a leg needs of stack.Dialog; tests put a scripted one in its
// place.
type dialog interface {
	Progress(code int, reason string, h []stack.Header, body []byte) error
	Accept(h []stack.Header, sdp []byte) error
	Reject(code int, reason string, h []stack.Header) error
	Reply(req *stack.Message, code int, reason string, h []stack.Header, body []byte) error
	Ack(body []byte) error
	Reinvite(h []stack.Header, sdp []byte) (uint32, error)
	Request(method string, h []stack.Header, contentType string, body []byte) (uint32, error)
	Bye(h []stack.Header)
	Heard() bool
	State() stack.DialogState
}

// leg is one of the two dialogs of a call, with its media session. It belongs
// to the call.
//
// A leg's peer is told where to send audio: to a port of ours (waiting, hold,
// relay) or to the other leg's phone (direct). told is what it was told last
// and has taken; settle compares it with what it should be told now.
type leg struct {
	name  string        // "caller", or "agent/ATTEMPT"
	offer routing.Offer // of an agent's leg
	order routing.Ring  // that it was called by
	dlg   dialog
	side  *media.Side
	port  *media.Port // our RTP port towards this peer; nil for an agent joined directly
	// source is where the peer's signalling comes from; its audio may come from
	// there too when it is behind a NAT.
	source netip.Addr

	direct bool // media of a leg that is not faced: direct, or by our relay

	answered bool // a 2xx of the INVITE was sent (caller) or came (agent)
	up       bool // and was acknowledged
	early    bool // the caller hears us in early media: he was told of our port in a 183
	agreed   bool // our offer in a provisional response has its answer: in its PRACK
	ended    bool
	rang     bool // PhoneRinging was reported
	faced    bool // its agent's phone is joined to the caller, and may call (Gateway.facing)

	told    media.Audio    // what the peer was told last and took
	said    media.Audio    // and how our description of it reads
	remote  media.Audio    // what the peer said last
	can     []media.Format // what the peer offered last: all it can do
	own     []media.Format // what our port speaks with it: one codec, and keys
	codec   media.Format   // in use
	holding bool           // the peer has put the other side on hold

	asked    *asked       // our re-INVITE under way
	request  *request     // the peer's offer that waits for our answer
	awaitAck bool         // our 2xx to its re-INVITE was not yet acknowledged
	offered  *media.Audio // our offer in a 2xx: the answer comes in the ACK
	refused  *media.Audio // what the peer would not be told; not tried again

	referral *referral // the phone's REFER that waits for the engine's word
	referred bool      // it has sent one before

	localSDP, remoteSDP []byte

	vigil   vigil
	unheard *alarm.Alarm // an agent's phone that says nothing at all

	out      *outward     // nil: a telephone of the house
	setup    *setup       // of its INVITE
	askTimer *alarm.Alarm // a mobile is asked once more; a phone's second call is told once more that it rings
}

// asked is a re-INVITE of ours that has no final response yet.
type asked struct {
	cseq    uint32
	told    media.Audio
	body    []byte
	late    bool // we went on without waiting for it
	refresh bool // it says nothing new (RFC 4028)
}

// request is a re-INVITE or UPDATE with an offer.
type request struct {
	msg   *stack.Message
	sdp   *media.SDP
	audio media.Audio
}

// idle reports whether we may send a re-INVITE on the leg now.
func (l *leg) idle() bool {
	return l.up && !l.ended && l.asked == nil && l.request == nil && !l.awaitAck && l.offered == nil
}

// ownAudio is our own port as the leg's peer is told of it.
func (l *leg) ownAudio() media.Audio {
	return media.Audio{Addr: l.port.Local(), Formats: l.own, Ptime: ptime}
}

// knows reports whether the peer has been told want, in all that matters.
func (l *leg) knows(want media.Audio) bool {
	return l.told.Addr == want.Addr && l.told.Dir == want.Dir && l.fits(want, l.codec)
}

// refuses reports whether the peer would not be told want.
func (l *leg) refuses(want media.Audio) bool { return l.refused != nil && l.refused.Same(want) }

// waits reports whether a re-INVITE of ours is under way that is worth waiting
// for.
func (l *leg) waits() bool { return l.asked != nil && !l.asked.late }

// says is what the other leg is to be told of this one when both are joined
// directly: what the peer asks for now, or what was agreed, or, while it
// listens to us, all it can do.
func (l *leg) says() media.Audio {
	if l.request != nil {
		return l.request.audio
	}
	a := l.remote
	if l.atOwnPort() {
		a.Formats = l.can
	}
	return a
}

// choose picks the codec our port speaks with the peer: the one in use if the
// peer still offers it, else, unless fixed, its first of PCMU and PCMA.
func (l *leg) choose(a media.Audio, fixed bool) bool {
	if len(l.own) > 0 {
		if fs, ok := a.Keep(l.own[0]); ok {
			l.own = fs
			return true
		}
		if fixed {
			return false
		}
	}
	fs, ok := a.G711()
	if ok {
		l.own = fs
	}
	return ok
}

// took notes what the peer answered to what it was told. False: the answer
// does not fit, which counts as a refusal.
func (l *leg) took(told media.Audio, body []byte) bool {
	d, err := media.ParseSDP(body)
	if err != nil {
		return false
	}
	a, ok := l.side.Answered(d)
	if !ok {
		return false
	}
	codec, ok := a.Uses()
	if !ok || !l.fits(told, codec) || !l.reachable(a.Addr.Addr()) {
		return false
	}
	if told.Dir == media.SendRecv {
		// An answer to a hold of ours says nothing of the peer's own wishes.
		l.holding = a.Holds()
	}
	if a.Addr.Addr().IsUnspecified() {
		a.Addr = l.remote.Addr
	}
	if len(l.can) == 0 {
		l.can = a.Formats
	}
	l.told, l.remote, l.codec, l.remoteSDP, l.refused = told, a, codec, body, nil
	l.aim()
	return true
}

// fits reports whether a peer that was told want may use the codec. What goes
// through our port is given the right number there; what goes past us must
// have it.
func (l *leg) fits(want media.Audio, codec media.Format) bool {
	if l.port != nil && want.Addr == l.port.Local() {
		return slices.ContainsFunc(want.Formats, codec.Is)
	}
	return speaks(want.Formats, codec)
}

// reachable reports whether our port, if the leg has one, can send to the
// address: it has one family.
func (l *leg) reachable(a netip.Addr) bool {
	return l.port == nil || a.IsUnspecified() || a.Unmap().Is4() == l.port.Local().Addr().Unmap().Is4()
}

// atOwnPort reports whether the peer sends to us.
func (l *leg) atOwnPort() bool { return l.port != nil && l.told.Addr == l.port.Local() }

// speaks reports whether the list has the very format, number and all: what
// is sent directly keeps its payload type.
func speaks(fs []media.Format, f media.Format) bool {
	for _, g := range fs {
		if g.PT == f.PT && g.Name == f.Name && g.Rate == f.Rate {
			return true
		}
	}
	return false
}

// common narrows offered to what agreed has too, in offered's order.
func common(offered, agreed []media.Format) []media.Format {
	var out []media.Format
	for _, f := range offered {
		if speaks(agreed, f) {
			out = append(out, f)
		}
	}
	return out
}

// aim gives our port the address that the peer wants its audio at. While it
// does not receive, nothing is sent there.
func (l *leg) aim() {
	if l.port == nil || !l.remote.Addr.IsValid() {
		return
	}
	l.port.SetRemote(l.remote.Addr)
	l.port.SetFormats(l.told.Formats, l.remote.Formats)
	l.port.Mute(!l.remote.Dir.Receives())
}

// playCodec is the codec as the player wants it.
func (l *leg) playCodec() media.Codec {
	c := media.Codec{Name: l.codec.Name, PT: l.codec.PT}
	for _, f := range l.own {
		if f.Name == media.TelephoneEvent {
			c.DTMFPT = f.PT
		}
	}
	return c
}

// row is the leg's dialog as stored.
func (l *leg) row(call routing.CallID) DialogRow {
	return DialogRow{
		Call: call, Leg: l.name, Agent: l.offer.Agent, State: l.dlg.State(),
		LocalSDP: l.localSDP, RemoteSDP: l.remoteSDP, UpdatedAt: time.Now(),
	}
}

// ptime is the packet time we ask for, in milliseconds.
const ptime = 20

package siptest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Kind is something that happened to a robot's call.
type Kind string

// What is noted. Times of what is received are those of the read from the
// socket, times of what is sent those just before the write.
const (
	InviteSent       Kind = "invite sent"
	InviteReceived   Kind = "invite received"
	RingingSent      Kind = "180 sent"
	Progress         Kind = "18x received" // Code says which
	OKSent           Kind = "200 sent"
	Answered         Kind = "200 received"
	AckSent          Kind = "ack sent"
	AckReceived      Kind = "ack received"
	CancelSent       Kind = "cancel sent"
	CancelReceived   Kind = "cancel received"
	Refused          Kind = "refusal sent"     // Code says which
	Failed           Kind = "refusal received" // Code; 408 when nobody answered
	ReinviteReceived Kind = "re-invite received"
	ReinviteSent     Kind = "re-invite sent"
	Notified         Kind = "notify received" // Code is its sipfrag's
	ByeSent          Kind = "bye sent"
	ByeReceived      Kind = "bye received"
	Over             Kind = "over" // the last event of every call
)

// Event is one of them.
type Event struct {
	Kind Kind
	At   time.Time
	Code int
}

type state int

const (
	early state = iota
	confirmed
	over
)

// Call is one leg of a robot. Safe for concurrent use.
type Call struct {
	ua       *ua
	invite   *Message
	outgoing bool
	audio    *Audio
	changed  chan struct{}

	// All below is guarded by ua.mu.
	state     state
	events    []Event
	callID    string
	localTag  string
	remoteTag string
	earlyTag  string // the peer's, of a provisional response
	password  string // that answers a challenge, until it has
	localURI  string // name-addr without tag
	remoteURI string
	target    string
	routes    []string
	cseq      int
	peerCSeq  int

	tx       *serverTx // INVITE we have not answered, or whose ACK is awaited
	awaiting *serverTx // 2xx sent, no ACK yet
	byeLater bool      // hung up before that ACK
	cancel   bool      // asked for before the first provisional response
	ringing  bool      // a provisional response came
	offering bool      // our re-INVITE is under way
	ack      []byte
	ackFlow  flow
	ackCSeq  int

	sdp     local
	lines   int // m= lines of the dialog
	pts     []uint8
	remote  mline
	holding bool
	ours    bool // the offer awaiting an answer in the ACK is ours
	beh     Behaviour
	onOver  func()
}

func newCall(u *ua) (*Call, error) {
	a, err := OpenAudio(u.tp.local.Addr())
	if err != nil {
		return nil, err
	}
	c := &Call{ua: u, audio: a, changed: make(chan struct{}), localTag: token(), lines: 1, pts: []uint8{8, 0}}
	c.sdp = local{id: rand.Int64N(1 << 40), addr: a.Local()}
	return c, nil
}

// newIncoming makes the call of an INVITE; ua.mu is held.
func newIncoming(u *ua, m *Message, tx *serverTx, at time.Time) (*Call, error) {
	c, err := newCall(u)
	if err != nil {
		return nil, err
	}
	c.invite, c.tx, tx.call = m, tx, c
	c.callID = m.Get("Call-ID")
	c.remoteURI, c.remoteTag = withoutTag(m.Get("From")), headerParam(m.Get("From"), "tag")
	c.localURI = withoutTag(m.Get("To"))
	c.target = uriOf(m.Get("Contact"))
	c.routes = splitRoutes(m.All("Record-Route"))
	c.peerCSeq = m.cseq()
	u.calls[c.callID+" "+c.localTag] = c
	c.note(InviteReceived, at, 0)
	return c, nil
}

func withoutTag(v string) string {
	if i := strings.LastIndexByte(v, '>'); i >= 0 {
		return v[:i+1]
	}
	return "<" + uriOf(v) + ">"
}

func splitRoutes(values []string) []string {
	var all []string
	for _, v := range values {
		for r := range strings.SplitSeq(v, ",") {
			all = append(all, strings.TrimSpace(r))
		}
	}
	return all
}

// note records an event; ua.mu is held.
func (c *Call) note(k Kind, at time.Time, code int) {
	c.events = append(c.events, Event{Kind: k, At: at, Code: code})
	close(c.changed)
	c.changed = make(chan struct{})
}

// over ends the call; ua.mu is held. The audio is closed off the lock.
func (c *Call) over(code int) {
	if c.state == over {
		return
	}
	c.state = over
	delete(c.ua.calls, c.callID+" "+c.localTag)
	c.note(Over, time.Now(), code)
	c.audio.Mute(true)
	if c.onOver != nil {
		c.onOver()
	}
	if !c.ua.closed {
		c.ua.tp.wg.Go(c.audio.Close)
	}
}

// ID is the Call-ID.
func (c *Call) ID() string { return c.callID }

// Invite is the INVITE that began the call, as received or as sent.
func (c *Call) Invite() *Message { return c.invite }

// Audio is the robot's voice and ear. It is closed when the call is over and
// can be asked what it heard even then.
func (c *Call) Audio() *Audio { return c.audio }

// Heard reports whether the far side's last 400 ms are a tone of the frequency.
func (c *Call) Heard(freq float64) bool { return c.audio.Heard(freq) }

// Events are the events so far, in order.
func (c *Call) Events() []Event {
	c.ua.mu.Lock()
	defer c.ua.mu.Unlock()
	return slices.Clone(c.events)
}

// At is when the first event of the kind happened.
func (c *Call) At(k Kind) (time.Time, bool) {
	e, ok := c.first(k, 0)
	return e.At, ok
}

func (c *Call) first(k Kind, skip int) (Event, bool) {
	c.ua.mu.Lock()
	defer c.ua.mu.Unlock()
	for _, e := range c.events {
		if e.Kind == k {
			if skip == 0 {
				return e, true
			}
			skip--
		}
	}
	return Event{}, false
}

// WaitFor waits for the first event of the kind. It fails when the call ends
// without it or the context does.
func (c *Call) WaitFor(ctx context.Context, k Kind) (Event, error) { return c.WaitForNth(ctx, k, 1) }

// WaitForNth waits for the n-th event of the kind, counted from 1.
func (c *Call) WaitForNth(ctx context.Context, k Kind, n int) (Event, error) {
	for {
		c.ua.mu.Lock()
		changed, ended := c.changed, c.state == over
		c.ua.mu.Unlock()
		if e, ok := c.first(k, n-1); ok {
			return e, nil
		}
		if ended {
			return Event{}, fmt.Errorf("siptest: the call ended without %q: %s", k, c.story())
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Event{}, fmt.Errorf("siptest: no %q: %w; so far: %s", k, ctx.Err(), c.story())
		}
	}
}

// Wait waits for the end of the call and returns its code: that of the
// refusal, or 0 after a BYE.
func (c *Call) Wait(ctx context.Context) (int, error) {
	e, err := c.WaitFor(ctx, Over)
	return e.Code, err
}

// story lists the events for an error message.
func (c *Call) story() string {
	var b strings.Builder
	for _, e := range c.Events() {
		fmt.Fprintf(&b, "%s", e.Kind)
		if e.Code != 0 {
			fmt.Fprintf(&b, " %d", e.Code)
		}
		b.WriteString("; ")
	}
	return b.String()
}

// RemoteMedia is where the peer's SDP wants audio sent to.
func (c *Call) RemoteMedia() netip.AddrPort {
	c.ua.mu.Lock()
	defer c.ua.mu.Unlock()
	return netip.AddrPortFrom(c.remote.addr, c.remote.port)
}

// Direction is what the peer's SDP says last: sendrecv, sendonly, ...
func (c *Call) Direction() string {
	c.ua.mu.Lock()
	defer c.ua.mu.Unlock()
	return c.remote.dir
}

// hear takes the peer's description into use; ua.mu is held.
func (c *Call) hear(d description) bool {
	_, m, pt, ok := d.audio()
	if !ok {
		return false
	}
	c.remote, c.lines = m, len(d.lines)
	c.audio.Connect(netip.AddrPortFrom(m.addr, m.port), pt, m.events)
	wanted := m.dir == "sendrecv" || m.dir == "recvonly"
	c.audio.Mute(!wanted || m.addr.IsUnspecified())
	return true
}

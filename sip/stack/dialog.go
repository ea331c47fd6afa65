package stack

import (
	"crypto/rand"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/sip/alarm"
)

// ErrState is returned for what the dialog's state does not allow: answering
// an INVITE of our own, a request in a dialog not yet established.
var ErrState = errors.New("stack: not possible in this state of the dialog")

// ErrGone is returned when the dialog has ended, or the request to be answered
// has been answered already (by CANCEL, BYE or a time-out).
var ErrGone = errors.New("stack: the dialog or the request is gone")

// ErrPending is returned by Reinvite while another re-INVITE of ours has not
// been answered.
var ErrPending = errors.New("stack: a re-INVITE is pending")

type phase int

const (
	early     phase = iota // the initial INVITE has no final response
	confirmed              // 2xx
	ended                  // BYE, failure, cancelled: kept for 64*T1 to absorb what is still under way
)

// Dialog is one leg. All methods are safe for use by one owner goroutine, never
// block, and report their outcome as Events.
//
// State changes under mu, in the order in which things happen; whatever writes
// to the network or calls the owner is queued and runs on one goroutine at a
// time, in that same order: that of whoever has unlocked mu, or, when it may
// have to wait for a connection or the DNS, one of its own.
type Dialog struct {
	s   *Stack
	log *zap.Logger
	uas bool
	// refer: REFER stands in Allow. It never changes.
	refer bool
	// listens: NOTIFYs come in it, and nothing else. It never changes.
	listens *Subscribing

	mu    sync.Mutex
	phase phase

	callID, localTag, remoteTag string
	local, remote               string // name-addr of either side, without tag
	target                      string
	routes                      []string // never changed, but for others
	localCSeq, remoteCSeq       uint32
	transport                   string
	peer                        netip.AddrPort
	fixed                       netip.AddrPort // Outgoing.Next
	fixedOver                   string         // and its transport

	queue   []effect
	room    [3]effect // of queue, as long as it is short
	running bool
	sink    Sink
	before  []Event      // before Bind
	talked  []netip.Addr // where requests of ours went
	freed   bool         // the admission's place has been given back

	flowLost bool // FlowLost has been reported

	// As server.
	inv      *inbound              // initial INVITE
	reliable *reliable             // nil: its provisional responses are sent once each
	seen     map[string]*inbound   // requests by transaction key
	older    map[string]*inbound   // those before them
	pending  map[*Message]*inbound // Requested and not yet replied to
	held     []*inbound            // waiting for a late ACK
	unacked  *answer               // our 2xx that has no ACK yet
	byeNext  bool                  // Bye was called before that ACK
	byeHead  []Header

	// As client.
	call     *clientTx            // initial INVITE
	stop     stopping             // Cancel
	answered bool                 // by the dialog of remoteTag
	forks    map[string]*ackState // 2xx of other dialogs, by remote tag
	// acknowledging are the early dialogs whose responses get PRACK, by remote tag.
	acknowledging map[string]*earlyDialog
	due           *clientTx // INVITE whose 2xx the owner has to Ack
	ours          *clientTx // re-INVITE under way
	next          *reinvite // re-INVITE waiting for its turn
	updates       int       // UPDATEs with an offer under way
	timerC        *alarm.Alarm
	released      bool
	login         *Login       // nil: a challenge is not answered
	host          string       // of the trunk, as it is called
	asked         []*challenge // those answered from now on
}

func newDialog(s *Stack, uas bool) *Dialog {
	d := &Dialog{
		s: s, log: s.log, uas: uas, localTag: rand.Text(),
	}
	d.queue = d.room[:0]
	return d
}

// effect is something to do outside mu.
type effect struct {
	quick bool // it can't have to wait
	f     func()
}

// do queues an effect; unlock sees to it that it runs. d.mu is held.
func (d *Dialog) do(quick bool, f func()) { d.queue = append(d.queue, effect{quick, f}) }

// unlock unlocks d.mu and runs what has been queued under it, if nobody does.
func (d *Dialog) unlock() {
	switch {
	case len(d.queue) == 0 || d.running:
		d.mu.Unlock()
	case !d.s.track():
		d.queue = nil
		d.mu.Unlock()
	default:
		d.running = true
		d.mu.Unlock()
		d.run(false)
	}
}

// run works the queue off. Unless the goroutine is the dialog's own, which the
// reader of all datagrams is not, what may have to wait goes on on one that is.
func (d *Dialog) run(own bool) {
	for {
		d.mu.Lock()
		if len(d.queue) == 0 {
			d.running, d.queue = false, d.room[:0]
			d.mu.Unlock()
			d.s.wg.Done()
			return
		}
		e := d.queue[0]
		if !own && !e.quick {
			d.mu.Unlock()
			go d.run(true)
			return
		}
		d.queue[0] = effect{}
		d.queue = d.queue[1:]
		d.mu.Unlock()
		func() {
			defer d.s.recovered("dialog")
			e.f()
		}()
	}
}

// emit queues an event for the owner. d.mu is held.
func (d *Dialog) emit(e Event) {
	if d.sink == nil {
		d.before = append(d.before, e)
		return
	}
	sink := d.sink
	d.do(true, func() { sink(e) })
}

// after runs f under d.mu when the time has passed.
func (d *Dialog) after(t time.Duration, f func()) *alarm.Alarm {
	return d.s.alarms.After(t, func() {
		defer d.s.recovered("timer")
		d.mu.Lock()
		defer d.unlock()
		f()
	})
}

// Bind gives the owner's sink; events that came before are delivered first.
func (d *Dialog) Bind(sink Sink) {
	d.mu.Lock()
	defer d.unlock()
	d.sink = sink
	for _, e := range d.before {
		d.do(true, func() { sink(e) })
	}
	d.before = nil
}

// State is the dialog as a row can hold it. LocalURI and RemoteURI are the
// name-addr of From and To without their tags.
func (d *Dialog) State() DialogState {
	d.mu.Lock()
	defer d.unlock()
	return DialogState{
		CallID: d.callID, LocalTag: d.localTag, RemoteTag: d.remoteTag,
		LocalURI: d.local, RemoteURI: d.remote, RemoteTarget: d.target,
		Routes:    append([]string(nil), d.routes...),
		LocalCSeq: d.localCSeq, RemoteCSeq: d.remoteCSeq,
		UAS: d.uas, Confirmed: d.phase == confirmed,
		Transport: d.transport, Peer: d.peer,
	}
}

// finish ends the dialog; its name is kept for 64*T1 so that a crossing BYE is
// answered 200 and late ACKs are absorbed. d.mu is held.
func (d *Dialog) finish() {
	if d.phase == ended {
		return
	}
	d.phase = ended
	if d.byeNext { // the peer's BYE was first
		d.byeNext = false
		d.s.owe(-1)
	}
	d.stopTimers()
	for _, in := range d.held {
		d.respond(in, 487, "", nil, nil)
	}
	d.held = nil
	for msg, in := range d.pending {
		d.settle(msg, in)
		d.respond(in, 487, "", nil, nil)
	}
	if n := d.next; n != nil {
		d.next = nil
		d.emit(Replied{Method: "INVITE", CSeq: n.ident, Code: 487})
	}
	if d.uas && !d.freed {
		d.firstWord(d.inv) // gone without
		d.freed = true
		d.s.gate.leave(d.inv.group)
		d.s.o.Caps.Leave(d.inv.group)
	}
	d.s.alarms.After(d.s.o.timers.life(), d.release)
}

func (d *Dialog) stopTimers() {
	d.timerC.Stop()
	if d.unacked != nil {
		d.unacked.stop()
		d.unacked = nil
	}
	if r := d.reliable; r != nil && r.out != nil {
		r.out.timer.Stop() // and kept: its PRACK may be under way
	}
}

// release forgets the dialog.
func (d *Dialog) release() {
	defer d.s.recovered("release")
	d.mu.Lock()
	talked := d.talked
	d.talked = nil
	again := d.released
	d.released = true
	d.mu.Unlock()
	if again {
		return
	}
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if d.s.dialogs[d.localTag] == d {
		delete(d.s.dialogs, d.localTag)
	}
	for _, a := range talked {
		if d.s.peers[a]--; d.s.peers[a] <= 0 {
			delete(d.s.peers, a)
		}
	}
}

// talkTo notes that a request of ours goes to the address.
func (d *Dialog) talkTo(a netip.Addr) {
	d.mu.Lock()
	known := slices.Contains(d.talked, a) || d.released
	if !known {
		d.talked = append(d.talked, a)
	}
	d.mu.Unlock()
	if known {
		return
	}
	d.s.mu.Lock()
	d.s.peers[a]++
	d.s.mu.Unlock()
}

// refresh takes the peer's new Contact (RFC 3261 12.2). d.mu is held.
func (d *Dialog) refresh(contact string) {
	if contact == d.target {
		return
	}
	if u, err := parseURI(contact); err == nil {
		d.target = u.String()
	}
}

// spec is a request of this dialog. d.mu is held.
func (d *Dialog) spec(method string, cseq uint32, hs []Header, contentType string, body []byte) *spec {
	sp := &spec{
		method: method, uri: d.target, routes: d.routes,
		from: d.local, fromTag: d.localTag, to: d.remote, toTag: d.remoteTag,
		callID: d.callID, cseq: cseq, branch: d.s.newBranch(),
		headers: hs, contentType: contentType, body: body, refer: d.refer,
	}
	sp.peer, sp.over = d.peer, d.transport
	sp.fix(d.fixed, d.fixedOver)
	sp.login, sp.home = d.login, d.home()
	if d.login != nil && method != "ACK" {
		sp.shown = d.credentials()
	}
	return sp
}

// recordRoutes gives the route set that a message's Record-Route makes.
func recordRoutes(m *Message, reverse bool) []string {
	rr := m.Values("Record-Route")
	out := make([]string, 0, len(rr))
	for i := range rr {
		if reverse {
			out = append(out, rr[len(rr)-1-i])
		} else {
			out = append(out, rr[i])
		}
	}
	return out
}

// untagged takes the tag off a From or To value.
func untagged(v string) string {
	addr, params := v, ""
	if i := strings.LastIndexByte(v, '>'); i >= 0 {
		addr, params = v[:i+1], v[i+1:]
	}
	out := addr
	for _, p := range strings.Split(params, ";") {
		name, _, _ := strings.Cut(p, "=")
		if name = strings.TrimSpace(name); name != "" && !strings.EqualFold(name, "tag") {
			out += ";" + strings.TrimSpace(p)
		}
	}
	return out
}

// contactOf is the peer's Contact URI, or its address when it gave none.
func contactOf(m *Message) string {
	if m.contact != "" {
		if u, err := parseURI(m.contact); err == nil {
			return u.String()
		}
	}
	uri := "sip:" + m.Source.String()
	if stream(m.Transport) {
		uri += ";transport=" + m.Transport
	}
	return uri
}

// Package trace keeps the SIP messages of the latest calls in memory, so that a
// call can be shown as it went over the wire. It is a ring: bounded in bytes and
// in time, what is oldest is forgotten first, and nothing is written anywhere.
// The stack hands it each message, call control says which dialogs are a call's.
// It decides nothing and answers nothing but Call and Dialog.
package trace

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Leg is one dialog of a call.
type Leg struct {
	Call   int64
	Name   string // "caller", or "agent/ATTEMPT"
	Agent  string // "" for a caller
	CallID string // of SIP
}

// Message is one message as it went over the wire.
type Message struct {
	At        time.Time
	Sent      bool // by us
	Transport string
	Peer      netip.AddrPort
	CallID    string
	Data      []byte
}

// Recorder keeps messages. A nil one keeps nothing.
type Recorder struct {
	most int
	keep time.Duration

	mu      sync.Mutex
	chunks  []*chunk // the oldest first
	bytes   int      // of all of them
	readers int      // who have them in hand
}

// chunk is a piece of the ring. What has been written into it is not changed while
// somebody reads, who so holds up nobody.
type chunk struct {
	b      []byte
	latest time.Time
}

const chunkSize = 64 << 10

// New makes a recorder of so many bytes, which forgets what is older than keep.
// It is nil, and keeps nothing, when there is no room for anything.
func New(most int, keep time.Duration) *Recorder {
	if most <= 0 || keep <= 0 {
		return nil
	}
	return &Recorder{most: max(most, 2*chunkSize), keep: keep}
}

// What an entry is.
const (
	received = iota
	sent
	leg
)

var transports = []string{"udp", "tcp", "tls"}

// An entry is its size, kind, transport, instant, and peer, and then the message
// or the leg.
const (
	atKind      = 4
	atTransport = atKind + 1
	atInstant   = atTransport + 1
	atPeer      = atInstant + 8
	atPort      = atPeer + 16
	atData      = atPort + 2
)

// Message keeps one message, if it is of a call. The data may be used again.
func (r *Recorder) Message(at time.Time, out bool, transport string, peer netip.AddrPort, data []byte) {
	if r == nil || !ofCall(data) {
		return
	}
	kind, over := byte(received), byte(0)
	if out {
		kind = sent
	}
	for i, t := range transports {
		if t == transport {
			over = byte(i)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.room(at, atData+len(data))
	b[atKind], b[atTransport] = kind, over
	from := peer.Addr().As16()
	copy(b[atPeer:], from[:])
	binary.LittleEndian.PutUint16(b[atPort:], peer.Port())
	copy(b[atData:], data)
}

// Leg says that a dialog is a call's.
func (r *Recorder) Leg(at time.Time, l Leg) {
	if r == nil {
		return
	}
	text := strings.Join([]string{l.Name, l.Agent, l.CallID}, "\x00")
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.room(at, atData+8+len(text))
	b[atKind] = leg
	binary.LittleEndian.PutUint64(b[atData:], uint64(l.Call))
	copy(b[atData+8:], text)
}

// room gives the place of a new entry, and forgets what is too old or too much.
// r.mu is held.
func (r *Recorder) room(at time.Time, size int) []byte {
	last := len(r.chunks) - 1
	if last < 0 || len(r.chunks[last].b)+size > cap(r.chunks[last].b) {
		r.begin(at, max(chunkSize, size))
		last = len(r.chunks) - 1
	}
	c := r.chunks[last]
	n := len(c.b)
	c.b = c.b[:n+size]
	c.latest = at
	b := c.b[n:]
	binary.LittleEndian.PutUint32(b, uint32(size))
	binary.LittleEndian.PutUint64(b[atInstant:], uint64(at.UnixNano()))
	return b
}

// Clear forgets all messages.
func (r *Recorder) Clear() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.chunks, r.bytes = nil, 0
}

// begin begins a chunk: the oldest that goes for it, unless somebody reads.
// r.mu is held.
func (r *Recorder) begin(at time.Time, size int) {
	var c *chunk
	oldest := at.Add(-r.keep)
	for len(r.chunks) > 0 && (r.bytes+size > r.most || r.chunks[0].latest.Before(oldest)) {
		gone := r.chunks[0]
		r.bytes -= cap(gone.b)
		r.chunks = append(r.chunks[:0], r.chunks[1:]...)
		if r.readers == 0 && cap(gone.b) >= size && cap(gone.b) < 2*size {
			c = gone
			c.b = c.b[:0]
		}
	}
	if c == nil {
		c = &chunk{b: make([]byte, 0, size)}
	}
	r.chunks, r.bytes = append(r.chunks, c), r.bytes+cap(c.b)
}

// ofCall says whether a message is of a call: not what telephones send to
// register, nor what asks for life.
func ofCall(data []byte) bool {
	switch {
	case bytes.HasPrefix(data, []byte("SIP/2.0 ")):
		method := methodOf(data)
		return !bytes.HasPrefix(method, []byte("REGISTER")) && !bytes.HasPrefix(method, []byte("OPTIONS"))
	case bytes.HasPrefix(data, []byte("REGISTER ")), bytes.HasPrefix(data, []byte("OPTIONS ")):
		return false
	}
	return len(data) > 4 // a keep-alive is less
}

var cseqName = []byte("\r\nCSeq:")

// methodOf is the method in CSeq, written as nearly everybody writes it: of who
// does not, an answer to an OPTIONS is kept and does no harm.
func methodOf(data []byte) []byte {
	i := bytes.Index(data, cseqName)
	if i < 0 {
		return nil
	}
	value := bytes.TrimLeft(data[i+len(cseqName):], " \t")
	return bytes.TrimLeft(bytes.TrimLeft(value, "0123456789"), " \t")
}

// CallIDOf is the Call-ID of a message, "" for none.
func CallIDOf(data []byte) string {
	for len(data) > 0 {
		var line []byte
		line, data, _ = bytes.Cut(data, []byte("\n"))
		line = bytes.TrimRight(line, "\r")
		if len(line) == 0 {
			return ""
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		if name = bytes.TrimRight(name, " \t"); len(name) == 1 && name[0]|0x20 == 'i' || len(name) == 7 && bytes.EqualFold(name, []byte("call-id")) {
			return string(bytes.TrimSpace(value))
		}
	}
	return ""
}

// Call gives the dialogs of a call, in the order in which they began, and their
// messages.
func (r *Recorder) Call(call int64) (legs []Leg, messages []Message) {
	chunks, done := r.all()
	defer done()
	r.each(chunks, func(b []byte) {
		if l := legIn(b); b[atKind] == leg && l.Call == call {
			legs = append(legs, l)
		}
	})
	return legs, r.of(chunks, legs)
}

// Dialog gives the messages with a Call-ID of SIP: those of a call that was
// refused too, which has no number.
func (r *Recorder) Dialog(callID string) (legs []Leg, messages []Message) {
	chunks, done := r.all()
	defer done()
	legs = []Leg{{CallID: callID}}
	if messages = r.of(chunks, legs); len(messages) == 0 {
		return nil, nil
	}
	r.each(chunks, func(b []byte) {
		if l := legIn(b); b[atKind] == leg && l.CallID == callID {
			legs[0] = l
		}
	})
	return legs, messages
}

// Since is the oldest that is kept, zero for nothing.
func (r *Recorder) Since() (at time.Time) {
	chunks, done := r.all()
	defer done()
	r.each(chunks, func(b []byte) {
		if at.IsZero() {
			at = instant(b)
		}
	})
	return at
}

func (r *Recorder) of(chunks [][]byte, legs []Leg) (out []Message) {
	wanted := map[string]bool{}
	for _, l := range legs {
		wanted[l.CallID] = true
	}
	if len(wanted) == 0 {
		return nil
	}
	r.each(chunks, func(b []byte) {
		if b[atKind] == leg {
			return
		}
		id := CallIDOf(b[atData:])
		if !wanted[id] {
			return
		}
		peer := netip.AddrFrom16([16]byte(b[atPeer:atPort])).Unmap()
		out = append(out, Message{
			At: instant(b), Sent: b[atKind] == sent, Transport: transports[b[atTransport]], CallID: id,
			Peer: netip.AddrPortFrom(peer, binary.LittleEndian.Uint16(b[atPort:])), Data: bytes.Clone(b[atData:]),
		})
	})
	return out
}

// all is what has been written so far, to be read until done is called.
func (r *Recorder) all() (out [][]byte, done func()) {
	if r == nil {
		return nil, func() {}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.readers++
	for _, c := range r.chunks {
		out = append(out, c.b)
	}
	return out, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.readers--
	}
}

// each gives every entry that is not too old.
func (r *Recorder) each(chunks [][]byte, do func(entry []byte)) {
	if r == nil {
		return
	}
	oldest := time.Now().Add(-r.keep)
	for _, b := range chunks {
		for len(b) > 0 {
			n := binary.LittleEndian.Uint32(b)
			if !instant(b).Before(oldest) {
				do(b[:n])
			}
			b = b[n:]
		}
	}
}

func instant(b []byte) time.Time {
	return time.Unix(0, int64(binary.LittleEndian.Uint64(b[atInstant:])))
}

func legIn(b []byte) (l Leg) {
	if b[atKind] != leg {
		return l
	}
	parts := strings.SplitN(string(b[atData+8:]), "\x00", 3)
	return Leg{Call: int64(binary.LittleEndian.Uint64(b[atData:])), Name: parts[0], Agent: parts[1], CallID: parts[2]}
}

package stack

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxConns     = 4096 // connections in all
	maxStrangers = 1024 // of them, accepted from addresses that nothing is known of
	// Accepted from one address. A whole office of phones stands behind one, and
	// registers anew at one time; so does a stranger who wants to use us up.
	maxConnsKnown    = 2048
	maxConnsStranger = 128
	// strangerTime is how long a connection may stay that has not shown by a
	// request that it is a trunk's or a registered phone's.
	strangerTime = 30 * time.Second
)

// flows are the connections: those that were accepted and those made by us.
type flows struct {
	mu     sync.Mutex
	all    map[*flow]struct{}
	peers  map[peerKey]*flow // the latest of a peer
	hosts  map[hostKey]*flow // made by us
	source map[netip.Addr]int
	// Those of source that nothing is known of, in all and by address.
	strangers int
	strange   map[netip.Addr]int
	n         atomic.Uint64
}

type peerKey struct {
	transport string
	peer      netip.AddrPort
}

// hostKey is whose certificate was asked for, and where: two names at one
// address are two peers (CVE-2020-15260).
type hostKey struct {
	transport string
	host      string
	peer      netip.AddrPort
}

func newFlows() flows {
	return flows{
		all: map[*flow]struct{}{}, peers: map[peerKey]*flow{},
		hosts: map[hostKey]*flow{}, source: map[netip.Addr]int{}, strange: map[netip.Addr]int{},
	}
}

// add takes a connection in, or refuses one too many.
func (fs *flows) add(f *flow) bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	from := subscriber(f.peer.Addr())
	if len(fs.all) >= maxConns || f.host == "" && fs.source[from] >= maxConnsKnown {
		return false
	}
	if f.stranger && (fs.strange[from] >= maxConnsStranger || fs.strangers >= maxStrangers) {
		return false
	}
	if f.stranger {
		fs.strange[from]++
		fs.strangers++
	}
	f.id = flowID(fs.n.Add(1))
	fs.all[f] = struct{}{}
	fs.peers[peerKey{f.transport, f.peer}] = f
	if f.host != "" {
		fs.hosts[hostKey{f.transport, f.host, f.peer}] = f
	} else {
		fs.source[from]++
	}
	return true
}

func (fs *flows) to(transport string, peer netip.AddrPort) *flow {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.peers[peerKey{transport, peer}]
}

func (fs *flows) toHost(transport, host string, peer netip.AddrPort) *flow {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.hosts[hostKey{transport, host, peer}]
}

func (fs *flows) remove(f *flow) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if _, in := fs.all[f]; !in {
		return
	}
	delete(fs.all, f)
	if k := (peerKey{f.transport, f.peer}); fs.peers[k] == f {
		delete(fs.peers, k)
	}
	if k := (hostKey{f.transport, f.host, f.peer}); fs.hosts[k] == f {
		delete(fs.hosts, k)
	}
	fs.noStranger(f)
	if from := subscriber(f.peer.Addr()); f.host == "" {
		if fs.source[from]--; fs.source[from] <= 0 {
			delete(fs.source, from)
		}
	}
}

// noStranger counts a connection among the strangers no more. fs.mu is held.
func (fs *flows) noStranger(f *flow) {
	if !f.stranger {
		return
	}
	f.stranger = false
	fs.strangers--
	from := subscriber(f.peer.Addr())
	if fs.strange[from]--; fs.strange[from] <= 0 {
		delete(fs.strange, from)
	}
}

// prove notes that a connection carries what we want; false when it is gone.
func (fs *flows) prove(transport string, peer netip.AddrPort) bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.peers[peerKey{transport, peer}]
	if f == nil {
		return false
	}
	f.proven.Store(true)
	fs.noStranger(f)
	return true
}

// subscriber is the address that one subscriber's addresses are counted by.
func subscriber(a netip.Addr) netip.Addr {
	if a.Is6() {
		p, _ := a.Prefix(64)
		a = p.Addr()
	}
	return a
}

// flowID is the name of a connection in the shape of an address, from the
// block that is never routed (RFC 6666). The library pools connections under
// their local address too, and a request can be bound to one by it; under the
// listener's address it would go to whoever connected last.
func flowID(n uint64) netip.AddrPort {
	a := [16]byte{0: 0x01}
	binary.BigEndian.PutUint64(a[8:], n)
	return netip.AddrPortFrom(netip.AddrFrom16(a), 1)
}

// flow is one connection. All but Write and Close runs on its reader goroutine.
type flow struct {
	net.Conn
	s         *Stack
	transport string
	peer      netip.AddrPort
	host      string // that one made by us goes to; over TLS its certificate was verified
	id        netip.AddrPort
	opened    time.Time
	stranger  bool        // accepted from an address not known; under flows.mu
	proven    atomic.Bool // what came is a trunk's, a registered phone's or a dialog's
	known     bool        // a whole message has been read
	partial   time.Time   // since when a message is incomplete, zero if none
	idle      time.Time   // the library's deadline
	frames    framer
	once      sync.Once
	out       sync.Mutex // one message at a time; see Write
}

// LocalAddr names the connection itself; see flowID.
func (f *flow) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(f.id) }

// Read gives one whole message, or a keep-alive, at a time.
func (f *flow) Read(b []byte) (int, error) {
	for {
		n, bad := f.frames.next(b)
		switch {
		case bad != "":
			f.lastWords(bad)
			return 0, net.ErrClosed
		case n > 0:
			f.partial = time.Time{}
			if n > 4 {
				f.known = true
			}
			return n, nil
		}
		if n := len(f.frames.buf); n > 4 || n > 0 && f.frames.buf[0] != '\r' {
			if f.partial.IsZero() {
				f.partial = time.Now()
			}
		}
		if err := f.Conn.SetReadDeadline(f.limit()); err != nil {
			return 0, err
		}
		n, err := f.Conn.Read(f.frames.grow())
		f.frames.read(max(n, 0))
		if errors.Is(err, os.ErrDeadlineExceeded) && time.Now().Before(f.limit()) {
			continue // proven meanwhile
		}
		if n <= 0 && err != nil {
			return 0, err
		}
	}
}

// Write sends one whole message. What can't be written in time leaves half a
// message on the connection, which nobody could read on: it is closed then, and
// who waits for his turn is told. The wait for one's turn is not part of the
// time, and a deadline is nobody else's to put off: otherwise a peer that reads
// nothing would be kept as long as there are messages for it.
func (f *flow) Write(b []byte) (int, error) {
	f.out.Lock()
	n, err := 0, f.Conn.SetWriteDeadline(time.Now().Add(f.s.o.timers.dial))
	if err == nil {
		n, err = f.Conn.Write(b)
	}
	f.out.Unlock()
	if err != nil {
		_ = f.Close()
	}
	return n, err
}

// SetWriteDeadline is Write's to do, not the library's.
func (f *flow) SetWriteDeadline(time.Time) error { return nil }

// SetReadDeadline takes the library's idle time-out, set before every read.
func (f *flow) SetReadDeadline(t time.Time) error {
	f.idle = t
	return nil
}

// limit is the deadline of the next read: a peer can't hold a connection open
// by saying nothing, or with a message it never ends.
func (f *flow) limit() time.Time {
	limit := f.idle
	clamp := func(l time.Time) {
		if limit.IsZero() || l.Before(limit) {
			limit = l
		}
	}
	if !f.known && f.host == "" {
		clamp(f.opened.Add(f.s.o.timers.firstByte))
	}
	if !f.proven.Load() {
		clamp(f.opened.Add(strangerTime))
	}
	if !f.partial.IsZero() {
		clamp(f.partial.Add(f.s.o.timers.assemble))
	}
	return limit
}

// lastWords answers 400 to what can't be read on, when it can be answered,
// and gives the answer a moment to arrive: closed with data unread, the kernel
// would reset the connection and the answer with it.
func (f *flow) lastWords(bad string) {
	if f.s.ctx.Err() != nil || !f.s.o.Allow(f.peer.Addr()) {
		return
	}
	answer := badRequest(f.frames.buf[:min(f.frames.head.at, len(f.frames.buf))], bad)
	if answer == nil {
		return
	}
	_ = f.Conn.SetReadDeadline(time.Now().Add(min(time.Second, f.s.o.timers.firstByte)))
	half, ok := f.Conn.(interface{ CloseWrite() error })
	if _, err := f.Write(answer); err != nil || !ok || half.CloseWrite() != nil {
		return
	}
	for left, room := 1<<20, make([]byte, 4096); left > 0; {
		n, err := f.Conn.Read(room)
		if err != nil {
			return
		}
		left -= n
	}
}

// Close ends the connection. TLS says good-bye first, which a peer that reads
// nothing may hold up: not the caller, who holds the library's locks.
func (f *flow) Close() error {
	f.once.Do(func() {
		f.s.flows.remove(f)
		f.s.spawn("closed", func() { f.s.transactionsClosed(f) })
		if t, ok := f.Conn.(*tls.Conn); ok && f.s.track() {
			go func() {
				defer f.s.wg.Done()
				_ = t.Close()
			}()
		} else if ok {
			_ = t.NetConn().Close()
		} else {
			_ = f.Conn.Close()
		}
		if f.proven.Load() { // nothing ran on any other
			f.s.flowClosed(f.transport, f.peer)
		}
	})
	return nil
}

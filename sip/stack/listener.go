package stack

import (
	"errors"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// packetConn keeps the library's reader alive: it stops for good at the first
// read error, whatever it is.
type packetConn struct {
	*net.UDPConn
	log     *zap.Logger
	once    sync.Once
	serving chan struct{} // closed at the first read: the library has pooled the socket
}

func (c *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	c.once.Do(func() { close(c.serving) })
	for {
		n, addr, err := c.UDPConn.ReadFrom(b)
		if err == nil || errors.Is(err, net.ErrClosed) {
			return n, addr, err
		}
		c.log.Warn("read failed, going on", zap.Error(err))
		time.Sleep(10 * time.Millisecond) // a broken socket must not spin
	}
}

const (
	maxConns       = 4096 // accepted TCP connections
	maxConnsSource = 64   // of one address
)

// listener hands accepted connections to the library. It survives Accept
// errors (the library's loop ends at the first one) and caps connections.
type listener struct {
	net.Listener
	s   *Stack
	log *zap.Logger
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil, err
			}
			l.log.Warn("accept failed, going on", zap.Error(err))
			time.Sleep(50 * time.Millisecond) // out of file descriptors: let some go
			continue
		}
		f := &flow{Conn: c, s: l.s, peer: addrPort(c.RemoteAddr().String()), opened: time.Now()}
		if !l.s.flows.add(f) {
			_ = c.Close() // over the cap; nothing has been sent yet
			continue
		}
		return f, nil
	}
}

// flows are the accepted connections that are open.
type flows struct {
	mu   sync.Mutex
	all  map[netip.AddrPort]*flow
	from map[netip.Addr]int
	n    atomic.Uint64
}

func (fs *flows) add(f *flow) bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if len(fs.all) >= maxConns || fs.from[f.peer.Addr()] >= maxConnsSource {
		return false
	}
	f.name = "accepted:" + strconv.FormatUint(fs.n.Add(1), 10)
	fs.all[f.peer] = f
	fs.from[f.peer.Addr()]++
	return true
}

func (fs *flows) get(peer netip.AddrPort) *flow {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.all[peer]
}

func (fs *flows) remove(f *flow) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.all[f.peer] == f {
		delete(fs.all, f.peer)
	}
	if fs.from[f.peer.Addr()]--; fs.from[f.peer.Addr()] <= 0 {
		delete(fs.from, f.peer.Addr())
	}
}

// dials are the addresses that TCP connections may be made to right now.
type dials struct {
	mu sync.Mutex
	to map[netip.AddrPort]int
}

// permit allows connections to the address until the function it gives is called.
func (d *dials) permit(a netip.AddrPort) (done func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.to[a]++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.to[a]--; d.to[a] <= 0 {
			delete(d.to, a)
		}
	}
}

func (d *dials) control(_, address string, _ syscall.RawConn) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.to[addrPort(address)] == 0 {
		return errTarget
	}
	return nil
}

// flow is one accepted connection. All but Close runs on its reader goroutine.
type flow struct {
	net.Conn
	s       *Stack
	peer    netip.AddrPort
	name    string
	opened  time.Time
	known   bool      // a whole message has been read
	partial time.Time // since when a message is incomplete, zero if none
	once    sync.Once
}

// LocalAddr names the connection itself. The library pools accepted
// connections under this name too; under the listener's address a request
// sent there would go to whoever connected last.
func (f *flow) LocalAddr() net.Addr { return flowAddr(f.name) }

type flowAddr string

func (flowAddr) Network() string  { return "tcp" }
func (a flowAddr) String() string { return string(a) }

func (f *flow) Read(b []byte) (int, error) {
	n, err := f.Conn.Read(b)
	for _, c := range b[:n] {
		// Never part of a header, and the library would trim some of them off
		// header names. A stream can't skip what it doesn't like: it ends.
		if c == 0 || c == '\v' || c == '\f' {
			return 0, net.ErrClosed
		}
	}
	if n > 4 && f.partial.IsZero() { // up to 4 bytes may be a keep-alive
		f.partial = time.Now()
	}
	return n, err
}

// whole is called when a message has been read to its end.
func (f *flow) whole() { f.known, f.partial = true, time.Time{} }

// SetReadDeadline clamps the library's idle time-out, set before every read,
// so that a peer can't hold a connection open with a message it never ends.
func (f *flow) SetReadDeadline(t time.Time) error {
	limit := t
	clamp := func(l time.Time) {
		if limit.IsZero() || l.Before(limit) {
			limit = l
		}
	}
	if !f.known {
		clamp(f.opened.Add(f.s.o.timers.firstByte))
	}
	if !f.partial.IsZero() {
		clamp(f.partial.Add(f.s.o.timers.assemble))
	}
	return f.Conn.SetReadDeadline(limit)
}

func (f *flow) Close() error {
	err := f.Conn.Close()
	f.once.Do(func() {
		f.s.flows.remove(f)
		f.s.flowClosed(f.peer)
	})
	return err
}

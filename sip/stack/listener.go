package stack

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/sip/trace"
)

// packetConn is a UDP listener. It keeps the library's reader alive, which
// stops for good at the first read error, whatever it is, and keeps sources
// from the library, which remembers each for the life of the listener: it is
// shown one name for all of them, and the filter takes the address from behind it.
type packetConn struct {
	*net.UDPConn
	log     *zap.Logger
	once    sync.Once
	serving chan struct{} // closed at the first read
	out     *sender
	last    heard          // the latest datagram's source; the reader's
	at      netip.AddrPort // its own
	trace   *trace.Recorder
}

// heard is where a datagram came from, and to, under its listener's name.
type heard struct {
	at   netip.AddrPort
	name string
	to   *packetConn
}

func (h *heard) Network() string { return "udp" }
func (h *heard) String() string  { return h.name }

// heardName is the name of UDP listener n.
func heardName(n int) string { return "udp-listener-" + strconv.Itoa(n) }

func newPacketConn(c *net.UDPConn, n int, log *zap.Logger) (p *packetConn, err error) {
	p = &packetConn{UDPConn: c, log: log, serving: make(chan struct{}), at: addrPort(c.LocalAddr().String())}
	p.last = heard{name: heardName(n), to: p}
	p.out, err = newSender(c, p.at.Addr().Is4())
	return p, err
}

// errFull says that a datagram was not sent because too many wait to leave.
var errFull = errors.New("stack: no room to send")

// send writes a datagram, at once or not at all: it is lost then, as any may be,
// and sent again by whom it matters to.
func (c *packetConn) send(b []byte, to netip.AddrPort) error {
	if err := c.out.send(b, to); err != nil && !errors.Is(err, errFull) {
		return err
	}
	return nil
}

func (c *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	c.once.Do(func() { close(c.serving) })
	for {
		n, from, err := c.ReadFromUDPAddrPort(b)
		if err == nil {
			c.last.at = netip.AddrPortFrom(from.Addr().Unmap().WithZone(""), from.Port())
			return n, &c.last, nil
		}
		if errors.Is(err, net.ErrClosed) {
			return n, nil, err
		}
		c.log.Warn("read failed, going on", zap.Error(err))
		time.Sleep(10 * time.Millisecond) // a broken socket must not spin
	}
}

// listener hands accepted connections to the library. It survives Accept
// errors (the library's loop ends at the first one) and caps connections.
type listener struct {
	net.Listener
	s   *Stack
	log *zap.Logger
	tls *tls.Config // nil: plain TCP
}

func (l *listener) transport() string {
	if l.tls != nil {
		return "tls"
	}
	return "tcp"
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
		f := &flow{Conn: c, s: l.s, transport: l.transport(), peer: addrPort(c.RemoteAddr().String()), opened: time.Now()}
		a := f.peer.Addr()
		f.proven.Store(l.s.o.Allow(a))
		f.stranger = !f.proven.Load() && !l.s.hears(a, "OPTIONS") && !l.s.talking(a)
		if l.tls != nil {
			f.Conn = tls.Server(c, l.tls) // the handshake is the reader's, under its deadline
		}
		if !l.s.flows.add(f) {
			_ = c.Close() // over the cap; nothing has been sent yet
			continue
		}
		return f, nil
	}
}

package siptest

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	dialTimeout  = 2 * time.Second
	writeTimeout = 2 * time.Second
	maxBody      = 64 << 10
)

// flow is where a message came from and where its answers go.
type flow interface {
	write(b []byte) error
	reliable() bool
}

// transport is one listening point: a UDP socket, or a TCP listener with the
// connections it took and those that were dialled. By TLS it dials alone: its
// peers must use the connections they got.
type transport struct {
	network string // udp, tcp or tls
	secure  *tls.Config
	local   netip.AddrPort
	udp     *net.UDPConn
	tcp     *net.TCPListener
	deliver func(m *Message, from flow, at time.Time)
	lossy   *Lossy // where all goes, whatever its address; nil: where it says
	wg      sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[string]*stream // by remote address
}

type datagrams struct {
	conn *net.UDPConn
	to   netip.AddrPort
}

func (d datagrams) reliable() bool { return false }
func (d datagrams) write(b []byte) error {
	_, err := d.conn.WriteToUDPAddrPort(b, d.to)
	return err
}

type stream struct {
	conn net.Conn
	mu   sync.Mutex
}

func (s *stream) reliable() bool { return true }
func (s *stream) write(b []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	_, err := s.conn.Write(b)
	return err
}

// listen opens the socket; start begins to deliver.
func listen(network, addr string) (*transport, error) {
	t := &transport{network: network, conns: map[string]*stream{}}
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, fmt.Errorf("siptest: %w", err)
	}
	switch network {
	case "udp":
		t.udp, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(ap))
		if err == nil {
			_ = t.udp.SetReadBuffer(1 << 20) // as much as the system allows
			t.local = t.udp.LocalAddr().(*net.UDPAddr).AddrPort()
		}
	case "tcp", "tls":
		t.tcp, err = net.ListenTCP("tcp", net.TCPAddrFromAddrPort(ap))
		if err == nil {
			t.local = t.tcp.Addr().(*net.TCPAddr).AddrPort()
		}
	default:
		return nil, fmt.Errorf("siptest: transport %q is not udp, tcp or tls", network)
	}
	if err != nil {
		return nil, fmt.Errorf("siptest: %w", err)
	}
	return t, nil
}

func (t *transport) start(deliver func(*Message, flow, time.Time)) {
	t.deliver = deliver
	if t.udp != nil {
		t.wg.Go(t.readDatagrams)
	} else {
		t.wg.Go(t.acceptStreams)
	}
}

func (t *transport) readDatagrams() {
	buf := make([]byte, 64<<10)
	for {
		n, from, err := t.udp.ReadFromUDPAddrPort(buf)
		at := time.Now()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // the answer to a datagram nobody took
		}
		if m, err := parseDatagram(buf[:n]); err == nil {
			t.deliver(m, datagrams{t.udp, from}, at)
		}
	}
}

func (t *transport) acceptStreams() {
	for {
		conn, err := t.tcp.Accept()
		if err != nil {
			return
		}
		if t.network == "tls" {
			conn.Close() // it has no certificate to show
			continue
		}
		t.adopt(conn)
	}
}

// adopt starts to read a connection; nil when the transport is closed.
func (t *transport) adopt(conn net.Conn) *stream {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		conn.Close()
		return nil
	}
	s := &stream{conn: conn}
	key := conn.RemoteAddr().String()
	t.conns[key] = s
	t.wg.Go(func() {
		t.readStream(s)
		conn.Close()
		t.mu.Lock()
		delete(t.conns, key)
		t.mu.Unlock()
	})
	return s
}

func (t *transport) readStream(s *stream) {
	r := bufio.NewReader(s.conn)
	for {
		var head strings.Builder
		for {
			line, err := r.ReadString('\n')
			if err != nil || head.Len() > maxBody {
				return
			}
			if strings.TrimSpace(line) == "" {
				if head.Len() == 0 {
					continue // keep-alive between messages
				}
				break
			}
			head.WriteString(line)
		}
		at := time.Now()
		m, err := parseHead(head.String())
		if err != nil {
			return
		}
		n, err := strconv.Atoi(m.Get("Content-Length"))
		if err != nil || n < 0 || n > maxBody {
			return
		}
		m.Body = make([]byte, n)
		if _, err := io.ReadFull(r, m.Body); err != nil {
			return
		}
		t.deliver(m, s, at)
	}
}

// to finds the way to a host:port.
func (t *transport) to(hostport string) (flow, error) {
	if t.lossy != nil {
		return datagrams{t.udp, t.lossy.Server()}, nil
	}
	if t.udp != nil {
		addr, err := net.ResolveUDPAddr("udp", hostport)
		if err != nil {
			return nil, fmt.Errorf("siptest: %w", err)
		}
		return datagrams{t.udp, addr.AddrPort()}, nil
	}
	t.mu.Lock()
	s, ok := t.conns[hostport]
	t.mu.Unlock()
	if ok {
		return s, nil
	}
	conn, err := t.dial(hostport)
	if err != nil {
		return nil, fmt.Errorf("siptest: %w", err)
	}
	if s = t.adopt(conn); s == nil {
		return nil, net.ErrClosed
	}
	return s, nil
}

func (t *transport) dial(hostport string) (net.Conn, error) {
	d := &net.Dialer{Timeout: dialTimeout}
	if t.network == "tls" {
		return tls.DialWithDialer(d, "tcp", hostport, t.secure)
	}
	return d.Dial("tcp", hostport)
}

func (t *transport) close() {
	t.mu.Lock()
	t.closed = true
	if t.udp != nil {
		t.udp.Close()
	} else {
		t.tcp.Close() // before the connections: a peer that misses one finds nobody at our address
	}
	for _, s := range t.conns {
		s.conn.Close()
	}
	t.mu.Unlock()
	t.wg.Wait()
}

package media

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// datagram is what a receiver is told.
type datagram struct {
	port uint16
	text string
	src  netip.AddrPort
}

// kinds are this system's sockets, and those for any system.
var kinds = map[string]func(receiver) (sockets, error){
	"this system's": newSockets,
	"any system's":  func(got receiver) (sockets, error) { return &netSockets{got: got}, nil },
}

func listening(t *testing.T, open func(receiver) (sockets, error)) (sockets, <-chan datagram) {
	t.Helper()
	in := make(chan datagram, 1000)
	s, err := open(func(port uint16, pkt []byte, src netip.AddrPort) {
		in <- datagram{port, string(pkt), src}
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, in
}

func next(t *testing.T, in <-chan datagram) datagram {
	t.Helper()
	select {
	case d := <-in:
		return d
	case <-time.After(time.Minute):
		t.Fatal("nothing has come")
		return datagram{}
	}
}

// freePort is a port that nobody has, at least just now.
func freePort(t *testing.T, a netip.Addr) netip.AddrPort {
	t.Helper()
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return netip.AddrPortFrom(a, c.LocalAddr().(*net.UDPAddr).AddrPort().Port())
}

// mustOpen opens a socket on any free port of the address.
func mustOpen(t *testing.T, s sockets, a netip.Addr) (socket, netip.AddrPort) {
	t.Helper()
	for range 20 {
		at := freePort(t, a)
		if one, err := s.open(at); err == nil {
			return one, at
		}
	}
	t.Fatal("no socket can be opened")
	return nil, netip.AddrPort{}
}

func TestSockets(t *testing.T) {
	for name, open := range kinds {
		for _, host := range []string{"127.0.0.1", "::1"} {
			t.Run(name+" "+host, func(t *testing.T) {
				addr := netip.MustParseAddr(host)
				if c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, 0))); err == nil {
					c.Close()
				} else if addr.Is6() {
					t.Skip("this machine has no IPv6")
				}
				s, in := listening(t, open)
				a, atA := mustOpen(t, s, addr)
				b, atB := mustOpen(t, s, addr)
				if _, err := s.open(atA); err == nil {
					t.Error("one port is opened twice")
				}
				for range 3 {
					a.send([]byte("from a"), atB)
					if got := next(t, in); got != (datagram{atB.Port(), "from a", atA}) {
						t.Errorf("got %v", got)
					}
					b.send([]byte("from b"), atA)
					if got := next(t, in); got != (datagram{atA.Port(), "from b", atB}) {
						t.Errorf("got %v", got)
					}
				}
				// To an address of the other kind, and to nobody: lost, no harm.
				a.send([]byte("astray"), netip.MustParseAddrPort("192.0.2.1:9"))
				a.send([]byte("astray"), netip.MustParseAddrPort("[2001:db8::1]:9"))
				a.send([]byte("astray"), freePort(t, addr))
				b.close()
				a.send([]byte("too late"), atB)
				// Opened again: what came in between is not heard.
				b, err := s.open(atB)
				if err != nil {
					t.Fatal(err)
				}
				a.send([]byte("again"), atB)
				if got := next(t, in); got != (datagram{atB.Port(), "again", atA}) {
					t.Errorf("got %v", got)
				}
				a.close()
				b.close()
				s.close()
			})
		}
	}
}

// A flood on one port does not hide what comes to another.
func TestSocketsUnderFlood(t *testing.T) {
	for name, open := range kinds {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var flooded socket // nil when closed
			var atFlooded, atOther netip.AddrPort
			ready, heard := make(chan struct{}), make(chan struct{})
			s, err := open(func(port uint16, pkt []byte, _ netip.AddrPort) {
				<-ready
				switch port {
				case atFlooded.Port():
					mu.Lock()
					defer mu.Unlock()
					if flooded != nil {
						flooded.send(pkt, atFlooded) // there is always one more
					}
				case atOther.Port():
					close(heard)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			lo := netip.MustParseAddr("127.0.0.1")
			flooded, atFlooded = mustOpen(t, s, lo)
			var other socket
			other, atOther = mustOpen(t, s, lo)
			other.send([]byte("begin"), atFlooded)
			close(ready)
			other.send([]byte("for the other"), atOther)
			select {
			case <-heard:
			case <-time.After(time.Minute):
				t.Error("it is never heard")
			}
			mu.Lock()
			flooded.close()
			flooded = nil
			mu.Unlock()
			other.close()
			s.close()
		})
	}
}

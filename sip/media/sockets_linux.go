package media

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
)

// newSockets starts a reader for each processor, up to maxReaders.
func newSockets(got receiver) (sockets, error) {
	e := &epollSockets{}
	for range min(runtime.GOMAXPROCS(0), maxReaders) {
		r, err := newEpollReader(got)
		if err != nil {
			e.close()
			return nil, err
		}
		e.readers = append(e.readers, r)
		e.wg.Go(r.run)
	}
	return e, nil
}

// maxReaders: one reads some 100,000 packets a second.
const maxReaders = 8

// epollSockets keep their sockets out of the poller of Go's runtime. That one
// asks to be told of room to send as well, which a UDP socket says whenever a
// datagram has left: a third of what a packet of music costs would go into
// waking up for nothing. Here a reader's own epoll instance asks for what
// arrives only, and no goroutine waits for each socket: the runtime's poller
// has the epoll instance (epoll(7): these may be nested).
type epollSockets struct {
	readers []*epollReader
	wg      sync.WaitGroup
}

// open: both ports of a pair go to one reader, and a port always to the same.
func (e *epollSockets) open(at netip.AddrPort) (socket, error) {
	return e.readers[int(at.Port()/2)%len(e.readers)].open(at)
}

func (e *epollSockets) close() {
	for _, r := range e.readers {
		_ = r.file.Close()
	}
	e.wg.Wait()
}

// epollReader reads its share of the sockets in one goroutine.
type epollReader struct {
	got  receiver
	file *os.File // the epoll instance, which the runtime waits for
	fd   int      // of file

	// fds are the open sockets by port. An event may tell of a socket that has
	// been closed since, and the number of its descriptor may be another file's
	// by now: reading goes through fds.
	mu  sync.Mutex
	fds map[uint16]int
}

func newEpollReader(got receiver) (*epollReader, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("media: epoll: %w", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // or the runtime would not wait for it
		_ = syscall.Close(fd)
		return nil, fmt.Errorf("media: epoll: %w", err)
	}
	return &epollReader{got: got, file: os.NewFile(uintptr(fd), "epoll"), fd: fd, fds: map[uint16]int{}}, nil
}

func (r *epollReader) open(at netip.AddrPort) (socket, error) {
	family := syscall.AF_INET6
	if at.Addr().Is4() {
		family = syscall.AF_INET
	}
	fd, err := syscall.Socket(family, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	s := &epollSocket{reader: r, fd: fd, port: at.Port()}
	if err := syscall.Bind(fd, s.sockaddr(at)); err != nil {
		_ = syscall.Close(fd)
		return nil, fmt.Errorf("bind %s: %w", at, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := syscall.EpollCtl(r.fd, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(at.Port())}); err != nil {
		_ = syscall.Close(fd)
		return nil, fmt.Errorf("epoll: %w", err)
	}
	r.fds[at.Port()] = fd
	return s, nil
}

// run reads until the epoll instance is closed.
func (r *epollReader) run() {
	conn, err := r.file.SyscallConn()
	if err != nil {
		return // closed already
	}
	events := make([]syscall.EpollEvent, 128)
	buf := make([]byte, maxPacket)
	_ = conn.Read(func(epoll uintptr) bool {
		for {
			n, err := syscall.EpollWait(int(epoll), events, 0)
			if n <= 0 && err != syscall.EINTR {
				return false // wait for more
			}
			// One datagram of each socket: a flood on one holds up no other.
			for _, ev := range events[:max(n, 0)] {
				r.read(uint16(ev.Fd), buf)
			}
		}
	})
}

func (r *epollReader) read(port uint16, buf []byte) {
	r.mu.Lock()
	fd, ok := r.fds[port]
	if !ok {
		r.mu.Unlock()
		return
	}
	n, from, err := syscall.Recvfrom(fd, buf, 0)
	r.mu.Unlock()
	if err != nil {
		return // nothing there, or an ICMP answer to something we sent; the socket lives
	}
	switch from := from.(type) {
	case *syscall.SockaddrInet4:
		r.got(port, buf[:n], netip.AddrPortFrom(netip.AddrFrom4(from.Addr), uint16(from.Port)))
	case *syscall.SockaddrInet6:
		a := netip.AddrFrom16(from.Addr)
		if from.ZoneId != 0 {
			a = a.WithZone(strconv.FormatUint(uint64(from.ZoneId), 10))
		}
		r.got(port, buf[:n], netip.AddrPortFrom(a, uint16(from.Port)))
	}
}

// epollSocket is one socket of a reader.
type epollSocket struct {
	reader *epollReader
	fd     int
	port   uint16
	to4    syscall.SockaddrInet4 // scratch of send
	to6    syscall.SockaddrInet6
}

func (s *epollSocket) send(b []byte, to netip.AddrPort) {
	_ = syscall.Sendto(s.fd, b, 0, s.sockaddr(to))
}

// sockaddr is valid until the next call.
func (s *epollSocket) sockaddr(a netip.AddrPort) syscall.Sockaddr {
	if a.Addr().Is4() {
		s.to4.Addr, s.to4.Port = a.Addr().As4(), int(a.Port())
		return &s.to4
	}
	s.to6.Addr, s.to6.Port = a.Addr().As16(), int(a.Port())
	return &s.to6
}

func (s *epollSocket) close() {
	s.reader.mu.Lock()
	defer s.reader.mu.Unlock()
	delete(s.reader.fds, s.port)
	_ = syscall.Close(s.fd) // leaves the epoll instance by this
}

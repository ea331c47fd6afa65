//go:build amd64 || arm64

package media

import (
	"fmt"
	"math/bits"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"unsafe"
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

// maxReaders: more would not be kept busy by one machine's relays.
const maxReaders = 8

// epollSockets keep their sockets out of the poller of Go's runtime. That one
// asks to be told of room to send as well, which a UDP socket says whenever a
// datagram has left: about a fifth of what a packet of music costs would go into
// waking up for nothing. Here a reader's own epoll instance asks for what
// arrives only, and no goroutine waits for each socket: the runtime's poller
// has the epoll instance (epoll(7): these may be nested).
//
// Reading and sending are raw system calls: the scheduler is not told. Neither
// waits, and both are over in microseconds; to tell it costs about a fifth more
// a packet, for the most part the runtime's monitor thread, which wakes up to
// look after calls that do wait.
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

	buf  []byte // the datagram just read, and where it came from: run's own
	from syscall.RawSockaddrInet6
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
	return &epollReader{got: got, file: os.NewFile(uintptr(fd), "epoll"), fd: fd, fds: map[uint16]int{}, buf: make([]byte, maxPacket)}, nil
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
	if err := syscall.Bind(fd, sockaddr(at)); err != nil {
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
	_ = conn.Read(func(epoll uintptr) bool {
		for {
			n, err := syscall.EpollWait(int(epoll), events, 0)
			if n <= 0 && err != syscall.EINTR {
				return false // wait for more
			}
			// One datagram of each socket: a flood on one holds up no other.
			for _, ev := range events[:max(n, 0)] {
				r.read(uint16(ev.Fd))
			}
		}
	})
}

func (r *epollReader) read(port uint16) {
	r.mu.Lock()
	fd, ok := r.fds[port]
	if !ok {
		r.mu.Unlock()
		return
	}
	size := uint32(syscall.SizeofSockaddrInet6)
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&r.buf[0])), uintptr(len(r.buf)),
		syscall.MSG_DONTWAIT, uintptr(unsafe.Pointer(&r.from)), uintptr(unsafe.Pointer(&size)))
	r.mu.Unlock()
	if errno != 0 {
		return // nothing there, or an ICMP answer to something we sent; the socket lives
	}
	r.got(port, r.buf[:n], r.source())
}

// source is r.from, of either family.
func (r *epollReader) source() netip.AddrPort {
	port := bits.ReverseBytes16(r.from.Port)
	if r.from.Family == syscall.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4((*syscall.RawSockaddrInet4)(unsafe.Pointer(&r.from)).Addr), port)
	}
	a := netip.AddrFrom16(r.from.Addr)
	if r.from.Scope_id != 0 {
		a = a.WithZone(strconv.FormatUint(uint64(r.from.Scope_id), 10))
	}
	return netip.AddrPortFrom(a, port)
}

// epollSocket is one socket of a reader.
type epollSocket struct {
	reader *epollReader
	fd     int
	port   uint16
	to4    syscall.RawSockaddrInet4 // where send sends to
	to6    syscall.RawSockaddrInet6
}

func (s *epollSocket) send(b []byte, to netip.AddrPort) {
	port := bits.ReverseBytes16(to.Port())
	var sa unsafe.Pointer
	size := uintptr(syscall.SizeofSockaddrInet6)
	if a := to.Addr(); a.Is4() {
		s.to4 = syscall.RawSockaddrInet4{Family: syscall.AF_INET, Port: port, Addr: a.As4()}
		sa, size = unsafe.Pointer(&s.to4), syscall.SizeofSockaddrInet4
	} else {
		s.to6 = syscall.RawSockaddrInet6{Family: syscall.AF_INET6, Port: port, Addr: a.As16()}
		sa = unsafe.Pointer(&s.to6)
	}
	_, _, _ = syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		syscall.MSG_DONTWAIT, uintptr(sa), size)
}

func (s *epollSocket) close() {
	s.reader.mu.Lock()
	defer s.reader.mu.Unlock()
	delete(s.reader.fds, s.port)
	_ = syscall.Close(s.fd) // leaves the epoll instance by this
}

func sockaddr(a netip.AddrPort) syscall.Sockaddr {
	if a.Addr().Is4() {
		return &syscall.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
	}
	return &syscall.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
}

package main

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// musicPort is the callers' media port, as uac_cordboard.xml has it.
const musicPort = 19000

// mediaAddr is the media address of the n-th call, one of its own.
func mediaAddr(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, byte(32 + n>>16), byte(n >> 8), byte(n)})
}

// ear hears the music of all callers on one socket and tells them apart by the
// address it was sent to. It looks now and then and never waits on the socket:
// waking a reader up would be charged to the server, which sends over loopback.
type ear struct {
	fd   int
	stop chan struct{}
	done chan struct{}

	mu    sync.Mutex
	heard map[int]int // RTP packets, by call
}

// lookEvery is how often the ear empties its socket, which holds a second's
// music of some thousand callers.
const lookEvery = 20 * time.Millisecond

func newEar() (*ear, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("music: %w", err)
	}
	err = errors.Join(
		syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, syscall.IP_PKTINFO, 1),
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, 8<<20),
		syscall.Bind(fd, &syscall.SockaddrInet4{Port: musicPort}),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("music: %w", err), syscall.Close(fd))
	}
	e := &ear{fd: fd, stop: make(chan struct{}), done: make(chan struct{}), heard: map[int]int{}}
	go e.listen()
	return e, nil
}

func (e *ear) listen() {
	defer close(e.done)
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	buf, oob := make([]byte, 2048), make([]byte, 128)
	for {
		select {
		case <-look.C:
			e.drain(buf, oob)
		case <-e.stop:
			return
		}
	}
}

// drain reads what has come.
func (e *ear) drain(buf, oob []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for {
		n, on, _, _, err := syscall.Recvmsg(e.fd, buf, oob, 0)
		if err != nil {
			return
		}
		if n < 12 || buf[0]>>6 != 2 {
			continue // no RTP
		}
		if to, ok := destination(oob[:on]); ok && to[0] == 127 && to[1] >= 32 {
			e.heard[int(to[1]-32)<<16|int(to[2])<<8|int(to[3])]++
		}
	}
}

// destination is the address a datagram was sent to (IP_PKTINFO, ip(7)).
func destination(oob []byte) (to [4]byte, ok bool) {
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return to, false
	}
	for _, m := range messages {
		if m.Header.Level == syscall.IPPROTO_IP && m.Header.Type == syscall.IP_PKTINFO && len(m.Data) >= int(unsafe.Sizeof(syscall.Inet4Pktinfo{})) {
			copy(to[:], m.Data[8:12]) // ipi_ifindex, ipi_spec_dst, ipi_addr
			return to, true
		}
	}
	return to, false
}

// silent counts the calls of [first, first+n) that heard no music, and all
// packets that the others heard, and forgets all of them.
func (e *ear) silent(first, n int) (none, packets int) {
	e.drain(make([]byte, 2048), make([]byte, 128))
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := first; i < first+n; i++ {
		if e.heard[i] == 0 {
			none++
		}
		packets += e.heard[i]
		delete(e.heard, i)
	}
	return none, packets
}

func (e *ear) close() {
	close(e.stop)
	<-e.done
	_ = syscall.Close(e.fd)
}

package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"unsafe"
)

// musicPort is the callers' media port, as uac_cordboard.xml has it.
const musicPort = 19000

// maxPlaced is how many calls one invocation can tell apart.
const maxPlaced = 1 << 21

// mediaAddr is the media address of the n-th call, one of its own.
func mediaAddr(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{127, byte(32 + n>>16), byte(n >> 8), byte(n)})
}

// ear hears the music of all callers on one socket and tells them apart by the
// address it was sent to.
type ear struct {
	conn *net.UDPConn
	done chan struct{}

	mu    sync.Mutex
	heard map[int]int // RTP packets, by call
}

func newEar() (*ear, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{Port: musicPort})
	if err != nil {
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	var opt error
	err = raw.Control(func(fd uintptr) {
		opt = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_PKTINFO, 1)
	})
	if err = errors.Join(err, opt, conn.SetReadBuffer(4<<20)); err != nil {
		return nil, errors.Join(fmt.Errorf("music: %w", err), conn.Close())
	}
	e := &ear{conn: conn, done: make(chan struct{}), heard: map[int]int{}}
	go e.listen()
	return e, nil
}

func (e *ear) listen() {
	defer close(e.done)
	buf, oob := make([]byte, 2048), make([]byte, 128)
	for {
		n, on, _, _, err := e.conn.ReadMsgUDP(buf, oob)
		if err != nil {
			return
		}
		if n < 12 || buf[0]>>6 != 2 {
			continue // no RTP
		}
		if to, ok := destination(oob[:on]); ok && to[0] == 127 && to[1] >= 32 {
			call := int(to[1]-32)<<16 | int(to[2])<<8 | int(to[3])
			e.mu.Lock()
			e.heard[call]++
			e.mu.Unlock()
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

// silent counts the calls of [first, first+n) that heard no music, and forgets
// all of them.
func (e *ear) silent(first, n int) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	none := 0
	for i := first; i < first+n; i++ {
		if e.heard[i] == 0 {
			none++
		}
		delete(e.heard, i)
	}
	return none
}

func (e *ear) close() {
	_ = e.conn.Close()
	<-e.done
}

package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// bareWakes is how often in a frame's time the bare loop sends what is due:
// as often as the product's engine.
const bareWakes = 4

// bare is what the music is held against: as many packets a second of the same
// size, from as many sockets, in a loop that does nothing but sleep and
// sendto(2).
func bare(to string) error {
	addr, err := netip.ParseAddrPort(to)
	if err != nil {
		return err
	}
	fds := make([]int, streams)
	for i := range fds {
		if fds[i], err = bareSocket(addr.Addr()); err != nil {
			return err
		}
	}
	fmt.Printf("playing, calib %f\n", 0.0)
	ended := make(chan struct{})
	go func() { // until the bench lets go
		_, _ = os.Stdin.Read(make([]byte, 1))
		close(ended)
	}()
	sa := syscall.RawSockaddrInet4{Family: syscall.AF_INET, Port: addr.Port()<<8 | addr.Port()>>8, Addr: addr.Addr().As4()}
	packet := make([]byte, rtpBytes)
	due, begin := time.NewTimer(0), time.Now()
	for wake := 1; ; wake++ {
		due.Reset(time.Until(begin.Add(time.Duration(wake) * frame / bareWakes)))
		select {
		case <-ended:
			return nil
		case <-due.C:
		}
		for i := wake % bareWakes; i < streams; i += bareWakes {
			_, _, _ = syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fds[i]), uintptr(unsafe.Pointer(&packet[0])), rtpBytes,
				syscall.MSG_DONTWAIT, uintptr(unsafe.Pointer(&sa)), syscall.SizeofSockaddrInet4) // what did not arrive the ear misses
		}
	}
}

// rtpBytes is a packet of G.711: a header and 20 ms (RFC 3550 5.1, RFC 3551 4.5.14).
const rtpBytes = 12 + 160

func bareSocket(at netip.Addr) (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: at.As4()}); err != nil {
		return 0, errors.Join(err, syscall.Close(fd))
	}
	return fd, nil
}

package e2e

import (
	"encoding/binary"
	"sync"
	"syscall"
	"testing"
	"time"
)

// wire listens to every packet on the namespace's interfaces and keeps the
// PCMU audio by the UDP port it was sent to: what a far end is given to hear.
type wire struct {
	mu    sync.Mutex
	audio map[uint16][]packet
}

type packet struct {
	at      time.Time
	samples []int16
}

func newWire(t *testing.T) *wire {
	t.Helper()
	const all = 0x0003 // ETH_P_ALL
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM, int(all<<8))
	must(t, err)
	must(t, syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Usec: 100_000}))
	w := &wire{audio: map[uint16][]packet{}}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 65536)
		for {
			select {
			case <-stop:
				return
			default:
			}
			n, from, err := syscall.Recvfrom(fd, buf, 0)
			if err != nil {
				continue // nothing came within the time
			}
			if sa, ok := from.(*syscall.SockaddrLinklayer); ok && sa.Pkttype == syscall.PACKET_OUTGOING {
				continue // it is seen again as it comes in
			}
			w.take(buf[:n])
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-done
		syscall.Close(fd)
		if t.Failed() {
			t.Logf("RTP packets by port: %v", w.heardAt())
		}
	})
	return w
}

// take keeps an IPv4 UDP packet that holds RTP with payload type 0.
func (w *wire) take(b []byte) {
	if len(b) < 20 || b[0]>>4 != 4 || b[9] != syscall.IPPROTO_UDP {
		return
	}
	b = b[int(b[0]&15)*4:]
	if len(b) < 8+12+80 {
		return
	}
	port, rtp := binary.BigEndian.Uint16(b[2:]), b[8:]
	if rtp[0]>>6 != 2 || rtp[1]&0x7f != 0 {
		return
	}
	samples := make([]int16, len(rtp)-12)
	for i, c := range rtp[12:] {
		samples[i] = ulaw(c)
	}
	w.mu.Lock()
	w.audio[port] = append(w.audio[port], packet{time.Now(), samples})
	w.mu.Unlock()
}

// heardAt tells how much audio went to which ports, for a test that failed.
func (w *wire) heardAt() map[uint16]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := map[uint16]int{}
	for port, packets := range w.audio {
		n[port] = len(packets)
	}
	return n
}

// SIPp takes its RTP ports from here upwards; the server and the phones are
// told to keep out of that range.
const sippPortMin, sippPortMax = 6000, 7999

// toCaller is the audio sent to SIPp since the instant.
func (w *wire) toCaller(since time.Time) []int16 { return w.to(sippPortMin, sippPortMax, since) }

// to is the audio sent to a range of ports since the instant.
func (w *wire) to(low, high uint16, since time.Time) []int16 {
	w.mu.Lock()
	defer w.mu.Unlock()
	var s []int16
	for port := low; port <= high; port++ {
		for _, p := range w.audio[port] {
			if p.at.After(since) {
				s = append(s, p.samples...)
			}
		}
	}
	return s
}

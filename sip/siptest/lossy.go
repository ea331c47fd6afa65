package siptest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Faults are what a Lossy network does to each datagram: chances from 0 to 1.
type Faults struct {
	Loss      float64
	Duplicate float64
	Reorder   float64 // held back for up to Delay, so that later ones overtake it
	Corrupt   float64 // a second, damaged copy behind the good one: bits turned, or its end cut off
	Delay     time.Duration
}

// Counts is what a Lossy network has done so far.
type Counts struct{ Passed, Lost, Duplicated, Reordered, Corrupted int }

// Lossy is a bad UDP network between one SIP peer, or a robot, and the server:
// a relay with a socket to either side, in which both know the other as one of
// its addresses. The same seed and the same datagrams meet the same fate.
type Lossy struct {
	server   netip.AddrPort
	toServer *net.UDPConn // the server's view of the peer
	toPeer   *net.UDPConn // the peer's view of the server
	wg       sync.WaitGroup

	mu     sync.Mutex
	peer   netip.AddrPort
	faults Faults
	counts Counts
	rnd    [2]*rand.Rand // by direction: of one, the other's pace does not matter
	held   map[*time.Timer]struct{}
	closed bool
}

// NewLossy opens a network, sound at first, to the server.
func NewLossy(seed uint64, server netip.AddrPort) (*Lossy, error) {
	l := &Lossy{server: server, held: map[*time.Timer]struct{}{}}
	for i := range l.rnd {
		l.rnd[i] = rand.New(rand.NewPCG(seed, uint64(i)))
	}
	for _, c := range []**net.UDPConn{&l.toServer, &l.toPeer} {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(server.Addr(), 0)))
		if err != nil {
			if l.toServer != nil {
				l.toServer.Close()
			}
			return nil, fmt.Errorf("siptest: lossy network: %w", err)
		}
		_ = conn.SetReadBuffer(4 << 20) // as much as the system allows; losses here are not seeded
		*c = conn
	}
	l.wg.Go(func() { l.pump(l.toPeer, l.toServer, 0) })
	l.wg.Go(func() { l.pump(l.toServer, l.toPeer, 1) })
	return l, nil
}

// Server is where the peer sends to.
func (l *Lossy) Server() netip.AddrPort { return local4(l.toPeer) }

// Peer is where the server sends to.
func (l *Lossy) Peer() netip.AddrPort { return local4(l.toServer) }

func local4(c *net.UDPConn) netip.AddrPort {
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}

// Join names the peer. Robots do it themselves; of others the first datagram
// tells.
func (l *Lossy) Join(peer netip.AddrPort) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.peer = peer
}

// Set changes the faults of the datagrams to come.
func (l *Lossy) Set(f Faults) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults = f
}

// Counts is what has been done so far.
func (l *Lossy) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts
}

// Close takes the network down; what it holds back is lost.
func (l *Lossy) Close() {
	l.mu.Lock()
	l.closed = true
	for t := range l.held {
		t.Stop()
	}
	l.mu.Unlock()
	l.toPeer.Close()
	l.toServer.Close()
	l.wg.Wait()
}

func (l *Lossy) pump(from, out *net.UDPConn, direction int) {
	buf := make([]byte, 64<<10)
	for {
		n, source, err := from.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // the answer to a datagram nobody took
		}
		l.pass(append([]byte(nil), buf[:n]...), source, out, direction)
	}
}

// pass decides about one datagram.
func (l *Lossy) pass(data []byte, source netip.AddrPort, out *net.UDPConn, direction int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	to := l.server
	if direction == 0 {
		if !l.peer.IsValid() {
			l.peer = source
		}
	} else {
		to = l.peer
	}
	r, f := l.rnd[direction], l.faults
	// Always the same number of draws, so that one fault does not move another.
	lost, twice, late, damaged := r.Float64() < f.Loss, r.Float64() < f.Duplicate, r.Float64() < f.Reorder, r.Float64() < f.Corrupt
	wait := time.Duration(r.Float64() * float64(f.Delay))
	harm := r.Uint64()
	if !to.IsValid() {
		return
	}
	l.counts.Passed++
	copies := [][]byte{data}
	switch {
	case lost:
		l.counts.Lost++
		copies = nil
	case twice:
		l.counts.Duplicated++
		copies = append(copies, data)
	}
	if damaged {
		l.counts.Corrupted++
		copies = append(copies, damage(data, harm))
	}
	if late {
		l.counts.Reordered++
		l.later(wait, copies, out, to)
		return
	}
	for _, b := range copies {
		_, _ = out.WriteToUDPAddrPort(b, to) // to nobody, perhaps; that is what UDP is
	}
}

// later sends after a while; l.mu is held.
func (l *Lossy) later(wait time.Duration, copies [][]byte, out *net.UDPConn, to netip.AddrPort) {
	var t *time.Timer
	t = time.AfterFunc(wait, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.held, t)
		if l.closed {
			return
		}
		for _, b := range copies {
			_, _ = out.WriteToUDPAddrPort(b, to)
		}
	})
	l.held[t] = struct{}{}
}

// damage makes a copy with up to four bits turned, or cut short.
func damage(data []byte, harm uint64) []byte {
	if len(data) == 0 {
		return data
	}
	r := rand.New(rand.NewPCG(harm, 0))
	b := append([]byte(nil), data...)
	if r.IntN(4) == 0 {
		return b[:r.IntN(len(b))]
	}
	for range 1 + r.IntN(4) {
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
	}
	return b
}

package media

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
)

// pairPool hands out even/odd port pairs. It goes round the range, so that a
// port given back is the last to be taken again: late packets of a call that
// ended find a closed port and not somebody else's call.
type pairPool struct {
	mu    sync.Mutex
	first uint16 // first even port
	used  []bool // by pair
	next  int
}

func newPairPool(lo, hi uint16) (*pairPool, error) {
	first := uint32(lo) + uint32(lo)%2
	n := (int(hi) - int(first) + 1) / 2
	if lo == 0 || n < 1 {
		return nil, fmt.Errorf("media: the ports %d to %d hold no even/odd pair", lo, hi)
	}
	return &pairPool{first: uint16(first), used: make([]bool, n)}, nil
}

// take binds the next free pair. Ports that another program holds are passed
// over.
func (pp *pairPool) take(addr netip.Addr) (rtp, rtcp *net.UDPConn, port uint16, err error) {
	pp.mu.Lock()
	defer pp.mu.Unlock()
	for range pp.used {
		i := pp.next
		pp.next = (pp.next + 1) % len(pp.used)
		if pp.used[i] {
			continue
		}
		port = pp.first + uint16(2*i)
		rtp, bindErr := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, port)))
		if bindErr != nil {
			err = bindErr
			continue
		}
		rtcp, bindErr := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(addr, port+1)))
		if bindErr != nil {
			rtp.Close()
			err = bindErr
			continue
		}
		pp.used[i] = true
		return rtp, rtcp, port, nil
	}
	if err != nil {
		return nil, nil, 0, fmt.Errorf("%w (%d pairs; last: %w)", ErrNoPorts, len(pp.used), err)
	}
	return nil, nil, 0, fmt.Errorf("%w (%d pairs)", ErrNoPorts, len(pp.used))
}

func (pp *pairPool) give(port uint16) {
	pp.mu.Lock()
	defer pp.mu.Unlock()
	pp.used[(port-pp.first)/2] = false
}

package media

import (
	"errors"
	"fmt"
	"net/netip"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// restFor is how long a pair that was given back must have been quiet before
	// it is taken again: late packets of the call that ended are not another
	// call's. One packet, and it rests from the start.
	restFor = 3 * time.Second
	// keepFor is how long the sockets of a pair that nobody takes stay open, or
	// up to trimEvery longer. Then the port rests closed, until all others have
	// had their turn.
	keepFor   = 30 * time.Second
	trimEvery = 10 * time.Second
	// maxResting bounds them in number: some 680 calls a second are served with
	// the sockets of those that ended.
	maxResting = 2048
)

// pair is an open pair of sockets: RTP on the even port, RTCP on the next
// (RFC 3550 section 11).
type pair struct {
	port      uint16
	rtp, rtcp socket
	rests     time.Time // since when; not valid while the pair is taken
}

func (pr *pair) close() {
	pr.rtp.close()
	pr.rtcp.close()
}

// pairPool hands out even/odd port pairs. To open and close two sockets for
// each call is dear, so those given back are used again, of those that have
// rested the latest first: what a burst has left over rests on and is closed.
// New ones go round the range: there the port given back is the last to be taken
// again. All methods may be called from any goroutine.
type pairPool struct {
	addr  netip.Addr
	net   sockets
	first uint16 // first even port
	slots []slot // by pair

	mu      sync.Mutex
	next    int     // slot to look at first for a new pair
	resting []*pair // in order of rests
	trimmer *time.Timer
	closed  bool
}

// slot is one pair of ports of the range.
type slot struct {
	open  bool                 // its sockets are; under mu
	owner atomic.Pointer[Port] // who has taken it
	late  atomic.Bool          // a packet came while nobody had
}

// newPairPool serves the ports lo to hi of addr with the sockets of open, which
// is given what to do with their packets.
func newPairPool(addr netip.Addr, lo, hi uint16, open func(receiver) (sockets, error)) (*pairPool, error) {
	first := uint32(lo) + uint32(lo)%2
	n := (int(hi) - int(first) + 1) / 2
	if lo == 0 || n < 1 {
		return nil, fmt.Errorf("media: the ports %d to %d hold no even/odd pair", lo, hi)
	}
	pp := &pairPool{addr: addr, first: uint16(first), slots: make([]slot, n)}
	var err error
	pp.net, err = open(pp.received)
	return pp, err
}

func (pp *pairPool) slot(port uint16) *slot { return &pp.slots[(port-pp.first)/2] }

// received gives a packet to who has the port.
func (pp *pairPool) received(port uint16, pkt []byte, src netip.AddrPort) {
	s := pp.slot(port)
	if p := s.owner.Load(); p != nil {
		p.received(port%2 == 1, src, pkt)
		return
	}
	s.late.Store(true)
}

// take gives a pair to p: one that has rested, or a new one. Ports that another
// program holds are passed over. When there is no other, a pair's rest is cut
// short: a call is worth more.
func (pp *pairPool) take(p *Port, now time.Time) (*pair, error) {
	pp.mu.Lock()
	defer pp.mu.Unlock()
	if pp.closed {
		return nil, ErrClosed
	}
	pr := pp.rested(now)
	if pr == nil {
		var err error
		pr, err = pp.bind()
		switch {
		case err == nil:
		case len(pp.resting) == 0:
			return nil, err
		default:
			pr = pp.longest()
		}
	}
	s := pp.slot(pr.port)
	s.late.Store(false)
	s.owner.Store(p)
	return pr, nil
}

// rested is the pair that has just rested long enough, nil for none; pp.mu is
// held.
func (pp *pairPool) rested(now time.Time) *pair {
	for {
		i := sort.Search(len(pp.resting), func(i int) bool { return now.Sub(pp.resting[i].rests) < restFor }) - 1
		if i < 0 {
			return nil
		}
		pr := pp.resting[i]
		copy(pp.resting[1:i+1], pp.resting) // those before it are few: what no call needs
		pp.resting[0] = nil
		pp.resting = pp.resting[1:]
		if !pp.slot(pr.port).late.Swap(false) {
			return pr
		}
		pr.rests = now
		pp.resting = append(pp.resting, pr)
	}
}

func (pp *pairPool) longest() *pair {
	pr := pp.resting[0]
	pp.resting[0] = nil
	pp.resting = pp.resting[1:]
	return pr
}

// bind opens the next pair that is not open; pp.mu is held.
func (pp *pairPool) bind() (*pair, error) {
	var last error
	for range pp.slots {
		i := pp.next
		pp.next = (pp.next + 1) % len(pp.slots)
		if pp.slots[i].open {
			continue
		}
		pr, err := pp.open(pp.first + uint16(2*i))
		switch {
		case err == nil:
			pp.slots[i].open = true
			return pr, nil
		case !errors.Is(err, syscall.EADDRINUSE) && !errors.Is(err, syscall.EACCES):
			return nil, fmt.Errorf("media: open a port pair: %w", err) // no other port would do
		}
		last = err
	}
	if last != nil {
		return nil, fmt.Errorf("%w (%d pairs; last: %w)", ErrNoPorts, len(pp.slots), last)
	}
	return nil, fmt.Errorf("%w (%d pairs)", ErrNoPorts, len(pp.slots))
}

func (pp *pairPool) open(port uint16) (*pair, error) {
	rtp, err := pp.net.open(netip.AddrPortFrom(pp.addr, port))
	if err != nil {
		return nil, err
	}
	rtcp, err := pp.net.open(netip.AddrPortFrom(pp.addr, port+1))
	if err != nil {
		rtp.close()
		return nil, err
	}
	return &pair{port: port, rtp: rtp, rtcp: rtcp}, nil
}

// give takes a pair back.
func (pp *pairPool) give(pr *pair, now time.Time) {
	pp.mu.Lock()
	defer pp.mu.Unlock()
	pp.slot(pr.port).owner.Store(nil)
	if pp.closed {
		pp.end(pr)
		return
	}
	pr.rests = now
	if len(pp.resting) == maxResting {
		pp.end(pp.longest())
	}
	pp.resting = append(pp.resting, pr)
	if pp.trimmer == nil {
		pp.trimmer = time.AfterFunc(trimEvery, func() { pp.trim(time.Now()) })
	}
}

// trim closes the pairs that nobody has taken for long, and comes back for the
// others.
func (pp *pairPool) trim(now time.Time) {
	pp.mu.Lock()
	defer pp.mu.Unlock()
	for len(pp.resting) > 0 && now.Sub(pp.resting[0].rests) >= keepFor {
		pp.end(pp.longest())
	}
	pp.trimmer = nil
	if len(pp.resting) > 0 {
		pp.trimmer = time.AfterFunc(trimEvery, func() { pp.trim(time.Now()) })
	}
}

// end closes a pair's sockets; pp.mu is held.
func (pp *pairPool) end(pr *pair) {
	pr.close()
	pp.slot(pr.port).open = false
}

// close closes what rests, and from now on what is given back, and waits for
// the readers. Whoever has a pair has given it back by then.
func (pp *pairPool) close() {
	pp.mu.Lock()
	pp.closed = true
	for len(pp.resting) > 0 {
		pp.end(pp.longest())
	}
	if pp.trimmer != nil {
		pp.trimmer.Stop()
	}
	pp.mu.Unlock()
	pp.net.close()
}

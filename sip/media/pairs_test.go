package media

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// fakeSockets counts what is open, and holds ports for others.
type fakeSockets struct {
	up     map[uint16]bool
	opened int
	err    map[uint16]error
	got    receiver
}

type fakeSocket struct {
	f    *fakeSockets
	port uint16
}

func (f *fakeSockets) open(at netip.AddrPort) (socket, error) {
	if err := f.err[at.Port()]; err != nil {
		return nil, fmt.Errorf("bind: %w", err)
	}
	if f.up[at.Port()] {
		return nil, syscall.EADDRINUSE
	}
	f.up[at.Port()] = true
	f.opened++
	return fakeSocket{f, at.Port()}, nil
}

func (f *fakeSockets) close()                        {}
func (s fakeSocket) send(_ []byte, _ netip.AddrPort) {}
func (s fakeSocket) close()                          { delete(s.f.up, s.port) }

// pool is a pool of the given number of pairs, from port 4000 on.
func pool(t *testing.T, pairs int) (*pairPool, *fakeSockets) {
	t.Helper()
	f := &fakeSockets{up: map[uint16]bool{}, err: map[uint16]error{}}
	pp, err := newPairPool(netip.IPv4Unspecified(), 4000, uint16(4000+2*pairs-1), func(got receiver) (sockets, error) {
		f.got = got
		return f, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pp.close)
	return pp, f
}

func take(t *testing.T, pp *pairPool, now time.Time) *pair {
	t.Helper()
	pr, err := pp.take(&Port{}, now)
	if err != nil {
		t.Fatal(err)
	}
	return pr
}

// A pair is used again when it has rested, with the sockets it has; until then
// another one is opened.
func TestPairsAreUsedAgain(t *testing.T) {
	pp, f := pool(t, 10)
	now := time.Now()
	a, b := take(t, pp, now), take(t, pp, now)
	pp.give(b, now)
	pp.give(a, now.Add(time.Second))
	if c := take(t, pp, now.Add(restFor-1)); c == a || c == b {
		t.Errorf("port %d is taken before it has rested", c.port)
	}
	if c := take(t, pp, now.Add(restFor)); c != b {
		t.Errorf("port %d is taken, %d has rested", c.port, b.port)
	}
	if c := take(t, pp, now.Add(restFor)); c == a {
		t.Error("a pair is taken before it has rested")
	}
	if c := take(t, pp, now.Add(restFor+time.Second)); c != a {
		t.Errorf("port %d is taken, %d has rested", c.port, a.port)
	}
	if f.opened != 8 {
		t.Errorf("%d sockets were opened for four pairs", f.opened)
	}
}

// A pair on which the call that ended is still heard rests from the start.
func TestPairThatIsNotQuiet(t *testing.T) {
	for name, port := range map[string]uint16{"RTP": 0, "RTCP": 1} {
		t.Run(name, func(t *testing.T) {
			pp, f := pool(t, 10)
			now := time.Now()
			a := take(t, pp, now)
			f.got(a.port+port, make([]byte, 172), netip.AddrPort{}) // while it is taken: nothing to do with it
			pp.give(a, now)
			f.got(a.port+port, make([]byte, 172), netip.AddrPort{})
			now = now.Add(restFor)
			if b := take(t, pp, now); b == a {
				t.Fatal("a pair that packets came to is taken")
			}
			if b := take(t, pp, now.Add(restFor-1)); b == a {
				t.Error("it has not rested from the start")
			}
			if b := take(t, pp, now.Add(restFor)); b != a {
				t.Error("it was quiet and is not taken")
			}
		})
	}
}

// Rather than refuse a call, a rest is cut short: when the range is used up, and
// when the process has no descriptors left.
func TestRestCutShort(t *testing.T) {
	pp, f := pool(t, 4)
	now := time.Now()
	f.err[4000], f.err[4003] = syscall.EADDRINUSE, syscall.EADDRINUSE // others' ports: half a pair each
	a, b := take(t, pp, now), take(t, pp, now)
	if _, err := pp.take(&Port{}, now); !errors.Is(err, ErrNoPorts) || !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("a third pair of two: %v", err)
	}
	if len(f.up) != 4 {
		t.Errorf("%d sockets are open", len(f.up))
	}
	pp.give(b, now)
	if c := take(t, pp, now); c != b {
		t.Error("the pair given back is not taken")
	}
	pp.give(a, now)
	pp, f = pool(t, 100)
	for port := uint16(4004); port < 4200; port++ {
		f.err[port] = syscall.EMFILE
	}
	a, _ = take(t, pp, now), take(t, pp, now)
	if _, err := pp.take(&Port{}, now); !errors.Is(err, syscall.EMFILE) || errors.Is(err, ErrNoPorts) {
		t.Errorf("without descriptors: %v", err)
	}
	pp.give(a, now)
	if c := take(t, pp, now); c != a {
		t.Error("the pair given back is not taken")
	}
}

// What a burst leaves over is closed while calls go on.
func TestBurstIsClosed(t *testing.T) {
	pp, f := pool(t, 100)
	now := time.Now()
	var all []*pair
	for range 50 {
		all = append(all, take(t, pp, now))
	}
	for _, pr := range all {
		pp.give(pr, now)
	}
	for range 60 { // one call a second from now on, each half a second long
		now = now.Add(time.Second)
		pr := take(t, pp, now)
		pp.give(pr, now.Add(time.Second/2))
		pp.trim(now.Add(time.Second / 2))
	}
	if n := len(f.up) / 2; n > 5 {
		t.Errorf("%d pairs are open, of one call a second", n)
	}
}

// Sockets that nobody needs are closed: those that rest long, and those too many.
func TestPairsAreClosed(t *testing.T) {
	pp, f := pool(t, maxResting+10)
	now := time.Now()
	var all []*pair
	for range maxResting + 10 {
		all = append(all, take(t, pp, now))
	}
	for i, pr := range all {
		pp.give(pr, now.Add(time.Duration(i)))
	}
	if n := len(f.up) / 2; n != maxResting {
		t.Errorf("%d pairs are open, want %d", n, maxResting)
	}
	if f.up[all[9].port] || !f.up[all[10].port] {
		t.Error("it is not the longest rested that were closed")
	}
	pp.trim(now.Add(keepFor + 99))
	if n := len(f.up) / 2; n != maxResting-90 {
		t.Errorf("%d pairs are open, want %d", n, maxResting-90)
	}
	if pp.trimmer == nil {
		t.Error("nobody comes back for the others")
	}
	if pp.trim(now.Add(time.Hour)); len(f.up) != 0 || pp.trimmer != nil {
		t.Errorf("%d sockets are open after an hour", len(f.up))
	}
	// A port that was closed is the last to be opened again.
	if pr := take(t, pp, now.Add(time.Hour)); pr.port != 4000 {
		t.Errorf("port %d", pr.port)
	}
	pr := take(t, pp, now.Add(time.Hour))
	pp.give(pr, now.Add(time.Hour))
	pp.trim(now.Add(2 * time.Hour))
	if next := take(t, pp, now.Add(2*time.Hour)); next.port != pr.port+2 {
		t.Errorf("port %d after %d", next.port, pr.port)
	}
	left := take(t, pp, now)
	pp.close()
	if pp.give(left, now); f.up[left.port] {
		t.Error("what is given back after the end stays open")
	}
	if _, err := pp.take(&Port{}, now); !errors.Is(err, ErrClosed) {
		t.Errorf("take after close: %v", err)
	}
}

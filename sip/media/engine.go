// Package media is the sound side of a call: it owns the RTP ports, plays
// music and announcements to callers who wait, reads their keys, and relays
// audio between two legs where these cannot reach each other. It reads and
// writes session descriptions (SDP) too. It never decides anything about a
// call, transcodes nothing and knows no SIP; package sip calls it.
//
// What a caller is told is a sequence of sounds: Port.PlayAll sends it in place
// of the music and calls done at its end, and the next Play of the music goes
// on where that was. Keys are told to the function of Port.OnDTMF as soon as
// they are pressed, while a sound plays and in the silence after it: who asks
// for a key sets it before PlayAll, and takes the key for the answer whether
// the question was heard to its end or not. Sentences with numbers in them are
// put together of such sounds by package speech.
package media

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Options is what an Engine needs.
type Options struct {
	// Addr is the local address that RTP is received and sent on.
	Addr netip.Addr
	// Advertise is the address put into SDP; Addr when it is not valid.
	Advertise netip.Addr
	// PortMin and PortMax bound the UDP ports used, both inclusive. Each Port
	// takes an even port for RTP and the next one for RTCP (RFC 3550 section
	// 11). Zero: 16384 and 32767.
	PortMin, PortMax uint16
	Library          *Library
	Log              *zap.Logger
}

const (
	defaultPortMin = 16384
	defaultPortMax = 32767
)

// ErrNoPorts is returned by Open when the whole port range is in use.
var ErrNoPorts = errors.New("media: no free RTP port in the configured range")

// ErrNothing is returned by PlayAll when there is nothing to play.
var ErrNothing = errors.New("media: no sound to play")

// ErrClosed is returned by whatever is asked of a closed Engine or Port.
var ErrClosed = errors.New("media: closed")

// Engine owns the RTP ports and the goroutines that play sounds. All its
// methods are safe for concurrent use.
type Engine struct {
	advertise netip.Addr
	lib       *Library
	log       *zap.Logger
	pairs     *pairPool
	phases    [phaseCount]*phase

	mu     sync.Mutex
	ports  map[*Port]struct{}
	closed bool
	wg     sync.WaitGroup // phases
}

// New starts an Engine. It fails when Addr is not valid or the port range
// holds no even/odd pair.
func New(o Options) (*Engine, error) {
	if !o.Addr.IsValid() {
		return nil, errors.New("media: no local address")
	}
	if !o.Advertise.IsValid() {
		o.Advertise = o.Addr
	}
	if o.PortMin == 0 && o.PortMax == 0 {
		o.PortMin, o.PortMax = defaultPortMin, defaultPortMax
	}
	if o.Library == nil {
		return nil, errors.New("media: no sound library")
	}
	pairs, err := newPairPool(bindAddr(o.Addr, o.Advertise), o.PortMin, o.PortMax, newSockets)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	e := &Engine{
		advertise: o.Advertise,
		lib:       o.Library,
		log:       o.Log.Named("media"),
		pairs:     pairs,
		ports:     map[*Port]struct{}{},
	}
	for i := range e.phases {
		e.phases[i] = newPhase(i)
		e.wg.Go(e.phases[i].run)
	}
	return e, nil
}

// bindAddr is where to listen: "every address" means those that the advertised
// one is of a kind with, as no peer can use another.
func bindAddr(addr, advertise netip.Addr) netip.Addr {
	switch {
	case !addr.IsUnspecified():
		return addr.Unmap()
	case advertise.Unmap().Is4():
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// Has reports whether the library holds the sound.
func (e *Engine) Has(sound string) bool { return e.lib.Has(sound) }

// Open takes a free port pair. The error is ErrNoPorts when there is none and
// ErrClosed after Close.
func (e *Engine) Open() (*Port, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, ErrClosed
	}
	p := &Port{engine: e, play: newPlayer()}
	var err error
	if p.pair, err = e.pairs.take(p, time.Now()); err != nil {
		return nil, err
	}
	e.ports[p] = struct{}{}
	return p, nil
}

// Relay forwards RTP and RTCP between the two ports until Unrelay or until
// one of them closes. A port that plays a sound sends the sound only.
func (e *Engine) Relay(a, b *Port) error {
	if a == b {
		return fmt.Errorf("media: relay of port %d to itself", a.pair.port)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.ports[a]; !ok {
		return ErrClosed
	}
	if _, ok := e.ports[b]; !ok {
		return ErrClosed
	}
	e.unlink(a)
	e.unlink(b)
	a.peer.Store(b)
	b.peer.Store(a)
	return nil
}

// Unrelay ends a relay. It does nothing when the two ports are not joined.
func (e *Engine) Unrelay(a, b *Port) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if a.peer.Load() == b {
		e.unlink(a)
	}
}

// unlink parts p from its peer; e.mu is held.
func (e *Engine) unlink(p *Port) {
	if q := p.peer.Swap(nil); q != nil {
		q.peer.CompareAndSwap(p, nil)
	}
}

// release takes a closed port off the books.
func (e *Engine) release(p *Port) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.unlink(p)
	delete(e.ports, p)
	e.pairs.give(p.pair, time.Now())
}

// InUse is the number of open ports.
func (e *Engine) InUse() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.ports)
}

// Close closes every port, stops the players and waits for their goroutines.
// It must not be called from a callback of a Port.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	ports := make([]*Port, 0, len(e.ports))
	for p := range e.ports {
		ports = append(ports, p)
	}
	e.mu.Unlock()
	for _, p := range ports {
		p.Close()
	}
	for _, ph := range e.phases {
		ph.close()
	}
	e.wg.Wait()
	e.pairs.close()
	return nil
}

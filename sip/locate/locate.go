// Package locate finds the servers of a SIP name (RFC 3263): which transport by
// NAPTR, which hosts and in which order by SRV, their addresses by A and AAAA. What
// was found is kept for as long as the DNS says, and longer while the DNS gives no
// answer. A server that gave none is passed over for a while.
package locate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
)

// Server is one place that a request for a name can go to.
type Server struct {
	Transport string // udp, tcp or tls
	Addr      netip.AddrPort
}

// Query is what is asked for.
type Query struct {
	Host string
	Port int // 0: none was said
	// Transport is that which was said; "": the DNS says, of those in Speaks.
	Transport string
	// Speaks are the transports that we can, in the order in which they are tried
	// where the DNS doesn't say, separated by commas.
	Speaks string
}

// Options is what a Finder is made of; all may be left out.
type Options struct {
	// DNS are the servers that are asked; none: those of the system.
	DNS []netip.AddrPort
	Log *zap.Logger
}

const (
	// patience is how long a look-up may take.
	patience = 2 * time.Second
	// again is when the DNS is asked again that gave no answer.
	again = 10 * time.Second
	// longest is for how long what was found may be used while the DNS gives none
	// (RFC 8767 section 5), and keepLongest how long a TTL may be.
	longest     = 3 * 24 * time.Hour
	keepLongest = 24 * time.Hour
	keepLeast   = time.Second
	// missingLongest is for how long a name counts as one that has no server.
	missingLongest = time.Minute
	// Passed is for how long a server is passed over that has not answered, and
	// passedLongest for how long it may ask for itself (Retry-After).
	Passed        = 30 * time.Second
	passedLongest = 5 * time.Minute

	maxNames  = 1000
	maxPassed = 1000
	// maxServers is how many of a name's servers one request may go to.
	maxServers = 8
)

// ErrMissing says that the DNS has answered, and that there is no server.
var ErrMissing = errors.New("locate: the name has no server")

// Finder finds, and remembers. Safe for concurrent use.
type Finder struct {
	dns  []netip.AddrPort
	log  *zap.Logger
	lots func(n int) int // draws one of 0 to n-1

	mu     sync.Mutex
	names  map[Query]*name
	passed map[Server]time.Time // until when
}

// name is what is known of one.
type name struct {
	found Found
	known time.Time     // when the DNS said so; zero: it never did
	err   error         // what it says instead
	next  time.Time     // when it is asked again
	used  time.Time     // last
	busy  chan struct{} // somebody asks it; closed when he is done
}

// New makes a Finder.
func New(o Options) *Finder {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	return &Finder{dns: o.DNS, log: o.Log, lots: rand.IntN, names: map[Query]*name{}, passed: map[Server]time.Time{}}
}

// Find gives the servers of a name in the order in which they are to be tried:
// there is at least one where there is no error.
func (f *Finder) Find(ctx context.Context, q Query) ([]Server, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.of(q)
	for now := time.Now(); ; now = time.Now() {
		switch {
		case now.Before(n.next) && n.err != nil:
			return nil, n.err
		case now.Before(n.next):
			return f.order(n.found, now), nil
		case n.busy == nil:
			f.learn(ctx, q, n)
			continue
		}
		busy := n.busy
		f.mu.Unlock()
		var err error
		select {
		case <-busy:
		case <-ctx.Done():
			err = fmt.Errorf("locate: %w", context.Cause(ctx))
		}
		f.mu.Lock()
		if err != nil {
			return nil, err
		}
	}
}

// learn asks the DNS for what is known of a name from now on. f.mu is held, but not
// meanwhile.
func (f *Finder) learn(ctx context.Context, q Query, n *name) {
	busy := make(chan struct{})
	n.busy = busy
	f.mu.Unlock()
	// Others wait for it: it does not end with who asked first.
	found, err := f.Look(context.WithoutCancel(ctx), q)
	f.mu.Lock()
	n.busy = nil
	close(busy)
	now := time.Now()
	switch {
	case err == nil:
		n.found, n.err, n.known, n.next = found, nil, now, now.Add(found.TTL)
	case errors.Is(err, ErrMissing):
		n.err, n.known, n.next = err, time.Time{}, now.Add(min(found.TTL, missingLongest))
	case !n.known.IsZero() && now.Sub(n.known) < longest:
		n.err, n.next = nil, now.Add(again)
		f.log.Warn("the DNS gives no answer: the servers last known are used", zap.String("name", q.Host), zap.Time("known", n.known), zap.Error(err))
	default:
		n.err, n.next = err, now.Add(again/2)
	}
}

// of finds what is known of a name. Who is the target of a call may be a caller's
// to choose: so many are kept, and what was used last longest. f.mu is held.
func (f *Finder) of(q Query) *name {
	n := f.names[q]
	if n == nil {
		if len(f.names) >= maxNames {
			f.forgetOldest()
		}
		n = &name{}
		f.names[q] = n
	}
	n.used = time.Now()
	return n
}

func (f *Finder) forgetOldest() {
	var oldest Query
	var at time.Time
	for q, n := range f.names {
		if n.busy == nil && (at.IsZero() || n.used.Before(at)) {
			oldest, at = q, n.used
		}
	}
	delete(f.names, oldest)
}

// order draws the order of those found; those passed over come last. f.mu is held.
func (f *Finder) order(found Found, now time.Time) []Server {
	var out, last []Server
	for _, h := range drawn(found.Hosts, f.lots) {
		for _, a := range h.Addrs {
			s := Server{h.Transport, netip.AddrPortFrom(a, h.Port)}
			if slices.Contains(out, s) || slices.Contains(last, s) {
				continue
			}
			if now.Before(f.passed[s]) {
				last = append(last, s)
			} else {
				out = append(out, s)
			}
		}
	}
	out = append(out, last...)
	return out[:min(len(out), maxServers)]
}

// drawn puts hosts in order: by rank, then by priority, and among equals by lots of
// their weights (RFC 2782).
func drawn(hosts []Host, lots func(int) int) []Host {
	out := slices.Clone(hosts)
	slices.SortStableFunc(out, Host.before)
	for i := range out {
		end, sum := i, 0
		for end < len(out) && out[end].before(out[i]) == 0 {
			sum += int(out[end].Weight)
			end++
		}
		// Those of no weight stand first, and have their small chance.
		slices.SortStableFunc(out[i:end], func(a, b Host) int { return min(int(a.Weight), 1) - min(int(b.Weight), 1) })
		lot, at := lots(sum+1), i
		for upTo := int(out[i].Weight); upTo < lot; upTo += int(out[at].Weight) {
			at++
		}
		chosen := out[at]
		copy(out[i+1:at+1], out[i:at])
		out[i] = chosen
	}
	return out
}

// Failed has a server passed over: for so long, 0 for the usual time. It reports
// whether that is news.
func (f *Finder) Failed(s Server, during time.Duration) bool {
	if during <= 0 {
		during = Passed
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if len(f.passed) >= maxPassed {
		for s, until := range f.passed {
			if !now.Before(until) {
				delete(f.passed, s)
			}
		}
	}
	was := now.Before(f.passed[s])
	if was || len(f.passed) < maxPassed {
		f.passed[s] = now.Add(min(during, passedLongest))
	}
	return !was
}

// Answered says that a server is there.
func (f *Finder) Answered(s Server) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.passed, s)
}

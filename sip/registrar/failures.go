package registrar

import (
	"net/netip"
	"sync"
	"time"
)

// Bounds on guessing: failures within a span, of one source with one user name
// and of one source with any, before it is not heard for a while. A source is
// counted only once it has answered a challenge of ours: a forged address
// bans nobody.
const (
	maxOfPair   = 10
	maxOfSource = 60
	failSpan    = 5 * time.Minute
	banOfPair   = time.Minute // somebody may have typed it right meanwhile
	banOfSource = 5 * time.Minute
	maxFailures = 20_000 // remembered
	// maxTold is how many refused credentials of one source have a line each.
	maxTold = 20
	// slowedFor is how long a source that asks and asks waits behind the others.
	slowedFor = time.Minute
)

// place is the name that a source's failures are counted by: who has one address
// of an IPv6 network has all of its /64.
func place(a netip.Addr) string {
	if a.Is6() {
		p, _ := a.Prefix(64)
		a = p.Addr()
	}
	return a.String()
}

// failures counts failed attempts by key.
type failures struct {
	mu  sync.Mutex
	all map[string]failure
}

type failure struct {
	n     int
	since time.Time
	until time.Time // of the ban
}

func newFailures() *failures { return &failures{all: map[string]failure{}} }

// fail counts one, and gives how many there are by now: the key is banned from
// the one on that makes limit.
func (f *failures) fail(key string, limit int, ban time.Duration, now time.Time) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	x, there := f.all[key]
	if !there && len(f.all) >= maxFailures {
		f.sweep(now)
	}
	if now.Sub(x.since) >= failSpan || x.n >= limit && !now.Before(x.until) {
		x = failure{since: now}
	}
	x.n++
	if x.n == limit {
		x.until = now.Add(ban)
	}
	f.all[key] = x
	return x.n
}

func (f *failures) banned(key string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return now.Before(f.all[key].until)
}

// forgive forgets a key: it has got it right.
func (f *failures) forgive(key string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.all, key)
}

// sweep makes room, a tenth at least so that it need not come again at once:
// what is over first, else whatever comes.
func (f *failures) sweep(now time.Time) {
	for key, x := range f.all {
		if now.Sub(x.since) >= failSpan && !now.Before(x.until) {
			delete(f.all, key)
		}
	}
	for key := range f.all {
		if len(f.all) <= maxFailures*9/10 {
			return
		}
		delete(f.all, key)
	}
}

package web

import (
	"math"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// limiter allows bursts of tries by one key, then one each interval. A try
// that turns out well is given back.
type limiter struct {
	burst float64
	each  time.Duration
	mu    sync.Mutex
	keys  map[string]*bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

// limiterKeys are held at most; beyond that the fullest are forgotten.
const limiterKeys = 8192

func newLimiter(burst int, each time.Duration) *limiter {
	return &limiter{burst: float64(burst), each: each, keys: map[string]*bucket{}}
}

// try takes a token; when there is none it returns how long to wait.
func (l *limiter) try(key string, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.keys[key]
	if b == nil {
		if len(l.keys) >= limiterKeys {
			l.prune(now)
		}
		b = &bucket{tokens: l.burst, at: now}
		l.keys[key] = b
	}
	l.fill(b, now)
	if b.tokens < 1 {
		return time.Duration((1 - b.tokens) * float64(l.each)), false
	}
	b.tokens--
	return 0, true
}

func (l *limiter) giveBack(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.keys[key]; b != nil {
		b.tokens = math.Min(l.burst, b.tokens+1)
	}
}

func (l *limiter) fill(b *bucket, now time.Time) {
	if gone := now.Sub(b.at); gone > 0 {
		b.tokens = math.Min(l.burst, b.tokens+float64(gone)/float64(l.each))
		b.at = now
	}
}

// prune forgets those who have nothing held against them, and if that is
// nobody, half of the rest.
func (l *limiter) prune(now time.Time) {
	for key, b := range l.keys {
		if l.fill(b, now); b.tokens >= l.burst {
			delete(l.keys, key)
		}
	}
	if len(l.keys) < limiterKeys {
		return
	}
	n := 0
	for key := range l.keys {
		if n++; n%2 == 0 {
			delete(l.keys, key)
		}
	}
}

// source is the address a request comes from; the first half of an IPv6
// address, of which one customer has as many as they like.
func source(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if addr = addr.Unmap(); addr.Is6() {
		p, err := addr.WithZone("").Prefix(64)
		if err == nil {
			return p.String()
		}
	}
	return addr.String()
}

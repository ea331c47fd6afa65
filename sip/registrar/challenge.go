package registrar

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	mathrand "math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/sip/digest"
	"github.com/cordboard/cordboard/sip/stack"
)

// digestOf is how the agent's phone wants to be challenged.
func (r *Registrar) digestOf(user string) (agents.Digest, bool) {
	a, ok := r.o.Agents.Agent(agents.ID(user))
	return a.Phone.Digest, ok && a.Phone.Registered
}

// challenge asks for credentials (RFC 8760 2.4): SHA-256 and MD5 behind it over
// TLS, MD5 alone over UDP and TCP, unless the phone is set otherwise. Common
// phones give up at a challenge that they do not know, wherever it stands.
func (r *Registrar) challenge(req *stack.Message, user string, now time.Time, isStale bool) stack.Answer {
	order := []string{digest.MD5}
	if req.Transport == "tls" {
		order = []string{digest.SHA256, digest.MD5}
	}
	switch d, _ := r.digestOf(user); d {
	case agents.DigestMD5:
		order = []string{digest.MD5}
	case agents.DigestSHA256:
		order = []string{digest.SHA256}
	}
	nonce := r.nonce(req.Source.Addr(), now)
	a := stack.Answer{Code: 401}
	for _, alg := range order {
		v := `Digest realm="` + r.o.Realm + `", nonce="` + nonce + `", algorithm=` + alg + `, qop="auth"`
		if isStale {
			v += ", stale=true"
		}
		a.Headers = append(a.Headers, stack.Header{Name: "WWW-Authenticate", Value: v})
	}
	return a
}

// unavailable sends a phone away for a while, each for another while, so that
// those who came together do not come back together.
func unavailable() stack.Answer {
	return answer(503, stack.Header{Name: "Retry-After", Value: strconv.Itoa(retryFrom + mathrand.IntN(retrySpread))})
}

const retryFrom, retrySpread = 3, 30 // seconds

// replayWindow is how long a nonce counts that no phone is registered with.
const replayWindow = time.Minute

const nonceHead, nonceTail = 16, 16

// nonce is time, chance and a MAC over these and the source: nothing is kept
// until it is used with good credentials.
func (r *Registrar) nonce(source netip.Addr, now time.Time) string {
	b := make([]byte, nonceHead, nonceHead+nonceTail)
	binary.BigEndian.PutUint64(b, uint64(now.UnixMicro()))
	rand.Read(b[8:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(append(b, r.seal(b, source)...))
}

func (r *Registrar) seal(head []byte, source netip.Addr) []byte {
	mac := hmac.New(sha256.New, r.key)
	mac.Write(head)
	a := source.As16()
	mac.Write(a[:])
	return mac.Sum(nil)[:nonceTail]
}

// age is how old a nonce is that we made for this source.
func (r *Registrar) age(nonce string, source netip.Addr, now time.Time) (age time.Duration, made bool) {
	b, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(b) != nonceHead+nonceTail || !hmac.Equal(b[nonceHead:], r.seal(b[:nonceHead], source)) {
		return 0, false
	}
	age = now.Sub(time.UnixMicro(int64(binary.BigEndian.Uint64(b))))
	return age, age >= 0
}

// holds reports whether a phone of the user's is registered with the nonce: it may
// refresh with the same one for as long as it stays registered, without being
// challenged each time (RFC 7616 3.4).
func (r *Registrar) holds(c credentials) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.at[agents.ID(c.user)], func(b *binding) bool { return b.nonce == c.nonce })
}

// use counts the use of the nonce of credentials that are right: its count must rise
// (RFC 7616 3.4). While it is young nonces knows it, whoever uses it; afterwards what
// is registered with it.
func (r *Registrar) use(c credentials, age time.Duration, now time.Time) use {
	r.mu.Lock()
	var last uint32
	for _, b := range r.at[agents.ID(c.user)] {
		if b.nonce == c.nonce {
			last, b.nc = max(last, b.nc), max(b.nc, c.nc)
		}
	}
	r.mu.Unlock()
	switch {
	case age < replayWindow:
		return r.nonces.use(c.nonce, c.nc, now)
	case last == 0 || c.nc <= last: // 0: it was removed meanwhile
		return replayed
	}
	return fresh
}

// nonces remembers how often each young nonce was used: two generations of a window
// each.
type nonces struct {
	mu       sync.Mutex
	since    time.Time
	now, old map[string]uint32
}

// maxNonces bounds what is remembered: 100,000 registrations a minute.
const maxNonces = 100_000

type use int

const (
	fresh use = iota
	replayed
	full
)

// use counts a nonce's use: nc must rise (RFC 7616 3.4).
func (n *nonces) use(nonce string, nc uint32, at time.Time) use {
	n.mu.Lock()
	defer n.mu.Unlock()
	if at.Sub(n.since) >= replayWindow {
		n.old, n.now, n.since = n.now, map[string]uint32{}, at
	}
	last := max(n.now[nonce], n.old[nonce])
	switch {
	case nc <= last:
		return replayed
	case len(n.now) >= maxNonces:
		return full
	}
	n.now[nonce] = nc
	return fresh
}

func zapSource(a netip.Addr) zap.Field { return zap.Stringer("source", a) }

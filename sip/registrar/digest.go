package registrar

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/sip/digest"
	"github.com/cordboard/cordboard/sip/stack"
)

// Secret is a user's HA1 for either algorithm (RFC 7616 3.4.2), in lower case
// hex. Realm is what it was made with.
type Secret struct {
	Realm, MD5, SHA256 string
}

// NewSecret makes the HA1s of a password.
func NewSecret(user, realm, password string) Secret {
	a1 := user + ":" + realm + ":" + password
	return Secret{Realm: realm, MD5: digest.Sum(digest.New(digest.MD5), a1), SHA256: digest.Sum(digest.New(digest.SHA256), a1)}
}

// credentials are an Authorization header's.
type credentials struct {
	user, realm, nonce, uri, response, algorithm, cnonce, qop, ncText string
	nc                                                                uint32
}

// parameter is where a parameter's value goes, nil when it says nothing to us.
func (c *credentials) parameter(name string) *string {
	switch name {
	case "username":
		return &c.user
	case "realm":
		return &c.realm
	case "nonce":
		return &c.nonce
	case "uri":
		return &c.uri
	case "response":
		return &c.response
	case "algorithm":
		return &c.algorithm
	case "cnonce":
		return &c.cnonce
	case "qop":
		return &c.qop
	case "nc":
		return &c.ncText
	}
	return nil
}

// parseCredentials reads a Digest Authorization strictly: each parameter once,
// quotes closed, what must be there is there.
func parseCredentials(v string) (c credentials, ok bool) {
	ok = digest.Each(v, func(name, value string) {
		if p := c.parameter(name); p != nil {
			*p = value
		}
	})
	if !ok || c.user == "" || c.nonce == "" || c.uri == "" || c.cnonce == "" || !strings.EqualFold(c.qop, "auth") || len(c.ncText) != 8 {
		return c, false
	}
	n, err := strconv.ParseUint(c.ncText, 16, 32)
	c.nc = uint32(n)
	c.response = strings.ToLower(c.response)
	switch {
	case c.algorithm == "" || strings.EqualFold(c.algorithm, digest.MD5):
		c.algorithm = digest.MD5
		ok = len(c.response) == 2*md5.Size
	case strings.EqualFold(c.algorithm, digest.SHA256):
		c.algorithm = digest.SHA256
		ok = len(c.response) == 2*sha256.Size
	default:
		ok = false
	}
	return c, ok && err == nil && n > 0
}

// verdict on a request's credentials.
type verdict int

const (
	unknown verdict = iota // none of ours
	stale                  // good or bad, for a nonce that counts no longer
	wrong
	good
	banned
	busy // there is no time for it now
)

// authenticate finds whose request it is. What it takes, and what it answers,
// is the same for a user who exists and for one who does not (AST-2018-008).
func (r *Registrar) authenticate(req *stack.Message, now time.Time) (credentials, verdict) {
	source := req.Source.Addr()
	c, found := r.ours(req)
	if !found {
		if !r.mayBegin(source, now) {
			return c, busy
		}
		return c, unknown
	}
	age, made := r.age(c.nonce, source, now)
	if !made || age >= replayWindow && !r.holds(c) {
		if !r.mayBegin(source, now) {
			return c, busy
		}
		return c, stale
	}
	// From here on the source is who it says it is: it has received our nonce.
	if !r.onward.AllowN(now, 1) {
		return c, busy
	}
	pair := place(source) + " " + c.user
	if r.sources.banned(pair, now) {
		return c, banned
	}
	if !r.verify(c, req.Method) {
		ofSource, ofPair := r.sources.fail(place(source), maxOfSource, banOfSource, now), r.sources.fail(pair, maxOfPair, banOfPair, now)
		if ofSource <= maxTold {
			r.tellWrong(c, req)
		}
		if ofSource == maxOfSource || ofPair == maxOfPair {
			r.refused.Warn("a source that fails to authenticate is not heard for a while", zapSource(source))
		}
		r.refreshSecrets()
		return c, wrong
	}
	switch r.use(c, age, now) {
	case replayed:
		return c, stale
	case full:
		return c, busy
	}
	r.sources.forgive(pair)
	r.asking.forgive(place(source))
	return c, good
}

// mayBegin reports whether there is time for a request that has yet to be
// challenged. Those from forged addresses are held to the rate by themselves, so
// that no phone's registration runs out for them; and one source that asks and
// asks, and has shown no credentials that are right, to a tenth of it, so that
// whoever looks for extensions keeps nobody else from registering. A whole office
// that comes at once is none: its first phone that gets in ends the count.
func (r *Registrar) mayBegin(source netip.Addr, now time.Time) bool {
	r.mu.Lock()
	known := r.heard[source] > 0
	r.mu.Unlock()
	if known && r.again.AllowN(now, 1) {
		return true
	}
	from := place(source)
	if r.asking.banned(from, now) && !r.slow.AllowN(now, 1) || !r.begin.AllowN(now, 1) {
		return false
	}
	if limit := maxAsked * r.o.Rate; r.asking.fail(from, limit, slowedFor, now) == limit {
		r.refused.Warn("a source asks to register without end and has no credentials: it waits behind the others", zapSource(source))
	}
	return true
}

// maxAsked seconds of the rate, all of it: so many challenges may one source have
// before it has shown that it is a phone's.
const maxAsked = 3

// ours finds the credentials for our realm, which there may be but once.
func (r *Registrar) ours(req *stack.Message) (out credentials, found bool) {
	for _, v := range req.Values("Authorization") {
		c, ok := parseCredentials(v)
		if !ok || c.realm != r.o.Realm || !sameURI(c.uri, req.URI) {
			continue
		}
		if found {
			return credentials{}, false
		}
		out, found = c, true
	}
	return out, found
}

// sameURI compares the digest's uri with the Request-URI, which a path may
// have changed in case and brackets only.
func sameURI(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, ":5060"), strings.TrimSuffix(b, ":5060"))
}

// verify computes the response, for a user who does not exist from a secret
// nobody has.
func (r *Registrar) verify(c credentials, method string) bool {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(c.user))
	nobody := hex.EncodeToString(mac.Sum(nil))
	ha1, other := "", nobody[:2*md5.Size]
	s, _ := r.secrets.of(c.user)
	d, _ := r.digestOf(c.user)
	switch {
	case c.algorithm == digest.SHA256:
		ha1, other = s.SHA256, nobody
	case d != agents.DigestSHA256:
		ha1 = s.MD5
	}
	exists := ha1 != ""
	if !exists {
		ha1 = other
	}
	want := digest.Sum(digest.New(c.algorithm), ha1, c.nonce, c.ncText, c.cnonce, c.qop,
		digest.Sum(digest.New(c.algorithm), method, c.uri))
	return subtle.ConstantTimeCompare([]byte(want), []byte(c.response)) == 1 && exists
}

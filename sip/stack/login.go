package stack

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/sip/digest"
)

// Login is what we show a peer that asks who we are (RFC 7616, RFC 8760). The
// password is not in it, and what is in its place is shown to nobody.
type Login struct {
	Trunk string // whose it is, for the log
	User  string
	Realm string // the only one that is answered: others could be after the password
	// Sources are the trunk's own addresses: it is shown there as well as where the
	// trunk is called, and nowhere else that a dialog leads.
	Sources []netip.Prefix
	ha1     map[string]string
}

// NewLogin makes the login of a password.
func NewLogin(trunk, user, realm, password string) *Login {
	l := &Login{Trunk: trunk, User: user, Realm: realm, ha1: map[string]string{}}
	for _, alg := range strongest {
		l.ha1[alg] = digest.Sum(digest.New(alg), user, realm, password)
	}
	return l
}

// Format writes no secret, whatever the verb.
func (l *Login) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("the login of trunk " + l.Trunk)) }

// strongest are the algorithms, the best first: of one realm's challenges that is
// taken, in whatever order they come (RFC 8760 2.4 leaves it to the client).
var strongest = []string{digest.SHA256, digest.MD5}

// ErrPassword is the end of a request that the peer asked a password for and
// took none of ours.
var ErrPassword = errors.New("stack: our password is refused")

// challenge is one that is answered from now on in a dialog.
type challenge struct {
	proxy                    bool // Proxy-Authenticate
	nonce, opaque, algorithm string
	opaqueGiven              bool
	bare                     bool // no qop: a peer of RFC 2069
	count                    uint32
	fresh                    bool // never refused, or said to be stale
}

// maxAsked is how often one request is asked for a password: by a proxy and by the
// one behind it, and by each anew when its nonce has run out.
const maxAsked = 4

// readChallenge finds the best challenge of our realm.
func (l *Login) readChallenge(m *Message) (*challenge, error) {
	name, proxy := "WWW-Authenticate", m.Status == 407
	if proxy {
		name = "Proxy-Authenticate"
	}
	var best *challenge
	foreign := ""
	for _, v := range m.Values(name) {
		p, ok := digest.Parameters(v)
		if !ok || p["nonce"] == "" {
			continue
		}
		if p["realm"] != l.Realm {
			foreign = p["realm"]
			continue
		}
		alg := digest.MD5
		if a := p["algorithm"]; a != "" {
			alg = strings.ToUpper(a)
		}
		qop, given := p["qop"]
		auth := slices.ContainsFunc(strings.Split(qop, ","), func(q string) bool { return strings.EqualFold(strings.TrimSpace(q), "auth") })
		if l.ha1[alg] == "" || given && !auth {
			continue
		}
		c := &challenge{proxy: proxy, nonce: p["nonce"], algorithm: alg, bare: !given, fresh: strings.EqualFold(p["stale"], "true")}
		c.opaque, c.opaqueGiven = p["opaque"]
		if best == nil || slices.Index(strongest, alg) < slices.Index(strongest, best.algorithm) {
			best = c
		}
	}
	switch {
	case best != nil:
		return best, nil
	case foreign != "":
		return nil, fmt.Errorf("%w: it asks for the realm %.100q", ErrPassword, foreign)
	}
	return nil, fmt.Errorf("%w: no challenge of its %d can be answered", ErrPassword, m.Status)
}

// Answer is what a request outside any dialog shows that was met by a challenge, to
// be sent again where it went and nowhere else.
func (l *Login) Answer(m *Message, method, uri string) (Header, error) {
	c, err := l.readChallenge(m)
	if err != nil {
		return Header{}, err
	}
	c.count = 1
	return l.header(*c, method, uri), nil
}

// header answers the challenge for a request.
func (l *Login) header(c challenge, method, uri string) Header {
	h := Header{Name: "Authorization"}
	if c.proxy {
		h.Name = "Proxy-Authorization"
	}
	a2 := digest.Sum(digest.New(c.algorithm), method, uri)
	v := "Digest username=" + digest.Quote(l.User) + ", realm=" + digest.Quote(l.Realm) + ", nonce=" + digest.Quote(c.nonce) +
		", uri=" + digest.Quote(uri) + ", algorithm=" + c.algorithm
	if c.bare {
		v += `, response="` + digest.Sum(digest.New(c.algorithm), l.ha1[c.algorithm], c.nonce, a2) + `"`
	} else {
		cnonce, count := rand.Text(), fmt.Sprintf("%08x", c.count)
		v += `, response="` + digest.Sum(digest.New(c.algorithm), l.ha1[c.algorithm], c.nonce, count, cnonce, "auth", a2) +
			`", qop=auth, nc=` + count + `, cnonce="` + cnonce + `"`
	}
	if c.opaqueGiven {
		v += ", opaque=" + digest.Quote(c.opaque)
	}
	h.Value = v
	return h
}

// credentials are what a request of the dialog shows: an answer to each challenge
// met so far. An ACK shows its INVITE's, in shown. d.mu is held.
func (d *Dialog) credentials() []challenge {
	out := make([]challenge, 0, len(d.asked))
	for _, c := range d.asked {
		c.count++
		out = append(out, *c)
	}
	return out
}

// showAgain sends a request anew that was met by a challenge (RFC 3261 22.1), as a
// transaction of its own. It reports whether it does; d.mu is held.
func (d *Dialog) showAgain(c *clientTx, m *Message) (again bool) {
	if d.login == nil || c.method == "CANCEL" || m.Status != 401 && m.Status != 407 {
		return false
	}
	if c.method == "INVITE" && d.stop != going || c.method != "BYE" && d.phase == ended {
		return false // given up meanwhile
	}
	now, err := d.login.readChallenge(m)
	if err == nil && !c.sp.athome {
		err = fmt.Errorf("%w: %s asks for it, where the trunk is not", ErrPassword, c.at().addr())
	}
	if err == nil {
		err = d.taken(c, now)
		c.refused = err
	}
	if err != nil {
		d.log.Error("a trunk refuses our password", zap.String("trunk", d.login.Trunk), zap.String("method", c.method), zap.Int("code", m.Status), zap.Error(err))
		return false
	}
	d.asked = append(slices.DeleteFunc(d.asked, func(o *challenge) bool { return o.proxy == now.proxy }), now)
	sp := *c.sp
	d.localCSeq = max(d.localCSeq, c.cseq) + 1 // a forked dialog's BYE has counted on
	sp.cseq, sp.branch, sp.shown = d.localCSeq, d.s.newBranch(), d.credentials()
	sp.home = d.home()
	n := &clientTx{d: d, method: c.method, ident: c.ident, sp: &sp, asked: c.asked + 1, onResponse: c.onResponse, onEnd: c.onEnd}
	switch c {
	case d.call:
		d.call, d.remoteTag, d.routes = n, "", nil
		d.armTimerC()
	case d.ours:
		d.ours = n
	}
	d.s.register(n)
	n.start()
	return true
}

// taken reports why a challenge is not answered: it has been, and that was not
// good enough.
func (d *Dialog) taken(c *clientTx, now *challenge) error {
	if c.asked >= maxAsked {
		return fmt.Errorf("%w: it asks again and again", ErrPassword)
	}
	for _, was := range c.sp.shown {
		if was.proxy == now.proxy && !now.fresh && (c.asked > 0 || was.nonce == now.nonce) {
			return ErrPassword
		}
	}
	return nil
}

// showing gives the ACK of a 2xx what its INVITE showed; an effect.
func (sp *spec) showing(c *clientTx) *spec {
	if c.out != nil {
		sp.given = c.out.shown
	}
	return sp
}

// home is where a dialog's trunk was called. Where its requests lead after that is
// for the far end's Contact to say, which may be anybody's (CVE-2021-41158).
type home struct {
	host string
	way  way // of the INVITE; zero until it has left
}

// home is that of the requests from now on. d.mu is held.
func (d *Dialog) home() home {
	h := home{host: d.host}
	if d.call != nil {
		h.way = d.call.at()
	}
	return h
}

// holds reports whether a way leads there, or to another address of the trunk's;
// named: the way is that of its host's name. What was asked over TLS is not shown
// without.
func (h home) holds(l *Login, w way, named bool) bool {
	if h.way.secure() && !w.secure() {
		return false
	}
	to := w.addr()
	return named || h.way.addr() == to || slices.ContainsFunc(l.Sources, func(p netip.Prefix) bool { return p.Contains(to) })
}

package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Registering is where and as whom we register (RFC 3261 10.2).
type Registering struct {
	URI   string // the registrar: sip:HOST[:PORT], with its transport if wished
	AOR   string // the address that is bound to us: sip:USER@HOST
	User  string // in our Contact, by which calls to it are told
	Login *Login // shown where it asks for one; nil: none
}

// Registered is what a registrar said.
type Registered struct {
	Code    int           // 408: nothing; 503: nothing could be sent
	Expires time.Duration // with 200: how long we are bound, 0 for not at all
	Least   time.Duration // with 423: the shortest time it takes
	After   time.Duration // Retry-After, 0 for none
	Err     error         // why nothing was sent, or why our password is not shown
}

// Registration is a binding of ours: its REGISTERs have one Call-ID and are
// counted on (RFC 3261 10.2.4).
type Registration struct {
	s *Stack
	o Registering
	d *Dialog // holds the lock, the count, the challenges met and the addresses; never found by a peer
}

// NewRegistration sends nothing yet. Close ends it.
func (s *Stack) NewRegistration(o Registering) (*Registration, error) {
	target, err := parseURI(o.URI)
	if err != nil {
		return nil, err
	}
	transport, _ := transportOf(target)
	if err := s.speaks(transport); err != nil {
		return nil, err
	}
	if o.URI = target.String(); o.User == "" {
		return nil, errors.New("stack: a registration needs a user")
	}
	d := newDialog(s, false)
	d.login, d.host, d.callID = o.Login, target.Host, rand.Text()
	return &Registration{s, o, d}, nil
}

// Register binds us for so long, or takes the binding back with 0. One at a time.
func (r *Registration) Register(ctx context.Context, expires time.Duration) Registered {
	d := r.d
	done := make(chan Registered, 1)
	d.mu.Lock()
	d.localCSeq++
	sp := &spec{
		method: "REGISTER", uri: r.o.URI, from: "<" + clean(r.o.AOR) + ">", fromTag: d.localTag, to: "<" + clean(r.o.AOR) + ">",
		callID: d.callID, cseq: d.localCSeq, branch: r.s.newBranch(), user: r.o.User,
		headers: []Header{{"Expires", strconv.Itoa(int(expires / time.Second))}},
		login:   d.login, home: d.home(), shown: d.credentials(),
	}
	c := &clientTx{d: d, method: "REGISTER", sp: sp}
	c.onResponse = func(c *clientTx, m *Message) {
		if m.Status >= 200 {
			done <- registered(m, c.sp.contact, expires)
		}
	}
	c.onEnd = func(code int, err error) { done <- Registered{Code: code, Err: err} }
	r.s.register(c)
	c.start()
	d.unlock()
	select {
	case out := <-done:
		return out
	case <-ctx.Done():
	case <-r.s.ctx.Done():
	}
	d.mu.Lock()
	defer d.unlock()
	c.settle()
	return Registered{Code: 408, Err: context.Cause(ctx)}
}

// Close forgets the registration; what is bound stays so until it runs out.
func (r *Registration) Close() { r.d.release() }

// registered reads a final response. What a 200 says of our own Contact counts,
// then its Expires, then what was asked for (RFC 3261 10.2.4, 10.3).
func registered(m *Message, contact string, asked time.Duration) Registered {
	out := Registered{Code: m.Status, Least: secondsOf(m.Get("Min-Expires"), 0), After: secondsOf(m.Get("Retry-After"), 0)}
	if m.Status/100 != 2 {
		return out
	}
	out.Expires = secondsOf(m.Get("Expires"), asked)
	ours := strings.ToLower(strings.Trim(contact, "<>"))
	for _, v := range m.Values("Contact") {
		v = strings.ToLower(v)
		i := strings.Index(v, ours)
		if i < 0 {
			continue
		}
		rest, _, _ := strings.Cut(v[i+len(ours):], ",")
		if rest != "" && rest[0] >= '0' && rest[0] <= '9' { // another port that begins like ours
			continue
		}
		if _, after, ok := strings.Cut(rest, "expires="); ok {
			out.Expires = secondsOf(after, out.Expires)
		}
		return out
	}
	return out
}

// secondsOf reads the number that a value begins with.
func secondsOf(v string, otherwise time.Duration) time.Duration {
	v = strings.TrimLeft(v, ` "`)
	end := 0
	for end < len(v) && v[end] >= '0' && v[end] <= '9' {
		end++
	}
	n, err := strconv.ParseUint(v[:end], 10, 31)
	if err != nil {
		return otherwise
	}
	return time.Duration(n) * time.Second
}

// EscapeUser writes a user so that a SIP URI can hold it (RFC 3261 25.1).
func EscapeUser(user string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(user) {
		switch c := user[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.!~*'()&=+$,;?/", c) >= 0:
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

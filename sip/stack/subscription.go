package stack

import (
	"context"
	"crypto/rand"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Subscribing is what we want to be told of, and as whom (RFC 6665).
type Subscribing struct {
	URI    string // whose events: sip:USER@HOST[:PORT], with its transport if wished
	From   string // who asks: sip:USER@HOST
	Event  string // the package
	Accept string // the one type of body that is read
	// Sources are who may tell us, beside whoever was asked.
	Sources []netip.Prefix
	Login   *Login // shown where it asks for one; nil: none
}

// Subscribed is what a SUBSCRIBE came to.
type Subscribed struct {
	Code    int           // 408: nothing; 503: nothing could be sent
	Expires time.Duration // with 2xx: how long we are told, 0 for once
	Least   time.Duration // with 423: the shortest time it takes
	After   time.Duration // Retry-After, 0 for none
	Err     error         // why nothing was sent, or why our password is not shown
}

// Subscription is a dialog in which a peer tells us (RFC 6665 4.1).
type Subscription struct {
	s *Stack
	o Subscribing
	d *Dialog
}

// maxUntold is how many NOTIFYs its owner may leave unanswered.
const maxUntold = 16

// NewSubscription sends nothing yet. told gets each NOTIFY of the dialog that is
// sound, in order; it is a Sink's like, and its owner answers it with Reply. Close
// ends it.
func (s *Stack) NewSubscription(o Subscribing, told func(*Message)) (*Subscription, error) {
	target, err := parseURI(o.URI)
	if err != nil {
		return nil, err
	}
	var from sip.Uri
	if err := sip.ParseUri(o.From, &from); err != nil {
		return nil, errScheme
	}
	transport, _ := transportOf(target)
	if err := s.speaks(transport); err != nil {
		return nil, err
	}
	d := newDialog(s, false)
	d.listens = &o
	d.login, d.host, d.callID = o.Login, target.Host, rand.Text()
	d.target = target.String()
	d.local, d.remote = "<"+clean(o.From)+">", "<"+d.target+">"
	d.sink = func(e Event) {
		if e, ok := e.(Requested); ok {
			told(e.Request)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return nil, ErrGone
	}
	s.dialogs[d.localTag] = d
	return &Subscription{s, o, d}, nil
}

// Subscribe asks to be told for so long, or no more with 0. One at a time.
func (r *Subscription) Subscribe(ctx context.Context, expires time.Duration) Subscribed {
	d := r.d
	done := make(chan Subscribed, 1)
	d.mu.Lock()
	d.localCSeq++
	sp := d.spec("SUBSCRIBE", d.localCSeq, []Header{
		{"Event", r.o.Event}, {"Accept", r.o.Accept}, {"Expires", strconv.Itoa(int(expires / time.Second))},
	}, "", nil)
	c := &clientTx{d: d, method: "SUBSCRIBE", sp: sp}
	c.onResponse = func(c *clientTx, m *Message) {
		if m.Status < 200 {
			return
		}
		if m.Status/100 == 2 {
			d.subscribed(m)
		}
		done <- Subscribed{
			Code: m.Status, Expires: secondsOf(m.Get("Expires"), expires), Least: secondsOf(m.Get("Min-Expires"), 0),
			After: secondsOf(m.Get("Retry-After"), 0), Err: c.refused,
		}
	}
	c.onEnd = func(code int, err error) { done <- Subscribed{Code: code, Err: err} }
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
	return Subscribed{Code: 408, Err: context.Cause(ctx)}
}

// Reply answers a NOTIFY.
func (r *Subscription) Reply(req *Message, code int) error {
	return r.d.Reply(req, code, "", nil, nil)
}

// Close forgets the subscription: what the peer still tells in it is met by 481,
// which ends it there too (RFC 6665 4.1.3).
func (r *Subscription) Close() {
	r.d.mu.Lock()
	for msg, in := range r.d.pending {
		r.d.settle(msg, in)
		r.d.respond(in, 481, "", nil, nil)
	}
	r.d.unlock()
	r.d.release()
}

// subscribed takes the 2xx: it makes the dialog, unless a NOTIFY was faster, and
// refreshes where its requests go. d.mu is held.
func (d *Dialog) subscribed(m *Message) {
	if d.remoteTag == "" {
		d.remoteTag, d.routes = m.toTag, recordRoutes(m, true)
	}
	if m.toTag != d.remoteTag {
		return // of another branch, whose NOTIFYs are met by 481
	}
	d.refresh(contactOf(m))
	d.transport, d.peer = m.Transport, m.Source
}

// notified checks a request in a dialog by which we are told, and lets a NOTIFY in:
// the first makes the dialog (RFC 6665 4.1.2.4). A code other than 0 refuses it.
// d.mu is held.
func (d *Dialog) notified(in *inbound) (code int, h []Header) {
	m, o := in.msg, d.listens
	from := m.Source.Addr()
	event, _, _ := strings.Cut(m.Get("Event"), ";")
	state, _, _ := strings.Cut(m.Get("Subscription-State"), ";")
	switch {
	case in.method != "NOTIFY":
		return 405, []Header{{"Allow", "NOTIFY"}}
	case !slices.Contains(d.talked, from) && !slices.ContainsFunc(o.Sources, func(p netip.Prefix) bool { return p.Contains(from) }):
		return 403, nil // it knows the dialog, and is not who was asked
	case !strings.EqualFold(strings.TrimSpace(event), o.Event):
		return 489, []Header{{"Allow-Events", o.Event}}
	case strings.TrimSpace(state) == "":
		return 400, nil // RFC 6665 8.2.3: it must be there
	case len(m.Body) > 0 && mediaType(m.Get("Content-Type")) != o.Accept:
		return 415, []Header{{"Accept", o.Accept}}
	case len(d.pending) >= maxUntold:
		return 503, []Header{{"Retry-After", "5"}}
	}
	if d.remoteTag == "" {
		d.remoteTag, d.routes = m.fromTag, recordRoutes(m, false)
		d.transport, d.peer = m.Transport, m.Source
	}
	d.refresh(contactOf(m))
	return 0, nil
}

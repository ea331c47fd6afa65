package siptest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Script is a SIP peer over UDP with no mind of its own: the test writes every
// message and looks at every one that came. It repeats nothing, answers
// nothing and knows no timers, so that the order of things is the test's.
type Script struct {
	tp   *transport
	to   netip.AddrPort
	rtp  *net.UDPConn // takes audio and is never read
	name string

	mu      sync.Mutex
	changed chan struct{}
	got     []*Message          // without repetitions, in order
	repeats map[string]int      // of a message, by what it is
	known   map[string]*Message // by its bytes
}

// NewScript opens a scripted peer of the one at target.
func NewScript(name string, target netip.AddrPort) (*Script, error) {
	tp, err := listen("udp", netip.AddrPortFrom(target.Addr(), 0).String())
	if err != nil {
		return nil, err
	}
	rtp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(target.Addr(), 0)))
	if err != nil {
		tp.udp.Close()
		return nil, fmt.Errorf("siptest: %w", err)
	}
	s := &Script{
		tp: tp, to: target, rtp: rtp, name: name, changed: make(chan struct{}),
		repeats: map[string]int{}, known: map[string]*Message{},
	}
	tp.start(s.received)
	return s, nil
}

// Close closes the peer's sockets.
func (s *Script) Close() {
	s.tp.close()
	s.rtp.Close()
}

// URI is the peer's address as a URI.
func (s *Script) URI() string { return fmt.Sprintf("sip:%s@%s", s.name, s.tp.local) }

// Addr is where the peer listens.
func (s *Script) Addr() netip.AddrPort { return s.tp.local }

func (s *Script) received(m *Message, _ flow, _ time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if raw := string(m.bytes()); s.known[raw] != nil {
		s.repeats[m.What()]++
	} else {
		s.known[raw] = m
		s.got = append(s.got, m)
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// What is the name of a message in a script: "INVITE", "200 INVITE".
func (m *Message) What() string {
	if m.Status != 0 {
		return fmt.Sprintf("%d %s", m.Status, m.Method)
	}
	return m.Method
}

// Write sends the message as it is, once.
func (s *Script) Write(m *Message) error {
	if _, err := s.tp.udp.WriteToUDPAddrPort(m.bytes(), s.to); err != nil {
		return fmt.Errorf("siptest: %w", err)
	}
	return nil
}

// Await waits for the n-th message of the name, counted from 1. What was
// repeated counts once.
func (s *Script) Await(ctx context.Context, what string, n int) (*Message, error) {
	var found *Message
	err := s.until(ctx, func() bool {
		left := n
		for _, m := range s.got {
			if m.What() == what {
				if left--; left == 0 {
					found = m
					return true
				}
			}
		}
		return false
	})
	if err != nil {
		return nil, fmt.Errorf("siptest: no %q number %d: %w; %s saw %s", what, n, err, s.name, s.Saw())
	}
	return found, nil
}

// AwaitRepeat waits until messages of the name have been repeated n times.
func (s *Script) AwaitRepeat(ctx context.Context, what string, n int) error {
	if err := s.until(ctx, func() bool { return s.repeats[what] >= n }); err != nil {
		return fmt.Errorf("siptest: %q repeated %d times, not %d: %w", what, s.Repeats(what), n, err)
	}
	return nil
}

// Repeats is how often messages of the name came again.
func (s *Script) Repeats(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.repeats[what]
}

func (s *Script) until(ctx context.Context, ok func() bool) error {
	for {
		s.mu.Lock()
		done, changed := ok(), s.changed
		s.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Saw names all that came, without repetitions, in order.
func (s *Script) Saw() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, len(s.got))
	for i, m := range s.got {
		names[i] = m.What()
	}
	return names
}

// Audio is the peer's session description, offer and answer alike: PCMA and
// key presses. Each version and direction is one body.
func (s *Script) Audio(version int, dir string) []byte {
	addr := s.rtp.LocalAddr().(*net.UDPAddr).AddrPort()
	l := local{id: 4711, addr: addr, version: int64(version) - 1}
	return l.write(l.line([]uint8{8}, 101, dir))
}

// Side is the scripted end of one dialog. Its requests and answers are built
// here and go out by Script.Write, as often as the test likes.
type Side struct {
	script *Script
	CallID string
	Local  string // From of its requests, with the tag
	Remote string // To of its requests; with the tag once there is one
	Target string // Request-URI
	Routes []string
	CSeq   int
}

// Opens is a dialog that the peer begins.
func (s *Script) Opens(to string) *Side {
	return &Side{
		script: s, CallID: token(), Local: "<sip:+447700900123@" + s.tp.local.String() + ">;tag=" + token(),
		Remote: "<" + to + ">", Target: to,
	}
}

// Called is the dialog of an INVITE that came.
func (s *Script) Called(invite *Message) *Side {
	return &Side{
		script: s, CallID: invite.Get("Call-ID"), Local: invite.Get("To") + ";tag=" + token(),
		Remote: invite.Get("From"), Target: uriOf(invite.Get("Contact")), Routes: splitRoutes(invite.All("Record-Route")),
	}
}

// Learn takes the far side's tag, target and routes from its response.
func (d *Side) Learn(response *Message) {
	d.Remote = response.Get("To")
	if c := response.Get("Contact"); c != "" {
		d.Target = uriOf(c)
	}
	d.Routes = splitRoutes(response.All("Record-Route"))
	slices.Reverse(d.Routes)
}

// Request makes the dialog's next request.
func (d *Side) Request(method string, body []byte, headers ...Header) *Message {
	d.CSeq++
	return d.numbered(method, d.CSeq, body, headers...)
}

// Ack makes the ACK of a 2xx to the request.
func (d *Side) Ack(request *Message, body []byte) *Message {
	return d.numbered("ACK", request.cseq(), body)
}

func (d *Side) numbered(method string, cseq int, body []byte, headers ...Header) *Message {
	m := &Message{Method: method, URI: d.Target, Body: body}
	m.add("Via", fmt.Sprintf("SIP/2.0/UDP %s;rport;branch=z9hG4bK%s", d.script.tp.local, token()))
	m.add("Max-Forwards", "70")
	for _, r := range d.Routes {
		m.add("Route", r)
	}
	m.add("From", d.Local)
	m.add("To", d.Remote)
	m.add("Call-ID", d.CallID)
	m.add("CSeq", fmt.Sprintf("%d %s", cseq, method))
	if method != "ACK" && method != "BYE" {
		m.add("Contact", "<"+d.script.URI()+">")
	}
	m.Headers = append(m.Headers, headers...)
	return m
}

// Hop makes a CANCEL of the request, or the ACK of its refusal: both share its
// branch (RFC 3261 9.1, 17.1.1.3).
func (d *Side) Hop(method string, request, response *Message) *Message {
	m := &Message{Method: method, URI: request.URI}
	m.add("Via", request.Get("Via"))
	m.add("Max-Forwards", "70")
	for _, name := range []string{"Route", "From", "To", "Call-ID"} {
		from := request
		if name == "To" && response != nil {
			from = response
		}
		for _, v := range from.All(name) {
			m.add(name, v)
		}
	}
	m.add("CSeq", fmt.Sprintf("%d %s", request.cseq(), method))
	return m
}

// Reply makes a response with the dialog's own tag.
func (d *Side) Reply(request *Message, code int, body []byte, headers ...Header) *Message {
	r := &Message{Status: code, Reason: "Scripted", Method: request.Method, Body: body}
	for _, name := range []string{"Via", "Record-Route", "From"} {
		for _, v := range request.All(name) {
			r.add(name, v)
		}
	}
	to := request.Get("To")
	if headerParam(to, "tag") == "" && code > 100 {
		to = d.Local
	}
	r.add("To", to)
	r.add("Call-ID", request.Get("Call-ID"))
	r.add("CSeq", request.Get("CSeq"))
	if code > 100 && code < 300 && (request.Method == "INVITE" || request.Method == "UPDATE") {
		r.add("Contact", "<"+d.script.URI()+">")
	}
	r.Headers = append(r.Headers, headers...)
	return r
}

// Fork is the same dialog as another phone behind a forking proxy has it.
func (d *Side) Fork() *Side {
	f := *d
	f.Local = strings.Replace(d.Local, headerParam(d.Local, "tag"), token(), 1)
	return &f
}

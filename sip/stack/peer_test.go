package stack

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

const (
	testT1   = 40 * time.Millisecond
	patience = 30 * time.Second // of a test for anything that must happen
)

var testTimers = timers{
	t1: testT1, t2: 4 * testT1, t4: 5 * testT1,
	quiet: 300 * time.Millisecond, dial: time.Second,
}

func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		// The library's timers fire into closed transactions and end at once.
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// call is a new call as the handler saw it.
type call struct {
	*Dialog
	req    *Message
	events chan Event
}

type handler struct {
	calls chan *call
	onNew atomic.Pointer[func(*Dialog, *Message)] // instead of calls
	other atomic.Pointer[func(*Message) (int, string)]
}

func (h *handler) Invite(d *Dialog, req *Message) {
	if f := h.onNew.Load(); f != nil {
		(*f)(d, req)
		return
	}
	c := &call{Dialog: d, req: req, events: make(chan Event, 1000)}
	d.Bind(func(e Event) { c.events <- e })
	h.calls <- c
}

func (h *handler) Other(req *Message) (int, string) {
	if f := h.other.Load(); f != nil {
		return (*f)(req)
	}
	return 404, "Nobody"
}

// lab is a stack with its handler and log.
type lab struct {
	*Stack
	t   *testing.T
	h   *handler
	log *observer.ObservedLogs
}

func newLab(t *testing.T, change ...func(*Options)) *lab {
	t.Helper()
	core, logs := observer.New(zap.DebugLevel)
	l := &lab{t: t, h: &handler{calls: make(chan *call, 1000)}, log: logs}
	lo := netip.MustParseAddr("127.0.0.1")
	o := Options{
		Listen: []Listen{{"udp", netip.AddrPortFrom(lo, 0)}, {"tcp", netip.AddrPortFrom(lo, 0)}},
		Allow:  func(a netip.Addr) bool { return a == lo },
		Logger: zap.New(core), Handler: l.h, UserAgent: "Cordboard", timers: testTimers,
	}
	for _, f := range change {
		f(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	l.Stack = s
	s.Start()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		for _, e := range logs.All() {
			if e.Message == "panic" {
				t.Errorf("panic: %v", e.ContextMap())
			}
		}
	})
	return l
}

func (l *lab) call() *call {
	l.t.Helper()
	return take(l.t, l.h.calls, "a new call")
}

// dial makes an outgoing call to a peer.
func (l *lab) dial(p *peer, body string) *call {
	l.t.Helper()
	c := &call{events: make(chan Event, 1000)}
	d, err := l.Invite(Outgoing{
		URI: p.uri(), From: `"Caller" <sip:07700900123@cordboard.example>`, To: "<sip:agent@cordboard.example>",
		Headers: []Header{{"X-Call", "1"}, {"Supported", "100rel"}}, Body: []byte(body),
	}, func(e Event) { c.events <- e })
	if err != nil {
		l.t.Fatal(err)
	}
	c.Dialog = d
	return c
}

func take[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not come", what)
	}
	panic("unreachable")
}

// event takes the call's next event, which must be of type E. Where an INVITE is
// routed to by a name is passed over, unless it is what is asked for.
func event[E Event](t *testing.T, c *call) E {
	t.Helper()
	e := take(t, c.events, fmt.Sprintf("%T", *new(E)))
	want, ok := e.(E)
	for _, routed := e.(Routed); routed && !ok; _, routed = e.(Routed) {
		e = take(t, c.events, fmt.Sprintf("%T", *new(E)))
		want, ok = e.(E)
	}
	if !ok {
		t.Fatalf("event %T %+v, want %T", e, e, *new(E))
	}
	return want
}

// none asserts that no event is queued once the dialog's effects have run.
func (c *call) none(t *testing.T) {
	t.Helper()
	done := make(chan struct{})
	c.mu.Lock()
	c.do(false, func() { close(done) })
	c.unlock()
	take(t, done, "the dialog's queue")
	select {
	case e := <-c.events:
		t.Fatalf("unexpected event %T %+v", e, e)
	default:
	}
}

// packet is a message as a peer read it.
type packet struct {
	first   string
	headers []Header
	body    string
	raw     string
}

func (p packet) get(name string) string { return get(p.headers, name) }

func (p packet) all(name string) []string { return (&Message{Headers: p.headers}).Values(name) }

// is matches "INVITE" or "200 INVITE".
func (p packet) is(what string) bool {
	_, method, _ := strings.Cut(p.get("CSeq"), " ")
	if code, m, ok := strings.Cut(what, " "); ok {
		return strings.HasPrefix(p.first, "SIP/2.0 "+code+" ") && method == m
	}
	return strings.HasPrefix(p.first, what+" ")
}

func (p packet) tag(name string) string {
	_, tag, _ := strings.Cut(p.get(name), ";tag=")
	tag, _, _ = strings.Cut(tag, ";")
	return tag
}

func (p packet) branch() string {
	_, b, _ := strings.Cut(p.get("Via"), "branch=")
	b, _, _ = strings.Cut(b, ";")
	return b
}

func parsePacket(raw []byte) packet {
	head, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	lines := strings.Split(string(head), "\r\n")
	p := packet{first: lines[0], body: string(body), raw: string(raw)}
	for _, l := range lines[1:] {
		n, v, _ := strings.Cut(l, ":")
		p.headers = append(p.headers, Header{strings.TrimSpace(n), strings.TrimSpace(v)})
	}
	return p
}

// peer is a scripted telephone or trunk that speaks text on a raw socket.
type peer struct {
	t     *testing.T
	s     *Stack
	udp   *net.UDPConn
	tcp   net.Conn
	in    chan packet
	mu    sync.Mutex
	seen  map[string]bool
	again bool // pass repeated messages on too

	callID, tag string // of its own calls
	contact     string
	secure      bool // tcp is TLS
}

var peerCount struct {
	sync.Mutex
	n int
}

func newName(prefix string) string {
	peerCount.Lock()
	defer peerCount.Unlock()
	peerCount.n++
	return prefix + strconv.Itoa(peerCount.n)
}

func newPeer(t *testing.T, s *Stack) *peer {
	t.Helper()
	return peerFrom(t, s, "127.0.0.1")
}

func peerFrom(t *testing.T, s *Stack, ip string) *peer {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(ip)})
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, s: s, udp: c, in: make(chan packet, 1000), seen: map[string]bool{}, callID: newName("call"), tag: newName("tag")}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 65535)
		for {
			n, _, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			if n > 0 && buf[0] < 0x80 { // RTP of another test on its way to a port we have now
				p.got(parsePacket(buf[:n]))
			}
		}
	}()
	t.Cleanup(func() { c.Close(); <-done })
	return p
}

func tcpPeer(t *testing.T, s *Stack) *peer {
	t.Helper()
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.Addr("tcp").Port()))
	if err != nil {
		t.Fatal(err)
	}
	return overTCP(t, s, c)
}

func overTCP(t *testing.T, s *Stack, c net.Conn) *peer {
	p := &peer{t: t, s: s, tcp: c, in: make(chan packet, 1000), seen: map[string]bool{}, callID: newName("call"), tag: newName("tag")}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(p.in)
		defer c.Close() // at the stack's end of it too
		r := bufio.NewReader(c)
		for {
			var raw []byte
			for !bytes.HasSuffix(raw, []byte("\r\n\r\n")) {
				line, err := r.ReadBytes('\n')
				if err != nil {
					return
				}
				raw = append(raw, line...)
			}
			n, _ := strconv.Atoi(parsePacket(raw).get("Content-Length"))
			body := make([]byte, n)
			if _, err := io.ReadFull(r, body); err != nil {
				return
			}
			p.got(parsePacket(append(raw, body...)))
		}
	}()
	t.Cleanup(func() { c.Close(); <-done })
	return p
}

func (p *peer) got(m packet) {
	p.mu.Lock()
	again := p.again || !p.seen[m.raw]
	p.seen[m.raw] = true
	p.mu.Unlock()
	if again {
		p.in <- m
	}
}

// repeats makes the peer see retransmissions from now on.
func (p *peer) repeats() {
	p.mu.Lock()
	p.again = true
	p.mu.Unlock()
}

func (p *peer) addr() string {
	if p.tcp != nil {
		return p.tcp.LocalAddr().String()
	}
	return p.udp.LocalAddr().String()
}

func (p *peer) uri() string { return "sip:agent@" + p.addr() }

func (p *peer) transport() string {
	if p.secure {
		return "TLS"
	}
	if p.tcp != nil {
		return "TCP"
	}
	return "UDP"
}

// raw sends bytes as they are.
func (p *peer) raw(b []byte) {
	p.t.Helper()
	var err error
	if p.tcp != nil {
		_, err = p.tcp.Write(b)
	} else {
		_, err = p.udp.WriteToUDPAddrPort(b, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), p.s.Addr("udp").Port()))
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// send sends a message given with \n, and adds Content-Length.
func (p *peer) send(head, body string) {
	p.t.Helper()
	head = strings.TrimSpace(strings.ReplaceAll(head, "\t", ""))
	if body != "" && !strings.Contains(head, "Content-Type") {
		head += "\nContent-Type: application/sdp"
	}
	head += fmt.Sprintf("\nContent-Length: %d\n\n", len(body))
	p.raw([]byte(strings.ReplaceAll(head, "\n", "\r\n") + body))
}

// expect takes the next message, which must be what is named. A 100 that nobody
// asks for may come before it: of an INVITE that a slow machine has not answered
// in time.
func (p *peer) expect(what string) packet {
	p.t.Helper()
	m := take(p.t, p.in, what)
	for m.is("100 INVITE") && !m.is(what) {
		m = take(p.t, p.in, what)
	}
	if !m.is(what) {
		p.t.Fatalf("got %q (%s), want %s", m.first, m.get("CSeq"), what)
	}
	return m
}

// await takes messages until the one named.
func (p *peer) await(what string) packet {
	p.t.Helper()
	for {
		if m := take(p.t, p.in, what); m.is(what) {
			return m
		}
	}
}

// awaitAll takes messages until all that are named have come, in any order.
func (p *peer) awaitAll(what ...string) map[string]packet {
	p.t.Helper()
	got := map[string]packet{}
	for len(got) < len(what) {
		m := take(p.t, p.in, strings.Join(what, " and "))
		for _, w := range what {
			if m.is(w) {
				got[w] = m
			}
		}
	}
	return got
}

// ask sends a request of the peer's own. to holds the To value.
type ask struct {
	method, branch, to, from, extra, body, uri string
	cseq                                       int
}

func (p *peer) ask(a ask) string {
	p.t.Helper()
	if a.branch == "" {
		a.branch = newName("z9hG4bKpeer")
	}
	if a.to == "" {
		a.to = "<sip:02079460000@127.0.0.1>"
	}
	if a.from == "" {
		a.from = "<sip:07700900123@trunk.example>;tag=" + p.tag
	}
	if a.uri == "" {
		a.uri = "sip:02079460000@127.0.0.1"
	}
	if a.extra != "" {
		a.extra = "\n" + strings.TrimSpace(a.extra)
	}
	contact := p.contact
	if contact == "" {
		contact = "<" + p.uri() + ">"
		if p.tcp != nil {
			contact = "<" + p.uri() + ";transport=" + strings.ToLower(p.transport()) + ">"
		}
	}
	via := a.method
	if via == "CANCEL" || via == "ACK" {
		contact = "<" + p.uri() + ">"
	}
	p.send(fmt.Sprintf(`%s %s SIP/2.0
Via: SIP/2.0/%s %s;branch=%s;rport
Max-Forwards: 70
From: %s
To: %s
Call-ID: %s
CSeq: %d %s
Contact: %s%s`, a.method, a.uri, p.transport(), p.addr(), a.branch, a.from, a.to, p.callID, a.cseq, a.method, contact, a.extra), a.body)
	return a.branch
}

// insist sends a request again and again, as a telephone does, until something
// comes of it: behind a flood it may find no room in the socket's buffer.
func insist[T any](p *peer, a ask, ch <-chan T, what string) T {
	p.t.Helper()
	if a.branch == "" {
		a.branch = newName("z9hG4bKinsist")
	}
	again := time.NewTicker(10 * testT1)
	defer again.Stop()
	for end := time.After(patience); ; {
		p.ask(a)
		select {
		case v := <-ch:
			return v
		case <-again.C:
		case <-end:
			p.t.Fatalf("%s did not come", what)
		}
	}
}

// reply answers a request that the peer got.
func (p *peer) reply(req packet, code int, tag, extra, body string) {
	p.t.Helper()
	to := req.get("To")
	if tag != "" && !strings.Contains(to, ";tag=") {
		to += ";tag=" + tag
	}
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d Text\n", code)
	for _, v := range req.all("Via") {
		fmt.Fprintf(&b, "Via: %s\n", v)
	}
	contact := p.contact
	if contact == "" {
		contact = "<" + p.uri() + ">"
	}
	fmt.Fprintf(&b, "From: %s\nTo: %s\nCall-ID: %s\nCSeq: %s\nContact: %s\n%s",
		req.get("From"), to, req.get("Call-ID"), req.get("CSeq"), contact, extra)
	p.send(b.String(), body)
}

// establish makes an answered call from the peer to the stack.
func (p *peer) establish(l *lab) (*call, packet) {
	p.t.Helper()
	p.ask(ask{method: "INVITE", cseq: 1, body: "v=0 offer"})
	c := l.call()
	p.expect("100 INVITE")
	if err := c.Accept(nil, []byte("v=0 answer")); err != nil {
		p.t.Fatal(err)
	}
	ok := p.expect("200 INVITE")
	p.ask(ask{method: "ACK", cseq: 1, to: ok.get("To")})
	event[Acked](p.t, c)
	return c, ok
}

// answered makes an answered call from the stack to the peer.
func (p *peer) answered(l *lab) (*call, packet) {
	p.t.Helper()
	c := l.dial(p, "v=0 offer")
	inv := p.expect("INVITE")
	p.reply(inv, 180, "peer", "", "")
	event[Progress](p.t, c)
	p.reply(inv, 200, "peer", "", "v=0 answer")
	event[Answered](p.t, c)
	if err := c.Ack(nil); err != nil {
		p.t.Fatal(err)
	}
	p.expect("ACK")
	return c, inv
}

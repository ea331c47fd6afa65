package sip

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// patience bounds every wait of these tests. It is long, because nothing
// depends on it but how soon a failure is seen.
const patience = 30 * time.Second

var loopback = netip.MustParseAddr("127.0.0.1")

func TestMain(m *testing.M) {
	if task := os.Getenv(benchRobots); task != "" {
		runBenchRobots(task)
		return
	}
	goleak.VerifyTestMain(m)
}

// get waits for something on a channel.
func get[T any](t *testing.T, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s within %v", what, patience)
		panic("unreachable")
	}
}

// fakeRouter is the engine as a test plays it.
type fakeRouter struct {
	next     atomic.Int64
	full     atomic.Bool
	arrivals chan Arrival
	events   chan routing.Event
	// onSubmit, when set, runs on the goroutine that submits.
	onSubmit atomic.Pointer[func(routing.Event)]
}

func newFakeRouter() *fakeRouter {
	return &fakeRouter{arrivals: make(chan Arrival, 100), events: make(chan routing.Event, 1000)}
}

func (r *fakeRouter) NextCall() routing.CallID { return routing.CallID(r.next.Add(1)) }

func (r *fakeRouter) Arrive(a Arrival) bool {
	if r.full.Load() {
		return false
	}
	r.arrivals <- a
	return true
}

func (r *fakeRouter) Submit(ev routing.Event) {
	if f := r.onSubmit.Load(); f != nil {
		(*f)(ev)
	}
	r.events <- ev
}

type fakePhones struct {
	mu sync.Mutex
	m  map[agents.ID]agents.Phone
}

func (p *fakePhones) set(id agents.ID, uri string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.m[id] = agents.Phone{URI: uri, AutoAnswer: true}
}

func (p *fakePhones) Phone(id agents.ID) (agents.Phone, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ph, ok := p.m[id]
	return ph, ok
}

// fakeDialogs keeps the rows, for the check that none is left.
type fakeDialogs struct {
	mu    sync.Mutex
	rows  map[string]DialogRow
	saves int
}

func (d *fakeDialogs) SaveDialog(r DialogRow) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rows[fmt.Sprint(r.Call, " ", r.Leg)] = r
	d.saves++
}

func (d *fakeDialogs) RemoveDialog(c routing.CallID, leg string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.rows, fmt.Sprint(c, " ", leg))
}

func (d *fakeDialogs) len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.rows)
}

// world is a gateway on a real stack and real media, with peers on loopback.
type world struct {
	t       *testing.T
	gw      *Gateway
	stack   *stack.Stack
	router  *fakeRouter
	phones  *fakePhones
	dialogs *fakeDialogs
	media   *media.Engine
	// customers are who is to be called back.
	customers *fakeCustomers
}

type worldOptions struct {
	media   string // of the trunk
	mutual  []netip.Prefix
	source  netip.Prefix // of the trunk
	sounds  string       // folder
	onePort bool         // of RTP, for the whole server
	t1      time.Duration
	tune    func(*Gateway)
}

func newWorld(t *testing.T, o worldOptions) *world {
	t.Helper()
	log := zap.NewNop()
	if testing.Verbose() {
		log = zaptest.NewLogger(t)
	}
	lib, err := media.LoadLibrary(o.sounds)
	if err != nil {
		t.Fatal(err)
	}
	ports := media.Options{Addr: loopback, PortMin: 24000, PortMax: 29999, Library: lib, Log: log}
	if o.onePort {
		ports.PortMin, ports.PortMax = 23998, 23999
	}
	engine, err := media.New(ports)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, router: newFakeRouter(), media: engine,
		phones:  &fakePhones{m: map[agents.ID]agents.Phone{}},
		dialogs: &fakeDialogs{rows: map[string]DialogRow{}},
	}
	w.customers = &fakeCustomers{router: w.router}
	if o.media == "" {
		o.media = MediaRelay
	}
	if !o.source.IsValid() {
		o.source = netip.PrefixFrom(loopback, 32)
	}
	w.gw, err = New(Options{
		Trunks: []Trunk{{
			Name: "carrier", Media: o.media,
			Trust: identity.Trust{
				Trunk: "carrier", Sources: []netip.Prefix{o.source},
				Headers: []identity.Source{identity.FromPAI}, Region: "GB",
			},
		}},
		Router: w.router, Phones: w.phones, Dialogs: w.dialogs, Customers: w.customers, Media: engine,
		Mutual: o.mutual, Host: loopback, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.gw.ringbackAfter = time.Millisecond
	if o.tune != nil {
		o.tune(w.gw) // before a call can read what it changes
	}
	w.stack = newStack(t, w.gw, o.t1)
	w.gw.Attach(w.stack)
	w.stack.Start()
	t.Cleanup(w.close)
	return w
}

// close checks that nothing is left of any call.
func (w *world) close() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.gw.Close(ctx); err != nil {
		w.t.Errorf("calls left at the end of the test: %v", err)
	}
	if n := w.media.InUse(); n != 0 {
		w.t.Errorf("%d RTP ports left open", n)
	}
	if n := w.dialogs.len(); n != 0 {
		w.t.Errorf("%d dialog rows left", n)
	}
	_ = w.stack.Close()
	_ = w.media.Close()
}

func newStack(t *testing.T, h stack.Handler, t1 time.Duration) *stack.Stack {
	t.Helper()
	st, err := stack.New(stack.Options{
		Listen:  []stack.Listen{{Transport: "udp", Addr: netip.AddrPortFrom(loopback, 0)}, {Transport: "tcp", Addr: netip.AddrPortFrom(loopback, 0)}},
		Allow:   func(netip.Addr) bool { return true },
		Handler: h, Logger: zaptest.NewLogger(t), T1: t1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func (w *world) do(acts ...routing.Action) { w.gw.Do(time.Now(), acts) }

// inside runs f on the call's own goroutine.
func (w *world) inside(id routing.CallID, f func(*call)) {
	w.t.Helper()
	w.gw.mu.Lock()
	c := w.gw.calls[id]
	w.gw.mu.Unlock()
	if c == nil {
		w.t.Fatalf("call %d is not there", id)
	}
	done := make(chan struct{})
	c.post(func() { f(c); close(done) })
	get(w.t, "call's goroutine", done)
}

// shortSound makes a folder with one sound of a fifth of a second.
func shortSound(t *testing.T, name string) string {
	t.Helper()
	const samples = 1600
	b := make([]byte, 44+2*samples)
	copy(b, "RIFF....WAVEfmt ")
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	for i, v := range []uint16{16, 0, 1, 1, 8000, 0, 16000, 0, 2, 16} { // PCM, mono, 8 kHz, 16 bits
		binary.LittleEndian.PutUint16(b[16+2*i:], v)
	}
	copy(b[36:], "data")
	binary.LittleEndian.PutUint32(b[40:], 2*samples)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name+".wav"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// expect waits for the next event and checks that it is this one.
func (w *world) expect(want routing.Event) {
	w.t.Helper()
	if got := get(w.t, fmt.Sprintf("event %+v", want), w.router.events); got != want {
		w.t.Fatalf("event %T%+v, want %T%+v", got, got, want, want)
	}
}

// peer is a telephone (or a trunk): a stack of its own and an audio socket.
type peer struct {
	t     *testing.T
	st    *stack.Stack
	calls chan *peerCall // INVITEs that came
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	p := &peer{t: t, calls: make(chan *peerCall, 10)}
	p.st = newStack(t, p, 0)
	p.st.Start()
	t.Cleanup(func() { _ = p.st.Close() })
	return p
}

func (p *peer) uri(user string) string { return fmt.Sprintf("sip:%s@%s", user, p.st.Addr("udp")) }

func (p *peer) Invite(d *stack.Dialog, req *stack.Message) {
	c := newPeerCall(p.t)
	c.d, c.invite = d, req
	d.Bind(c.sink)
	p.calls <- c
}

func (p *peer) Other(*stack.Message) (int, string) { return 405, "" }

// peerCall is one dialog of a peer, with its audio.
type peerCall struct {
	t      *testing.T
	d      *stack.Dialog
	invite *stack.Message
	events chan stack.Event
	side   *media.Side
	rtp    *net.UDPConn
	heard  chan []byte
}

func newPeerCall(t *testing.T) *peerCall {
	t.Helper()
	c := &peerCall{t: t, events: make(chan stack.Event, 100), side: media.NewSide(1234, loopback), heard: make(chan []byte, 1000)}
	c.rtp = c.socket()
	return c
}

func (c *peerCall) sink(ev stack.Event) { c.events <- ev }

// socket opens an audio socket whose packets go to heard.
func (c *peerCall) socket() *net.UDPConn {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { conn.Close() })
	go func() {
		for {
			buf := make([]byte, 1500)
			n, _, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			select {
			case c.heard <- buf[:n]:
			default: // nobody listens now
			}
		}
	}()
	return conn
}

func (c *peerCall) addr() netip.AddrPort { return c.rtp.LocalAddr().(*net.UDPAddr).AddrPort() }

// audio is what the peer describes.
func (c *peerCall) audio(dir media.Direction, pts ...uint8) media.Audio {
	a := media.Audio{Addr: c.addr(), Dir: dir, Ptime: 20}
	for _, f := range []media.Format{
		{PT: 9, Name: "G722", Rate: 8000}, {PT: 8, Name: "PCMA", Rate: 8000}, {PT: 0, Name: "PCMU", Rate: 8000},
		{PT: 101, Name: media.TelephoneEvent, Rate: 8000, Fmtp: "0-15"},
	} {
		for _, pt := range pts {
			if f.PT == pt {
				a.Formats = append(a.Formats, f)
			}
		}
	}
	return a
}

// event waits for the next event of a kind; events of other kinds fail, but
// for a 180: on a slow machine the INVITE is repeated, and so is its answer.
func event[E stack.Event](c *peerCall) E {
	c.t.Helper()
	var zero E
	for {
		got := get(c.t, fmt.Sprintf("%T", zero), c.events)
		if ev, ok := got.(E); ok {
			return ev
		}
		if _, again := got.(stack.Progress); !again {
			c.t.Fatalf("peer saw %T%+v, want %T", got, got, zero)
		}
	}
}

// sdpOf reads a body that must be a usable description.
func (c *peerCall) sdpOf(body []byte) (*media.SDP, media.Audio) {
	c.t.Helper()
	d, err := media.ParseSDP(body)
	if err != nil {
		c.t.Fatalf("%v in\n%s", err, body)
	}
	a, ok := d.Audio()
	if !ok {
		c.t.Fatalf("no audio in\n%s", body)
	}
	return d, a
}

// answerTo writes this peer's answer to an offer.
func (c *peerCall) answerTo(offer []byte, a media.Audio) []byte {
	c.t.Helper()
	d, _ := c.sdpOf(offer)
	body, err := c.side.Answer(d, a)
	if err != nil {
		c.t.Fatal(err)
	}
	return body
}

// call sends an INVITE to the gateway.
func (w *world) call(p *peer, body []byte, c *peerCall, h ...stack.Header) *peerCall {
	w.t.Helper()
	var err error
	c.d, err = p.st.Invite(stack.Outgoing{
		URI:  fmt.Sprintf("sip:02079460000@%s", w.stack.Addr("udp")),
		From: `"A Caller" <sip:07700900123@carrier.example>`, To: "<sip:02079460000@cordboard.example>",
		Headers: h, Body: body,
	}, c.sink)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// zeroes is the address of an old-style hold.
func zeroes(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(netip.IPv4Unspecified(), a.Port())
}

// rtpPacket makes a packet that can be told from others.
func rtpPacket(pt uint8, mark byte) []byte {
	b := make([]byte, 12+160)
	b[0], b[1], b[3], b[11] = 0x80, pt, mark, mark
	for i := range b[12:] {
		b[12+i] = mark
	}
	return b
}

// hears waits until the peer gets the packet, which is sent again and again:
// it is UDP, and the other side may not be set up yet.
func (c *peerCall) hears(from *peerCall, to netip.AddrPort, pkt []byte) {
	c.t.Helper()
	c.hearsInstead(from, to, pkt, pkt)
}

// hearsInstead sends one packet and waits for another.
func (c *peerCall) hearsInstead(from *peerCall, to netip.AddrPort, pkt, want []byte) {
	c.t.Helper()
	deadline := time.After(patience)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case got := <-c.heard:
			if len(got) == len(want) && got[12] == want[12] && got[1]&0x7f == want[1] {
				return
			}
		case <-again.C:
			_, _ = from.rtp.WriteToUDPAddrPort(pkt, to)
		case <-deadline:
			c.t.Fatalf("packet with mark %d not heard", pkt[12])
		}
	}
}

// hearsMusic waits for three packets with a payload type.
func (c *peerCall) hearsMusic(pt uint8) {
	c.t.Helper()
	for n := 0; n < 3; {
		if b := get(c.t, "music", c.heard); b[1]&0x7f == pt && len(b) == 172 {
			n++
		}
	}
}

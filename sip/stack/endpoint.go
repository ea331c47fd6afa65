package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/cordboard/cordboard/sip/alarm"
	"github.com/cordboard/cordboard/sip/locate"
)

// Stack is the running SIP endpoint.
type Stack struct {
	o   Options
	log *zap.Logger

	tpl      *sip.TransportLayer
	gate     *gate
	pace     *pace
	flows    flows
	names    *locate.Finder // of those that requests are for
	calm     *sources       // what one known source may send outside dialogs
	crowd    *sources       // the same of the others, who may be forged and many
	tagKey   []byte         // of the To tags of answers without a transaction
	mark     string         // begins our branches
	forbid   *rate.Limiter  // answers to strangers
	told     *rate.Limiter  // log lines about them
	pressed  *rate.Limiter  // and about calls beyond the processor
	ownSides ownSides       // towards peers, when we listen on all addresses

	udp []*packetConn
	tcp []*listener // tcp and tls

	outTCP  *outward // for connections made by us
	outward *outward // and by TLS; nil without a tls listener

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup // our goroutines

	alarms alarm.Clock

	mu      sync.Mutex
	started bool
	closing bool // no new calls
	closed  bool
	refused refusals            // INVITEs, for load
	invites map[string]*inbound // INVITEs received, by transaction key
	merged  map[sameCall]*inbound
	others  map[string]*serverTx // requests for the Handler, by transaction key
	dialogs map[string]*Dialog   // by our tag
	clients map[string]*clientTx
	peers   map[netip.Addr]int        // addresses our requests went to
	making  map[hostKey]chan struct{} // TLS connections being made; closed when done
	owed    int                       // BYEs that wait for the ACK of our 2xx
	quiet   chan struct{}             // closed when no request of ours is unanswered or owed; Close waits for it
}

// New makes a stack and binds its listeners, so that Addr is known; nothing is
// read before Start.
func New(o Options) (*Stack, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	setLibrary()
	s := &Stack{
		o:       o,
		log:     o.Logger.Named("stack"),
		gate:    newGate(o.MaxCalls, o.Rate, o.Groups),
		pace:    &pace{wait: o.timers.wait, stands: o.timers.stands},
		flows:   newFlows(),
		names:   locate.New(locate.Options{DNS: o.DNS, Log: o.Logger.Named("dns")}),
		calm:    newSources(o.Rate),
		crowd:   newSources(0),
		tagKey:  []byte(rand.Text()),
		mark:    rand.Text()[:12],
		forbid:  rate.NewLimiter(20, 20),
		told:    rate.NewLimiter(rate.Every(10*time.Second), 1),
		pressed: rate.NewLimiter(rate.Every(10*time.Second), 1),
		refused: newRefusals(o.timers.life()),
		invites: map[string]*inbound{},
		merged:  map[sameCall]*inbound{},
		others:  map[string]*serverTx{},
		dialogs: map[string]*Dialog{},
		clients: map[string]*clientTx{},
		peers:   map[netip.Addr]int{},
		making:  map[hostKey]chan struct{}{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.library()
	s.outTCP = newOutward(&net.TCPAddr{Port: 5060})
	for _, l := range o.Listen {
		if err := s.bind(l); err != nil {
			_ = s.Close()
			return nil, err
		}
	}
	return s, nil
}

// library sets up sipgo's transports. Its transactions, Server and Client are not
// used: they know no order. See transaction.go. Nor does it see a message: the
// filter reads it and works it off.
func (s *Stack) library() {
	log := slog.New(quiet{s.log.Named("sipgo")})
	t := s.o.timers
	closedDoor := net.Dialer{Control: func(string, string, syscall.RawConn) error { return errTarget }}
	// Names are looked up by assemble alone. Left to itself the library asks
	// the DNS for, and connects to, whatever stands in a request's Via.
	mute := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errTarget }}
	s.tpl = sip.NewTransportLayer(mute, sip.NewParser(), nil,
		sip.WithTransportLayerLogger(log),
		sip.WithTransportLayerReadFilter(s.filter),
		sip.WithTransportLayerTransports(sip.TransportsConfig{
			TCP: &sip.TransportTCP{
				ReadTimeout:  t.idle,
				WriteTimeout: t.dial,
				DialerCreate: func(net.Addr) net.Dialer { return closedDoor }, // see outward
			},
			TLS: &sip.TransportTLS{TransportTCP: &sip.TransportTCP{
				ReadTimeout:  t.idle,
				WriteTimeout: t.dial,
				DialerCreate: func(net.Addr) net.Dialer { return closedDoor },
			}},
		}),
	)
}

func (s *Stack) bind(l Listen) error {
	var err error
	family := "" // both; without it 0.0.0.0 would mean IPv6 too
	if l.Addr.Addr().Is4() {
		family = "4"
	}
	if l.Transport == "udp" {
		var c *net.UDPConn
		if c, err = net.ListenUDP("udp"+family, net.UDPAddrFromAddrPort(l.Addr)); err == nil {
			// The kernel's default holds 200 or so messages of a burst, or of what
			// waits for neighbours that are switched off.
			if e := errors.Join(c.SetReadBuffer(4<<20), c.SetWriteBuffer(4<<20)); e != nil {
				s.log.Warn("buffers not enlarged", zap.Error(e))
			}
			var p *packetConn
			if p, err = newPacketConn(c, len(s.udp), s.log); err == nil {
				p.trace = s.o.Trace
				s.udp = append(s.udp, p)
			} else {
				_ = c.Close()
			}
		}
	} else {
		var ln net.Listener
		if ln, err = net.ListenTCP("tcp"+family, net.TCPAddrFromAddrPort(l.Addr)); err == nil {
			in := &listener{Listener: ln, s: s, log: s.log}
			if l.Transport == "tls" {
				in.tls = least(s.o.TLS.Server)
				if s.outward == nil {
					s.outward = newOutward(ln.Addr())
				}
			}
			s.tcp = append(s.tcp, in)
		}
	}
	if err != nil {
		return fmt.Errorf("stack: listen on %s %s: %w", l.Transport, l.Addr, err)
	}
	return nil
}

// Start begins to receive; when it returns, calls can be made.
func (s *Stack) Start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started || s.closed {
		return
	}
	s.started = true
	for _, c := range s.udp {
		s.wg.Go(func() {
			if err := s.tpl.ServeUDP(c); err != nil && s.ctx.Err() == nil {
				s.log.Error("udp listener ended", zap.Error(err))
			}
		})
	}
	for _, l := range s.tcp {
		serve := s.tpl.ServeTCP
		if l.tls != nil {
			serve = s.tpl.ServeTLS
		}
		s.wg.Go(func() {
			if err := serve(l); s.ctx.Err() == nil { // it returns only with an error
				s.log.Error("listener ended", zap.String("transport", l.transport()), zap.Error(err))
			}
		})
	}
	s.wg.Go(func() { _ = s.tpl.ServeTCP(s.outTCP) })
	if s.outward != nil {
		s.wg.Go(func() { _ = s.tpl.ServeTLS(s.outward) })
	}
	for _, c := range s.udp {
		<-c.serving // before it, a request would try to open the same port again
	}
}

// Addr is where the first listener of the transport is bound, the zero
// AddrPort when there is none.
func (s *Stack) Addr(transport string) netip.AddrPort {
	if transport == "udp" && len(s.udp) > 0 {
		return s.udp[0].at
	}
	for _, l := range s.tcp {
		if l.transport() == transport {
			return addrPort(l.Listener.Addr().String())
		}
	}
	return netip.AddrPort{}
}

// Calls is the number of incoming calls that live.
func (s *Stack) Calls() int { return s.gate.live() }

// Close refuses new calls, gives requests that are still unanswered (the BYEs
// of the calls its owner has ended) a moment, and ends every transaction,
// connection and listener. The second call does nothing.
func (s *Stack) Close() error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return nil
	}
	s.closing = true
	s.quiet = make(chan struct{})
	s.checkQuiet()
	s.mu.Unlock()
	select {
	case <-s.quiet:
	case <-time.After(s.o.timers.quiet):
	}

	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel() // the filter lets nothing in from here on
	// What was read a moment ago is worked off by readers that can't be waited for.
	time.Sleep(closeGrace)
	var errs []error
	for _, c := range s.udp {
		errs = append(errs, c.Close())
	}
	for _, l := range s.tcp {
		errs = append(errs, l.Close())
	}
	_ = s.outTCP.Close()
	if s.outward != nil {
		_ = s.outward.Close()
	}
	errs = append(errs, s.tpl.Close())
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		errs = append(errs, errors.New("stack: a handler did not return"))
	}
	errs = append(errs, s.tpl.Close())
	return errors.Join(errs...)
}

const closeGrace = 50 * time.Millisecond

// checkQuiet tells Close when nothing is unanswered any more. s.mu is held.
func (s *Stack) checkQuiet() {
	if s.quiet == nil || s.owed > 0 {
		return
	}
	for _, c := range s.clients {
		if !c.over && c.method != "INVITE" {
			return
		}
	}
	select {
	case <-s.quiet:
	default:
		close(s.quiet)
	}
}

// owe notes BYEs that can't be sent yet, or are.
func (s *Stack) owe(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owed += n
	s.checkQuiet()
}

// track counts a goroutine of ours in; false when the stack is closed.
func (s *Stack) track() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.wg.Add(1)
	return true
}

// spawn runs f on a goroutine of ours.
func (s *Stack) spawn(name string, f func()) {
	if !s.track() {
		return
	}
	go func() {
		defer s.wg.Done()
		defer s.recovered(name)
		f()
	}()
}

// recovered is deferred in every goroutine and callback of ours: the library
// has no recover, and a panic would end every call.
func (s *Stack) recovered(where string) {
	if p := recover(); p != nil {
		s.log.Error("panic", zap.String("in", where), zap.Any("panic", p), zap.Stack("stack"))
	}
}

func (s *Stack) talking(a netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peers[a] > 0
}

// local is the host and port put into Via and Contact towards a peer.
func (s *Stack) local(transport string, peer netip.Addr) (host string, port uint16) {
	at := s.Addr(transport)
	if transport == "udp" {
		if c := s.socket(peer); c != nil {
			at = c.at
		}
	}
	port = at.Port()
	switch {
	case s.o.Advertise != "":
		host = s.o.Advertise
	case at.IsValid() && !at.Addr().IsUnspecified():
		host = at.Addr().String()
	default:
		host = s.ownSides.to(peer, time.Now()).String()
	}
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		host = "[" + host + "]"
	}
	return host, port
}

// socket is the UDP listener that can reach the peer.
func (s *Stack) socket(peer netip.Addr) *packetConn {
	for _, c := range s.udp {
		a := c.at.Addr()
		if a.Is4() == peer.Is4() || a.Is6() && a.IsUnspecified() {
			return c
		}
	}
	return nil
}

// contact is our Contact towards a peer; user is "" for the usual one.
func (s *Stack) contact(user, transport string, peer netip.Addr) string {
	host, port := s.local(transport, peer)
	var room [128]byte
	c := append(room[:0], "<sip:"...)
	if user == "" {
		c = append(c, "cordboard@"...)
	} else {
		c = append(append(c, EscapeUser(user)...), '@')
	}
	c = append(c, host...)
	if port != 0 {
		c = strconv.AppendUint(append(c, ':'), uint64(port), 10)
	}
	if stream(transport) {
		c = append(append(c, ";transport="...), transport...)
	}
	return string(append(c, '>'))
}

package stack

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/sip/trace"
)

// Listen is one address to listen on. Port 0 takes a free one (see Stack.Addr).
type Listen struct {
	Transport string // "udp", "tcp" or "tls"
	Addr      netip.AddrPort
}

// Options is what a Stack is made from.
type Options struct {
	Listen []Listen
	// Advertise is the host written into Via and Contact; "" means the address
	// of the listener, or of the interface that reaches the peer when the
	// listener is bound to all of them.
	Advertise string
	// UserAgent is the text of User-Agent and Server; "" for none.
	UserAgent string
	// MaxCalls is how many incoming calls may live at once; 0 for no limit.
	MaxCalls int
	// Rate is how many new incoming calls a second are let in; 0 for no limit.
	Rate int
	// Group names the neighbour an address belongs to: each has an equal share
	// of MaxCalls and Rate, and what others leave of theirs. Groups is how many
	// neighbours there are. nil: all are one.
	Group  func(netip.Addr) string
	Groups int
	// Caps are what single neighbours may carry; nil: whatever the rest lets them.
	Caps *Caps
	// TLS is required for a tls listener, and of no use without.
	TLS *TLS
	// Allow says whether an address belongs to a known trunk or phone. It is
	// required, must be quick, and is called from many goroutines. Addresses
	// that a request of ours was sent to are heard without it, except that they
	// may not open new dialogs.
	Allow   func(netip.Addr) bool
	Handler Handler
	// Phones answers REGISTER; nil: it goes to Handler.Other like any other.
	Phones Phones
	// Trace keeps the messages of calls; nil: none is kept.
	Trace  *trace.Recorder
	Logger *zap.Logger
	// T1 is the estimate of the round trip (RFC 3261 17.1.1.1) that T2, T4 and
	// the time-outs of transactions follow from; 0 for 500 ms.
	T1 time.Duration

	// DNS are the servers that names are asked of; none: the system's.
	DNS []netip.AddrPort

	timers timers // zero: the values of RFC 3261; tests shorten them
}

// timers are the intervals of RFC 3261 table 4 and our own waits.
type timers struct {
	t1, t2, t4 time.Duration
	c          time.Duration // 16.6: no provisional for so long ends our INVITE
	ackWait    time.Duration // how long a re-INVITE waits for a late ACK
	late       time.Duration // a call that waited so long for a goroutine is refused
	wait       time.Duration // work may wait so long for the processor
	stands     time.Duration // no new calls once it has waited longer for so long
	trying     time.Duration // a re-INVITE not answered so soon gets 100
	reply      time.Duration // how long an owner may take over a re-INVITE
	firstByte  time.Duration // a TCP peer must complete its first message in this time
	assemble   time.Duration // and any later message in this
	idle       time.Duration // and may be silent for this long
	dial       time.Duration // TCP connect and TLS
	server     time.Duration // silence of a server of a name while there is another
	quiet      time.Duration // how long Close lets BYEs be answered

	offered func(at time.Time) time.Time // when a call counts as offered; nil: when it came
}

func (t timers) withDefaults() timers {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&t.t1, 500*time.Millisecond)
	set(&t.t2, 4*time.Second)
	set(&t.t4, 5*time.Second)
	set(&t.c, 3*time.Minute)
	set(&t.ackWait, 50*time.Millisecond)
	set(&t.late, 2*time.Second)
	set(&t.wait, 50*time.Millisecond)
	set(&t.stands, 200*time.Millisecond) // with wait half of T1: nobody who is taken has sent his INVITE again
	set(&t.trying, 200*time.Millisecond)
	set(&t.reply, 3*time.Minute)
	set(&t.firstByte, 10*time.Second)
	set(&t.assemble, 30*time.Second)
	set(&t.idle, 2*time.Hour)
	set(&t.dial, 3*time.Second)
	set(&t.server, 4*t.t1)
	set(&t.quiet, 2*time.Second)
	return t
}

// offeredAt is the time that the gate goes by.
func (t timers) offeredAt(at time.Time) time.Time {
	if t.offered != nil {
		return t.offered(at)
	}
	return at
}

// life is 64*T1: how long a transaction, and what must be remembered of a
// dialog that has ended, lives.
func (t timers) life() time.Duration { return 64 * t.t1 }

func (o *Options) check() error {
	if len(o.Listen) == 0 {
		return errors.New("stack: no address to listen on")
	}
	for _, l := range o.Listen {
		if l.Transport != "udp" && !stream(l.Transport) {
			return fmt.Errorf("stack: transport %q is not supported", l.Transport)
		}
		if l.Transport == "tls" && (o.TLS == nil || o.TLS.Server == nil) {
			return errors.New("stack: a tls listener needs Options.TLS")
		}
		if !l.Addr.IsValid() {
			return fmt.Errorf("stack: %s listener has no address", l.Transport)
		}
	}
	if o.Allow == nil {
		return errors.New("stack: Options.Allow is required")
	}
	if o.Handler == nil {
		return errors.New("stack: Options.Handler is required")
	}
	if o.Group == nil {
		o.Group, o.Groups = func(netip.Addr) string { return "" }, 1
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.T1 > 0 && o.timers.t1 == 0 {
		o.timers.t1, o.timers.t2, o.timers.t4 = o.T1, 8*o.T1, 10*o.T1
	}
	o.timers = o.timers.withDefaults()
	return nil
}

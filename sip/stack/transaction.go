package stack

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/cordboard/cordboard/sip/alarm"
)

// Transactions are our own (RFC 3261 section 17, RFC 6026): the library's start
// a goroutine or two for each message, in which its order is lost, and keep
// request, response and timers of each for 64*T1. Here the tap works a message
// off on the goroutine that read it, what is kept of an answered request is its
// answer, and a request of ours has one timer.

var errOver = errors.New("stack: the transaction is over")

// way is where a message goes out: by a connection, else as a datagram from a
// socket to an address.
type way struct {
	flow     *flow
	socket   *packetConn
	to       netip.AddrPort
	untraced bool
}

// addr is the peer's address.
func (w way) addr() netip.Addr {
	if w.flow != nil {
		return w.flow.peer.Addr()
	}
	return w.to.Addr()
}

// secure reports whether nobody between can read along.
func (w way) secure() bool { return w.flow != nil && w.flow.transport == "tls" }

// quick reports whether write can't keep its caller waiting.
func (w way) quick() bool { return w.flow == nil }

func (w way) write(b []byte) error {
	switch { // noted first: what comes back is behind it
	case w.flow != nil:
		if !w.untraced {
			w.flow.s.o.Trace.Message(time.Now(), true, w.flow.transport, w.flow.peer, b)
		}
		if _, err := w.flow.Write(b); err != nil {
			return fmt.Errorf("stack: write: %w", err)
		}
	case w.socket != nil:
		if !w.untraced {
			w.socket.trace.Message(time.Now(), true, "udp", w.to, b)
		}
		if err := w.socket.send(b, w.to); err != nil {
			return fmt.Errorf("stack: write: %w", err)
		}
	default:
		return errFlow
	}
	return nil
}

// back is the way of the answers to a request: over a stream the connection it
// came by, else its source address and the port of RFC 3261 18.2.2 and RFC 3581.
func (s *Stack) back(in *inbound) way {
	from := in.msg.Source
	if in.socket == nil {
		return way{flow: s.flows.to(in.msg.Transport, from), untraced: !in.traced}
	}
	if via := in.msg.via; via.host != "" && !via.rport {
		from = netip.AddrPortFrom(from.Addr(), uint16(cmp.Or(via.port, 5060)))
	}
	return way{socket: in.socket, to: from, untraced: !in.traced}
}

// serverTx is the transaction of a request received. Its retransmissions find
// it by the tables of the stack and of the dialogs.
type serverTx struct {
	s      *Stack
	way    way
	invite bool
	gone   func(error) // runs once, at its end; may be nil

	mu       sync.Mutex
	last     []byte // response
	code     int    // of it
	acked    bool
	over     bool
	interval time.Duration // Timer G
	until    time.Time     // Timer H
	timer    *alarm.Alarm
}

// respond sends a response and keeps it for retransmissions.
func (tx *serverTx) respond(code int, b []byte) error {
	tx.mu.Lock()
	if tx.over || tx.code >= 200 {
		tx.mu.Unlock()
		return errOver
	}
	tx.last, tx.code = b, code
	if tx.code >= 200 {
		tx.final()
	}
	// A retransmission that is being answered must not be behind this: written
	// under the lock, but for streams, where that might take a while.
	var err error
	if tx.way.quick() {
		err = tx.way.write(b)
	}
	tx.mu.Unlock()
	if !tx.way.quick() {
		err = tx.way.write(b)
	}
	if err != nil {
		tx.end(err)
	}
	return err
}

// final begins the wait for what may still come. tx.mu is held.
func (tx *serverTx) final() {
	t := tx.s.o.timers
	if tx.code >= 300 && tx.invite && tx.way.quick() {
		tx.interval, tx.until = t.t1, time.Now().Add(t.life())
		tx.timer = tx.s.alarms.After(tx.interval, tx.repeat) // Timer G
	} else if tx.gone != nil {
		if leave := func() { tx.end(nil) }; tx.invite || tx.way.quick() { // Timers H, J and L
			tx.s.alarms.After(t.life(), leave)
		} else {
			tx.timer = tx.s.alarms.After(0, leave)
		}
	}
}

// repeat is Timer G: a failure is sent again until its ACK comes.
func (tx *serverTx) repeat() {
	defer tx.s.recovered("timer G")
	now := time.Now()
	tx.mu.Lock()
	if tx.over || tx.acked || tx.s.ctx.Err() != nil {
		tx.mu.Unlock()
		return
	}
	late := !now.Before(tx.until) // Timer H
	var err error
	if !late {
		err = tx.way.write(tx.last)
		tx.interval = min(2*tx.interval, tx.s.o.timers.t2)
		tx.timer = tx.s.alarms.After(min(tx.interval, tx.until.Sub(now)), tx.repeat)
	}
	tx.mu.Unlock()
	if late || err != nil {
		tx.end(err)
	}
}

// again is the request once more: it gets the last response again, but for a
// 2xx to an INVITE, which is the dialog's to repeat, and for a failure that was
// acknowledged. Streams lose nothing.
func (tx *serverTx) again() {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.over || tx.last == nil || tx.acked || !tx.way.quick() || tx.invite && tx.code >= 200 && tx.code < 300 {
		return
	}
	_ = tx.way.write(tx.last) // lost like any other datagram
}

// resend repeats a 2xx to an INVITE for the dialog.
func (tx *serverTx) resend() error {
	tx.mu.Lock()
	last, over := tx.last, tx.over
	tx.mu.Unlock()
	if over || last == nil {
		return errOver
	}
	return tx.way.write(last)
}

// ack is the ACK of a failure.
func (tx *serverTx) ack() {
	tx.mu.Lock()
	if !tx.invite || tx.code < 300 || tx.acked || tx.over {
		tx.mu.Unlock()
		return
	}
	tx.acked = true
	tx.timer.Stop()
	if tx.way.quick() {
		tx.timer = tx.s.alarms.After(tx.s.o.timers.t4, func() { tx.end(nil) }) // Timer I
		tx.mu.Unlock()
		return
	}
	tx.mu.Unlock()
	tx.end(nil)
}

// end ends the transaction, with the reason if it was not its time.
func (tx *serverTx) end(err error) {
	defer tx.s.recovered("transaction")
	tx.mu.Lock()
	if tx.over {
		tx.mu.Unlock()
		return
	}
	tx.over = true
	tx.timer.Stop()
	gone := tx.gone
	tx.mu.Unlock()
	if gone != nil {
		gone(err)
	}
}

// transactionsClosed ends the transactions that ran on a connection.
func (s *Stack) transactionsClosed(f *flow) {
	s.mu.Lock()
	var served []*serverTx
	for _, in := range s.invites {
		if in.tx.way.flow == f {
			served = append(served, in.tx)
		}
	}
	var ours []*clientTx
	for _, c := range s.clients {
		if c.way.flow == f && !c.over {
			ours = append(ours, c)
		}
	}
	s.mu.Unlock()
	for _, tx := range served {
		tx.end(errFlow)
	}
	for _, c := range ours {
		c.end(503, errFlow)
	}
}

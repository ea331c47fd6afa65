// Package live drives the routing engine in the server: one goroutine, its
// mailbox, one timer, the journal and the ports. For each event it appends to
// the journal, calls Step, and hands the actions to the ports. Nothing here
// waits for a port, a store or a disk.
package live

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
)

// Port does actions: call control, the desk hub, the ledger, the resolver. Do
// is called on the engine's goroutine, in order; it must not block and must not
// call back into the driver other than by Submit and TrySubmit. The slice is
// the port's only until Do returns: what it keeps it copies.
type Port interface {
	Do(at time.Time, actions []routing.Action)
}

// Journal keeps the engine's inputs, in order. Append must not block on the
// disk: durability follows by group commit.
type Journal interface {
	Append(at time.Time, ev routing.Event) error
}

// ErrStopped is the answer of a driver that no longer runs.
var ErrStopped = errors.New("routing has stopped")

// defaultMaxArrivals bounds the arrivals that wait for the engine.
const defaultMaxArrivals = 1000

// Options of a Driver.
type Options struct {
	Ports   []Port
	Journal Journal     // nil: none is kept
	Log     *zap.Logger // nil: nothing is logged
	// MaxArrivals bounds the arrivals in the mailbox; TrySubmit refuses more.
	// 0 means 1000.
	MaxArrivals int
}

// Driver feeds one engine. Submit, TrySubmit and Snapshot may be called from
// any goroutine; only Run touches the engine.
type Driver struct {
	engine *routing.Engine
	opts   Options
	log    *zap.Logger
	start  time.Time // wall clock with its monotonic reading
	alarm  alarm     // on Run's goroutine only
	read   []letter  // likewise: the mail read last, whose room is used again

	mu       sync.Mutex
	mail     []letter
	asked    []inquiry // questions that wait for their turn, or are being answered
	arrivals int
	stopped  bool
	wake     chan struct{} // holds one token while there is mail
}

// letter is an event, or the wish for a snapshot.
type letter struct {
	ev    routing.Event
	reply chan routing.Snapshot
}

// New makes a driver. The engine is its own from now on.
func New(engine *routing.Engine, o Options) *Driver {
	if o.MaxArrivals == 0 {
		o.MaxArrivals = defaultMaxArrivals
	}
	log := o.Log
	if log == nil {
		log = zap.NewNop()
	}
	return &Driver{engine: engine, opts: o, log: log.Named("routing"), start: time.Now(), wake: make(chan struct{}, 1)}
}

// Submit posts an event. It never blocks and never loses one; after Run has
// returned there is nobody left to read it.
func (d *Driver) Submit(ev routing.Event) {
	d.mu.Lock()
	if d.stopped {
		d.mu.Unlock()
		return
	}
	d.mail = append(d.mail, letter{ev: ev})
	if _, ok := ev.(routing.CallArrived); ok {
		d.arrivals++
	}
	d.mu.Unlock()
	d.ring()
}

// TrySubmit posts an event unless so many arrivals wait already that a further
// one would not be served in time: then the caller is to be told so.
func (d *Driver) TrySubmit(ev routing.Event) bool {
	_, arrival := ev.(routing.CallArrived)
	d.mu.Lock()
	if d.stopped || arrival && d.arrivals >= d.opts.MaxArrivals {
		d.mu.Unlock()
		return false
	}
	d.mail = append(d.mail, letter{ev: ev})
	if arrival {
		d.arrivals++
	}
	d.mu.Unlock()
	d.ring()
	return true
}

// Snapshot asks the engine for its state.
func (d *Driver) Snapshot(ctx context.Context) (routing.Snapshot, error) {
	reply := make(chan routing.Snapshot, 1)
	d.mu.Lock()
	if d.stopped {
		d.mu.Unlock()
		return routing.Snapshot{}, ErrStopped
	}
	d.mail = append(d.mail, letter{reply: reply})
	d.mu.Unlock()
	d.ring()
	select {
	case s, ok := <-reply:
		if !ok {
			return routing.Snapshot{}, ErrStopped
		}
		return s, nil
	case <-ctx.Done():
		return routing.Snapshot{}, fmt.Errorf("snapshot: %w", ctx.Err())
	}
}

func (d *Driver) ring() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Run feeds the engine until ctx ends. What is in the mailbox then is still
// done. It must be called once.
func (d *Driver) Run(ctx context.Context) error {
	d.alarm.timer = time.NewTimer(time.Hour)
	d.alarm.timer.Stop()
	defer d.alarm.timer.Stop()
	for {
		d.arm()
		d.answer()
		select {
		case <-ctx.Done():
			d.close()
			d.dismiss()
			return nil
		case <-d.alarm.timer.C:
			d.rung()
		case <-d.wake:
			d.deliver(d.take())
		}
	}
}

// alarm is the timer of the engine's deadlines. It is moved only when the next
// deadline is earlier than what it is set to, and goes off in vain when that has
// been taken out meanwhile: a deadline taken out is the rule (the desk acks, the
// phone is answered), and each timer that is moved costs the runtime a look at
// all timers of the process.
type alarm struct {
	timer *time.Timer
	due   time.Time // what it is set to; zero: to nothing
}

// arm sees to it that the timer goes off no later than the engine's next deadline.
func (d *Driver) arm() {
	due, ok := d.engine.Deadline()
	if !ok || !d.alarm.due.IsZero() && !due.Before(d.alarm.due) {
		return
	}
	d.alarm.due = due
	// The engine counts whole microseconds: wake no earlier than due.
	d.alarm.timer.Reset(max(due.Sub(d.now()), 0))
}

// rung does what is due when the timer has gone off, which may be nothing.
func (d *Driver) rung() {
	d.alarm.due = time.Time{}
	if due, ok := d.engine.Deadline(); ok && !due.After(d.now()) {
		d.step(routing.Tick{})
	}
}

// now is the wall clock of the start plus what has passed since: it never goes
// back, whatever is done to the machine's clock.
func (d *Driver) now() time.Time {
	return d.start.Add(time.Since(d.start)).Round(0)
}

// mostRoom is how many letters' room is kept for the next.
const mostRoom = 1024

func (d *Driver) take() []letter {
	room := d.read[:0]
	if cap(room) > mostRoom {
		room = nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.read, d.mail, d.arrivals = d.mail, room, 0
	return d.read
}

func (d *Driver) deliver(mail []letter) {
	for _, l := range mail {
		if l.reply != nil {
			l.reply <- d.engine.Snapshot(d.now())
			continue
		}
		d.step(l.ev)
	}
	clear(mail)
}

func (d *Driver) close() {
	d.mu.Lock()
	d.stopped = true
	d.mu.Unlock()
	for _, l := range d.take() {
		if l.reply != nil {
			close(l.reply)
			continue
		}
		d.step(l.ev)
	}
}

// step journals one event, applies it and hands the actions out.
func (d *Driver) step(ev routing.Event) {
	at := d.now().Truncate(time.Microsecond)
	if d.opts.Journal != nil {
		if err := d.opts.Journal.Append(at, ev); err != nil {
			d.log.Error("journal does not take an event", zap.String("event", ev.Kind()), zap.Error(err))
		}
	}
	acts, err := d.apply(at, ev)
	if err != nil {
		d.log.Warn("event not applied", zap.Error(err))
	}
	if len(acts) == 0 {
		return
	}
	for _, p := range d.opts.Ports {
		p.Do(at, acts)
	}
}

// apply calls Step and survives a panic in it: the call that the event is
// about is ended, all others go on.
func (d *Driver) apply(at time.Time, ev routing.Event) ([]routing.Action, error) {
	acts, failure, err := d.try(at, ev)
	if failure == nil {
		return acts, err
	}
	d.log.Error("routing failed", zap.String("event", ev.Kind()), zap.Any("panic", failure), zap.ByteString("stack", debug.Stack()))
	call, ok := routing.CallOf(ev)
	if _, again := ev.(routing.CallFailed); !ok || again {
		return nil, nil
	}
	acts, failure, err = d.try(at, routing.CallFailed{Call: call, Reason: "internal"})
	if failure != nil {
		d.log.Error("call could not be ended", zap.Int64("call", int64(call)), zap.Any("panic", failure))
	}
	return acts, err
}

func (d *Driver) try(at time.Time, ev routing.Event) (acts []routing.Action, failure any, err error) {
	defer func() { failure = recover() }()
	acts, err = d.engine.Step(at, ev)
	return acts, nil, err
}

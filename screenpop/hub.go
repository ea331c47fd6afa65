package screenpop

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
)

// Options are what a Hub works with. Engine, Finder, History, Answers,
// Directory, Policy and Log must be set.
type Options struct {
	Engine    Engine
	Finder    Finder
	History   History
	Answers   Answers
	Directory Directory
	Policy    func() *routing.Policy
	Log       *zap.Logger

	// Resolved is told once for each call how its look-up ended; the zero Match
	// stands for nobody, a withheld number and a failed look-up. It must not
	// block.
	Resolved func(routing.CallID, customer.Match)
	// ByID finds the customer whose number a caller has keyed in, and Entered is told,
	// for each number, how that ended: an error says that nobody could be asked.
	// Entered must not block. nil: no customer has a number.
	ByID    func(ctx context.Context, id string) (customer.Match, error)
	Entered func(call routing.CallID, ask int, m customer.Match, err error)
	// Beside are the outside systems that the record is filled from; nil: none is.
	Beside Beside
	// Chosen is told which of several candidates an agent says it is. It must
	// not block; nil is nobody.
	Chosen func(call routing.CallID, customer string)
	// Link notes that a number is a customer's, or with Undo that it is not, and gives
	// the record as it is then: nil, when there is no such customer. nil: nothing can
	// be linked.
	Link func(ctx context.Context, l Link) (*customer.Record, error)
	// Observe is told what the ledger keeps of the desk: pop_sent, pop_acked,
	// resolved, number_linked, answer_used, note_saved, transfer_known, transfer_facts. Codes, counts and ids
	// only, never a name, a number or a text. It must not block.
	Observe func(call routing.CallID, kind string, agent agents.ID, attempt routing.Attempt, at time.Time, data map[string]any)
	// Outside keeps a telephone number that an agent wants to pass the call on to,
	// and says what routing is to know of it; code says why it cannot be that
	// ("not_a_number", "number_not_allowed"). nil: none can.
	Outside func(call routing.CallID, number string) (to routing.Outside, code string)
	// CheckOrigin says whether a page may open the desk socket; nil allows only
	// the server's own origin.
	CheckOrigin func(*http.Request) bool
	// Clock reads the time; nil is time.Now.
	Clock func() time.Time

	LookupTimeout time.Duration // hard end of one look-up; 15 s
	Lookups       int           // look-ups at once; 32
	Grace         time.Duration // a lost desk may resume for so long; 60 s
	Heartbeat     time.Duration // between pings; 15 s
	AskTimeout    time.Duration // wait for routing's word on a request; 3 s
	Gather        time.Duration // colleagues frames are at least so far apart; 1 s
}

// resumable is how long after a frame was sent a resume may ask for it: the loss
// of a socket is noticed within two heartbeats, and a third is to spare.
func (o *Options) resumable() time.Duration { return o.Grace + 3*o.Heartbeat }

func (o *Options) fill() {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.LookupTimeout, 15*time.Second)
	def(&o.Grace, 60*time.Second)
	def(&o.Heartbeat, 15*time.Second)
	def(&o.AskTimeout, 3*time.Second)
	def(&o.Gather, time.Second)
	if o.Lookups <= 0 {
		o.Lookups = 32
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Resolved == nil {
		o.Resolved = func(routing.CallID, customer.Match) {}
	}
	if o.ByID == nil {
		o.ByID = func(context.Context, string) (customer.Match, error) { return customer.Match{}, nil }
	}
	if o.Entered == nil {
		o.Entered = func(routing.CallID, int, customer.Match, error) {}
	}
	if o.Chosen == nil {
		o.Chosen = func(routing.CallID, string) {}
	}
	if o.Outside == nil {
		o.Outside = func(routing.CallID, string) (routing.Outside, string) { return routing.Outside{}, codeNumberNo }
	}
	if o.Observe == nil {
		o.Observe = func(routing.CallID, string, agents.ID, routing.Attempt, time.Time, map[string]any) {}
	}
}

// Hub holds the card of every live call and the desk of every agent. One
// goroutine owns all of it; actions, desk frames, look-up results and timers
// reach it through its mailbox, in order. It is a live.Port and the
// http.Handler of the desk socket.
type Hub struct {
	opt     Options
	log     *zap.Logger
	tickets tickets

	ctx    context.Context // ends when the hub closes
	cancel context.CancelFunc
	wg     sync.WaitGroup // every goroutine the hub started or serves
	conns  atomic.Int64   // sockets past hello
	guests atomic.Int64   // sockets before hello
	rooms  sync.Pool      // of *[]byte: what is being written to a socket

	mu     sync.Mutex
	box    []func()
	closed bool
	wake   chan struct{}

	// Owned by the loop.
	cards   map[routing.CallID]*card
	desks   map[agents.ID]*desk
	jobs    []job   // look-ups waiting for a slot
	busy    int     // look-ups under way
	failing failing // look-ups
	answers map[answerKey]*answerEntry
	gather  gatherer
	spoken  []string             // languages of the open desks; nil when that has to be looked up
	draft   []byte               // room for the frame being written
	at      time.Time            // of the message being handled; zero: the clock has not been read for it
	changed map[string]time.Time // customers who have changed of late
	// searched holds the titles of answers that searches have shown.
	searched map[string]string
	swept    time.Time
}

// ErrClosed is the error of a hub that has been closed.
var ErrClosed = errors.New("screenpop: hub is closed")

// New starts a hub. Close ends it.
func New(opt Options) *Hub {
	opt.fill()
	h := &Hub{
		opt: opt, log: opt.Log.Named("screenpop"), wake: make(chan struct{}, 1),
		cards: map[routing.CallID]*card{}, desks: map[agents.ID]*desk{},
		answers: map[answerKey]*answerEntry{}, changed: map[string]time.Time{}, searched: map[string]string{},
	}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.tickets.init(opt.Clock)
	h.wg.Go(h.loop)
	return h
}

// Close tells every desk that the server is going away (4410), stops the hub
// and waits for its goroutines, or for ctx.
func (h *Hub) Close(ctx context.Context) error {
	h.post(func() {
		defer h.cancel()
		h.mu.Lock()
		h.closed = true
		h.mu.Unlock()
		h.keepDrafts()
		for _, d := range h.desks {
			if s := d.session; s != nil {
				s.stopTimer()
				if s.conn != nil {
					s.conn.close(closeGoingAway)
				}
			}
		}
	})
	gone := make(chan struct{})
	go func() { h.wg.Wait(); close(gone) }()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// keepDrafts saves what agents have written about talks that are not wrapped
// up yet.
func (h *Hub) keepDrafts() {
	now := h.now()
	for _, c := range h.cards {
		for _, l := range c.legs {
			if l.live() {
				c.endTalk(l, now)
				h.save(c, l, "")
			}
		}
	}
}

// Desks counts the desks connected now.
func (h *Hub) Desks() int { return int(h.conns.Load()) }

// post hands fn to the loop; false when the hub is closed.
func (h *Hub) post(fn func()) bool {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return false
	}
	h.box = append(h.box, fn)
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
	return true
}

// call hands fn to the loop and waits until it has run; false when the hub
// closed first.
func (h *Hub) call(fn func()) bool {
	ran := make(chan struct{})
	if !h.post(func() { defer close(ran); fn() }) {
		return false
	}
	select {
	case <-ran:
		return true
	case <-h.ctx.Done():
		return false
	}
}

// loop ends with the message that closes the hub.
func (h *Hub) loop() {
	var box []func()
	for range h.wake {
		h.mu.Lock()
		box, h.box = h.box, box[:0]
		h.mu.Unlock()
		for _, fn := range box {
			h.run(fn)
			if h.ctx.Err() != nil {
				return
			}
		}
		clear(box)
	}
}

// run keeps a fault in one message from ending the desk of everybody.
func (h *Hub) run(fn func()) {
	defer func() {
		if r := recover(); r != nil {
			h.log.Error("message dropped after a panic", zap.ByteString("stack", debug.Stack()))
		}
	}()
	h.at = time.Time{}
	fn()
}

// now is the time of the message that the loop is at: to read the clock for every
// frame costs more than to write most of them.
func (h *Hub) now() time.Time {
	if h.at.IsZero() {
		h.at = h.opt.Clock()
	}
	return h.at
}

// OpenCard opens the card of a call that has arrived. The rim calls it before
// it hands the call to the engine.
func (h *Hub) OpenCard(n NewCall) { h.post(func() { h.open(n) }) }

// DropCard forgets the card of a call that the engine did not take.
func (h *Hub) DropCard(call routing.CallID) {
	h.post(func() {
		if c := h.cards[call]; c != nil && len(c.legs) == 0 {
			delete(h.cards, call)
		}
	})
}

func (h *Hub) open(n NewCall) *card {
	c := newCard(n)
	h.cards[n.Call] = c
	h.sweep(n.At)
	return c
}

// keepEnded is how long the card of a call that is over may wait for a
// wrap-up whose end was never told.
const keepEnded = 12 * time.Hour

// sweep is the second net under card removal; it runs at most once a minute.
func (h *Hub) sweep(now time.Time) {
	if now.Sub(h.swept) < time.Minute {
		return
	}
	h.swept = now
	for id, c := range h.cards {
		if !c.endedAt.IsZero() && now.Sub(c.endedAt) > keepEnded {
			for _, l := range c.legs {
				h.finishLeg(c, l, now, "")
			}
			delete(h.cards, id)
		}
	}
}

// Cards counts the cards held, for metrics and tests.
func (h *Hub) Cards() (n int) {
	h.call(func() { n = len(h.cards) })
	return n
}

// Do takes the engine's actions. It copies the slice and returns at once.
func (h *Hub) Do(at time.Time, actions []routing.Action) {
	if len(actions) == 0 {
		return
	}
	batch := slices.Clone(actions)
	h.post(func() { h.do(at, batch) })
}

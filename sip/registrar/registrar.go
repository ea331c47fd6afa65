// Package registrar is where the agents' telephones register (RFC 3261 10 and
// 22): it challenges them, keeps where each one is, asks with OPTIONS whether it
// is still there, and tells routing when an agent's phone comes or goes.
//
// It never sends or receives by itself, decides about no call, and waits for no
// database: secrets are read beside the traffic, bindings are handed to a port
// that queues them. A phone is called where it registered from, over the
// connection it made, never at an address that only its Contact names. The SIP
// stack calls it (Hears, Register, Closed), call control asks it for a phone, and
// whose phone it is that calls (Caller).
package registrar

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/sip/stack"
)

// Agents finds an agent of the live routing document. It must be quick.
type Agents interface {
	Agent(agents.ID) (agents.Agent, bool)
}

// Secrets reads what telephones authenticate with: every user who has a
// telephone's secret.
type Secrets interface {
	Secrets(ctx context.Context) (map[string]Secret, error)
}

// Bindings keeps registrations over a restart. Save and Remove must not block.
type Bindings interface {
	SaveBinding(Binding)
	RemoveBinding(agent agents.ID, key string)
	Bindings(ctx context.Context) ([]Binding, error)
}

// Pinger asks a phone for life: the status code of its answer to OPTIONS, 408
// for none, 503 when it could not be asked.
type Pinger interface {
	Ping(ctx context.Context, uri, transport string, next netip.AddrPort) int
}

// Options is what a Registrar is made of.
type Options struct {
	// Realm of the digest. Secrets are made with it: another one makes them void.
	Realm string
	// From lists the networks that phones may register from; empty: all.
	From []netip.Prefix
	// MaxExpires is the longest registration granted, and what a phone gets that
	// asks for none.
	MaxExpires time.Duration
	// Qualify is how often a phone is asked for life.
	Qualify time.Duration
	// Rate is how many phones a second may begin to register.
	Rate     int
	Agents   Agents
	Secrets  Secrets
	Bindings Bindings // nil: a restart forgets
	// Changed hears that an agent's phone can be reached, or no longer. It must
	// not block and not call back.
	Changed func(agent agents.ID, up bool)
	Log     *zap.Logger

	clock func() time.Time // a test's
}

// minExpires is the shortest registration granted (423, RFC 3261 10.3).
const minExpires = time.Minute

// Registrar is the running registrar. Its methods may be called from any
// goroutine.
type Registrar struct {
	o       Options
	log     *zap.Logger
	refused *zap.Logger // what anybody can bring about, thinned
	key     []byte      // of nonces, of this process alone
	now     func() time.Time
	begin   *rate.Limiter // requests that begin to register
	again   *rate.Limiter // the same, from where a phone is registered
	slow    *rate.Limiter // of begin, what sources get that ask without end
	onward  *rate.Limiter // requests that answer a challenge of ours
	nonces  nonces
	sources *failures // by source, and by source and user: wrong credentials
	asking  *failures // by source: challenges since the last right ones
	secrets secrets
	counts  counts

	ctx  context.Context
	stop context.CancelFunc
	work sync.WaitGroup

	mu      sync.Mutex
	ping    Pinger
	at      map[agents.ID][]*binding
	turns   turns              // of the bindings, to be asked or to run out
	heard   map[netip.Addr]int // bindings by the address they came from
	up      map[agents.ID]bool // as Changed was told last
	awaited map[agents.ID]bool // who waits for the phone to register anew
}

// New makes a Registrar and reads the bindings that an earlier process left.
func New(ctx context.Context, o Options) (*Registrar, error) {
	switch {
	case o.Realm == "" || o.Agents == nil || o.Secrets == nil || o.Changed == nil:
		return nil, errors.New("registrar: Realm, Agents, Secrets and Changed are required")
	case o.MaxExpires < minExpires || o.Qualify <= 0 || o.Rate <= 0:
		return nil, errors.New("registrar: MaxExpires is a minute at least, Qualify and Rate are above 0")
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.clock == nil {
		o.clock = time.Now
	}
	r := &Registrar{
		o: o, log: o.Log.Named("registrar"), refused: sparing(o.Log.Named("registrar")), key: make([]byte, 32), now: o.clock,
		begin:   rate.NewLimiter(rate.Limit(o.Rate), o.Rate),
		again:   rate.NewLimiter(rate.Limit(o.Rate), o.Rate),
		onward:  rate.NewLimiter(2*rate.Limit(o.Rate), 2*o.Rate),
		slow:    rate.NewLimiter(rate.Limit(max(o.Rate/10, 1)), max(o.Rate/10, 1)),
		sources: newFailures(), asking: newFailures(),
		at: map[agents.ID][]*binding{}, heard: map[netip.Addr]int{},
		up: map[agents.ID]bool{}, awaited: map[agents.ID]bool{},
	}
	rand.Read(r.key) // never fails (crypto/rand)
	r.secrets.wake = make(chan struct{}, 1)
	if err := r.readSecrets(ctx); err != nil {
		return nil, err
	}
	if err := r.restore(ctx); err != nil {
		return nil, err
	}
	r.ctx, r.stop = context.WithCancel(context.Background())
	return r, nil
}

// Start begins to watch the phones through ping.
func (r *Registrar) Start(ping Pinger) {
	r.mu.Lock()
	r.ping = ping
	r.mu.Unlock()
	r.work.Go(r.watch)
	r.work.Go(r.keepSecrets)
}

// Close ends the watch. Bindings stay in their store.
func (r *Registrar) Close() {
	r.stop()
	r.work.Wait()
}

// Hears implements stack.Phones: REGISTER is heard from the networks that
// phones may register from, OPTIONS and calls from where one is registered, nothing
// else.
func (r *Registrar) Hears(from netip.Addr, method string) bool {
	switch method {
	case "REGISTER", "OPTIONS", "INVITE", "CANCEL":
	default:
		return false
	}
	r.mu.Lock()
	known := r.heard[from] > 0
	r.mu.Unlock()
	if known || method != "REGISTER" {
		return known
	}
	return r.mayRegister(from) && !r.sources.banned(place(from), r.now())
}

func (r *Registrar) mayRegister(from netip.Addr) bool {
	return len(r.o.From) == 0 || slices.ContainsFunc(r.o.From, func(p netip.Prefix) bool { return p.Contains(from) })
}

// Closed implements stack.Phones: the phones that registered over a connection
// are gone with it until they register again.
func (r *Registrar) Closed(peer netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, list := range r.at {
		for _, b := range list {
			if b.flow() && b.Source == peer {
				r.log.Info("a phone's connection is gone", zap.String("agent", string(id)))
				b.state = down
				r.tell(id)
			}
		}
	}
}

// Register implements stack.Phones.
func (r *Registrar) Register(req *stack.Message) stack.Answer {
	a, result := r.register(req)
	r.counts.add(result)
	return a
}

func (r *Registrar) register(req *stack.Message) (stack.Answer, string) {
	now := r.now()
	from := req.Source.Addr()
	if !r.mayRegister(from) {
		r.refused.Warn("a REGISTER came from outside the networks of sip.registrar.from", zapSource(from))
		return answer(403), "forbidden"
	}
	c, verdict := r.authenticate(req, now)
	if a, result, away := r.turnedAway(req, userOf(req.Get("To")), verdict, now); away {
		return a, result
	}
	agent := agents.ID(c.user)
	if !r.listens(agent) || !r.speaksFor(req, c.user) {
		// CVE-2025-47779: good credentials are for their own address of record.
		r.refused.Warn("a REGISTER was refused with 403: its user is no agent with phone: registered, or its To or From is another's",
			zap.Stringer("source", from))
		return answer(403), "forbidden"
	}
	return r.bind(agent, c, req, now)
}

// turnedAway answers a request whose credentials are not good; user is who asks, by his
// own account.
func (r *Registrar) turnedAway(req *stack.Message, user string, v verdict, now time.Time) (a stack.Answer, result string, away bool) {
	switch v {
	case busy:
		return unavailable(), "overload", true
	case unknown:
		return r.challenge(req, user, now, false), "challenged", true
	case stale:
		return r.challenge(req, user, now, true), "stale", true
	case banned:
		return answer(403), "banned", true
	case wrong:
		return answer(403), "failed", true // some phones answer challenge after challenge, without end
	}
	return stack.Answer{}, "", false
}

// speaksFor reports whether To and From are the user's own.
func (r *Registrar) speaksFor(req *stack.Message, user string) bool {
	return userOf(req.Get("To")) == user && userOf(req.Get("From")) == user
}

func answer(code int, h ...stack.Header) stack.Answer { return stack.Answer{Code: code, Headers: h} }

// Awaits notes that routing keeps an agent away until the phone registers anew,
// or no longer.
func (r *Registrar) Awaits(agent agents.ID, on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if on {
		r.awaited[agent] = true
	} else {
		delete(r.awaited, agent)
	}
}

// Reload tells once more of the agents whom a new routing document has register
// here, since the engine could not know an agent before, and of those it has no
// longer as gone. Their registrations live on until they run out, so that an
// agent who is taken out and put back need not wait for the phone to register
// anew.
func (r *Registrar) Reload() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id := range r.at {
		if r.listens(id) {
			delete(r.up, id)
		}
		r.tell(id)
	}
}

// listens reports whether the routing document has the agent's phone register
// here.
func (r *Registrar) listens(id agents.ID) bool {
	a, ok := r.o.Agents.Agent(id)
	return ok && a.Phone.Registered
}

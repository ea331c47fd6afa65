package sip

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/alarm"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/pbx"
	"github.com/cordboard/cordboard/sip/stack"
	"github.com/cordboard/cordboard/sip/trace"
)

// Ways of a trunk's media.
const (
	MediaDirect = "direct" // the phones send to each other after the join
	MediaRelay  = "relay"  // we stay between them
	MediaAuto   = "auto"   // direct between addresses of Options.Mutual, else relay
)

// Trunk is a neighbour that sends calls. It is known by its source addresses.
type Trunk struct {
	Name  string
	Trust identity.Trust
	Media string // MediaDirect, MediaRelay or MediaAuto; "" is MediaAuto
	// Redirect: the trunk has its calls back, and rings the agents' telephones itself.
	Redirect bool
	Pass     []string // headers of its callers that the agents' telephones are shown
	Chosen   string   // the header in which it names whom it has chosen: see passesBy; "": it does not
	Out      *Outward // nil: no call leaves by it
}

// Options is what a Gateway is made of.
type Options struct {
	Trunks  []Trunk
	Caps    *stack.Caps // what each may carry, as the stack has them; nil: no cap
	Router  Router
	Phones  Phones
	Dialogs Dialogs // nil: rows are not kept
	// Customers is needed for callbacks; nil: nobody can be called back.
	Customers Customers
	Numbers   Numbers // nil: no call is passed on to one
	Targets   Targets // nil: phones pass no call on
	Callers   Callers // nil: no phone calls
	Media     *media.Engine
	// Mutual lists networks whose media addresses reach each other without us.
	Mutual []netip.Prefix
	// Host is what stands for us in the From of calls to the agents' phones and
	// in the o= line of session descriptions.
	Host netip.Addr
	// Dialect of the agents' phones; nil is pbx.Generic.
	Dialect pbx.Dialect
	Log     *zap.Logger

	Mailboxes Mailboxes // nil: none takes a message

	Trace *trace.Recorder // is told which dialogs are a call's; nil: nothing is kept

	Setups func(Setup) // is told of each INVITE that left by a trunk; must not block; nil: nobody is

	// Chosen is told of calls that come by, and returns when the desk has the record;
	// needed where a trunk names agents.
	Chosen func(context.Context, Chosen)

	Referred func(result string) // is told what each REFER of a phone came to; must not block; nil: nobody is
}

// Gateway is call control: the stack's Handler below, the engine's port above.
// All its methods are safe for concurrent use.
type Gateway struct {
	trunks  []Trunk
	caps    *stack.Caps
	router  Router
	phones  Phones
	dialogs Dialogs

	customers Customers
	numbers   Numbers
	targets   Targets
	callers   Callers
	media     *media.Engine
	mutual    []netip.Prefix
	sdpHost   netip.Addr
	dialect   pbx.Dialect
	log       *zap.Logger

	joinPatience, orphanAfter, unheardAfter, ringbackAfter, ringbackEvery, keyTime time.Duration

	lookEvery, probeEvery, silentAfter, session, redirectedFor time.Duration

	mailboxes   Mailboxes // nil: none
	messageWait time.Duration

	alarms alarm.Clock // of all calls
	trace  *trace.Recorder
	setups func(Setup)

	referred func(string)
	chosen   func(context.Context, Chosen)

	mu      sync.Mutex
	ep      endpoint
	calls   map[routing.CallID]*call
	facing  map[agents.ID]*call      // calls by the agent whose phone is joined to the caller
	asked   map[routing.CallID]*call // calls by the question that is asked about them
	outward map[string]int           // calls that are out, by trunk
	barred  map[string]*bar          // trunks that refuse our password
	awaited map[string]*call         // calls to customers not yet answered, by number
	// redirected are the calls that their trunk has back, by caller.
	redirected map[string]*call
	probing    map[agents.ID]bool
	draining   bool
	empty      chan struct{} // closed when draining and the last call has gone
	work       sync.WaitGroup
	stop       context.CancelFunc
	ctx        context.Context // ends with Close
}

// endpoint is what the Gateway needs of the stack.
type endpoint interface {
	Invite(o stack.Outgoing, sink stack.Sink) (dialog, error)
	Ping(ctx context.Context, uri, transport string, next netip.AddrPort) int
}

// onStack is a stack as an endpoint.
type onStack struct{ *stack.Stack }

func (s onStack) Invite(o stack.Outgoing, sink stack.Sink) (dialog, error) {
	d, err := s.Stack.Invite(o, sink)
	if err != nil {
		return nil, err // a nil *Dialog must not become a dialog
	}
	return d, nil
}

// New makes a Gateway. Give it to the stack as Handler, the stack to it with
// Attach, and only then start the stack.
func New(o Options) (*Gateway, error) {
	switch {
	case o.Router == nil || o.Phones == nil || o.Media == nil:
		return nil, errors.New("sip: Router, Phones and Media are required")
	case !o.Host.IsValid():
		return nil, errors.New("sip: Host is required")
	}
	if o.Dialogs == nil {
		o.Dialogs = noDialogs{}
	}
	if o.Customers == nil {
		o.Customers = noCustomers{o.Router}
	}
	if o.Numbers == nil {
		o.Numbers = noNumbers{}
	}
	if o.Targets == nil {
		o.Targets = noTargets{}
	}
	if o.Callers == nil {
		o.Callers = noCallers{}
	}
	if o.Referred == nil {
		o.Referred = func(string) {}
	}
	if o.Dialect == nil {
		o.Dialect = pbx.Generic{}
	}
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	g := &Gateway{
		trunks: slices.Clone(o.Trunks), caps: o.Caps, router: o.Router, phones: o.Phones,
		dialogs: o.Dialogs, customers: o.Customers, numbers: o.Numbers, targets: o.Targets, callers: o.Callers, referred: o.Referred, chosen: o.Chosen, media: o.Media, mutual: slices.Clone(o.Mutual),
		mailboxes: o.Mailboxes, messageWait: messageWait, sdpHost: o.Host, dialect: o.Dialect, log: o.Log.Named("sip"),
		calls: map[routing.CallID]*call{}, facing: map[agents.ID]*call{}, asked: map[routing.CallID]*call{}, probing: map[agents.ID]bool{}, outward: map[string]int{}, barred: map[string]*bar{}, awaited: map[string]*call{}, redirected: map[string]*call{},
		empty: make(chan struct{}), joinPatience: joinPatience, orphanAfter: orphanAfter,
		unheardAfter: unheardAfter, ringbackAfter: ringbackAfter, ringbackEvery: ringbackEvery, keyTime: keyTime,
		trace: o.Trace, setups: o.Setups, lookEvery: lookEvery, probeEvery: probeEvery, silentAfter: silentAfter, session: sessionInterval, redirectedFor: redirectedFor,
	}
	g.ctx, g.stop = context.WithCancel(context.Background())
	return g, nil
}

// Attach gives the stack that calls to the agents' phones go out by.
func (g *Gateway) Attach(s *stack.Stack) { g.attach(onStack{s}) }

func (g *Gateway) attach(ep endpoint) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ep = ep
}

func (g *Gateway) endpoint() endpoint {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ep == nil {
		return noEndpoint{}
	}
	return g.ep
}

// Knows reports whether the address belongs to a trunk: it is the stack's
// Allow. Nobody else's calls get in.
func (g *Gateway) Knows(a netip.Addr) bool {
	_, ok := g.trunkOf(a)
	return ok
}

// TrunkName is the trunk that the address belongs to, "" for none: the stack's
// Group.
func (g *Gateway) TrunkName(a netip.Addr) string {
	t, _ := g.trunkOf(a)
	return t.Name
}

func (g *Gateway) trunkOf(a netip.Addr) (Trunk, bool) {
	a = a.Unmap()
	for _, t := range g.trunks {
		if slices.ContainsFunc(t.Trust.Sources, func(p netip.Prefix) bool { return p.Contains(a) }) {
			return t, true
		}
	}
	return Trunk{}, false
}

// Live is the number of calls in hand.
func (g *Gateway) Live() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.calls)
}

// Do hands the engine's actions to their calls.
func (g *Gateway) Do(_ time.Time, actions []routing.Action) {
	for _, a := range actions {
		if p, ok := a.(routing.Probe); ok {
			g.probe(p.Agent)
			continue
		}
		if b, ok := a.(routing.CallCustomer); ok {
			g.callBack(b)
			continue
		}
		id, ok := callOf(a)
		if !ok {
			continue
		}
		g.mu.Lock()
		c := g.calls[id]
		if c == nil {
			c = g.asked[id]
		} else if q, asks := a.(routing.ConsultStarted); asks {
			g.asked[q.Consult] = c
		}
		if c != nil { // else it is over, and the engine is being told or knows
			c.box.put(item{act: a}) // before its actor can be replaced
		}
		g.mu.Unlock()
	}
}

// callOf is the call that an action of ours is for.
func callOf(a routing.Action) (routing.CallID, bool) {
	switch a := a.(type) {
	case routing.AnswerCaller:
		return a.Call, true
	case routing.EarlyMedia:
		return a.Call, true
	case routing.Announce:
		return a.Call, true
	case routing.Wait:
		return a.Call, true
	case routing.Treat:
		return a.Call, true
	case routing.PassOut:
		return a.Call, true
	case routing.EndCall:
		return a.Call, true
	case routing.Ring:
		return a.Call, true
	case routing.Withdraw:
		return a.Call, true
	case routing.Connect:
		return a.Call, true
	case routing.Release:
		return a.Call, true
	case routing.Hold:
		return a.Call, true
	case routing.OfferCallback:
		return a.Call, true
	case routing.AskMenu:
		return a.Call, true
	case routing.CallbackTaken:
		return a.Call, true
	case routing.CallCustomer:
		return a.Call, true
	case routing.DropCustomer:
		return a.Call, true
	case routing.ConsultStarted:
		return a.Call, true
	case routing.HandedOver:
		return a.Call, true
	case routing.Transferred:
		return a.Call, true
	case routing.Refused:
		return a.Call, true
	}
	return 0, false
}

// probeTime bounds an OPTIONS: the engine asks again every ten seconds.
const probeTime = 4 * time.Second

// probe asks an agent's phone for life, once at a time.
func (g *Gateway) probe(agent agents.ID) {
	phone, ok := g.phones.Phone(agent)
	g.mu.Lock()
	if g.probing[agent] || g.draining {
		g.mu.Unlock()
		return
	}
	g.probing[agent] = true
	g.work.Add(1)
	g.mu.Unlock()
	go func() {
		defer g.work.Done()
		code := 480
		if ok && phone.URI != "" {
			ctx, cancel := context.WithTimeout(g.ctx, probeTime)
			code = g.endpoint().Ping(ctx, phone.URI, phone.Transport, phone.Next)
			cancel()
		}
		g.mu.Lock()
		delete(g.probing, agent)
		g.mu.Unlock()
		g.router.Submit(routing.PhoneProbed{Agent: agent, Code: code})
	}()
}

func (g *Gateway) checkEmpty() {
	if g.draining && len(g.calls) == 0 {
		select {
		case <-g.empty:
		default:
			close(g.empty)
		}
	}
}

// Close refuses new calls with 503 and waits for the live ones to end. When
// ctx ends first, they are ended with BYE and their number is in the error.
// The stack must be closed after it, so that the BYEs go out.
func (g *Gateway) Close(ctx context.Context) error {
	g.drain()
	var err error
	select {
	case <-g.empty:
	case <-ctx.Done():
		err = g.clear()
	}
	g.stop()
	g.work.Wait()
	return err
}

// drain refuses new calls from now on.
func (g *Gateway) drain() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.draining = true
	for _, c := range g.redirected { // nobody here will hear of their end
		c.post(c.talkOver)
	}
	g.checkEmpty()
}

// clear ends every call.
func (g *Gateway) clear() error {
	g.mu.Lock()
	n := len(g.calls)
	for _, c := range g.calls {
		c.post(func() { c.fail("shutdown") })
	}
	g.mu.Unlock()
	<-g.empty
	if n == 0 {
		return nil
	}
	return &ClearedError{Calls: n}
}

// ClearedError says that Close had to end live calls.
type ClearedError struct{ Calls int }

func (e *ClearedError) Error() string { return "sip: live calls were ended by the shutdown" }

func (g *Gateway) randomID() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return binary.BigEndian.Uint64(b[:])
}

// mayJoinDirectly reports whether media may flow between the two addresses
// without us. An address that is not valid is not known yet.
func (g *Gateway) mayJoinDirectly(t Trunk, caller, agent netip.Addr) bool {
	switch t.Media {
	case MediaDirect:
		return true
	case MediaRelay:
		return false
	}
	return mutual(g.mutual, caller) && mutual(g.mutual, agent)
}

type noDialogs struct{}

func (noDialogs) SaveDialog(DialogRow)                {}
func (noDialogs) RemoveDialog(routing.CallID, string) {}

type noCustomers struct{ router Router }

func (n noCustomers) Entered(call routing.CallID, ask int, _ string) {
	n.router.Submit(routing.NumberKeyed{Call: call, Ask: ask, Got: routing.GotNoAnswer})
}

func (noCustomers) Accepted(routing.CallID, identity.Number) {}
func (noCustomers) Customer(routing.CallID) (Customer, bool) { return Customer{}, false }

type noNumbers struct{}

func (noNumbers) PassedTo(routing.CallID, int64) (identity.Number, bool) {
	return identity.Number{}, false
}

type noCallers struct{}

func (noCallers) Caller(_ *stack.Message, trunk bool) (agents.ID, stack.Answer, bool) {
	return "", stack.Answer{Code: 403}, !trunk
}

type noEndpoint struct{}

var errNotAttached = errors.New("sip: no stack attached")

func (noEndpoint) Invite(stack.Outgoing, stack.Sink) (dialog, error)        { return nil, errNotAttached }
func (noEndpoint) Ping(context.Context, string, string, netip.AddrPort) int { return 503 }

package screenpop_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/desktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// engine records what the hub submits; the test plays routing.
type engine struct {
	mu     sync.Mutex
	events []routing.Event
	more   chan struct{}
}

func (e *engine) Submit(ev routing.Event) {
	e.mu.Lock()
	e.events = append(e.events, ev)
	close(e.more)
	e.more = make(chan struct{})
	e.mu.Unlock()
}

type finder func(ctx context.Context, e164 string) (customer.Match, error)

func (f finder) Find(ctx context.Context, e164 string) (customer.Match, error) { return f(ctx, e164) }

type directory map[agents.ID]agents.Agent

func (d directory) Agent(id agents.ID) (agents.Agent, bool) { a, ok := d[id]; return a, ok }

type answers []screenpop.Answer

func (a answers) FindAnswers(_ context.Context, lang, topic, query string, limit int) ([]screenpop.Answer, error) {
	if query == "fault" {
		return nil, errors.New("knowledge base is down")
	}
	var out []screenpop.Answer
	for _, x := range a {
		if x.Lang == lang && (topic == "" || x.Topic == topic) && len(out) < limit {
			out = append(out, x)
		}
	}
	return out, nil
}

type observed struct {
	call    routing.CallID
	kind    string
	agent   agents.ID
	attempt routing.Attempt
	data    map[string]any
}

// rig is a hub on a real HTTP server, with everything round it under the
// test's hand.
type rig struct {
	t        *testing.T
	hub      *screenpop.Hub
	srv      *httptest.Server
	engine   *engine
	finder   atomic.Pointer[finder]
	ctx      context.Context
	contacts chan screenpop.Contact
	resolved chan customer.Match

	mu       sync.Mutex
	observed []observed
	now      time.Time
}

func newRig(t *testing.T, change ...func(*screenpop.Options)) *rig {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	r := &rig{
		t: t, engine: &engine{more: make(chan struct{})}, ctx: ctx, now: time.Now(),
		contacts: make(chan screenpop.Contact, 64), resolved: make(chan customer.Match, 64),
	}
	r.find(func(context.Context, string) (customer.Match, error) {
		rec := dana()
		return customer.Match{Record: &rec}, nil
	})
	policy := testPolicy()
	opt := screenpop.Options{
		Engine: r.engine, History: r, Directory: people(), Log: zaptest.NewLogger(t),
		Finder:  finder(func(ctx context.Context, n string) (customer.Match, error) { return (*r.finder.Load())(ctx, n) }),
		Answers: answers{{ID: "a1", Topic: "line_fault", Lang: "en", Title: "Spare port", Say: "I can move your line."}, {ID: "a2", Topic: "bill", Lang: "en", Title: "Bill", Say: "Your bill."}},
		Policy:  func() *routing.Policy { return policy },
		Resolved: func(_ routing.CallID, m customer.Match) {
			r.resolved <- m
		},
		Observe: func(call routing.CallID, kind string, agent agents.ID, attempt routing.Attempt, _ time.Time, data map[string]any) {
			r.mu.Lock()
			r.observed = append(r.observed, observed{call, kind, agent, attempt, data})
			r.mu.Unlock()
		},
		Gather: time.Millisecond,
	}
	for _, c := range change {
		c(&opt)
	}
	r.hub = screenpop.New(opt)
	r.srv = httptest.NewServer(r.hub)
	t.Cleanup(func() {
		if err := r.hub.Close(ctx); err != nil {
			t.Errorf("hub does not end: %v", err)
		}
		r.srv.Close()
		cancel()
	})
	return r
}

func (r *rig) SaveContact(c screenpop.Contact) { r.contacts <- c }

func (r *rig) find(f finder) { r.finder.Store(&f) }

func people() directory {
	d := directory{}
	for id, name := range map[agents.ID]string{"priya": "Priya Nair", "petar": "Petar Georgiev", "sofia": "Sofia Adler"} {
		d[id] = agents.Agent{ID: id, Name: name, Desk: true}
	}
	return d
}

func testPolicy() *routing.Policy {
	return &routing.Policy{
		DefaultLanguage: "en",
		// A pop waits for its record, however busy the machine is.
		Record: routing.RecordPolicy{Deadline: time.Minute},
		Topics: map[string]*routing.Topic{"line_fault": {Name: "line_fault", Title: routing.Title{"en": "Line fault"}, Queue: "internet"}},
		Queues: map[string]*routing.Queue{
			"care":     {Name: "care", AnswerWithin: 20 * time.Second, Dispositions: "care"},
			"internet": {Name: "internet", AnswerWithin: 30 * time.Second},
		},
		Sets: map[string][]routing.Disposition{"care": {{ID: "fixed", Title: routing.Title{"en": "Fixed"}, Final: true}}},
	}
}

func dana() customer.Record {
	owes := customer.Money{Minor: -4120, Currency: "GBP"}
	return customer.Record{
		ID: "LW-204", Version: 7, Name: "Dana Whitcombe", Language: "en", Segment: "valued",
		Numbers: []customer.Number{{E164: "+447700900417"}}, Heed: []string{"Hard of hearing"},
		Billing:  &customer.Billing{Balance: owes, Source: "billing"},
		Products: []customer.Product{{ID: "p1", Kind: "fibre", Name: "Fibre 500", Status: "fault"}},
		Tickets:  []customer.Ticket{{ID: "T-1", Title: "Drops", Topic: "line_fault", Status: "open", Kind: "fault"}},
		Interactions: []customer.Interaction{
			{ID: "i2", At: time.Now().Add(-48 * time.Hour), Channel: "call", Title: "Drops", Topic: "line_fault", Note: "Drops in the evening."},
			{ID: "i1", At: time.Now().Add(-96 * time.Hour), Channel: "chat", Title: "Drops", Topic: "line_fault"},
		},
		Contacts: 2,
	}
}

// event waits for the next submitted event of type E that ok takes.
func event[E routing.Event](r *rig, ok func(E) bool) E {
	r.t.Helper()
	for {
		r.engine.mu.Lock()
		for i, ev := range r.engine.events {
			if e, is := ev.(E); is && ok(e) {
				r.engine.events = append(r.engine.events[:i:i], r.engine.events[i+1:]...)
				r.engine.mu.Unlock()
				return e
			}
		}
		more := r.engine.more
		r.engine.mu.Unlock()
		select {
		case <-more:
		case <-r.ctx.Done():
			var e E
			r.t.Fatalf("no %T came", e)
		}
	}
}

func anyOf[E any](E) bool { return true }

// none says that no event of type E has been submitted so far.
func none[E routing.Event](r *rig) bool {
	r.engine.mu.Lock()
	defer r.engine.mu.Unlock()
	for _, ev := range r.engine.events {
		if _, is := ev.(E); is {
			return false
		}
	}
	return true
}

func (r *rig) dial(agent agents.ID, change ...func(*desktest.Options)) *desktest.Desk {
	r.t.Helper()
	opt := desktest.Options{BaseURL: r.srv.URL, Ticket: func(context.Context) (string, error) {
		text, _ := r.hub.Ticket(agent, "login-"+string(agent))
		return text, nil
	}}
	for _, c := range change {
		c(&opt)
	}
	d, err := desktest.Dial(r.ctx, opt)
	if err != nil {
		r.t.Fatalf("dial %s: %v", agent, err)
	}
	r.t.Cleanup(d.Close)
	return d
}

func (r *rig) wait(d *desktest.Desk, what string, ok func(desktest.State) bool) {
	r.t.Helper()
	if err := d.Wait(r.ctx, ok); err != nil {
		r.t.Fatalf("desk never saw %s: %v; it shows %+v", what, err, d.State())
	}
}

// phaseIs waits for one phase of a call.
func (r *rig) phaseIs(d *desktest.Desk, call int64, phase string) {
	r.t.Helper()
	r.wait(d, phase, func(s desktest.State) bool { return s.Cards[call].Phase == phase })
}

func (r *rig) gone(d *desktest.Desk, call int64) {
	r.t.Helper()
	r.wait(d, "an empty desk", func(s desktest.State) bool { _, held := s.Cards[call]; return !held })
}

func (r *rig) do(actions ...routing.Action) { r.hub.Do(time.Now(), actions) }

func (r *rig) state(agent agents.ID, s agents.State, call int64) routing.AgentChanged {
	return routing.AgentChanged{Status: agents.Status{Agent: agent, State: s, Since: time.Now(), Call: call}}
}

// arrive opens a call's card, looks its customer up and queues it.
func (r *rig) arrive(call routing.CallID) {
	now := time.Now()
	r.hub.OpenCard(screenpop.NewCall{
		Call: call, Lookup: "+447700900417", Dialled: "+448081570142", Trunk: "main", At: now,
		Caller: screenpop.CallerInfo{Number: "+447700900417", Source: "pai", Trusted: true},
	})
	r.do(routing.ResolveCustomer{Call: call})
	r.do(routing.Enqueued{Call: call, Queue: "care", Rule: "valued", Since: now, Entered: now})
}

func offerOf(call routing.CallID, attempt routing.Attempt, agent agents.ID) routing.Offer {
	return routing.Offer{Call: call, Attempt: attempt, Agent: agent}
}

func (r *rig) offer(o routing.Offer, queue, mode string) {
	r.do(
		routing.OfferCall{Offer: o, Queue: queue, Mode: mode, AckBy: time.Now().Add(time.Minute), Ring: 20 * time.Second},
		r.state(o.Agent, agents.Offered, int64(o.Call)),
	)
}

// talk takes an offer through ring and answer.
func (r *rig) talk(o routing.Offer) {
	r.do(routing.Ring{Offer: o, Until: time.Now().Add(20 * time.Second)}, r.state(o.Agent, agents.Ringing, int64(o.Call)))
	r.do(routing.Connect{Offer: o, Answered: time.Now()}, r.state(o.Agent, agents.Talking, int64(o.Call)))
}

func (r *rig) signIn(agent agents.ID) {
	r.do(r.state(agent, agents.Available, 0))
}

// data waits for an observation.
func (r *rig) data(kind string, call routing.CallID, attempt routing.Attempt) map[string]any {
	r.t.Helper()
	for range 2 {
		r.hub.Cards() // everything handed over before this has been done
		r.mu.Lock()
		for i := len(r.observed) - 1; i >= 0; i-- {
			if o := r.observed[i]; o.kind == kind && o.call == call && o.attempt == attempt {
				r.mu.Unlock()
				return o.data
			}
		}
		r.mu.Unlock()
	}
	r.t.Fatalf("%s of call %d was not observed", kind, call)
	return nil
}

func (r *rig) count(kind string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.observed {
		if o.kind == kind {
			n++
		}
	}
	return n
}

func (r *rig) refused(d *desktest.Desk, code, t string, body map[string]any) {
	r.t.Helper()
	_, err := d.Do(r.ctx, t, body)
	var no *desktest.Refused
	if !errors.As(err, &no) || no.Code != code {
		r.t.Errorf("%s %v: got %v, want refusal %s", t, body, err, code)
	}
}

func (r *rig) must(d *desktest.Desk, t string, body map[string]any) desktest.Result {
	r.t.Helper()
	res, err := d.Do(r.ctx, t, body)
	if err != nil {
		r.t.Fatalf("%s: %v", t, err)
	}
	return res
}

func ref(call routing.CallID, attempt routing.Attempt, more ...any) map[string]any {
	m := map[string]any{"call": call, "attempt": attempt}
	for i := 0; i+1 < len(more); i += 2 {
		m[fmt.Sprint(more[i])] = more[i+1]
	}
	return m
}

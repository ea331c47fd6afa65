package pops

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rim is what stands around the calls: it keeps what they say, in its order.
type rim struct {
	mu      sync.Mutex
	calls   routing.CallID
	actions []routing.Action
	asked   []routing.Event
	more    chan struct{}
}

func (r *rim) NextCall() routing.CallID       { r.calls++; return r.calls }
func (r *rim) Arrived(store.Arrival)          {}
func (r *rim) OpenCard(screenpop.NewCall)     {}
func (r *rim) Do(time.Time, []routing.Action) {}

func (r *rim) Submit(ev routing.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, ev)
}

type desks struct{ *rim }

func (d desks) Do(_ time.Time, actions []routing.Action) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.actions = append(d.actions, actions...)
	close(d.more)
	d.more = make(chan struct{})
}

// comes waits until an action is there that ok likes.
func (r *rim) comes(t *testing.T, what string, ok func(routing.Action) bool) {
	t.Helper()
	late := time.After(time.Minute)
	for {
		r.mu.Lock()
		there, more := slices.ContainsFunc(r.actions, ok), r.more
		r.mu.Unlock()
		if there {
			return
		}
		select {
		case <-more:
		case <-late:
			t.Fatalf("never came: %s", what)
		}
	}
}

func (r *rim) wishes() (out []routing.AgentStateAsked) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, ev := range r.asked {
		if e, is := ev.(routing.AgentStateAsked); is {
			out = append(out, e)
		}
	}
	return out
}

func made(t *testing.T, o Options) (*Calls, *rim) {
	r := &rim{more: make(chan struct{})}
	policy := &routing.Policy{Agents: map[agents.ID]agents.Agent{
		"anna":  {ID: "anna", Name: "Anna Berg", Phone: agents.Phone{URI: "sip:101@pbx.example"}},
		"boris": {ID: "boris", Name: "Boris Lind", Phone: agents.Phone{Number: "+447700900016"}},
		"b2":    {ID: "b2", Name: "boris lind", Phone: agents.Phone{URI: "sip:102@pbx.example"}},
	}}
	o.Ledger, o.Engine, o.Log = r, r, zap.NewNop()
	o.Policy = func() *routing.Policy { return policy }
	if o.Sources == nil {
		o.Sources = []configs.Pops{{Name: "office", Region: "GB", WrapUp: time.Hour, Longest: time.Hour}}
	}
	c := New(o)
	c.Seat(desks{r})
	t.Cleanup(func() {
		c.Close()
		if len(c.byID) != 0 || len(c.byKey) != 0 || c.live != 0 {
			t.Errorf("%d, %d and %d calls are left", len(c.byID), len(c.byKey), c.live)
		}
	})
	return c, r
}

func tell(c *Calls, event, call string, users ...string) web.PBXAnswer {
	return c.Told(context.Background(), "office", web.PBXEvent{Event: event, CallID: call, Direction: web.PBXIn, From: "07700900417", To: "101", Users: users})
}

func is(c *Calls, id agents.ID, s agents.State, reason string) {
	c.Do(time.Now(), []routing.Action{routing.AgentChanged{Status: agents.Status{Agent: id, State: s, Reason: reason}}})
}

// A call whose end is never told ends by itself, and its agent is free again.
func TestHangupNotTold(t *testing.T) {
	for _, answered := range []bool{false, true} {
		c, r := made(t, Options{
			RingsFor: time.Millisecond, Sources: []configs.Pops{{Name: "office", Longest: time.Millisecond}},
		})
		is(c, "anna", agents.Available, "")
		if answered {
			tell(c, web.PBXAnswered, "x", "anna")
		} else {
			tell(c, web.PBXNewCall, "x", "anna")
		}
		want := map[bool]routing.Outcome{false: routing.Failed, true: routing.Answered}[answered]
		r.comes(t, "the end", func(a routing.Action) bool {
			e, is := a.(routing.EndCall)
			return is && e.Reason == reasonLost && e.Outcome == want
		})
		if answered {
			r.comes(t, "the end of wrap-up", func(a routing.Action) bool { return a.Kind() == routing.WrapUpFinished{}.Kind() })
		}
		late := time.Now().Add(time.Minute)
		for w := r.wishes(); len(w) != 2 || w[0].Reason != reasonPBXCall || w[1].State != agents.Available; w = r.wishes() {
			if time.Now().After(late) {
				t.Fatalf("answered %v: asked of routing: %+v", answered, w)
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// Whatever an agent asks for during a PBX's call, in whatever state she is: her own
// wish counts after it, and she is left away by nobody else's.
func TestAway(t *testing.T) {
	available := routing.AgentStateAsked{Agent: "anna", State: agents.Available}
	parked := routing.AgentStateAsked{Agent: "anna", State: agents.NotReady, Reason: reasonPBXCall}
	lunch := routing.AgentStateAsked{Agent: "anna", State: agents.NotReady, Reason: "lunch"}
	begins := func(c *Calls) { tell(c, web.PBXNewCall, "x", "anna") }
	ends := func(c *Calls) { tell(c, web.PBXHangup, "x") }
	asks := func(e routing.AgentStateAsked) func(*Calls) { return func(c *Calls) { c.Submit(e) } }
	comes := func(s agents.State, reason string) func(*Calls) { return func(c *Calls) { is(c, "anna", s, reason) } }
	for name, test := range map[string]struct {
		steps []func(*Calls)
		want  []routing.AgentStateAsked
	}{
		"free":                        {[]func(*Calls){comes(agents.Available, ""), begins, comes(agents.NotReady, reasonPBXCall), ends}, []routing.AgentStateAsked{parked, available}},
		"over before routing heard":   {[]func(*Calls){comes(agents.Available, ""), begins, ends, comes(agents.NotReady, reasonPBXCall)}, []routing.AgentStateAsked{parked, available}},
		"with a queue call":           {[]func(*Calls){comes(agents.Talking, ""), begins, ends}, []routing.AgentStateAsked{parked, available}},
		"a break asked for before":    {[]func(*Calls){comes(agents.Talking, ""), asks(lunch), begins, ends}, []routing.AgentStateAsked{lunch}},
		"on a break":                  {[]func(*Calls){comes(agents.NotReady, "lunch"), begins, ends}, nil},
		"a break asked for meanwhile": {[]func(*Calls){comes(agents.Available, ""), begins, asks(lunch), comes(agents.NotReady, "lunch"), ends}, []routing.AgentStateAsked{parked, lunch}},
		"back from a break meanwhile": {[]func(*Calls){comes(agents.NotReady, "lunch"), begins, asks(available), ends}, []routing.AgentStateAsked{parked, available}},
		"signed out":                  {[]func(*Calls){comes(agents.SignedOut, ""), begins, ends}, nil},
		"signs in meanwhile": {[]func(*Calls){
			begins, func(c *Calls) { c.Submit(routing.AgentSignedIn{Agent: "anna", State: agents.Available}) }, comes(agents.Available, ""), ends,
		}, []routing.AgentStateAsked{parked, available}},
		"leaves meanwhile":             {[]func(*Calls){comes(agents.Available, ""), begins, comes(agents.SignedOut, ""), ends}, []routing.AgentStateAsked{parked}},
		"made available by the engine": {[]func(*Calls){comes(agents.NotReady, "phone_busy"), begins, comes(agents.Available, ""), ends}, []routing.AgentStateAsked{parked, available}},
		"stopped":                      {[]func(*Calls){comes(agents.Available, ""), begins, (*Calls).Close}, []routing.AgentStateAsked{parked, available}},
		"passed on and back": {[]func(*Calls){
			comes(agents.Available, ""), begins, func(c *Calls) { tell(c, web.PBXAnswered, "x", "anna") }, func(c *Calls) { tell(c, web.PBXAnswered, "x", "b2") },
			func(c *Calls) { tell(c, web.PBXAnswered, "x", "anna") }, comes(agents.NotReady, reasonPBXCall), (*Calls).Close,
		}, []routing.AgentStateAsked{parked, available}},
		"two calls": {[]func(*Calls){comes(agents.Available, ""), begins, func(c *Calls) { tell(c, web.PBXNewCall, "y", "101") }, ends, func(c *Calls) { tell(c, web.PBXHangup, "y") }}, []routing.AgentStateAsked{parked, available}},
	} {
		t.Run(name, func(t *testing.T) {
			c, r := made(t, Options{})
			for _, step := range test.steps {
				step(c)
			}
			if got := r.wishes(); !slices.Equal(got, test.want) {
				t.Errorf("asked of routing: %+v, want %+v", got, test.want)
			}
		})
	}
}

// Agents are found by what PBXs call them.
func TestWhom(t *testing.T) {
	c, _ := made(t, Options{})
	for name, want := range map[string]struct {
		id  agents.ID
		why string
	}{
		"anna": {"anna", ""}, "ANNA": {"anna", ""}, "101": {"anna", ""}, "sip:101@elsewhere": {"anna", ""}, " Anna Berg ": {"anna", ""},
		"+447700900016": {"boris", ""}, "447700900016": {"boris", ""}, "Boris Lind": {"", whySeveral}, "103": {"", whyUnknownAgent}, "": {"", whyUnknownAgent},
	} {
		c.names.read(c.opt.Policy())
		if id, why := c.names.find(name); id != want.id || why != want.why {
			t.Errorf("%q: %q %q, want %+v", name, id, why, want)
		}
	}
}

// A withheld number stays so, and what is no number is shown and not looked up.
func TestCaller(t *testing.T) {
	for from, want := range map[string]screenpop.CallerInfo{
		"07700 900417":  {Number: "+447700900417", Country: "GB", Source: "from"},
		"447700900417":  {Number: "+447700900417", Country: "GB", Source: "from"},
		"+447700900417": {Number: "+447700900417", Country: "GB", Source: "from"},
		"anonymous":     {Source: "none", Restricted: true},
		"":              {Source: "none"},
		"unknown":       {Source: "none"},
		"102":           {Display: "102", Source: "from"},
	} {
		if got := caller(from, "GB"); got != want {
			t.Errorf("%q: %+v, want %+v", from, got, want)
		}
	}
	if got := dialled("reception", "GB"); got != "" {
		t.Errorf("a name is written down as the number called: %q", got)
	}
}

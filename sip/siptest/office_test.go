package siptest_test

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/siptest"
	"github.com/cordboard/cordboard/sip/stack"
)

// office is the engine as tests of many calls play it, and its ledger: every
// caller hears music and is offered to the one phone until it answers;
// whoever hangs up ends the call.
type office struct {
	gw  *sip.Gateway
	uri string
	// quiet callers are answered with the agent, and hear no music before.
	quiet bool

	mu      sync.Mutex
	ledger  map[routing.CallID]*entry
	changed chan struct{}
	wrong   []string
}

// entry is one call.
type entry struct {
	attempt routing.Attempt
	joined  int
	outcome string
	heard   map[string]int
}

const maxAttempts = 5

func (o *office) NextCall() routing.CallID {
	o.mu.Lock()
	defer o.mu.Unlock()
	id := routing.CallID(len(o.ledger) + 1)
	o.ledger[id] = &entry{heard: map[string]int{}}
	return id
}

func (o *office) Phone(agents.ID) (agents.Phone, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return agents.Phone{URI: o.uri}, true
}

func (o *office) do(a ...routing.Action) { o.gw.Do(time.Now(), a) }

func (o *office) Arrive(a sip.Arrival) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ledger[a.Call].attempt = 1
	if !o.quiet {
		o.do(routing.AnswerCaller{Call: a.Call, Music: media.DefaultMusic})
	}
	o.do(routing.Ring{Offer: offerOf(a.Call, 1)})
	return true
}

func offerOf(c routing.CallID, n routing.Attempt) routing.Offer {
	return routing.Offer{Call: c, Attempt: n, Agent: anna}
}

func (o *office) Submit(ev routing.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch ev := ev.(type) {
	case routing.PhoneAnswered:
		if o.current(ev.Offer, "answered") {
			o.do(routing.Connect{Offer: ev.Offer, Answered: time.Now()})
		}
	case routing.PhoneFailed:
		if e := o.ledger[ev.Call]; o.current(ev.Offer, "failed") && e.outcome == "" {
			if e.attempt++; e.attempt > maxAttempts {
				o.end(ev.Call, "unreachable")
				return
			}
			o.do(routing.Ring{Offer: offerOf(ev.Call, e.attempt)})
		}
	case routing.Joined:
		if e := o.ledger[ev.Call]; o.current(ev.Offer, "joined") {
			e.joined++
			o.tell()
		}
	case routing.JoinFailed:
		o.end(ev.Call, "join failed")
	case routing.CallerGone:
		o.end(ev.Call, "caller gone")
	case routing.AgentGone:
		o.end(ev.Call, "agent gone")
	case routing.CallFailed:
		o.end(ev.Call, "failed: "+ev.Reason)
	}
}

// current notes an event of an attempt, which comes once at most.
func (o *office) current(of routing.Offer, what string) bool {
	e := o.ledger[of.Call]
	what = fmt.Sprint(what, " ", of.Attempt)
	if e.heard[what]++; e.heard[what] > 1 {
		o.wrong = append(o.wrong, fmt.Sprintf("call %d: %s told again", of.Call, what))
	}
	return of.Attempt == e.attempt
}

// end writes the outcome. The other side's end may cross it, once.
func (o *office) end(id routing.CallID, outcome string) {
	e := o.ledger[id]
	if e.heard[outcome]++; e.heard[outcome] > 1 {
		o.wrong = append(o.wrong, fmt.Sprintf("call %d: %s told again", id, outcome))
	}
	if e.outcome == "" {
		e.outcome = outcome
		o.do(routing.EndCall{Call: id, Outcome: routing.Answered})
	}
	o.tell()
}

func (o *office) tell() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// until waits for something about the ledger.
func (o *office) until(ctx context.Context, ok func() bool) error {
	for {
		o.mu.Lock()
		done, changed := ok(), o.changed
		o.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// lossyWorld is a gateway with a bad network on either leg.
type lossyWorld struct {
	t                *testing.T
	ctx              context.Context
	office           *office
	st               *stack.Stack
	ports            *media.Engine
	toTrunk, toPhone *siptest.Lossy
	trunk            *siptest.Trunk
	phone            *siptest.Phone
}

func newLossyWorld(t *testing.T, patience time.Duration, beh siptest.Behaviour, onCall func(context.Context, *siptest.Call)) *lossyWorld {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	w := &lossyWorld{t: t, ctx: ctx, office: &office{ledger: map[routing.CallID]*entry{}, changed: make(chan struct{})}}
	lib, err := media.LoadLibrary("")
	w.must(err)
	w.ports, err = media.New(media.Options{Addr: loopback, PortMin: 16000, PortMax: 19999, Library: lib})
	w.must(err)
	t.Cleanup(func() { w.ports.Close() })
	here := netip.PrefixFrom(loopback, 8)
	w.office.gw, err = sip.New(sip.Options{
		Trunks: []sip.Trunk{{Name: "t", Media: sip.MediaAuto, Trust: identity.Trust{
			Trunk: "t", Sources: []netip.Prefix{here}, Headers: []identity.Source{identity.FromPAI}, Region: "GB"}}},
		Router: w.office, Phones: w.office, Media: w.ports, Mutual: []netip.Prefix{here}, Host: loopback,
	})
	w.must(err)
	w.st, err = stack.New(stack.Options{
		Listen:  []stack.Listen{{Transport: "udp", Addr: netip.AddrPortFrom(loopback, 0)}},
		Handler: w.office.gw, Allow: w.office.gw.Knows, T1: shortT1,
	})
	w.must(err)
	w.office.gw.Attach(w.st)
	w.st.Start()
	t.Cleanup(func() { w.st.Close() })
	t.Cleanup(w.close)
	for i, l := range []**siptest.Lossy{&w.toTrunk, &w.toPhone} {
		*l, err = siptest.NewLossy(uint64(i+1), w.st.Addr("udp"))
		w.must(err)
		t.Cleanup((*l).Close)
	}
	w.phone, err = siptest.NewPhone(ctx, siptest.Options{Name: "anna", T1: shortT1, Through: w.toPhone, Behaviour: beh, OnCall: func(c *siptest.Call) {
		if onCall != nil {
			onCall(ctx, c)
		}
	}})
	w.must(err)
	t.Cleanup(w.phone.Close)
	w.office.mu.Lock()
	w.office.uri = w.phone.URI()
	w.office.mu.Unlock()
	w.trunk, err = siptest.NewTrunk(ctx, siptest.TrunkOptions{T1: shortT1, Through: w.toTrunk, Target: w.st.Addr("udp").String()})
	w.must(err)
	t.Cleanup(w.trunk.Close)
	return w
}

func (w *lossyWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// close is the check for leaks: with the peers gone, nothing may be left.
func (w *lossyWorld) close() {
	end, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := w.office.gw.Close(end); err != nil {
		w.t.Errorf("calls are left: %v", err)
	}
	if n := w.ports.InUse(); n != 0 {
		w.t.Errorf("%d RTP ports are left", n)
	}
	if n := w.st.Calls(); n != 0 {
		w.t.Errorf("%d dialogs are left", n)
	}
	for _, s := range w.office.wrong {
		w.t.Error(s)
	}
}

// set brings the same faults to both legs.
func (w *lossyWorld) set(f siptest.Faults) {
	w.toTrunk.Set(f)
	w.toPhone.Set(f)
}

func (w *lossyWorld) place(b siptest.Behaviour) *siptest.Call {
	w.t.Helper()
	c, err := w.trunk.Call(w.ctx, siptest.CallOptions{From: "anonymous", To: "+442079460100", Behaviour: b})
	w.must(err)
	return c
}

func (w *lossyWorld) waits(c *siptest.Call, k siptest.Kind) {
	w.t.Helper()
	_, err := c.WaitFor(w.ctx, k)
	w.must(err)
}

// ended waits until n calls have their outcome, and counts the outcomes.
func (w *lossyWorld) ended(n int) map[string]int {
	w.t.Helper()
	outcomes := map[string]int{}
	err := w.office.until(w.ctx, func() bool {
		clear(outcomes)
		ended := 0
		for _, e := range w.office.ledger {
			outcomes[e.outcome]++
			if e.outcome != "" {
				ended++
			}
		}
		return ended >= n
	})
	if err != nil {
		w.t.Fatalf("%v; outcomes %v", err, outcomes)
	}
	return outcomes
}

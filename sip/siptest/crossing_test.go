package siptest_test

import (
	"context"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/siptest"
	"github.com/cordboard/cordboard/sip/stack"
)

// shortT1 makes 64*T1 5 s: short, and long enough for a machine that is busy. It is one for the whole package: the SIP library
// has its timers for the process.
const shortT1 = 80 * time.Millisecond

// engine is the engine as a test plays it, one action at a time.
type engine struct {
	phone string

	mu      sync.Mutex
	next    routing.CallID
	events  []routing.Event
	changed chan struct{}
	refers  []string
}

func (e *engine) NextCall() routing.CallID {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.next++
	return e.next
}

func (e *engine) Arrive(a sip.Arrival) bool {
	e.Submit(routing.CallArrived{Call: a.Call})
	return true
}

func (e *engine) Submit(ev routing.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.events = append(e.events, ev)
	close(e.changed)
	e.changed = make(chan struct{})
}

func (e *engine) Phone(agents.ID) (agents.Phone, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return agents.Phone{URI: e.phone}, true
}

// Named knows boris, and nobody else.
func (e *engine) Named(o routing.Offer, user string) (to routing.TransferRequested, code string) {
	switch user {
	case "boris":
		return routing.TransferRequested{Offer: o, ToAgent: "boris"}, ""
	case "09098790000":
		return to, "number_not_allowed"
	}
	return to, "unknown_target"
}

// refer notes what a REFER came to.
func (e *engine) refer(result string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refers = append(e.refers, result)
}

// heard names the events: "CallArrived PhoneRinging". Codes and the like are
// given with those that have them.
func (e *engine) heard() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []string
	for _, ev := range e.events {
		name := reflect.TypeOf(ev).Name()
		switch ev := ev.(type) {
		case routing.PhoneFailed:
			name += fmt.Sprint(" ", ev.Code)
		case routing.CallerGone:
			if ev.Unanswered {
				name += " unanswered"
			}
		case routing.CallFailed:
			name += " " + ev.Reason
		case routing.Joined:
			name += " " + ev.Media
		case routing.JoinFailed:
			name += " " + ev.Reason
		}
		out = append(out, name)
	}
	return out
}

// rows is the store of dialogs. saving, when set, runs on the call's goroutine.
type rows struct{ saving atomic.Pointer[func()] }

func (r *rows) SaveDialog(sip.DialogRow) {
	if f := r.saving.Load(); f != nil {
		(*f)()
	}
}

func (r *rows) RemoveDialog(routing.CallID, string) {}

// crossing is one call through the gateway between two scripted peers.
type crossing struct {
	t      *testing.T
	ctx    context.Context
	gw     *sip.Gateway
	st     *stack.Stack
	ports  *media.Engine
	engine *engine
	rows   rows
	id     routing.CallID
	offer  routing.Offer

	trunk, phone  *siptest.Script
	caller, agent *siptest.Side
	invite        *siptest.Message        // the caller's
	ring          *siptest.Message        // the INVITE to the phone
	ok            *siptest.Message        // our 200 to the caller
	answered      *siptest.Message        // the phone's 200
	skip          map[*siptest.Script]int // messages of the opening
	skipEvents    int
}

// newCrossing starts a gateway; way is the trunk's media.
func newCrossing(t *testing.T, way string) *crossing {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	x := &crossing{t: t, ctx: ctx, engine: &engine{changed: make(chan struct{})}, skip: map[*siptest.Script]int{}}
	lib, err := media.LoadLibrary("")
	x.must(err)
	x.ports, err = media.New(media.Options{Addr: loopback, PortMin: 16000, PortMax: 19999, Library: lib})
	x.must(err)
	t.Cleanup(func() { x.ports.Close() })
	here := netip.PrefixFrom(loopback, 8)
	x.gw, err = sip.New(sip.Options{
		Trunks: []sip.Trunk{{Name: "t", Media: way, Trust: identity.Trust{
			Trunk: "t", Sources: []netip.Prefix{here}, Headers: []identity.Source{identity.FromPAI}, Region: "GB"}}},
		Router: x.engine, Phones: x.engine, Targets: x.engine, Callers: x.engine, Referred: x.engine.refer, Dialogs: &x.rows, Media: x.ports, Mutual: []netip.Prefix{here}, Host: loopback, Log: zap.NewNop(),
	})
	x.must(err)
	x.st, err = stack.New(stack.Options{
		Listen:  []stack.Listen{{Transport: "udp", Addr: netip.AddrPortFrom(loopback, 0)}},
		Handler: x.gw, Allow: x.gw.Knows, T1: shortT1,
	})
	x.must(err)
	x.gw.Attach(x.st)
	x.st.Start()
	t.Cleanup(func() { x.st.Close() })
	t.Cleanup(func() {
		end, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := x.gw.Close(end); err != nil {
			t.Errorf("calls are left: %v", err)
		}
		if n := x.ports.InUse(); n != 0 {
			t.Errorf("%d RTP ports are left", n)
		}
	})
	x.trunk, err = siptest.NewScript("trunk", x.st.Addr("udp"))
	x.must(err)
	t.Cleanup(x.trunk.Close)
	x.phone, err = siptest.NewScript("anna", x.st.Addr("udp"))
	x.must(err)
	t.Cleanup(x.phone.Close)
	x.engine.mu.Lock()
	x.engine.phone = x.phone.URI()
	x.engine.mu.Unlock()
	return x
}

func (x *crossing) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

func (x *crossing) do(a ...routing.Action) { x.gw.Do(time.Now(), a) }

// hears waits until the engine has heard one of the events.
func (x *crossing) hears(names ...string) {
	x.t.Helper()
	for {
		x.engine.mu.Lock()
		changed := x.engine.changed
		x.engine.mu.Unlock()
		for _, name := range names {
			if slices.Contains(x.engine.heard(), name) {
				return
			}
		}
		select {
		case <-changed:
		case <-x.ctx.Done():
			x.t.Fatalf("the engine did not hear %q but %q", names, x.engine.heard())
		}
	}
}

// send writes messages, in this order.
func (x *crossing) send(from *siptest.Script, ms ...*siptest.Message) {
	x.t.Helper()
	for _, m := range ms {
		x.must(from.Write(m))
	}
}

// await waits for the first message of the name that is not of the opening.
func (x *crossing) await(at *siptest.Script, what string) *siptest.Message {
	x.t.Helper()
	return x.awaitNth(at, what, 1)
}

func (x *crossing) awaitNth(at *siptest.Script, what string, n int) *siptest.Message {
	x.t.Helper()
	before := 0
	for _, w := range at.Saw()[:x.skip[at]] {
		if w == what {
			before++
		}
	}
	m, err := at.Await(x.ctx, what, before+n)
	x.must(err)
	return m
}

// arrives brings a caller to the 180.
func (x *crossing) arrives(late bool) {
	x.t.Helper()
	x.caller = x.trunk.Opens("sip:02079460100@" + x.st.Addr("udp").String())
	body := x.trunk.Audio(1, "sendrecv")
	if late {
		body = nil
	}
	x.invite = x.caller.Request("INVITE", body)
	x.send(x.trunk, x.invite)
	x.caller.Learn(x.await(x.trunk, "180 INVITE"))
	x.hears("CallArrived")
	x.id = 1
	x.offer = routing.Offer{Call: x.id, Attempt: 1, Agent: anna}
}

// accepted waits for our 200 to the caller.
func (x *crossing) accepted() {
	x.t.Helper()
	x.do(routing.AnswerCaller{Call: x.id, Music: media.DefaultMusic})
	x.ok = x.await(x.trunk, "200 INVITE")
	x.caller.Learn(x.ok)
}

// queued brings a caller to the music.
func (x *crossing) queued() {
	x.t.Helper()
	x.arrives(false)
	x.accepted()
	x.send(x.trunk, x.caller.Ack(x.invite, nil))
}

// invited brings the INVITE to the agent's phone, which says 100 so that it
// is not sent again.
func (x *crossing) invited() {
	x.t.Helper()
	x.do(routing.Ring{Offer: x.offer})
	x.ring = x.await(x.phone, "INVITE")
	x.agent = x.phone.Called(x.ring)
	x.send(x.phone, x.agent.Reply(x.ring, 100, nil))
}

func (x *crossing) rings() {
	x.t.Helper()
	x.invited()
	x.send(x.phone, x.agent.Reply(x.ring, 180, nil))
	x.hears("PhoneRinging")
}

// picksUp answers the phone and takes the ACK.
func (x *crossing) picksUp() {
	x.t.Helper()
	x.answered = x.agent.Reply(x.ring, 200, x.phone.Audio(1, "sendrecv"))
	x.send(x.phone, x.answered)
	x.await(x.phone, "ACK")
	x.hears("PhoneAnswered")
}

// talks brings a call to where both are joined.
func (x *crossing) talks() {
	x.t.Helper()
	x.queued()
	x.rings()
	x.picksUp()
	x.do(routing.Connect{Offer: x.offer, Answered: time.Now()})
}

// talksDirectly is talks for a trunk whose media go directly: with the
// re-INVITE to the caller.
func (x *crossing) talksDirectly() {
	x.t.Helper()
	x.talks()
	again := x.await(x.trunk, "INVITE")
	x.send(x.trunk, x.caller.Reply(again, 200, x.trunk.Audio(1, "sendrecv")))
	x.await(x.trunk, "ACK")
	x.hears("Joined direct")
}

func (x *crossing) talksRelayed() {
	x.t.Helper()
	x.talks()
	x.hears("Joined relay")
}

// opened ends the opening: from here on all is counted.
func (x *crossing) opened() {
	for _, s := range []*siptest.Script{x.trunk, x.phone} {
		x.skip[s] = len(s.Saw())
	}
	x.skipEvents = len(x.engine.heard())
}

// ends has the engine end the call.
func (x *crossing) ends() { x.do(routing.EndCall{Call: x.id, Outcome: routing.Answered}) }

// hangsUp ends a call by the caller's BYE.
func (x *crossing) hangsUp() {
	x.t.Helper()
	x.send(x.trunk, x.caller.Request("BYE", nil))
	x.gone()
}

// gone is the engine's part when the caller or the agent has gone.
func (x *crossing) gone() {
	x.t.Helper()
	x.hears("CallerGone", "CallerGone unanswered", "AgentGone", "CallFailed no_ack")
	x.ends()
}

// cancels gives the caller's INVITE up and acknowledges its end.
func (x *crossing) cancels() {
	x.t.Helper()
	x.send(x.trunk, x.caller.Hop("CANCEL", x.invite, nil))
	x.await(x.trunk, "200 CANCEL")
	x.send(x.trunk, x.caller.Hop("ACK", x.invite, x.await(x.trunk, "487 INVITE")))
	x.gone()
}

// canceled ends the ringing of a phone that got our CANCEL.
func (x *crossing) canceled() {
	x.t.Helper()
	x.send(x.phone, x.agent.Reply(x.await(x.phone, "CANCEL"), 200, nil), x.agent.Reply(x.ring, 487, nil))
	x.await(x.phone, "ACK")
}

// refused takes a refusal of the peer's own INVITE and acknowledges it.
func (x *crossing) refused(at *siptest.Script, side *siptest.Side, invite *siptest.Message, what string) *siptest.Message {
	x.t.Helper()
	no := x.await(at, what)
	x.send(at, side.Hop("ACK", invite, no))
	return no
}

// want is what must have come since the opening: to the trunk and to the phone
// in any order, to the engine in this one.
type want struct{ trunk, phone, events string }

func list(s string) []string {
	var out []string
	for p := range strings.SplitSeq(s, ",") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// check waits for all that must come, answers our BYEs, asks both ends whether
// their dialog is still known, which it must not be, and compares. The answer
// to the question comes behind all that was still on its way.
func (x *crossing) check(w want) {
	x.t.Helper()
	legs := []struct {
		at   *siptest.Script
		side *siptest.Side
		want []string
	}{{x.trunk, x.caller, list(w.trunk)}, {x.phone, x.agent, list(w.phone)}}
	for _, leg := range legs {
		seen := map[string]int{}
		for _, what := range leg.want {
			seen[what]++
			m := x.awaitNth(leg.at, what, seen[what])
			if what == "BYE" {
				x.send(leg.at, leg.side.Reply(m, 200, nil))
			}
		}
	}
	x.noCalls()
	for _, leg := range legs {
		if leg.side != nil {
			x.send(leg.at, leg.side.Request("OPTIONS", nil))
			x.await(leg.at, "481 OPTIONS")
		}
		got := slices.DeleteFunc(leg.at.Saw()[x.skip[leg.at]:], func(s string) bool {
			return s == "481 OPTIONS" || s == "100 INVITE" // the one asked for here; and what may come any time
		})
		slices.Sort(got)
		slices.Sort(leg.want)
		if !slices.Equal(got, leg.want) {
			x.t.Errorf("at %s came %q, want %q", leg.at.URI(), got, leg.want)
		}
	}
	if got := strings.Join(x.engine.heard()[x.skipEvents:], ", "); got != w.events {
		x.t.Errorf("the engine heard %q, want %q", got, w.events)
	}
}

// noCalls waits until the gateway has forgotten the call.
func (x *crossing) noCalls() {
	x.t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for x.gw.Live() > 0 {
		select {
		case <-tick.C:
		case <-x.ctx.Done():
			x.t.Fatalf("%d calls are left", x.gw.Live())
		}
	}
}

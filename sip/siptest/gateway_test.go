package siptest_test

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
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

const anna = agents.ID("anna")

var loopback = netip.MustParseAddr("127.0.0.1")

// desk is the engine as these tests play it: every caller waits with music and
// is offered to the one agent; whoever hangs up ends the call.
type desk struct {
	next atomic.Int64
	gw   *sip.Gateway
	uri  string

	mu     sync.Mutex
	joined []string // ways
	failed []routing.Event
	caller identity.Caller
}

func (d *desk) NextCall() routing.CallID { return routing.CallID(d.next.Add(1)) }

func (d *desk) do(a ...routing.Action) { d.gw.Do(time.Now(), a) }

func (d *desk) Arrive(a sip.Arrival) bool {
	d.mu.Lock()
	d.caller = a.Caller
	d.mu.Unlock()
	d.do(routing.AnswerCaller{Call: a.Call, Music: media.DefaultMusic})
	return true
}

func (d *desk) Submit(ev routing.Event) {
	switch ev := ev.(type) {
	case routing.PhoneAnswered:
		d.do(routing.Connect{Offer: ev.Offer, Answered: time.Now()})
	case routing.CallerGone:
		d.do(routing.EndCall{Call: ev.Call, Outcome: routing.Answered, By: routing.ByCaller})
	case routing.AgentGone:
		d.do(routing.EndCall{Call: ev.Call, Outcome: routing.Answered, By: routing.ByAgent, Agent: ev.Agent, Attempt: ev.Attempt})
	case routing.PhoneHeld:
		d.do(routing.Hold{Offer: ev.Offer, On: ev.On, ByPhone: true})
	case routing.Joined:
		d.mu.Lock()
		d.joined = append(d.joined, ev.Media)
		d.mu.Unlock()
	case routing.JoinFailed, routing.PhoneFailed, routing.CallFailed:
		d.mu.Lock()
		d.failed = append(d.failed, ev)
		d.mu.Unlock()
	}
}

func (d *desk) Phone(agents.ID) (agents.Phone, bool) {
	return agents.Phone{URI: d.uri, AutoAnswer: true}, true
}

type setup struct {
	desk  *desk
	phone *siptest.Phone
	trunk *siptest.Trunk
	ctx   context.Context
}

// start runs a gateway between a robot trunk and a robot phone.
func start(t *testing.T, way, transport string, phone siptest.Behaviour) setup {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	lib, err := media.LoadLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	engine, err := media.New(media.Options{Addr: loopback, PortMin: 34000, PortMax: 35999, Library: lib})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	s := setup{desk: &desk{}, ctx: ctx}
	anywhere := netip.PrefixFrom(loopback, 8)
	s.desk.gw, err = sip.New(sip.Options{
		Trunks: []sip.Trunk{{Name: "t", Media: way, Trust: identity.Trust{
			Trunk: "t", Sources: []netip.Prefix{anywhere}, Headers: []identity.Source{identity.FromPAI}, Region: "GB"}}},
		Router: s.desk, Phones: s.desk, Media: engine, Mutual: []netip.Prefix{anywhere}, Host: loopback,
	})
	if err != nil {
		t.Fatal(err)
	}
	st, err := stack.New(stack.Options{
		Listen:  []stack.Listen{{Transport: transport, Addr: netip.AddrPortFrom(loopback, 0)}},
		Handler: s.desk.gw, Allow: s.desk.gw.Knows, T1: shortT1,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.desk.gw.Attach(st)
	st.Start()
	t.Cleanup(func() { st.Close() })
	t.Cleanup(func() {
		end, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := s.desk.gw.Close(end); err != nil {
			t.Errorf("calls are left: %v", err)
		}
		if n := engine.InUse(); n != 0 {
			t.Errorf("%d ports are left", n)
		}
	})
	if s.phone, err = siptest.NewPhone(ctx, siptest.Options{Name: "anna", Transport: transport, Behaviour: phone}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.phone.Close)
	s.desk.uri = s.phone.URI()
	s.trunk, err = siptest.NewTrunk(ctx, siptest.TrunkOptions{Transport: transport, Target: st.Addr(transport).String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.trunk.Close)
	return s
}

func (s setup) wait(t *testing.T, c *siptest.Call, k siptest.Kind) siptest.Event {
	t.Helper()
	e, err := c.WaitFor(s.ctx, k)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (s setup) hears(t *testing.T, who string, c *siptest.Call, freq float64) {
	t.Helper()
	if err := c.Audio().WaitHeard(s.ctx, freq); err != nil {
		t.Fatalf("%s does not hear %v Hz: %v", who, freq, err)
	}
}

// queued places a call and waits until the caller hears music.
func (s setup) queued(t *testing.T, o siptest.CallOptions) *siptest.Call {
	t.Helper()
	o.From, o.To = "anonymous", "+442079460100"
	o.PAI, o.Privacy = "<tel:+447700900001>", "id"
	c, err := s.trunk.Call(s.ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	s.wait(t, c, siptest.AckSent)
	if err := c.Audio().WaitFor(s.ctx, c.Audio().Music); err != nil {
		t.Fatalf("no music: %v", err)
	}
	return c
}

// talk rings the agent's n-th call and waits until both hear each other.
func (s setup) talk(t *testing.T, caller *siptest.Call, n int) *siptest.Call {
	t.Helper()
	s.desk.do(routing.Ring{Offer: routing.Offer{Call: routing.CallID(n), Attempt: 1, Agent: anna}, Until: time.Now().Add(20 * time.Second)})
	agent, err := s.phone.WaitCall(s.ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	s.wait(t, agent, siptest.AckReceived)
	s.hears(t, "the caller", caller, 660)
	s.hears(t, "the agent", agent, 440)
	return agent
}

var voice = siptest.CallOptions{Behaviour: siptest.Behaviour{Tone: 440}}

func TestRobotsThroughTheGateway(t *testing.T) {
	tests := []struct {
		name, way, transport string
		caller, agent        siptest.Behaviour
		joined               string
	}{
		{"relay", sip.MediaRelay, "udp", siptest.Behaviour{Tone: 440}, siptest.Behaviour{Ring: true, Tone: 660}, "relay"},
		{"direct", sip.MediaDirect, "udp", siptest.Behaviour{Tone: 440}, siptest.Behaviour{Ring: true, Tone: 660}, "direct"},
		{"tcp", sip.MediaAuto, "tcp", siptest.Behaviour{Tone: 440}, siptest.Behaviour{Tone: 660}, "direct"},
		{"late offer", sip.MediaRelay, "udp", siptest.Behaviour{Tone: 440, LateOffer: true}, siptest.Behaviour{Tone: 660}, "relay"},
		{"caller refuses re-INVITE", sip.MediaAuto, "udp", siptest.Behaviour{Tone: 440, RefuseReinvite: 488}, siptest.Behaviour{Tone: 660}, "relay"},
		{"agent refuses re-INVITE", sip.MediaRelay, "udp", siptest.Behaviour{Tone: 440}, siptest.Behaviour{Tone: 660, RefuseReinvite: 488}, "relay"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, tt.way, tt.transport, tt.agent)
			caller := s.queued(t, siptest.CallOptions{Behaviour: tt.caller})
			agent := s.talk(t, caller, 1)
			s.desk.mu.Lock()
			joined, failed, who := s.desk.joined, s.desk.failed, s.desk.caller
			s.desk.mu.Unlock()
			if len(joined) != 1 || joined[0] != tt.joined || len(failed) != 0 {
				t.Errorf("joined %v, failed %v", joined, failed)
			}
			if direct := caller.RemoteMedia() == agent.Audio().Local(); direct != (tt.joined == "direct") {
				t.Errorf("the caller sends to %v, the agent listens on %v", caller.RemoteMedia(), agent.Audio().Local())
			}
			if who.Number.E164() != "+447700900001" || !who.Restricted || !who.Trusted {
				t.Errorf("caller trusted %v, restricted %v", who.Trusted, who.Restricted)
			}
			if tt.agent.Ring {
				rang, _ := agent.At(siptest.RingingSent)
				ok, _ := agent.At(siptest.OKSent)
				if rang.IsZero() || ok.Before(rang) {
					t.Error("answered before it rang")
				}
			}
			agent.Hangup()
			s.wait(t, caller, siptest.ByeReceived)
		})
	}
}

func TestCallerHangsUpAndTheNextComes(t *testing.T) {
	t.Parallel()
	s := start(t, sip.MediaRelay, "udp", siptest.Behaviour{Ring: true, Tone: 660})
	for n := 1; n <= 3; n++ {
		caller := s.queued(t, voice)
		agent := s.talk(t, caller, n)
		caller.Hangup()
		s.wait(t, agent, siptest.ByeReceived)
	}
}

func TestPhoneHolds(t *testing.T) {
	for _, way := range []string{sip.MediaRelay, sip.MediaDirect} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			s := start(t, way, "udp", siptest.Behaviour{Tone: 660})
			caller := s.queued(t, voice)
			agent := s.talk(t, caller, 1)
			if err := agent.Hold(s.ctx); err != nil {
				t.Fatal(err)
			}
			// The caller hears music: neither silence nor the agent.
			if err := caller.Audio().WaitFor(s.ctx, func() bool { return caller.Audio().Loud() && !caller.Heard(660) }); err != nil {
				t.Fatalf("no music on hold: %v", err)
			}
			if err := agent.Unhold(s.ctx); err != nil {
				t.Fatal(err)
			}
			s.hears(t, "the caller", caller, 660)
			s.hears(t, "the agent", agent, 440)
			caller.Hangup()
			s.wait(t, agent, siptest.ByeReceived)
		})
	}
}

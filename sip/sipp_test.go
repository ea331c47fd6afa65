package sip

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// engine plays the routing engine for one call at a time: music, ring, connect,
// and after a failed offer one more.
type engine struct {
	w *world
	// told are the events' kinds, in order; PhoneFailed with its code.
	told  []string
	tries routing.Attempt
	ended chan struct{}
	// noAgent leaves the caller where he is.
	noAgent bool
	// withAgent leaves the caller's answer to the agent.
	withAgent bool
	// hold answers nothing: the caller stays at the 180.
	hold bool
	// ringFor is how long a phone rings before it is withdrawn; 0 for ever.
	ringFor time.Duration
}

func (e *engine) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-e.w.router.arrivals:
			if e.hold {
				continue
			}
			if !e.withAgent {
				e.w.do(routing.AnswerCaller{Call: a.Call, Music: "default"})
			}
			e.ring(a.Call)
		case ev := <-e.w.router.events:
			e.event(ev)
		}
	}
}

func (e *engine) ring(id routing.CallID) {
	if e.noAgent {
		return
	}
	e.tries++
	o := offerOf(id, e.tries)
	e.w.do(routing.Ring{Offer: o})
	if e.ringFor > 0 {
		time.AfterFunc(e.ringFor, func() { e.w.do(routing.Withdraw{Offer: o, Why: "rona"}) })
		if e.tries == 1 {
			time.AfterFunc(e.ringFor, func() { e.end(id, routing.ByServer) })
		}
	}
}

func (e *engine) end(id routing.CallID, by routing.Party) {
	e.w.do(routing.EndCall{Call: id, Outcome: routing.Answered, By: by})
	e.ended <- struct{}{}
}

func (e *engine) event(ev routing.Event) {
	kind := ev.Kind()
	if f, ok := ev.(routing.PhoneFailed); ok {
		kind += " " + strconv.Itoa(f.Code)
	}
	if h, ok := ev.(routing.PhoneHeld); ok {
		kind += " " + strconv.FormatBool(h.On)
	}
	e.told = append(e.told, kind)
	switch ev := ev.(type) {
	case routing.PhoneAnswered:
		e.w.do(routing.Connect{Offer: ev.Offer, Music: "default"})
	case routing.PhoneFailed:
		if e.tries < 2 {
			e.ring(ev.Call)
			return
		}
		e.end(ev.Call, routing.ByServer)
	case routing.TransferRequested:
		e.w.do(routing.Transferred{Offer: ev.Offer, ToAgent: ev.ToAgent}, routing.Release{Offer: ev.Offer, Why: "transferred"},
			routing.Wait{Call: ev.Call, Music: "default"})
		e.end(ev.Call, routing.ByAgent)
	case routing.CallerGone:
		e.end(ev.Call, routing.ByCaller)
	case routing.AgentGone:
		e.end(ev.Call, routing.ByAgent)
	case routing.CallFailed, routing.JoinFailed:
		e.ended <- struct{}{}
	}
}

// colleagues are those that a phone's REFER may name here.
type colleagues struct{}

func (colleagues) Named(o routing.Offer, user string) (to routing.TransferRequested, code string) {
	if user != "boris" {
		return to, "number_not_allowed"
	}
	return routing.TransferRequested{Offer: o, ToAgent: "boris"}, ""
}

// sippBlocks counts the blocks of ports given out.
var sippBlocks atomic.Int32

// freePort is a UDP port for SIPp whose audio and video ports, ten further on,
// are free as well. They lie below those that the kernel gives to others.
func freePort(t *testing.T) int {
	t.Helper()
	const first, blocks, size = 8000, 200, 20
	for range blocks {
		port := first + size*(int(sippBlocks.Add(1))%blocks)
		if free(port) && free(port+10) && free(port+12) {
			return port
		}
	}
	t.Fatal("no free ports for SIPp")
	return 0
}

func free(port int) bool {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, uint16(port))))
	if err != nil {
		return false
	}
	return c.Close() == nil
}

// sipp runs one scenario until it ends; its exit status is the verdict.
func sipp(ctx context.Context, t *testing.T, scenario string, port int, args ...string) <-chan error {
	t.Helper()
	errors := filepath.Join(t.TempDir(), scenario+".err")
	args = append([]string{
		"-sf", filepath.Join("siptest", "sipp", scenario+".xml"),
		"-i", "127.0.0.1", "-p", strconv.Itoa(port), "-mp", strconv.Itoa(port + 10),
		"-nostdin", "-trace_err", "-error_file", errors, "-timeout", "50s", "-timeout_error",
	}, args...)
	cmd := exec.CommandContext(ctx, "sipp", args...)
	cmd.WaitDelay = time.Second
	done := make(chan error, 1)
	go func() {
		out, err := cmd.CombinedOutput()
		if err != nil && ctx.Err() == nil {
			why, _ := os.ReadFile(errors)
			t.Logf("sipp %s: %v\n%s\n%s", scenario, err, out[max(0, len(out)-3000):], why)
		}
		done <- err
	}()
	return done
}

// listens waits until a program has bound the UDP port: an INVITE before that
// is lost, and half a second with it.
func listens(ctx context.Context, t *testing.T, port int) {
	t.Helper()
	bound := fmt.Sprintf(":%04X 00000000:0000", port) // local port, any peer
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		sockets, err := os.ReadFile("/proc/net/udp")
		if err != nil || strings.Contains(string(sockets), bound) {
			return // where there is no /proc, the INVITE is repeated
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatal("sipp does not listen")
		}
	}
}

// The same with SIPp, whose SIP is not ours. The delays leave a slow machine
// time for what must happen before them.
func TestSIPp(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sipp"); err != nil {
		t.Fatal("SIPp is missing. Install it with:  sudo apt-get install --no-install-recommends sip-tester")
	}
	for _, c := range []struct {
		name          string
		caller, agent string
		refer         string // whom the phone's REFER names
		delay         string // -d of both, milliseconds
		agentCalls    string // -m of the phone
		media         string // of the trunk
		redirect      bool   // it has its calls back
		engine        engine
		want          []string
	}{
		{name: "caller hangs up", caller: "caller_bye", agent: "agent_answer", delay: "1500",
			want: []string{"phone_ringing", "phone_answered", "joined", "caller_gone"}},
		{name: "agent hangs up", caller: "caller_wait", agent: "agent_answer_bye", delay: "1000",
			want: []string{"phone_ringing", "phone_answered", "joined", "agent_gone"}},
		{name: "anonymous", caller: "caller_anonymous", agent: "agent_answer", delay: "1500",
			want: []string{"phone_ringing", "phone_answered", "joined", "caller_gone"}},
		{name: "cancel before the answer", caller: "caller_cancel", delay: "50", engine: engine{hold: true},
			want: []string{"caller_gone"}},
		{name: "cancel crosses the answer", caller: "caller_cancel_race", engine: engine{noAgent: true},
			want: []string{"caller_gone"}},
		{name: "gives up in the queue", caller: "caller_bye", delay: "100", engine: engine{noAgent: true},
			want: []string{"caller_gone"}},
		{name: "gives up while it rings", caller: "caller_bye", agent: "agent_no_answer", delay: "1500",
			want: []string{"phone_ringing", "caller_gone"}},
		{name: "busy", caller: "caller_wait", agent: "agent_busy", agentCalls: "2",
			want: []string{"phone_failed 486", "phone_failed 486"}},
		{name: "busy after 180", caller: "caller_wait", agent: "agent_ring_busy", agentCalls: "2",
			want: []string{"phone_ringing", "phone_failed 486", "phone_ringing", "phone_failed 486"}},
		{name: "declined", caller: "caller_wait", agent: "agent_decline", agentCalls: "2",
			want: []string{"phone_ringing", "phone_failed 603", "phone_ringing", "phone_failed 603"}},
		{name: "no answer", caller: "caller_wait", agent: "agent_no_answer", engine: engine{ringFor: 1500 * time.Millisecond},
			want: []string{"phone_ringing"}},
		{name: "caller holds", caller: "caller_hold", agent: "agent_answer", delay: "1000",
			want: []string{"phone_ringing", "phone_answered", "joined", "caller_gone"}},
		{name: "agent holds", caller: "caller_bye", agent: "agent_hold", delay: "3000",
			want: []string{"phone_ringing", "phone_answered", "joined", "phone_held true", "phone_held false", "caller_gone"}},
		{name: "agent passes on", caller: "caller_wait", agent: "agent_refer", refer: "boris", delay: "500",
			want: []string{"phone_ringing", "phone_answered", "joined", "transfer_requested"}},
		{name: "agent passes on, and knows nothing of it", caller: "caller_wait", agent: "agent_refer_481", refer: "boris", delay: "500",
			want: []string{"phone_ringing", "phone_answered", "joined", "transfer_requested"}},
		{name: "agent may not pass on", caller: "caller_bye", agent: "agent_refer_refused", refer: "09098790000", delay: "1500",
			want: []string{"phone_ringing", "phone_answered", "joined", "caller_gone"}},
		{name: "answered with the agent", caller: "caller_bye", agent: "agent_answer", delay: "1500", engine: engine{withAgent: true},
			want: []string{"phone_ringing", "phone_answered", "joined", "caller_gone"}},
		{name: "answered with the agent, direct", caller: "caller_bye", agent: "agent_answer", delay: "1500", media: MediaDirect, engine: engine{withAgent: true},
			want: []string{"phone_ringing", "phone_answered", "joined", "caller_gone"}},
		{name: "answered with the agent, who hangs up", caller: "caller_wait", agent: "agent_answer_bye", delay: "1000", engine: engine{withAgent: true},
			want: []string{"phone_ringing", "phone_answered", "joined", "agent_gone"}},
		{name: "answered with the agent, then held", caller: "caller_hold", agent: "agent_answer", delay: "1000", engine: engine{withAgent: true},
			want: []string{"phone_ringing", "phone_answered", "joined", "caller_gone"}},
		{name: "cancel while it rings", caller: "caller_cancel", agent: "agent_no_answer", delay: "1500", engine: engine{withAgent: true},
			want: []string{"phone_ringing", "caller_gone"}},
		{name: "referred", caller: "caller_referred", redirect: true, want: []string{"phone_ringing", "phone_answered", "joined", "agent_gone"}},
		{name: "agent wants PRACK", caller: "caller_bye", agent: "agent_prack", delay: "1500",
			want: []string{"phone_ringing", "phone_answered", "joined", "caller_gone"}},
		{name: "agent wants PRACK, forked", caller: "caller_bye", agent: "agent_prack_forks", delay: "1500",
			want: []string{"phone_ringing", "phone_answered", "joined", "caller_gone"}},
		{name: "agent refuses PRACK", caller: "caller_bye", agent: "agent_prack_refused", delay: "1500",
			want: []string{"phone_ringing", "phone_answered", "joined", "caller_gone"}},
		{name: "cancel crosses the agent's answer", caller: "caller_cancel", agent: "agent_glare", delay: "1500", engine: engine{withAgent: true},
			want: []string{"phone_ringing", "caller_gone"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			w := newWorld(t, worldOptions{media: c.media, tune: func(g *Gateway) {
				g.targets = colleagues{}
				if g.trunks[0].Redirect = c.redirect; c.redirect {
					g.redirectedFor = 2 * time.Second
				}
			}})
			w.phones.set(anna, "sip:anna@127.0.0.1:9")
			e := &c.engine
			e.w, e.ended = w, make(chan struct{}, 10)
			if c.delay == "" {
				c.delay = "0"
			}
			phone := make(<-chan error)
			if c.agent != "" {
				if c.agentCalls == "" {
					c.agentCalls = "1"
				}
				port := freePort(t)
				delay := c.delay
				if c.agent == "agent_hold" {
					delay = "600" // within the caller's one pause
				}
				if c.agent == "agent_refer_refused" {
					delay = "300"
				}
				phone = sipp(ctx, t, c.agent, port, "-m", c.agentCalls, "-d", delay, "-s", "anna", "-key", "target", c.refer)
				w.phones.set(anna, "sip:anna@127.0.0.1:"+strconv.Itoa(port))
				listens(ctx, t, port)
			}
			run, stop := context.WithCancel(ctx)
			defer stop()
			var wg sync.WaitGroup
			wg.Go(func() { e.run(run) })
			caller := sipp(ctx, t, c.caller, freePort(t), "-m", "1", "-d", c.delay, "-s", "02079460000", w.stack.Addr("udp").String())

			if err := <-caller; err != nil {
				t.Errorf("caller: %v", err)
			}
			if c.agent != "" {
				if err := <-phone; err != nil {
					t.Errorf("phone: %v", err)
				}
			}
			select {
			case <-e.ended:
			case <-ctx.Done():
				t.Error("the engine heard of no end")
			}
			stop()
			wg.Wait()
			if got := e.told; !slices.Equal(got, c.want) {
				t.Errorf("engine heard %q, want %q", got, c.want)
			}
		})
	}
}

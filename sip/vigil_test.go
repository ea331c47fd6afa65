package sip

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/siptest"
	"github.com/cordboard/cordboard/sip/stack"
)

// watchful makes a gateway that looks often.
func watchful(g *Gateway) { g.lookEvery = 5 * time.Millisecond }

// request waits for a request of a method, whatever else is asked before.
func (c *peerCall) request(method string) *stack.Message {
	c.t.Helper()
	for {
		req := event[stack.Requested](c).Request
		if req.Method == method {
			return req
		}
		c.replies(req, 200)
	}
}

func (c *peerCall) replies(req *stack.Message, code int, h ...stack.Header) {
	c.t.Helper()
	if err := c.d.Reply(req, code, "", h, nil); err != nil {
		c.t.Fatal(err)
	}
}

// timed answers a phone's call with a session timer and connects it.
func (w *world) timed(c *peerCall, o routing.Offer, h ...stack.Header) {
	w.t.Helper()
	if err := c.d.Accept(h, c.answerTo(c.invite.Body, c.audio(media.SendRecv, 8, 101))); err != nil {
		w.t.Fatal(err)
	}
	event[stack.Acked](c)
	w.expect(routing.PhoneAnswered{Offer: o})
	w.do(routing.Connect{Offer: o})
	w.expect(routing.Joined{Offer: o, Media: "relay"})
}

// due makes the leg's next refresh due, once the last one's answer has come. It
// must not be called while one is due as it is: that one is sent, and answered
// only behind due.
func (w *world) due(o routing.Offer, of func(*call) *leg) {
	w.t.Helper()
	for busy := true; busy; {
		w.inside(o.Call, func(c *call) {
			l := of(c)
			if busy = l.vigil.cseq != 0 || l.asked != nil; !busy {
				l.vigil.fresh = time.Now().Add(-time.Hour)
			}
		})
	}
}

func callersLeg(c *call) *leg { return c.caller }
func agentsLeg(c *call) *leg  { return c.agent }

// A phone with session timers is refreshed by UPDATE, and one that answers 481
// has lost the call.
func TestSessionIsRefreshedByUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{tune: watchful})
	caller, _, id := w.queued(newPeer(t), 8, 101)
	o := offerOf(id, 1)
	agent := w.ringing(newPeer(t), o)
	if got := agent.invite.Get("Session-Expires"); got != "1800;refresher=uac" || agent.invite.Get("Supported") != "timer, 100rel" {
		t.Errorf("the phone is called with Session-Expires %q", got)
	}
	w.timed(agent, o, stack.Header{Name: "Session-Expires", Value: "1800;refresher=uac"})
	for _, code := range []int{200, 200, 481} {
		w.due(o, agentsLeg)
		req := event[stack.Requested](agent).Request
		if req.Method != "UPDATE" || len(req.Body) != 0 || req.Get("Session-Expires") != "1800;refresher=uac" {
			t.Fatalf("refreshed by %s, %d octets, Session-Expires %q", req.Method, len(req.Body), req.Get("Session-Expires"))
		}
		agent.replies(req, code, stack.Header{Name: "Session-Expires", Value: "1800;refresher=uac"})
	}
	event[stack.Ended](agent)
	w.expect(routing.AgentGone{Offer: o})
	w.do(routing.Wait{Call: id, Music: media.DefaultMusic})
	w.hangUp(caller, id)
}

// A phone that does not take UPDATE, or says so only when it gets one, is
// refreshed by a re-INVITE that changes nothing. A refusal is a sign of life.
func TestSessionIsRefreshedByReinvite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{tune: watchful})
	caller, atCaller, id := w.queued(newPeer(t), 8, 101)
	o := offerOf(id, 1)
	agent := w.ringing(newPeer(t), o)
	expires := stack.Header{Name: "Session-Expires", Value: "1800;refresher=uac"}
	w.timed(agent, o, expires)
	w.due(o, agentsLeg)
	agent.replies(agent.request("UPDATE"), 405) // still due
	req, _ := reasked(agent)
	if was, is := originOf(t, agent.invite.Body), originOf(t, req.Body); was[2] != is[2] || string(req.Body) != string(agent.invite.Body) {
		t.Errorf("the refresh changes the description:\n%s\n%s", agent.invite.Body, req.Body)
	}
	agent.replies(req, 488)
	w.due(o, agentsLeg)
	req, _ = reasked(agent)
	if err := agent.d.Reply(req, 200, "", []stack.Header{expires}, agent.answerTo(req.Body, agent.audio(media.SendRecv, 8, 101))); err != nil {
		t.Fatal(err)
	}
	event[stack.Acked](agent)
	agent.hears(caller, atCaller.Addr, rtpPacket(8, 1)) // the call goes on
	w.due(o, agentsLeg)
	agent.replies(agent.request("INVITE"), 408)
	w.expect(routing.AgentGone{Offer: o})
	event[stack.Ended](agent)
	w.do(routing.Wait{Call: id, Music: media.DefaultMusic})
	w.hangUp(caller, id)
}

// A refresh that is answered by another address is followed.
func TestRefreshThatBringsAnotherAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{tune: watchful})
	caller, _, id := w.queued(newPeer(t), 8, 101)
	o := offerOf(id, 1)
	agent := w.ringing(newPeer(t), o)
	expires := stack.Header{Name: "Session-Expires", Value: "1800;refresher=uac"}
	w.timed(agent, o, expires, stack.Header{Name: "Allow", Value: "INVITE, ACK, BYE, CANCEL"})
	w.due(o, agentsLeg)
	req, told := reasked(agent)
	agent.rtp = agent.socket()
	if err := agent.d.Reply(req, 200, "", []stack.Header{expires}, agent.answerTo(req.Body, agent.audio(media.SendRecv, 8, 101))); err != nil {
		t.Fatal(err)
	}
	event[stack.Acked](agent)
	caller.hears(agent, told.Addr, rtpPacket(8, 2))
	w.hangUp(caller, id)
	event[stack.Ended](agent)
}

// The caller's side: its own refreshes are answered, and when they stay away it
// is asked before its time is over.
func TestCallerWhoRefreshes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{tune: watchful})
	caller := newPeerCall(t)
	timer := []stack.Header{{Name: "Supported", Value: "timer"}, {Name: "Session-Expires", Value: "120;refresher=uac"}}
	w.call(newPeer(t), caller.side.Offer(caller.audio(media.SendRecv, 8)), caller, timer...)
	id := get(t, "arrival", w.router.arrivals).Call
	event[stack.Progress](caller)
	w.do(routing.AnswerCaller{Call: id, Music: "default"})
	ok := event[stack.Answered](caller).Response
	if ok.Get("Session-Expires") != "120;refresher=uac" || ok.Get("Require") != "timer" {
		t.Errorf("answered with Session-Expires %q, Require %q", ok.Get("Session-Expires"), ok.Get("Require"))
	}
	_ = caller.d.Ack(nil)
	for _, c := range []struct {
		expires string
		code    int
		answer  string
	}{{"120;refresher=uac", 200, "120;refresher=uac"}, {"30;refresher=uac", 422, ""}} {
		h := []stack.Header{{Name: "Supported", Value: "timer"}, {Name: "Session-Expires", Value: c.expires}}
		if _, err := caller.d.Request("UPDATE", h, "", nil); err != nil {
			t.Fatal(err)
		}
		r := event[stack.Replied](caller)
		if r.Code != c.code || r.Response.Get("Session-Expires") != c.answer {
			t.Errorf("UPDATE %s answered %d, %q", c.expires, r.Code, r.Response.Get("Session-Expires"))
		}
		if c.code == 422 && r.Response.Get("Min-SE") != "90" {
			t.Errorf("422 with Min-SE %q", r.Response.Get("Min-SE"))
		}
	}
	w.due(offerOf(id, 0), callersLeg)
	caller.replies(caller.request("UPDATE"), 408)
	event[stack.Ended](caller)
	w.expect(routing.CallerGone{Call: id})
	w.do(routing.EndCall{Call: id, Outcome: routing.Abandoned, By: routing.ByCaller})
}

// A new call whose session interval is too short gets 422 (RFC 4028 section 9).
func TestSessionIntervalOfANewCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{})
	caller := newPeerCall(t)
	w.call(newPeer(t), caller.side.Offer(caller.audio(media.SendRecv, 8)), caller,
		stack.Header{Name: "Supported", Value: "timer"}, stack.Header{Name: "Session-Expires", Value: "60"})
	if f := event[stack.Failed](caller); f.Code != 422 || f.Response.Get("Min-SE") != "90" {
		t.Errorf("answered %d with Min-SE %q", f.Code, f.Response.Get("Min-SE"))
	}
}

// A phone that wants a longer interval than ours is called again, once, as the
// same attempt.
func TestPhoneThatWantsALongerSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{})
	phone := newPeer(t)
	caller, _, id := w.queued(newPeer(t), 8, 101)
	o := offerOf(id, 1)
	w.phones.set(anna, phone.uri("anna"))
	w.do(routing.Ring{Offer: o})
	first := get(t, "INVITE", phone.calls)
	longer := []stack.Header{{Name: "Min-SE", Value: "3600"}}
	_ = first.d.Reject(422, "", longer)
	agent := get(t, "second INVITE", phone.calls)
	if got := agent.invite.Get("Session-Expires"); got != "3600;refresher=uac" || agent.invite.Get("Min-SE") != "3600" {
		t.Errorf("called again with Session-Expires %q", got)
	}
	_ = agent.d.Reject(422, "", longer) // it has not understood itself
	w.expect(routing.PhoneFailed{Offer: o, Code: 422})
	w.hangUp(caller, id)
}

// Peers without session timers are asked by OPTIONS. Those that answer
// anything but 481 and 408 are there, and those who answer so are asked once
// more by a re-INVITE.
func TestDeadPeerIsFoundByOptions(t *testing.T) {
	t.Parallel()
	for _, dead := range []string{"caller", "agent"} {
		for _, code := range []int{481, 408} {
			t.Run(fmt.Sprint(dead, "/", code), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, worldOptions{media: MediaDirect, tune: watchful})
				caller, agent, o, _, _ := w.joined(newPeer(t), newPeer(t))
				w.inside(o.Call, func(c *call) { c.gw.probeEvery = time.Millisecond })
				one, other := caller, agent
				if dead == "agent" {
					one, other = agent, caller
				}
				for _, alive := range []int{200, 404, 405, 501} {
					one.replies(one.request("OPTIONS"), alive)
				}
				one.replies(one.request("OPTIONS"), code)
				one.replies(one.request("INVITE"), code)
				event[stack.Ended](one)
				if dead == "agent" {
					w.expect(routing.AgentGone{Offer: o})
				} else {
					w.expect(routing.CallerGone{Call: o.Call})
				}
				w.do(routing.EndCall{Call: o.Call, Outcome: routing.Answered, By: routing.ByCaller})
				endsWhileAsked(other)
			})
		}
	}
}

// A peer that denies the dialog to OPTIONS, or is silent to it, and is not heard
// here, keeps its call as long as it knows a re-INVITE.
func TestPeerWithoutOptions(t *testing.T) {
	t.Parallel()
	for _, code := range []int{481, 408} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, worldOptions{media: MediaDirect, tune: watchful})
			caller, agent, o, _, _ := w.joined(newPeer(t), newPeer(t))
			w.inside(o.Call, func(c *call) { c.gw.probeEvery = time.Millisecond })
			agent.replies(agent.request("OPTIONS"), code)
			for range 3 {
				req := agent.request("INVITE")
				body := agent.answerTo(req.Body, agent.audio(media.SendRecv, 8, 101))
				if err := agent.d.Reply(req, 200, "", nil, body); err != nil {
					t.Fatal(err)
				}
				event[stack.Acked](agent)
			}
			w.do(routing.EndCall{Call: o.Call, Outcome: routing.Answered, By: routing.ByAgent})
			endsWhileAsked(agent)
			endsWhileAsked(caller)
		})
	}
}

// endsWhileAsked waits for the BYE behind whatever OPTIONS come before it.
func endsWhileAsked(c *peerCall) {
	c.t.Helper()
	for {
		switch ev := get(c.t, "BYE", c.events).(type) {
		case stack.Ended:
			return
		case stack.Requested:
			_ = c.d.Reply(ev.Request, 200, "", nil, nil)
		default:
			c.t.Fatalf("%T%+v, want a BYE", ev, ev)
		}
	}
}

// Silence on a relayed leg is a reason to ask, and nothing more: a muted phone
// answers, a dead one does not.
func TestSilenceIsAskedAbout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaRelay, tune: func(g *Gateway) {
		watchful(g)
		g.silentAfter = 20 * time.Millisecond
	}})
	caller, agent, o, atCaller, _ := w.joined(newPeer(t), newPeer(t))
	speak := time.NewTicker(5 * time.Millisecond) // the caller speaks, the agent does not
	defer speak.Stop()
	asked := 0
	for n := byte(0); asked < 3; n++ {
		select {
		case <-speak.C:
			_, _ = caller.rtp.WriteToUDPAddrPort(rtpPacket(8, n), atCaller.Addr)
		case ev := <-agent.events:
			req := ev.(stack.Requested).Request
			if req.Method != "OPTIONS" {
				t.Fatalf("asked %s", req.Method)
			}
			agent.replies(req, 200)
			asked++
		case <-time.After(patience):
			t.Fatal("the silent phone is not asked")
		}
	}
	agent.replies(agent.request("OPTIONS"), 481)
	agent.replies(agent.request("INVITE"), 481)
	event[stack.Ended](agent)
	w.expect(routing.AgentGone{Offer: o})
	w.do(routing.EndCall{Call: o.Call, Outcome: routing.Answered, By: routing.ByAgent})
	endsWhileAsked(caller)
}

// A phone that holds may be silent. And who is heard is there, whatever it
// answers to OPTIONS: some telephones know no OPTIONS in a dialog.
func TestHeardPeerIsNotDead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaRelay, tune: watchful})
	caller, agent, o, atCaller, atAgent := w.joined(newPeer(t), newPeer(t))
	caller.hears(agent, atAgent.Addr, rtpPacket(8, 1))
	w.inside(o.Call, func(c *call) { c.gw.lookEvery, c.gw.probeEvery = time.Minute, time.Millisecond; c.look() })
	agent.replies(agent.request("OPTIONS"), 481)
	caller.replies(caller.request("OPTIONS"), 200)
	agent.hears(caller, atCaller.Addr, rtpPacket(8, 2))
	w.inside(o.Call, func(c *call) {
		c.gw.silentAfter = 0
		c.caller.holding, c.agent.holding = true, true
		if c.silent(c.caller, time.Now()) || c.silent(c.agent, time.Now()) {
			t.Error("who holds is taken for silent")
		}
		c.caller.holding, c.agent.holding = false, false
	})
	w.hangUp(caller, o.Call)
	endsWhileAsked(agent)
}

// F-31: a peer whose TCP connection is gone and that can't be reached any more
// is given up, once it has had time to come back.
func TestConnectionGoneDuringTheCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaRelay, tune: watchful})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	trunk, err := siptest.NewTrunk(ctx, siptest.TrunkOptions{Transport: "tcp", Target: w.stack.Addr("tcp").String()})
	if err != nil {
		t.Fatal(err)
	}
	defer trunk.Close()
	call, err := trunk.Call(ctx, siptest.CallOptions{From: "07700900123", To: "02079460000"})
	if err != nil {
		t.Fatal(err)
	}
	a := get(t, "arrival", w.router.arrivals)
	w.do(routing.AnswerCaller{Call: a.Call, Music: "default"})
	if _, err := call.WaitFor(ctx, siptest.AckSent); err != nil {
		t.Fatal(err)
	}
	o := offerOf(a.Call, 1)
	agent := w.ringing(newPeer(t), o)
	w.picksUp(agent, o, 8, 101)
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	trunk.Close()
	w.expect(routing.CallerGone{Call: a.Call})
	event[stack.Ended](agent)
	w.do(routing.EndCall{Call: a.Call, Outcome: routing.Answered, By: routing.ByCaller})
}

package sip

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// question is the number of the question in these tests: no other call has it.
const question = routing.CallID(700)

func askedOffer(n routing.Attempt) routing.Offer {
	return routing.Offer{Call: question, Attempt: n, Agent: "boris"}
}

// starts has the agent ask: the caller holds.
func (w *world) starts(o routing.Offer) {
	w.do(routing.ConsultStarted{Offer: o, Consult: question, Queue: "experts"}, routing.Hold{Offer: o, On: true})
}

// stops is the end of the question, as the engine tells it.
func (w *world) stops(o routing.Offer, why string) {
	w.do(routing.EndCall{Call: question, Outcome: routing.Consulted, By: routing.ByAgent, Reason: why, Consult: o.Call},
		routing.ConsultEnded{Offer: o, Consult: question, Why: why}, routing.Hold{Offer: o})
}

// conferring is a call whose agent talks to another, while the caller holds.
type conferring struct {
	*world
	caller, agent, asked *peerCall
	o, q                 routing.Offer
	atCaller, atAgent    media.Audio // what they were told when they were joined
	atAsked              media.Audio
	own                  media.Audio // what the agent was told for the question: our port
}

func confer(t *testing.T, way string) *conferring {
	w := &conferring{world: newWorld(t, worldOptions{media: way}), q: askedOffer(1)}
	w.caller, w.agent, w.o, w.atCaller, w.atAgent = w.joined(newPeer(t), newPeer(t))
	w.starts(w.o)
	w.held()
	w.asked = w.ringing(newPeer(t), w.q)
	w.atAsked = w.picksUp(w.asked, w.q, 8, 101)
	w.own = w.atAgent
	if way == MediaDirect {
		req, told := reasked(w.agent)
		w.own = told
		if told.Addr == w.caller.addr() || told.Dir != media.SendRecv {
			t.Errorf("agent told %+v, want a port of ours", told)
		}
		agrees(w.agent, req, w.agent.audio(media.SendRecv, 8, 101))
	}
	w.expect(routing.Joined{Offer: w.q, Media: "relay"})
	return w
}

// held plays the phones' part of a hold, which a direct join has.
func (w *conferring) held() {
	w.t.Helper()
	if w.gw.trunks[0].Media == MediaDirect {
		req, told := reasked(w.agent)
		if told.Dir != media.Inactive {
			w.t.Errorf("agent told %v, want inactive", told.Dir)
		}
		agrees(w.agent, req, w.agent.audio(media.Inactive, 8, 101))
		req, told = reasked(w.caller)
		if told.Addr == w.agent.addr() {
			w.t.Error("caller is left with the agent's phone")
		}
		agrees(w.caller, req, w.caller.audio(media.SendRecv, 8, 101))
	}
	w.caller.hearsMusic(8)
}

// back plays the phones' part of the end of a question, and has caller and agent
// hear one another again.
func (w *conferring) back() {
	w.t.Helper()
	if w.gw.trunks[0].Media == MediaDirect {
		w.directAgain()
	} else {
		w.agent.hears(w.caller, w.atCaller.Addr, rtpPacket(8, 7))
		w.caller.hears(w.agent, w.atAgent.Addr, rtpPacket(8, 8))
	}
	w.hangUp(w.caller, w.o.Call)
	event[stack.Ended](w.agent)
}

// directAgain answers re-INVITEs until each phone was told of the other: there may
// be one more for the moment in which the question was over and the hold was not.
func (w *conferring) directAgain() {
	w.t.Helper()
	for agent, caller := false, false; !agent || !caller; {
		select {
		case ev := <-w.agent.events:
			agent = w.toldOf(w.agent, ev, w.caller)
		case ev := <-w.caller.events:
			caller = w.toldOf(w.caller, ev, w.agent)
		case <-time.After(patience):
			w.t.Fatalf("joined again: agent told %v, caller told %v", agent, caller)
		}
	}
}

func (w *conferring) toldOf(c *peerCall, ev stack.Event, other *peerCall) bool {
	w.t.Helper()
	r, ok := ev.(stack.Requested)
	if !ok {
		w.t.Fatalf("%T%+v, want a re-INVITE", ev, ev)
	}
	_, told := c.sdpOf(r.Request.Body)
	agrees(c, r.Request, c.audio(media.SendRecv.Answer(told.Dir), 8, 101))
	return told.Addr == other.addr() && told.Dir == media.SendRecv
}

func bothWays(t *testing.T, test func(*testing.T, string)) {
	t.Parallel()
	for _, way := range []string{MediaRelay, MediaDirect} {
		t.Run(way, func(t *testing.T) { test(t, way) })
	}
}

// The agent asks, both hear one another and the caller hears music, and is back.
func TestAskAndComeBack(t *testing.T) {
	bothWays(t, func(t *testing.T, way string) {
		w := confer(t, way)
		w.asked.hears(w.agent, w.own.Addr, rtpPacket(8, 2))
		w.agent.hears(w.asked, w.atAsked.Addr, rtpPacket(8, 3))
		w.caller.hearsMusic(8)
		w.stops(w.o, "stopped")
		event[stack.Ended](w.asked)
		w.back()
	})
}

// Who was asked hangs up.
func TestAskedHangsUp(t *testing.T) {
	bothWays(t, func(t *testing.T, way string) {
		w := confer(t, way)
		w.asked.d.Bye(nil)
		w.expect(routing.AgentGone{Offer: w.q})
		w.stops(w.o, "left")
		w.back()
	})
}

// Who was asked has the caller: nobody's phone is told anything new by a relay, and
// the sender's is hung up.
func TestAskAndHandOver(t *testing.T) {
	bothWays(t, func(t *testing.T, way string) {
		w := confer(t, way)
		next := routing.Offer{Call: w.o.Call, Attempt: 2, Agent: w.q.Agent}
		w.do(routing.HandedOver{Offer: next, From: w.o, Asked: w.q, Queue: "experts"},
			routing.EndCall{Call: question, Outcome: routing.Consulted, By: routing.ByAgent, Consult: w.o.Call})
		event[stack.Ended](w.agent)
		w.expect(routing.Joined{Offer: next, Media: "relay"})
		var atCaller media.Audio
		w.inside(w.o.Call, func(c *call) { atCaller = c.caller.ownAudio() })
		w.asked.hears(w.caller, atCaller.Addr, rtpPacket(8, 4))
		w.caller.hears(w.asked, w.atAsked.Addr, rtpPacket(8, 5))
		w.do(routing.Hold{Offer: next, On: true})
		w.caller.hearsMusic(8)
		w.asked.d.Bye(nil)
		w.expect(routing.AgentGone{Offer: next})
		w.do(routing.EndCall{Call: w.o.Call, Outcome: routing.Answered, By: routing.ByAgent})
		event[stack.Ended](w.caller)
	})
}

// The agent goes back to the caller, and to who was asked again, who hears music
// meanwhile.
func TestAskAndSwap(t *testing.T) {
	bothWays(t, func(t *testing.T, way string) {
		w := confer(t, way)
		var atCaller media.Audio
		w.inside(w.o.Call, func(c *call) { atCaller = c.caller.ownAudio() })
		w.do(routing.Hold{Offer: w.o})
		w.caller.hears(w.agent, w.own.Addr, rtpPacket(8, 2))
		w.agent.hears(w.caller, atCaller.Addr, rtpPacket(8, 3))
		w.asked.hearsMusic(8)
		w.do(routing.Hold{Offer: w.o, On: true})
		w.asked.hears(w.agent, w.own.Addr, rtpPacket(8, 4))
		w.caller.hearsMusic(8)
		w.stops(w.o, "stopped")
		event[stack.Ended](w.asked)
		w.back()
	})
}

// The caller hangs up while the two talk: nobody is left on a line.
func TestCallerHangsUpWhileAsked(t *testing.T) {
	bothWays(t, func(t *testing.T, way string) {
		w := confer(t, way)
		w.hangUp(w.caller, w.o.Call)
		event[stack.Ended](w.agent)
		event[stack.Ended](w.asked)
	})
}

// The phone of who asks hangs up; the caller goes to who was asked.
func TestAskerHangsUp(t *testing.T) {
	bothWays(t, func(t *testing.T, way string) {
		w := confer(t, way)
		w.agent.d.Bye(nil)
		w.expect(routing.AgentGone{Offer: w.o})
		next := routing.Offer{Call: w.o.Call, Attempt: 2, Agent: w.q.Agent}
		w.do(routing.HandedOver{Offer: next, From: w.o, Asked: w.q, Queue: "experts"})
		w.expect(routing.Joined{Offer: next, Media: "relay"})
		w.caller.hears(w.asked, w.atAsked.Addr, rtpPacket(8, 5))
		w.hangUp(w.caller, w.o.Call)
		event[stack.Ended](w.asked)
	})
}

// Who was asked hangs up in the moment of the hand-over: the engine, which has heard
// that of the question only, hears it of the call.
func TestHandedOverToNobody(t *testing.T) {
	t.Parallel()
	w := confer(t, MediaRelay)
	w.asked.d.Bye(nil)
	w.expect(routing.AgentGone{Offer: w.q})
	next := routing.Offer{Call: w.o.Call, Attempt: 2, Agent: w.q.Agent}
	w.do(routing.HandedOver{Offer: next, From: w.o, Asked: w.q, Queue: "experts"})
	w.expect(routing.AgentGone{Offer: next})
	event[stack.Ended](w.agent)
	w.do(routing.EndCall{Call: w.o.Call, Outcome: routing.Answered, By: routing.ByAgent})
	event[stack.Ended](w.caller)
}

// The one who is asked does not answer, is busy, or answers when it is over.
func TestAskedDoesNotCome(t *testing.T) {
	t.Parallel()
	w := &conferring{world: newWorld(t, worldOptions{media: MediaRelay}), q: askedOffer(1)}
	w.caller, w.agent, w.o, w.atCaller, w.atAgent = w.joined(newPeer(t), newPeer(t))
	w.starts(w.o)
	w.caller.hearsMusic(8)
	late := w.ringing(newPeer(t), w.q)
	w.do(routing.Withdraw{Offer: w.q, Why: "rona"})
	event[stack.Canceled](late)
	busy := w.ringing(newPeer(t), askedOffer(2))
	if err := busy.d.Reject(486, "", nil); err != nil {
		t.Fatal(err)
	}
	w.expect(routing.PhoneFailed{Offer: askedOffer(2), Code: 486})
	w.stops(w.o, "phone_busy")
	w.do(routing.Ring{Offer: askedOffer(3)}) // of a question that is over
	w.back()
}

// The agent's phone will not be told of our port: the question cannot be asked, and
// the call goes on as it was.
func TestAskerRefusesTheRelay(t *testing.T) {
	t.Parallel()
	w := &conferring{world: newWorld(t, worldOptions{media: MediaDirect}), q: askedOffer(1)}
	w.caller, w.agent, w.o, w.atCaller, w.atAgent = w.joined(newPeer(t), newPeer(t))
	w.starts(w.o)
	w.held()
	w.asked = w.ringing(newPeer(t), w.q)
	w.picksUp(w.asked, w.q, 8, 101)
	req, _ := reasked(w.agent)
	if err := w.agent.d.Reply(req, 488, "", nil, nil); err != nil {
		t.Fatal(err)
	}
	w.expect(routing.JoinFailed{Offer: w.q, Reason: "refused"})
	event[stack.Ended](w.asked)
	w.stops(w.o, "join_failed")
	w.back()
}

// The agent's phone asks something itself in the moment in which it is to be told of
// our port (491, RFC 3261 14.1): it is told again, and the question goes on.
func TestAskerGlare(t *testing.T) {
	t.Parallel()
	w := &conferring{world: newWorld(t, worldOptions{media: MediaDirect}), q: askedOffer(1)}
	w.caller, w.agent, w.o, w.atCaller, w.atAgent = w.joined(newPeer(t), newPeer(t))
	w.starts(w.o)
	w.held()
	w.asked = w.ringing(newPeer(t), w.q)
	w.atAsked = w.picksUp(w.asked, w.q, 8, 101)
	req, _ := reasked(w.agent)
	if err := w.agent.d.Reply(req, 491, "", nil, nil); err != nil {
		t.Fatal(err)
	}
	req, w.own = reasked(w.agent)
	agrees(w.agent, req, w.agent.audio(media.SendRecv, 8, 101))
	w.expect(routing.Joined{Offer: w.q, Media: "relay"})
	w.asked.hears(w.agent, w.own.Addr, rtpPacket(8, 2))
	w.agent.hears(w.asked, w.atAsked.Addr, rtpPacket(8, 3))
	w.caller.hearsMusic(8)
	w.stops(w.o, "stopped")
	event[stack.Ended](w.asked)
	w.back()
}

// askingOrder is a random order of the engine about a question.
func (tp *tape) askingOrder(o routing.Offer) routing.Action {
	q := askedOffer(tp.asked)
	q.Agent = anna
	switch tp.rnd.IntN(10) {
	case 0:
		return routing.ConsultStarted{Offer: o, Consult: question}
	case 1, 2:
		tp.asked++
		q.Attempt = tp.asked
		return routing.Ring{Offer: q}
	case 3:
		return routing.Withdraw{Offer: q, Why: "rona"}
	case 4:
		if tp.rnd.IntN(3) == 0 {
			return routing.EndCall{Call: question, Outcome: routing.Consulted}
		}
	case 5:
		if tp.rnd.IntN(3) == 0 {
			tp.attempt++
			return routing.HandedOver{Offer: offerOf(tp.c.id, tp.attempt), From: o, Asked: q}
		}
	case 6:
		return routing.Hold{Offer: o, On: tp.rnd.IntN(2) == 0}
	}
	return routing.Connect{Offer: q}
}

// TestTapeOfQuestions: the tape, whose agents ask others in any order.
func TestTapeOfQuestions(t *testing.T) {
	t.Parallel()
	engine := tapeEngine(t)
	told := map[string]int{}
	deadline := time.Now().Add(5 * time.Second)
	for seed := range uint64(1500) {
		way := MediaRelay
		if seed%2 == 0 {
			way = MediaDirect
		}
		tp := startTape(t, seed, engine, way, true)
		tp.told = told
		if err := tp.run(); err != nil {
			for _, l := range tp.log {
				t.Log(l)
			}
			t.Fatalf("seed %d (%s): %v", seed, way, err)
		}
		if time.Now().After(deadline) {
			t.Logf("the machine is slow: %d tapes run", seed+1)
			break
		}
	}
	t.Log(told)
}

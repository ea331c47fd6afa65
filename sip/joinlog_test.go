package sip

import (
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// A peer that takes a re-INVITE with an answer that is of no use has refused
// nothing: the log says so, and names no code that the peer never sent. The two
// are joined by the relay all the same.
func TestUnusableAnswerIsLoggedAsSuch(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.InfoLevel)
	w := newWorld(t, worldOptions{media: MediaDirect, tune: func(g *Gateway) { g.log = zap.New(core) }})
	caller, _, id := w.queued(newPeer(t), 9, 8, 101)
	o := offerOf(id, 1)
	agent := w.ringing(newPeer(t), o)
	w.picksUp(agent, o, 9, 8, 101)
	req, _ := reasked(caller)
	if err := caller.d.Reply(req, 200, "", nil, []byte("v=0\r\n")); err != nil {
		t.Fatal(err)
	}
	event[stack.Acked](caller)
	req, _ = reasked(agent)
	agrees(agent, req, agent.audio(media.SendRecv, 8, 101))
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	if n := logs.FilterMessage("re-INVITE answered with what is not usable").FilterField(zap.String("leg", "caller")).Len(); n != 1 {
		t.Errorf("the log has it %d times: %v", n, logs.All())
	}
	if n := logs.FilterMessage("re-INVITE refused").Len(); n != 0 {
		t.Errorf("the log has a refusal that nobody sent: %v", logs.All())
	}
	w.hangUp(caller, id)
	event[stack.Ended](agent)
}

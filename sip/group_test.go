package sip

import (
	"strings"
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// ringsGroup brings the phones of some agents to ring at once, in this order.
func (w *world) ringsGroup(id routing.CallID, ids ...agents.ID) (phones []*peerCall, offers []routing.Offer) {
	w.t.Helper()
	for i, agent := range ids {
		o, p := routing.Offer{Call: id, Attempt: routing.Attempt(i + 1), Agent: agent}, newPeer(w.t)
		w.phones.set(agent, p.uri(string(agent)))
		w.do(routing.Ring{Offer: o, Group: true})
		c := get(w.t, "INVITE to the phone", p.calls)
		if err := c.d.Progress(180, "", nil, nil); err != nil {
			w.t.Fatal(err)
		}
		w.expect(routing.PhoneRinging{Offer: o})
		phones, offers = append(phones, c), append(offers, o)
	}
	return phones, offers
}

// answers has a phone pick up; the engine has yet to decide.
func (w *world) answers(c *peerCall, o routing.Offer) {
	w.t.Helper()
	if err := c.d.Accept(nil, c.answerTo(c.invite.Body, c.audio(media.SendRecv, 8, 101))); err != nil {
		w.t.Fatal(err)
	}
	event[stack.Acked](c)
	w.expect(routing.PhoneAnswered{Offer: o})
}

// Three phones ring, the one in the middle is picked up: the other two stop,
// and the caller hears the one.
func TestGroupIsAnsweredByOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaRelay})
	caller, atCaller, id := w.queued(newPeer(t), 8, 101)
	phones, offers := w.ringsGroup(id, "anna", "bob", "carl")
	w.answers(phones[1], offers[1])
	w.do(routing.Connect{Offer: offers[1]},
		routing.Withdraw{Offer: offers[0], Why: "answered_elsewhere"}, routing.Withdraw{Offer: offers[2], Why: "answered_elsewhere"})
	for _, lost := range []*peerCall{phones[0], phones[2]} {
		if why := event[stack.Canceled](lost).Reason; !strings.Contains(why, "completed elsewhere") {
			t.Errorf("CANCEL says %q, and the phone will show a missed call", why)
		}
	}
	w.expect(routing.Joined{Offer: offers[1], Media: "relay"})
	_, atAgent := phones[1].sdpOf(phones[1].invite.Body)
	phones[1].hears(caller, atCaller.Addr, rtpPacket(8, 11))
	caller.hears(phones[1], atAgent.Addr, rtpPacket(8, 22))
	if n := w.media.InUse(); n != 2 {
		t.Errorf("%d RTP ports in use, want those of the two who talk", n)
	}
	w.hangUp(caller, id)
	event[stack.Ended](phones[1])
}

// Two pick up in the same instant: whoever the engine names has the caller, the
// other is acknowledged and released, whichever 200 came last.
func TestGroupIsAnsweredByTwo(t *testing.T) {
	t.Parallel()
	for _, way := range []string{MediaRelay, MediaDirect} {
		for winner := range 2 {
			w := newWorld(t, worldOptions{media: way})
			caller, _, id := w.queued(newPeer(t), 8, 101)
			phones, offers := w.ringsGroup(id, "anna", "bob", "carl")
			w.answers(phones[0], offers[0])
			w.answers(phones[1], offers[1])
			loser := 1 - winner
			w.do(routing.Connect{Offer: offers[winner]},
				routing.Withdraw{Offer: offers[loser], Why: "answered_elsewhere"}, routing.Withdraw{Offer: offers[2], Why: "answered_elsewhere"},
				routing.Release{Offer: offers[loser], Why: "stale"})
			event[stack.Ended](phones[loser])
			event[stack.Canceled](phones[2])
			if way == MediaDirect {
				req, told := reasked(caller)
				if told.Addr != phones[winner].addr() {
					t.Errorf("the caller was told %v, want the phone that has the call at %v", told.Addr, phones[winner].addr())
				}
				agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
			}
			w.expect(routing.Joined{Offer: offers[winner], Media: way})
			w.hangUp(caller, id)
			event[stack.Ended](phones[winner])
		}
	}
}

// Phones of a group fail one by one, the others ring on; the last one answers.
func TestGroupDwindles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaRelay})
	caller, _, id := w.queued(newPeer(t), 8, 101)
	phones, offers := w.ringsGroup(id, "anna", "bob", "carl", "dina", "eve")
	_ = phones[0].d.Reject(486, "", nil) // beside the one that was called last
	w.expect(routing.PhoneFailed{Offer: offers[0], Code: 486})
	_ = phones[4].d.Reject(603, "", nil) // that one
	w.expect(routing.PhoneFailed{Offer: offers[4], Code: 603})
	w.do(routing.Withdraw{Offer: offers[1], Why: "rona"})
	event[stack.Canceled](phones[1])
	// A phone without usable audio is not connected, and ends no other.
	_ = phones[2].d.Accept(nil, phones[2].answerTo(phones[2].invite.Body, phones[2].audio(media.SendRecv, 18)))
	event[stack.Acked](phones[2])
	w.expect(routing.PhoneFailed{Offer: offers[2], Code: 488})
	event[stack.Ended](phones[2])
	w.answers(phones[3], offers[3])
	w.do(routing.Connect{Offer: offers[3]})
	w.expect(routing.Joined{Offer: offers[3], Media: "relay"})
	w.hangUp(caller, id)
	event[stack.Ended](phones[3])
}

// The caller gives up: every phone stops, without waiting for the engine.
func TestGroupLosesTheCaller(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{media: MediaRelay})
	caller, _, id := w.queued(newPeer(t), 8, 101)
	phones, offers := w.ringsGroup(id, "anna", "bob", "carl")
	w.answers(phones[0], offers[0])
	caller.d.Bye(nil)
	w.expect(routing.CallerGone{Call: id})
	event[stack.Ended](phones[0])
	event[stack.Canceled](phones[1])
	event[stack.Canceled](phones[2])
	w.do(routing.EndCall{Call: id, Outcome: routing.Abandoned, By: routing.ByCaller})
}

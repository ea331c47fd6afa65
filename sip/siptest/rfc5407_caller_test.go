package siptest_test

import (
	"bytes"
	"slices"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/siptest"
)

// The caller's leg: we are the callee.

func repeatedInviteBefore200(x *crossing) {
	x.arrives(false)
	x.opened()
	x.send(x.trunk, x.invite)
	x.must(x.trunk.AwaitRepeat(x.ctx, "180 INVITE", 1))
	x.cancels()
}

func repeatedInviteAfter200(x *crossing) {
	x.arrives(false)
	x.accepted()
	x.opened()
	x.send(x.trunk, x.invite)
	x.must(x.trunk.AwaitRepeat(x.ctx, "200 INVITE", 1))
	x.send(x.trunk, x.caller.Ack(x.invite, nil))
	x.hangsUp()
}

func cancelBefore200(x *crossing) {
	x.arrives(false)
	x.rings()
	x.opened()
	x.cancels()
	x.canceled()
}

func cancelAfter200(x *crossing) {
	x.arrives(false)
	x.accepted()
	x.opened()
	x.send(x.trunk, x.caller.Hop("CANCEL", x.invite, nil))
	x.await(x.trunk, "200 CANCEL")
	x.send(x.trunk, x.caller.Ack(x.invite, nil), x.caller.Request("OPTIONS", nil))
	x.await(x.trunk, "200 OPTIONS") // it stands
	x.hangsUp()
}

func earlyByeBefore200(x *crossing) {
	x.arrives(false)
	x.rings()
	x.opened()
	earlyByes(x)
	x.canceled()
}

func earlyBye(x *crossing) {
	x.arrives(false)
	x.opened()
	earlyByes(x)
}

func earlyByes(x *crossing) {
	x.send(x.trunk, x.caller.Request("BYE", nil))
	x.refused(x.trunk, x.caller, x.invite, "487 INVITE")
	x.gone()
}

func byeThenAck(x *crossing) {
	x.arrives(false)
	x.accepted()
	x.opened()
	x.send(x.trunk, x.caller.Request("BYE", nil), x.caller.Ack(x.invite, nil))
	x.gone()
}

func byeThenAcks(x *crossing) {
	x.arrives(false)
	x.accepted()
	x.opened()
	ack := x.caller.Ack(x.invite, nil)
	x.send(x.trunk, x.caller.Request("BYE", nil))
	x.await(x.trunk, "200 BYE")
	x.send(x.trunk, ack, ack)
	x.gone()
	x.noCalls()
	x.send(x.trunk, ack)
}

func reinviteBefore200(x *crossing)          { earlyReinvite(x, false) }
func lateOfferReinviteBefore200(x *crossing) { earlyReinvite(x, true) }

func earlyReinvite(x *crossing, late bool) {
	x.arrives(late)
	x.opened()
	again := x.caller.Request("INVITE", x.trunk.Audio(2, "sendonly"))
	x.send(x.trunk, again)
	if no := x.refused(x.trunk, x.caller, again, "500 INVITE"); no.Get("Retry-After") == "" {
		x.t.Error("500 without Retry-After (RFC 3261 14.2)")
	}
	x.cancels()
}

func reinviteBeforeAck(x *crossing) {
	x.arrives(false)
	x.accepted()
	x.opened()
	again := x.caller.Request("INVITE", x.trunk.Audio(2, "sendonly"))
	x.send(x.trunk, again)
	x.await(x.trunk, "200 INVITE")
	x.send(x.trunk, x.caller.Ack(x.invite, nil), x.caller.Ack(again, nil))
	x.hangsUp()
}

func lateOfferReinviteBeforeAck(x *crossing) {
	x.arrives(true)
	x.accepted()
	x.opened()
	again := x.caller.Request("INVITE", x.trunk.Audio(2, "sendonly"))
	x.send(x.trunk, again)
	x.refused(x.trunk, x.caller, again, "491 INVITE")
	x.send(x.trunk, x.caller.Ack(x.invite, x.trunk.Audio(1, "sendrecv")))
	x.hangsUp()
}

func callerByeFirst(x *crossing) {
	x.queued()
	x.opened()
	x.hangsUp()
}

func callerByeCrosses(x *crossing) {
	x.queued()
	x.opened()
	x.ends()
	ours := x.await(x.trunk, "BYE")
	x.send(x.trunk, x.caller.Request("BYE", nil))
	x.await(x.trunk, "200 BYE")
	x.send(x.trunk, x.caller.Reply(ours, 200, nil))
}

// moved is an offer of audio at another address.
func moved(s *siptest.Script) []byte {
	return bytes.ReplaceAll(s.Audio(2, "sendrecv"), []byte("127.0.0.1"), []byte("127.0.0.9"))
}

// terminates answers a re-INVITE of ours 487 and takes the ACK.
func (x *crossing) terminates(at *siptest.Script, side *siptest.Side, invite *siptest.Message, code int) {
	x.t.Helper()
	x.send(at, side.Reply(invite, code, nil))
	x.await(at, "ACK")
}

// agrees answers a re-INVITE of ours and takes the n-th ACK.
func (x *crossing) agrees(at *siptest.Script, side *siptest.Side, invite *siptest.Message, n int) {
	x.t.Helper()
	x.send(at, side.Reply(invite, 200, at.Audio(1, "sendrecv")))
	x.awaitNth(at, "ACK", n)
}

func callerReinviteThenOurBye(x *crossing) {
	x.talksDirectly()
	x.opened()
	again := x.caller.Request("INVITE", moved(x.trunk))
	x.send(x.trunk, again)
	onward := x.await(x.phone, "INVITE") // the phone is asked first
	x.ends()
	x.refused(x.trunk, x.caller, again, "487 INVITE")
	x.await(x.phone, "BYE")
	x.terminates(x.phone, x.agent, onward, 487)
}

func callerByeOverlapsReinvite(x *crossing) {
	x.talksDirectly()
	x.opened()
	again := x.caller.Request("INVITE", moved(x.trunk))
	x.send(x.trunk, again)
	onward := x.await(x.phone, "INVITE")
	x.send(x.trunk, x.caller.Request("BYE", nil))
	x.refused(x.trunk, x.caller, again, "487 INVITE")
	x.gone()
	x.await(x.phone, "BYE")
	x.terminates(x.phone, x.agent, onward, 481)
}

func callerAgreesThenOurBye(x *crossing) {
	x.talks()
	again := x.await(x.trunk, "INVITE")
	x.opened()
	x.agrees(x.trunk, x.caller, again, 1)
	x.hears("Joined direct")
	x.ends()
}

func callerAnswersAfterOurBye(code int) func(*crossing) {
	return func(x *crossing) {
		x.talks()
		again := x.await(x.trunk, "INVITE")
		x.opened()
		x.ends()
		x.await(x.trunk, "BYE")
		x.send(x.trunk, x.caller.Reply(again, code, x.trunk.Audio(1, "sendrecv")))
	}
}

func ourByeWaitsForAck(x *crossing) {
	x.arrives(false)
	x.accepted()
	x.opened()
	x.ends()
	x.noCalls()
	// An old CSeq is refused by the dialog itself: its answer shows that no BYE
	// has gone out before.
	old := x.caller.Request("OPTIONS", nil)
	for i, h := range old.Headers {
		if h.Name == "CSeq" {
			old.Headers[i].Value = "1 OPTIONS"
		}
	}
	x.send(x.trunk, old)
	x.await(x.trunk, "500 OPTIONS")
	if slices.Contains(x.trunk.Saw(), "BYE") {
		x.t.Error("BYE before the ACK (RFC 3261 15)")
	}
	x.send(x.trunk, x.caller.Ack(x.invite, nil))
}

// callerOffersFirst: the caller's offer waits for the agent's phone when the
// desk's hold asks for a re-INVITE of ours.
func callerOffersFirst(method string) func(*crossing) {
	return func(x *crossing) {
		x.talksDirectly()
		x.opened()
		again := x.caller.Request(method, moved(x.trunk))
		x.send(x.trunk, again)
		onward := x.await(x.phone, "INVITE")
		x.do(routing.Hold{Offer: x.offer, On: true})
		x.await(x.trunk, "200 "+method)
		if method == "INVITE" {
			x.send(x.trunk, x.caller.Ack(again, nil))
		}
		x.agrees(x.phone, x.agent, onward, 1)
		x.agrees(x.phone, x.agent, x.awaitNth(x.phone, "INVITE", 2), 2)
		x.ends()
	}
}

// callerGlare: both offers are refused, and ours comes again.
func callerGlare(method string) func(*crossing) {
	return func(x *crossing) {
		x.talks()
		ours := x.await(x.trunk, "INVITE")
		x.opened()
		theirs := x.caller.Request(method, x.trunk.Audio(2, "sendonly"))
		x.send(x.trunk, theirs)
		no := x.await(x.trunk, "491 "+method)
		if method == "INVITE" {
			x.send(x.trunk, x.caller.Hop("ACK", theirs, no))
		}
		x.send(x.trunk, x.caller.Reply(ours, 491, nil))
		again := x.await(x.trunk, "INVITE")
		if again.Get("CSeq") == ours.Get("CSeq") {
			x.t.Error("the same CSeq again")
		}
		x.agrees(x.trunk, x.caller, again, 2)
		x.hears("Joined direct")
		x.ends()
	}
}

// mortalCaller sends requests after our BYE.
func mortalCaller(methods ...string) func(*crossing) {
	return func(x *crossing) {
		x.queued()
		x.opened()
		x.ends()
		x.await(x.trunk, "BYE")
		x.mortal(x.trunk, x.caller, methods)
	}
}

func (x *crossing) mortal(at *siptest.Script, side *siptest.Side, methods []string) {
	x.t.Helper()
	for _, m := range methods {
		req := side.Request(m, nil, siptest.Header{Name: "Refer-To", Value: "<sip:+15550100@192.0.2.1>"})
		if m == "INVITE" {
			req.Body = at.Audio(2, "sendonly")
		}
		x.send(at, req)
		no := x.await(at, "481 "+m)
		if m == "INVITE" {
			x.send(at, side.Hop("ACK", req, no))
		}
	}
}

// establishedCaller sends requests before our BYE, and each gets its answer.
func establishedCaller(pairs ...string) func(*crossing) {
	return func(x *crossing) {
		x.queued()
		x.opened()
		x.established(x.trunk, x.caller, pairs)
		x.ends()
	}
}

func (x *crossing) established(at *siptest.Script, side *siptest.Side, pairs []string) {
	x.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		x.send(at, side.Request(pairs[i], nil, siptest.Header{Name: "Refer-To", Value: "<sip:+15550100@192.0.2.1>"}))
		x.await(at, pairs[i+1])
	}
}

func cancelOvertakesInvite(x *crossing) {
	x.caller = x.trunk.Opens("sip:02079460100@" + x.st.Addr("udp").String())
	x.invite = x.caller.Request("INVITE", x.trunk.Audio(1, "sendrecv"))
	cancel := x.caller.Hop("CANCEL", x.invite, nil)
	x.send(x.trunk, cancel)
	x.await(x.trunk, "481 CANCEL")
	x.send(x.trunk, x.invite)
	x.caller.Learn(x.await(x.trunk, "180 INVITE"))
	x.id = 1
	x.cancels()
}

func cancelAfterRefusal(x *crossing) {
	x.arrives(false)
	x.opened()
	x.do(routing.Treat{Call: x.id, Why: "full", Reject: 486})
	no := x.await(x.trunk, "486 INVITE")
	x.send(x.trunk, x.caller.Hop("CANCEL", x.invite, nil))
	x.await(x.trunk, "200 CANCEL")
	x.send(x.trunk, x.caller.Hop("ACK", x.invite, no))
	x.ends()
}

// forked is the caller's INVITE as it comes by another way (RFC 3261 8.2.2.2).
func forked(x *crossing) *siptest.Message {
	other := *x.invite
	other.Headers = slices.Clone(x.invite.Headers)
	for i, h := range other.Headers {
		if h.Name == "Via" {
			other.Headers[i].Value = h.Value + "other"
		}
	}
	return &other
}

func mergedInviteBefore200(x *crossing) {
	x.arrives(false)
	x.opened()
	other := forked(x)
	x.send(x.trunk, other)
	x.refused(x.trunk, x.caller, other, "482 INVITE")
	x.cancels()
}

func mergedInviteAfter200(x *crossing) {
	x.arrives(false)
	x.accepted()
	x.opened()
	other := forked(x)
	x.send(x.trunk, other)
	x.refused(x.trunk, x.caller, other, "482 INVITE")
	x.send(x.trunk, x.caller.Ack(x.invite, nil))
	x.hangsUp()
}

package siptest_test

import (
	"slices"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// The agent's leg: we are the caller.

func (x *crossing) connects() {
	x.t.Helper()
	x.hears("PhoneAnswered")
	x.do(routing.Connect{Offer: x.offer, Answered: time.Now()})
}

func twoAnswersBeforeAck(x *crossing) {
	x.queued()
	x.opened()
	x.do(routing.Ring{Offer: x.offer})
	x.ring = x.await(x.phone, "INVITE")
	x.agent = x.phone.Called(x.ring)
	x.must(x.phone.AwaitRepeat(x.ctx, "INVITE", 1))
	x.answered = x.agent.Reply(x.ring, 200, x.phone.Audio(1, "sendrecv"))
	x.send(x.phone, x.answered, x.answered) // one ACK, or one for each: the same
	x.await(x.phone, "ACK")
	x.hears("PhoneAnswered")
	x.hangsUp()
}

func answerAgainAfterAck(x *crossing) {
	x.queued()
	x.rings()
	x.opened()
	x.picksUp()
	x.send(x.phone, x.answered)
	x.must(x.phone.AwaitRepeat(x.ctx, "ACK", 1))
	x.hangsUp()
}

func answerBeforeCancel(x *crossing) {
	x.queued()
	x.rings()
	x.opened()
	x.picksUp()
	x.do(routing.Withdraw{Offer: x.offer, Why: "rona"})
	x.await(x.phone, "BYE")
	x.hangsUp()
}

func answerAfterCancel(x *crossing) {
	x.queued()
	x.rings()
	x.opened()
	x.do(routing.Withdraw{Offer: x.offer, Why: "rona"})
	cancel := x.await(x.phone, "CANCEL")
	x.send(x.phone, x.agent.Reply(x.ring, 200, x.phone.Audio(1, "sendrecv")), x.agent.Reply(cancel, 200, nil))
	x.await(x.phone, "ACK")
	x.await(x.phone, "BYE")
	x.hangsUp()
}

func phoneReinviteOvertakes200(x *crossing) {
	x.queued()
	x.rings()
	x.opened()
	again := x.agent.Request("INVITE", x.phone.Audio(2, "sendonly"))
	x.send(x.phone, again)
	x.refused(x.phone, x.agent, again, "491 INVITE")
	x.picksUp()
	x.hangsUp()
}

func phoneReinviteBehind200(x *crossing) {
	x.queued()
	x.rings()
	x.opened()
	again := x.agent.Request("INVITE", x.phone.Audio(2, "sendrecv"))
	x.send(x.phone, x.agent.Reply(x.ring, 200, x.phone.Audio(1, "sendrecv")), again)
	x.await(x.phone, "200 INVITE")
	x.send(x.phone, x.agent.Ack(again, nil))
	x.hears("PhoneAnswered")
	x.hangsUp()
}

func phoneReinvitesBeforeItsAck(x *crossing) {
	x.talksRelayed()
	x.opened()
	first := x.agent.Request("INVITE", nil)
	x.send(x.phone, first)
	x.await(x.phone, "200 INVITE")
	second := x.agent.Request("INVITE", x.phone.Audio(2, "sendonly"))
	x.send(x.phone, second)
	x.refused(x.phone, x.agent, second, "491 INVITE")
	x.send(x.phone, x.agent.Ack(first, x.phone.Audio(1, "sendrecv")))
	x.hangsUp()
}

func phoneByeBehind200(x *crossing) {
	x.queued()
	x.rings()
	x.opened()
	x.send(x.phone, x.agent.Reply(x.ring, 200, x.phone.Audio(1, "sendrecv")), x.agent.Request("BYE", nil))
	x.await(x.phone, "ACK")
	x.gone()
}

func phoneByeAfterAck(x *crossing) {
	x.queued()
	x.rings()
	x.opened()
	x.picksUp()
	x.send(x.phone, x.agent.Request("BYE", nil))
	x.gone()
}

func phoneByeFirst(x *crossing) {
	x.talksRelayed()
	x.opened()
	x.send(x.phone, x.agent.Request("BYE", nil))
	x.gone()
}

func phoneByeCrosses(x *crossing) {
	x.talksRelayed()
	x.opened()
	x.do(routing.Release{Offer: x.offer, Why: "transferred"}, routing.Wait{Call: x.id, Music: "default"})
	x.await(x.phone, "BYE")
	x.send(x.phone, x.agent.Request("BYE", nil))
	x.await(x.phone, "200 BYE")
	x.hangsUp()
}

func phoneReinviteThenOurBye(x *crossing) {
	x.talksDirectly()
	x.opened()
	again := x.agent.Request("INVITE", moved(x.phone))
	x.send(x.phone, again)
	onward := x.await(x.trunk, "INVITE") // the caller is asked first
	x.ends()
	x.refused(x.phone, x.agent, again, "487 INVITE")
	x.await(x.trunk, "BYE")
	x.terminates(x.trunk, x.caller, onward, 487)
}

func phoneByeOverlapsReinvite(x *crossing) {
	x.talksDirectly()
	x.opened()
	again := x.agent.Request("INVITE", moved(x.phone))
	x.send(x.phone, again)
	onward := x.await(x.trunk, "INVITE")
	x.send(x.phone, x.agent.Request("BYE", nil))
	x.refused(x.phone, x.agent, again, "487 INVITE")
	x.gone()
	x.await(x.trunk, "BYE")
	x.terminates(x.trunk, x.caller, onward, 481)
}

// heldByDesk brings re-INVITEs of ours to both: the phone is told to be quiet,
// the caller is told of our port.
func (x *crossing) heldByDesk() {
	x.t.Helper()
	x.talksDirectly()
	x.opened()
	x.do(routing.Hold{Offer: x.offer, On: true})
	x.await(x.phone, "INVITE")
	x.await(x.trunk, "INVITE")
}

func phoneAgreesThenOurBye(x *crossing) {
	x.heldByDesk()
	x.agrees(x.phone, x.agent, x.await(x.phone, "INVITE"), 1)
	x.agrees(x.trunk, x.caller, x.await(x.trunk, "INVITE"), 1)
	x.ends()
}

func phoneAnswersAfterOurBye(code int) func(*crossing) {
	return func(x *crossing) {
		x.heldByDesk()
		x.ends()
		x.await(x.phone, "BYE")
		x.await(x.trunk, "BYE")
		x.send(x.phone, x.agent.Reply(x.await(x.phone, "INVITE"), code, x.phone.Audio(1, "sendrecv")))
		x.send(x.trunk, x.caller.Reply(x.await(x.trunk, "INVITE"), code, x.trunk.Audio(1, "sendrecv")))
	}
}

func phoneAckAfterOurBye(x *crossing) {
	x.talksRelayed()
	x.opened()
	again := x.agent.Request("INVITE", x.phone.Audio(1, "sendrecv"))
	x.send(x.phone, again)
	x.await(x.phone, "200 INVITE")
	x.ends()
	x.await(x.phone, "BYE")
	x.send(x.phone, x.agent.Ack(again, nil))
}

func phoneAckAfterItsBye(x *crossing) {
	x.talksRelayed()
	x.opened()
	again := x.agent.Request("INVITE", x.phone.Audio(1, "sendrecv"))
	x.send(x.phone, again)
	x.await(x.phone, "200 INVITE")
	x.send(x.phone, x.agent.Request("BYE", nil), x.agent.Ack(again, nil))
	x.gone()
}

func phoneOffersFirst(method string) func(*crossing) {
	return func(x *crossing) {
		x.talksDirectly()
		x.opened()
		again := x.agent.Request(method, moved(x.phone))
		x.send(x.phone, again)
		onward := x.await(x.trunk, "INVITE")
		x.do(routing.Hold{Offer: x.offer, On: true})
		x.await(x.phone, "200 "+method)
		if method == "INVITE" {
			x.send(x.phone, x.agent.Ack(again, nil))
		}
		x.agrees(x.trunk, x.caller, onward, 1)
		x.agrees(x.trunk, x.caller, x.awaitNth(x.trunk, "INVITE", 2), 2)
		x.ends()
	}
}

func phoneGlare(method string) func(*crossing) {
	return func(x *crossing) {
		x.heldByDesk()
		ours := x.await(x.phone, "INVITE")
		x.agrees(x.trunk, x.caller, x.await(x.trunk, "INVITE"), 1)
		theirs := x.agent.Request(method, x.phone.Audio(2, "sendonly"))
		x.send(x.phone, theirs)
		no := x.await(x.phone, "491 "+method)
		if method == "INVITE" {
			x.send(x.phone, x.agent.Hop("ACK", theirs, no))
		}
		since := time.Now()
		x.send(x.phone, x.agent.Reply(ours, 491, nil))
		again := x.awaitNth(x.phone, "INVITE", 2)
		if again.Get("CSeq") == ours.Get("CSeq") {
			x.t.Error("the same CSeq again")
		}
		// We made the Call-ID: 2.1 s at least (RFC 3261 14.1), by T1 here.
		if least := 2100 * time.Millisecond * shortT1 / (500 * time.Millisecond); time.Since(since) < least {
			x.t.Errorf("again after %v, want %v or more", time.Since(since), least)
		}
		x.agrees(x.phone, x.agent, again, 2)
		x.ends()
	}
}

func mortalPhone(methods ...string) func(*crossing) {
	return func(x *crossing) {
		x.talksRelayed()
		x.opened()
		x.ends()
		x.await(x.phone, "BYE")
		x.mortal(x.phone, x.agent, methods)
	}
}

func establishedPhone(pairs ...string) func(*crossing) {
	return func(x *crossing) {
		x.talksRelayed()
		x.opened()
		x.established(x.phone, x.agent, pairs)
		x.ends()
	}
}

// The engine has not spoken when the call ends.
func phoneRefersThenOurBye(x *crossing) {
	x.talksRelayed()
	x.opened()
	x.refers("<sip:boris@192.0.2.1>")
	x.hears("TransferRequested")
	x.ends()
}

func phoneEarlyBye(x *crossing) {
	x.queued()
	x.rings()
	x.opened()
	x.send(x.phone, x.agent.Request("BYE", nil))
	x.await(x.phone, "481 BYE")
	x.picksUp()
	x.hangsUp()
}

func phoneEarlyByeAfterCancel(x *crossing) {
	x.queued()
	x.rings()
	x.opened()
	x.do(routing.Withdraw{Offer: x.offer, Why: "rona"})
	cancel := x.await(x.phone, "CANCEL")
	x.send(x.phone, x.agent.Request("BYE", nil))
	x.await(x.phone, "481 BYE")
	x.send(x.phone, x.agent.Reply(cancel, 200, nil), x.agent.Reply(x.ring, 487, nil))
	x.await(x.phone, "ACK")
	x.hangsUp()
}

func cancelWaitsForProvisional(x *crossing) {
	x.queued()
	x.opened()
	x.do(routing.Ring{Offer: x.offer})
	x.ring = x.await(x.phone, "INVITE")
	x.agent = x.phone.Called(x.ring)
	x.do(routing.Withdraw{Offer: x.offer, Why: "rona"})
	x.must(x.phone.AwaitRepeat(x.ctx, "INVITE", 2))
	if slices.Contains(x.phone.Saw(), "CANCEL") {
		x.t.Error("CANCEL before any answer (RFC 3261 9.1)")
	}
	x.send(x.phone, x.agent.Reply(x.ring, 180, nil))
	x.canceled()
	x.hangsUp()
}

func canceledPhoneRingsOn(x *crossing) {
	x.queued()
	x.rings()
	x.opened()
	x.do(routing.Withdraw{Offer: x.offer, Why: "rona"})
	cancel := x.await(x.phone, "CANCEL")
	x.send(x.phone, x.agent.Reply(cancel, 200, nil))
	// It was too late for the phone's 180s and its refusal.
	x.send(x.phone, x.agent.Reply(x.ring, 180, nil), x.agent.Reply(x.ring, 486, nil))
	x.await(x.phone, "ACK")
	x.hangsUp()
}

func forkBehind200(x *crossing) {
	x.queued()
	x.rings()
	x.opened()
	fork := x.agent.Fork()
	x.send(x.phone, fork.Reply(x.ring, 180, nil), x.agent.Reply(x.ring, 180, nil),
		x.agent.Reply(x.ring, 200, x.phone.Audio(1, "sendrecv")), fork.Reply(x.ring, 200, x.phone.Audio(1, "sendrecv")))
	x.hears("PhoneAnswered")
	x.send(x.phone, fork.Reply(x.await(x.phone, "BYE"), 200, nil))
	x.awaitNth(x.phone, "ACK", 2)
	x.hangsUp()
}

func forkAfterAck(x *crossing) {
	x.queued()
	x.rings()
	x.opened()
	x.picksUp()
	x.connects()
	x.hears("Joined relay")
	fork := x.agent.Fork()
	x.send(x.phone, fork.Reply(x.ring, 200, x.phone.Audio(1, "sendrecv")))
	bye := x.await(x.phone, "BYE")
	if bye.Get("To") != fork.Local {
		x.t.Errorf("BYE to %q, want the fork %q", bye.Get("To"), fork.Local)
	}
	x.send(x.phone, fork.Reply(bye, 200, nil))
	x.hangsUp()
}

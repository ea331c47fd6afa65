package siptest_test

import (
	"testing"

	"github.com/cordboard/cordboard/sip"
)

// race is one race of RFC 5407, on both legs, with what the peer does coming
// before and after the step of ours that it crosses.
type race struct {
	section, about                                     string
	callerBefore, callerAfter, agentBefore, agentAfter cell
}

// cell is one crossing, or the reason why it cannot be.
type cell struct {
	never string
	way   string // the trunk's media; relay when empty
	play  func(*crossing)
	want  want
}

// The caller's leg has us as the callee, the agent's leg as the caller. What
// "our step" is, each row says.
var rfc5407 = []race{
	{
		section: "3.1.1", about: "INVITE sent again; our step: the 200, on the agent's leg the ACK",
		callerBefore: cell{play: repeatedInviteBefore200, want: want{"200 CANCEL, 487 INVITE", "", "CallerGone unanswered"}},
		callerAfter:  cell{play: repeatedInviteAfter200, want: want{"200 BYE", "", "CallerGone"}},
		agentBefore:  cell{play: twoAnswersBeforeAck, want: want{"200 BYE", "INVITE, ACK, BYE", "PhoneAnswered, CallerGone"}},
		agentAfter:   cell{play: answerAgainAfterAck, want: want{"200 BYE", "ACK, BYE", "PhoneAnswered, CallerGone"}},
	},
	{
		section: "3.1.2", about: "CANCEL crosses 200; our step: the 200, on the agent's leg the CANCEL",
		callerBefore: cell{play: cancelBefore200, want: want{"200 CANCEL, 487 INVITE", "CANCEL, ACK", "CallerGone unanswered"}},
		callerAfter:  cell{play: cancelAfter200, want: want{"200 CANCEL, 200 OPTIONS, 200 BYE", "", "CallerGone"}},
		agentBefore:  cell{play: answerBeforeCancel, want: want{"200 BYE", "ACK, BYE", "PhoneAnswered, CallerGone"}},
		agentAfter:   cell{play: answerAfterCancel, want: want{"200 BYE", "CANCEL, ACK, BYE", "CallerGone"}},
	},
	{
		section: "3.1.3", about: "BYE of the early dialog crosses 200; our step: the 200",
		callerBefore: cell{play: earlyByeBefore200, want: want{"200 BYE, 487 INVITE", "CANCEL, ACK", "CallerGone unanswered"}},
		callerAfter:  cell{play: byeThenAck, want: want{"200 BYE", "", "CallerGone"}},
		agentBefore:  cell{never: "we give a ringing phone up by CANCEL, never by BYE"},
		agentAfter:   cell{never: "we give a ringing phone up by CANCEL, never by BYE"},
	},
	{
		section: "3.1.4", about: "re-INVITE before the ACK, offer and answer done; our step: the 200, on the agent's leg the ACK",
		callerBefore: cell{play: reinviteBefore200, want: want{"500 INVITE, 200 CANCEL, 487 INVITE", "", "CallerGone unanswered"}},
		callerAfter:  cell{play: reinviteBeforeAck, want: want{"200 INVITE, 200 BYE", "", "CallerGone"}},
		agentBefore:  cell{play: phoneReinviteOvertakes200, want: want{"200 BYE", "491 INVITE, ACK, BYE", "PhoneAnswered, CallerGone"}},
		agentAfter:   cell{play: phoneReinviteBehind200, want: want{"200 BYE", "ACK, 200 INVITE, BYE", "PhoneAnswered, CallerGone"}},
	},
	{
		section: "3.1.5", about: "re-INVITE before the ACK that must bring the answer; our step: the 200 with the offer",
		callerBefore: cell{play: lateOfferReinviteBefore200, want: want{"500 INVITE, 200 CANCEL, 487 INVITE", "", "CallerGone unanswered"}},
		callerAfter:  cell{play: lateOfferReinviteBeforeAck, want: want{"491 INVITE, 200 BYE", "", "CallerGone"}},
		agentBefore:  cell{never: "the phone's re-INVITE without offer is answered at once: nothing can come between"},
		agentAfter:   cell{play: phoneReinvitesBeforeItsAck, want: want{"200 BYE", "200 INVITE, 491 INVITE, BYE", "CallerGone"}},
	},
	{
		section: "3.1.6", about: "BYE before the ACK; our step: the 200, on the agent's leg the ACK",
		callerBefore: cell{never: "before our 200 there is an early dialog only: 3.1.3"},
		callerAfter:  cell{play: byeThenAck, want: want{"200 BYE", "", "CallerGone"}},
		agentBefore:  cell{play: phoneByeBehind200, want: want{"BYE", "ACK, 200 BYE", "PhoneAnswered, AgentGone"}},
		agentAfter:   cell{play: phoneByeAfterAck, want: want{"BYE", "ACK, 200 BYE", "PhoneAnswered, AgentGone"}},
	},
	{
		section: "3.2.1", about: "BYE crosses BYE; our step: our BYE",
		callerBefore: cell{play: callerByeFirst, want: want{"200 BYE", "", "CallerGone"}},
		callerAfter:  cell{play: callerByeCrosses, want: want{"BYE, 200 BYE", "", ""}},
		agentBefore:  cell{play: phoneByeFirst, want: want{"BYE", "200 BYE", "AgentGone"}},
		agentAfter:   cell{play: phoneByeCrosses, want: want{"200 BYE", "BYE, 200 BYE", "CallerGone"}},
	},
	{
		section: "3.2.2", about: "re-INVITE crosses BYE; our step: our BYE",
		callerBefore: cell{way: sip.MediaDirect, play: callerReinviteThenOurBye, want: want{"487 INVITE, BYE", "INVITE, BYE, ACK", ""}},
		callerAfter:  cell{play: mortalCaller("INVITE"), want: want{"BYE, 481 INVITE", "", ""}},
		agentBefore:  cell{way: sip.MediaDirect, play: phoneReinviteThenOurBye, want: want{"INVITE, BYE, ACK", "487 INVITE, BYE", ""}},
		agentAfter:   cell{play: mortalPhone("INVITE"), want: want{"BYE", "BYE, 481 INVITE", ""}},
	},
	{
		section: "3.2.3", about: "200 to our re-INVITE crosses BYE; our step: our BYE",
		callerBefore: cell{way: sip.MediaDirect, play: callerAgreesThenOurBye, want: want{"ACK, BYE", "BYE", "Joined direct"}},
		callerAfter:  cell{way: sip.MediaDirect, play: callerAnswersAfterOurBye(200), want: want{"BYE, ACK", "BYE", ""}},
		agentBefore:  cell{way: sip.MediaDirect, play: phoneAgreesThenOurBye, want: want{"INVITE, ACK, BYE", "INVITE, ACK, BYE", ""}},
		agentAfter:   cell{way: sip.MediaDirect, play: phoneAnswersAfterOurBye(200), want: want{"INVITE, BYE, ACK", "INVITE, BYE, ACK", ""}},
	},
	{
		section: "3.2.4", about: "ACK of a 2xx of ours when the dialog is mortal; our step: our BYE, or our 200 to the peer's",
		callerBefore: cell{play: ourByeWaitsForAck, want: want{"500 OPTIONS, BYE", "", ""}},
		callerAfter:  cell{play: byeThenAcks, want: want{"200 BYE", "", "CallerGone"}},
		agentBefore:  cell{play: phoneAckAfterOurBye, want: want{"BYE", "200 INVITE, BYE", ""}},
		agentAfter:   cell{play: phoneAckAfterItsBye, want: want{"BYE", "200 INVITE, 200 BYE", "AgentGone"}},
	},
	{
		section: "3.3.1", about: "re-INVITE crosses re-INVITE; our step: our re-INVITE",
		callerBefore: cell{way: sip.MediaDirect, play: callerOffersFirst("INVITE"), want: want{"200 INVITE, BYE", "INVITE, ACK, INVITE, ACK, BYE", ""}},
		callerAfter:  cell{way: sip.MediaDirect, play: callerGlare("INVITE"), want: want{"491 INVITE, ACK, INVITE, ACK, BYE", "BYE", "Joined direct"}},
		agentBefore:  cell{way: sip.MediaDirect, play: phoneOffersFirst("INVITE"), want: want{"INVITE, ACK, INVITE, ACK, BYE", "200 INVITE, BYE", ""}},
		agentAfter:   cell{way: sip.MediaDirect, play: phoneGlare("INVITE"), want: want{"INVITE, ACK, BYE", "INVITE, 491 INVITE, ACK, INVITE, ACK, BYE", ""}},
	},
	{
		section: "3.3.2", about: "UPDATE crosses re-INVITE; our step: our re-INVITE",
		callerBefore: cell{way: sip.MediaDirect, play: callerOffersFirst("UPDATE"), want: want{"200 UPDATE, BYE", "INVITE, ACK, INVITE, ACK, BYE", ""}},
		callerAfter:  cell{way: sip.MediaDirect, play: callerGlare("UPDATE"), want: want{"491 UPDATE, ACK, INVITE, ACK, BYE", "BYE", "Joined direct"}},
		agentBefore:  cell{way: sip.MediaDirect, play: phoneOffersFirst("UPDATE"), want: want{"INVITE, ACK, INVITE, ACK, BYE", "200 UPDATE, BYE", ""}},
		agentAfter:   cell{way: sip.MediaDirect, play: phoneGlare("UPDATE"), want: want{"INVITE, ACK, BYE", "INVITE, 491 UPDATE, ACK, INVITE, ACK, BYE", ""}},
	},
	{
		section: "3.3.3", about: "REFER crosses BYE, and no NOTIFY follows; our step: our BYE",
		callerBefore: cell{play: establishedCaller("REFER", "603 REFER"), want: want{"603 REFER, BYE", "", ""}},
		callerAfter:  cell{play: mortalCaller("REFER"), want: want{"BYE, 481 REFER", "", ""}},
		agentBefore:  cell{play: phoneRefersThenOurBye, want: want{"BYE", "487 REFER, BYE", "TransferRequested"}},
		agentAfter:   cell{play: mortalPhone("REFER"), want: want{"BYE", "BYE, 481 REFER", ""}},
	},
	{
		section: "A", about: "BYE in an early dialog; our step: the 200, on the agent's leg the CANCEL",
		callerBefore: cell{play: earlyBye, want: want{"200 BYE, 487 INVITE", "", "CallerGone unanswered"}},
		callerAfter:  cell{never: "after our 200 the dialog is confirmed: 3.1.3"},
		agentBefore:  cell{play: phoneEarlyBye, want: want{"200 BYE", "481 BYE, ACK, BYE", "PhoneAnswered, CallerGone"}},
		agentAfter:   cell{play: phoneEarlyByeAfterCancel, want: want{"200 BYE", "CANCEL, 481 BYE, ACK", "CallerGone"}},
	},
	{
		section: "B", about: "BYE overlaps a re-INVITE of its sender; before: both are the peer's, after: both are ours",
		callerBefore: cell{way: sip.MediaDirect, play: callerByeOverlapsReinvite, want: want{"200 BYE, 487 INVITE", "INVITE, BYE, ACK", "CallerGone"}},
		callerAfter:  cell{way: sip.MediaDirect, play: callerAnswersAfterOurBye(481), want: want{"BYE, ACK", "BYE", ""}},
		agentBefore:  cell{way: sip.MediaDirect, play: phoneByeOverlapsReinvite, want: want{"INVITE, BYE, ACK", "200 BYE, 487 INVITE", "AgentGone"}},
		agentAfter:   cell{way: sip.MediaDirect, play: phoneAnswersAfterOurBye(481), want: want{"INVITE, BYE, ACK", "INVITE, BYE, ACK", ""}},
	},
	{
		section: "C", about: "CANCEL; our step: the INVITE's first answer, on the agent's leg the CANCEL",
		callerBefore: cell{play: cancelOvertakesInvite, want: want{"481 CANCEL, 180 INVITE, 200 CANCEL, 487 INVITE", "", "CallArrived, CallerGone unanswered"}},
		callerAfter:  cell{play: cancelAfterRefusal, want: want{"486 INVITE, 200 CANCEL", "", ""}},
		agentBefore:  cell{play: cancelWaitsForProvisional, want: want{"200 BYE", "INVITE, CANCEL, ACK", "CallerGone"}},
		agentAfter:   cell{play: canceledPhoneRingsOn, want: want{"200 BYE", "CANCEL, ACK", "CallerGone"}},
	},
	{
		section: "D", about: "requests in mortal state; our step: our BYE",
		callerBefore: cell{play: establishedCaller("INFO", "200 INFO", "UPDATE", "200 UPDATE", "MESSAGE", "405 MESSAGE", "PRACK", "481 PRACK"),
			want: want{"200 INFO, 200 UPDATE, 405 MESSAGE, 481 PRACK, BYE", "", ""}},
		callerAfter: cell{play: mortalCaller("INFO", "UPDATE", "MESSAGE", "PRACK"),
			want: want{"BYE, 481 INFO, 481 UPDATE, 481 MESSAGE, 481 PRACK", "", ""}},
		agentBefore: cell{play: establishedPhone("INFO", "200 INFO", "UPDATE", "200 UPDATE", "MESSAGE", "405 MESSAGE", "PRACK", "481 PRACK"),
			want: want{"BYE", "200 INFO, 200 UPDATE, 405 MESSAGE, 481 PRACK, BYE", ""}},
		agentAfter: cell{play: mortalPhone("INFO", "UPDATE", "MESSAGE", "PRACK"),
			want: want{"BYE", "BYE, 481 INFO, 481 UPDATE, 481 MESSAGE, 481 PRACK", ""}},
	},
	{
		section: "E", about: "forking; our step: the 200, on the agent's leg the ACK",
		callerBefore: cell{play: mergedInviteBefore200, want: want{"482 INVITE, 200 CANCEL, 487 INVITE", "", "CallerGone unanswered"}},
		callerAfter:  cell{play: mergedInviteAfter200, want: want{"482 INVITE, 200 BYE", "", "CallerGone"}},
		agentBefore:  cell{play: forkBehind200, want: want{"200 BYE", "ACK, ACK, BYE, BYE", "PhoneAnswered, CallerGone"}},
		agentAfter:   cell{play: forkAfterAck, want: want{"200 BYE", "ACK, ACK, BYE, BYE", "PhoneAnswered, Joined relay, CallerGone"}},
	},
}

func TestRFC5407(t *testing.T) {
	for _, r := range rfc5407 {
		for _, c := range []struct {
			leg, when string
			cell
		}{
			{"caller", "before", r.callerBefore}, {"caller", "after", r.callerAfter},
			{"agent", "before", r.agentBefore}, {"agent", "after", r.agentAfter},
		} {
			name := r.section + "/" + c.leg + "/" + c.when
			if c.never != "" {
				if c.play != nil {
					t.Errorf("%s cannot be and is played", name)
				}
				continue
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				way := c.way
				if way == "" {
					way = sip.MediaRelay
				}
				x := newCrossing(t, way)
				c.play(x)
				x.check(c.want)
			})
		}
	}
}

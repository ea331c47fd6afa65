package routing

import "github.com/cordboard/cordboard/routing/rule"

// numberRing is how long a number that a caller is sent to may ring: most
// networks end such a call themselves after a minute or send it to a mailbox.
const numberRing = 60 * second

// Reasons of the end of a call whose number did not take it.
const (
	numberBusy    = "number_busy"
	numberSilent  = "number_no_answer"
	numberRefused = "number_refused"
	numberLost    = "number_unreachable"
)

// sendAway sends a call to a number: the caller hears ringing, or music if he was
// answered before, and is answered with the number.
func (e *Engine) sendAway(c *call, why string, t rule.Treatment) {
	c.phase, c.treatment, c.trigger = dialled, &t, why
	due := e.now + numberRing
	e.arm(c, numberDue, due)
	e.actTreat(c, Treat{Why: why, Number: t.Number, Until: instant(due), Music: c.music()})
}

// numberAnswered: the caller is with the number, for as long as they like.
func (e *Engine) numberAnswered(ev NumberAnswered) {
	if c := e.calls[ev.Call]; c != nil && c.phase == dialled {
		c.answered, c.blind = true, false
		e.disarm(c, numberDue)
	}
}

// numberFailed: the number did not take the call, or could not be joined.
func (e *Engine) numberFailed(ev NumberFailed) {
	c := e.calls[ev.Call]
	if c == nil || c.phase != dialled {
		return
	}
	switch ev.Code {
	case 486, 600:
		e.numberFails(c, numberBusy)
	case 603:
		e.numberFails(c, numberRefused)
	case 487:
		e.numberFails(c, numberSilent)
	default:
		e.numberFails(c, numberLost)
	}
}

// numberFails ends a call whose number did not take it, or gives it back to the
// agent who passed it on.
func (e *Engine) numberFails(c *call, reason string) {
	if c.outside {
		e.backFrom(c, reason)
		return
	}
	e.numberEnds(c, reason)
}

// numberGone: the number has hung up.
func (e *Engine) numberGone(ev NumberGone) {
	if c := e.calls[ev.Call]; c != nil && c.phase == dialled {
		e.numberEnds(c, c.trigger)
	}
}

// numberEnds ends a call that was sent to a number. For its queue it was
// treated when it was sent, whatever came of that.
func (e *Engine) numberEnds(c *call, reason string) {
	out := EndCall{Call: c.id, Outcome: Treated, By: ByServer, Reason: reason}
	if c.talked {
		out.Outcome = Answered
	}
	switch reason {
	case numberBusy:
		out.Code = 486
	case numberRefused:
		out.Code = 603
	}
	e.endWith(c, out)
}

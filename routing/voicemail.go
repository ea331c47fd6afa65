package routing

import "github.com/cordboard/cordboard/routing/rule"

// Ways in which the taking of a message ends (MessageLeft.Why).
const (
	MessageHungUp  = "hangup"  // the caller hung up
	MessageByKey   = "key"     // the caller pressed #
	MessageSilence = "silence" // nothing was said for long
	MessageLongest = "longest" // no more is taken
	MessageFailed  = "failed"  // it could not be written, or the line carried no sound of ours
)

// MessageLeft: a caller whom a Treat action sent to a mailbox has left a message,
// or none. It is told before CallerGone of who hung up.
type MessageLeft struct {
	Call CallID `json:"call"`
	// Seconds is the length of what is kept, rounded up; 0: nothing is.
	Seconds int    `json:"seconds,omitempty"`
	Why     string `json:"why"`
}

// MessageTaken: a message is kept in a mailbox.
type MessageTaken struct {
	Call    CallID `json:"call"`
	Mailbox string `json:"mailbox"`
	Queue   string `json:"queue,omitempty"` // in which the caller was
	Seconds int    `json:"seconds"`         // rounded up
	Why     string `json:"why"`             // how it ended, as in MessageLeft
}

func (MessageLeft) Kind() string  { return "message_left" }
func (MessageTaken) Kind() string { return "message_taken" }

// takeMessage sends a caller to a mailbox: answered, since a message has its
// price, and no phone sends sound for long before that.
func (e *Engine) takeMessage(c *call, why string, t rule.Treatment) {
	if !c.answered {
		c.answered = true
		e.act(AnswerCaller{c.id, c.music()})
	}
	c.phase, c.treatment, c.trigger = recording, &t, why
	out := Treat{Why: why, Voicemail: t.Voicemail}
	if c.queue != nil {
		out.Queue = c.queue.Name
	}
	e.actTreat(c, out)
}

// messageLeft: for its queue the call was treated when it was sent to the
// mailbox, whatever came of that.
func (e *Engine) messageLeft(ev MessageLeft) {
	c := e.calls[ev.Call]
	if c == nil || c.phase != recording {
		return
	}
	if ev.Seconds > 0 {
		taken := MessageTaken{Call: c.id, Mailbox: c.treatment.Voicemail, Seconds: ev.Seconds, Why: ev.Why}
		if c.queue != nil {
			taken.Queue = c.queue.Name
		}
		e.act(taken)
	}
	by := ByServer
	if ev.Why == MessageHungUp {
		by = ByCaller
	}
	outcome := Treated
	if c.talked {
		outcome = Answered
	}
	e.endWith(c, EndCall{Call: c.id, Outcome: outcome, By: by, Reason: c.trigger})
}

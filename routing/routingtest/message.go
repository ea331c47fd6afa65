package routingtest

import (
	"fmt"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// mainMailbox is the mailbox of cases that name none.
const mainMailbox = "main"

// message plays the end of a message: "message c1 12s key", or "message c1 hangup"
// of a caller who has left none.
func (r *runner) message(call routing.CallID, length, why string) error {
	left := routing.MessageLeft{Call: call, Why: why}
	if why == "" {
		left.Why = length
	} else {
		d, err := time.ParseDuration(length)
		if err != nil {
			return err
		}
		left.Seconds = int(d / time.Second)
	}
	switch left.Why {
	case routing.MessageHungUp, routing.MessageByKey, routing.MessageSilence, routing.MessageLongest, routing.MessageFailed:
		return r.step(left)
	}
	return fmt.Errorf("a message ends by hangup, key, silence, longest or failed")
}

// leaveNothing has callers who were sent to a mailbox hang up at once, unless the
// case says what they leave there.
func (r *runner) leaveNothing(err error) error {
	for err == nil && len(r.messages) > 0 {
		call := r.messages[0]
		r.messages = r.messages[1:]
		if !r.messagesApart {
			err = r.step(routing.MessageLeft{Call: call, Why: routing.MessageHungUp})
		}
	}
	return err
}

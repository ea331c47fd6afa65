package pops

import (
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
)

// end ends a call. Who talked has time for a note.
func (c *Calls) end(k *call, by routing.Party, reason string) {
	if k.over {
		return
	}
	k.over = true
	k.timer.Stop()
	now := time.Now()
	over := routing.EndCall{Call: k.id, Outcome: routing.Abandoned, By: by, Reason: reason}
	switch {
	case k.talker != nil:
		over.Outcome, over.Agent, over.Attempt = routing.Answered, k.talker.Agent, k.talker.Attempt
	case by == routing.ByServer:
		over.Outcome = routing.Failed
	}
	if reason == answeredElsewhere {
		over.Outcome = routing.Treated
	}
	for _, l := range k.legs {
		switch l.phase {
		case ringing:
			why := "abandoned"
			if over.Outcome == routing.Treated {
				why = reason
			}
			c.withdraw(l, why)
		case talking:
			c.wrapUp(k, l)
		}
	}
	c.act(now, over)
	c.live--
	for _, name := range k.names {
		delete(c.byKey, name)
		c.remember(name)
	}
	c.forget(k)
}

// withdraw takes a call from an agent whom it rings.
func (c *Calls) withdraw(l *leg, why string) {
	c.act(time.Now(), routing.Withdraw{Offer: l.Offer, Why: why})
	c.gone(l)
}

// wrapUp gives an agent time for a note.
func (c *Calls) wrapUp(k *call, l *leg) {
	now, long := time.Now(), c.sources[k.source].WrapUp
	l.phase = wrapUp
	c.act(now, routing.WrapUpStarted{Offer: l.Offer, Until: now.Add(long), Disposition: "off"})
	l.timer = time.AfterFunc(long, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.finish(k, l, "")
	})
}

// finish ends an agent's part in a call.
func (c *Calls) finish(k *call, l *leg, disposition string) {
	if l.phase != wrapUp {
		return
	}
	l.timer.Stop()
	c.act(time.Now(), routing.WrapUpFinished{Offer: l.Offer, Disposition: disposition})
	c.gone(l)
	c.forget(k)
}

// gone says that the agent has no more to do with the call.
func (c *Calls) gone(l *leg) {
	if l.phase == done {
		return
	}
	l.phase = done
	if !isClosed(l.acked) {
		close(l.acked)
	}
	c.agent(l.Agent).legs--
	c.keepFree(l.Agent)
}

// forget drops a call that nobody writes about any more.
func (c *Calls) forget(k *call) {
	for _, l := range k.legs {
		if l.phase != done {
			return
		}
	}
	if k.over {
		delete(c.byID, k.id)
	}
}

// endIn bounds how long the call may go on without a word of its PBX.
func (c *Calls) endIn(k *call, long time.Duration) {
	if k.timer != nil {
		k.timer.Stop()
	}
	due := time.Now().Add(long)
	k.deadline = due
	k.timer = time.AfterFunc(long, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !k.over && k.deadline.Equal(due) {
			c.log.Warn("the end of a call was never told", zap.Int64("call", int64(k.id)), zap.String("source", k.source))
			c.end(k, routing.ByServer, reasonLost)
		}
	})
}

// remember keeps in mind that a call is over.
func (c *Calls) remember(key callKey) {
	if _, there := c.over[key]; !there {
		c.ended = append(c.ended, key)
	}
	c.over[key] = time.Now()
}

func (c *Calls) forgetOver(now time.Time) {
	for len(c.ended) > 0 && (len(c.ended) > maxOver || now.Sub(c.over[c.ended[0]]) > keepOver) {
		delete(c.over, c.ended[0])
		c.ended = c.ended[1:]
	}
}

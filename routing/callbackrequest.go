package routing

import (
	"cmp"
	"time"

	"github.com/cordboard/cordboard/routing/rule"
)

// CallbackRequested: a customer who is on no line asks to be called, over the web or
// for a later hour. CallbackTaken follows, or the call's end at once with the reason
// no_queue, no_callback (the queue calls nobody back) or promised (a callback of the
// customer's waits there already). Whether the customer may be called is the rim's to
// know.
type CallbackRequested struct {
	Call   CallID    `json:"call"`
	Caller string    `json:"caller"` // keyed hash of the number to call
	Attrs  rule.Call `json:"attrs"`
	Rim    []AtRim   `json:"rim,omitempty"` // as in CallArrived
	// Queue is where the place is; "" for that of Topic.
	Queue string `json:"queue,omitempty"`
	Topic string `json:"topic,omitempty"`
	// NotBefore is when the customer wants to be called at the earliest: the waiting
	// begins then, behind all who wait already.
	NotBefore time.Time `json:"not_before,omitzero"`
}

// Kind implements Event.
func (CallbackRequested) Kind() string { return "callback_requested" }

// callbackRequested makes a place without a line. The routes are not read: whoever
// asks says where.
func (e *Engine) callbackRequested(ev CallbackRequested) error {
	if e.calls[ev.Call] != nil {
		return ErrKnownCall
	}
	c := e.begin(ev.Call, e.now, ev.Attrs, ev.Caller)
	c.answered, c.reread = true, true
	e.learn(c, ev.Rim)
	t := target{route: e.plan.root, language: ev.Attrs.Language, topic: ev.Topic}
	q := e.plan.Queues[cmp.Or(ev.Queue, t.queue(e.plan))]
	if why := e.unpromising(c, q); why != "" {
		e.end(c, Failed, ByServer, why)
		return nil
	}
	e.act(ResolveCustomer{Call: c.id})
	e.adopt(c, t)
	c.since = max(e.now, ev.NotBefore.UnixMicro())
	c.entered = c.since
	e.comeTo(c, q)
	cb := &callback{taken: e.now, away: true, caller: ev.Caller, terms: q.Callback}
	if c.since > e.now {
		cb.again = c.since
	}
	c.callback = cb
	e.rest(c, true)
	e.arm(c, callbackOver, c.since+cb.terms.Expires.Microseconds())
	for _, once := range c.onceMarks() {
		c.mark(once)
	}
	c.visited = append(c.visited, q.Name)
	c.guessed = unlike()
	e.promise(c)
	e.rekey(c)
	e.join(c)
	e.announce(c, "requested")
	e.act(CallbackTaken{c.id, c.kept()})
	e.reachSteps(c)
	e.resume(c)
	return nil
}

// unpromising is why nobody is called back for a request in the queue, "" when
// somebody is.
func (e *Engine) unpromising(c *call, q *Queue) string {
	switch {
	case q == nil:
		return "no_queue"
	case q.Callback == nil:
		return "no_callback"
	case e.figure(q.Name).promised[c.caller] != nil:
		return "promised"
	}
	return ""
}

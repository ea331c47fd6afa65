package reference

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// withCallbacks has two queues offer callbacks, one of them to be called ahead,
// and one overflow that asks first.
func withCallbacks(p *routing.Policy) {
	p.Queues["a"].Callback = &rule.Callback{FirstOffer: 2 * time.Second, Again: 30 * time.Second, Key: "1", Attempts: 2, Retry: 61 * time.Second, Expires: time.Hour}
	p.Queues["b"].Callback = &rule.Callback{FirstOffer: time.Hour, Key: "1", Attempts: 3, Retry: time.Minute, Expires: 2 * time.Hour}
	p.Queues["b"].Late.Then = rule.Treatment{Callback: true, Else: &rule.Treatment{Queue: "c", PriorityAdd: 10}}
	p.Queues["c"].Callback = &rule.Callback{FirstOffer: 3 * time.Second, Key: "1", Ahead: 90 * time.Second, Attempts: 2, Retry: time.Minute, Expires: time.Hour}
}

// callbackEvent is something that may happen to a callback.
func (p *tape) callbackEvent(call routing.CallID) routing.Event {
	switch try := p.tries[call]; p.rng.IntN(8) {
	case 0, 1:
		return routing.CallbackAccepted{Call: call}
	case 2:
		return routing.CallbackDeclined{Call: call}
	case 4:
		return routing.CallbackCancelled{Call: call, Reason: "erased"}
	case 3:
		return routing.CustomerMissed{Call: call, Try: try, Code: 480}
	default:
		return routing.CustomerAnswered{Call: call, Try: try}
	}
}

// request asks for a callback, by now or later.
func (p *tape) request(call routing.CallID) routing.Event {
	ev := routing.CallbackRequested{
		Call: call, Caller: fmt.Sprint("n", p.rng.IntN(30)), Queue: []string{"a", "b", "c"}[p.rng.IntN(3)],
		Attrs: rule.Call{Kind: "callback", Trunk: "a", Language: []string{"en", "ru"}[p.rng.IntN(2)], Region: p.region(), ANIKnown: true},
	}
	if p.rng.IntN(2) == 0 {
		ev.NotBefore = p.now.Add(time.Duration(p.rng.IntN(120)) * time.Second)
	}
	return ev
}

// resumed has callbacks wait again whose retry is over.
func (m *matcher) resumed() {
	for _, c := range m.calls {
		if !c.again.IsZero() && !m.now.Before(c.again) {
			c.again, c.waiting = time.Time{}, true
		}
	}
}

// callback follows what becomes of callbacks: the place keeps its turn.
func (m *matcher) callback(a routing.Action) {
	switch a := a.(type) {
	case routing.OfferCallback:
		if a.Why != "" {
			c := m.call(a.Call)
			c.waiting, c.chooses = false, true // until the caller has said yes or no
			c.sender = ""                      // as any overflow, it takes the call out of the sender's hands
		}
	case routing.Wait:
		c := m.call(a.Call)
		if c.chooses { // not passed on: declined, and stays
			c.waiting, c.chooses, c.at, c.until = true, false, len(c.list), time.Time{}
		}
	case routing.CallbackTaken:
		c := m.call(a.Call)
		c.waiting, c.chooses, c.at, c.until, c.asked = true, false, len(c.list), time.Time{}, true
		if a.Kept.Again.After(m.now) { // asked for a later hour
			c.waiting, c.again = false, a.Kept.Again
		}
	case routing.CallCustomer:
		if a.Agent == "" { // ahead
			c := m.call(a.Call)
			c.waiting = false
			c.preferDone()
		}
		m.tally("called")
	case routing.CallbackReached:
		if c := m.call(a.Call); c.attempt.Agent == "" || m.person(c.attempt.Agent).call != c.id {
			c.waiting = true
		}
		m.tally("reached")
	case routing.CallbackMissed:
		c := m.call(a.Call)
		c.waiting, c.again = false, a.Again
		c.preferDone()
		m.tally("missed")
	case routing.EndCall:
		if a.Into != 0 {
			m.call(a.Into).before = m.call(a.Call)
			m.tally("taken over")
		}
	}
}

// preferDone: whom the call prefers has been asked, or it was time that went by.
func (c *caller) preferDone() { c.at, c.until = len(c.list), time.Time{} }

func (m *matcher) tally(what string) { m.offers[what]++ }

// stepsIn gives a call that has taken a callback's place over what that has had:
// each addition counts once.
func (c *caller) stepsIn(since time.Time) {
	old := c.before
	c.before = nil
	if old == nil || !old.since.Equal(since) {
		return
	}
	c.front, c.came = old.front, old.came
	maps.DeleteFunc(c.bars, func(id agents.ID, _ bar) bool { return strings.HasPrefix(string(id), "step ") })
	for id, b := range old.bars {
		if strings.HasPrefix(string(id), "step ") {
			c.bars[id] = b
		}
	}
}

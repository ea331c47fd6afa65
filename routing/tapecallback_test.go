package routing

import (
	"slices"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing/rule"
)

// tapeCallbacks gives queues a and v callbacks, a route other terms, and
// treatments that offer one.
func tapeCallbacks(p *Policy, version int) {
	p.Queues["a"].Callback = &rule.Callback{
		When: tapeAsk(`queue.position > 0 and queue.ewt >= 0`), FirstOffer: 2 * time.Second, Again: 30 * time.Second, Key: "1",
		Attempts: 2, Retry: time.Minute, Expires: time.Hour,
	}
	p.Queues["a"].Late.Then = rule.Treatment{Callback: true, Else: &rule.Treatment{Queue: "b", PriorityAdd: 10}}
	p.Queues["v"].Callback = &rule.Callback{FirstOffer: time.Second, Key: "1", Ahead: 20 * time.Second, Attempts: 3, Retry: time.Minute, Expires: time.Hour}
	p.Queues["c"].Callback = &rule.Callback{FirstOffer: 4 * time.Second, Key: "1", Attempts: 2, Retry: time.Minute, Expires: 2 * time.Hour}
	p.Queues["c"].Closed = rule.Treatment{Play: "closed", Callback: true, Else: &rule.Treatment{Play: "bye", Voicemail: "c"}}
	p.Queues["u"].Full = &FullPolicy{3, rule.Treatment{Callback: true, Else: &rule.Treatment{Queue: "a"}}}
	p.Queues["u"].Callback = &rule.Callback{FirstOffer: time.Minute, Key: "2", Ahead: 5 * time.Minute, Attempts: 1, Retry: time.Minute, Expires: time.Hour}
	for _, n := range p.Route.Children {
		switch n.Name {
		case "firm":
			n.Callback = &rule.Callback{FirstOffer: 3 * time.Second, Key: "3", Attempts: 1, Retry: time.Minute, Expires: time.Hour}
		case "hard":
			n.NoCallback = version == 1
		}
	}
}

// checkCallbacks: a place without a line has an end, waits as one, and is found
// by its customer; whoever is being called has a deadline. It counts those in
// line, by queue.
func checkCallbacks(t *testing.T, e *Engine) map[string]int {
	t.Helper()
	inLine, away, ahead := map[*figure]int{}, map[*figure]int{}, map[*figure]int{}
	resting := 0
	for _, c := range e.calls {
		cb := c.callback
		if cb == nil || !cb.away {
			if cb != nil && (cb.paused || cb.dialling || len(cb.keys) > 0 || c.deadline(callbackOver).armed() || c.phase == dialling) {
				t.Fatalf("call %d has a line, and %+v", c.id, cb)
			}
			continue
		}
		f := e.figure(c.queue.Name)
		away[f]++
		if cb.paused {
			resting++
		}
		if (queueless(c)) != (cb.paused && !cb.dialling) {
			t.Fatalf("call %d: in line %v, paused %v, dialling %v", c.id, !queueless(c), cb.paused, cb.dialling)
		}
		if !queueless(c) {
			inLine[f]++
			if cb.terms.Ahead > 0 && !cb.paused {
				ahead[f]++
			}
		}
		if cb.taken == 0 || c.demand == nil || c.phase != waiting && !c.phase.offered() || !cb.over && !c.deadline(callbackOver).armed() || (c.phase == dialling) != (cb.dialling && c.agent != nil) {
			t.Fatalf("call %d in phase %d without a line: %+v", c.id, c.phase, cb)
		}
		if (cb.dialling || cb.paused) && !c.deadline(callbackDue).armed() || cb.missed >= cb.terms.Attempts || cb.tries < cb.missed || !cb.dialling && cb.vain() >= maxVain {
			t.Fatalf("call %d is paused for ever, or called too often: %+v", c.id, cb)
		}
		if c.phase == waiting && !cb.paused && !e.due() && !e.open(c.plan, c.queue, c.zone()) {
			t.Fatalf("call %d can be called outside hours", c.id)
		}
		for _, who := range cb.keys {
			if f.promised[who] != c {
				t.Fatalf("call %d: nothing leads from its customer to it", c.id)
			}
		}
		for _, kind := range []timerKind{lateDue, nobodyDue, closeDue, returnDue} {
			if c.deadline(kind).armed() {
				t.Fatalf("call %d has no line, and a deadline of kind %d", c.id, kind)
			}
		}
	}
	if e.resting.Len() != resting {
		t.Fatalf("%d places rest, %d are listed", resting, e.resting.Len())
	}
	out := map[string]int{}
	for name, f := range e.figures {
		out[name] = inLine[f]
		if f.lineless.Len() != inLine[f] || f.headOfLine(e.now) != oldestOnLine(f, e.now) {
			t.Fatalf("queue %s: %d places in line, counted %d; the first caller's wait is %d s, not %d", name, inLine[f], f.lineless.Len(), oldestOnLine(f, e.now), f.headOfLine(e.now))
		}
		n := 0
		for _, c := range f.promised {
			if !c.isAway() || e.calls[c.id] != c || e.figure(c.queue.Name) != f {
				t.Fatalf("queue %s keeps a place for call %d, which is over", name, c.id)
			}
			n++
		}
		if f.callbacks != away[f] || f.ahead.Len() != ahead[f] || f.ahead.Len() > 0 && !slices.Contains(e.nearing, name) && len(e.plan.Renamed()) == 0 {
			t.Fatalf("queue %s: %d callbacks, counted %d; %d to be called ahead, counted %d", name, away[f], f.callbacks, ahead[f], f.ahead.Len())
		}
	}
	return out
}

func queueless(c *call) bool { return c.lined == notLined }

// callbackEvent is one of the events about callbacks.
func (p *tape) callbackEvent() Event {
	id := p.call()
	switch p.byte() % 9 {
	case 8:
		p.next++
		p.arrived[p.next], p.greeted[p.next] = true, true // on no line, which nobody has to answer
		ev := CallbackRequested{Call: p.next, Attrs: rule.Call{Kind: "callback", DNIS: tapeLine(p.next), Region: tapeRegion(p.next), ANIKnown: true}, Caller: tapeCaller(p.next)}
		if ev.Queue = []string{"a", "v", "c", "u", "b", "none"}[p.byte()%6]; p.byte()%2 == 0 {
			ev.NotBefore = p.now.Add(time.Duration(p.byte()) * time.Second)
		}
		return ev
	case 0, 1, 2:
		return CallbackAccepted{Call: id, Caller: []string{"", "", "other"}[p.byte()%3]}
	case 3:
		if p.byte()%4 == 0 {
			return CallbackCancelled{id, "erased"}
		}
		return CallbackDeclined{id}
	case 4, 5:
		return CustomerAnswered{id, p.tries[id]}
	case 6:
		return CustomerMissed{id, p.tries[id], []int{486, 480, 603, 0}[p.byte()%4]}
	}
	return CustomerAnswered{id, p.tries[id] - 1}
}

// callbackAction checks one action about a callback; false for another.
func (p *tape) callbackAction(a Action, fail func(string)) {
	if p.tries == nil {
		p.tries, p.calling, p.lineless = map[CallID]int{}, map[CallID]int{}, map[CallID]bool{}
	}
	switch a := a.(type) {
	case OfferCallback:
		if p.lineless[a.Call] || !p.greeted[a.Call] || p.ended[a.Call] {
			fail("offered to who is not on the line")
		}
	case CallbackTaken:
		if p.lineless[a.Call] || p.ended[a.Call] || p.offers[a.Call] != (Offer{}) {
			fail("taken by who is not on the line, or is being offered")
		}
		p.lineless[a.Call] = true
		if k := a.Kept; k.Since.After(p.now) != k.Again.After(p.now) || !k.Expires.After(p.now) || k.Attempts < 1 || k.Queue == "" {
			fail("a place that cannot be kept")
		}
	case CallCustomer:
		if !p.lineless[a.Call] || p.calling[a.Call] != 0 || a.Try != p.tries[a.Call]+1 {
			fail("called twice, or while on the line")
		}
		p.calling[a.Call], p.tries[a.Call] = a.Try, a.Try
	case DropCustomer:
		if a.Why != "stale" && p.calling[a.Call] != a.Try {
			fail("drops a call to a customer that is not made")
		}
		if a.Why != "stale" {
			delete(p.calling, a.Call)
		}
	case CallbackMissed:
		delete(p.calling, a.Call)
	case CallbackReached:
		if p.calling[a.Call] != a.Try {
			fail("reached without a call")
		}
		delete(p.calling, a.Call)
		delete(p.lineless, a.Call)
	case Ring:
		if p.lineless[a.Call] {
			fail("rings an agent for who is not on the line")
		}
	case Treat:
		if p.lineless[a.Call] {
			fail("treats who is not on the line")
		}
	case Connect:
		if p.lineless[a.Call] {
			fail("connects who is not on the line")
		}
	case EndCall:
		if p.calling[a.Call] != 0 {
			fail("ends while its customer is called")
		}
		over := string(a.Outcome)
		if a.Outcome == Answered { // talked to before
			over = a.Reason
		}
		if p.lineless[a.Call] != slices.Contains([]string{string(Expired), string(TakenOver), "expires", "attempts", "our_side"}, over) {
			fail("an end that is not one of a place without a line")
		}
		delete(p.lineless, a.Call)
	}
}

// tapeCaller has some callers ring more than once, and some without a number.
func tapeCaller(call CallID) string {
	return []string{"n1", "", "n2", "n3", "n4", "n5", "n2"}[call%7]
}

// oldestOnLine looks at one after the other for the first in line who has a line.
func oldestOnLine(f *figure, now int64) (seconds int) {
	f.line.Ascend(func(c *call) bool {
		if !c.isAway() {
			seconds = int((now - c.since) / 1e6)
		}
		return c.isAway()
	})
	return seconds
}

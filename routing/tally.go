package routing

import (
	"time"

	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/routing/queue"
)

// tally is what one visit of a call counts as, and where: by the rules of the
// document that was live when its state was reached. A reload leaves counters
// as they are.
type tally struct {
	minute int64 // an instant; 0 while it waits
	counts figures.One
	state  figures.State
	owed   bool // a callback
}

// Fold folds one action into what a call does in queues, as the engine counts
// it, the ledger keeps it, and a report recounts it. Actions that say nothing
// of that are passed over.
func Fold(c *figures.Call, at time.Time, action Action) bool {
	us := at.UnixMicro()
	switch a := action.(type) {
	case Enqueued:
		if a.Consult != 0 {
			return false // an agent's question: nobody was offered
		}
		c.Enter(a.Queue, us, a.Since.UnixMicro())
		c.Promise(a.Within)
	case TurnedAway:
		c.Enter(a.Queue, us, a.Since.UnixMicro())
		c.Promise(a.Within)
		c.Leave(us)
	case Treat:
		c.Leave(us)
		if a.Number != "" || a.Voicemail != "" { // it is out of the queue's hands, whatever comes of it
			c.End(us, figures.Treated)
		}
	case CallbackTaken:
		c.CallBack(us)
	case Connect:
		if !a.Answered.IsZero() {
			us = a.Answered.UnixMicro()
		}
		c.Answer(us, int64(a.Attempt))
	case Withdraw:
		c.Unanswer(int64(a.Attempt))
	case EndCall:
		if a.Into != 0 {
			c.TakeOver()
		}
		c.End(us, endOf(a))
	default:
		return false
	}
	return true
}

// endOf says how a call's end ends its last visit, if no agent answered there.
// A call that an agent had answered before ends as answered all the same.
func endOf(a EndCall) figures.State {
	switch {
	case a.Outcome == Treated, a.Outcome == Rejected, a.Outcome == Answered && treatments[a.Reason]:
		return figures.Treated
	case a.Outcome == Abandoned, a.Outcome == Answered && a.By == ByCaller:
		return figures.Abandoned
	}
	return figures.Failed
}

// treatments are the reasons of an end that an announcement was.
var treatments = map[string]bool{"closed": true, "full": true, "late": true, "nobody": true, "then": true}

// count folds an action into the figures of its call's queues.
func (e *Engine) count(action Action) {
	of, ok := About(action)
	if !ok {
		return
	}
	c := e.calls[of.Call]
	if c == nil {
		c = e.ending
	}
	if c == nil || c.id != of.Call {
		return
	}
	known := len(c.visits.Visits)
	if !Fold(&c.visits, instant(e.now), action) {
		return
	}
	for _, v := range c.visits.Visits[known:] { // one, if any
		if c != e.ending && (c.queue == nil || c.queue.Name != v.Queue) {
			e.use(v.Queue, 1)
		}
	}
	for i := range c.visits.Visits {
		v := &c.visits.Visits[i]
		if i == len(c.tallies) {
			c.tallies = append(c.tallies, tally{})
		}
		e.recount(&c.tallies[i], v)
	}
}

// recount replaces what a visit counted as, if its state is another.
func (e *Engine) recount(t *tally, v *figures.Visit) {
	if t.counts != (figures.One{}) && t.state == v.State && t.owed == v.Owed() {
		return
	}
	rules := &e.plan.Service
	at, now := rules.Count(v, e.within(v.Queue), v.Entered)
	if v.State == figures.Waiting {
		at = 0
	}
	f := e.figure(v.Queue)
	before := t.counts.Counts()
	f.total.Add(before, -1)
	f.total.Add(now, 1)
	if t.minute != 0 {
		f.recent.Add(rules.Window, e.now, t.minute, before, -1)
	}
	if at != 0 {
		f.recent.Add(rules.Window, e.now, at, now, 1)
	}
	t.minute, t.state, t.owed, t.counts = at, v.State, v.Owed(), now.One()
}

// promise is the queue's T as actions tell it.
func (q *Queue) promise() time.Duration {
	if q.AnswerWithin == figures.DefaultWithin {
		return 0
	}
	return q.AnswerWithin
}

// within is T of a queue of the live document; 0 when that has no such queue:
// its calls are served by older versions, each as it was promised.
func (e *Engine) within(name string) time.Duration {
	if f := e.figures[name]; f != nil && f.name != "" {
		name = f.name // renamed
	}
	if q := e.plan.Queues[name]; q != nil {
		return q.AnswerWithin
	}
	return 0
}

// serviceLevel is the share of a queue's calls answered in time, by the
// document's formula over its window, in whole percent. q is the queue as who
// asks knows it, when the live document may not have it; nil for nobody's.
func (e *Engine) serviceLevel(name string, q *Queue, now int64) int {
	rules := &e.plan.Service
	f := e.figure(name)
	sum := f.recent.Sum(rules.Window, now)
	// Those who wait, and T is over, count with the minute in which it was.
	begins, within := figures.Begins(rules.Window, now), e.within(name).Microseconds()
	if within == 0 && q != nil {
		within = q.AnswerWithin.Microseconds()
	}
	if rules.ByArrival {
		sum.Decided += f.waitingSince(begins, now-within)
	} else {
		sum.Decided += f.waitingSince(begins-within, now-within)
	}
	return rules.Percent(sum)
}

// waitingSince counts who waits since an instant or later, but before another.
func (f *figure) waitingSince(from, before int64) int {
	if from >= before {
		return 0
	}
	return f.age.Rank(queue.Key{Since: before}) - f.age.Rank(queue.Key{Since: from})
}

package app

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
	"github.com/cordboard/cordboard/sip"
	"github.com/cordboard/cordboard/store"
)

// mostPast look-ups of callers' other calls go on at once; calls that come on top
// are routed without.
const mostPast = 64

// pastCalls looks up what the ledger says of the other calls of those who are
// calling, while their records are looked up.
type pastCalls struct {
	asked atomic.Bool  // by a condition of the version that is live
	wait  atomic.Int64 // how long the ledger may take, a time.Duration
	mu    sync.Mutex
	by    map[routing.CallID]*pastCall
	busy  int
}

// pastCall is what is known of one caller. What comes last, the ledger's answer or
// the record's, hands it on.
type pastCall struct {
	past rule.Past
	done bool
	then func(rule.Past)
}

// read notes what a version asks of the ledger.
func (c *pastCalls) read(p *routing.Policy) {
	c.wait.Store(int64(ledgerTime(p)))
	c.asked.Store(p.ReadsPast())
}

// ledgerTime is half the shortest time that routing waits for a record. The record
// goes to routing with what the ledger says: a ledger that is slow, or says
// nothing, must not have it come too late.
func ledgerTime(p *routing.Policy) time.Duration {
	least := p.Record.Deadline
	var look func(*rule.Node)
	look = func(n *rule.Node) {
		if n == nil {
			return
		}
		if n.Record != nil && n.Record.Deadline > 0 && (least == 0 || n.Record.Deadline < least) {
			least = n.Record.Deadline
		}
		for _, child := range n.Children {
			look(child)
		}
	}
	look(p.Route)
	if least == 0 {
		return time.Second // nobody waits
	}
	return least / 2
}

// lookBack begins the look-up of a call that arrives, when a condition asks.
func (r *rim) lookBack(a sip.Arrival, p *routing.Policy) {
	number := a.Caller.Number.E164()
	if !r.past.asked.Load() || number == "" || a.Caller.Restricted || !r.past.begin(a.Call) {
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.past.wait.Load()))
		defer cancel()
		past, err := r.store.PastOf(ctx, number, a.Call, p.Service.Day(a.At))
		if err != nil {
			r.log.Warn("the caller's other calls cannot be looked up", zap.Int64("call", int64(a.Call)), zap.Error(err))
		}
		r.past.end(a.Call, asRules(past, a.At))
	}()
}

// asRules is what conditions see of it at an instant.
func asRules(p store.Past, at time.Time) rule.Past {
	ago := func(t time.Time) int {
		if t.IsZero() {
			return 0
		}
		return max(int(at.Sub(t)/time.Second), 1)
	}
	return rule.Past{CallsToday: p.Calls, AbandonedToday: p.Abandoned, AbandonedAgo: ago(p.LastAbandoned), AnsweredAgo: ago(p.LastAnswered)}
}

func (c *pastCalls) begin(call routing.CallID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy >= mostPast {
		return false
	}
	if c.by == nil {
		c.by = map[routing.CallID]*pastCall{}
	}
	c.busy++
	c.by[call] = &pastCall{}
	return true
}

// end is the ledger's answer.
func (c *pastCalls) end(call routing.CallID, past rule.Past) {
	c.mu.Lock()
	c.busy--
	var then func(rule.Past)
	if p := c.by[call]; p != nil {
		p.past, p.done = past, true
		if then = p.then; then != nil {
			delete(c.by, call)
		}
	}
	c.mu.Unlock()
	if then != nil {
		then(past)
	}
}

// then hands on what is known of a caller: now, or when the ledger has answered.
func (c *pastCalls) then(call routing.CallID, do func(rule.Past)) {
	c.mu.Lock()
	var past rule.Past
	if p := c.by[call]; p != nil {
		if !p.done {
			p.then = do
			c.mu.Unlock()
			return
		}
		past = p.past
		delete(c.by, call)
	}
	c.mu.Unlock()
	do(past)
}

func (c *pastCalls) forget(call routing.CallID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.by, call)
}

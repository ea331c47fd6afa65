package app

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/statistics"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/sip"
	"github.com/cordboard/cordboard/sip/identity"
)

// Accepted implements sip.Customers. The number is kept here, and in the ledger as
// long as the call lives where that would not know it; the engine has its hash.
func (r *rim) Accepted(call routing.CallID, entered identity.Number) {
	ev := routing.CallbackAccepted{Call: call}
	number := entered.E164()
	shown, there := r.callers.callAt(call, number)
	if !there {
		return // it is over
	}
	if number != "" {
		ev.Caller = r.hash(number)
	} else {
		number = shown.number
	}
	if number == shown.number && !shown.caller.Restricted {
		number = "" // the ledger has it, and not what was keyed in before in vain
	}
	r.store.CallBackAt(call, number)
	r.driver.Submit(ev)
}

// Customer implements sip.Customers.
func (r *rim) Customer(call routing.CallID) (sip.Customer, bool) {
	who, there := r.callers.get(call)
	if !there {
		return sip.Customer{}, false
	}
	out := sip.Customer{Number: who.number, Caller: who.caller, Dialled: who.dialled, Trunk: who.trunk}
	if who.back != "" {
		out.Number = who.back
	}
	return out, true
}

// callAt notes at which number a caller is to be called back; "" is his own.
func (c *knownCalls) callAt(call routing.CallID, number string) (who known, there bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.by[call]
	if p == nil {
		return known{}, false
	}
	p.back = number
	return *p, true
}

func (c *knownCalls) get(call routing.CallID) (who known, there bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.by[call]
	if p == nil {
		return known{}, false
	}
	return *p, true
}

// restore gives the callbacks of an earlier run their places again: the card, what
// the rim knows of who is to be called, and then the engine. It runs before the
// engine does.
func (r *rim) restore(ctx context.Context, book *statistics.Book) error {
	places, err := r.store.Callbacks(ctx)
	if err != nil {
		return err
	}
	p := r.policy.Load()
	for i := range places {
		b := &places[i]
		number, err := identity.ParseNumber(b.At, "", nil)
		if err != nil {
			r.log.Error("nobody knows whom to call back", zap.Int64("call", int64(b.Call)), zap.Error(err))
			r.lost(b.Call)
			continue
		}
		restricted := b.Number == ""
		who := &known{
			number: b.Number, trunk: b.Trunk, versions: []*routing.Policy{p}, dialled: identity.Dialled{Number: b.Dialled},
			attrs: rule.Call{Kind: "callback", ANIKnown: true, DNIS: b.Kept.DNIS, Trunk: b.Trunk, Country: b.Kept.Country, Region: b.Kept.Region},
			back:  b.At, awaits: true,
		}
		who.caller = identity.Caller{Country: b.Kept.Country, Restricted: restricted}
		if restricted && !b.Kept.Elsewhere {
			who.number = b.At // what he withheld; the one he keyed in may be anybody's
		}
		if n, err := identity.ParseNumber(who.number, "", nil); err == nil {
			who.caller.Number = n
		}
		r.callers.put(b.Call, who)
		r.calls.tally.Restore(b)
		if err := book.Restore(&b.LedgerRow, b.Events); err != nil {
			r.log.Error("a place is missing in the day's figures", zap.Int64("call", int64(b.Call)), zap.Error(err))
		}
		r.hub.OpenCard(screenpop.NewCall{
			Call:   b.Call,
			Caller: screenpop.CallerInfo{Number: b.Number, Country: b.Kept.Country, Restricted: restricted},
			Lookup: who.number, Dialled: b.Dialled, Trunk: b.Trunk, At: b.Kept.Arrived,
		})
		ev := routing.CallbackRestored{Call: b.Call, Caller: r.hash(who.number), Kept: b.Kept}
		if called := number.E164(); called != who.number {
			ev.Called = r.hash(called)
		}
		r.driver.Submit(ev)
	}
	if n := len(places); n > 0 {
		r.log.Info("callbacks of an earlier run have their places again", zap.Int("callbacks", n))
	}
	return nil
}

// lost ends the row of a place whose customer nobody can call.
func (r *rim) lost(call routing.CallID) {
	r.store.Do(time.Now(), []routing.Action{routing.EndCall{Call: call, Outcome: routing.Failed, By: routing.ByServer, Reason: "no_number"}})
}

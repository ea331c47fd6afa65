package sip

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// A callback has no line: between the caller's and the one to the customer there
// is no actor of the call. The one that calls the customer has that leg as its
// caller's from the first INVITE on; once answered it is a caller like any other.

const (
	// partingTime bounds the words that the caller's line is released with.
	partingTime = 30 * time.Second
	// customerGrace is how long past its time a call to a customer may still ring,
	// should the engine have forgotten it.
	customerGrace = 10 * time.Second
)

// callBack gives an order to call a customer to the actor whose line is just being
// released, or to a new one.
func (g *Gateway) callBack(a routing.CallCustomer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.calls[a.Call]; c != nil && c.box.put(item{act: a}) {
		return
	}
	if g.draining {
		return // whoever comes after us calls
	}
	c := g.newBack(a.Call)
	g.calls[c.id] = c
	g.work.Add(1)
	c.box.put(item{act: a})
	go c.run()
}

// newBack makes the actor of a call whose customer is to be called.
func (g *Gateway) newBack(id routing.CallID) *call {
	c := &call{id: id, gw: g, log: g.log.WithLazy(zap.Int64("call", int64(id)))}
	c.box = newMailbox(func(n int) { c.log.Warn("mailbox grows", zap.Int("length", n)) })
	c.caller = &leg{name: "caller", ended: true}
	return c
}

// released ends the caller's line: the call is to be called back.
func (c *call) released(a routing.CallbackTaken) {
	if c.caller.ended { // he has hung up before
		c.lineGone()
		return
	}
	said := []string{c.prompt("callback-taken", a.Kept.Language)}
	if o := c.offering; o != nil && o.language != "" {
		said[0] = c.prompt("callback-taken", o.language)
	}
	c.hush()
	c.ringLater, c.sendLater, c.treatment = nil, nil, ""
	c.resume.Stop()
	c.parting = true
	c.speak(said, c.partFromCaller)
	c.orphanTimer = c.after(partingTime, c.partFromCaller) // he may send no ACK, and hear nothing
}

// partFromCaller hangs up on a caller who will be called back.
func (c *call) partFromCaller() {
	if !c.parting {
		return
	}
	c.caller.dlg.Bye(reasonHeader(routing.ByServer, "callback"))
	c.lineGone()
}

// lineGone is the end of the caller's line: the customer is called at once when
// that was due meanwhile.
func (c *call) lineGone() {
	c.parting = false
	c.orphanTimer.Stop()
	c.closeLeg(c.caller)
	if a := c.dialLater; a != nil {
		c.dialLater = nil
		c.callCustomer(*a)
		return
	}
	c.finish()
}

// callCustomer calls the customer of a callback.
func (c *call) callCustomer(a routing.CallCustomer) {
	if !c.caller.ended {
		if c.parting {
			c.dialLater = &a
		}
		return
	}
	c.dialTry, c.language = a.Try, a.Language
	who, ok := c.gw.customers.Customer(c.id)
	if !ok || who.Number == "" {
		c.log.Warn("customer not called", zap.String("reason", "no_number"))
		c.customerMissed(404) // no later try would know more
		return
	}
	c.arrival = Arrival{Call: c.id, Caller: who.Caller, Dialled: who.Dialled, Trunk: who.Trunk}
	if n, err := identity.ParseNumber(who.Number, "", nil); err != nil || !c.mayCall(n) {
		c.log.Warn("customer not called", zap.String("reason", "number_refused"))
		c.customerMissed(404)
		return
	}
	c.first, c.invited, c.spent, c.deaf = nil, nil, 0, false
	c.playing, c.treatment, c.tune = playing{}, "", a.Music
	c.told = telling{number: c.told.number + 1}
	c.toCustomer(&leg{
		name: "caller", order: routing.Ring{Until: a.Until}, side: c.newSide(),
		out: &outward{number: who.Number, ways: c.gw.ways(who.Trunk), customer: true},
	}, 503)
	if !c.over {
		c.orphanTimer = c.after(time.Until(a.Until)+customerGrace, c.customerForgotten)
	}
}

// toCustomer sends the INVITE by the next trunk there is; code is why the one
// before could not.
func (c *call) toCustomer(l *leg, code int) {
	c.caller = l
	for {
		ok, full := l.out.next(c.gw)
		if !ok {
			if full {
				code = noPort // no fault of the number's
			}
			c.log.Warn("no trunk for the call to a customer", zap.Bool("full", full), zap.Int("code", code))
			c.customerMissed(code)
			return
		}
		if l.port == nil && !c.openPort(l) {
			c.customerMissed(noPort)
			return
		}
		c.trunk = *l.out.trunk
		l.own = media.OwnFormats()
		l.told = l.ownAudio()
		l.said, l.localSDP = l.told, l.side.Offer(l.told)
		l.vigil.longest = c.gw.session
		if c.inviteCustomer(l) {
			return
		}
		code = 503
	}
}

func (c *call) inviteCustomer(l *leg) bool {
	o, err := c.outgoingBy(l)
	if err == nil {
		o.Headers = append(o.Headers, l.vigil.propose()...)
		l.dlg, err = c.gw.endpoint().Invite(o, c.sink(l))
	}
	if err != nil {
		c.log.Warn("customer not called", zap.Error(err))
		return false
	}
	l.unheard.Stop()
	l.unheard = c.after(c.gw.unheardAfter, func() {
		if c.isCustomer(l) && !l.dlg.Heard() {
			c.customerFailed(l, 408)
		}
	})
	return true
}

// isCustomer says that the leg is the present call to a customer who has not
// answered yet.
func (c *call) isCustomer(l *leg) bool {
	return l == c.caller && l.out != nil && !l.answered && !l.ended
}

// customerEvent is what the customer's telephone did before it was answered.
func (c *call) customerEvent(l *leg, ev stack.Event) {
	switch ev := ev.(type) {
	case stack.Progress:
		l.rang = l.rang || ev.Response.Status == 180
	case stack.Answered:
		c.customerAnswered(l, ev.Response)
	case stack.Failed:
		if ev.Code == 422 && l.vigil.raise(ev.Response) && c.inviteCustomer(l) {
			return
		}
		c.customerFailed(l, ev.Code)
	case stack.Ended, stack.FlowLost:
		c.customerFailed(l, 503)
	case stack.Requested: // a 481 would end the dialog (RFC 5057)
		c.requested(l, ev.Request)
	}
}

// customerFailed tries the next trunk where this one could not carry the call:
// what it says of the number itself counts.
func (c *call) customerFailed(l *leg, code int) {
	if !l.rang && (code == 408 || code/100 == 5) && len(l.out.ways) > 0 {
		c.log.Warn("trunk cannot carry a call to a customer: the next is tried", zap.String("trunk", l.out.trunk.Name), zap.Int("code", code))
		// A leg of its own, so that what is left of the first dialog finds nobody.
		again := *l
		l.ended, l.out, l.port = true, nil, nil
		l.unheard.Stop()
		l.dlg.Bye(nil)
		again.vigil, again.dlg = vigil{}, nil
		c.toCustomer(&again, code)
		return
	}
	if l.dlg != nil {
		l.dlg.Bye(nil)
	}
	c.customerMissed(code)
}

// customerMissed tells the engine that the customer was not reached. There is
// nothing left for this actor to do.
func (c *call) customerMissed(code int) {
	c.closeLeg(c.caller)
	c.submit(routing.CustomerMissed{Call: c.id, Try: c.dialTry, Code: code})
	c.finish()
}

// customerAnswered: the customer is on the line, and is told why.
func (c *call) customerAnswered(l *leg, res *stack.Message) {
	c.orphanTimer.Stop()
	c.try(l, "ack", l.dlg.Ack(nil))
	l.answered = true
	l.unheard.Stop()
	l.vigil.answered(res, time.Now())
	l.source = res.Source.Addr()
	l.port.AlsoFrom(l.source)
	if !l.took(l.told, res.Body) {
		c.log.Info("no usable answer in the customer's 200")
		l.dlg.Bye(reasonHeader(routing.ByServer, "no_codec"))
		c.customerMissed(488)
		return
	}
	l.up = true
	l.own, _ = l.remote.Keep(l.codec)
	c.save(l)
	c.keepWatch()
	c.submit(routing.CustomerAnswered{Call: c.id, Try: c.dialTry})
	c.speak([]string{c.prompt("callback-here", c.language)}, nil)
}

// dropCustomer ends the call to the customer, answered or not.
func (c *call) dropCustomer(a routing.DropCustomer) {
	switch {
	case c.dialLater != nil && c.dialLater.Try == a.Try:
		c.dialLater = nil
	case c.dialTry == a.Try && c.caller.out != nil:
		h := reasonHeader(routing.ByServer, a.Why)
		c.dropAgents(h)
		if !c.caller.ended {
			c.caller.dlg.Bye(h)
		}
		c.closeLeg(c.caller)
		c.finish()
	}
}

// customerForgotten is the net under a call to a customer that the engine has lost.
func (c *call) customerForgotten() {
	if l := c.caller; c.isCustomer(l) {
		c.log.Error("nobody has ended the call to a customer", zap.String("reason", "engine_silent"))
		l.dlg.Bye(nil)
		c.customerMissed(408)
	}
}

// shownToCustomer is what a customer who is called back sees where the trunk has no
// number of its own: the one that he has called.
func (c *call) shownToCustomer() identity.Number {
	n, err := identity.ParseNumber(c.arrival.Dialled.Number, "", nil)
	if err != nil {
		return identity.Number{} // a short code: anonymous
	}
	return n
}

// mayCall says that a number may be called back. Ours would only ring here again,
// and one that is paid for being called is not called at our cost.
func (c *call) mayCall(n identity.Number) bool {
	e164 := n.E164()
	ours := e164 == c.shownToCustomer().E164() || slices.ContainsFunc(c.gw.trunks, func(t Trunk) bool { return t.Out != nil && t.Out.Number == e164 })
	return !n.IsZero() && !ours && !identity.PaysItsOwner(n)
}

// redo gives what an actor has left undone to those who come after it.
func (g *Gateway) redo(left []item) {
	i := slices.IndexFunc(left, func(it item) bool { _, ok := it.act.(routing.CallCustomer); return ok })
	if i < 0 {
		return
	}
	for _, it := range left[i:] {
		switch a := it.act.(type) {
		case routing.CallCustomer:
			g.callBack(a)
		case routing.DropCustomer:
			g.Do(time.Time{}, []routing.Action{a})
		}
	}
}

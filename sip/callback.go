package sip

import (
	"maps"
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
	c := g.calls[a.Call]
	if c != nil {
		c.box.put(item{act: a})
	}
	made := c != nil || g.begins(a.Call, item{act: a})
	g.mu.Unlock()
	if !made {
		g.notCalled(a)
	}
}

// begins makes the actor of a call whose customer is to be called, unless we are
// about to stop: then whoever comes after us calls. The lock is held.
func (g *Gateway) begins(id routing.CallID, work ...item) bool {
	if g.draining {
		return false
	}
	c := g.newBack(id)
	g.calls[c.id] = c
	g.work.Add(1)
	for _, it := range work {
		c.box.put(it)
	}
	c.box.open()
	return true
}

// notCalled tells the engine that nobody calls a customer here: no try of his.
func (g *Gateway) notCalled(a routing.CallCustomer) {
	g.router.Submit(routing.CustomerMissed{Call: a.Call, Try: a.Try, Code: noPort})
}

// retire takes a call that is over off the books. What the engine still wants of
// its customer goes to the actor that comes after it, in the same instant: an order
// to end the call to him finds one of the two.
func (g *Gateway) retire(c *call, left []item) {
	defer g.work.Done()
	g.mu.Lock()
	left = append(left, c.box.close()...)
	delete(g.calls, c.id)
	maps.DeleteFunc(g.asked, func(_ routing.CallID, about *call) bool { return about == c })
	for _, it := range left {
		if it.lost != nil {
			it.lost()
		}
	}
	left = slices.DeleteFunc(left, func(it item) bool { return it.act == nil })
	var call routing.CallCustomer
	i := slices.IndexFunc(left, func(it item) (found bool) { call, found = it.act.(routing.CallCustomer); return found })
	made := i < 0 || g.begins(c.id, left[i:]...)
	g.checkEmpty()
	g.mu.Unlock()
	if !made {
		g.notCalled(call)
	}
}

// newBack makes the actor of a call whose customer is to be called.
func (g *Gateway) newBack(id routing.CallID) *call {
	c := &call{id: id, gw: g, log: g.log.WithLazy(zap.Int64("call", int64(id)))}
	c.box = newMailbox(c.work, func(n int) { c.log.Warn("mailbox grows", zap.Int("length", n)) })
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
	n, err := identity.ParseNumber(who.Number, "", nil)
	if err != nil || !c.mayCall(n) {
		c.log.Warn("customer not called", zap.String("reason", "number_refused"))
		c.customerMissed(404)
		return
	}
	c.first, c.invited, c.spent, c.deaf = nil, nil, 0, false
	c.playing, c.treatment, c.tune = playing{}, "", a.Music
	c.told = telling{number: c.told.number + 1}
	c.awaits(n.E164())
	c.toCustomer(&leg{
		name: "caller", order: routing.Ring{Until: a.Until}, side: c.newSide(),
		out: &outward{number: who.Number, ways: c.gw.waysBack(who.Trunk, n), customer: true},
	})
	if !c.over {
		c.orphanTimer = c.after(time.Until(a.Until)+customerGrace, c.customerForgotten)
	}
}

// toCustomer sends the INVITE by the next trunk there is. Where none can carry the
// call that is no fault of the number's, and no try of the customer's.
func (c *call) toCustomer(l *leg) {
	c.caller = l
	for {
		ok, why := l.out.next(c.gw)
		if !ok {
			c.log.Warn("no trunk for the call to a customer", zap.String("why", whyNoTrunk[why]))
			c.customerMissed(noPort)
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
	}
}

func (c *call) inviteCustomer(l *leg) bool {
	o, err := c.outgoingBy(l)
	if err == nil {
		o.Headers = append(o.Headers, l.vigil.propose()...)
		l.dlg, err = c.gw.endpoint().Invite(o, c.watched(l))
	}
	if err != nil {
		l.setup.unsent()
		c.log.Warn("customer not called", zap.Error(err))
		return false
	}
	c.traced(l)
	c.awaitCustomer(l)
	return true
}

// awaitCustomer gives the trunk so long to send anything at all.
func (c *call) awaitCustomer(l *leg) {
	l.unheard.Stop()
	l.unheard = c.after(c.gw.unheardAfter, func() {
		if c.isCustomer(l) && !l.dlg.Heard() {
			l.setup.ended(408)
			c.customerFailed(l, 408)
		}
	})
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
	case stack.Routed:
		c.awaitCustomer(l)
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

// customerFailed tries the next trunk where this one could not carry the call, or
// takes none of our codecs: what it says of the number itself counts.
func (c *call) customerFailed(l *leg, code int) {
	if !l.rang && (trunkFault(code) || mediaFault(code)) {
		c.log.Warn("trunk cannot carry a call to a customer: the next is tried", zap.String("trunk", l.out.trunk.Name), zap.Int("code", code))
		// A leg of its own, so that what is left of the first dialog finds nobody.
		again := *l
		l.ended, l.out, l.port = true, nil, nil
		l.unheard.Stop()
		l.dlg.Bye(nil)
		again.vigil, again.dlg = vigil{}, nil
		c.toCustomer(&again)
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
	c.awaits("")
	c.try(l, "ack", l.dlg.Ack(nil))
	l.answered = true
	l.unheard.Stop()
	l.vigil.answered(res, time.Now())
	l.source = res.Source.Addr()
	l.port.AlsoFrom(l.source)
	if !l.took(l.told, res.Body) {
		c.log.Info("no usable answer in the customer's 200")
		l.dlg.Bye(reasonHeader(routing.ByServer, "no_codec"))
		c.customerMissed(noPort) // he has answered: that is none of the attempts
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

// mayCall says that a number may be called back; the one that he has dialled would
// only ring here again.
func (c *call) mayCall(n identity.Number) bool {
	return n.E164() != c.shownToCustomer().E164() && c.gw.CallsBack(n)
}

// CallsBack says that a customer may be called at a number. Ours would only ring here
// again, and one that is paid for being called, or lies where no trunk may call, is not
// called at our cost: what a caller shows, or somebody asks for, may be anybody's.
func (g *Gateway) CallsBack(n identity.Number) bool {
	e164 := n.E164()
	ours := slices.ContainsFunc(g.trunks, func(t Trunk) bool { return t.Out != nil && t.Out.Number == e164 })
	return !n.IsZero() && !ours && !identity.PaysItsOwner(n) && len(g.waysBack("", n)) > 0
}

// waysBack are the trunks that a customer's number may be called by, the best
// first.
func (g *Gateway) waysBack(came string, n identity.Number) []Trunk {
	country := identity.Country(n)
	return slices.DeleteFunc(g.ways(came), func(t Trunk) bool { return !slices.Contains(t.Out.Back, country) })
}

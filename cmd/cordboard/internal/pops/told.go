package pops

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// Told implements web.PBXCalls. Of a new call it returns when the desks have painted
// the record, or had the time for it: a PBX that waits for the answer before it rings
// the phones has the record there before the ring.
func (c *Calls) Told(ctx context.Context, source string, e web.PBXEvent) web.PBXAnswer {
	answer, wait := c.told(source, e)
	if len(wait) == 0 {
		return answer
	}
	patience := time.NewTimer(c.opt.AckWithin)
	defer patience.Stop()
	for _, l := range wait {
		select {
		case <-l.acked:
		case <-patience.C:
			patience.Reset(0) // no more for the others
		case <-ctx.Done(): // the PBX waits no more
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range wait {
		c.rings(l)
	}
	return answer
}

func (c *Calls) told(source string, e web.PBXEvent) (web.PBXAnswer, []*leg) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, known := c.sources[source]
	key := callKey{source, e.CallID}
	c.forgetOver(time.Now())
	switch {
	case c.closed || !known:
		return ignored("stopping"), nil
	case e.Direction == web.PBXOut:
		return ignored("outbound"), nil
	}
	if _, over := c.over[key]; over {
		return ignored("call_over"), nil
	}
	k := c.byKey[key]
	if k == nil && e.Event != web.PBXHangup && c.full(source) {
		return ignored("too_many_calls"), nil
	}
	switch e.Event {
	case web.PBXNewCall:
		return c.newCall(k, s, e)
	case web.PBXAnswered:
		return c.answered(k, s, e), nil
	default:
		return c.hungUp(k, key, e), nil
	}
}

// full says that no more calls can be held.
func (c *Calls) full(source string) bool {
	if c.live < maxCalls {
		return false
	}
	c.log.Warn("PBXs have too many calls in hand: the record of one pops nowhere", zap.String("source", source))
	return true
}

func ignored(why string) web.PBXAnswer { return web.PBXAnswer{Ignored: []web.PBXIgnored{{Why: why}}} }

func told(k *call, rest []web.PBXIgnored) web.PBXAnswer {
	a := web.PBXAnswer{Call: k.id, Agents: []agents.ID{}, Ignored: rest}
	for _, l := range k.legs {
		if l.phase == ringing || l.phase == talking {
			a.Agents = append(a.Agents, l.Agent)
		}
	}
	return a
}

// newCall offers the call to whom it rings. Told of again, it rings others too.
func (c *Calls) newCall(k *call, s configs.Pops, e web.PBXEvent) (web.PBXAnswer, []*leg) {
	who, rest := c.whom(e.Users, e.To)
	if len(who) == 0 {
		return web.PBXAnswer{Ignored: rest}, nil
	}
	if k != nil && k.talker != nil {
		return told(k, append(rest, web.PBXIgnored{Why: "answered_already"})), nil
	}
	if k == nil {
		k = c.named(s, e, who...)
	}
	var fresh []*leg
	for _, id := range who {
		if k.leg(id) == nil {
			fresh = append(fresh, c.offer(k, id))
		}
	}
	if len(fresh) == 0 {
		rest = append(rest, web.PBXIgnored{Why: "repeated"})
	}
	return told(k, rest), fresh
}

// named is the call that is told of by its name: one that the dialog events of an
// agent's telephone told of before, or a new one.
func (c *Calls) named(s configs.Pops, e web.PBXEvent, who ...agents.ID) *call {
	from := caller(e.From, s.Region)
	k := c.nameless(s.Name, from, who)
	if k == nil {
		k = c.open(s.Name, from, dialled(e.To, s.Region))
	}
	key := callKey{s.Name, e.CallID}
	k.names = append(k.names, key)
	c.byKey[key] = k
	return k
}

// open begins a call: the ledger first, then the card, then the look-up.
func (c *Calls) open(source string, from screenpop.CallerInfo, dialled string) *call {
	now, trunk := time.Now(), store.PBXTrunk+source
	k := &call{source: source, from: from, id: c.opt.Ledger.NextCall()}
	c.byID[k.id] = k
	c.live++
	c.opt.Ledger.Arrived(store.Arrival{Call: k.id, Trunk: trunk, Number: from.Number, Dialled: dialled, At: now})
	c.desks.OpenCard(screenpop.NewCall{Call: k.id, Caller: from, Lookup: from.Number, Dialled: dialled, Trunk: trunk, At: now, PBX: true})
	c.act(now, routing.ResolveCustomer{Call: k.id})
	c.endIn(k, c.opt.RingsFor)
	return k
}

func (c *Calls) offer(k *call, id agents.ID) *leg {
	now := time.Now()
	l := &leg{Offer: routing.Offer{Call: k.id, Attempt: routing.Attempt(len(k.legs) + 1), Agent: id}, acked: make(chan struct{})}
	k.legs = append(k.legs, l)
	a := c.agent(id)
	a.legs++
	for _, before := range k.legs { // she has it back: what she was writing is written
		if before != l && before.Agent == id {
			c.finish(k, before, "")
		}
	}
	if !a.desk {
		close(l.acked)
	}
	// The desk is given half of that to learn who calls: see screenpop.
	c.act(now, routing.OfferCall{Offer: l.Offer, Mode: routing.RingAuto, NoDesk: !a.desk, AckBy: now.Add(c.opt.AckWithin)})
	c.keepFree(id)
	return l
}

// rings tells that the phone rings, or is about to.
func (c *Calls) rings(l *leg) {
	if l.phase == ringing && !l.rang {
		l.rang = true
		c.act(time.Now(), routing.Ring{Offer: l.Offer, Unacked: l.late || !isClosed(l.acked)})
	}
}

func isClosed(ch chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// answered connects the agent who has answered, withdraws the call from the others,
// and lets who talked before write: the call was passed on at the PBX.
func (c *Calls) answered(k *call, s configs.Pops, e web.PBXEvent) web.PBXAnswer {
	id, rest := c.whoAnswered(k, e)
	if id == "" {
		if k == nil {
			return web.PBXAnswer{Ignored: rest}
		}
		if len(rest) > 0 && rest[0].Why == whyUnknownAgent && k.talker == nil { // a phone that is no agent's has it
			c.end(k, routing.ByServer, answeredElsewhere)
		} else {
			c.endIn(k, s.Longest)
		}
		return web.PBXAnswer{Call: k.id, Agents: []agents.ID{}, Ignored: rest}
	}
	if k == nil {
		k = c.named(s, e, id)
	}
	if l := k.leg(id); l != nil && l == k.talker {
		return told(k, append(rest, web.PBXIgnored{Why: "repeated"}))
	}
	c.connect(k, id)
	return told(k, rest)
}

// connect says that the agent has answered. Other telephones of which the PBX tells
// by themselves ring until it says that they do not.
func (c *Calls) connect(k *call, id agents.ID) {
	now, before, l := time.Now(), k.talker, k.leg(id)
	if before != nil { // first of all, so that the next agent sees who passed it on
		c.act(now, routing.Transferred{Offer: before.Offer, ToAgent: id})
	}
	if l == nil {
		l = c.offer(k, id)
	}
	for _, other := range k.legs {
		if other != l && other.phase == ringing && other.dialog == 0 {
			c.withdraw(other, answeredElsewhere)
		}
	}
	l.phase, k.talker = talking, l
	c.act(now, routing.Connect{Offer: l.Offer, Answered: now})
	if before != nil {
		c.wrapUp(k, before)
	}
	c.endIn(k, c.sources[k.source].Longest)
}

func (c *Calls) hungUp(k *call, key callKey, e web.PBXEvent) web.PBXAnswer {
	if k == nil {
		c.remember(key) // its newCall, should it come late, pops nowhere
		return ignored("unknown_call")
	}
	by := routing.ByServer // a PBX does not tell who has hung up
	if k.talker == nil && (e.Cause == "" || e.Cause == "cancel" || e.Cause == "normalClearing") {
		by = routing.ByCaller
	}
	c.end(k, by, e.Cause)
	return web.PBXAnswer{Call: k.id, Agents: []agents.ID{}}
}

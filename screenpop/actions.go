package screenpop

import (
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// do turns one Step's actions into frames.
func (h *Hub) do(at time.Time, actions []routing.Action) {
	var changed []agents.ID
	for _, action := range actions {
		switch a := action.(type) {
		case routing.ResolveCustomer:
			h.resolve(h.card(a.Call, at))
		case routing.Enqueued:
			c := h.card(a.Call, at)
			c.enqueue(a)
			h.fetchAhead(c)
		case routing.MenuAnswered:
			h.card(a.Call, at).chose(at, a)
		case routing.OfferCall:
			h.offer(at, a)
		case routing.MayAccept:
			h.onLeg(a.Offer, func(_ *card, l *leg) {
				h.phase(l, phaseMayAccept, at, a.Until, nil)
			})
		case routing.Ring:
			h.onLeg(a.Offer, func(c *card, l *leg) { h.ring(at, l, a) })
		case routing.CallCustomer:
			if a.Agent != "" {
				h.onLeg(routing.Offer{Call: a.Call, Attempt: a.Attempt, Agent: a.Agent}, func(_ *card, l *leg) {
					l.answerAsk("offer_accepted", "")
					h.phase(l, phaseCalling, at, a.Until, nil)
				})
			}
		case routing.Withdraw:
			h.onLeg(a.Offer, func(c *card, l *leg) { h.withdraw(c, l, a.Why); h.asked(c, at, askWaiting, "") })
		case routing.Connect:
			h.onLeg(a.Offer, func(c *card, l *leg) { h.connect(at, c, l, a); h.asked(c, at, askTalking, l.Agent) })
		case routing.Hold:
			h.onLeg(a.Offer, func(c *card, l *leg) { h.hold(at, l, a) })
		case routing.Wait:
			if c := h.cards[a.Call]; c != nil && a.Why != "" {
				c.numberFailed(a.Why)
			}
		case routing.Transferred:
			h.onLeg(a.Offer, func(c *card, l *leg) { h.transferred(at, c, l, a) })
		case routing.ConsultStarted:
			h.onLeg(a.Offer, func(c *card, l *leg) { h.consultStarted(at, c, l, a) })
		case routing.ConsultEnded:
			h.onLeg(a.Offer, func(_ *card, l *leg) { h.consultEnded(l, a) })
		case routing.HandedOver:
			h.handedOver(at, a)
		case routing.WrapUpStarted:
			h.onLeg(a.Offer, func(c *card, l *leg) { h.wrapUp(at, c, l, a) })
		case routing.WrapUpFinished:
			h.onLeg(a.Offer, func(c *card, l *leg) {
				l.answerAsk("wrap_up_ended", "")
				h.finishLeg(c, l, at, a.Disposition)
			})
		case routing.EndCall:
			h.end(at, a)
		case routing.AgentChanged:
			h.agentChanged(a.Status)
			changed = append(changed, a.Agent)
		case routing.Refused:
			h.onLeg(a.Offer, func(_ *card, l *leg) { l.answerAsk(a.Asked, a.Code) })
		}
	}
	// Last, so that a Withdraw or WrapUpStarted of the same Step comes first.
	for _, agent := range changed {
		h.settle(at, h.desks[agent])
	}
}

// card returns the call's card, opened bare when the rim has not done so.
func (h *Hub) card(call routing.CallID, at time.Time) *card {
	if c := h.cards[call]; c != nil {
		return c
	}
	h.log.Warn("action for a call without a card", zap.Int64("call", int64(call)))
	return h.open(NewCall{Call: call, At: at, Caller: CallerInfo{Source: "none"}})
}

// onLeg runs fn on the live leg an offer names; an offer that is over, or
// another agent's, is passed over.
func (h *Hub) onLeg(o routing.Offer, fn func(*card, *leg)) {
	c := h.cards[o.Call]
	if c == nil {
		return
	}
	if l := c.legs[o.Attempt]; l != nil && l.Agent == o.Agent && l.live() {
		fn(c, l)
	}
}

func (h *Hub) offer(at time.Time, a routing.OfferCall) {
	c := h.card(a.Call, at)
	if a.Topic != "" {
		c.topic = a.Topic
	}
	l := &leg{
		Offer: a.Offer, queue: a.Queue, topic: c.topic, mode: a.Mode,
		lead: a.Lead, why: a.Reason, phase: phaseOffered, since: at, until: a.AckBy,
		waited: at.Sub(c.waitFrom), waitedBefore: c.waitedBefore, note: c.draftOf(a.Agent), asks: map[string]*ask{},
	}
	if b := a.Callback; b != nil {
		l.callback = &callbackView{micro(b.Accepted), b.Tries + 1}
	}
	if q := h.queue(a.Queue); q != nil {
		l.set, l.painted = q.Dispositions, q.Pop.Painted
	}
	h.addLeg(c, l)
	h.asked(c, at, askRinging, l.Agent)
	h.fetchAnswers(c, l)
	if c.match == matchPending && !a.NoDesk {
		h.awaitRecord(at, c, l, a.AckBy)
		return
	}
	h.pop(c, l)
}

// awaitRecord keeps the pop back until the look-up has ended: a desk that is
// asked to paint should have something to paint. It waits no longer than
// routing would, and never past half of the time the desk has for its ack;
// a later record patches the pop.
func (h *Hub) awaitRecord(at time.Time, c *card, l *leg, ackBy time.Time) {
	wait := ackBy.Sub(at) / 2
	if p := h.opt.Policy(); p != nil {
		wait = min(wait, p.Record.Deadline)
	}
	l.popDue = time.AfterFunc(max(0, wait), func() { h.post(func() { h.popHeld(c, l) }) })
}

// popHeld sends a pop that was kept back, once; false when there was none.
func (h *Hub) popHeld(c *card, l *leg) bool {
	if l.popDue == nil {
		return false
	}
	l.popDue.Stop()
	l.popDue = nil
	if l.live() {
		h.pop(c, l)
	}
	return true
}

// pop pushes the card to the leg's agent, and to nobody else.
func (h *Hub) pop(c *card, l *leg) {
	d := h.desks[l.Agent]
	if d == nil || d.session == nil {
		return
	}
	now := h.now()
	l.popAt = now
	h.push(d.session, "pop", h.viewFor(c, l, d.session.lang))
	h.observePop(c, l, now, d.session.conn != nil)
}

func (h *Hub) observePop(c *card, l *leg, at time.Time, online bool) {
	h.opt.Observe(l.Call, "pop_sent", l.Agent, l.Attempt, at, map[string]any{
		"online": online, "match": c.match, "version": c.version(),
	})
}

// patch sends the changed card to every desk that has the call in hand.
func (h *Hub) patch(c *card, except *leg) {
	for _, l := range c.legs {
		if l != except {
			h.patchLeg(c, l)
		}
	}
}

// patchLeg sends the changed card to one leg's desk, unless the card has yet
// to be popped there.
func (h *Hub) patchLeg(c *card, l *leg) {
	if !l.live() || l.popDue != nil {
		return
	}
	if d := h.desks[l.Agent]; d != nil && d.session != nil {
		h.push(d.session, "card", h.viewFor(c, l, d.session.lang))
	}
}

func (h *Hub) viewFor(c *card, l *leg, lang string) *cardView {
	within := 0
	if q := h.queue(l.queue); q != nil {
		within = seconds(q.AnswerWithin)
	}
	return c.view(l, h.now(), within, h.answersFor(c, l, lang))
}

func (h *Hub) queue(name string) *routing.Queue {
	if p := h.opt.Policy(); p != nil {
		return p.Queues[name]
	}
	return nil
}

// phase moves a leg on and tells its desk.
func (h *Hub) phase(l *leg, phase string, since, until time.Time, why *string) {
	l.phase, l.since, l.until = phase, since, until
	v := phaseView{Call: l.Call, Attempt: l.Attempt, Phase: phase, Why: why}
	switch phase {
	case phaseLead, phaseMayAccept, phaseCalling, phaseRinging, phaseConnecting:
		v.Until = new(micro(until))
	case phaseTalking, phaseHold:
		v.Since = new(micro(since))
	case phaseWrapUp:
		v.Until = new(micro(until))
		v.Disposition, v.Set = l.disposition, l.set
	}
	h.tell(l.Agent, "phase", v)
}

func (h *Hub) ring(at time.Time, l *leg, a routing.Ring) {
	l.answerAsk("offer_accepted", "")
	l.ringWhy = a.Why
	if l.accepted {
		h.phase(l, phaseConnecting, at, a.Until, nil)
		return
	}
	h.phase(l, phaseRinging, at, a.Until, &a.Why)
}

// withdraw takes the card off the agent's desk: the call was not taken, or
// could not be joined, so that there was no talk after all.
func (h *Hub) withdraw(c *card, l *leg, why string) {
	if !l.answered.IsZero() {
		c.waitedBefore -= l.waitedAll
		if n := len(c.path) - 1; c.path[n].Kind == "agent" {
			c.path = c.path[:n]
		}
	}
	l.answerAsk("offer_refused", "")
	l.dropAsks()
	l.phase = phaseDone
	h.tell(l.Agent, "withdraw", withdrawView{l.Call, l.Attempt, why})
	h.dropLeg(c, l)
}

func (h *Hub) connect(at time.Time, c *card, l *leg, a routing.Connect) {
	answered := a.Answered
	if answered.IsZero() {
		answered = at
	}
	l.answered = answered
	l.answerAsk("offer_accepted", "")
	l.waitedAll = max(0, answered.Sub(c.waitFrom))
	c.waitedBefore += l.waitedAll
	c.leaveQueue(answered)
	c.path = append(c.path, pathStep{At: micro(answered), Kind: "agent", Name: h.name(l.Agent)})
	h.phase(l, phaseTalking, answered, time.Time{}, nil)
}

func (h *Hub) hold(at time.Time, l *leg, a routing.Hold) {
	l.answerAsk("hold_requested", "")
	if a.On {
		h.phase(l, phaseHold, at, time.Time{}, nil)
		return
	}
	h.phase(l, phaseTalking, l.answered, time.Time{}, nil)
}

// endTalk notes that the agent's talk is over.
func (c *card) endTalk(l *leg, at time.Time) {
	if l.answered.IsZero() || !l.talkEnd.IsZero() {
		return
	}
	l.talkEnd = at
	for i := len(c.path) - 1; i >= 0; i-- {
		if c.path[i].Kind == "agent" {
			c.path[i].Seconds = seconds(l.talked(at))
			return
		}
	}
}

// transferred keeps what the sender knew, wrote and read for the receiver.
func (h *Hub) transferred(at time.Time, c *card, l *leg, a routing.Transferred) {
	sentence := ""
	if l.passing != nil {
		sentence = l.passing.Note
	}
	h.passOn(at, c, l, a.Topic, sentence)
	if a.Outside != "" {
		step := pathStep{At: micro(at), Kind: "number"}
		if l.passing != nil {
			step.Name = l.passing.Number
		}
		c.path = append(c.path, step)
	}
	if a.Topic != "" {
		c.path = append(c.path, pathStep{At: micro(at), Kind: "topic", Name: a.Topic})
	}
	l.handed, l.passing = true, nil
	l.answerAsk("transfer_requested", "")
	h.fetchAhead(c)
}

// numberFailed notes that the number did not take the call which was passed on.
func (c *card) numberFailed(why string) {
	c.back = why
	if last := &c.path[len(c.path)-1]; last.Kind == "number" {
		last.Why = why
	}
}

// passOn notes with the card what its agent knew, and says to the next.
func (h *Hub) passOn(at time.Time, c *card, l *leg, topic, sentence string) {
	known := c.known(l)
	c.endTalk(l, at)
	name := h.name(l.Agent)
	if p := c.handover; p != nil && p.from.Note != "" {
		c.passed = append(c.passed, noteView{p.from.Agent, p.from.Name, p.from.At, p.from.Note})
	}
	if c.keepNote(noteView{l.Agent, name, micro(at), l.note}) {
		known.Facts = append(known.Facts, "draft")
	}
	if sentence != "" {
		known.Facts = append(known.Facts, "handover_note")
	}
	c.handover = &handover{attempt: l.Attempt, known: known, from: fromView{
		Agent: l.Agent, Name: name, Note: sentence, At: micro(at), Topic: topic, TalkS: seconds(l.talked(at)),
	}}
	h.opt.Observe(l.Call, "transfer_known", l.Agent, l.Attempt, at, map[string]any{"known": len(known.Facts)})
	c.waitFrom, c.back = at, ""
	if topic != "" {
		c.topic = topic
	}
}

func (h *Hub) wrapUp(at time.Time, c *card, l *leg, a routing.WrapUpStarted) {
	c.endTalk(l, at)
	l.answerAsk("hangup_requested", "")
	if l.consult != nil { // it ended with the call, and brings nobody back to the caller
		h.consultEnded(l, routing.ConsultEnded{Why: "call_over"})
	}
	l.disposition = a.Disposition
	if a.Set != "" {
		l.set = a.Set
	}
	h.phase(l, phaseWrapUp, at, a.Until, nil)
	// At once, so that a caller who rings again in a minute is not told to
	// explain it all to somebody who knows nothing of it.
	h.save(c, l, "")
}

// finishLeg ends a leg whose agent is done with the call.
func (h *Hub) finishLeg(c *card, l *leg, at time.Time, disposition string) {
	if !l.live() {
		return
	}
	c.endTalk(l, at)
	l.dropAsks()
	h.phase(l, phaseDone, at, time.Time{}, nil)
	h.save(c, l, disposition)
	if c.about != nil {
		h.notedAbout(c, l, at)
	}
	if l.note != "" {
		h.opt.Observe(l.Call, "note_saved", l.Agent, l.Attempt, at, map[string]any{"chars": len([]rune(l.note))})
	}
	if c.keepNote(noteView{l.Agent, h.name(l.Agent), micro(at), l.note}) {
		h.patch(c, l)
	}
	h.dropLeg(c, l)
}

// save hands the agent's talk to the history; a later save replaces it.
func (h *Hub) save(c *card, l *leg, disposition string) {
	if l.answered.IsZero() || c.about != nil { // a question is no contact with the customer
		return
	}
	h.opt.History.SaveContact(Contact{
		Call: l.Call, Attempt: l.Attempt, Customer: c.customerID(), Agent: l.Agent,
		Queue: l.queue, Topic: l.topic, At: l.answered, Talk: l.talked(l.talkEnd),
		Note: l.note, Disposition: disposition, Detail: told(l, disposition),
	})
}

// told is what goes with a disposition; without one nothing was asked.
func told(l *leg, disposition string) string {
	if disposition == "" {
		return ""
	}
	return l.asked
}

// end closes the card; it is kept for those who still write about the call.
func (h *Hub) end(at time.Time, a routing.EndCall) {
	c := h.cards[a.Call]
	if c == nil {
		return
	}
	if c.endedAt.IsZero() {
		c.endedAt = at
	}
	for _, l := range c.legs {
		l.answerAsk("hangup_requested", "")
		if l.answered.IsZero() {
			h.withdraw(c, l, "abandoned") // the engine withdraws first; this is the net
		}
	}
	h.forget(c)
}

// forget drops a card that nobody needs any more.
func (h *Hub) forget(c *card) {
	if c.endedAt.IsZero() || len(c.legs) > 0 || h.cards[c.new.Call] != c {
		return
	}
	if c.expiry != nil {
		c.expiry.Stop()
	}
	delete(h.cards, c.new.Call)
}

// settle ends every leg an agent still has who is free by the engine's last
// word: a talk without wrap-up, or one whose end went another way. Of a PBX's
// calls the engine has no word. One whose desk is gone for good leaves as soon as
// the caller has.
func (h *Hub) settle(at time.Time, d *desk) {
	if !d.inHand() {
		for l, c := range d.legs {
			if !c.new.PBX {
				h.finishLeg(c, l, at, "")
			}
		}
	}
	h.leaveIfFree(d)
}

// addLeg and dropLeg keep the card's and the agent's view of a leg together.
func (h *Hub) addLeg(c *card, l *leg) {
	c.legs[l.Attempt] = l
	h.desk(l.Agent).legs[l] = c
	h.askBeside(c) // what they said on arrival may be old by now
}

func (h *Hub) dropLeg(c *card, l *leg) {
	delete(c.legs, l.Attempt)
	delete(h.desk(l.Agent).legs, l)
	h.forget(c)
}

// name is an agent's name for people, the id where there is none.
func (h *Hub) name(id agents.ID) string {
	if a, ok := h.opt.Directory.Agent(id); ok && a.Name != "" {
		return a.Name
	}
	return string(id)
}

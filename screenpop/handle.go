package screenpop

import (
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// handle does one frame of a desk. What the desk may do hangs on its own leg
// alone: a call of another agent is as unknown to it as one that never was.
func (h *Hub) handle(c *conn, f deskFrame) {
	if c.session == nil || c.session.conn != c {
		return // replaced or signed out while the frame was on its way
	}
	var code string
	switch f.T {
	case "pop_ack":
		code = onOwn(h, c, f, h.ack)
	case "accept":
		code = onOwn(h, c, f, h.accept)
	case "decline":
		code = onOwn(h, c, f, h.decline)
	case "hold":
		code = onOwn(h, c, f, h.askHold)
	case "hangup":
		code = onOwn(h, c, f, h.hangup)
	case "note":
		code = onOwn(h, c, f, h.note)
	case "choose":
		code = onOwn(h, c, f, h.choose)
	case "link":
		code = onOwn(h, c, f, h.link)
	case "answer_used":
		code = onOwn(h, c, f, h.answerUsed)
	case "transfer":
		code = onOwn(h, c, f, h.transfer)
	case "consult":
		code = onOwn(h, c, f, h.consult)
	case "consult_stop":
		code = onOwn(h, c, f, h.stopConsult)
	case "consult_complete":
		code = onOwn(h, c, f, h.completeConsult)
	case "wrap_up":
		code = onOwn(h, c, f, h.endWrapUp)
	case "state":
		code = h.state(c, f)
	case "ping": // the result is all a browser wants: it can't see the socket's own pings
	case "sign_out":
		h.signOut(c, f)
		return
	case "answers":
		h.search(c, f)
		return
	default:
		code = codeUnknownType
	}
	if code != pending {
		c.result(f.ID, code)
	}
}

// pending says that the result comes when routing has spoken.
const pending = "pending"

// own names a frame's call and attempt.
type own interface{ ref() offerRef }

func (r offerRef) ref() offerRef { return r }

// request is a frame about a leg, with the socket it came by.
type request struct {
	conn *conn
	id   int64
	card *card
	leg  *leg
}

// onOwn reads a frame's d and finds the desk's own leg for it.
func onOwn[F own](h *Hub, c *conn, f deskFrame, do func(request, F) string) string {
	d, ok := readD[F](f.D)
	if !ok {
		return codeBadRequest
	}
	card := h.cards[d.ref().Call]
	if card == nil {
		return codeStale
	}
	l := card.legs[d.ref().Attempt]
	if l == nil || l.Agent != c.desk.agent || !l.live() {
		return codeStale
	}
	return do(request{c, f.ID, card, l}, d)
}

// submit hands an event to routing and lets the result wait for its word.
func (h *Hub) submit(r request, ev routing.Event) string {
	kind := ev.Kind()
	if r.leg.asks[kind] != nil {
		return codeNotNow
	}
	a := &ask{conn: r.conn, id: r.id}
	a.timer = time.AfterFunc(h.opt.AskTimeout, func() {
		h.post(func() {
			if r.leg.asks[kind] == a {
				r.leg.answerAsk(kind, codeNoAnswer)
			}
		})
	})
	r.leg.asks[kind] = a
	h.opt.Engine.Submit(ev)
	return pending
}

func (l *leg) in(phases ...string) bool { return slices.Contains(phases, l.phase) }

func (h *Hub) ack(r request, f ackFrame) string {
	if !f.valid() {
		return codeBadRequest
	}
	l, now := r.leg, h.now()
	data := map[string]any{"mode": f.Mode, "version": f.Version, "panels": f.Panels, "phase": l.phase, "first": !l.acked}
	if !l.popAt.IsZero() && !l.acked {
		data["ms"] = float64(now.Sub(l.popAt).Microseconds()) / 1000
	}
	h.opt.Observe(l.Call, "pop_acked", l.Agent, l.Attempt, now, data)
	if o := r.card.handover; o != nil && l.Attempt > o.attempt && l.Agent != o.from.Agent {
		again := FactsReAsked(o.known, f.Version, f.Panels)
		h.opt.Observe(l.Call, "transfer_facts", l.Agent, l.Attempt, now, map[string]any{
			"known": len(o.known.Facts), "re_asked": len(again), "facts": again, "mode": f.Mode,
		})
	}
	counts := f.Mode == routing.Painted || !l.painted
	l.acked = l.acked || counts
	if l.in(phaseWrapUp) {
		return ""
	}
	h.opt.Engine.Submit(routing.PopAcked{Offer: l.Offer, Mode: f.Mode, Version: f.Version, Panels: f.Panels})
	if counts && l.lead > 0 && l.in(phaseOffered) {
		h.phase(l, phaseLead, now, now.Add(l.lead), nil)
	}
	return ""
}

func (h *Hub) accept(r request, f offerRef) string {
	if !r.leg.in(phaseMayAccept) || r.leg.accepted {
		return codeNotNow
	}
	r.leg.accepted = true
	return h.submit(r, routing.OfferAccepted{Offer: r.leg.Offer})
}

func (h *Hub) decline(r request, f declineFrame) string {
	if !slices.Contains(declineWords, f.Reason) {
		return codeBadRequest
	}
	if !r.leg.in(phaseOffered, phaseLead, phaseMayAccept, phaseCalling, phaseRinging) {
		return codeNotNow
	}
	return h.submit(r, routing.OfferRefused{Offer: r.leg.Offer, Reason: f.Reason})
}

func (h *Hub) askHold(r request, f holdFrame) string {
	if !r.leg.in(phaseTalking, phaseHold) || f.On == r.leg.in(phaseHold) || r.card.about != nil || r.leg.away {
		return codeNotNow
	}
	return h.submit(r, routing.HoldRequested{Offer: r.leg.Offer, On: f.On})
}

func (h *Hub) hangup(r request, f offerRef) string {
	if !r.leg.in(phaseTalking, phaseHold) {
		return codeNotNow
	}
	return h.submit(r, routing.HangupRequested{Offer: r.leg.Offer})
}

func (h *Hub) note(r request, f noteFrame) string {
	if !prose(f.Text, maxNote) {
		return codeBadRequest
	}
	r.leg.note = f.Text
	return ""
}

func (h *Hub) choose(r request, f chooseFrame) string {
	if !word(f.Customer) {
		return codeBadRequest
	}
	c, attempt := r.card, r.leg.Attempt
	if c.about != nil { // whoever is asked says it of the call
		c, attempt = c.about.card, 0
	}
	if c.match != matchSeveral || !c.choose(f.Customer) {
		return codeUnknown
	}
	h.opt.Observe(c.new.Call, "resolved", r.leg.Agent, attempt, h.now(), map[string]any{"match": "chosen"})
	h.opt.Chosen(c.new.Call, f.Customer)
	h.askBeside(c)
	h.knownToQuestions(c)
	h.fetchAnswers(r.card, r.leg)
	h.patch(c, nil)
	h.renew(c) // candidates are as old as the call
	return ""
}

func (h *Hub) answerUsed(r request, f usedFrame) string {
	if f.Answer == "" || !word(f.Answer) {
		return codeBadRequest
	}
	c, l, now := r.card, r.leg, h.now()
	title, known := h.answerTitle(f.Answer, r.conn.session.lang)
	if !known {
		return codeUnknown
	}
	if len(c.used) >= maxUsed || slices.ContainsFunc(c.used, func(u usedView) bool { return u.Answer == f.Answer && u.Agent == l.Agent }) {
		return ""
	}
	c.used = append(c.used, usedView{f.Answer, title, l.Agent, micro(now)})
	h.opt.Observe(l.Call, "answer_used", l.Agent, l.Attempt, now, map[string]any{"answer": f.Answer})
	return ""
}

// maxUsed answers of one call are kept.
const maxUsed = 50

func (h *Hub) transfer(r request, f transferFrame) string {
	if !f.valid() {
		return codeBadRequest
	}
	if !r.leg.in(phaseTalking, phaseHold) || r.bound() {
		return codeNotNow
	}
	if r.leg.asks["transfer_requested"] != nil {
		return codeNotNow
	}
	var outside routing.Outside
	if f.Number != "" {
		code := ""
		if outside, code = h.opt.Outside(r.leg.Call, f.Number); code != "" {
			return code
		}
	} else if !h.isTarget(f) {
		return codeUnknown
	}
	r.leg.passing = &f
	return h.submit(r, routing.TransferRequested{Offer: r.leg.Offer, Topic: f.Topic, Queue: f.Queue, ToAgent: f.Agent, Outside: outside})
}

// GivenBack notes that a PBX has the call of an agent who talks, and rings and holds
// it itself: only the agent knows when the talk is over.
func (h *Hub) GivenBack(o routing.Offer) {
	h.post(func() {
		h.onLeg(o, func(c *card, l *leg) {
			l.away = true
			h.patchLeg(c, l)
		})
	})
}

// PassesTo notes which number an agent's telephone asks to pass the call on to: the
// engine doesn't know it, and the card shows it.
func (h *Hub) PassesTo(o routing.Offer, number string) {
	h.post(func() {
		c := h.cards[o.Call]
		if c == nil {
			return
		}
		if l := c.legs[o.Attempt]; l != nil && l.live() && l.asks["transfer_requested"] == nil {
			l.passing = &transferFrame{Number: number}
		}
	})
}

func (h *Hub) isTarget(f transferFrame) bool {
	p := h.opt.Policy()
	switch {
	case f.Number != "": // a colleague is asked first, not a stranger
		return false
	case f.Agent != "":
		_, ok := h.opt.Directory.Agent(f.Agent)
		return ok
	case p == nil:
		return false
	case f.Topic != "":
		return p.Topics[f.Topic] != nil
	}
	return p.Queues[f.Queue] != nil
}

func (h *Hub) endWrapUp(r request, f wrapUpFrame) string {
	if !word(f.Disposition) || !prose(f.Note, maxNote) {
		return codeBadRequest
	}
	if !r.leg.in(phaseWrapUp) {
		return codeNotNow
	}
	if f.Disposition != "" && r.leg.set == "" {
		return codeBadRequest // which of a set's there are hangs on the call's version: routing knows
	}
	said, ok := asked(f.Answers)
	if !ok {
		return codeBadRequest
	}
	r.leg.note, r.leg.asked = f.Note, said
	return h.submit(r, routing.WrapUpEnded{Offer: r.leg.Offer, Disposition: f.Disposition})
}

// state: the agent asks to be available or not. An agent who is signed out
// with a desk open (by the engine's word, not by her own) signs in with it.
func (h *Hub) state(c *conn, f deskFrame) string {
	var d stateFrame
	if !strict(f.D, &d) {
		return codeBadRequest
	}
	switch {
	case d.State == agents.Available && d.Reason == "":
	case d.State == agents.NotReady && slices.Contains(reasons, d.Reason):
	default:
		return codeBadRequest
	}
	if c.desk.signedIn() {
		h.opt.Engine.Submit(routing.AgentStateAsked{Agent: c.desk.agent, State: d.State, Reason: d.Reason})
		return ""
	}
	if _, listed := h.opt.Directory.Agent(c.desk.agent); !listed {
		return codeNotNow // a reload took her out while her desk was open
	}
	c.desk.asked = d.State
	h.opt.Engine.Submit(routing.AgentSignedIn{Agent: c.desk.agent, State: d.State, Reason: d.Reason})
	return ""
}

// signOut ends the desk session for good; not while a call is in hand, which
// would be left without its screen.
func (h *Hub) signOut(c *conn, f deskFrame) {
	var d struct{}
	if !strict(f.D, &d) {
		c.result(f.ID, codeBadRequest)
		return
	}
	if c.desk.inHand() || len(c.desk.legs) > 0 {
		c.result(f.ID, codeNotNow)
		return
	}
	c.result(f.ID, "")
	c.close(closeDone)
	h.dropSession(c.desk)
}

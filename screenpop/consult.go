package screenpop

import (
	"maps"
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// A question that an agent asks about a call has a card of its own, made of the
// call's: whoever is asked sees what the asking agent sees, who asks, and what.

// Phases of a question, as the agent who asks is told of it.
const (
	askWaiting = "waiting" // nobody has been offered it
	askRinging = "ringing"
	askTalking = "talking"
)

// consultView is CONSULT of docs/desk-protocol.md: what the agent asks somebody.
type consultView struct {
	Call  routing.CallID `json:"call"`  // of the question
	Phase string         `json:"phase"` // waiting, ringing, talking
	Since int64          `json:"since"` // of the phase
	Agent agents.ID      `json:"agent"` // who is asked, rung or talking; "" while it is open
	Name  string         `json:"name"`
	Topic string         `json:"topic"`
	Queue string         `json:"queue"`
	Note  string         `json:"note"` // what is asked
}

// askingView is a frame to the desk of who asks; without Consult the question is
// over, and Why says how it ended.
type askingView struct {
	Call    routing.CallID  `json:"call"`
	Attempt routing.Attempt `json:"attempt"`
	Consult *consultView    `json:"consult"`
	Why     string          `json:"why,omitempty"`
}

func appendConsult(to []byte, v *consultView) []byte {
	if v == nil {
		return append(to, "null"...)
	}
	to = appendInt(to, `{"call":`, v.Call)
	to = appendField(to, `,"phase":`, v.Phase)
	to = appendInt(to, `,"since":`, v.Since)
	to = appendField(to, `,"agent":`, v.Agent)
	to = appendField(to, `,"name":`, v.Name)
	to = appendField(to, `,"topic":`, v.Topic)
	to = appendField(to, `,"queue":`, v.Queue)
	return append(appendField(to, `,"note":`, v.Note), '}')
}

func (v askingView) appendJSON(to []byte) []byte {
	to = appendConsult(append(appendOffer(to, v.Call, v.Attempt), `,"consult":`...), v.Consult)
	return append(optionalField(to, `,"why":`, v.Why), '}')
}

// questioned is what the card of a question knows of the call.
type questioned struct {
	card *card
	leg  *leg // of the agent who asks
}

// bound says that the agent asks somebody about the call, or is asked, or a PBX has
// the call back: it can neither be passed on nor be asked about.
func (r request) bound() bool { return r.leg.consult != nil || r.card.about != nil || r.leg.away }

// consult is a desk's "Ask first".
func (h *Hub) consult(r request, f transferFrame) string {
	switch {
	case !f.valid():
		return codeBadRequest
	case !r.leg.in(phaseTalking, phaseHold) || r.bound() || r.leg.asks["consult_requested"] != nil:
		return codeNotNow
	case !h.isTarget(f):
		return codeUnknown
	}
	r.leg.asking = &f
	return h.submit(r, routing.ConsultRequested{Offer: r.leg.Offer, Topic: f.Topic, Queue: f.Queue, ToAgent: f.Agent})
}

func (h *Hub) stopConsult(r request, _ offerRef) string {
	if r.leg.consult == nil {
		return codeNotNow
	}
	return h.submit(r, routing.ConsultStopped{Offer: r.leg.Offer})
}

func (h *Hub) completeConsult(r request, _ offerRef) string {
	if r.leg.consult == nil || r.leg.consult.Phase != askTalking {
		return codeNotNow
	}
	return h.submit(r, routing.ConsultCompleted{Offer: r.leg.Offer})
}

// consultStarted opens the card of a question.
func (h *Hub) consultStarted(at time.Time, c *card, l *leg, a routing.ConsultStarted) {
	v := &consultView{Call: a.Consult, Phase: askWaiting, Since: micro(at), Agent: a.ToAgent, Topic: a.Topic, Queue: a.Queue}
	if l.asking != nil {
		v.Note = l.asking.Note
	}
	if v.Agent != "" {
		v.Name = h.name(v.Agent)
	}
	q := newCard(c.new)
	q.new.Call = a.Consult
	q.takeOver(c)
	q.asked, q.told = true, true
	q.queue, q.topic, q.waitFrom = c.queue, c.topic, at
	q.path, q.passed, q.used = slices.Clone(c.path), slices.Clone(c.passed), slices.Clone(c.used)
	q.notes = slices.Clone(c.notes)
	name := h.name(l.Agent)
	q.keepNote(noteView{l.Agent, name, micro(at), l.note})
	q.handover = &handover{known: c.known(l), from: fromView{
		Agent: l.Agent, Name: name, Note: v.Note, At: micro(at), Topic: a.Topic, TalkS: seconds(l.talked(at)),
	}}
	q.about = &questioned{c, l}
	h.cards[a.Consult] = q
	l.consult = v
	l.answerAsk("consult_requested", "")
	h.tellAsking(l, "")
}

// tellAsking tells who asks how the question stands.
func (h *Hub) tellAsking(l *leg, why string) {
	if l.live() {
		h.tell(l.Agent, "consult", askingView{l.Call, l.Attempt, l.consult, why})
	}
}

// asked notes what becomes of a question for who asks it.
func (h *Hub) asked(q *card, at time.Time, phase string, agent agents.ID) {
	if q.about == nil || q.about.leg.consult == nil {
		return
	}
	l := q.about.leg
	v := *l.consult
	v.Phase, v.Since, v.Agent, v.Name = phase, micro(at), agent, ""
	if agent != "" {
		v.Name = h.name(agent)
	}
	l.consult = &v
	h.tellAsking(l, "")
}

// consultEnded has the agent who asked with the caller again.
func (h *Hub) consultEnded(l *leg, a routing.ConsultEnded) {
	l.consult, l.asking = nil, nil
	l.answerAsk("consult_stopped", "")
	l.answerAsk("consult_completed", codeNotNow)
	h.tellAsking(l, a.Why)
}

// handedOver gives the call to who was asked, with all that the one who asked knew,
// and the notes that were taken during the question.
func (h *Hub) handedOver(at time.Time, a routing.HandedOver) {
	c, q := h.cards[a.Call], h.cards[a.Asked.Call]
	if c == nil {
		return
	}
	note := ""
	if from := c.legs[a.From.Attempt]; from != nil && from.live() {
		if from.consult != nil {
			note = from.consult.Note
		}
		from.answerAsk("consult_stopped", codeNotNow)
		h.passOn(at, c, from, a.Topic, note)
		from.consult, from.asking, from.handed = nil, nil, true
		from.answerAsk("consult_completed", "")
	}
	c.path = append(c.path, pathStep{At: micro(at), Kind: "agent", Name: h.name(a.Agent)})
	c.queue = a.Queue
	l := &leg{
		Offer: a.Offer, queue: a.Queue, topic: c.topic, mode: routing.RingAuto, phase: phaseTalking, since: at, answered: at,
		waitedBefore: c.waitedBefore, acked: true, note: c.draftOf(a.Agent), asks: map[string]*ask{},
	}
	if s := h.queue(a.Queue); s != nil {
		l.set = s.Dispositions
	}
	var asked *leg
	if q != nil {
		asked = q.legs[a.Asked.Attempt]
	}
	if asked != nil && !asked.live() {
		asked = nil
	}
	if asked != nil {
		l.note, l.why = asked.note, asked.why
	}
	h.addLeg(c, l)
	h.fetchAnswers(c, l)
	h.pop(c, l) // first: what is being written about the question goes on there
	if asked != nil {
		asked.dropAsks()
		h.phase(asked, phaseDone, at, time.Time{}, nil)
		h.dropLeg(q, asked)
	}
}

// notedAbout brings what was noted during a question to the call's card.
func (h *Hub) notedAbout(q *card, l *leg, at time.Time) {
	c := q.about.card
	if c.keepNote(noteView{l.Agent, h.name(l.Agent), micro(at), l.note}) {
		h.patch(c, nil)
	}
}

// knownToQuestions passes what a look-up or a choice has brought on to the cards of
// the call's questions.
func (h *Hub) knownToQuestions(c *card) {
	for l := range maps.Values(c.legs) {
		if l.consult == nil {
			continue
		}
		if q := h.cards[l.consult.Call]; q != nil && q.about != nil {
			q.takeOver(c)
			h.patch(q, nil)
		}
	}
}

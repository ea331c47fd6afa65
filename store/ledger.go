package store

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// LedgerRow is one call of the ledger: one row for each call that arrived,
// with exactly one outcome once it has ended. Zero times are "not (yet)".
type LedgerRow struct {
	Call     routing.CallID
	PublicID string // UUID version 7
	Trunk    string
	Number   string // E.164 of the caller, "" when withheld
	Dialled  string
	Customer string // the customer's id, "" while unknown

	Queue string // the last one
	Rule  string // route path
	Topic string
	Agent agents.ID // who talked last

	ArrivedAt  time.Time
	AnsweredAt time.Time // we answered, with music or with the agent
	QueuedAt   time.Time // first queue
	TalkAt     time.Time // the first agent answered
	EndedAt    time.Time

	Wait time.Duration // from the start of waiting to the first talk, or to the end
	Talk time.Duration // with agents, holds included

	Outcome   routing.Outcome // "" while open
	EndedBy   routing.Party
	Reason    string
	Transfers int
	Offers    int

	Disposition   string
	Note          bool // an agent wrote something
	PolicyVersion int

	// CallBack is the number that an open call's caller is to be called back at,
	// when it is not Number.
	CallBack string
}

// PBXTrunk begins the trunk of a call that a PBX has told of and never sent here.
const PBXTrunk = "pbx:"

// OfPBX says that a PBX chose who gets the call: nothing was decided here.
func (r *LedgerRow) OfPBX() bool { return strings.HasPrefix(r.Trunk, PBXTrunk) }

// Event is one thing that happened in a call. Seq counts from 1 without gaps.
type Event struct {
	Call    routing.CallID
	Seq     int64 // given by the ledger
	At      time.Time
	Kind    string
	Agent   agents.ID
	Attempt routing.Attempt
	Data    json.RawMessage // an object of codes and values, or nil
}

// Arrival opens a call's row.
type Arrival struct {
	Call     routing.CallID
	PublicID string // UUID version 7; made here when ""
	Trunk    string
	Number   string // E.164, "" when withheld
	Dialled  string
	Customer string // "" when not yet known
	At       time.Time
}

// callState is a call's row while it lives, with what is needed to fold the
// next action into it.
type callState struct {
	row       LedgerRow
	seq       int64
	since     time.Time // when its waiting began
	asked     bool      // by menus, and in no queue since: that is no waiting
	talking   bool
	talkFrom  time.Time
	talkTry   routing.Attempt
	firstTalk routing.Attempt
	before    agents.ID // who talked before the present talk
	listed    bool      // among those that have ended

	saved *LedgerRow // as the batches before write it, one of which it is a row of; nil: they don't
}

func newPublicID() string {
	id, _ := uuid.NewV7() // fails only without a source of randomness
	return id.String()
}

// Arrived opens the ledger row of a call. It comes before the engine hears of
// the call, and does not block. When too much waits for the database already
// (Options.MaxQueued) the call is not recorded, which is logged and counted.
func (s *Store) Arrived(a Arrival) {
	if a.PublicID == "" {
		a.PublicID = newPublicID()
	}
	s.w.put(arrived(a), false)
}

// Do folds the engine's actions into the ledger (live.Port). It copies the
// slice and does not block.
func (s *Store) Do(at time.Time, actions []routing.Action) {
	if len(actions) > 0 {
		s.w.put(acted{at, slices.Clone(actions)}, false)
	}
}

// Event adds what no action tells to the call's events: a pop-ack, a refusal
// seen at the rim. Data must not name people. It does not block.
func (s *Store) Event(e Event) { s.w.put(happened(e), true) }

// Identified notes whose call it is. It does not block.
func (s *Store) Identified(call routing.CallID, customer string) {
	s.w.put(identified{call, customer}, false)
}

type arrived Arrival

func (a arrived) fold(w *writer, b *batch) bool {
	c := w.calls[a.Call]
	if c == nil {
		c = &callState{row: LedgerRow{Call: a.Call}}
		w.calls[a.Call] = c
	}
	r := &c.row
	if c.saved == nil {
		r.PublicID, r.Trunk, r.Number, r.Dialled, r.ArrivedAt = a.PublicID, a.Trunk, a.Number, a.Dialled, a.At
	}
	if a.Customer != "" {
		r.Customer = a.Customer
	}
	w.event(b, c, Event{At: a.At, Kind: "arrived"})
	b.touch(c)
	return true
}

type happened Event

func (h happened) fold(w *writer, b *batch) bool {
	c, ok := w.known(h.Call)
	switch {
	case c != nil:
		switch { // it would spoil others in its row
		case len(h.Data) == 0:
			h.Data = nil
		case !json.Valid(h.Data):
			w.s.log.Error("event's data is not JSON, left out", zap.Int64("call", int64(h.Call)), zap.String("kind", h.Kind))
			h.Data = nil
		}
		w.event(b, c, Event(h))
		if h.Kind == (routing.NumberAnswered{}).Kind() && c.row.AnsweredAt.IsZero() {
			c.row.AnsweredAt = h.At
			b.touch(c)
		}
	case ok:
		w.s.log.Error("event of a call that never arrived", zap.Int64("call", int64(h.Call)), zap.String("kind", h.Kind))
	}
	return ok
}

type identified struct {
	call     routing.CallID
	customer string
}

func (i identified) fold(w *writer, b *batch) bool {
	if w.s.erased.was(i.customer, i.call) {
		return true
	}
	c, ok := w.known(i.call)
	if c != nil && c.row.Customer != i.customer {
		c.row.Customer = i.customer
		b.touch(c)
	}
	return ok
}

// CallBackAt notes at which number the caller is to be called back: one that he
// has keyed in, or that he withholds. It is kept no longer than the call lives.
// It does not block.
func (s *Store) CallBackAt(call routing.CallID, number string) {
	s.w.put(calledBackAt{call, number}, false)
}

type calledBackAt struct {
	call   routing.CallID
	number string
}

func (a calledBackAt) fold(w *writer, b *batch) bool {
	c, ok := w.known(a.call)
	if c != nil && c.row.EndedAt.IsZero() && c.row.CallBack != a.number {
		c.row.CallBack = a.number
		b.touch(c)
	}
	return ok
}

type acted struct {
	at      time.Time
	actions []routing.Action
}

func (d acted) fold(w *writer, b *batch) bool {
	type step struct {
		routing.Offer
		action routing.Action
	}
	var few [8]step
	steps := few[:0]
	for _, a := range d.actions {
		of, ok := routing.About(a)
		if !ok || of.Call == 0 {
			continue // about an agent, not about a call
		}
		if _, ok := w.known(of.Call); !ok {
			return false
		}
		steps = append(steps, step{of, a})
	}
	text := make([]byte, 0, 192*len(steps)) // what each of them says
	for _, st := range steps {
		if w.turning.has(st.Call) {
			continue
		}
		begin := len(text)
		var err error
		if text, err = routing.AppendAction(text, st.action); err != nil {
			w.s.log.Error("action has no JSON form", zap.String("kind", st.action.Kind()), zap.Error(err))
			continue
		}
		c := w.state(st.Call, d.at)
		w.event(b, c, Event{At: d.at, Kind: st.action.Kind(), Agent: st.Agent, Attempt: st.Attempt, Data: slices.Clip(text[begin:])})
		if q, asks := st.action.(routing.ConsultStarted); asks { // a call of its own, which nobody else tells of
			c := w.state(q.Consult, d.at)
			w.event(b, c, Event{At: d.at, Kind: "arrived"})
			b.touch(c)
		}
		if !c.apply(d.at, st.action) {
			w.s.log.Error("a call ended twice", zap.Int64("call", int64(st.Call)))
		}
		b.touch(c)
	}
	return true
}

// event gives the event its number and puts it into the batch.
func (w *writer) event(b *batch, c *callState, e Event) {
	c.seq++
	e.Call, e.Seq = c.row.Call, c.seq
	b.events = append(b.events, e)
}

// apply folds one action; false for a second end, which changes nothing.
func (c *callState) apply(at time.Time, action routing.Action) bool {
	r := &c.row
	switch a := action.(type) {
	case routing.AnswerCaller:
		if r.AnsweredAt.IsZero() {
			r.AnsweredAt = at
		}
	case routing.AskMenu:
		c.asked = true
	case routing.Enqueued:
		c.enqueued(at, a)
	case routing.OfferCall:
		r.Offers++
	case routing.Connect:
		c.talks(at, a)
	case routing.Withdraw:
		if c.talking && c.talkTry == a.Attempt {
			c.unjoined(a.Why)
		}
	case routing.Release:
		if a.Attempt == c.talkTry {
			c.talkEnds(at)
		}
	case routing.Transferred:
		r.Transfers++
		c.talkEnds(at)
	case routing.HandedOver:
		r.Transfers++
		c.talks(at, routing.Connect{Offer: a.Offer})
		r.Queue = a.Queue
		if a.Topic != "" {
			r.Topic = a.Topic
		}
	case routing.CallbackTaken:
		r.Reason = ReasonCallback
	case routing.CallbackReached:
		r.Reason = ""
	case routing.EndCall:
		return c.ends(at, a)
	case routing.WrapUpFinished:
		if a.Disposition != "" {
			r.Disposition = a.Disposition
		}
	}
	return true
}

func (c *callState) enqueued(at time.Time, a routing.Enqueued) {
	r := &c.row
	c.asked = false
	if r.QueuedAt.IsZero() {
		r.QueuedAt = at
		if c.since = a.Since; c.since.IsZero() {
			c.since = at
		}
	}
	r.Queue, r.Rule, r.PolicyVersion = a.Queue, a.Rule, a.Version
	if a.Topic != "" {
		r.Topic = a.Topic
	}
}

func (c *callState) waitedUntil(at time.Time) time.Duration {
	from := c.since
	if from.IsZero() {
		from = c.row.ArrivedAt
	}
	return max(at.Sub(from), 0)
}

func (c *callState) talks(at time.Time, a routing.Connect) {
	if !a.Answered.IsZero() {
		at = a.Answered
	}
	if c.row.AnsweredAt.IsZero() {
		c.row.AnsweredAt = at // with the agent
	}
	c.talkEnds(at)
	c.talking, c.talkFrom, c.talkTry, c.before = true, at, a.Attempt, c.row.Agent
	c.row.Agent = a.Agent
	if c.row.TalkAt.IsZero() {
		c.row.TalkAt, c.firstTalk = at, a.Attempt
		c.row.Wait = c.waitedUntil(at)
	}
}

// unjoined takes a talk back: the agent's phone answered and the two were never
// joined, so that nobody talked. Only a failed join leaves the caller answered;
// else he was gone before that.
func (c *callState) unjoined(why string) {
	c.talking = false
	if why != "join_failed" {
		c.row.AnsweredAt = time.Time{}
	}
	c.row.Agent = c.before
	if c.firstTalk == c.talkTry {
		c.row.TalkAt, c.row.Wait, c.firstTalk = time.Time{}, 0, 0
	}
}

func (c *callState) talkEnds(at time.Time) {
	if c.talking {
		c.talking = false
		c.row.Talk += max(at.Sub(c.talkFrom), 0)
	}
}

func (c *callState) ends(at time.Time, a routing.EndCall) bool {
	r := &c.row
	if !r.EndedAt.IsZero() {
		return false
	}
	c.talkEnds(at)
	r.EndedAt, r.Outcome, r.EndedBy, r.Reason, r.CallBack = at, a.Outcome, a.By, a.Reason, ""
	if r.TalkAt.IsZero() && !c.asked {
		r.Wait = c.waitedUntil(at)
	}
	if a.Queue != "" {
		r.Queue = a.Queue
	}
	if a.Agent != "" {
		r.Agent = a.Agent
	}
	return true
}

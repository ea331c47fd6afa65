package statistics

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/store"
)

const (
	// painHistory is how long before a period calls are read for the questions
	// that are open at its beginning.
	painHistory = 35 * 24 * time.Hour
	// painAfter is how long after it a call may still be followed by another.
	painAfter = 168 * time.Hour
	// shownWithin is how long after the answer a fact may come on the screen.
	shownWithin = 5 * time.Second
)

// Pain is "the pain, measured" of a period.
type Pain struct {
	History  time.Time // questions that began before it are not known
	Lines    []figures.PainLine
	Withheld int
	ReAsked  []int64 // calls whose facts were asked again
}

// buildPain folds the calls of a period, and those before and after it that its
// questions hang on.
func buildPain(ctx context.Context, from Ledger, p *routing.Policy, q Query, now time.Time) (*Pain, error) {
	fold := figures.NewPain(q.From, q.To, now)
	out := &Pain{History: q.From.Add(-painHistory)}
	until := q.To.Add(painAfter)
	if until.After(now) {
		until = now.Add(time.Microsecond)
	}
	// Only calls of the period, and those passed on, have events that matter.
	want := func(row *store.LedgerRow) bool {
		return row.Transfers > 0 || (row.EndedAt.IsZero() || !row.EndedAt.Before(q.From)) && row.ArrivedAt.Before(q.To)
	}
	calls := 0
	err := from.FoldCalls(ctx, out.History, until, want, func(row store.LedgerRow, events []store.Event) error {
		if calls++; q.MaxCalls > 0 && calls > q.MaxCalls {
			return ErrTooManyCalls
		}
		offers, err := offersOf(&row, events)
		if err != nil {
			return err
		}
		fold.Contact(contactOf(p, &row, len(offers.transfers)))
		for _, pop := range offers.pops() {
			fold.Pop(pop)
		}
		for _, t := range offers.transfers {
			fold.Transfer(t.counted(row.Call))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Lines, out.Withheld, out.ReAsked = fold.Lines(), fold.Withheld, fold.Calls
	return out, nil
}

// contactOf is a row of the ledger as the fold wants it.
func contactOf(p *routing.Policy, row *store.LedgerRow, hops int) figures.Contact {
	c := figures.Contact{
		Customer: cmp.Or(row.Customer, row.Number), Topic: cmp.Or(row.Topic, row.Queue), Queue: row.Queue, Agent: string(row.Agent),
		Arrived: row.ArrivedAt.UnixMicro(), Answered: row.Outcome == routing.Answered, Hops: hops, Final: isFinal(p, row),
	}
	if !row.EndedAt.IsZero() {
		c.Ended = row.EndedAt.UnixMicro()
	}
	return c
}

// isFinal tells whether what the agent ticked closes the question: by the set
// of the call's queue, else by any that has it, since ids keep their meaning.
func isFinal(p *routing.Policy, row *store.LedgerRow) bool {
	if row.Disposition == "" {
		return false
	}
	is := func(d routing.Disposition) bool { return d.ID == row.Disposition }
	if q := p.Queues[row.Queue]; q != nil {
		if set := p.Sets[q.Dispositions]; slices.ContainsFunc(set, is) {
			return slices.ContainsFunc(set, func(d routing.Disposition) bool { return is(d) && d.Final })
		}
	}
	for _, set := range p.Sets {
		if slices.ContainsFunc(set, func(d routing.Disposition) bool { return is(d) && d.Final }) {
			return true
		}
	}
	return false
}

// offers is what the events of one call say of its offers and transfers.
type offers struct {
	queue, topic string
	byAttempt    map[routing.Attempt]*offered
	order        []*offered
	passing      *passing
	transfers    []*handed
	early        map[routing.Attempt][]seen // what desks showed before the answer
}

// seen is an ack of a receiver's desk.
type seen struct {
	at      time.Time
	known   int
	missing []string
	visible bool
}

type offered struct {
	figures.Pop
	ackBy time.Time
	acked bool
}

// passing is a transfer that nobody has answered yet.
type passing struct {
	from    string
	attempt routing.Attempt
	known   int
}

// handed is one that was.
type handed struct {
	passing
	figures.Transfer
	attempt  routing.Attempt
	answered time.Time
	missing  []string // on every visible page so far
	shown    bool     // there was one in time
}

func (h *handed) counted(call routing.CallID) figures.Transfer {
	t := h.Transfer
	t.Call, t.Known, t.ReAsked = int64(call), h.known, h.known
	if h.shown {
		t.ReAsked = len(h.missing)
	}
	return t
}

// see takes what the receiver's desk showed: on a page that was visible, not
// later than a few seconds after the answer.
func (h *handed) see(f seen) {
	h.known = max(h.known, f.known)
	switch {
	case !f.visible || f.at.After(h.answered.Add(shownWithin)):
	case !h.shown:
		h.shown, h.missing = true, f.missing
	default:
		h.missing = slices.DeleteFunc(slices.Clone(h.missing), func(fact string) bool { return !slices.Contains(f.missing, fact) })
	}
}

func (o *offers) pops() []figures.Pop {
	out := make([]figures.Pop, len(o.order))
	for i, p := range o.order {
		out[i] = p.Pop
	}
	return out
}

// offersOf folds the events of a call.
func offersOf(row *store.LedgerRow, events []store.Event) (*offers, error) {
	o := &offers{byAttempt: map[routing.Attempt]*offered{}}
	for i := range events {
		if err := o.event(&events[i]); err != nil {
			return nil, fmt.Errorf("call %d: event %d (%s): %w", row.Call, events[i].Seq, events[i].Kind, err)
		}
	}
	return o, nil
}

// told is what the data of these events may hold.
type told struct {
	Queue string    `json:"queue"`
	Topic string    `json:"topic"`
	AckBy time.Time `json:"ack_by"`
	Mode  string    `json:"mode"`
	Known int       `json:"known"`
	Facts []string  `json:"facts"`
	Why   string    `json:"why"`
	From  struct {
		Attempt routing.Attempt `json:"attempt"`
		Agent   string          `json:"agent"`
	} `json:"from"`
	Reason struct {
		Trigger string `json:"trigger"`
	} `json:"reason"`
}

// withData are the kinds of events whose data matters here.
var withData = []string{"enqueued", "offer_call", "pop_acked", "withdraw", "transfer_known", "transfer_facts", "handed_over"}

func (o *offers) event(e *store.Event) error {
	var d told
	if slices.Contains(withData, e.Kind) {
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return err
		}
	}
	switch e.Kind {
	case "enqueued":
		o.queue, o.topic = d.Queue, cmp.Or(d.Topic, d.Queue)
		if d.Reason.Trigger == "returned" {
			o.passing = nil // back at the sender's: nobody else answered
		}
	case "offer_call":
		p := &offered{ackBy: d.AckBy, Pop: figures.Pop{Topic: cmp.Or(d.Topic, d.Queue), Queue: d.Queue, Agent: string(e.Agent), At: e.At.UnixMicro()}}
		o.byAttempt[e.Attempt] = p
		o.order = append(o.order, p)
	case "pop_acked":
		o.ack(e, d.Mode)
	case "ring":
		if p := o.byAttempt[e.Attempt]; p != nil {
			p.Rang, p.AfterAck = true, p.acked
		}
	case "transferred":
		o.passing = &passing{from: string(e.Agent), attempt: e.Attempt}
	case "handed_over":
		o.queue, o.topic = d.Queue, cmp.Or(d.Topic, d.Queue)
		o.passing = &passing{from: d.From.Agent, attempt: d.From.Attempt}
		o.connect(e)
	case "transfer_known":
		if n := len(o.transfers); o.passing == nil && n > 0 && o.transfers[n-1].from == string(e.Agent) && o.transfers[n-1].known == 0 {
			o.transfers[n-1].known = d.Known // handed over, and answered, in one
		}
		if o.passing != nil {
			o.passing.known = d.Known
		}
	case "connect":
		o.connect(e)
	case "withdraw":
		if n := len(o.transfers); d.Why == "join_failed" && n > 0 && o.transfers[n-1].attempt == e.Attempt {
			o.passing = &o.transfers[n-1].passing
			o.transfers = o.transfers[:n-1]
		}
	case "transfer_facts":
		o.facts(e, d)
	}
	return nil
}

func (o *offers) ack(e *store.Event, mode string) {
	p := o.byAttempt[e.Attempt]
	if p == nil {
		return
	}
	inTime := p.ackBy.IsZero() || !e.At.After(p.ackBy)
	switch {
	case !p.acked && !inTime:
		p.Ack = figures.AckLate
	case inTime && mode == routing.Painted:
		p.Ack = figures.AckPainted
	case !p.acked:
		p.Ack = figures.AckHidden
	}
	p.acked = true
}

// connect: a transfer is answered by whoever is not its sender.
func (o *offers) connect(e *store.Event) {
	from := o.passing
	if from == nil || e.Attempt <= from.attempt {
		return
	}
	o.passing = nil
	if string(e.Agent) == from.from {
		return
	}
	h := &handed{passing: *from, attempt: e.Attempt, answered: e.At}
	h.Transfer = figures.Transfer{Topic: o.topic, Queue: o.queue, Agent: string(e.Agent), At: e.At.UnixMicro()}
	if early := o.byAttempt[e.Attempt]; early != nil {
		h.Queue, h.Topic = early.Queue, early.Topic
	}
	for _, f := range o.early[e.Attempt] {
		h.see(f)
	}
	o.transfers = append(o.transfers, h)
}

// facts is what a desk showed of what the sender knew.
func (o *offers) facts(e *store.Event, d told) {
	f := seen{e.At, d.Known, d.Facts, d.Mode == routing.Painted}
	for _, h := range o.transfers {
		if h.attempt == e.Attempt {
			h.see(f)
			return
		}
	}
	if o.early == nil {
		o.early = map[routing.Attempt][]seen{}
	}
	o.early[e.Attempt] = append(o.early[e.Attempt], f) // before the answer
}

package customer

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Connector asks one outside system what it knows of a customer: billing, orders, a
// CRM. It must heed the context. A customer whom the system doesn't know is an empty
// Part, not an error. Errors hold no personal data: they are logged. One that is an
// io.Closer is closed at the end.
type Connector interface {
	Ask(ctx context.Context, who Subject) (Part, error)
}

// Subject is the customer a connector is asked about.
type Subject struct {
	ID     string // the customer number that our own store has
	Number string // E.164 that the call came from; "" when it was withheld or another's
}

// Part is what an outside system knows of a customer, in the record's own terms.
// Source and At of what is in it are filled in by Beside.
type Part struct {
	Billing      *Billing
	Products     []Product
	Tickets      []Ticket
	Interactions []Interaction
	Facts        []Fact
	AsOf         time.Time // when it was so; zero: now
}

// Fact is a thing that an outside system says of a customer and that the record has
// no place for: shown, and told to nobody.
type Fact struct {
	Name   string    `json:"name"`
	Value  string    `json:"value"`
	Source string    `json:"source"`
	At     time.Time `json:"at"`
}

// States of what an outside system has said.
const (
	PartOK      = "ok"
	PartLoading = "loading" // asked, and nothing is remembered
	PartStale   = "stale"   // an older answer: asked again, or it fails
	PartFailed  = "failed"  // it fails, and nothing is remembered
)

// Told is what there is of one outside system, at some moment.
type Told struct {
	Source string    `json:"source"`
	State  string    `json:"state"`
	Panels []string  `json:"panels"` // of the desk, that it adds to
	At     time.Time `json:"at"`     // when the system said it; zero with loading and failed
	Part   *Part     `json:"-"`      // nil with loading and failed; nobody changes it
}

// maxInteractions of a record are shown.
const maxInteractions = 50

// With is the record with what outside systems have said, in their order. Nothing of
// the record's own is lost: where two say otherwise, both stand there, each with its
// source. What one repeats word for word is left out. The record itself is not changed.
func (r *Record) With(told []Told) *Record {
	if r == nil || !slices.ContainsFunc(told, func(t Told) bool { return t.Part != nil }) {
		return r
	}
	out := *r
	out.Products, out.Tickets, out.Interactions = slices.Clone(r.Products), slices.Clone(r.Tickets), slices.Clone(r.Interactions)
	var bills []Billing
	if r.Billing != nil {
		bills = append(bills, *r.Billing)
	}
	for _, t := range told {
		if t.Part == nil {
			continue
		}
		if b := t.Part.Billing; b != nil {
			bills = append(bills, *b)
		}
		for _, p := range t.Part.Products {
			if !slices.ContainsFunc(out.Products, p.same) {
				out.Products = append(out.Products, p)
			}
		}
		for _, x := range t.Part.Tickets {
			if !slices.ContainsFunc(out.Tickets, x.same) {
				out.Tickets = append(out.Tickets, x)
			}
		}
		for _, x := range t.Part.Interactions {
			if !slices.ContainsFunc(out.Interactions, x.same) {
				out.Interactions = append(out.Interactions, x)
				out.Contacts++
			}
		}
		out.Facts = append(out.Facts, t.Part.Facts...)
	}
	out.setBills(bills)
	slices.SortStableFunc(out.Tickets, func(a, b Ticket) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), b.OpenedAt.Compare(a.OpenedAt))
	})
	slices.SortStableFunc(out.Interactions, func(a, b Interaction) int { return b.At.Compare(a.At) })
	out.Interactions = out.Interactions[:min(len(out.Interactions), maxInteractions)]
	return &out
}

func rank(t Ticket) int {
	if t.Status == "closed" {
		return 1
	}
	return 0
}

// setBills takes the newest bill for the record's, and keeps those beside it that
// say otherwise.
func (r *Record) setBills(bills []Billing) {
	if len(bills) == 0 {
		return
	}
	slices.SortStableFunc(bills, func(a, b Billing) int { return b.At.Compare(a.At) })
	r.Billing = &bills[0]
	r.BillingElse = slices.DeleteFunc(slices.Clone(bills[1:]), func(b Billing) bool { return b.agrees(bills[0]) })
}

// agrees says whether both would have an agent say the same.
func (b Billing) agrees(other Billing) bool {
	return b.Balance == other.Balance && b.OverdueAge == other.OverdueAge && equal(b.Overdue, other.Overdue) && equal(b.WeOwe, other.WeOwe)
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

func (p Product) same(other Product) bool {
	price := equal(p.Price, other.Price)
	p.Source, other.Source, p.Price, other.Price = "", "", nil, nil
	return price && p == other
}

func (t Ticket) same(other Ticket) bool {
	return t.ID == other.ID && t.Title == other.Title && t.Detail == other.Detail && t.Kind == other.Kind && t.Status == other.Status &&
		sameTime(t.DueAt, other.DueAt)
}

func (i Interaction) same(other Interaction) bool {
	return i.ID == other.ID && i.At.Equal(other.At) && i.Channel == other.Channel && i.Title == other.Title && i.Detail == other.Detail && i.Note == other.Note
}

func sameTime(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }

// from marks all of a part with who said it and when.
func (p *Part) from(source string, at time.Time) {
	if p.Billing != nil {
		p.Billing.Source, p.Billing.At = source, at
	}
	for i := range p.Products {
		p.Products[i].Source = source
	}
	for i := range p.Tickets {
		p.Tickets[i].Source = source
	}
	for i := range p.Interactions {
		p.Interactions[i].Source = source
	}
	for i := range p.Facts {
		p.Facts[i].Source, p.Facts[i].At = source, at
	}
}

// Package screenpop is the desk: the hub that holds one card for each live
// call, pushes it to the right agent's desk before that phone rings, takes the
// desk's ack, and carries what the agent does there back to the engine. It
// owns the desk protocol (docs/desk-protocol.md).
package screenpop

import (
	"context"
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
)

// Engine is the routing engine's inbox.
type Engine interface{ Submit(routing.Event) }

// CallerInfo is what the rim knows of a caller, as a desk may show it.
type CallerInfo struct {
	Number     string `json:"number,omitempty"` // E.164; "" when withheld or restricted
	Display    string `json:"display,omitempty"`
	Country    string `json:"country,omitempty"`
	Source     string `json:"source"` // pai, rpid, from, none
	Trusted    bool   `json:"trusted"`
	Restricted bool   `json:"restricted,omitempty"`
}

// NewCall opens a card.
type NewCall struct {
	Call    routing.CallID
	Caller  CallerInfo
	Lookup  string // E.164 to look up, even when the number may not be shown; "" for none
	Dialled string
	Trunk   string
	At      time.Time
	// PBX says that a PBX has the call and routing knows nothing of it.
	PBX bool
}

// Contact is what a finished talk adds to the customer's history.
type Contact struct {
	Call        routing.CallID
	Attempt     routing.Attempt
	Customer    string // "" when the caller stayed unknown
	Agent       agents.ID
	Queue       string
	Topic       string
	At          time.Time // when the agent answered
	Talk        time.Duration
	Note        string
	Disposition string
	Detail      string // what the disposition asked for: "ticket_id: T-17; when: Monday"
}

// History keeps what agents write. Save must not block on the store: it
// queues; a contact saved twice (same call and attempt) replaces the first.
type History interface {
	SaveContact(Contact)
}

// Answer is one standard answer of the knowledge base.
type Answer struct {
	ID     string   `json:"id"`
	Topic  string   `json:"topic"`
	Lang   string   `json:"lang"`
	Title  string   `json:"title"`
	Say    string   `json:"say"` // what to read out
	Steps  []string `json:"steps,omitempty"`
	Owner  string   `json:"owner,omitempty"`  // the agent who answers for it
	Review string   `json:"review,omitempty"` // YYYY-MM-DD: from this day on it has to be looked at again
}

func (a Answer) equal(b Answer) bool {
	return a.ID == b.ID && a.Topic == b.Topic && a.Lang == b.Lang && a.Title == b.Title && a.Say == b.Say && a.Owner == b.Owner && a.Review == b.Review && slices.Equal(a.Steps, b.Steps)
}

// Answers finds standard answers. A topic of "" means all; query "" means the
// topic's own, best first.
type Answers interface {
	FindAnswers(ctx context.Context, lang, topic, query string, limit int) ([]Answer, error)
}

// Finder is the resolver as the hub uses it.
type Finder interface {
	Find(ctx context.Context, e164 string) (customer.Match, error)
}

// Directory names agents for people.
type Directory interface {
	Agent(agents.ID) (agents.Agent, bool)
}

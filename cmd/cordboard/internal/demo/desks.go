package demo

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/screenpop/desktest"
)

// manners are how the robots at the desks and on the line behave.
type manners struct {
	paint, accept, talk, wrapUp time.Duration
	hop                         time.Duration // passes a hard question on after this
}

// sit puts a robot at the agent's desk.
func (c *centre) sit(ctx context.Context, id agents.ID, m manners) (*desktest.Desk, error) {
	d, err := desktest.Dial(ctx, desktest.Options{
		BaseURL: "http://" + c.app.WebAddr().String(), Link: c.links[id], AutoReady: true,
		AckDelay: m.paint, AcceptAfter: m.accept, HangUpAfter: m.talk,
		WrapUp: &desktest.WrapUp{
			BySet: map[string]string{"service": "solved", "saving": "stays"}, Note: "Asked, answered, agreed.", After: m.wrapUp,
		},
		Transfer: func(card desktest.Card) *desktest.Transfer {
			topic := c.talks.passOn(card.Caller.Number)
			if topic == "" {
				return nil
			}
			return &desktest.Transfer{
				After: m.hop, Topic: topic,
				Draft: "Checked the record with the customer.", Note: "Please decide this one, the first answers were not enough.",
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("desk of %s: %w", id, err)
	}
	return d, nil
}

// collect notes what a robot's desk saw.
func (c *centre) collect(d *desktest.Desk) {
	for _, s := range d.Seen() {
		number := s.Card.Caller.Number
		c.seen.pop(popSeen{
			number: number, agent: agents.ID(s.Agent), received: s.PopAt, acked: s.AckAt,
			complete: s.Complete && c.whole(number, s.Card),
		})
	}
}

// whole compares what was painted with what was put into the store: the parts
// an agent must never have to ask for.
func (c *centre) whole(number string, card desktest.Card) bool {
	want, known := c.records[number]
	if !known {
		return card.Record == nil
	}
	got := card.Record
	return got != nil && got.ID == want.ID && got.Name == want.Name &&
		reflect.DeepEqual(got.Numbers, want.Numbers) && len(got.Products) == len(want.Products) &&
		len(got.Tickets) == len(want.Tickets) && len(got.Interactions) >= min(len(want.Interactions), 50) &&
		(want.Billing == nil) == (got.Billing == nil) &&
		(want.Billing == nil || got.Billing.Balance == want.Billing.Balance)
}

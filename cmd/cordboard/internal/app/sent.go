package app

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// sent writes what outside systems send, and shows it on the desks that have the
// customer in hand.
type sent struct {
	store   *store.Store
	hub     *screenpop.Hub
	regions map[string]string // by source
	log     *zap.Logger
}

func newSent(s *store.Store, hub *screenpop.Hub, senders []configs.Sender, log *zap.Logger) *sent {
	out := &sent{s, hub, map[string]string{}, log.Named("interactions")}
	for _, p := range senders {
		out.regions[p.Name] = p.Region
	}
	return out
}

// Sent implements web.SentInteractions.
func (s *sent) Sent(ctx context.Context, i web.SentInteraction) (out web.SentResult, err error) {
	who := store.Person{Customer: i.Customer}
	if i.Number != "" {
		n, err := identity.ParseNumber(i.Number, s.regions[i.Source], nil)
		if err != nil {
			return out, &web.SentRefused{Code: "bad_interaction", Why: "number: is none; a national one is read where interactions." + i.Source + ".region is set"}
		}
		who.Number = n.E164()
	}
	i.Interaction.ID, i.Interaction.Source = store.SentID(i.Source, i.ID), i.Source
	written, err := s.store.SaveSent(ctx, who, i.Interaction)
	var several *store.SeveralError
	switch {
	case errors.Is(err, store.ErrNotFound):
		return out, &web.SentRefused{Code: "no_customer", Why: "no customer has this id or number; send it again when there is one"}
	case errors.As(err, &several):
		return out, &web.SentRefused{Code: "several", Why: several.Error()}
	case err != nil:
		s.log.Warn("an interaction could not be written", zap.String("source", i.Source), zap.Error(err))
		return out, &web.SentRefused{Code: "unavailable", Why: "the database did not take it: send it again"}
	}
	if written.Result != store.SentSame {
		s.hub.Renew(written.Customer)
	}
	if written.Before != "" {
		s.hub.Renew(written.Before)
	}
	return web.SentResult{Result: written.Result, Revision: written.Revision}, nil
}

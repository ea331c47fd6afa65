package app

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/customer/permission"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// deskConsents shows agents what the customer in hand has said to being contacted, and
// writes down what he says to them.
type deskConsents struct{ app *App }

// inHand is the customer of a call on an agent's desk.
func (d deskConsents) inHand(agent agents.ID, call routing.CallID) (string, error) {
	for _, in := range d.app.hub.InHand(agent) {
		switch {
		case in.Call != call:
		case in.Customer == "":
			return "", &web.ContactRefused{Code: "no_customer", Why: "nobody knows yet whose call it is"}
		default:
			return in.Customer, nil
		}
	}
	return "", &web.ContactRefused{Code: "not_now", Why: "the call is not in your hand"}
}

// Standing implements web.DeskConsents.
func (d deskConsents) Standing(ctx context.Context, agent agents.ID, call routing.CallID) ([]web.ConsentWord, error) {
	id, err := d.inHand(agent, call)
	if err != nil {
		return nil, err
	}
	all, err := d.app.store.Consents(ctx, id)
	if err != nil {
		return nil, d.unavailable(err)
	}
	said := make([]permission.Said, len(all))
	by := map[permission.Said]store.Consent{}
	for i := range all {
		said[i] = all[i].Said
		by[all[i].Said] = all[i]
	}
	out := []web.ConsentWord{}
	for _, s := range permission.Standing(said) {
		c := by[s]
		word := web.ConsentWord{Source: c.Source, ID: c.SourceID, Evidence: c.Evidence, Said: s}
		if c.By != nil {
			word.By = c.By.Name
		}
		out = append(out, word)
	}
	return out, nil
}

// Heard implements web.DeskConsents.
func (d deskConsents) Heard(ctx context.Context, agent agents.ID, call routing.CallID, w web.ConsentWord) error {
	id, err := d.inHand(agent, call)
	if err != nil {
		return err
	}
	who, _ := d.app.rim.Agent(agent)
	_, _, err = d.app.store.SaveConsent(ctx, store.Person{Customer: id}, store.Consent{
		Said: w.Said, Evidence: w.Evidence, By: &customer.Colleague{Agent: string(agent), Name: who.Name},
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return &web.ContactRefused{Code: "no_customer", Why: "the customer's record lives elsewhere, or is gone"}
	case err != nil:
		return d.unavailable(err)
	}
	d.app.log.Info("a consent was heard", zap.String("agent", string(agent)), zap.Int64("call", int64(call)),
		zap.String("purpose", string(w.Purpose)), zap.String("channel", string(w.Channel)), zap.String("state", string(w.State)))
	return nil
}

func (d deskConsents) unavailable(err error) error {
	d.app.log.Warn("consents cannot be read or written", zap.Error(err))
	return &web.ContactRefused{Code: "unavailable", Why: "the database does not answer: try again"}
}

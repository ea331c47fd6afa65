package app

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/customer/permission"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// contacts decides whether customers may be contacted: it gathers what is known of
// them, has package permission decide, and writes down what was decided.
type contacts struct {
	app     *App
	rules   permission.Policy // without a zone: the routing document's
	regions map[string]string // by source
	log     *zap.Logger
}

func newContacts(a *App, s *configs.Server) *contacts {
	out := &contacts{a, permission.Policy{Zone: s.Contact.Zone, Holidays: s.Contact.Holidays, Rules: s.Contact.Rules()}, map[string]string{}, a.log.Named("contacts")}
	out.rules.Version = rulesVersion(&out.rules)
	for _, p := range s.Consents {
		out.regions[p.Name] = p.Region
	}
	return out
}

// rulesVersion tells rules from others.
func rulesVersion(p *permission.Policy) string {
	text, err := json.Marshal([]any{p.Zone.String(), p.Holidays, p.Rules})
	if err != nil {
		return "" // these have a JSON form
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))[:12]
}

// policy is what holds now.
func (c *contacts) policy() *permission.Policy {
	p := c.rules
	if p.Zone == nil {
		p.Zone = c.app.rim.policy.Load().Zone
	}
	return &p
}

// errNobodyKnows says that it cannot be decided now.
var errNobodyKnows = errors.New("nobody knows whether the customer may be contacted: the customer source or the database does not answer")

// decide says whether a customer, by id, or whoever has a number may be contacted. One
// of several who share it is enough to say no.
func (c *contacts) decide(ctx context.Context, ask store.ContactDecision) (store.ContactDecision, error) {
	people, err := c.people(ctx, ask.Customer, ask.Number)
	if err != nil {
		return ask, err
	}
	if len(people) == 1 {
		ask.Customer = people[0].ID
	}
	all, err := c.facts(ctx, people, ask)
	if err != nil {
		return ask, errors.Join(errNobodyKnows, err)
	}
	p := c.policy()
	ask.Rules = p.Version
	out, err := c.app.store.Decide(ctx, ask, p.Remembers(ask.Purpose), func(before []time.Time) (d permission.Decision) {
		for _, facts := range all {
			facts.Before = before
			if d = p.Decide(ask.Contact, facts); !d.Allowed {
				break
			}
		}
		return d
	})
	if err != nil && !errors.Is(err, store.ErrDecisionChanged) {
		err = errors.Join(errNobodyKnows, err)
	}
	return out, err
}

// people are those whom a contact would reach: nobody who is known, one, or several who
// share the number. Who is named by id must be there (store.ErrNotFound), and is the
// only one where the number is his.
func (c *contacts) people(ctx context.Context, id, number string) (out []customer.Record, err error) {
	if id != "" {
		m, err := c.app.byID(ctx, id)
		switch {
		case err != nil:
			return nil, errors.Join(errNobodyKnows, err)
		case m.Record == nil:
			return nil, store.ErrNotFound
		}
		out = append(out, *m.Record)
		if number == "" || slices.ContainsFunc(m.Record.Numbers, func(n customer.Number) bool { return n.E164 == number }) {
			return out, nil
		}
	}
	m, err := c.app.finder.Find(ctx, number)
	if err != nil {
		return nil, errors.Join(errNobodyKnows, err)
	}
	if m.Record != nil {
		return append(out, *m.Record), nil
	}
	return append(out, m.Candidates...), nil
}

// facts are what is known of each of them, or of nobody.
func (c *contacts) facts(ctx context.Context, people []customer.Record, ask store.ContactDecision) (out []permission.Facts, err error) {
	numbers := []string{ask.Number}
	if ask.Number == "" { // any of his
		numbers = nil
		for _, n := range people[0].Numbers {
			numbers = append(numbers, n.E164)
		}
	}
	var all permission.Facts
	if all.Listed, err = c.app.store.Listed(ctx, numbers...); err != nil {
		return nil, err
	}
	for _, n := range numbers {
		objected, err := c.app.store.Suppressed(ctx, n)
		if err != nil {
			return nil, err
		}
		all.Suppressed = all.Suppressed || objected
	}
	if len(people) == 0 {
		return []permission.Facts{all}, nil
	}
	for i := range people {
		facts, err := c.ofRecord(ctx, &people[i], ask.Channel, all)
		if err != nil {
			return nil, err
		}
		out = append(out, facts)
	}
	return out, nil
}

func (c *contacts) ofRecord(ctx context.Context, r *customer.Record, channel permission.Channel, out permission.Facts) (permission.Facts, error) {
	out.DoNotCall = r.DoNotCall
	switch channel {
	case permission.Call:
		out.Record = r.Consent.Phone
	case permission.SMS:
		out.Record = r.Consent.SMS
	case permission.Mail:
		out.Record = r.Consent.Mail
	}
	if zone, err := time.LoadLocation(r.Zone); err == nil && r.Zone != "" {
		out.Zone = zone
	}
	said, err := c.app.store.Consents(ctx, r.ID)
	for i := range said {
		out.Said = append(out.Said, said[i].Said)
	}
	return out, err
}

// MayContact implements web.ContactPolicy.
func (c *contacts) MayContact(ctx context.Context, q web.ContactQuestion) (out web.ContactAnswer, err error) {
	number, err := c.number(q.Source, q.Number)
	if err != nil {
		return out, err
	}
	d, err := c.decide(ctx, store.ContactDecision{Source: q.Source, SourceID: q.ID, Customer: q.Customer, Number: number, Contact: q.Contact})
	if err != nil {
		return out, c.refused(q.Source, err)
	}
	out = web.ContactAnswer{Decision: d.ID, Allowed: d.Allowed, Reason: d.Reason, Weighed: d.Weighed, Rules: d.Rules}
	if !d.NotBefore.IsZero() {
		at := d.NotBefore.UTC()
		out.NotBefore = &at
	}
	return out, nil
}

// Said implements web.ContactPolicy.
func (c *contacts) Said(ctx context.Context, w web.ConsentWord) (created bool, err error) {
	number, err := c.number(w.Source, w.Number)
	if err != nil {
		return false, err
	}
	word := store.Consent{Said: w.Said, Source: w.Source, SourceID: w.ID, Evidence: w.Evidence}
	if w.By != "" {
		word.By = &customer.Colleague{Name: w.By}
	}
	_, created, err = c.app.store.SaveConsent(ctx, store.Person{Customer: w.Customer, Number: number}, word)
	if err != nil {
		return false, c.refused(w.Source, err)
	}
	return created, nil
}

// number reads one as a system has it, "" for none.
func (c *contacts) number(source, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	n, err := identity.ParseNumber(text, c.regions[source], nil)
	if err != nil {
		return "", &web.ContactRefused{Code: "bad_contact", Why: "number: is none; a national one is read where consents." + source + ".region is set"}
	}
	return n.E164(), nil
}

// refused is an error in web's words.
func (c *contacts) refused(source string, err error) error {
	var several *store.SeveralError
	switch {
	case errors.Is(err, store.ErrNotFound):
		return &web.ContactRefused{Code: "no_customer", Why: "no customer has this id or number"}
	case errors.As(err, &several):
		return &web.ContactRefused{Code: "several", Why: several.Error()}
	case errors.Is(err, store.ErrConsentChanged):
		return &web.ContactRefused{Code: "changed", Why: "something else was said under this id: a customer who says something else says it later, under another"}
	case errors.Is(err, store.ErrDecisionChanged):
		return &web.ContactRefused{Code: "changed", Why: "another contact was asked for under this id"}
	}
	c.log.Warn("a contact could not be decided, or a consent not be written", zap.String("source", source), zap.Error(err))
	return &web.ContactRefused{Code: "unavailable", Why: "the customer source or the database does not answer: send it again"}
}

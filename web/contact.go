package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cordboard/cordboard/screenpop/customer/permission"
)

// ContactQuestion is whether somebody may be contacted, asked by an outside system.
type ContactQuestion struct {
	Source   string // the system, by its name in the server file
	ID       string // its own, "" for none
	Customer string // by id, or by number, as the system has it; both for one of his
	Number   string
	permission.Contact
}

// ContactAnswer is what was decided.
type ContactAnswer struct {
	Decision  int64                `json:"decision"`
	Allowed   bool                 `json:"allowed"`
	Reason    string               `json:"reason"`
	NotBefore *time.Time           `json:"not_before,omitempty"`
	Weighed   []permission.Weighed `json:"weighed"`
	Rules     string               `json:"rules"`
}

// ConsentWord is what a customer has said, written by an outside system.
type ConsentWord struct {
	Source   string
	ID       string
	Customer string
	Number   string
	By       string // who asked him, a name
	Evidence string
	permission.Said
}

// ContactRefused refuses a question or a word. Code is no_customer, several, changed,
// not_now, bad_contact or unavailable.
type ContactRefused struct{ Code, Why string }

func (e *ContactRefused) Error() string { return e.Why }

// ContactPolicy decides, and keeps what customers have said.
type ContactPolicy interface {
	MayContact(ctx context.Context, q ContactQuestion) (ContactAnswer, error)
	// Said is told of a word; created is false when it is the same again.
	Said(ctx context.Context, w ConsentWord) (created bool, err error)
}

// consents takes what outside systems ask and say.
type consents struct {
	to   ContactPolicy
	gate *gate
}

func newConsents(opt Options) *consents {
	return &consents{opt.Contact, newGate("an outside system", opt.ConsentTokens, prometheus.CounterOpts{
		Name: "cordboard_contact_requests_total", Help: "Contacts that outside systems asked for (allowed, not_allowed) and consents they wrote (created, same), by source and result: also refused, bad, too_many; bad_token without a source.",
	}, sparing(opt.Log.Named("web")))}
}

const (
	consentsPath  = "/api/v1/consents"
	decisionsPath = "/api/v1/contact-decisions"
)

func (s *Server) consentRoutes() (out []route) {
	if s.opt.DeskConsents != nil {
		out = append(out, route{http.MethodGet, deskConsentsPath, RoleAgent, s.deskConsents}, route{http.MethodPost, deskConsentsPath, RoleAgent, s.hearConsent})
	}
	if len(s.opt.ConsentTokens) > 0 {
		out = append(out, route{http.MethodPut, consentsPath + "/{source}/{id}", "", s.putConsent}, route{http.MethodPost, decisionsPath, "", s.askContact})
	}
	return out
}

// contactTime is how long a question or a word may take.
const contactTime = 10 * time.Second

var problemContact = &problem{Status: http.StatusUnprocessableEntity, Code: "bad_contact", Title: "The request cannot be taken"}

// askContact: POST /api/v1/contact-decisions.
func (s *Server) askContact(w http.ResponseWriter, r *http.Request, _ *seat) error {
	var out ContactAnswer
	err := s.ofContact(r, func(ctx context.Context, name string) (result string, err error) {
		q, err := readQuestion(w, r, s.opt.Clock())
		if err != nil {
			return "", err
		}
		q.Source = name
		out, err = s.consents.to.MayContact(ctx, q)
		if out.Allowed {
			return "allowed", err
		}
		return "not_allowed", err
	})
	if err != nil {
		return err
	}
	return replyStatus(w, http.StatusOK, out)
}

// putConsent: PUT /api/v1/consents/{source}/{id}.
func (s *Server) putConsent(w http.ResponseWriter, r *http.Request, _ *seat) error {
	status, result := http.StatusOK, "same"
	err := s.ofContact(r, func(ctx context.Context, name string) (string, error) {
		if r.PathValue("source") != name {
			p := *problemForbidden
			p.Detail = "the token is that of another source than the address names"
			return "", &p
		}
		said, err := readWord(w, r, s.opt.Clock())
		if err != nil {
			return "", err
		}
		said.Source, said.ID = name, r.PathValue("id")
		created, err := s.consents.to.Said(ctx, said)
		if created {
			status, result = http.StatusCreated, "created"
		}
		return result, err
	})
	if err != nil {
		return err
	}
	return replyStatus(w, status, struct {
		Result string `json:"result"`
	}{result})
}

// ofContact does what a system wants that shows its token, and counts it.
func (s *Server) ofContact(r *http.Request, do func(ctx context.Context, name string) (string, error)) error {
	name, err := s.consents.gate.let(r, s.opt.Clock())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), contactTime)
	defer cancel()
	result, err := do(ctx, name)
	var no *ContactRefused
	switch {
	case errors.As(err, &no):
		result, err = "refused", contactProblem(no)
	case err != nil:
		result = "bad"
	}
	s.consents.gate.counted.WithLabelValues(name, result).Inc()
	return err
}

func contactProblem(refused *ContactRefused) error {
	p := *problemContact
	switch refused.Code {
	case "no_customer":
		p = *problemNoCustomer
	case "several":
		p = *problemSeveral
	case "changed":
		p = problem{Status: http.StatusConflict, Code: "changed", Title: "Something else stands under this id"}
	case "not_now":
		p = problem{Status: http.StatusConflict, Code: "not_now", Title: "The call is not on your desk"}
	case "unavailable":
		p = *problemUnavailable
	}
	p.Detail = refused.Why
	return &p
}

// deskContactProblem is what a desk is told of an error.
func deskContactProblem(err error) error {
	var refused *ContactRefused
	if errors.As(err, &refused) {
		return contactProblem(refused)
	}
	return err
}

// questionWire is the body of POST /api/v1/contact-decisions.
type questionWire struct {
	ID       string `json:"id"`
	Customer string `json:"customer"`
	Number   string `json:"number"`
	Purpose  string `json:"purpose"`
	Channel  string `json:"channel"`
	At       string `json:"at"`
}

func readQuestion(w http.ResponseWriter, r *http.Request, now time.Time) (out ContactQuestion, err error) {
	var in questionWire
	if err := body(w, r, &in); err != nil {
		return out, err
	}
	c := checking{}
	c.text("id", in.ID, maxSentID)
	c.text("customer", in.Customer, maxSentID)
	c.text("number", in.Number, maxSentWord)
	c.check(in.Customer != "" || in.Number != "", "customer, number: want one of them, or both")
	out = ContactQuestion{ID: in.ID, Customer: in.Customer, Number: in.Number, Contact: permission.Contact{
		Purpose: oneWord(&c, "purpose", in.Purpose, permission.Purposes), Channel: oneWord(&c, "channel", in.Channel, permission.Channels), At: now,
	}}
	if in.At != "" {
		out.At = c.instant("at", in.At)
		c.check(!out.At.Before(now.Add(-sentAhead)) && out.At.Before(now.Add(askedAhead)), "at: want now, or within 31 days")
	}
	return out, c.err
}

// saidPurposes are those that something may be said of.
var saidPurposes = append(slices.Clone(permission.Purposes), permission.Any)

// consentWire is the body of PUT /api/v1/consents/{source}/{id}.
type consentWire struct {
	Customer string `json:"customer"`
	Number   string `json:"number"`
	Purpose  string `json:"purpose"`
	Channel  string `json:"channel"`
	State    string `json:"state"`
	At       string `json:"at"`
	Expires  string `json:"expires"`
	By       string `json:"by"`
	Evidence string `json:"evidence"`
}

func readWord(w http.ResponseWriter, r *http.Request, now time.Time) (out ConsentWord, err error) {
	var in consentWire
	if err := body(w, r, &in); err != nil {
		return out, err
	}
	c := checking{}
	c.text("id in the address", r.PathValue("id"), maxSentID)
	c.text("customer", in.Customer, maxSentID)
	c.text("number", in.Number, maxSentWord)
	c.text("by", in.By, maxSentWord)
	c.text("evidence", in.Evidence, maxSentText)
	c.check((in.Customer == "") != (in.Number == ""), "customer, number: want one of them")
	c.check(in.At != "", "at: is missing")
	out = ConsentWord{Customer: in.Customer, Number: in.Number, By: in.By, Evidence: in.Evidence, Said: permission.Said{
		Purpose: oneWord(&c, "purpose", in.Purpose, saidPurposes),
		Channel: oneWord(&c, "channel", in.Channel, permission.Channels), State: oneWord(&c, "state", in.State, permission.States),
	}}
	if c.err == nil {
		out.At = c.instant("at", in.At)
		c.check(!out.At.After(now.Add(sentAhead)), "at: lies ahead, he has not said it yet")
	}
	if c.err == nil && in.Expires != "" {
		out.Expires = c.instant("expires", in.Expires)
		c.check(out.State == permission.Given && out.Expires.After(out.At), "expires: belongs to what is given, and comes after at")
	}
	return out, c.err
}

// checking keeps the first thing that is wrong with a body. It names fields, and never
// what stands in them.
type checking struct{ err error }

func (c *checking) check(holds bool, format string, args ...any) {
	if holds || c.err != nil {
		return
	}
	p := *problemContact
	p.Detail = fmt.Sprintf(format, args...)
	c.err = &p
}

func (c *checking) text(name, text string, most int) {
	c.check(len(text) <= most, "%s: at most %d bytes", name, most)
	c.check(!strings.ContainsFunc(text, func(r rune) bool { return unprintable(r, name == "evidence") }),
		"%s: a control character, or one that turns the direction of writing", name)
}

func (c *checking) instant(name, text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	at = at.UTC().Truncate(time.Microsecond)
	c.check(err == nil && at.Year() >= 1970 && at.Year() <= 9999, "%s: want an instant of RFC 3339, such as 2026-11-23T10:00:00Z", name)
	return at
}

// oneWord reads one of a few.
func oneWord[W ~string](c *checking, name, text string, words []W) W {
	var all []string
	for _, w := range words {
		all = append(all, string(w))
	}
	c.check(slices.Contains(all, text), "%s: want one of %s", name, strings.Join(all, ", "))
	return W(text)
}

package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// Duplicates are customers who may be one: they share so many numbers and a name.
type Duplicates struct {
	Numbers   int
	Customers []customer.Record
}

// Merge says that Other is part of Whole.
type Merge struct {
	ID        int64
	Whole     string
	WholeName string
	Other     string
	OtherName string
	By        string // user, or who was at the command line
	At        time.Time
}

// MergeRefused says why two customers cannot be merged or told apart: Code is
// no_customer, same (they are one already), merged (one is part of another) or
// too_many.
type MergeRefused struct{ Code, Why string }

func (e *MergeRefused) Error() string { return e.Why }

// Merges has customers who are one be one. by is the user.
type Merges interface {
	Merges(ctx context.Context, most int) ([]Merge, error)
	Merge(ctx context.Context, keep, other string, by User) (Merge, error)
	Undo(ctx context.Context, id int64, by User) (bool, error) // false: there is no such merge
}

// DuplicateFinder knows who may be one and is not merged; more is how many there
// are beyond so many.
type DuplicateFinder interface {
	Duplicates(ctx context.Context, most int) (found []Duplicates, more int, err error)
	KeepApart(ctx context.Context, a, b string, by User) error
}

const (
	duplicatesListed = 50
	mergesListed     = 50
	duplicatesTime   = 50 * time.Second
)

func (s *Server) mergeRoutes() []route {
	if s.opt.Merges == nil {
		return nil
	}
	return []route{
		{http.MethodGet, "/api/v1/duplicates", RoleSupervisor, s.duplicates},
		{http.MethodPost, "/api/v1/duplicates/apart", RoleSupervisor, s.keepApart},
		{http.MethodGet, "/api/v1/merges", RoleSupervisor, s.merges},
		{http.MethodPost, "/api/v1/merges", RoleSupervisor, s.merge},
		{http.MethodDelete, "/api/v1/merges/{merge}", RoleSupervisor, s.undoMerge},
	}
}

// candidateView is what a supervisor compares.
type candidateView struct {
	ID            string          `json:"id"`
	Name          string          `json:"name"`
	Segment       string          `json:"segment"`
	Language      string          `json:"language"`
	CustomerSince string          `json:"customer_since"`
	Numbers       []string        `json:"numbers"`
	Products      []string        `json:"products"`
	OpenTickets   int             `json:"open_tickets"`
	Contacts      int             `json:"contacts"`
	LastContact   int64           `json:"last_contact"`
	Balance       *customer.Money `json:"balance"`
	Accounts      []string        `json:"accounts"`
}

func candidate(r *customer.Record) candidateView {
	v := candidateView{
		ID: r.ID, Name: r.Name, Segment: r.Segment, Language: r.Language, CustomerSince: r.CustomerSince,
		Numbers: []string{}, Products: []string{}, Contacts: r.Contacts, Accounts: []string{},
	}
	for i := range r.Numbers {
		v.Numbers = append(v.Numbers, r.Numbers[i].E164)
	}
	for i := range r.Products {
		v.Products = append(v.Products, r.Products[i].Name)
	}
	for i := range r.Tickets {
		if r.Tickets[i].Status == "open" {
			v.OpenTickets++
		}
	}
	if len(r.Interactions) > 0 {
		v.LastContact = micro(r.Interactions[0].At)
	}
	if r.Billing != nil {
		v.Balance = &r.Billing.Balance
	}
	for i := range r.Accounts {
		v.Accounts = append(v.Accounts, r.Accounts[i].ID)
	}
	return v
}

type duplicatesView struct {
	Numbers   int             `json:"numbers"` // that they share
	Customers []candidateView `json:"customers"`
}

// duplicates: GET /api/v1/duplicates. One at a time: all numbers are read for it.
func (s *Server) duplicates(w http.ResponseWriter, r *http.Request, _ *seat) error {
	ctx, cancel := context.WithTimeout(r.Context(), duplicatesTime)
	defer cancel()
	select {
	case s.reports <- struct{}{}:
		defer func() { <-s.reports }()
	case <-ctx.Done():
		return problemUnavailable
	}
	found, more, err := s.opt.Duplicates.Duplicates(ctx, duplicatesListed)
	if err != nil && ctx.Err() != nil {
		return problemUnavailable
	}
	if err != nil {
		return err
	}
	out := make([]duplicatesView, 0, len(found))
	for _, d := range found {
		v := duplicatesView{Numbers: d.Numbers, Customers: []candidateView{}}
		for i := range d.Customers {
			v.Customers = append(v.Customers, candidate(&d.Customers[i]))
		}
		out = append(out, v)
	}
	return reply(w, map[string]any{"duplicates": out, "more": more})
}

type mergeView struct {
	Merge     int64  `json:"merge"`
	Whole     string `json:"whole"`
	WholeName string `json:"whole_name"`
	Other     string `json:"other"`
	OtherName string `json:"other_name"`
	By        string `json:"by"`
	At        int64  `json:"at"`
}

func (m *Merge) view() mergeView {
	return mergeView{m.ID, m.Whole, m.WholeName, m.Other, m.OtherName, m.By, micro(m.At)}
}

// merges: GET /api/v1/merges, the latest first.
func (s *Server) merges(w http.ResponseWriter, r *http.Request, _ *seat) error {
	all, err := s.opt.Merges.Merges(r.Context(), mergesListed)
	if err != nil {
		return err
	}
	out := make([]mergeView, 0, len(all))
	for i := range all {
		out = append(out, all[i].view())
	}
	return reply(w, map[string]any{"merges": out})
}

// wirePair are two customers. They stand in the body: addresses are logged on the way.
type wirePair struct {
	Keep  string `json:"keep"`
	Other string `json:"other"`
}

func pair(w http.ResponseWriter, r *http.Request) (in wirePair, err error) {
	if err := body(w, r, &in); err != nil {
		return in, err
	}
	if in.Keep == "" || in.Other == "" {
		return in, problemBadRequest
	}
	return in, nil
}

// merge: POST /api/v1/merges.
func (s *Server) merge(w http.ResponseWriter, r *http.Request, who *seat) error {
	in, err := pair(w, r)
	if err != nil {
		return err
	}
	m, err := s.opt.Merges.Merge(context.WithoutCancel(r.Context()), in.Keep, in.Other, who.User)
	if err != nil {
		return notMerged(err)
	}
	return replyStatus(w, http.StatusCreated, m.view())
}

// undoMerge: DELETE /api/v1/merges/{merge}.
func (s *Server) undoMerge(w http.ResponseWriter, r *http.Request, who *seat) error {
	id, err := strconv.ParseInt(r.PathValue("merge"), 10, 64)
	if err != nil || id <= 0 {
		return problemNotFound
	}
	there, err := s.opt.Merges.Undo(context.WithoutCancel(r.Context()), id, who.User)
	if err != nil {
		return err
	}
	if !there {
		return problemNotFound
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// keepApart: POST /api/v1/duplicates/apart.
func (s *Server) keepApart(w http.ResponseWriter, r *http.Request, who *seat) error {
	in, err := pair(w, r)
	if err != nil {
		return err
	}
	if err := s.opt.Duplicates.KeepApart(context.WithoutCancel(r.Context()), in.Keep, in.Other, who.User); err != nil {
		return notMerged(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// notMerged is a MergeRefused as a client is told of it; other errors stay.
func notMerged(err error) error {
	var refused *MergeRefused
	if !errors.As(err, &refused) {
		return err
	}
	if refused.Code == "no_customer" {
		p := *problemNoCustomer
		p.Detail = refused.Why
		return &p
	}
	return &problem{Status: http.StatusConflict, Code: refused.Code, Title: "They cannot be merged", Detail: refused.Why}
}

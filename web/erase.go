package web

import (
	"context"
	"errors"
	"net/http"
)

// Erased says what was erased of a person.
type Erased struct {
	Customer  bool `json:"customer"` // there was such a customer
	Calls     int  `json:"calls"`    // of which nothing tells any more whose they were
	Messages  int  `json:"messages"`
	Callbacks int  `json:"callbacks"` // that waited, and are over
}

// NotErased refuses to erase somebody. Code is bad_request, owned (the number is a
// customer's) or unavailable (the database is away).
type NotErased struct{ Code, Why string }

func (e *NotErased) Error() string { return e.Why }

// Eraser erases a customer by id, or by number somebody who is none, for a user.
type Eraser func(ctx context.Context, customer, number, by string) (Erased, error)

func (s *Server) eraseRoutes() []route {
	if s.opt.Erase == nil {
		return nil
	}
	return []route{{http.MethodPost, "/api/v1/erasures", RoleAdmin, s.erase}}
}

// erase: POST /api/v1/erasures. Whom, stands in the body: addresses are logged on
// the way.
func (s *Server) erase(w http.ResponseWriter, r *http.Request, who *seat) error {
	var in struct {
		Customer string `json:"customer"`
		Number   string `json:"number"`
	}
	if err := body(w, r, &in); err != nil {
		return err
	}
	if (in.Customer == "") == (in.Number == "") {
		return problemBadRequest
	}
	// Who asks and goes away means it all the same.
	out, err := s.opt.Erase(context.WithoutCancel(r.Context()), in.Customer, in.Number, who.ID)
	var not *NotErased
	if !errors.As(err, &not) {
		if err != nil {
			return err
		}
		return reply(w, out)
	}
	p := *problemBadRequest
	switch not.Code {
	case "owned":
		p = problem{Status: http.StatusConflict, Code: "owned", Title: "The number is a customer's"}
	case "unavailable":
		p = *problemUnavailable
	}
	p.Detail = not.Why
	return &p
}

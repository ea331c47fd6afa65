package web

import (
	"context"
	"errors"
	"net/http"
)

// Erased says what was erased of a person.
type Erased struct {
	Customer  bool `json:"customer"` // there was such a customer
	Accounts  int  `json:"accounts"` // that he was: more than one of whom several were merged
	Calls     int  `json:"calls"`    // of which nothing tells any more whose they were
	Messages  int  `json:"messages"`
	Callbacks int  `json:"callbacks"` // that waited, and are over
	Requests  int  `json:"requests"`
}

// PersonRefused refuses to erase or to export somebody. Code is bad_request, owned
// (the number is a customer's) or unavailable (the database is away).
type PersonRefused struct{ Code, Why string }

func (e *PersonRefused) Error() string { return e.Why }

// Eraser erases a customer by id, or by number somebody who is none, for a user.
type Eraser func(ctx context.Context, customer, number, by string) (Erased, error)

func (s *Server) eraseRoutes() []route {
	if s.opt.Erase == nil {
		return nil
	}
	return []route{{http.MethodPost, "/api/v1/erasures", RoleAdmin, s.erase}}
}

// wirePerson is a customer by id, or somebody who is none by number.
type wirePerson struct {
	Customer string `json:"customer"`
	Number   string `json:"number"`
}

func person(w http.ResponseWriter, r *http.Request) (in wirePerson, err error) {
	if err := body(w, r, &in); err != nil {
		return in, err
	}
	if (in.Customer == "") == (in.Number == "") {
		return in, problemBadRequest
	}
	return in, nil
}

// erase: POST /api/v1/erasures. Whom, stands in the body: addresses are logged on
// the way.
func (s *Server) erase(w http.ResponseWriter, r *http.Request, who *seat) error {
	in, err := person(w, r)
	if err != nil {
		return err
	}
	// Who asks and goes away means it all the same.
	out, err := s.opt.Erase(context.WithoutCancel(r.Context()), in.Customer, in.Number, who.ID)
	if err != nil {
		return notGiven(err)
	}
	return reply(w, out)
}

// notGiven is a PersonRefused as a client is told of it; other errors stay.
func notGiven(err error) error {
	var refused *PersonRefused
	if !errors.As(err, &refused) {
		return err
	}
	p := *problemBadRequest
	switch refused.Code {
	case "owned":
		p = problem{Status: http.StatusConflict, Code: "owned", Title: "The number is a customer's"}
	case "unavailable":
		p = *problemUnavailable
	}
	p.Detail = refused.Why
	return &p
}

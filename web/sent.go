package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// SentInteraction is what an outside system writes into a customer's story.
type SentInteraction struct {
	Source   string // the system, by its name in the server file
	ID       string // its own
	Customer string // by id, or
	Number   string // by number, as the system has it
	customer.Interaction
}

// SentResult says what became of it: created, same or replaced.
type SentResult struct {
	Result   string `json:"result"`
	Revision int    `json:"revision"`
}

// SentRefused refuses one. Code is no_customer, several, bad_interaction or
// unavailable.
type SentRefused struct{ Code, Why string }

func (e *SentRefused) Error() string { return e.Why }

// SentInteractions writes them.
type SentInteractions interface {
	Sent(ctx context.Context, i SentInteraction) (SentResult, error)
}

// sent takes what outside systems write.
type sent struct {
	to   SentInteractions
	gate *gate
}

func newSent(opt Options) *sent {
	return &sent{opt.Sent, newGate("an outside system", opt.SentTokens, prometheus.CounterOpts{
		Name: "cordboard_interactions_total", Help: "Interactions that outside systems sent, by source and result: created, same, replaced, refused, bad, too_many; bad_token without a source.",
	}, sparing(opt.Log.Named("web")))}
}

// sentPath is where they are written, by source and the source's own id.
const sentPath = "/api/v1/interactions"

func (s *Server) sentRoutes() []route {
	if len(s.opt.SentTokens) == 0 {
		return nil
	}
	return []route{{http.MethodPut, sentPath + "/{source}/{id}", "", s.putSent}}
}

// sentTime is how long the database may take.
const sentTime = 10 * time.Second

// putSent: PUT /api/v1/interactions/{source}/{id}. Whose it is stands in the body:
// addresses are logged on the way.
func (s *Server) putSent(w http.ResponseWriter, r *http.Request, _ *seat) error {
	name, err := s.sent.gate.let(r, s.opt.Clock())
	if err != nil {
		return err
	}
	out, err := s.readAndSend(w, r, name)
	result := out.Result
	var refused *SentRefused
	switch {
	case errors.As(err, &refused):
		result, err = "refused", sentProblem(refused)
	case err != nil:
		result = "bad"
	}
	s.sent.gate.counted.WithLabelValues(name, result).Inc()
	if err != nil {
		return err
	}
	status := http.StatusOK
	if out.Result == "created" {
		status = http.StatusCreated
	}
	return replyStatus(w, status, out)
}

func (s *Server) readAndSend(w http.ResponseWriter, r *http.Request, name string) (out SentResult, err error) {
	if r.PathValue("source") != name {
		p := *problemForbidden
		p.Detail = "the token is that of another source than the address names"
		return out, &p
	}
	i, err := readSent(w, r, s.opt.Clock())
	if err != nil {
		return out, err
	}
	i.Source = name
	ctx, cancel := context.WithTimeout(r.Context(), sentTime)
	defer cancel()
	return s.sent.to.Sent(ctx, i)
}

func sentProblem(refused *SentRefused) error {
	var p problem
	switch refused.Code {
	case "no_customer":
		p = *problemNoCustomer
	case "several":
		p = *problemSeveral
	case "unavailable":
		p = *problemUnavailable
	default:
		p = *problemSent
	}
	p.Detail = refused.Why
	return &p
}

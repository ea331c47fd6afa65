package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cordboard/cordboard/routing"
)

// CallbackRequest asks for a customer to be called.
type CallbackRequest struct {
	Source    string // the system, by its name in the server file
	Number    string // as the system has it
	Queue     string // this, or
	Topic     string
	Language  string    // "" where it is not known
	NotBefore time.Time // zero for at once
}

// CallbackRefused refuses one. Code is bad_callback, not_callable, do_not_call,
// quiet_hours, too_often, promised, not_found or unavailable.
type CallbackRefused struct{ Code, Why string }

func (e *CallbackRefused) Error() string { return e.Why }

// CallbackRequests takes them.
type CallbackRequests interface {
	// Ask gives the call that keeps the place.
	Ask(ctx context.Context, r CallbackRequest) (routing.CallID, error)
	// Withdraw ends the place of one that the source has asked for.
	Withdraw(ctx context.Context, source string, call routing.CallID) error
}

// asked takes what outside systems ask for.
type asked struct {
	to   CallbackRequests
	gate *gate
}

func newAsked(opt Options) *asked {
	return &asked{opt.Asked, newGate("an outside system", opt.AskedTokens, prometheus.CounterOpts{
		Name: "cordboard_callback_requests_total", Help: "Callbacks that outside systems asked for, by source and result: taken, withdrawn, refused, bad, too_many; bad_token without a source.",
	}, sparing(opt.Log.Named("web")))}
}

const askedPath = "/api/v1/callbacks"

func (s *Server) askedRoutes() []route {
	if len(s.opt.AskedTokens) == 0 {
		return nil
	}
	return []route{{http.MethodPost, askedPath, "", s.askCallback}, {http.MethodDelete, askedPath + "/{call}", "", s.withdrawCallback}}
}

// askedTime is how long the look-up of the customer, and routing, may take.
const askedTime = 10 * time.Second

// askedAhead is how far ahead a call may be asked for.
const askedAhead = 31 * 24 * time.Hour

var problemAsked = &problem{Status: http.StatusUnprocessableEntity, Code: "bad_callback", Title: "The callback cannot be taken"}

// askCallback: POST /api/v1/callbacks.
func (s *Server) askCallback(w http.ResponseWriter, r *http.Request, _ *seat) error {
	var call routing.CallID
	err := s.fromAsker(r, "taken", func(name string) (err error) {
		call, err = s.readAndAsk(w, r, name)
		return err
	})
	if err != nil {
		return err
	}
	return replyStatus(w, http.StatusCreated, struct {
		Call routing.CallID `json:"call"`
	}{call})
}

// withdrawCallback: DELETE /api/v1/callbacks/{call}.
func (s *Server) withdrawCallback(w http.ResponseWriter, r *http.Request, _ *seat) error {
	err := s.fromAsker(r, "withdrawn", func(name string) error {
		n, err := strconv.ParseInt(r.PathValue("call"), 10, 64)
		if err != nil {
			return problemNotFound
		}
		ctx, cancel := context.WithTimeout(r.Context(), askedTime)
		defer cancel()
		return s.asked.to.Withdraw(ctx, name, routing.CallID(n))
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// fromAsker does what a system asks for that shows its token, and counts it.
func (s *Server) fromAsker(r *http.Request, done string, do func(name string) error) error {
	name, err := s.asked.gate.let(r, s.opt.Clock())
	if err != nil {
		return err
	}
	result := done
	err = do(name)
	var refused *CallbackRefused
	switch {
	case errors.As(err, &refused):
		result, err = "refused", askedProblem(refused)
	case err != nil:
		result = "bad"
	}
	s.asked.gate.counted.WithLabelValues(name, result).Inc()
	return err
}

// askedWire is the body.
type askedWire struct {
	Number    string `json:"number"`
	Queue     string `json:"queue"`
	Topic     string `json:"topic"`
	Language  string `json:"language"`
	NotBefore string `json:"not_before"`
}

func (s *Server) readAndAsk(w http.ResponseWriter, r *http.Request, name string) (routing.CallID, error) {
	var in askedWire
	if err := body(w, r, &in); err != nil {
		return 0, err
	}
	bad := func(why string) (routing.CallID, error) {
		return 0, &CallbackRefused{Code: "bad_callback", Why: why}
	}
	for _, text := range []string{in.Number, in.Queue, in.Topic, in.Language} {
		if len(text) > maxSentWord {
			return bad("a field is longer than 100 bytes")
		}
	}
	switch {
	case in.Number == "":
		return bad("number: is missing")
	case (in.Queue == "") == (in.Topic == ""):
		return bad("one of queue and topic says where the call belongs")
	}
	ask := CallbackRequest{Source: name, Number: in.Number, Queue: in.Queue, Topic: in.Topic, Language: in.Language}
	if in.NotBefore != "" {
		at, err := time.Parse(time.RFC3339, in.NotBefore)
		switch {
		case err != nil:
			return bad("not_before: want an instant of RFC 3339, such as 2026-11-24T15:00:00Z")
		case at.After(s.opt.Clock().Add(askedAhead)):
			return bad("not_before: at most 31 days ahead")
		}
		ask.NotBefore = at.UTC().Truncate(time.Microsecond)
	}
	ctx, cancel := context.WithTimeout(r.Context(), askedTime)
	defer cancel()
	return s.asked.to.Ask(ctx, ask)
}

func askedProblem(refused *CallbackRefused) error {
	p := *problemAsked
	switch refused.Code {
	case "not_callable":
		p.Code, p.Title = "not_callable", "The number is not called from here"
	case "do_not_call":
		p.Code, p.Title = "do_not_call", "The customer does not want to be called"
	case "quiet_hours":
		p.Code, p.Title = "quiet_hours", "The customer is not called at this hour"
	case "too_often":
		p.Code, p.Title = "too_often", "The customer was called often enough"
	case "promised":
		p = problem{Status: http.StatusConflict, Code: "promised", Title: "The customer is to be called already"}
	case "not_found":
		p = *problemNotFound
	case "unavailable":
		p = *problemUnavailable
	}
	p.Detail = refused.Why
	return &p
}

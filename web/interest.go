package web

import (
	"context"
	"net/http"
	"strconv"
)

// How many weeks may be asked for: fewer tell nothing, more would reach back into
// another business.
const (
	fewestWeeks  = 8
	mostWeeks    = 104
	mostServices = 50
)

var problemWeeks = &problem{Status: 400, Code: "bad_request", Title: "The request cannot be read",
	Detail: "weeks is from 8 to 104; of hints, service is the topic or queue they are for, 1 to 50 times."}

// interest: GET /api/v1/interest. It takes its turn with the reports.
func (s *Server) interest(w http.ResponseWriter, r *http.Request, _ *seat) error {
	weeks, ok := readWeeks(r)
	if !ok {
		return problemWeeks
	}
	return s.inTurn(w, r, func(ctx context.Context) ([]byte, error) { return s.opt.Interest(ctx, weeks, nil) })
}

// interestHints: GET /api/v1/interest/hints. Who asks says which topics are services:
// that more call about a fault is no demand for one.
func (s *Server) interestHints(w http.ResponseWriter, r *http.Request, _ *seat) error {
	weeks, ok := readWeeks(r)
	services := r.URL.Query()["service"]
	if !ok || len(services) == 0 || len(services) > mostServices {
		return problemWeeks
	}
	return s.inTurn(w, r, func(ctx context.Context) ([]byte, error) { return s.opt.Interest(ctx, weeks, services) })
}

func readWeeks(r *http.Request) (int, bool) {
	n, err := strconv.Atoi(r.URL.Query().Get("weeks"))
	return n, err == nil && n >= fewestWeeks && n <= mostWeeks
}

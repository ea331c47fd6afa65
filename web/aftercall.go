package web

import (
	"context"
	"net/http"
)

// afterCall: GET /api/v1/after-call. It takes its turn with the reports.
func (s *Server) afterCall(w http.ResponseWriter, r *http.Request, _ *seat) error {
	q, ok := readReport(r)
	if !ok || q.From.IsZero() || q.To.IsZero() {
		return problemSpan
	}
	return s.inTurn(w, r, func(ctx context.Context) ([]byte, error) { return s.opt.AfterCall(ctx, q.From, q.To) })
}

var problemSpan = &problem{Status: 400, Code: "bad_request", Title: "The request cannot be read",
	Detail: "from and to are microseconds since 1970, from before to."}

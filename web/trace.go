package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/cordboard/cordboard/routing"
)

// Tracer shows a call as it went over the wire: something with a JSON form, as
// docs/trace.md has it; false when there is no such call. whole: with the
// messages as they are, which it notes to have shown to the user who.
type Tracer interface {
	Trace(ctx context.Context, call routing.CallID, whole bool, who string) (any, bool, error)
}

// trace: GET /api/v1/calls/{call}/trace. Messages as they are have numbers and
// names in them.
func (s *Server) trace(w http.ResponseWriter, r *http.Request, who *seat) error {
	id, err := strconv.ParseInt(r.PathValue("call"), 10, 64)
	if err != nil || id <= 0 {
		return problemNotFound
	}
	whole := false
	switch r.URL.Query().Get("messages") {
	case "", "0":
	case "1":
		whole = true
	default:
		return problemBadRequest
	}
	if whole && !who.may(RoleAdmin) {
		return problemForbidden
	}
	v, ok, err := s.opt.Trace.Trace(r.Context(), routing.CallID(id), whole, who.ID)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return problemUnavailable
	case err != nil:
		return err
	case !ok:
		return problemNotFound
	}
	return reply(w, v)
}

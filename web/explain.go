package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// explainTime is how long an explanation may take.
const explainTime = 30 * time.Second

// explain: GET /api/v1/calls/{call}/explain.
func (s *Server) explain(w http.ResponseWriter, r *http.Request, _ *seat) error {
	id, err := strconv.ParseInt(r.PathValue("call"), 10, 64)
	if err != nil || id <= 0 {
		return problemNotFound
	}
	ctx, cancel := context.WithTimeout(r.Context(), explainTime)
	defer cancel()
	v, ok, err := s.opt.Explain.Explain(ctx, routing.CallID(id))
	switch {
	case errors.Is(err, ErrBusy), errors.Is(err, context.DeadlineExceeded):
		return problemUnavailable
	case err != nil:
		return err
	case !ok:
		return problemNotFound
	}
	return reply(w, v)
}

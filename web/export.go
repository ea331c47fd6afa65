package web

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Exporter gives what is kept of a customer, by id, or by number of somebody who is
// none, as one file for a user: JSON, as docs/erasure.md has it.
type Exporter func(ctx context.Context, customer, number, by string) ([]byte, error)

// exportTime is how long one may take here: the answer is cut off a little later.
// The command line has more.
const exportTime = 50 * time.Second

func (s *Server) exportRoutes() []route {
	if s.opt.Export == nil {
		return nil
	}
	return []route{{http.MethodPost, "/api/v1/exports", RoleAdmin, s.export}}
}

// export: POST /api/v1/exports. It changes nothing; whose data it is stands in the
// body all the same, since addresses are logged on the way.
func (s *Server) export(w http.ResponseWriter, r *http.Request, who *seat) error {
	in, err := person(w, r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), exportTime)
	defer cancel()
	file, err := s.opt.Export(ctx, in.Customer, in.Number, who.ID)
	if errors.Is(err, context.DeadlineExceeded) {
		p := *problemUnavailable
		p.Detail = "it takes too long here: the command cordboard export has the time"
		return &p
	}
	if err != nil {
		return notGiven(err)
	}
	w.Header().Set("Content-Disposition", `attachment; filename="person.json"`)
	return replyJSON(w, file)
}

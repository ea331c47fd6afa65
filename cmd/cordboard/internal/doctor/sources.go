package doctor

import (
	"context"
	"sync"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// nobody is a customer whom no system knows: a number of the range for fiction.
var nobody = customer.Subject{ID: "cordboard-doctor", Number: "+15550100199"}

// sources asks each outside system that the record is filled from about nobody.
func sources(ctx context.Context, p Patient) []Line {
	out := make([]Line, len(p.Server.Sources))
	var asked sync.WaitGroup
	for i, s := range p.Server.Sources {
		asked.Go(func() {
			of := "sources." + s.Name
			c, err := s.Config.Open()
			if err != nil {
				out[i] = bad(Fail, of, err.Error(), "The server does not start without it")
				return
			}
			ctx, cancel := context.WithTimeout(ctx, s.Timeout)
			defer cancel()
			if _, err := c.Ask(ctx, nobody); err != nil {
				out[i] = bad(Warn, of, "asked about customer "+nobody.ID+", whom nobody knows: "+err.Error(), "Desks show that it fails, if it does so about everybody; calls are not held up")
				return
			}
			out[i] = ok(of, "answers within %s", s.Timeout)
		})
	}
	asked.Wait()
	return out
}

package main

import (
	"errors"
	"slices"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/bench"
	"github.com/cordboard/cordboard/routing"
)

const (
	explained = 200 // waiting calls that are asked about
	// pieceUnits is the work of one piece of an answer, as in routing/live: between
	// two pieces the server takes its events.
	pieceUnits = 4000
)

// explain measures why a call waits, with every agent looked at: the whole of it,
// and the longest piece, which is what the next event may have to wait.
func (c *centre) explain(r *bench.Report) error {
	var whole, pieces []float64
	for _, call := range c.engine.Snapshot(c.now).Calls {
		if len(whole) == explained {
			break
		}
		q := routing.NewQuestion(call.Call)
		sum := 0.0
		for done := false; !done; {
			began := threadTime()
			done = c.engine.Answer(q, pieceUnits)
			us := float64((threadTime() - began).Nanoseconds()) / 1e3
			sum += us
			pieces = append(pieces, us)
		}
		if w, ok := q.Result(); ok && w.Record.SignedIn > 0 {
			whole = append(whole, sum)
		}
	}
	if len(whole) == 0 {
		return errors.New("no call waits that could be asked about")
	}
	r.Line("explain_us", bench.Quantile(whole, 0.5), "us")
	r.Line("explain_us_p99", bench.Quantile(whole, 0.99), "us")
	r.Line("explain_piece_us_max", slices.Max(pieces), "us")
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/bench"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// lookups reads whole records by number, as the server does for each call, at
// instants that don't depend on how fast the last ones were (a Poisson stream).
// Everybody is as likely to call.
func lookups(ctx context.Context, r *bench.Report, o store.Options, name string, opts options, people []person) (err error) {
	s, err := store.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	runtime.GC() // what the import left
	var p50, p99, worst []float64
	for i := range opts.runs {
		us, err := lookupRun(ctx, s, opts, uint64(i), people)
		if err != nil {
			return err
		}
		p50 = append(p50, bench.Quantile(us, 0.5))
		p99 = append(p99, bench.Quantile(us, 0.99))
		worst = append(worst, bench.Quantile(us, 1))
	}
	r.Runs("lookup_us_p50_"+name, "us", p50)
	r.Runs("lookup_us_p99_"+name, "us", p99)
	r.Runs("lookup_us_max_"+name, "us", worst)
	return nil
}

func lookupRun(ctx context.Context, s *store.Store, opts options, run uint64, people []person) ([]float64, error) {
	n := int(float64(opts.rate) * opts.length.Seconds())
	us, errs := make([]float64, n), make([]error, n)
	draw := rand.New(rand.NewPCG(opts.seed, run))
	var all sync.WaitGroup
	due := time.Now()
	for i := range n {
		due = due.Add(time.Duration(draw.ExpFloat64() / float64(opts.rate) * float64(time.Second)))
		who := &people[draw.IntN(len(people))]
		time.Sleep(time.Until(due))
		if ctx.Err() != nil {
			break
		}
		all.Go(func() {
			number := who.e164()
			begin := time.Now()
			m, err := s.Lookup(ctx, number)
			us[i] = float64(time.Since(begin).Nanoseconds()) / 1000
			errs[i] = errors.Join(err, who.found(m))
		})
	}
	all.Wait()
	return us, errors.Join(append(errs, ctx.Err())...)
}

// found says what is missing of the record.
func (p *person) found(m customer.Match) error {
	r := m.Record
	switch {
	case p.shared && len(m.Candidates) > 1:
		return nil
	case r == nil:
		return errors.New("no record was found")
	case len(r.Products) != int(p.products) || len(r.Tickets) != int(p.tickets) || len(r.Interactions) != int(p.interactions):
		return fmt.Errorf("the record of %s is not whole", r.ID)
	}
	return nil
}

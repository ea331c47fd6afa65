package main

import (
	"context"
	"crypto/sha256"
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
	var p50, p99, worst, jitter, disk []float64
	for i := range opts.runs {
		late, pages := startJitter(), pagesRead()
		us, err := lookupRun(ctx, s, opts, uint64(i), people)
		jitter = append(jitter, bench.Quantile(late(), 0.99))
		disk = append(disk, (pagesRead()-pages)/float64(max(len(us), 1)))
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
	r.Runs("jitter_us_p99_"+name, "us", jitter)
	r.Runs("lookup_disk_pages_"+name, "pages", disk)
	return nil
}

// journeys ask the database at the same instants for nothing but an answer: no
// look-up is faster than that.
func journeys(ctx context.Context, r *bench.Report, b base, o store.Options, name string, opts options) (err error) {
	db, err := b.open(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(4)
	db.SetMaxIdleConns(4)
	ask, err := db.PrepareContext(ctx, b.journey())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ask.Close()) }()
	var p50, p99 []float64
	for i := range opts.runs {
		us, err := paced(ctx, opts, uint64(i), 1, func(int) (float64, error) {
			var back string
			begin := time.Now()
			err := ask.QueryRowContext(ctx, "there").Scan(&back)
			return since(begin), err
		})
		if err != nil {
			return err
		}
		p50, p99 = append(p50, bench.Quantile(us, 0.5)), append(p99, bench.Quantile(us, 0.99))
	}
	r.Runs("journey_us_p50_"+name, "us", p50)
	r.Runs("journey_us_p99_"+name, "us", p99)
	return nil
}

func lookupRun(ctx context.Context, s *store.Store, opts options, run uint64, people []person) ([]float64, error) {
	return paced(ctx, opts, run, len(people), func(i int) (float64, error) {
		number := people[i].e164()
		begin := time.Now()
		m, err := s.Lookup(ctx, number)
		return since(begin), errors.Join(err, people[i].found(m))
	})
}

// paced does something at the instants of a Poisson stream, each with a number
// below n drawn for it, and returns what do measured.
func paced(ctx context.Context, opts options, run uint64, n int, do func(i int) (us float64, err error)) ([]float64, error) {
	times := int(float64(opts.rate) * opts.length.Seconds())
	us, errs := make([]float64, times), make([]error, times)
	draw := rand.New(rand.NewPCG(opts.seed, run))
	var all sync.WaitGroup
	due := time.Now()
	for i := range times {
		due = due.Add(time.Duration(draw.ExpFloat64() / float64(opts.rate) * float64(time.Second)))
		who := draw.IntN(n)
		time.Sleep(time.Until(due))
		if ctx.Err() != nil {
			break
		}
		all.Go(func() { us[i], errs[i] = do(who) })
	}
	all.Wait()
	return us, errors.Join(append(errs, ctx.Err())...)
}

func since(begin time.Time) float64 { return float64(time.Since(begin).Nanoseconds()) / 1000 }

// spinRounds are about 100 us of one processor.
const spinRounds = 60

// calibrate does work that depends on nothing at the same instants: how much
// longer than its median its slowest hundredth takes is the machine's doing,
// and as much of a look-up's p99 is too.
func calibrate(ctx context.Context, r *bench.Report, opts options) error {
	var p50, p99, jitter []float64
	for i := range opts.runs {
		late := startJitter()
		us, err := paced(ctx, opts, uint64(i), 1, func(int) (float64, error) {
			begin := time.Now()
			var page [4096]byte
			for range spinRounds {
				page[0] = sha256.Sum256(page[:])[0]
			}
			return since(begin), nil
		})
		jitter = append(jitter, bench.Quantile(late(), 0.99))
		if err != nil {
			return err
		}
		p50, p99 = append(p50, bench.Quantile(us, 0.5)), append(p99, bench.Quantile(us, 0.99))
	}
	r.Runs("calib_spin_us_p50", "us", p50)
	r.Runs("calib_spin_us_p99", "us", p99)
	r.Runs("calib_jitter_us_p99", "us", jitter)
	return nil
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

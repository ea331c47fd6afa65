package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/bench"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/customer/fulltext"
	"github.com/cordboard/cordboard/store"
)

const (
	vocabulary   = 60_000 // words, the n-th as frequent as its place allows (Zipf)
	wordsOfOne   = 25     // of an interaction
	ofACustomer  = 100    // interactions
	searchRate   = 20     // a second: many supervisors
	savedAtOnce  = 50     // customers
	searchesHits = 50     // a page
)

// searches fills a store with so many interactions and looks for words in them:
// common ones, rare ones, some of each, and in one customer's alone.
func searches(ctx context.Context, r *bench.Report, b base, o store.Options, name string, opts options) (err error) {
	s, err := store.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	texts := newTexts(opts.seed)
	customers := opts.interactions / ofACustomer
	for from := 0; from < customers; from += savedAtOnce {
		var group []customer.Record
		for c := from; c < min(from+savedAtOnce, customers); c++ {
			group = append(group, texts.customer(c))
		}
		if err := s.SaveCustomers(ctx, group); err != nil {
			return err
		}
	}
	began := time.Now()
	if err := s.Indexed(ctx); err != nil {
		return err
	}
	r.Line("search_indexed_per_s_"+name, float64(customers*ofACustomer)/time.Since(began).Seconds(), "interactions/s")
	if err := b.settle(ctx, o); err != nil {
		return err
	}
	opts.rate = searchRate
	for _, kind := range []struct {
		name  string
		query func(draw *rand.Rand) store.Search
	}{
		{"common", func(d *rand.Rand) store.Search { return lookFor(texts.words[d.IntN(20)], texts.words[d.IntN(20)]) }},
		{"rare", func(d *rand.Rand) store.Search { return lookFor(texts.words[vocabulary/2+d.IntN(vocabulary/2)]) }},
		{"mixed", func(d *rand.Rand) store.Search {
			return lookFor(texts.words[d.IntN(20)], texts.words[20+d.IntN(2000)], texts.words[20+d.IntN(2000)])
		}},
		{"one", func(d *rand.Rand) store.Search {
			in := lookFor(texts.words[d.IntN(200)])
			in.Customer = customerID(d.IntN(customers))
			return in
		}},
	} {
		var p50, p99 []float64
		for i := range opts.runs {
			us, err := paced(ctx, opts, uint64(i), 1<<30, func(n int) (float64, error) {
				in := kind.query(rand.New(rand.NewPCG(opts.seed, uint64(n))))
				begin := time.Now()
				_, err := s.Search(ctx, in)
				return since(begin) / 1000, err
			})
			if err != nil {
				return fmt.Errorf("%s: %w", kind.name, err)
			}
			p50, p99 = append(p50, bench.Quantile(us, 0.5)), append(p99, bench.Quantile(us, 0.99))
		}
		r.Runs("search_ms_p50_"+kind.name+"_"+name, "ms", p50)
		r.Runs("search_ms_p99_"+kind.name+"_"+name, "ms", p99)
	}
	return nil
}

func lookFor(words ...string) store.Search {
	q, err := fulltext.Parse(strings.Join(words, " "))
	if err != nil {
		panic(err) // our own words
	}
	return store.Search{Query: q, Most: searchesHits}
}

func customerID(n int) string { return fmt.Sprintf("S-%07d", n) }

// texts are invented ones.
type texts struct {
	words []string
	draw  *rand.Rand
	zipf  *rand.Zipf
}

func newTexts(seed uint64) *texts {
	draw := rand.New(rand.NewPCG(seed, 77))
	t := &texts{draw: draw, zipf: rand.NewZipf(draw, 1.07, 8, vocabulary-1)}
	known := map[string]bool{}
	for len(t.words) < vocabulary {
		var w strings.Builder
		for range 2 + draw.IntN(3) {
			w.WriteByte("bdfgklmnprstvz"[draw.IntN(14)])
			w.WriteByte("aeiou"[draw.IntN(5)])
		}
		if word := w.String() + "k"; !known[word] { // no ending that a stem is without
			known[word] = true
			t.words = append(t.words, word)
		}
	}
	return t
}

func (t *texts) text(n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = t.words[t.zipf.Uint64()]
	}
	return strings.Join(words, " ")
}

// customer has interactions of five years.
func (t *texts) customer(n int) customer.Record {
	r := customer.Record{ID: customerID(n), Name: t.text(2), Numbers: []customer.Number{{E164: fmt.Sprintf("+4477%08d", n)}}}
	end := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	for i := range ofACustomer {
		r.Interactions = append(r.Interactions, customer.Interaction{
			ID: fmt.Sprintf("i%d", i), At: end.Add(-time.Duration(t.draw.Int64N(int64(5 * 365 * 24 * time.Hour)))).Truncate(time.Second),
			Channel: "call", Title: t.text(5), Detail: t.text(5), Note: t.text(wordsOfOne - 10),
		})
	}
	return r
}

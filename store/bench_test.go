package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// someCustomers are n customers with three products, two tickets and ten
// interactions each.
func someCustomers(n int) []customer.Record {
	at := time.Date(2026, 11, 19, 14, 0, 0, 0, time.UTC)
	out := make([]customer.Record, n)
	for i := range out {
		r := customer.Record{
			ID: fmt.Sprintf("LW-%07d", i), Name: "Dana Whitcombe", Language: "en", Country: "GB", Segment: "gold",
			Numbers: []customer.Number{{E164: fmt.Sprintf("+7000%07d", i)}}, Heed: []string{"Hard of hearing"},
			Billing: &customer.Billing{Balance: customer.Money{Minor: -100, Currency: "GBP"}, Source: "billing", At: at},
		}
		for j := range 3 {
			r.Products = append(r.Products, customer.Product{ID: fmt.Sprint(j), Kind: "mobile", Name: "Mobile", Status: "active", Price: &customer.Money{Minor: 900, Currency: "GBP"}})
		}
		for j := range 2 {
			r.Tickets = append(r.Tickets, customer.Ticket{ID: fmt.Sprint(j), Title: "Drops", Kind: "fault", Status: "open", OpenedAt: at})
		}
		for j := range 10 {
			r.Interactions = append(r.Interactions, customer.Interaction{ID: fmt.Sprint(j), At: at.Add(time.Duration(j) * time.Hour), Channel: "call", Title: "Drops", Topic: "fibre_drops", Note: "Works evenings, patient."})
		}
		out[i] = r
	}
	return out
}

func benchStore(b *testing.B, customers int) *store.Store {
	b.Helper()
	s := openAt(b, filepath.Join(b.TempDir(), "cordboard.db"))
	b.Cleanup(func() { _ = s.Close() })
	if err := s.SaveCustomers(context.Background(), someCustomers(customers)); err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkLookup is one caller's record among a hundred thousand.
func BenchmarkLookup(b *testing.B) {
	const customers = 100_000
	stores := map[string]func(*testing.B) store.Options{
		"sqlite": func(b *testing.B) store.Options {
			return store.Options{Path: filepath.Join(b.TempDir(), "cordboard.db")}
		},
		"postgres": func(b *testing.B) store.Options { return store.Options{Postgres: pg.Database(b)} },
	}
	for _, name := range []string{"sqlite", "postgres"} {
		b.Run(name, func(b *testing.B) {
			s := openWith(b, stores[name](b))
			defer func() { _ = s.Close() }()
			if err := s.SaveCustomers(context.Background(), someCustomers(customers)); err != nil {
				b.Fatal(err)
			}
			i := 0
			for b.Loop() {
				i = (i + 7919) % customers
				m, err := s.Lookup(b.Context(), fmt.Sprintf("+7000%07d", i))
				if err != nil || m.Record == nil || len(m.Record.Interactions) != 10 {
					b.Fatalf("%+v, %v", m, err)
				}
			}
		})
	}
}

func BenchmarkSaveCustomers(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		s := openAt(b, filepath.Join(b.TempDir(), "cordboard.db"))
		people := someCustomers(1000)
		b.StartTimer()
		if err := s.SaveCustomers(context.Background(), people); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		_ = s.Close()
		b.StartTimer()
	}
}

// BenchmarkCall is one call's share of the ledger: the row and eight events,
// handed over and written.
func BenchmarkCall(b *testing.B) {
	s := benchStore(b, 1)
	now := time.Now()
	var handing time.Duration
	for n := 0; b.Loop(); n++ {
		call := s.NextCall()
		o := routing.Offer{Call: call, Attempt: 1, Agent: "priya"}
		start := time.Now()
		s.Arrived(store.Arrival{Call: call, Number: "+447700900417", At: now})
		s.Do(now, []routing.Action{routing.AnswerCaller{Call: call}, routing.Enqueued{Call: call, Queue: "care", Since: now, Entered: now}})
		s.Do(now, []routing.Action{routing.OfferCall{Offer: o}})
		s.Do(now, []routing.Action{routing.Ring{Offer: o}, routing.Connect{Offer: o, Answered: now}})
		s.Do(now, []routing.Action{routing.EndCall{Call: call, Outcome: routing.Answered, By: routing.ByCaller}, routing.WrapUpStarted{Offer: o}})
		handing += time.Since(start)
		if n%500 == 499 { // a burst; else the queue would grow for as long as this runs
			if err := s.Flush(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(handing.Nanoseconds())/float64(b.N), "handing-ns/op")
}

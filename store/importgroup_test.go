package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// onBoth runs a test on each store.
func onBoth(t *testing.T, do func(t *testing.T, s *store.Store)) {
	t.Parallel()
	for name, o := range map[string]func(t *testing.T) store.Options{
		"sqlite": func(t *testing.T) store.Options {
			return store.Options{Path: filepath.Join(t.TempDir(), "cordboard.db")}
		},
		"postgres": func(t *testing.T) store.Options { return store.Options{Postgres: pg.Database(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openWith(t, o(t))
			defer func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}()
			do(t, s)
		})
	}
}

func jsonl(t *testing.T, records []customer.Record) *bytes.Reader {
	t.Helper()
	var b bytes.Buffer
	for i := range records {
		line, err := json.Marshal(&records[i])
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	return bytes.NewReader(b.Bytes())
}

// thin are n customers with a number and little else.
func thin(n int) []customer.Record {
	out := make([]customer.Record, n)
	for i := range out {
		out[i] = customer.Record{ID: fmt.Sprintf("T-%05d", i), Name: "N", Numbers: []customer.Number{{E164: fmt.Sprintf("+7000%07d", i)}},
			Products: []customer.Product{{ID: "p", Kind: "tv", Name: "TV", Status: "active"}}}
	}
	return out
}

func counted(t *testing.T, s *store.Store) int {
	t.Helper()
	n, err := s.CountCustomers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// TestImportStopsAtEveryBoundary: an import that is stopped behind any of its
// groups has stored what it reports and nothing else, and the next one goes on.
func TestImportStopsAtEveryBoundary(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		const groups, size = 3, 20
		s.SetGroupSize(size)
		people := thin((groups-1)*size + 7)
		for stop := 1; stop <= groups; stop++ {
			ctx, cancel := context.WithCancel(t.Context())
			seen := 0
			report, err := s.Import(ctx, jsonl(t, people), store.JSONL, store.ImportOptions{Progress: func(store.Report) {
				if seen++; seen == stop {
					cancel()
				}
			}})
			cancel()
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("stopped behind group %d: %v", stop, err)
			}
			want := min(stop*size, len(people))
			if report.Customers != want || report.Line != want || counted(t, s) != want || report.Unchanged != min((stop-1)*size, want) {
				t.Fatalf("stopped behind group %d: %+v, %d stored, want %d", stop, report, counted(t, s), want)
			}
		}
		report, err := s.Import(t.Context(), jsonl(t, people), store.JSONL, store.ImportOptions{})
		if err != nil || report.Unchanged != len(people) {
			t.Fatalf("at last: %+v, %v", report, err)
		}
	})
}

// TestImportTwiceInOneFile: the later line of a customer counts.
func TestImportTwiceInOneFile(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		people := append(thin(3), thin(3)...)
		people[4].Name, people[4].Numbers = "Later", []customer.Number{{E164: "+447700900417"}}
		report, err := s.Import(t.Context(), jsonl(t, people), store.JSONL, store.ImportOptions{})
		if err != nil || report.Customers != 6 || report.Unchanged != 2 {
			t.Fatalf("%+v, %v", report, err)
		}
		if r := lookup(t, s, "+447700900417"); r.ID != "T-00001" || r.Name != "Later" || r.Version != 2 || len(r.Numbers) != 1 {
			t.Fatalf("%+v", r)
		}
	})
}

// TestImportMeetsOwnContact: an interaction of the file under the id of one
// that our own agent wrote is that one, for new and for changed customers.
func TestImportMeetsOwnContact(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		people := someCustomers(2)
		s.SaveContact(store.Contact{Call: 5, Attempt: 1, Customer: people[0].ID, Agent: "priya", Queue: "care", At: people[0].Billing.At, Note: "spare port"})
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		people[0].Interactions[0].ID = "call-5-1"
		for name := range 2 { // new, then changed
			people[0].Name = fmt.Sprint("Dana ", name)
			report, err := s.Import(t.Context(), jsonl(t, people), store.JSONL, store.ImportOptions{})
			if err != nil || report.Customers != 2 {
				t.Fatalf("%+v, %v", report, err)
			}
			r := lookup(t, s, people[0].Numbers[0].E164)
			notes := 0
			for _, i := range r.Interactions {
				if i.Note == "spare port" {
					notes++
				}
			}
			if len(r.Interactions) != 10 || notes != 1 || r.Name != people[0].Name {
				t.Fatalf("%d interactions, %d of our own, %+v", len(r.Interactions), notes, r)
			}
		}
	})
}

// TestImportsSideBySide: two imports of the same customers, and contacts of
// these customers meanwhile, end with every customer once and whole.
func TestImportsSideBySide(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		people := someCustomers(60)
		file := jsonl(t, people)
		text := make([]byte, file.Len())
		if _, err := file.Read(text); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				report, err := s.Import(t.Context(), bytes.NewReader(text), store.JSONL, store.ImportOptions{})
				if err != nil || report.Customers != len(people) {
					t.Errorf("%+v, %v", report, err)
				}
			})
		}
		all.Go(func() {
			for i := range people {
				s.SaveContact(store.Contact{Call: routing.CallID(i + 1), Attempt: 1, Customer: people[i].ID, Agent: "priya", At: people[i].Billing.At})
				if err := s.Flush(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
		all.Wait()
		if n := counted(t, s); n != len(people) {
			t.Fatalf("%d customers, want %d", n, len(people))
		}
		for i := range people {
			r := lookup(t, s, people[i].Numbers[0].E164)
			if len(r.Products) != 3 || len(r.Tickets) != 2 || len(r.Interactions) != 11 {
				t.Fatalf("%d products, %d tickets, %d interactions", len(r.Products), len(r.Tickets), len(r.Interactions))
			}
		}
		if st := s.Stats(); st.Dropped > 0 {
			t.Fatalf("%d contacts were lost", st.Dropped)
		}
	})
}

package store_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/store"
)

// matchRows are the rows of a file of the labelled match set, without the columns' names.
func matchRows(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "match", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%s: %d rows, %v", name, len(rows), err)
	}
	return rows[1:]
}

// matchStore imports the customers of a region as a file of theirs would be.
func matchStore(t *testing.T, o store.Options, region string) *store.Store {
	t.Helper()
	s := openWith(t, o)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	var text strings.Builder
	w := csv.NewWriter(&text)
	lines := [][]string{{"id", "name", "country", "numbers"}}
	for _, row := range matchRows(t, "customers.csv") {
		if row[0] == region {
			lines = append(lines, []string{row[1], "N. N.", row[2], row[3]})
		}
	}
	if err := w.WriteAll(lines); err != nil {
		t.Fatal(err)
	}
	report, err := s.Import(t.Context(), strings.NewReader(text.String()), store.CSV, store.ImportOptions{Region: region})
	if err != nil || report.Customers != len(lines)-1 || report.Rejected > 0 {
		t.Fatalf("import: %+v, %v: a number that cannot be read costs a customer", report, err)
	}
	return s
}

// foundIDs says whom a look-up has found, as the match set labels it.
func foundIDs(m customer.Match) string {
	if m.Record != nil {
		return m.Record.ID
	}
	ids := make([]string, 0, len(m.Candidates))
	for i := range m.Candidates {
		ids = append(ids, m.Candidates[i].ID)
	}
	slices.Sort(ids)
	return strings.Join(ids, "|")
}

// matchFigures are what docs/matching.md says of the labelled set.
type matchFigures struct{ cases, known, right, falseExact int }

// TestMatchSet runs the labelled set through the import, the reading of a caller's
// headers and the look-up: field-survey C20, a caller who is taken for somebody else.
func TestMatchSet(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]func(*testing.T) store.Options{
		"sqlite":   func(t *testing.T) store.Options { return store.Options{Path: filepath.Join(t.TempDir(), "m.db")} },
		"postgres": func(t *testing.T) store.Options { return store.Options{Postgres: pg.Database(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f matchFigures
			for _, region := range []string{"GB", "DE", "US", "RU", "BG"} {
				f.add(t, matchStore(t, at(t), region), region)
			}
			recall := float64(f.right) / float64(f.known)
			t.Logf("%d calls, %d of somebody known: %d found as labelled (recall %.4f), %d taken for somebody else", f.cases, f.known, f.right, recall, f.falseExact)
			if f.cases < 400 || f.falseExact > 0 || recall < 0.99 {
				t.Errorf("%+v: no caller is taken for somebody else, and 99 of 100 are found", f)
			}
		})
	}
}

func (f *matchFigures) add(t *testing.T, s *store.Store, region string) {
	t.Helper()
	trust := identity.Trust{Headers: []identity.Source{identity.FromPAI, identity.FromRPID}, Region: region}
	for _, row := range matchRows(t, "calls.csv") {
		if row[0] != region {
			continue
		}
		var headers []identity.Header
		for line := range strings.SplitSeq(row[2], "\n") {
			name, value, _ := strings.Cut(line, ": ")
			headers = append(headers, identity.Header{Name: name, Value: value})
		}
		caller, _ := identity.Identify(headers, "sip:+442079460000@us.example", trust)
		m, err := s.Lookup(t.Context(), caller.Number.E164())
		if err != nil {
			t.Fatal(err)
		}
		f.cases++
		got, want := foundIDs(m), row[3]
		if want != "" {
			f.known++
		}
		switch {
		case got == want && want != "":
			f.right++
		case got != want && m.Record != nil:
			f.falseExact++
			fallthrough
		case got != want:
			t.Errorf("%s, %s: %s finds %q, want %q", region, row[1], row[2], got, want)
		}
	}
}

package store_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/cordboard/cordboard/store"
)

// TestLookupByIndexAfterImport: Postgres keeps the plans it made while the
// tables were empty. No look-up after an import reads a table from end to end.
func TestLookupByIndexAfterImport(t *testing.T) {
	t.Parallel()
	url := pg.Database(t)
	s := openWith(t, store.Options{Postgres: url})
	for range 10 { // more than Postgres wants to see before it keeps a plan
		if _, err := s.Lookup(t.Context(), "+447700900417"); err != nil {
			t.Fatal(err)
		}
	}
	people := someCustomers(300)
	if _, err := s.Import(t.Context(), jsonl(t, people), store.JSONL, store.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	for i := range people {
		lookup(t, s, people[i].Numbers[0].E164)
	}
	emptyDocuments(t, url) // and by what records are put together from
	for i := range people {
		lookup(t, s, people[i].Numbers[0].E164)
	}
	if err := s.Close(); err != nil { // a session tells its figures at its end
		t.Fatal(err)
	}
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	tick := time.NewTicker(10 * time.Millisecond) // the sessions end by and by
	defer tick.Stop()
	for open := 1; open > 0; <-tick.C {
		if err := db.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`).Scan(&open); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := db.QueryContext(t.Context(), `SELECT relname, seq_scan, COALESCE(idx_scan, 0) FROM pg_stat_user_tables
		WHERE relname IN ('customers', 'customer_numbers', 'billing', 'products', 'tickets', 'interactions')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	tables := 0
	for ; rows.Next(); tables++ {
		var name string
		var whole, indexed int
		if err := rows.Scan(&name, &whole, &indexed); err != nil {
			t.Fatal(err)
		}
		if whole > 0 || indexed < len(people) {
			t.Errorf("%s: read %d times from end to end, %d times by an index", name, whole, indexed)
		}
	}
	if err := rows.Err(); err != nil || tables != 6 {
		t.Fatalf("%d tables, %v", tables, err)
	}
}

// emptyDocuments takes the documents away, as they are before a look-up has made
// them.
func emptyDocuments(t *testing.T, url string) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, q := range []string{"SET enable_seqscan = off", "UPDATE customers SET doc_version = NULL, doc_contacts = NULL, doc_own = NULL, doc_added = NULL, record = NULL, history = NULL WHERE id > ''"} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
}

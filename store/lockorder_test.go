package store_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// TestContactsInOneOrder: contacts of one group take their customers in the order
// in which an import takes them, so that the two never wait for each other.
func TestContactsInOneOrder(t *testing.T) {
	t.Parallel()
	dsn := pg.Database(t)
	s := openWith(t, store.Options{Postgres: dsn})
	defer func() { _ = s.Close() }()
	people := someCustomers(2)
	if err := s.SaveCustomers(t.Context(), people); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	other, err := db.BeginTx(t.Context(), nil) // an import that has come as far as the first
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Rollback() }()
	if _, err := other.ExecContext(t.Context(), "SELECT id FROM customers WHERE id = $1 FOR UPDATE", people[0].ID); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{1, 0} {
		s.SaveContact(store.Contact{Call: routing.CallID(7 + i), Attempt: 1, Customer: people[i].ID, Agent: "priya", At: time.Now()})
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for waits, end := 0, time.After(time.Minute); waits == 0; {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("the writer does not wait for the customer")
		}
		err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waits)
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := other.ExecContext(t.Context(), "SELECT id FROM customers WHERE id = $1 FOR UPDATE NOWAIT", people[1].ID); err != nil {
		t.Errorf("the writer waits for the first customer and holds the second: %v", err)
	}
	if err := other.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

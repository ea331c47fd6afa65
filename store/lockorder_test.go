package store_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
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
	lockAwaited(t, db)
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

// TestImportsInOneOrder: who stores new customers waits for another who does before
// holding any customer, also one whose record is only read anew.
func TestImportsInOneOrder(t *testing.T) {
	t.Parallel()
	dsn := pg.Database(t)
	s := openWith(t, store.Options{Postgres: dsn})
	defer func() { _ = s.Close() }()
	people := someCustomers(3)
	for i := range people {
		people[i].Billing = &customer.Billing{Source: "billing", At: time.UnixMicro(1_000_000)}
	}
	if err := s.SaveCustomers(t.Context(), people[:2]); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	known := people[0]
	known.Billing = &customer.Billing{Source: "billing", At: time.UnixMicro(2_000_000)}
	twice := people[1]
	twice.Name = "Somebody Else"
	for name, group := range map[string][]customer.Record{"read anew": {known, people[2]}, "an id twice": {twice, twice, people[2]}} {
		other, err := db.BeginTx(t.Context(), nil) // another import, which has its keys
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.ExecContext(t.Context(), "SELECT value FROM counters WHERE name = 'customers' FOR UPDATE"); err != nil {
			t.Fatal(err)
		}
		saved := make(chan error, 1)
		go func() { saved <- s.SaveCustomers(t.Context(), group) }()
		lockAwaited(t, db)
		if _, err := other.ExecContext(t.Context(), "SELECT id FROM customers WHERE id = $1 FOR UPDATE NOWAIT", group[0].ID); err != nil {
			t.Errorf("%s: it waits for the keys and holds a customer: %v", name, err)
		}
		if err := other.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := <-saved; err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), "DELETE FROM customers WHERE id = $1", people[2].ID); err != nil {
			t.Fatal(err)
		}
	}
}

// TestMessagesExpireOneByOne: messages that are removed together hold no customer
// while they wait for another one's row.
func TestMessagesExpireOneByOne(t *testing.T) {
	t.Parallel()
	dsn := pg.Database(t)
	s := openWith(t, store.Options{Postgres: dsn})
	defer func() { _ = s.Close() }()
	people := someCustomers(2)
	if err := s.SaveCustomers(t.Context(), people); err != nil {
		t.Fatal(err)
	}
	for i, c := range []int{1, 0} {
		m := store.Message{Call: routing.CallID(7 + i), Mailbox: "office", LeftAt: time.UnixMicro(5), Customer: people[c].ID}
		if err := s.SaveMessage(t.Context(), m, []byte("RIFF")); err != nil {
			t.Fatal(err)
		}
		s.SaveLeft(m)
	}
	if err := s.Flush(t.Context()); err != nil {
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
	removed := make(chan error, 1)
	go func() {
		n, err := s.ExpireMessages(t.Context(), time.Now())
		if err == nil && n != 2 {
			err = fmt.Errorf("%d messages removed", n)
		}
		removed <- err
	}()
	lockAwaited(t, db)
	if _, err := other.ExecContext(t.Context(), "SELECT id FROM customers WHERE id = $1 FOR UPDATE NOWAIT", people[1].ID); err != nil {
		t.Errorf("who removes messages waits for the first customer and holds the second: %v", err)
	}
	if err := other.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-removed; err != nil {
		t.Fatal(err)
	}
}

// lockAwaited waits until somebody waits for a lock in the database.
func lockAwaited(t *testing.T, db *sql.DB) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for waits, end := 0, time.After(time.Minute); waits == 0; {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("nobody waits for the customer")
		}
		err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").Scan(&waits)
		if err != nil {
			t.Fatal(err)
		}
	}
}

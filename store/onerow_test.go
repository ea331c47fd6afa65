package store_test

import (
	"database/sql"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// beforeOneRow is the schema in which a customer's document lay in a table of its
// own.
const beforeOneRow = 12

// TestOneRowACustomer: the migration that puts a customer's document into his own
// row, up, down and up again, and one that fails in its middle, lose nothing: each
// record, each number that several have, and what hangs on a customer and goes
// with him.
func TestOneRowACustomer(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]func(*testing.T) store.Options{
		"sqlite": func(t *testing.T) store.Options {
			return store.Options{Path: filepath.Join(t.TempDir(), "cordboard.db")}
		},
		"postgres": func(t *testing.T) store.Options { return store.Options{Postgres: pg.Database(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t)
			people := someCustomers(40)
			people[7].Numbers = append(people[7].Numbers, people[8].Numbers[0])
			s := openWith(t, o)
			if err := s.SaveCustomers(t.Context(), people); err != nil {
				t.Fatal(err)
			}
			s.SaveContact(store.Contact{Call: 1, Attempt: 1, Customer: people[3].ID, Agent: "priya", At: people[3].Billing.At})
			if err := s.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			// The keys of new ones are not those of people who have gone.
			if err := store.ByHand(t.Context(), s, "DELETE FROM customers WHERE id = $1", people[39].ID); err != nil {
				t.Fatal(err)
			}
			people = people[:39]
			before := recordsOf(t, s, people)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}

			migrated := func(version int64, broken string) {
				t.Helper()
				err := store.MigrateTo(t.Context(), o, version)
				if broken == "" && err != nil || broken != "" && (err == nil || !strings.Contains(err.Error(), broken)) {
					t.Fatalf("to schema %d: %v, want %q", version, err, broken)
				}
			}
			migrated(beforeOneRow, "")
			old := byDriver(t, o)
			old.exec("DELETE FROM documents WHERE customer = '" + people[5].ID + "'") // as one that was never made
			old.exec("CREATE TABLE new_numbers (x BIGINT)")                           // behind the copy of all customers
			migrated(beforeOneRow+1, "new_numbers")
			if n := old.count("SELECT COUNT(*) FROM documents"); n != 38 {
				t.Errorf("%d documents are left by a migration that failed", n)
			}
			old.exec("DROP TABLE new_numbers")
			old.close()
			if _, err := store.Migrate(t.Context(), o, store.MigrateOptions{NoBackup: true}); err != nil { // to the latest
				t.Fatal(err)
			}

			s = openWith(t, o)
			defer func() { _ = s.Close() }()
			if _, doc, err := store.Rebuilt(t.Context(), s, people[6].ID); err != nil || doc == nil {
				t.Errorf("the document was not taken along: %v", err)
			}
			if got := recordsOf(t, s, people); !reflect.DeepEqual(got, before) {
				t.Errorf("got\n%+v\nwant\n%+v", got, before)
			}
			more := someCustomers(45)[40:]
			if err := s.SaveCustomers(t.Context(), append(more, people...)); err != nil {
				t.Fatal(err)
			}
			for i := range more {
				if r := lookup(t, s, more[i].Numbers[0].E164); r.ID != more[i].ID {
					t.Errorf("%s has the number of %s", r.ID, more[i].ID)
				}
			}
			db := byDriver(t, o)
			defer db.close()
			for _, table := range []string{"customer_numbers", "billing", "products", "tickets"} {
				if n := db.count("SELECT COUNT(*) FROM " + table + " WHERE customer = '" + people[6].ID + "'"); n == 0 {
					t.Errorf("%s: nothing of %s", table, people[6].ID)
				}
			}
			db.exec("DELETE FROM customers WHERE id = '" + people[6].ID + "'")
			for _, table := range []string{"customer_numbers", "billing", "products", "tickets"} {
				if n := db.count("SELECT COUNT(*) FROM " + table + " WHERE customer = '" + people[6].ID + "'"); n != 0 {
					t.Errorf("%s: %d rows are left of a customer who is gone", table, n)
				}
			}
			if n := db.count("SELECT COUNT(*) FROM customer_numbers n LEFT JOIN customers c ON c.key = n.key AND c.id = n.customer WHERE c.id IS NULL"); n != 0 {
				t.Errorf("%d numbers have a key that is not their customer's", n)
			}
		})
	}
}

// driven is a database as another program opens it.
type driven struct {
	t  *testing.T
	db *sql.DB
}

func byDriver(t *testing.T, o store.Options) driven {
	t.Helper()
	driver, source := "pgx", o.Postgres
	if source == "" {
		driver, source = "sqlite", "file:"+o.Path+"?_pragma=foreign_keys(1)&_pragma=busy_timeout(10000)" // the store may be writing
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	return driven{t, db}
}

func (d driven) exec(query string) {
	d.t.Helper()
	if _, err := d.db.ExecContext(d.t.Context(), query); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
}

func (d driven) count(query string) (n int) {
	d.t.Helper()
	if err := d.db.QueryRowContext(d.t.Context(), query).Scan(&n); err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	return n
}

func (d driven) close() {
	if err := d.db.Close(); err != nil {
		d.t.Error(err)
	}
}

// recordsOf looks everybody up by every number.
func recordsOf(t *testing.T, s *store.Store, people []customer.Record) (all []customer.Match) {
	t.Helper()
	for i := range people {
		for _, n := range people[i].Numbers {
			m, err := s.Lookup(t.Context(), n.E164)
			if err != nil || m.Record == nil && len(m.Candidates) == 0 {
				t.Fatalf("%s by %s: %+v, %v", people[i].ID, n.Label, m, err)
			}
			all = append(all, m)
		}
	}
	return all
}

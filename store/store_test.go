package store_test

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/cordboard/cordboard/routing/live"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/store/storetest"
	"github.com/cordboard/cordboard/store/storetest/pgtest"
)

var (
	_ live.Port       = (*store.Store)(nil)
	_ customer.Source = (*store.Store)(nil)
)

// pg is the Postgres of this package's tests; its databases have the schema.
var pg = pgtest.Shared{Fill: storetest.Schema}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.Cleanup(pg.Exit)) }

func openWith(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openAt(t testing.TB, path string) *store.Store {
	t.Helper()
	return openWith(t, store.Options{Path: path})
}

// fixture keeps fewer calls in memory than a server would, so that the suite
// sees rows read back.
func fixture(t testing.TB, o store.Options) storetest.Fixture {
	o.KeepEnded, o.Spill = 1024, filepath.Join(t.TempDir(), "spill")
	o.NumberKey = func(e164 string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(e164))) }
	return storetest.Fixture{
		Open:    func(t testing.TB) *store.Store { return openWith(t, o) },
		Abandon: func(_ testing.TB, s *store.Store) { store.Abandon(s) },
	}
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) storetest.Fixture {
		return fixture(t, store.Options{Path: filepath.Join(t.TempDir(), "cordboard.db")})
	})
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) storetest.Fixture {
		return fixture(t, store.Options{Postgres: pg.Database(t)})
	})
}

package store_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/cordboard/cordboard/routing/live"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/store/storetest"
)

var (
	_ live.Port       = (*store.Store)(nil)
	_ customer.Source = (*store.Store)(nil)
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func openAt(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Fixture {
		path := filepath.Join(t.TempDir(), "cordboard.db")
		return storetest.Fixture{
			Open:    func(t testing.TB) *store.Store { return openAt(t, path) },
			Abandon: func(_ testing.TB, s *store.Store) { store.Abandon(s) },
		}
	})
}

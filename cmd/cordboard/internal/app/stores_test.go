package app

import (
	"testing"

	"github.com/cordboard/cordboard/store/storetest"
	"github.com/cordboard/cordboard/store/storetest/pgtest"
)

// Postgres is the Postgres of this package's tests.
var Postgres = pgtest.Shared{Fill: storetest.Schema}

// Database is a kind of store that the whole server is tested on.
type Database string

// Databases are those that every case is run on.
var Databases = []Database{"sqlite", "postgres"}

// Case is the name of a case on this database.
func (d Database) Case(name string) string {
	if d == "sqlite" {
		return name
	}
	return name + ", " + string(d)
}

// Section is the store's keys of a server file, for a database of the test's
// own.
func (d Database) Section(t testing.TB) string {
	t.Helper()
	if d == "sqlite" {
		return `{path: cordboard.db, journal: journal}`
	}
	return `{postgres: "` + Postgres.Database(t) + `", journal: journal}`
}

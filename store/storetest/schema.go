package storetest

import (
	"context"

	"github.com/cordboard/cordboard/store"
)

// Schema makes the tables in an empty Postgres database (pgtest.Shared.Fill).
func Schema(url string) error {
	_, err := store.Migrate(context.Background(), store.Options{Postgres: url}, store.MigrateOptions{})
	return err
}

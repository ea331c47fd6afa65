package store

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// copyIn appends rows to a table within the transaction that the connection is
// in, by COPY: Postgres takes them so in a third of the time of INSERT.
func copyIn(ctx context.Context, conn *sql.Conn, table string, columns []string, values []any) error {
	width := len(columns)
	rows := pgx.CopyFromSlice(len(values)/width, func(i int) ([]any, error) { return values[i*width : (i+1)*width], nil })
	return conn.Raw(func(driver any) error {
		if _, err := driver.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, rows); err != nil {
			return fmt.Errorf("copy into %s: %w", table, err)
		}
		return nil
	})
}

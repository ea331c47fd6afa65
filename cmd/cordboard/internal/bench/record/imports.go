package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/bench"
	"github.com/cordboard/cordboard/store"
)

// importFile brings the file into an empty database, as the command does, and
// tells how long that took.
func importFile(ctx context.Context, r *bench.Report, o store.Options, name, file string, n int) (time.Duration, error) {
	got, took, err := importing(ctx, o, file)
	if err != nil {
		return 0, err
	}
	if got.Customers != n || got.Rejected > 0 || got.Unchanged > 0 {
		return 0, fmt.Errorf("the import of %d customers took %d, rejected %d, found %d unchanged", n, got.Customers, got.Rejected, got.Unchanged)
	}
	rows := got.Customers + got.Numbers + got.Products + got.Tickets + got.Interactions
	r.Line("import_customers_per_s_"+name, float64(n)/took.Seconds(), "customers/s")
	r.Line("import_seconds_"+name, took.Seconds(), "s")
	r.Line("import_rows_per_customer_"+name, float64(rows)/float64(n), "rows") // beside billing
	return took, nil
}

// importAgain reads the same file into the same database: nothing is to change.
func importAgain(ctx context.Context, r *bench.Report, o store.Options, name, file string, n int) error {
	got, took, err := importing(ctx, o, file)
	if err != nil {
		return err
	}
	if got.Unchanged != n {
		return fmt.Errorf("the second import found %d of %d customers unchanged", got.Unchanged, n)
	}
	r.Line("import_again_customers_per_s_"+name, float64(n)/took.Seconds(), "customers/s")
	return nil
}

func importing(ctx context.Context, o store.Options, file string) (got store.Report, took time.Duration, err error) {
	in, err := os.Open(file)
	if err != nil {
		return got, 0, err
	}
	defer in.Close()
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // as the command does
	begin := time.Now()
	o.Tool = true
	s, err := store.Open(ctx, o)
	if err != nil {
		return got, 0, err
	}
	got, err = s.Import(ctx, in, store.JSONL, store.ImportOptions{})
	err = errors.Join(err, s.Close())
	return got, time.Since(begin), err
}

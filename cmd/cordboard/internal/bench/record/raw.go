package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cordboard/cordboard/store"
)

const (
	rawGroup = 1000 // customers of one transaction
	rawRows  = 50   // rows of one INSERT
)

// rawTables are the tables of a record, with the column of the customer's id.
var rawTables = [...]struct{ name, key string }{
	{"customers", "id"}, {"customer_numbers", "customer"}, {"billing", "customer"},
	{"products", "customer"}, {"tickets", "customer"}, {"interactions", "customer"},
}

// rawInsert inserts the rows of a database into a fresh one as fast as plain
// batches go: rows that lie ready in memory, prepared statements of many rows,
// large transactions, nothing read, checked or compared. Only the inserting is
// timed, not the fetching of the rows.
func rawInsert(ctx context.Context, b base, from store.Options) (took time.Duration, err error) {
	to, err := b.create(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, b.remove(ctx, to)) }()
	src, err := b.open(from)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	dst, err := b.open(to)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	in := inserter{b: b, db: dst, stmts: map[string]*sql.Stmt{}}
	for last := ""; ; {
		group, end, err := rawRowsAfter(ctx, b, src, last)
		if err != nil || end == "" {
			return took, err
		}
		begin := time.Now()
		if err := in.insert(ctx, group); err != nil {
			return took, err
		}
		took += time.Since(begin)
		last = end
	}
}

// rows of one table, value after value.
type rows struct {
	columns []string
	values  []any
}

// rawRowsAfter reads the rows of the next customers in order of their ids.
func rawRowsAfter(ctx context.Context, b base, db *sql.DB, last string) (group [len(rawTables)]rows, end string, err error) {
	var to sql.NullString
	err = db.QueryRowContext(ctx, fmt.Sprintf("SELECT MAX(n.id) FROM (SELECT id FROM customers WHERE id > %s ORDER BY id LIMIT %d) n", b.param(1), rawGroup), last).Scan(&to)
	if err != nil || !to.Valid {
		return group, "", err
	}
	for i, t := range rawTables {
		if group[i], err = rawRead(ctx, db, fmt.Sprintf("SELECT * FROM %s WHERE %s > %s AND %s <= %s ORDER BY %s", t.name, t.key, b.param(1), t.key, b.param(2), t.key), last, to.String); err != nil {
			return group, "", fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return group, to.String, nil
}

func rawRead(ctx context.Context, db *sql.DB, query string, args ...any) (out rows, err error) {
	got, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, got.Close()) }()
	if out.columns, err = got.Columns(); err != nil {
		return out, err
	}
	for got.Next() {
		row, into := make([]any, len(out.columns)), make([]any, len(out.columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := got.Scan(into...); err != nil {
			return out, err
		}
		out.values = append(out.values, row...)
	}
	return out, got.Err()
}

// inserter inserts groups of rows, a transaction each.
type inserter struct {
	b     base
	db    *sql.DB
	stmts map[string]*sql.Stmt // prepared once
}

func (in *inserter) insert(ctx context.Context, group [len(rawTables)]rows) error {
	var queue []func(*sql.Tx) error
	for i, t := range rawTables {
		left, width := group[i].values, len(group[i].columns)
		for _, n := range []int{rawRows, 1} {
			st, err := in.stmt(ctx, t.name, group[i].columns, n)
			if err != nil {
				return err
			}
			for ; len(left) >= n*width; left = left[n*width:] {
				values := left[:n*width]
				queue = append(queue, func(tx *sql.Tx) error {
					_, err := tx.StmtContext(ctx, st).ExecContext(ctx, values...)
					return err
				})
			}
		}
	}
	tx, err := in.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, do := range queue {
		if err := do(tx); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

func (in *inserter) stmt(ctx context.Context, table string, columns []string, n int) (*sql.Stmt, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", table, strings.Join(columns, ", "))
	for i := range n * len(columns) {
		switch {
		case i == 0:
			b.WriteByte('(')
		case i%len(columns) == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		b.WriteString(in.b.param(i + 1))
	}
	b.WriteByte(')')
	query := b.String()
	if st := in.stmts[query]; st != nil {
		return st, nil
	}
	st, err := in.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	in.stmts[query] = st
	return st, nil
}

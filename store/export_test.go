package store

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// Abandon leaves the store as a killed process would: nothing more is written,
// no number is given back.
func Abandon(s *Store) {
	s.closing.Do(func() {
		s.w.mu.Lock()
		s.w.queue = nil
		s.w.mu.Unlock()
		_ = s.w.stop(0)
		_ = s.release()
	})
}

// SetGroupSize says how many customers one transaction of an import takes.
func (s *Store) SetGroupSize(n int) { s.opts.group = n }

// ByHand runs a statement as somebody does who works on the database.
func ByHand(ctx context.Context, s *Store, query string, args ...any) error {
	return s.write.inTx(ctx, func(t *tx) error { return t.put(query, args...) })
}

// Seen is how many contacts of our own agents a customer's document has seen.
func Seen(ctx context.Context, s *Store, id string) (n int64, err error) {
	err = s.read.row(ctx, "SELECT doc_own FROM customers WHERE id = $1", []any{id}, &n)
	return n, err
}

// Rebuilt puts a record together from the tables, and reads the same from its
// document: nil while none counts.
func Rebuilt(ctx context.Context, s *Store, id string) (tables customer.Record, doc *customer.Record, err error) {
	if tables, _, err = s.assemble(ctx, id, maxInteractions); err != nil {
		return tables, nil, err
	}
	read, users, err := s.documents(ctx, qDocumentByID, []any{id})
	if err != nil || len(read) != 1 {
		return tables, nil, errors.Join(err, errors.New("documents found: "+strconv.Itoa(len(read))))
	}
	names, err := s.namesAt(ctx, users)
	if err != nil {
		return tables, nil, err
	}
	called(&tables, names)
	if !read[0].there {
		return tables, nil, nil
	}
	r, err := s.recordOf(ctx, &read[0])
	called(&r, names)
	return tables, &r, err
}

// LockAsking holds a Postgres database's lock, and asks outlived when it was lost.
func LockAsking(ctx context.Context, o Options, outlived func(context.Context) (bool, error)) (io.Closer, error) {
	p, err := newPostgres(&o)
	if err != nil {
		return nil, err
	}
	l, err := p.lock(ctx)
	if err != nil {
		return nil, err
	}
	l.(*sessionLock).ask(outlived)
	return l, nil
}

// MigrateTo brings a schema up, or down, to a version that is not this program's.
func MigrateTo(ctx context.Context, o Options, version int64) error {
	return onSchema(ctx, o, func(_ *Store, steps *goose.Provider) error {
		have, _, err := steps.GetVersions(ctx)
		switch {
		case err != nil:
		case have > version:
			_, err = steps.DownTo(ctx, version)
		default:
			_, err = steps.UpTo(ctx, version)
		}
		return err
	})
}

// UnlockWhileAsked gives a Postgres store's lock up while its session is being
// asked for a sign of life, for so long.
func UnlockWhileAsked(ctx context.Context, o Options, after time.Duration) error {
	db, err := o.database()
	if err != nil {
		return err
	}
	held, err := db.lock(ctx)
	if err != nil {
		return err
	}
	l := held.(*sessionLock)
	l.stop()
	l.over.Wait()
	ctx, stop := context.WithCancel(ctx)
	l.over.Go(func() { l.alive(ctx, l.conn) })
	time.Sleep(after) // into the question
	stop()
	return l.Close()
}

// FullRecord has something in each field of a record.
var FullRecord = fullRecord

// OfCustomer are the tables that hold rows of a customer.
func OfCustomer() []string { return slices.Concat([]string{"customers"}, ofCustomer) }

// Cells reads the whole database: how often which value stands in "table.column".
// Instants and other whole numbers are int64.
func Cells(ctx context.Context, s *Store) (map[string]map[any]int, error) {
	query := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if s.opts.Postgres != "" {
		query = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`
	}
	tables, err := s.texts(ctx, query)
	if err != nil {
		return nil, err
	}
	out := map[string]map[any]int{}
	for _, table := range tables {
		err := each(ctx, s.read, `SELECT * FROM `+table, nil, func(rows *sql.Rows) error {
			columns, err := rows.Columns()
			if err != nil {
				return err
			}
			row := make([]any, len(columns))
			into := make([]any, len(columns))
			for i := range row {
				into[i] = &row[i]
			}
			if err := rows.Scan(into...); err != nil {
				return err
			}
			for i, v := range row {
				if b, is := v.([]byte); is {
					v = string(b)
				}
				cell := table + "." + columns[i]
				if out[cell] == nil {
					out[cell] = map[any]int{}
				}
				out[cell][v]++
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

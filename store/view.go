package store

import (
	"context"
	"database/sql"
	"errors"
)

// querier is something that can be asked.
type querier interface {
	query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// view is a connection to an SQLite file on which one look-up at a time reads
// the database as of one instant: what is read belongs together, whatever is
// written meanwhile. Its statements stay prepared. They run without a context:
// each is over in less than it takes to start the goroutines that could
// interrupt it, and between two the look-up's own context counts.
type view struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// query implements querier.
func (v *view) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	st, err := v.stmt(query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(context.Background(), args...)
}

func (v *view) exec(query string) error {
	st, err := v.stmt(query)
	if err != nil {
		return err
	}
	_, err = st.ExecContext(context.Background())
	return err
}

func (v *view) stmt(query string) (*sql.Stmt, error) {
	if st := v.stmts[query]; st != nil {
		return st, nil
	}
	st, err := v.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	v.stmts[query] = st
	return st, nil
}

func (v *view) close() error {
	var errs []error
	for _, st := range v.stmts {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, v.conn.Close())...)
}

// at runs do on one instant of the database. It waits for one of the pool's
// views as long as the context allows.
func (p *pool) at(ctx context.Context, do func(querier) error) (err error) {
	var v *view
	select {
	case v = <-p.views:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { p.views <- v }() // nil: the next one makes it
	if v == nil {
		conn, err := p.db.Conn(ctx)
		if err != nil {
			return err
		}
		v = &view{conn: conn, stmts: map[string]*sql.Stmt{}}
	}
	if err = v.exec("BEGIN"); err == nil {
		err = do(v)
		// Nothing was written: there is nothing that a rollback could lose.
		if end := v.exec("ROLLBACK"); end == nil {
			return err
		}
	}
	err = errors.Join(err, v.close()) // it may be in a transaction still
	v = nil
	return err
}

// makeViews lets so many look-ups read at a time.
func (p *pool) makeViews(n int) {
	p.views = make(chan *view, n)
	for range n {
		p.views <- nil
	}
}

// closeViews closes the views as they come back. Who asks for one afterwards
// learns that the database is closed.
func (p *pool) closeViews() error {
	var errs []error
	for range cap(p.views) {
		if v := <-p.views; v != nil {
			errs = append(errs, v.close())
		}
	}
	for range cap(p.views) {
		p.views <- nil
	}
	return errors.Join(errs...)
}

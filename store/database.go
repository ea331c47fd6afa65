package store

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"sync"
)

// database is what SQLite and Postgres do differently. The SQL in queries.go and
// all that is above it is shared.
type database interface {
	// connect opens a pool of at most so many connections.
	connect(ctx context.Context, use use, size int) (*pool, error)
	// lock makes this process the one server until the lock is closed;
	// errLocked when another one is.
	lock(ctx context.Context) (io.Closer, error)
	// refuses tells whether an error is the schema's or the data's, so that
	// trying again cannot help.
	refuses(err error) bool
	migrator
}

// use is what a pool is for.
type use int

const (
	toRead  use = iota
	toWrite     // each transaction may write from its beginning on
)

var errLocked = errors.New("locked by another process")

// pool is a set of connections, with the statements prepared on them where the
// driver doesn't keep its own.
type pool struct {
	db       *sql.DB
	prepares bool
	instant  *sql.TxOptions // of a transaction that reads as of one instant

	mu    sync.Mutex
	stmts map[string]*sql.Stmt
}

// stmt prepares a query once. SQLite parses for longer than it reads a point.
func (p *pool) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if st := p.stmts[query]; st != nil {
		return st, nil
	}
	st, err := p.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if p.stmts == nil {
		p.stmts = map[string]*sql.Stmt{}
	}
	p.stmts[query] = st
	return st, nil
}

func (p *pool) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if !p.prepares {
		return p.db.QueryContext(ctx, query, args...)
	}
	st, err := p.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// row runs a query of at most one row; none is ErrNotFound.
func (p *pool) row(ctx context.Context, query string, args []any, dest ...any) error {
	if !p.prepares {
		return found(p.db.QueryRowContext(ctx, query, args...).Scan(dest...))
	}
	st, err := p.stmt(ctx, query)
	if err != nil {
		return err
	}
	return found(st.QueryRowContext(ctx, args...).Scan(dest...))
}

// found is the error of a scan in this package's words.
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// querier is a pool, or one instant of it.
type querier interface {
	query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// view is the database at one instant: what is read through it belongs
// together, whatever is written meanwhile.
type view struct {
	p  *pool
	tx *sql.Tx
}

func (v view) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if !v.p.prepares {
		return v.tx.QueryContext(ctx, query, args...)
	}
	st, err := v.p.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return v.tx.StmtContext(ctx, st).QueryContext(ctx, args...)
}

// at runs do on one instant of the database.
func (p *pool) at(ctx context.Context, do func(querier) error) error {
	t, err := p.db.BeginTx(ctx, p.instant)
	if err != nil {
		return err
	}
	err = do(view{p, t})
	// Nothing was written: there is nothing that a rollback could lose.
	if end := t.Rollback(); err == nil && !errors.Is(end, sql.ErrTxDone) {
		err = end
	}
	return err
}

func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, st := range p.stmts {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, p.db.Close())...)
}

// inTx runs do in one transaction of a writing connection.
func (p *pool) inTx(ctx context.Context, do func(tx *tx) error) error {
	t, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(&tx{ctx: ctx, sql: t, prepares: p.prepares}); err != nil {
		return errors.Join(err, ignoreDone(t.Rollback()))
	}
	return t.Commit()
}

// tx is a transaction with its statements: prepared on the transaction, since
// the pool's only connection is taken by it.
type tx struct {
	ctx      context.Context
	sql      *sql.Tx
	prepares bool
	stmts    map[string]*sql.Stmt
}

func (t *tx) stmt(query string) (*sql.Stmt, error) {
	if st := t.stmts[query]; st != nil {
		return st, nil
	}
	st, err := t.sql.PrepareContext(t.ctx, query)
	if err != nil {
		return nil, err
	}
	if t.stmts == nil {
		t.stmts = map[string]*sql.Stmt{}
	}
	t.stmts[query] = st // closed with the transaction
	return st, nil
}

// exec runs a statement and counts the rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	var res sql.Result
	var err error
	if t.prepares {
		var st *sql.Stmt
		if st, err = t.stmt(query); err == nil {
			res, err = st.ExecContext(t.ctx, args...)
		}
	} else {
		res, err = t.sql.ExecContext(t.ctx, query, args...)
	}
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// row runs a query of at most one row; none is ErrNotFound.
func (t *tx) row(query string, args []any, dest ...any) error {
	if !t.prepares {
		return found(t.sql.QueryRowContext(t.ctx, query, args...).Scan(dest...))
	}
	st, err := t.stmt(query)
	if err != nil {
		return err
	}
	return found(st.QueryRowContext(t.ctx, args...).Scan(dest...))
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

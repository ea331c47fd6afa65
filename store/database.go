package store

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"runtime"
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
	// scrub removes what the database keeps of rows that were deleted; whole: also
	// of those deleted long ago, for which nobody else may use the database.
	scrub(ctx context.Context, whole bool) error
	// search is how interactions are found by their words.
	search() searchIndex
	migrator
}

// use is what a pool is for.
type use int

const (
	toRead    use = iota
	toWrite       // each transaction may write from its beginning on
	toMigrate     // writes, and may take its time
)

var errLocked = errors.New("locked by another process")

// pool is a set of connections, with the statements prepared on them where the
// driver doesn't keep its own.
type pool struct {
	db       *sql.DB
	prepares bool
	views    views // that read as of one instant, where askTogether is nil
	fit      func(args []any) []any
	pipeline func(ctx context.Context, conn *sql.Conn, later []statement) error
	// askTogether asks several questions in one journey, answered as of one
	// instant; nil where they are asked one by one.
	askTogether func(ctx context.Context, db *sql.DB, asks []ask) error
	copyIn      func(ctx context.Context, conn *sql.Conn, table string, columns []string, values []any) error // nil: by INSERT
	fence       func(*tx) error                                                                               // begins each writing transaction; nil: none

	mu    sync.Mutex
	stmts map[string]*sql.Stmt
}

// stmt prepares a query once. SQLite parses for longer than it reads a point.
func (p *pool) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if st := p.prepared(query); st != nil {
		return st, nil
	}
	// Not under the lock: it may have to wait for a connection, whose
	// transaction asks what is prepared.
	st, err := p.db.PrepareContext(ctx, anonymous(query))
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if other := p.stmts[query]; other != nil {
		return other, st.Close()
	}
	if p.stmts == nil {
		p.stmts = map[string]*sql.Stmt{}
	}
	p.stmts[query] = st
	return st, nil
}

// prepared is the statement of a query that was prepared before, else nil.
func (p *pool) prepared(query string) *sql.Stmt {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stmts[query]
}

// keepMost statements of transactions are kept prepared.
const keepMost = 200

// keep prepares for the next transactions what one had to prepare for itself.
// Some statements take longer to prepare than to run.
func (p *pool) keep(ctx context.Context, stmts map[string]*sql.Stmt) {
	for query := range stmts {
		p.mu.Lock()
		full := len(p.stmts) >= keepMost
		p.mu.Unlock()
		if full {
			return
		}
		if _, err := p.stmt(ctx, query); err != nil {
			return // it is prepared in the transaction then, as it was now
		}
	}
}

func (p *pool) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if !p.prepares {
		return p.db.QueryContext(ctx, query, p.fit(args)...)
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
		return found(p.db.QueryRowContext(ctx, query, p.fit(args)...).Scan(dest...))
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

func (p *pool) close() error {
	errs := []error{p.views.close()}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, st := range p.stmts {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, p.db.Close())...)
}

// alone is the context of one statement of a transaction on SQLite. Its driver
// starts a goroutine for each statement that could be cancelled, which takes
// longer than to write a row; between statements the transaction ends with its
// own context all the same.
func alone(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// inTx runs do in one transaction of a writing connection.
func (p *pool) inTx(ctx context.Context, do func(tx *tx) error) error {
	t := &tx{ctx: ctx, p: p}
	if err := t.run(do); err != nil {
		return err
	}
	p.keep(ctx, t.stmts)
	return nil
}

func (t *tx) run(do func(tx *tx) error) (err error) {
	p, ctx := t.p, t.ctx
	conn, err := p.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ignoreDone(conn.Close())) }()
	begun, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	t.conn, t.sql = conn, begun
	if p.fence != nil {
		err = p.fence(t)
	}
	if err == nil {
		err = do(t)
	}
	if err == nil {
		err = t.send()
	}
	if err != nil {
		// Out of time: what then failed first says many things, but not that.
		return errors.Join(ctx.Err(), err, ignoreDone(begun.Rollback()))
	}
	return begun.Commit()
}

// tx is a transaction with its statements: prepared on the transaction, since
// the pool's only connection may be taken by it.
type tx struct {
	ctx   context.Context
	p     *pool
	conn  *sql.Conn // the transaction's own
	sql   *sql.Tx
	stmts map[string]*sql.Stmt
	later []statement // waiting to be sent together
	ran   int         // statements
}

// yieldEvery statements of a transaction, whoever else can use the processor has
// it first: a call's next step must not wait for the rows of many. SQLite works
// in our own threads.
const yieldEvery = 8

// statement is one to run.
type statement struct {
	query string
	args  []any
}

func (t *tx) stmt(query string) (*sql.Stmt, error) {
	if st := t.stmts[query]; st != nil {
		return st, nil
	}
	var st *sql.Stmt
	var err error
	if ready := t.p.prepared(query); ready != nil {
		st = t.sql.StmtContext(t.ctx, ready)
	} else if st, err = t.sql.PrepareContext(t.ctx, anonymous(query)); err != nil {
		return nil, err
	}
	if t.stmts == nil {
		t.stmts = map[string]*sql.Stmt{}
	}
	t.stmts[query] = st // closed with the transaction
	return st, nil
}

// query implements querier.
func (t *tx) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := t.send(); err != nil {
		return nil, err
	}
	if !t.p.prepares {
		return t.sql.QueryContext(ctx, query, t.p.fit(args)...)
	}
	st, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// exec runs a statement and counts the rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	if err := t.send(); err != nil {
		return 0, err
	}
	var res sql.Result
	var err error
	if t.p.prepares {
		if t.ran++; t.ran%yieldEvery == 0 {
			runtime.Gosched()
		}
		var st *sql.Stmt
		if st, err = t.stmt(query); err == nil {
			res, err = st.ExecContext(alone(t.ctx), args...)
		}
	} else {
		res, err = t.sql.ExecContext(t.ctx, query, t.p.fit(args)...)
	}
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// put runs a statement whose result nobody asks for. Where each statement is a
// journey over a network it goes with others, before the next that asks or the
// transaction's end: an error may come as late.
func (t *tx) put(query string, args ...any) error {
	if t.p.pipeline == nil {
		_, err := t.exec(query, args...)
		return err
	}
	t.later = append(t.later, statement{query, t.p.fit(args)})
	if len(t.later) < putMost {
		return nil
	}
	return t.send()
}

// putMost statements travel together.
const putMost = 256

func (t *tx) send() error {
	if len(t.later) == 0 {
		return nil
	}
	later := t.later
	t.later = t.later[:0]
	return t.p.pipeline(t.ctx, t.conn, later)
}

// row runs a query of at most one row; none is ErrNotFound.
func (t *tx) row(query string, args []any, dest ...any) error {
	if err := t.send(); err != nil {
		return err
	}
	if !t.p.prepares {
		return found(t.sql.QueryRowContext(t.ctx, query, t.p.fit(args)...).Scan(dest...))
	}
	st, err := t.stmt(query)
	if err != nil {
		return err
	}
	return found(st.QueryRowContext(t.ctx, args...).Scan(dest...))
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) || errors.Is(err, sql.ErrConnDone) {
		return nil
	}
	return err
}

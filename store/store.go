// Package store keeps what must outlive the process: customers with their
// history, the ledger of calls, dialogs of live legs, call numbers, standard
// answers, people who sign in and their sessions. It runs on an embedded SQLite
// file and is its only importer.
//
// Nothing on a call's path waits for it: the ledger, the dialogs and the
// contacts are handed to one writer goroutine that commits in groups and rides
// out a database that is locked, full or away. What a server needs at once
// (records, sessions, answers) is read from a pool of readers beside it.
//
// It knows no SIP and no desk: package app fits its types to their ports.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"
	_ "modernc.org/sqlite" // the driver named "sqlite"
)

// ErrNotFound says that there is no such row.
var ErrNotFound = errors.New("not found")

// ErrClosed says that the store is closed.
var ErrClosed = errors.New("store is closed")

// Options of Open.
type Options struct {
	// Path is the SQLite file; its folder is made when missing. Required.
	Path string
	Log  *zap.Logger // nil: silent
	// Tool opens the file beside a server that may be running: nothing is
	// closed or taken over, and a migration is refused while a server runs.
	Tool bool
	// Readers is the size of the reading pool, 4 when 0.
	Readers int
	// MaxQueued bounds the events of calls that wait in memory while the
	// database is away, 1,000,000 when 0. Past it events are dropped and
	// counted; the calls' own rows never are.
	MaxQueued int
	// CloseWait is how long Close goes on trying to write what is queued, 10 s
	// when 0.
	CloseWait time.Duration
}

// lockSuffix is appended to the path: a server locks that file, not the
// database, whose own locks belong to SQLite.
const lockSuffix = ".lock"

// Store is the open database. Its methods may be called from any goroutine.
type Store struct {
	log     *zap.Logger
	opts    Options
	lock    *fileLock // nil for a tool
	write   *pool
	read    *pool
	w       *writer
	numbers numbering
	pending overlay
	answers answerBook
	closing sync.Once
	closed  error
}

// Open opens the store, makes or migrates its schema (after a backup copy), and
// unless Options.Tool is set takes it over: a second server on one file is
// refused, calls that an earlier process left open are closed as failed with
// reason "restart", and their dialogs are removed.
func Open(ctx context.Context, opts Options) (*Store, error) {
	if opts.Path == "" {
		return nil, errors.New("store: no path given")
	}
	if opts.Log == nil {
		opts.Log = zap.NewNop()
	}
	opts.Readers = positive(opts.Readers, 4)
	opts.MaxQueued = positive(opts.MaxQueued, 1_000_000)
	opts.CloseWait = time.Duration(positive(int(opts.CloseWait), int(10*time.Second)))
	s := &Store{log: opts.Log.Named("store"), opts: opts}
	if err := s.open(ctx); err != nil {
		s.release()
		return nil, fmt.Errorf("store: %w", err)
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) error {
	if err := makeFile(s.opts.Path); err != nil {
		return err
	}
	var err error
	if !s.opts.Tool {
		if s.lock, err = lockFile(s.opts.Path + lockSuffix); errors.Is(err, errLocked) {
			return errors.New("another server has this store open")
		} else if err != nil {
			return fmt.Errorf("lock: %w", err)
		}
	}
	if s.write, err = openPool(ctx, s.opts.Path, "_txlock=immediate", 1); err != nil {
		return err
	}
	steps, err := schema()
	if err != nil {
		return err
	}
	if err := s.migrate(ctx, steps); err != nil {
		return err
	}
	if s.read, err = openPool(ctx, s.opts.Path, "_pragma=query_only(1)", s.opts.Readers); err != nil {
		return err
	}
	if !s.opts.Tool {
		if err := s.takeOver(ctx); err != nil {
			return err
		}
	}
	s.pending.init()
	s.w = newWriter(s)
	if err := s.numbers.start(ctx, s); err != nil {
		return errors.Join(err, s.w.stop(0))
	}
	return nil
}

// Close writes what is queued, at most Options.CloseWait long, and closes.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.numbers.giveBack(s)
		s.closed = errors.Join(s.w.stop(s.opts.CloseWait), s.release())
	})
	return s.closed
}

func (s *Store) release() error {
	var errs []error
	if s.read != nil {
		errs = append(errs, s.read.close())
	}
	if s.write != nil {
		errs = append(errs, s.write.close())
	}
	errs = append(errs, s.lock.unlock())
	return errors.Join(errs...)
}

// makeFile makes the file for its owner alone: it holds people's data.
func makeFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// pool is a set of connections with the statements prepared on them.
type pool struct {
	db *sql.DB

	mu    sync.Mutex
	stmts map[string]*sql.Stmt
}

func openPool(ctx context.Context, path, extra string, size int) (*pool, error) {
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + extra +
		"&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &pool{db: db, stmts: map[string]*sql.Stmt{}}, nil
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
	p.stmts[query] = st
	return st, nil
}

func (p *pool) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := p.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// row runs a query of at most one row; none is ErrNotFound.
func (p *pool) row(ctx context.Context, query string, args []any, dest ...any) error {
	st, err := p.stmt(ctx, query)
	if err != nil {
		return err
	}
	if err := st.QueryRowContext(ctx, args...).Scan(dest...); errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	} else if err != nil {
		return err
	}
	return nil
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
	st, err := v.p.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return v.tx.StmtContext(ctx, st).QueryContext(ctx, args...)
}

// at runs do on one instant of the database.
func (p *pool) at(ctx context.Context, do func(querier) error) error {
	t, err := p.db.BeginTx(ctx, nil)
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

// inTx runs do in one transaction of the writing connection. exec runs a
// prepared statement in it.
func (p *pool) inTx(ctx context.Context, do func(tx *tx) error) error {
	t, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(&tx{ctx: ctx, sql: t, stmts: map[string]*sql.Stmt{}}); err != nil {
		return errors.Join(err, ignoreDone(t.Rollback()))
	}
	return t.Commit()
}

// tx is a transaction with its statements: prepared on the transaction, since
// the pool's only connection is taken by it.
type tx struct {
	ctx   context.Context
	sql   *sql.Tx
	stmts map[string]*sql.Stmt
}

func (t *tx) stmt(query string) (*sql.Stmt, error) {
	if st := t.stmts[query]; st != nil {
		return st, nil
	}
	st, err := t.sql.PrepareContext(t.ctx, query)
	if err != nil {
		return nil, err
	}
	t.stmts[query] = st // closed with the transaction
	return st, nil
}

func (t *tx) exec(query string, args ...any) (int64, error) {
	st, err := t.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := st.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (t *tx) row(query string, args []any, dest ...any) error {
	st, err := t.stmt(query)
	if err != nil {
		return err
	}
	if err := st.QueryRowContext(t.ctx, args...).Scan(dest...); errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	} else if err != nil {
		return err
	}
	return nil
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func positive(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// micros is an instant as it is stored; the zero time is NULL.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func instant(us sql.NullInt64) time.Time {
	if !us.Valid {
		return time.Time{}
	}
	return time.UnixMicro(us.Int64).UTC()
}

// Package store keeps what must outlive the process: customers with their
// history, the ledger of calls, dialogs of live legs, call numbers, standard
// answers, people who sign in and their sessions. It runs on an embedded SQLite
// file or on a Postgres database and is the only one that writes to either.
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
	"io"
	"sync"
	"time"

	"go.uber.org/zap"
)

// ErrNotFound says that there is no such row.
var ErrNotFound = errors.New("not found")

// ErrClosed says that the store is closed.
var ErrClosed = errors.New("store is closed")

// Options of Open.
type Options struct {
	// Path is the SQLite file; its folder is made when missing. Not used with
	// Postgres, else required.
	Path string
	// Postgres is the connection string of a Postgres database, "" for SQLite.
	// It may hold a password; no error repeats it.
	Postgres string
	Log      *zap.Logger // nil: silent
	// Tool opens the database beside a server that may be running: nothing is
	// closed or taken over, and a migration is refused while a server runs.
	Tool bool
	// Readers is the size of the reading pool, 4 when 0.
	Readers int
	// MaxQueued bounds the events of calls that wait in memory while the
	// database is away, 1,000,000 when 0. Past it events are dropped and
	// counted. When eight times as much waits, calls that arrive are not recorded
	// at all until half of it is written; their contacts are.
	MaxQueued int
	// CloseWait is how long Close goes on trying to write what is queued, 10 s
	// when 0.
	CloseWait time.Duration
	// KeepEnded is how many calls stay in memory after their end, for the
	// disposition and the note that follow it, 16,384 when 0. Older ones are read
	// back, which has to wait while the database is away.
	KeepEnded int
	// Spill is the file that takes what waits for the database, so that a crash
	// loses none of it (docs/adr/0021); "" for none. It holds people's data.
	Spill string
	// NumberKey is a keyed hash of a number (E.164), by which it is known that whoever
	// had it objected before he was erased; nil: nobody is remembered so.
	NumberKey func(e164 string) string

	backupDir string // of a Postgres database before a migration
	group     int    // customers in a transaction of an import; tests make it small
}

// database is the one that the options name.
func (o *Options) database() (database, error) {
	switch {
	case o.Postgres != "":
		return newPostgres(o)
	case o.Path != "":
		return newSQLite(o.Path, o.Tool)
	}
	return nil, errors.New("no path given")
}

// writers is the size of the writing pool where the database can have several:
// the ledger's writer, and who saves a login or a user meanwhile.
const writers = 3

// Store is the open database. Its methods may be called from any goroutine.
type Store struct {
	log     *zap.Logger
	opts    Options
	db      database
	lock    io.Closer // nil for a tool
	fence   fence
	spill   *spill // nil: none
	write   *pool
	read    *pool
	w       *writer
	numbers numbering
	pending overlay
	erased  erasures
	names   nameBook
	rebuild *rebuilder
	answers answerBook
	closing sync.Once

	deciding sync.Mutex // held while it is decided whether somebody may be contacted
	closed   error
}

// Open opens the store, makes or migrates an SQLite schema (after a backup copy;
// an older Postgres schema is refused, see Migrate), and unless Options.Tool is set takes it over: a second server on one database is
// refused, calls that an earlier process left open are closed as failed with
// reason "restart", and their dialogs are removed.
func Open(ctx context.Context, opts Options) (*Store, error) {
	if opts.Log == nil {
		opts.Log = zap.NewNop()
	}
	opts.Readers = positive(opts.Readers, 4)
	opts.MaxQueued = positive(opts.MaxQueued, 1_000_000)
	opts.KeepEnded = positive(opts.KeepEnded, 16_384)
	opts.CloseWait = time.Duration(positive(int(opts.CloseWait), int(10*time.Second)))
	s := &Store{log: opts.Log.Named("store"), opts: opts, fence: fence{lost: make(chan struct{})}, names: nameBook{turn: make(chan struct{}, 1)}}
	if err := s.open(ctx); err != nil {
		return nil, fmt.Errorf("store: %w", errors.Join(err, s.release()))
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	if s.db, err = s.opts.database(); err != nil {
		return err
	}
	if !s.opts.Tool {
		lock, err := s.db.lock(ctx)
		switch {
		case errors.Is(err, errLocked):
			return errors.New("another server has this store open")
		case err != nil:
			return fmt.Errorf("lock: %w", err)
		}
		s.lock = lock
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	if s.write, err = s.db.connect(ctx, toWrite, writers); err != nil {
		return err
	}
	if s.read, err = s.db.connect(ctx, toRead, s.opts.Readers); err != nil {
		return err
	}
	s.startRebuilder()
	if !s.opts.Tool {
		if err := s.fence.take(ctx, s.write); err != nil {
			return err
		}
		if s.write.pipeline != nil { // SQLite's lock dies with its holder and not before
			s.write.fence = s.fence.check
		}
		if err := s.recoverSpill(ctx); err != nil {
			return err
		}
		if err := s.takeOver(ctx); err != nil {
			return err
		}
	}
	s.pending.init()
	s.w = newWriter(s)
	if l, ok := s.lock.(*sessionLock); ok {
		l.ask(s.outlived)
	}
	if err := s.numbers.start(ctx, s); err != nil {
		return errors.Join(err, s.w.stop(0))
	}
	return nil
}

// Ping asks the database for a sign of life.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.read.db.PingContext(ctx); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	return nil
}

// Connections counts those open for reading and for writing.
func (s *Store) Connections() (read, write int) {
	return s.read.db.Stats().OpenConnections, s.write.db.Stats().OpenConnections
}

// Close writes what is queued, at most Options.CloseWait long, and closes.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.numbers.giveBack(s)
		s.closed = errors.Join(s.w.stop(s.opts.CloseWait), s.spill.close(), s.release())
	})
	return s.closed
}

func (s *Store) release() error {
	var errs []error
	s.rebuild.close()
	if s.read != nil {
		errs = append(errs, s.read.close())
	}
	if s.write != nil {
		errs = append(errs, s.write.close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
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

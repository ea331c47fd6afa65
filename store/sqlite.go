package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// lockSuffix is appended to the path: a server locks that file, not the
// database, whose own locks belong to SQLite.
const lockSuffix = ".lock"

// sqliteFile is the embedded database.
type sqliteFile struct {
	path string
	tool bool
}

// newSQLite makes the file for its owner alone: it holds people's data.
func newSQLite(path string, tool bool) (*sqliteFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return &sqliteFile{path, tool}, f.Close()
}

// writing is what only the writing connection needs. The log goes into the file
// every 4,000 pages (16 MB) instead of 1,000: most of them are the same few
// again and again, and each time costs two syncs; a reader finds up to so many in
// one table. What a statement would need to
// be undone stays in memory. What is deleted is written over, so that who is erased
// does not go on lying in free pages.
const writing = "&_pragma=wal_autocheckpoint(4000)&_pragma=temp_store(MEMORY)&_pragma=secure_delete(1)"

// How much of the file a connection keeps in memory, as far as it is needed. An
// import writes to as many places of several indexes as it has customers: what it
// does not find in memory it reads, and writes, again and again. The file is not
// mapped into memory: a bad sector would then end the process, and with it the
// calls.
const (
	memory       = "&_pragma=cache_size(-16000)"
	importMemory = "&_pragma=cache_size(-256000)"
)

// connect implements database. There is one writing connection, since SQLite
// has one writer.
func (l *sqliteFile) connect(ctx context.Context, use use, size int) (*pool, error) {
	extra, lookups := "_pragma=query_only(1)"+memory, size
	// What refers to a table that is made anew would go with the old one.
	references := 1
	switch {
	case use == toRead:
	case use == toMigrate:
		extra, size, lookups, references = "_txlock=immediate"+writing+importMemory, 1, 0, 0
	case l.tool:
		extra, size, lookups = "_txlock=immediate"+writing+importMemory, 1, 0
	default:
		extra, size, lookups = "_txlock=immediate"+writing+memory, 1, 0
	}
	size += lookups
	dsn := "file:" + (&url.URL{Path: l.path}).EscapedPath() + "?" + extra +
		"&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(" + strconv.Itoa(references) + ")"
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &pool{db: db, prepares: true, views: newViews(lookups)}, nil
}

// lock implements database.
func (l *sqliteFile) lock(context.Context) (io.Closer, error) {
	held, err := lockFile(l.path + lockSuffix)
	if err != nil {
		return nil, err
	}
	return held, nil
}

// refuses implements database: all but a file that is locked, a disk that is
// full, an attempt that took too long.
func (l *sqliteFile) refuses(err error) bool {
	for _, passing := range []error{context.DeadlineExceeded, context.Canceled, driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone} {
		if errors.Is(err, passing) {
			return false
		}
	}
	var se *sqlite.Error
	if !errors.As(err, &se) {
		return true
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG,
		sqlite3.SQLITE_RANGE, sqlite3.SQLITE_MISUSE, sqlite3.SQLITE_ERROR:
		return true
	}
	return false
}

// scrub implements database: the write-ahead log, which has pages as they were, is
// emptied into the file. Whoever reads the database meanwhile is waited for.
func (l *sqliteFile) scrub(ctx context.Context, whole bool) (err error) {
	p, err := l.connect(ctx, toMigrate, 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if whole { // releases before did not write over what they deleted
		if _, err := p.db.ExecContext(ctx, `VACUUM`); err != nil {
			return err
		}
	}
	for {
		var busy, log, done int
		if err := p.db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &done); err != nil {
			return err
		}
		if busy == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the write-ahead log is in use: %w", ctx.Err())
		case <-time.After(scrubEvery):
		}
	}
}

// scrubEvery is how often a log in use is tried again.
const scrubEvery = 50 * time.Millisecond

// search implements database.
func (l *sqliteFile) search() searchIndex { return ftsIndex{} }

//go:embed migrations/sqlite/*.sql
var sqliteMigrations embed.FS

// dialect implements migrator.
func (l *sqliteFile) dialect() goose.Dialect { return goose.DialectSQLite3 }

// steps implements migrator.
func (l *sqliteFile) steps() (fs.FS, error) { return fs.Sub(sqliteMigrations, "migrations/sqlite") }

// byItself implements migrator.
func (l *sqliteFile) byItself() bool { return true }

// backUp implements migrator: a copy beside the file, readable by its owner
// only.
func (l *sqliteFile) backUp(ctx context.Context, db *sql.DB, version int64) (string, error) {
	path := fmt.Sprintf("%s.schema%d-%s", l.path, version, time.Now().UTC().Format("20060102T150405.000000"))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	if err := f.Close(); err != nil {
		return "", err
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	return path, nil
}

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/store/storetest/pgtest"
)

// base is one kind of database that a store can run on.
type base interface {
	// create makes an empty database with the tables.
	create(ctx context.Context) (store.Options, error)
	// open opens it beside the store, with the settings that an import has.
	open(store.Options) (*sql.DB, error)
	// size is how many bytes it takes on disk.
	size(ctx context.Context, o store.Options) (int64, error)
	// settle has the database do what it would do by itself within minutes of an
	// import.
	settle(ctx context.Context, o store.Options) error
	// remove takes a database away.
	remove(ctx context.Context, o store.Options) error
	// journey is a question that reads nothing, of one parameter: what of a
	// look-up is the way to the database and back.
	journey() string
	// param is the n-th parameter of a statement, in order.
	param(n int) string
	close() error
}

func newBase(name, dir string) (base, error) {
	switch name {
	case "sqlite":
		return &sqliteBase{dir: dir}, nil
	case "postgres":
		// As it comes, durable, but for the one setting that its manual tells
		// everybody to change (20.4.1, shared_buffers): a quarter of the memory.
		buffers, err := quarterOfMemory()
		if err != nil {
			return nil, err
		}
		cluster, err := pgtest.Start(pgtest.Options{Durable: true, Settings: []string{"shared_buffers=" + buffers}})
		if err != nil {
			return nil, err
		}
		return &postgresBase{cluster}, nil
	}
	return nil, errors.New("unknown store")
}

// quarterOfMemory is how Postgres is told a quarter of this machine's memory.
func quarterOfMemory() (string, error) {
	var machine syscall.Sysinfo_t
	if err := syscall.Sysinfo(&machine); err != nil {
		return "", fmt.Errorf("sysinfo: %w", err)
	}
	return fmt.Sprintf("%dMB", machine.Totalram*uint64(machine.Unit)/4>>20), nil
}

type sqliteBase struct {
	dir  string
	made int
}

func (b *sqliteBase) create(ctx context.Context) (store.Options, error) {
	b.made++
	o := store.Options{Path: filepath.Join(b.dir, "cordboard"+strconv.Itoa(b.made)+".db")}
	s, err := store.Open(ctx, o)
	if err != nil {
		return o, err
	}
	return o, s.Close()
}

func (b *sqliteBase) open(o store.Options) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: o.Path}).EscapedPath()+"?_txlock=immediate"+
		"&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)"+
		"&_pragma=cache_size(-256000)&_pragma=wal_autocheckpoint(4000)&_pragma=temp_store(MEMORY)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func (b *sqliteBase) size(_ context.Context, o store.Options) (int64, error) {
	info, err := os.Stat(o.Path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// settle implements base: whoever closes an SQLite file last leaves nothing to do.
func (b *sqliteBase) settle(context.Context, store.Options) error { return nil }

func (b *sqliteBase) remove(_ context.Context, o store.Options) error { return os.Remove(o.Path) }

func (b *sqliteBase) journey() string { return "SELECT ?" }

func (b *sqliteBase) param(int) string { return "?" }

func (b *sqliteBase) close() error { return nil }

type postgresBase struct{ cluster *pgtest.Cluster }

func (b *postgresBase) create(ctx context.Context) (store.Options, error) {
	name, err := b.cluster.Create("")
	if err != nil {
		return store.Options{}, err
	}
	o := store.Options{Postgres: b.cluster.URL(name)}
	_, err = store.Migrate(ctx, o, store.MigrateOptions{})
	return o, err
}

func (b *postgresBase) open(o store.Options) (*sql.DB, error) {
	db, err := sql.Open("pgx", o.Postgres+"&enable_seqscan=off&enable_hashjoin=off&enable_mergejoin=off")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

func (b *postgresBase) size(ctx context.Context, o store.Options) (n int64, err error) {
	db, err := b.open(o)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.QueryRowContext(ctx, "SELECT pg_database_size(current_database())").Scan(&n); err != nil {
		return 0, fmt.Errorf("size: %w", err)
	}
	return n, nil
}

// settle implements base: what autovacuum would do beside the look-ups, and the
// writing of what the import changed.
func (b *postgresBase) settle(ctx context.Context, o store.Options) error {
	return b.exec(ctx, o, "VACUUM (ANALYZE)", "CHECKPOINT")
}

func (b *postgresBase) remove(ctx context.Context, o store.Options) error {
	u, err := url.Parse(o.Postgres)
	if err != nil {
		return err
	}
	return b.exec(ctx, store.Options{Postgres: b.cluster.URL("postgres")}, `DROP DATABASE "`+strings.TrimPrefix(u.Path, "/")+`" WITH (FORCE)`)
}

func (b *postgresBase) exec(ctx context.Context, o store.Options, queries ...string) (err error) {
	db, err := b.open(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, q := range queries {
		if _, err := db.ExecContext(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", q, err)
		}
	}
	return nil
}

func (b *postgresBase) journey() string { return "SELECT CAST($1 AS TEXT)" }

func (b *postgresBase) param(n int) string { return "$" + strconv.Itoa(n) }

func (b *postgresBase) close() error { return b.cluster.Stop() }

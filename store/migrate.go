package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"go.uber.org/zap"
)

// migrator is what migrations need of a database.
type migrator interface {
	dialect() goose.Dialect
	steps() (fs.FS, error)
	// byItself tells whether opening brings an older schema up, or leaves that
	// to Migrate.
	byItself() bool
	// backUp copies the whole database and says where to.
	backUp(ctx context.Context, db *sql.DB, version int64) (string, error)
}

// Schema is how a database's schema stands.
type Schema struct {
	Have, Want int64  // the database's version, and this program's
	Backup     string // the copy made before a migration, "" for none
}

// MigrateOptions of Migrate.
type MigrateOptions struct {
	// NoBackup migrates a database with data without a copy: there is one
	// already.
	NoBackup bool
	// BackupDir is where a copy of a Postgres database goes; one of an SQLite
	// file goes beside it.
	BackupDir string
}

// SchemaOf reads the schema's version and changes nothing.
func SchemaOf(ctx context.Context, opts Options) (Schema, error) {
	var out Schema
	err := onSchema(ctx, opts, func(s *Store, steps *goose.Provider) (err error) {
		out.Have, out.Want, err = steps.GetVersions(ctx)
		return err
	})
	if err != nil {
		return out, fmt.Errorf("store: schema version: %w", err)
	}
	return out, nil
}

// Migrate makes the schema or brings an older one up to this program's, after a
// copy of what is there. No server may have the database open. A schema that is
// newer is refused.
func Migrate(ctx context.Context, opts Options, how MigrateOptions) (Schema, error) {
	var out Schema
	opts.backupDir = how.BackupDir
	err := onSchema(ctx, opts, func(s *Store, steps *goose.Provider) (err error) {
		out, err = s.up(ctx, steps, !how.NoBackup)
		return err
	})
	if err != nil {
		return out, fmt.Errorf("store: %w", err)
	}
	return out, nil
}

// onSchema opens no more of the database than migrations need.
func onSchema(ctx context.Context, opts Options, do func(*Store, *goose.Provider) error) (err error) {
	if opts.Log == nil {
		opts.Log = zap.NewNop()
	}
	opts.Tool = true
	s := &Store{log: opts.Log.Named("store"), opts: opts}
	defer func() { err = errors.Join(err, s.release()) }()
	if s.db, err = s.opts.database(); err != nil {
		return err
	}
	if s.write, err = s.db.connect(ctx, toMigrate, 1); err != nil {
		return err
	}
	files, err := s.db.steps()
	if err != nil {
		return err
	}
	steps, err := goose.NewProvider(s.db.dialect(), s.write.db, files)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	return do(s, steps)
}

// begin migrates on a connection of its own, before there is another.
func (s *Store) begin(ctx context.Context) (err error) {
	steps, err := s.db.steps()
	if err != nil {
		return err
	}
	if s.write, err = s.db.connect(ctx, toMigrate, 1); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, s.write.close())
		s.write = nil
	}()
	return s.migrate(ctx, steps)
}

// migrate brings the schema to this program's version, or says which command
// does. A newer one is refused and left alone.
func (s *Store) migrate(ctx context.Context, dir fs.FS) error {
	steps, err := goose.NewProvider(s.db.dialect(), s.write.db, dir)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	have, want, err := steps.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("schema version: %w", err)
	}
	if have < want && !s.db.byItself() {
		return fmt.Errorf("the database has schema %d, this program needs %d: run \"cordboard migrate up\" first", have, want)
	}
	_, err = s.up(ctx, steps, true)
	return err
}

// up runs what is missing, with the lock of the one server held.
func (s *Store) up(ctx context.Context, steps *goose.Provider, backup bool) (out Schema, err error) {
	if out.Have, out.Want, err = steps.GetVersions(ctx); err != nil {
		return out, fmt.Errorf("schema version: %w", err)
	}
	switch {
	case out.Have == out.Want:
		return out, nil
	case out.Have > out.Want:
		return out, fmt.Errorf("the database has schema %d, this program knows %d: it was last used by a newer version, use that one", out.Have, out.Want)
	}
	if s.opts.Tool {
		lock, taken := s.db.lock(ctx)
		if taken != nil {
			return out, fmt.Errorf("the database has schema %d and needs %d, and a server has it open: stop the server first: %w", out.Have, out.Want, taken)
		}
		defer func() { err = errors.Join(err, lock.Close()) }()
	}
	if out.Have > 0 && backup {
		if out.Backup, err = s.db.backUp(ctx, s.write.db, out.Have); err != nil {
			return out, fmt.Errorf("backup before migration: %w", err)
		}
		s.log.Info("schema will be migrated", zap.Int64("from", out.Have), zap.Int64("to", out.Want), zap.String("backup", out.Backup))
	}
	if out.Have > 0 { // a server that lost its lock must not go on by the old schema
		if err := new(fence).take(ctx, s.write); err != nil {
			return out, err
		}
	}
	if _, err := steps.Up(ctx); err != nil {
		return out, fmt.Errorf("migrate from schema %d to %d: %w", out.Have, out.Want, err)
	}
	return out, nil
}

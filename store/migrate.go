package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/pressly/goose/v3"
	"go.uber.org/zap"
)

//go:embed migrations/sqlite/*.sql
var migrations embed.FS

// schema is the migrations of this database.
func schema() (fs.FS, error) { return fs.Sub(migrations, "migrations/sqlite") }

// migrate brings the schema to this program's version. A schema that holds data
// is copied first; a newer one is refused and left alone.
func (s *Store) migrate(ctx context.Context, dir fs.FS) (err error) {
	steps, err := goose.NewProvider(goose.DialectSQLite3, s.write.db, dir)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	have, want, err := steps.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("schema version: %w", err)
	}
	switch {
	case have == want:
		return nil
	case have > want:
		return fmt.Errorf("the database has schema %d, this program knows %d: it was last used by a newer version, use that one", have, want)
	}
	if s.opts.Tool {
		lock, err := lockFile(s.opts.Path + lockSuffix)
		if err != nil {
			return fmt.Errorf("the database has schema %d and needs %d, and a server has it open: stop the server first: %w", have, want, err)
		}
		defer func() { err = errors.Join(err, lock.unlock()) }()
	}
	if have > 0 {
		copied, err := s.backUp(ctx, have)
		if err != nil {
			return fmt.Errorf("backup before migration: %w", err)
		}
		s.log.Info("schema will be migrated", zap.Int64("from", have), zap.Int64("to", want), zap.String("backup", copied))
	}
	if _, err := steps.Up(ctx); err != nil {
		return fmt.Errorf("migrate from schema %d to %d: %w", have, want, err)
	}
	return nil
}

// backUp copies the whole database beside itself, readable by its owner only.
func (s *Store) backUp(ctx context.Context, version int64) (string, error) {
	path := fmt.Sprintf("%s.schema%d-%s", s.opts.Path, version, time.Now().UTC().Format("20060102T150405.000000"))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	if err := f.Close(); err != nil {
		return "", err
	}
	if _, err := s.write.db.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	return path, nil
}

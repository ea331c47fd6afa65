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
	// backUp copies the whole database and says where to.
	backUp(ctx context.Context, db *sql.DB, version int64) (string, error)
}

// migrate brings the schema to this program's version. A schema that holds data
// is copied first; a newer one is refused and left alone.
func (s *Store) migrate(ctx context.Context, dir fs.FS) (err error) {
	steps, err := goose.NewProvider(s.db.dialect(), s.write.db, dir)
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
		lock, err := s.db.lock(ctx)
		if err != nil {
			return fmt.Errorf("the database has schema %d and needs %d, and a server has it open: stop the server first: %w", have, want, err)
		}
		defer func() { err = errors.Join(err, lock.Close()) }()
	}
	if have > 0 {
		copied, err := s.db.backUp(ctx, s.write.db, have)
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

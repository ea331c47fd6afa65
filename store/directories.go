package store

import (
	"context"
	"fmt"
	"time"
)

const (
	qAddDirectory = `INSERT INTO routing_directories (sha256, directory, saved_at) VALUES ($1, $2, $3) ON CONFLICT (sha256) DO NOTHING`
	qDirectory    = `SELECT directory FROM routing_directories WHERE sha256 = $1`
)

// SaveDirectory keeps a directory of agents under its hash, for good. One that
// is there already stays as it is.
func (s *Store) SaveDirectory(ctx context.Context, sha256 string, directory []byte) error {
	err := s.write.inTx(ctx, func(t *tx) error {
		_, err := t.exec(qAddDirectory, sha256, directory, time.Now().UnixMicro())
		return err
	})
	if err != nil {
		return fmt.Errorf("store: save directory: %w", err)
	}
	return nil
}

// Directory reads the directory of a hash; ErrNotFound when it was never saved.
func (s *Store) Directory(ctx context.Context, sha256 string) ([]byte, error) {
	var directory []byte
	if err := s.read.row(ctx, qDirectory, []any{sha256}, &directory); err != nil {
		return nil, fmt.Errorf("store: directory %.12s: %w", sha256, err)
	}
	return directory, nil
}

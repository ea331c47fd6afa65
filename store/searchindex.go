package store

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
)

const (
	indexTogether = 200             // interactions in a transaction
	gonesTogether = 25              // taking terms out costs more than putting them in
	indexEvery    = 2 * time.Second // it is looked for new ones
)

// KeepIndexed gives new interactions their terms, and takes out those of what is
// gone, until the context ends: after whoever writes them, who waits for none of it.
// It leaves the database to others for as long as it has it.
func (s *Store) KeepIndexed(ctx context.Context) {
	failing := false
	for {
		began := time.Now()
		more, err := s.indexSome(ctx)
		pause := indexEvery
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if !failing {
				s.log.Warn("interactions are not indexed for the search at the moment; it is tried again", zap.Error(err))
			}
		case more:
			pause = time.Since(began)
		}
		failing = err != nil
		if !wait(ctx, pause) {
			return
		}
	}
}

// Indexed does what KeepIndexed would, all of it at once.
func (s *Store) Indexed(ctx context.Context) error {
	for {
		if more, err := s.indexSome(ctx); err != nil || !more {
			return err
		}
	}
}

// indexSome does one transaction's worth, if there is anything; more says that there was.
func (s *Store) indexSome(ctx context.Context) (more bool, err error) {
	index := s.db.search()
	var n int
	todo, err := index.unindexed(ctx, s.read, 1)
	if err == nil && todo > 0 {
		err = s.write.inTx(ctx, func(t *tx) (err error) {
			n, err = index.add(t, indexTogether)
			return err
		})
		if err == nil && n > 0 {
			return true, nil
		}
	}
	if err == nil {
		n, err = s.forgetTerms(ctx, nil)
	}
	if err != nil {
		return false, fmt.Errorf("store: search index: %w", err)
	}
	return n > 0, nil
}

// forgetTerms takes out some terms of what is gone, of everybody's or one's.
func (s *Store) forgetTerms(ctx context.Context, whose *string) (n int, err error) {
	gone, err := s.db.search().gone(ctx, s.read)
	if err != nil || !gone {
		return 0, err
	}
	err = s.write.inTx(ctx, func(t *tx) (err error) {
		n, err = s.db.search().remove(t, whose, gonesTogether)
		return err
	})
	return n, err
}

// forgetAllTerms leaves no term of what is gone of these customers, and of nobody's.
func (s *Store) forgetAllTerms(ctx context.Context, customers []string) error {
	for _, whose := range append([]string{""}, customers...) {
		for {
			n, err := s.forgetTerms(ctx, &whose)
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
		}
	}
	return nil
}

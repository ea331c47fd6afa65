package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// DoNotCallList is a list of numbers that want no calls, as a register publishes it.
type DoNotCallList struct {
	Name     string
	Numbers  int64
	Imported time.Time
}

// ErrOtherImport ends the import of a do-not-call list when another of the same list
// has begun.
var ErrOtherImport = errors.New("another import of this list has begun")

const (
	qLists = `SELECT name, numbers, imported_at FROM do_not_call_lists WHERE imported_at IS NOT NULL ORDER BY name`
	// The lists are few, and each asks one place of the numbers.
	qListed = `SELECT name FROM do_not_call_lists l WHERE l.imported_at IS NOT NULL
		AND EXISTS (SELECT 1 FROM do_not_call n WHERE n.generation = l.generation AND n.number = $1) ORDER BY name LIMIT 1`
	qBeginList = `INSERT INTO do_not_call_lists (name, generation, other, numbers) VALUES ($1, 0, $2, 0)
		ON CONFLICT (name) DO UPDATE SET other = excluded.other`
	qGenerations = `SELECT generation, other FROM do_not_call_lists WHERE name = $1`
	qHoldList    = `UPDATE do_not_call_lists SET other = other WHERE name = $1 AND other = $2`
	qEndList     = `UPDATE do_not_call_lists SET generation = other, other = generation, numbers = $3, imported_at = $4 WHERE name = $1 AND other = $2`
	qEmptyList   = `UPDATE do_not_call_lists SET imported_at = NULL WHERE name = $1`
	qDropList    = `DELETE FROM do_not_call_lists WHERE name = $1`
	qSaveListed  = `INSERT INTO do_not_call (generation, number) VALUES ($1, $2)`
	qDropSlice   = `DELETE FROM do_not_call WHERE generation = $1 AND number IN
		(SELECT number FROM do_not_call WHERE generation = $1 ORDER BY number LIMIT $2)`
	// listSlice numbers are written in one transaction: a server beside the import
	// waits for one at most.
	listSlice = 10_000
)

var (
	listedColumns = []string{"generation", "number"}
	saveListed    = rowsOf(qSaveListed, 2, 500, 50, 1)
)

// ListNumber is a number (E.164) as do-not-call lists have it.
func ListNumber(e164 string) (int64, error) {
	return strconv.ParseInt(strings.TrimPrefix(e164, "+"), 10, 64)
}

// DoNotCallLists are those in force.
func (s *Store) DoNotCallLists(ctx context.Context) (out []DoNotCallList, err error) {
	err = s.read.ask(ctx, qLists, nil, func(row scanner) error {
		var l DoNotCallList
		var at sql.NullInt64
		err := row.Scan(&l.Name, &l.Numbers, &at)
		l.Imported = instant(at)
		out = append(out, l)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: do-not-call lists: %w", err)
	}
	return out, nil
}

// Listed is the first do-not-call list that has one of the numbers, "" for none.
func (s *Store) Listed(ctx context.Context, numbers ...string) (list string, err error) {
	for _, e164 := range numbers {
		n, err := ListNumber(e164)
		if err != nil {
			continue // no such number is on any
		}
		switch err := s.read.row(ctx, qListed, []any{n}, &list); {
		case err == nil:
			return list, nil
		case !errors.Is(err, ErrNotFound):
			return "", fmt.Errorf("store: do-not-call lists: %w", err)
		}
	}
	return "", nil
}

// ImportDoNotCall puts numbers in the place of all that a list had. They must be sorted,
// each once. The old ones are in force until all are written, and again the old ones
// where that was cut off. wrote is told how many there are so far.
func (s *Store) ImportDoNotCall(ctx context.Context, list string, numbers []int64, wrote func(int)) error {
	if err := s.importDoNotCall(ctx, list, numbers, wrote); err != nil {
		return fmt.Errorf("store: do-not-call list %s: %w", list, err)
	}
	return nil
}

func (s *Store) importDoNotCall(ctx context.Context, list string, numbers []int64, wrote func(int)) error {
	mine := time.Now().UnixMicro() // a generation of its own
	var old, left int64            // left: of an import that was cut off, or in force before the last
	err := s.write.inTx(ctx, func(t *tx) error {
		err := t.row(qGenerations, []any{list}, &old, &left)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		mine = max(mine, old+1, left+1)
		return t.put(qBeginList, list, mine)
	})
	if err != nil {
		return err
	}
	if err := s.dropGeneration(ctx, left); err != nil {
		return err
	}
	done := 0
	for some := range slices.Chunk(numbers, listSlice) {
		if err := s.write.inTx(ctx, func(t *tx) error { return saveSlice(t, list, mine, some) }); err != nil {
			return err
		}
		done += len(some)
		wrote(done)
	}
	err = s.write.inTx(ctx, func(t *tx) error {
		n, err := t.exec(qEndList, list, mine, len(numbers), time.Now().UnixMicro())
		if err == nil && n == 0 {
			err = ErrOtherImport
		}
		return err
	})
	if err != nil {
		return err
	}
	// The list is another now. Where this is cut off, the next import does the rest.
	if err := s.dropGeneration(ctx, old); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

// saveSlice writes some numbers of a generation, as long as no other import of the list
// has begun.
func saveSlice(t *tx, list string, generation int64, some []int64) error {
	n, err := t.exec(qHoldList, list, generation)
	if err == nil && n == 0 {
		err = ErrOtherImport
	}
	if err != nil {
		return err
	}
	values := func(some []int64) []any {
		out := make([]any, 0, 2*len(some))
		for _, n := range some {
			out = append(out, generation, n)
		}
		return out
	}
	if t.p.copyIn != nil {
		if err := t.send(); err != nil {
			return err
		}
		return t.p.copyIn(t.ctx, t.conn, "do_not_call", listedColumns, values(some))
	}
	return inRows(saveListed, some, func(query string, some []int64) error { return t.put(query, values(some)...) })
}

// dropGeneration removes numbers that are in force no more, some at a time.
func (s *Store) dropGeneration(ctx context.Context, generation int64) error {
	for gone := int64(listSlice); generation != 0 && gone == listSlice; {
		err := s.write.inTx(ctx, func(t *tx) (err error) {
			gone, err = t.exec(qDropSlice, generation, listSlice)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// RemoveDoNotCall ends a list; ErrNotFound when there is none.
func (s *Store) RemoveDoNotCall(ctx context.Context, list string) error {
	var both [2]int64
	err := s.write.inTx(ctx, func(t *tx) error {
		if err := t.row(qGenerations, []any{list}, &both[0], &both[1]); err != nil {
			return err
		}
		return t.put(qEmptyList, list)
	})
	for _, generation := range both {
		if err == nil {
			err = s.dropGeneration(ctx, generation)
		}
	}
	if err == nil {
		err = s.write.inTx(ctx, func(t *tx) error { return t.put(qDropList, list) })
	}
	if err != nil {
		return fmt.Errorf("store: do-not-call list %s: %w", list, err)
	}
	return nil
}

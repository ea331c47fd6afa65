package store

import (
	"context"
	"database/sql"
	"errors"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer/fulltext"
)

// ftsIndex is SQLite's FTS5. An interaction's terms lie under a number that grows
// with its time, since FTS5 reads what it finds in that order: so the newest of a
// word that a million have are there at once.
type ftsIndex struct{}

const (
	qUnindexedSQLite = `SELECT COUNT(*) FROM (SELECT 1 FROM interactions WHERE search_no IS NULL LIMIT CAST($1 AS INTEGER))`
	qNextUnindexed   = `SELECT rowid, customer, id, at, title, detail, note FROM interactions WHERE search_no IS NULL
		ORDER BY rowid DESC LIMIT CAST($1 AS INTEGER)`
	qNumberTaken = `SELECT (SELECT COUNT(*) FROM interactions WHERE search_no = $1), (SELECT terms FROM interaction_terms WHERE rowid = $1)`
	qNumberGiven = `UPDATE interactions SET search_no = $2 WHERE rowid = $1`
	qAddTerms    = `INSERT INTO interaction_terms (rowid, terms) VALUES ($1, $2)`
	qDropTerms   = `DELETE FROM interaction_terms WHERE rowid = $1`
	qGoneAny     = `SELECT no FROM search_gone LIMIT 1`
	qGone        = `SELECT no FROM search_gone LIMIT CAST($1 AS INTEGER)`
	qGoneOf      = `SELECT no FROM search_gone WHERE customer = $2 LIMIT CAST($1 AS INTEGER)`
	qDropGone    = `DELETE FROM search_gone WHERE no = $1`
	qFindSQLite  = `FROM interaction_terms t CROSS JOIN interactions i
		WHERE interaction_terms MATCH $1 AND t.rowid < $2 AND t.rowid >= $3 AND i.search_no = t.rowid
		ORDER BY t.rowid DESC LIMIT CAST($4 AS INTEGER)`
)

// A number is the millisecond of the interaction and 20 bits of its own.
const (
	numberBits = 20
	lastMilli  = int64(1)<<43 - 1
)

// firstNumber is the lowest of an instant.
func firstNumber(at time.Time) int64 {
	return max(0, min(at.UnixMilli(), lastMilli)) << numberBits
}

// unindexed implements searchIndex.
func (ftsIndex) unindexed(ctx context.Context, p querier, most int) (n int, err error) {
	err = each(ctx, p, qUnindexedSQLite, []any{most}, func(row *sql.Rows) error { return row.Scan(&n) })
	return n, err
}

// unindexedRow is an interaction without a number.
type unindexedRow struct {
	row, number int64
	terms       string
}

// add implements searchIndex. FTS5 takes them best in the order of their numbers.
func (x ftsIndex) add(t *tx, most int) (int, error) {
	var all []unindexedRow
	err := each(t.ctx, t, qNextUnindexed, []any{most}, func(row *sql.Rows) error {
		var r unindexedRow
		var customer, id, title, detail, note string
		var at int64
		err := row.Scan(&r.row, &customer, &id, &at, &title, &detail, &note)
		own := fnv.New32a()
		_, _ = own.Write([]byte(customer + "\x00" + id)) // never fails
		r.number = firstNumber(time.UnixMicro(at)) | int64(own.Sum32()>>(32-numberBits))
		r.terms = strings.Join(fulltext.Terms(title, detail, note), " ")
		all = append(all, r)
		return err
	})
	if err != nil {
		return 0, err
	}
	slices.SortFunc(all, func(a, b unindexedRow) int { return int(min(1, max(-1, a.number-b.number))) })
	for i := range all {
		if err := x.give(t, &all[i]); err != nil {
			return 0, err
		}
	}
	return len(all), nil
}

// give gives an interaction the first number that is free, from its own in steps of
// a millisecond: of one date a million may come. Under a number of one that is gone
// lie its terms still: mostly they are the same, of the same interaction, which an
// import has written anew.
func (ftsIndex) give(t *tx, r *unindexedRow) error {
	for {
		var taken int
		var terms sql.NullString
		if err := t.row(qNumberTaken, []any{r.number}, &taken, &terms); err != nil {
			return err
		}
		if taken > 0 {
			r.number += 1 << numberBits
			continue
		}
		if terms.Valid {
			if err := t.put(qDropGone, r.number); err != nil {
				return err
			}
		}
		if terms.Valid && terms.String != r.terms {
			if err := t.put(qDropTerms, r.number); err != nil {
				return err
			}
		}
		if terms.String != r.terms || !terms.Valid {
			if err := t.put(qAddTerms, r.number, r.terms); err != nil {
				return err
			}
		}
		return t.put(qNumberGiven, r.row, r.number)
	}
}

// gone implements searchIndex.
func (ftsIndex) gone(ctx context.Context, p querier) (any bool, err error) {
	err = each(ctx, p, qGoneAny, nil, func(*sql.Rows) error { any = true; return nil })
	return any, err
}

// remove implements searchIndex.
func (ftsIndex) remove(t *tx, whose *string, most int) (int, error) {
	query, args := qGone, []any{most}
	if whose != nil {
		query, args = qGoneOf, []any{most, *whose}
	}
	var all []int64
	err := each(t.ctx, t, query, args, func(row *sql.Rows) error {
		var no int64
		err := row.Scan(&no)
		all = append(all, no)
		return err
	})
	for _, no := range all {
		err = errors.Join(err, t.put(qDropTerms, no), t.put(qDropGone, no))
	}
	return len(all), err
}

// find implements searchIndex: the places are numbers.
func (ftsIndex) find(ctx context.Context, p querier, s *Search, after string, most int) (out []candidate, err error) {
	from, to := int64(0), int64(1<<63-1)
	if !s.Since.IsZero() {
		from = firstNumber(s.Since)
	}
	if !s.Until.IsZero() {
		to = firstNumber(s.Until.Add(time.Millisecond + numbersAstray))
	}
	if after != "" {
		no, err := strconv.ParseInt(after, 10, 64)
		if err != nil {
			return nil, ErrBadPlace
		}
		to = min(to, no)
	}
	query := `SELECT t.rowid, i.customer, ` + interactionColumns("i.") + qFindSQLite
	err = each(ctx, p, query, []any{ftsQuery(s.Query), to, from, most}, func(row *sql.Rows) (err error) {
		var c candidate
		c.Interaction, err = scanInteraction(behind{behind{row, &c.place}, &c.Customer})
		out = append(out, c)
		return err
	})
	return out, err
}

// numbersAstray is how far beyond its instant a number is looked for: of a million
// interactions of one millisecond some have that of another.
const numbersAstray = time.Minute

// ftsQuery says in FTS5's words which terms must be there.
func ftsQuery(q *fulltext.Query) string {
	var b strings.Builder
	for i, any := range q.Terms() {
		if i > 0 {
			b.WriteString(" AND ")
		}
		b.WriteString(`("` + strings.Join(any, `" OR "`) + `")`)
	}
	return b.String()
}

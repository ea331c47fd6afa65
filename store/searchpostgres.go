package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cordboard/cordboard/screenpop/customer/fulltext"
)

// tsIndex is a tsvector beside each interaction: rare words are found by its GIN
// index, common ones by reading the newest. It goes with the row.
type tsIndex struct{}

const (
	qUnindexedPostgres = `SELECT COUNT(*) FROM (SELECT 1 FROM interactions WHERE terms IS NULL LIMIT $1) AS waiting`
	// What an import has in hand is left for later: neither waits for the other.
	qNextWithoutTerms = `SELECT customer, id, title, detail, note FROM interactions WHERE terms IS NULL
		ORDER BY at DESC LIMIT $1 FOR UPDATE SKIP LOCKED`
	qGiveTerms = `UPDATE interactions SET terms = array_to_tsvector(string_to_array($3, ' ')) WHERE customer = $1 AND id = $2`
)

// unindexed implements searchIndex.
func (tsIndex) unindexed(ctx context.Context, p querier, most int) (n int, err error) {
	err = each(ctx, p, qUnindexedPostgres, []any{most}, func(row *sql.Rows) error { return row.Scan(&n) })
	return n, err
}

// add implements searchIndex.
func (tsIndex) add(t *tx, most int) (n int, err error) {
	var rows [][3]string
	err = each(t.ctx, t, qNextWithoutTerms, []any{most}, func(row *sql.Rows) error {
		var customer, id, title, detail, note string
		err := row.Scan(&customer, &id, &title, &detail, &note)
		rows = append(rows, [3]string{customer, id, strings.Join(fulltext.Terms(title, detail, note), " ")})
		return err
	})
	for _, r := range rows {
		if err == nil {
			err = t.put(qGiveTerms, r[0], r[1], r[2])
		}
	}
	return len(rows), err
}

// gone implements searchIndex: terms are gone with their interactions.
func (tsIndex) gone(context.Context, querier) (bool, error) { return false, nil }

// remove implements searchIndex.
func (tsIndex) remove(*tx, *string, int) (int, error) { return 0, nil }

// find implements searchIndex.
func (tsIndex) find(ctx context.Context, p querier, s *Search, after string, most int) ([]candidate, error) {
	place, err := placeOf(after)
	if err != nil {
		return nil, err
	}
	var span string
	if !s.Since.IsZero() {
		span = fmt.Sprintf(" AND at >= %d", s.Since.UnixMicro())
	}
	if !s.Until.IsZero() {
		span += fmt.Sprintf(" AND at < %d", s.Until.Add(time.Microsecond-1).UnixMicro())
	}
	// How rare the words are, and how much is wanted, decides the plan: so they stand in
	// the statement, which is not kept. They are letters and digits.
	query := fmt.Sprintf(`SELECT customer, %sFROM interactions WHERE terms @@ '%s'::tsquery%s%s%d`,
		interactionColumns(""), tsQuery(s.Query), span, qAfterPlace, most)
	return candidates(ctx, p, query, []any{pgx.QueryExecModeExec, place.at, place.customer, place.id})
}

// tsQuery says in Postgres' words which terms must be there.
func tsQuery(q *fulltext.Query) string {
	var b strings.Builder
	for i, any := range q.Terms() {
		if i > 0 {
			b.WriteString(" & ")
		}
		b.WriteString("(" + strings.Join(any, " | ") + ")")
	}
	return b.String()
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// Merge says that two customers are one: the record of Whole shows what Other has
// too, and the numbers of both lead to it. Each keeps what is his.
type Merge struct {
	ID    int64 // by which it is undone
	Kept  string
	Other string
	Whole string // Kept, or whom he was merged into in his turn
	By    customer.Colleague
	At    time.Time
}

// mostAccounts are how many customers may be one: a look-up reads each of them when
// one has changed.
const mostAccounts = 20

// MergeRefused says why two customers can't be merged, or told apart. Code is same
// (they are one already), merged (the other is part of somebody else) or too_many.
type MergeRefused struct{ Code, Why string }

func (e *MergeRefused) Error() string { return e.Why }

// NoCustomerError is an ErrNotFound that says who is not there.
type NoCustomerError struct{ ID string }

func (e *NoCustomerError) Error() string { return fmt.Sprintf("there is no customer %q", e.ID) }

// Is makes it an ErrNotFound.
func (e *NoCustomerError) Is(target error) bool { return target == ErrNotFound }

const (
	// So many numbers of merges, and with 0 none: whoever merges, undoes or erases
	// waits here for whoever does.
	qTakeMerges = `INSERT INTO counters (name, value) VALUES ('merges', $1)
		ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value RETURNING value`
	mergeColumns = `SELECT id, kept, other, whole, agent, agent_name, at FROM customer_merges `
	qMerge       = mergeColumns + `WHERE id = $1`
	qMergeOf     = mergeColumns + `WHERE other = $1`
	qMergesInto  = mergeColumns + `WHERE whole = $1 ORDER BY id`
	qMerges      = mergeColumns + `ORDER BY id DESC LIMIT CAST($1 AS INTEGER)`
	qMergedInto  = `SELECT other, whole FROM customer_merges`
	qSaveMerge   = `INSERT INTO customer_merges (id, kept, other, whole, agent, agent_name, at) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	qDropMerge   = `DELETE FROM customer_merges WHERE id = $1`
	qMoveMerge   = `UPDATE customer_merges SET whole = $2 WHERE id = $1`
	qMergesOf    = `DELETE FROM customer_merges WHERE other = $1 OR kept = $1`
	// A number leads to the row whose key it has.
	qLeadTo = `UPDATE customer_numbers SET key = (SELECT c.key FROM customers c WHERE c.id = $2) WHERE customer = $1`

	qSaveApart = `INSERT INTO customers_apart (one, other, agent, agent_name, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (one, other) DO NOTHING`
	qDropApart = `DELETE FROM customers_apart WHERE one = $1 AND other = $2`
	qApartOf   = `DELETE FROM customers_apart WHERE one = $1 OR other = $1`

	// Whose record shows a customer, when it is not his own.
	qRaiseWhole = `UPDATE customers SET version = version + 1, changed_at = $2
		WHERE id IN (SELECT m.whole FROM customer_merges m WHERE m.other = $1)`
)

// Merge makes one customer part of another's record, who is that of the whole he
// belongs to himself. What is written of either from now on stays with whom it names.
func (s *Store) Merge(ctx context.Context, kept, other string, by customer.Colleague, at time.Time) (Merge, error) {
	return s.merge(ctx, kept, other, by, at, false)
}

// CheckMerge says what Merge would do, and does nothing.
func (s *Store) CheckMerge(ctx context.Context, kept, other string) (Merge, error) {
	return s.merge(ctx, kept, other, customer.Colleague{}, time.Now(), true)
}

var errChecked = errors.New("nothing is to be written")

func (s *Store) merge(ctx context.Context, kept, other string, by customer.Colleague, at time.Time, check bool) (m Merge, err error) {
	m = Merge{Other: other, By: by, At: at.UTC().Truncate(time.Microsecond)}
	err = s.write.inTx(ctx, func(t *tx) error {
		if err := t.row(qTakeMerges, []any{1}, &m.ID); err != nil {
			return err
		}
		group, err := mergeable(t, kept, other)
		if err != nil {
			return err
		}
		m.Kept, m.Whole = group, group
		if err := m.fits(t); err != nil {
			return err
		}
		if check {
			return errChecked
		}
		return m.write(t)
	})
	if errors.Is(err, errChecked) {
		return m, nil
	}
	if err != nil {
		return Merge{}, fmt.Errorf("store: merge: %w", err)
	}
	return m, nil
}

// mergeable holds both customers' rows, and gives whose record the first is part of.
func mergeable(t *tx, kept, other string) (whole string, err error) {
	if whole, err = wholeOf(t, kept); err != nil {
		return "", err
	}
	switch of, err := wholeOf(t, other); {
	case err != nil:
		return "", err
	case of == whole:
		return "", &MergeRefused{"same", fmt.Sprintf("%q and %q are one customer already", kept, other)}
	case of != other:
		return "", &MergeRefused{"merged", fmt.Sprintf("%q is part of %q: merge that one, or undo it first", other, of)}
	}
	ids := []string{whole, other}
	slices.Sort(ids) // in the order in which contacts and imports take them
	for _, id := range ids {
		if _, err := holdCustomer(t, Person{Customer: id}); errors.Is(err, ErrNotFound) {
			return "", &NoCustomerError{id}
		} else if err != nil {
			return "", err
		}
	}
	return whole, nil
}

// fits refuses a record of too many.
func (m *Merge) fits(t *tx) error {
	one, err := accountsOf(t.ctx, t, m.Whole)
	if err != nil {
		return err
	}
	other, err := accountsOf(t.ctx, t, m.Other)
	if err == nil && len(one)+len(other) > mostAccounts {
		err = &MergeRefused{"too_many", fmt.Sprintf("%q and %q would be more than %d customers in one record", m.Whole, m.Other, mostAccounts)}
	}
	return err
}

func (m *Merge) write(t *tx) error {
	parts, err := mergesOf(t.ctx, t, qMergesInto, m.Other)
	if err != nil {
		return err
	}
	if err := t.put(qSaveMerge, m.ID, m.Kept, m.Other, m.Whole, m.By.Agent, m.By.Name, m.At.UnixMicro()); err != nil {
		return err
	}
	if err := lead(t, parts, m.Other, m.Whole); err != nil {
		return err
	}
	if err := t.put(qDropApart, min(m.Kept, m.Other), max(m.Kept, m.Other)); err != nil {
		return err
	}
	return raised(t, m.Other, m.At.UnixMicro())
}

// lead has a customer and those who are part of him be part of a whole.
func lead(t *tx, parts []Merge, id, whole string) error {
	if err := t.put(qLeadTo, id, whole); err != nil {
		return err
	}
	for _, p := range parts {
		if err := t.put(qMoveMerge, p.ID, whole); err != nil {
			return err
		}
		if err := t.put(qLeadTo, p.Other, whole); err != nil {
			return err
		}
	}
	return nil
}

// UndoMerge has two customers be two again, by the merge's number: each has what was
// his, with what was written of him since, and whom he was merged with before. Without
// such a merge the error is ErrNotFound.
func (s *Store) UndoMerge(ctx context.Context, id int64, at time.Time) (m Merge, err error) {
	err = s.write.inTx(ctx, func(t *tx) error {
		var last int64
		if err := t.row(qTakeMerges, []any{0}, &last); err != nil {
			return err
		}
		found, err := mergesOf(t.ctx, t, qMerge, id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return ErrNotFound
		}
		m = found[0]
		all, err := mergesOf(t.ctx, t, qMergesInto, m.Whole)
		if err != nil {
			return err
		}
		if err := raised(t, m.Other, at.UnixMicro()); err != nil {
			return err
		}
		if err := t.put(qDropMerge, id); err != nil {
			return err
		}
		return lead(t, partsOfAccount(all, m.Other), m.Other, m.Other)
	})
	if err != nil {
		return Merge{}, fmt.Errorf("store: undo merge %d: %w", id, err)
	}
	return m, nil
}

// partsOfAccount are those of a whole's merges that lead to one of its accounts.
func partsOfAccount(all []Merge, id string) (parts []Merge) {
	for _, m := range all {
		if m.Kept == id {
			parts = append(append(parts, m), partsOfAccount(all, m.Other)...)
		}
	}
	return parts
}

// Merges are the latest, at most so many, newest first.
func (s *Store) Merges(ctx context.Context, most int) ([]Merge, error) {
	out, err := mergesOf(ctx, s.read, qMerges, most)
	if err != nil {
		return nil, fmt.Errorf("store: merges: %w", err)
	}
	return out, nil
}

// MergedInto gives for each customer who is shown in another's record whose that is.
func (s *Store) MergedInto(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	err := each(ctx, s.read, qMergedInto, nil, func(row *sql.Rows) error {
		var other, whole string
		err := row.Scan(&other, &whole)
		out[other] = whole
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: merged into: %w", err)
	}
	return out, nil
}

// KeepApart notes that two customers are not one: they are among the duplicates no
// more. To merge them takes that back.
func (s *Store) KeepApart(ctx context.Context, a, b string, by customer.Colleague, at time.Time) (err error) {
	err = s.write.inTx(ctx, func(t *tx) error {
		var last int64
		if err := t.row(qTakeMerges, []any{0}, &last); err != nil {
			return err
		}
		if a, err = mergeable(t, a, b); err != nil {
			return err
		}
		return t.put(qSaveApart, min(a, b), max(a, b), by.Agent, by.Name, at.UnixMicro())
	})
	if err != nil {
		return fmt.Errorf("store: keep apart: %w", err)
	}
	return nil
}

func mergesOf(ctx context.Context, p querier, query string, arg any) (out []Merge, err error) {
	err = each(ctx, p, query, []any{arg}, func(row *sql.Rows) error {
		m, err := scanMerge(row)
		out = append(out, m)
		return err
	})
	return out, err
}

func scanMerge(row scanner) (m Merge, err error) {
	var at sql.NullInt64
	err = row.Scan(&m.ID, &m.Kept, &m.Other, &m.Whole, &m.By.Agent, &m.By.Name, &at)
	m.At = instant(at)
	return m, err
}

// wholeOf is whose record shows a customer: his own, or that of whom he is part of.
func wholeOf(t *tx, id string) (string, error) {
	found, err := mergesOf(t.ctx, t, qMergeOf, id)
	if err != nil || len(found) == 0 {
		return id, err
	}
	return found[0].Whole, nil
}

// accountsOf are all customers who are one with a customer, the whole first.
func accountsOf(ctx context.Context, p querier, id string) ([]string, error) {
	found, err := mergesOf(ctx, p, qMergeOf, id)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		id = found[0].Whole
	}
	out := []string{id}
	parts, err := mergesOf(ctx, p, qMergesInto, id)
	for _, m := range parts {
		out = append(out, m.Other)
	}
	return out, err
}

// Accounts are all customers who are one with a customer, the one whose record shows
// them first; the customer alone when he is merged with nobody, or is not there.
func (s *Store) Accounts(ctx context.Context, id string) ([]string, error) {
	out, err := accountsOf(ctx, s.read, id)
	if err != nil {
		return nil, fmt.Errorf("store: accounts: %w", err)
	}
	return out, nil
}

// raised has a customer's record, and that which shows it, be another version.
func raised(t *tx, id string, now int64) error {
	if err := t.put(qRaiseVersion, id, now); err != nil {
		return err
	}
	return t.put(qRaiseWhole, id, now)
}

// joined adds to a record what was merged into it.
func (s *Store) joined(ctx context.Context, r *customer.Record, merges []Merge, most int) error {
	accounts, records := make([]customer.Account, 0, len(merges)), make([]customer.Record, 0, len(merges))
	for _, m := range merges {
		own, _, _, err := s.assembleOwn(ctx, m.Other, most)
		if errors.Is(err, ErrNotFound) {
			continue // erased at this moment
		}
		if err != nil {
			return err
		}
		accounts = append(accounts, customer.Account{ID: m.Other, Merge: m.ID, MergedBy: m.By, MergedAt: m.At})
		records = append(records, own)
	}
	if len(records) > 0 {
		r.Join(accounts, records)
		r.Interactions = inOrder(r.Interactions)
	}
	return nil
}

// rejoinQueries bring customers who are merged to what an import has written of some:
// their numbers lead to the whole, whose record in one piece is made anew.
var rejoinQueries = []string{
	`UPDATE customer_numbers SET key = (SELECT c.key FROM customer_merges m JOIN customers c ON c.id = m.whole
		WHERE m.other = customer_numbers.customer)
		WHERE customer IN (SELECT m.other FROM customer_merges m WHERE m.other IN `,
	`UPDATE customers SET version = version + 1 WHERE id IN (SELECT m.whole FROM customer_merges m WHERE m.other IN `,
	`UPDATE customers SET doc_version = NULL WHERE id IN (SELECT m.whole FROM customer_merges m WHERE m.whole IN `,
}

// rejoin does so for customers who were changed, or whose bill was read anew.
func (m *merge) rejoin(t *tx, some []*entry) error {
	for list := range inLists(idsOf(some)) {
		anybody := false
		for _, column := range []string{"other", "whole"} {
			found, err := textsOf(m.ctx, t, `SELECT other FROM customer_merges WHERE `+column+` IN `+placeholders(1, len(list), t.p.prepares), list...)
			if err != nil {
				return err
			}
			anybody = anybody || len(found) > 0
		}
		if !anybody { // as of nearly all
			continue
		}
		for _, query := range rejoinQueries {
			if err := t.put(query+placeholders(1, len(list), t.p.prepares)+`)`, list...); err != nil {
				return err
			}
		}
	}
	return nil
}

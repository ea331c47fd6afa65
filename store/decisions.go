package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer/permission"
)

// ContactDecision is whether somebody may be contacted, as it was decided once. One
// that was allowed counts as a contact.
type ContactDecision struct {
	ID       int64
	Decided  time.Time
	Source   string // who has asked
	SourceID string // its own; "": none
	Customer string // "": nobody's number, or one of several
	Number   string // "": none was named
	permission.Contact
	permission.Decision
	Rules string // by which it was decided
}

// ErrDecisionChanged refuses another question under the id of one that was answered.
var ErrDecisionChanged = errors.New("another contact was decided under this id")

const (
	qSelectDecision = `SELECT id, at, contact_at, source, source_id, customer, number, purpose, channel, allowed, reason, not_before, weighed, rules
		FROM contact_decisions `
	qDecisionOfSource = qSelectDecision + `WHERE source = $1 AND source_id = $2 AND source_id <> ''`
	qDecisionsOf      = qSelectDecision + `WHERE customer = $1 AND customer <> '' ORDER BY id`
	qDecisionsOfOne   = qSelectDecision + `WHERE number = $1 AND number <> '' AND customer = '' ORDER BY id`
	qSaveDecision     = `INSERT INTO contact_decisions (at, contact_at, source, source_id, customer, number, purpose, channel, allowed, reason, not_before, weighed, rules)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id`
	qContactsOf    = `SELECT id, contact_at FROM contact_decisions WHERE customer = $1 AND customer <> '' AND contact_at > $2 AND purpose = $3 AND allowed = 1`
	qContactsOfOne = `SELECT id, contact_at FROM contact_decisions WHERE number = $1 AND number <> '' AND contact_at > $2 AND purpose = $3 AND allowed = 1`
	// Whose it was is nobody's any more, and what an outside system calls it may tell.
	qForgetDecisionsOf    = `UPDATE contact_decisions SET customer = '', number = '', source_id = '' WHERE customer = $1 AND customer <> ''`
	qForgetDecisionsOfOne = `UPDATE contact_decisions SET number = '', source_id = '' WHERE number = $1 AND number <> '' AND customer = ''`
)

// Decide writes down what decide makes of the contacts that there were for the purpose
// within remembers before (and any that are planned), of the customer or with the
// number. Nobody else decides meanwhile, so that a bound is not passed by two at once.
// What a source has asked under its own id is answered again as it was.
func (s *Store) Decide(ctx context.Context, in ContactDecision, remembers time.Duration, decide func(before []time.Time) permission.Decision) (out ContactDecision, err error) {
	s.deciding.Lock()
	defer s.deciding.Unlock()
	in.Decided, in.At = time.Now().UTC().Truncate(time.Microsecond), in.At.UTC().Truncate(time.Microsecond)
	err = s.write.inTx(ctx, func(t *tx) error {
		if in.SourceID != "" {
			found, there, err := decisionOfSource(t, in)
			if out = found; err != nil || there {
				return err
			}
		}
		before, err := contactsBefore(t, in, remembers)
		if err != nil {
			return err
		}
		in.Decision = decide(before)
		weighed, err := json.Marshal(in.Weighed)
		if err != nil {
			return err
		}
		out = in
		return t.row(qSaveDecision, []any{in.Decided.UnixMicro(), in.At.UnixMicro(), in.Source, in.SourceID, in.Customer, in.Number, string(in.Purpose),
			string(in.Channel), flag(in.Allowed), in.Reason, micros(in.NotBefore), string(weighed), in.Rules}, &out.ID)
	})
	if err != nil {
		return ContactDecision{}, fmt.Errorf("store: contact decision: %w", err)
	}
	return out, nil
}

// contactsBefore are those that count: of the customer, as whomever he was merged with,
// and of his number.
func contactsBefore(t *tx, in ContactDecision, remembers time.Duration) ([]time.Time, error) {
	accounts, err := accountsOf(t.ctx, t, in.Customer)
	if err != nil {
		return nil, err
	}
	found := map[int64]time.Time{}
	since := in.At.Add(-remembers).UnixMicro()
	add := func(query, of string) error {
		return each(t.ctx, t, query, []any{of, since, string(in.Purpose)}, func(rows *sql.Rows) error {
			var id, at int64
			err := rows.Scan(&id, &at)
			found[id] = time.UnixMicro(at).UTC()
			return err
		})
	}
	for _, id := range accounts {
		if err := add(qContactsOf, id); err != nil {
			return nil, err
		}
	}
	err = add(qContactsOfOne, in.Number)
	return slices.Collect(maps.Values(found)), err
}

func decisionOfSource(t *tx, in ContactDecision) (out ContactDecision, there bool, err error) {
	err = each(t.ctx, t, qDecisionOfSource, []any{in.Source, in.SourceID}, func(rows *sql.Rows) (err error) {
		there = true
		out, err = scanDecision(rows)
		return err
	})
	if err != nil || !there {
		return out, there, err
	}
	accounts, err := accountsOf(t.ctx, t, in.Customer)
	if err == nil && (!slices.Contains(accounts, out.Customer) || out.Number != in.Number || out.Purpose != in.Purpose || out.Channel != in.Channel) {
		err = ErrDecisionChanged
	}
	return out, there, err
}

func scanDecision(row scanner) (d ContactDecision, err error) {
	var decided, at, notBefore sql.NullInt64
	var allowed int
	var weighed string
	err = row.Scan(&d.ID, &decided, &at, &d.Source, &d.SourceID, &d.Customer, &d.Number, &d.Purpose, &d.Channel, &allowed, &d.Reason, &notBefore, &weighed, &d.Rules)
	d.Decided, d.At, d.NotBefore, d.Allowed = instant(decided), instant(at), instant(notBefore), allowed != 0
	if err == nil {
		err = json.Unmarshal([]byte(weighed), &d.Weighed)
	}
	return d, err
}

// decisions are those about a person, once each.
func (s *Store) decisions(ctx context.Context, of *traces) (out []ContactDecision, err error) {
	add := func(query, what string) error {
		return s.read.ask(ctx, query, []any{what}, func(row scanner) error {
			d, err := scanDecision(row)
			out = append(out, d)
			return err
		})
	}
	for _, id := range of.accounts {
		if err := add(qDecisionsOf, id); err != nil {
			return nil, err
		}
	}
	for _, n := range of.numbers {
		if err := add(qDecisionsOfOne, n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// forgetDecisions leaves of them that there were some.
func forgetDecisions(t *tx, of *traces) error {
	for _, id := range of.accounts {
		if err := t.put(qForgetDecisionsOf, id); err != nil {
			return err
		}
	}
	for _, n := range of.numbers {
		if err := t.put(qForgetDecisionsOfOne, n); err != nil {
			return err
		}
	}
	return nil
}

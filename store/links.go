package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// linkedOrd is the place of numbers that a customer has by our agents' word alone,
// behind all that his source gives.
const linkedOrd = 30000

const (
	qSaveLink = `INSERT INTO number_links (e164, customer, agent, agent_name, at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (e164, customer) DO UPDATE SET agent = excluded.agent, agent_name = excluded.agent_name, at = excluded.at`
	qAddLinked = `INSERT INTO customer_numbers (e164, customer, label, ord, key)
		SELECT $1, c.id, '', $3, w.key FROM customers c
		JOIN customers w ON w.id = COALESCE((SELECT m.whole FROM customer_merges m WHERE m.other = c.id), c.id)
		WHERE c.id = $2 ON CONFLICT (e164, customer) DO NOTHING`
	qDropLink   = `DELETE FROM number_links WHERE e164 = $1 AND customer = $2`
	qDropLinked = `DELETE FROM customer_numbers WHERE e164 = $1 AND customer = $2 AND ord = $3`
)

// LinkNumber notes that a number is a customer's, whom an agent has asked: he is found
// by it from now on, and alone unless somebody said the same of another. Said again,
// the last who said it counts. Without such a customer the error is ErrNotFound.
func (s *Store) LinkNumber(ctx context.Context, e164, id string, by customer.Colleague, at time.Time) error {
	err := s.write.inTx(ctx, func(t *tx) error {
		if _, err := holdCustomer(t, Person{Customer: id}); err != nil {
			return err
		}
		if err := t.put(qSaveLink, e164, id, by.Agent, by.Name, at.UnixMicro()); err != nil {
			return err
		}
		if err := t.put(qAddLinked, e164, id, int64(linkedOrd)); err != nil {
			return err
		}
		return raised(t, id, at.UnixMicro())
	})
	if err != nil {
		return fmt.Errorf("store: link a number: %w", err)
	}
	return nil
}

// UnlinkNumber takes back what agents have said of a number and a customer, or one who
// is one with him. What their source says of it stays. When nobody has said anything the error is ErrNotFound.
func (s *Store) UnlinkNumber(ctx context.Context, e164, id string, at time.Time) error {
	err := s.write.inTx(ctx, func(t *tx) error {
		accounts, err := accountsOf(t.ctx, t, id)
		if err != nil {
			return err
		}
		said := false
		for _, id := range accounts {
			n, err := t.exec(qDropLink, e164, id)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			said = true
			if err := t.put(qDropLinked, e164, id, int64(linkedOrd)); err != nil {
				return err
			}
			if err := raised(t, id, at.UnixMicro()); err != nil {
				return err
			}
		}
		if !said {
			return ErrNotFound
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: unlink a number: %w", err)
	}
	return nil
}

// relinkQuery gives customers whose numbers an import has written anew those that
// agents have linked; undocumentQuery has their documents, which know nothing of it,
// count no more.
func relinkQuery(ids int, bare bool) string {
	return `INSERT INTO customer_numbers (e164, customer, label, ord, key)
		SELECT l.e164, l.customer, '', 30000, c.key FROM number_links l JOIN customers c ON c.id = l.customer
		WHERE l.customer IN ` + placeholders(1, ids, bare) + ` ON CONFLICT (e164, customer) DO NOTHING`
}

func undocumentQuery(ids int, bare bool) string {
	return `UPDATE customers SET doc_version = NULL
		WHERE id IN (SELECT l.customer FROM number_links l WHERE l.customer IN ` + placeholders(1, ids, bare) + `)`
}

// relink brings back what agents have said of the customers' numbers.
func (m *merge) relink(t *tx, changed []*entry) error {
	for list := range inLists(idsOf(changed)) {
		for _, query := range []func(int, bool) string{relinkQuery, undocumentQuery} {
			if err := t.put(query(len(list), t.p.prepares), list...); err != nil {
				return err
			}
		}
	}
	return nil
}

// scanNumber reads a row of qNumbers.
func scanNumber(row scanner) (n customer.Number, err error) {
	var by, name sql.NullString
	var at sql.NullInt64
	err = row.Scan(&n.E164, &n.Label, &by, &name, &at, &n.Person, &n.ValidFrom, &n.ValidTo, &n.Source)
	if by.Valid {
		n.By, n.ConfirmedAt = &customer.Colleague{Agent: by.String, Name: name.String}, maybe(at)
	}
	return n, err
}

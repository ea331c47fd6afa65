package store

import (
	"context"
	"database/sql"
	"fmt"
	"reflect"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// What became of an interaction that was sent.
const (
	SentCreated  = "created"
	SentSame     = "same" // it stood there just so
	SentReplaced = "replaced"
)

// Sent says what became of one, and whose record shows it.
type Sent struct {
	Result   string
	Revision int // counts from 1 what the system has put in its place
	Customer string
	Before   string // whose showed it when it has moved, else ""
}

// SeveralError refuses to write to one of several customers who have a number.
type SeveralError struct{ Customers int }

func (e *SeveralError) Error() string {
	return fmt.Sprintf("%d customers have the number: name the customer by id", e.Customers)
}

const (
	// Whose records a number leads to.
	qWholesOfNumber = `SELECT DISTINCT c.id FROM customer_numbers n JOIN customers c ON c.key = n.key WHERE n.e164 = $1
		AND (n.valid_from = '' OR n.valid_from <= $2) AND (n.valid_to = '' OR n.valid_to >= $2) ORDER BY c.id`
	// Holds the customer's row until the transaction ends: he cannot be erased
	// meanwhile, and another with the same id waits.
	qHoldCustomer = `UPDATE customers SET version = version WHERE id = $1`
	qSentBefore   = `SELECT customer, revision, id, at, channel, title, detail, topic, agent, agent_name, note,
		disposition, duration_s, call, promised_by, kept, source, changed_at, links
		FROM interactions WHERE source = $1 AND source <> '' AND id = $2`
	qDropSent = `DELETE FROM interactions WHERE (source = $1 AND source <> '' AND id = $2) OR (customer = $3 AND id = $2)`
	qAddSent  = `INSERT INTO interactions (customer, id, at, channel, title, detail, topic, agent, agent_name, note,
		disposition, duration_s, call, attempt, promised_by, kept, source, revision, changed_at, links)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, NULL, 0, $13, $14, $15, $16, $17, $18)`
)

// SentID is the id of an interaction in the record, of an outside system's own.
func SentID(source, id string) string { return source + ":" + id }

// SaveSent writes an interaction that an outside system has sent, of a customer by
// id or of the one who has a number (SeveralError; ErrNotFound). Source and ID must
// be set: there is one of them, whoever's it is. The same again changes nothing,
// something else takes its place.
func (s *Store) SaveSent(ctx context.Context, who Person, i customer.Interaction) (out Sent, err error) {
	i.At, i.ChangedAt = i.At.UTC().Truncate(time.Microsecond), nil
	for _, text := range []*string{&i.ID, &i.Title, &i.Detail, &i.Topic, &i.Note, &i.Disposition} {
		*text = fitting(*text)
	}
	err = s.write.inTx(ctx, func(t *tx) error {
		id, err := holdCustomer(t, who)
		if err != nil {
			return err
		}
		out, err = saveSent(t, id, i)
		return err
	})
	if err != nil {
		return Sent{}, fmt.Errorf("store: interaction of %s: %w", i.Source, err)
	}
	return out, nil
}

// holdCustomer finds the customer and keeps him from being erased until the
// transaction is over.
func holdCustomer(t *tx, who Person) (id string, err error) {
	id = who.Customer
	if who.Number != "" {
		owners, err := textsOf(t.ctx, t, qWholesOfNumber, who.Number, time.Now().Format(time.DateOnly))
		switch {
		case err != nil:
			return "", err
		case len(owners) == 0:
			return "", ErrNotFound
		case len(owners) > 1:
			return "", &SeveralError{len(owners)}
		}
		id = owners[0]
	}
	n, err := t.exec(qHoldCustomer, id)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return id, err
}

// sentBefore is what stood under the system's own id.
func sentBefore(t *tx, i *customer.Interaction) (owner string, revision int, old customer.Interaction, err error) {
	err = each(t.ctx, t, qSentBefore, []any{i.Source, i.ID}, func(row *sql.Rows) (err error) {
		old, err = scanInteraction(behind{behind{row, &owner}, &revision})
		return err
	})
	return owner, revision, old, err
}

func saveSent(t *tx, id string, i customer.Interaction) (out Sent, err error) {
	owner, revision, old, err := sentBefore(t, &i)
	if err != nil {
		return out, err
	}
	out = Sent{Result: SentCreated, Revision: revision + 1}
	if out.Customer, err = wholeOf(t, id); err != nil {
		return out, err
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	if revision > 0 {
		out.Result = SentReplaced
		old.ChangedAt = nil
		if owner == id && reflect.DeepEqual(old, i) {
			return Sent{Result: SentSame, Revision: revision, Customer: out.Customer}, nil
		}
		i.ChangedAt = &now
		if owner != id {
			if out.Before, err = wholeOf(t, owner); err != nil {
				return out, err
			}
			if err := raised(t, owner, now.UnixMicro()); err != nil {
				return out, err
			}
		}
	}
	gone, err := t.exec(qDropSent, i.Source, i.ID, id)
	if err != nil {
		return out, err
	}
	if gone > 0 && revision == 0 { // what his source has under our id: his document counts no more
		if err := raised(t, id, now.UnixMicro()); err != nil {
			return out, err
		}
	}
	return out, addSent(t, id, &i, out.Revision, now, owner == id && old.At.Equal(i.At))
}

// addSent adds the row and raises the customer's version; there: in the place of
// itself, at the same time.
func addSent(t *tx, id string, i *customer.Interaction, revision int, now time.Time, there bool) error {
	by := orNobody(i.Agent)
	links, err := toList(i.Links)
	if err != nil {
		return err
	}
	err = t.put(qAddSent, id, i.ID, i.At.UnixMicro(), i.Channel, i.Title, i.Detail, i.Topic, by.Agent, by.Name, i.Note,
		i.Disposition, i.DurationS, maybeMicros(i.PromisedBy), maybeFlag(i.Kept), i.Source, revision, maybeMicros(i.ChangedAt), links)
	if err == nil {
		err = raised(t, id, now.UnixMicro())
	}
	if err != nil || !there {
		return err // a look-up puts it in front of the document
	}
	line, err := historyOf([]customer.Interaction{*i})
	if err != nil {
		return err
	}
	return t.put(qReplaceInDocument, id, line, mostAdded, i.At.UnixMicro(), i.ID)
}
